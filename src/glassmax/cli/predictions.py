"""Write predictions as CSV, JSON lines or Parquet, piece by piece: to stdout, or to a file, whole or not at all.

CSV holds probabilities in six significant digits; JSON lines and Parquet hold them in full. The pieces of a Parquet
file are kept in a temporary folder beside it until all are there.
"""

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..files import remove_leftovers, writing_whole
from ..functional.arrays import Array
from ..table import Table
from .talk import show

__all__ = ["writer_of"]

PIECE_NUMBERS = 2**21


class Writer:
    """Makes columns of predictions: kept columns, the class, its prediction set, the `top` classes, probabilities."""

    def __init__(self, classes: Array, proba: bool, top: int | None, keep: Sequence[str]) -> None:
        self.classes, self.proba, self.keep = classes, proba, tuple(keep)
        self.top = None if top is None else min(top, len(classes))

    def columns(self, table: Table, P: Array, sets: Array | None) -> dict[str, list[Any]]:
        """Return the columns of some rows, by name; a prediction set is a list of classes, the most probable first."""
        best = P.argmax(axis=1)
        columns: dict[str, list[Any]] = {_free(name, ()): _cells(table.column(name)) for name in self.keep}
        columns[_free("prediction", columns)] = self.classes[best].tolist()
        if sets is not None:
            columns[_free("set", columns)] = self._lists(P, sets)
        if self.top is not None:
            order = np.argsort(-P, axis=1, kind="stable")[:, : self.top]
            for place in range(self.top):
                columns[f"top {place + 1}"] = self.classes[order[:, place]].tolist()
                columns[f"p(top {place + 1})"] = P[np.arange(len(P)), order[:, place]].tolist()
        if self.proba:
            for index, label in enumerate(self.classes.tolist()):
                columns[_free(f"p({label})", columns)] = P[:, index].tolist()
        return columns

    def _lists(self, P: Array, sets: Array) -> list[list[Any]]:
        order = np.argsort(-P, axis=1, kind="stable")[:, : sets.sum(axis=1).max(initial=0)]
        inside = np.take_along_axis(sets, order, axis=1)
        return [self.classes[row[held]].tolist() for row, held in zip(order, inside, strict=True)]


class TextWriter(Writer):
    """Writes CSV or JSON lines by a function that takes bytes."""

    def __init__(self, put: Callable[[str], None], form: str, *settings: Any) -> None:
        super().__init__(*settings)
        self.put, self.form, self.begun = put, form, False

    def write(self, table: Table, P: Array, sets: Array | None = None) -> None:
        """Write some rows."""
        columns = self.columns(table, P, sets)
        if self.form == "jsonl":
            names, rows = list(columns), zip(*columns.values(), strict=True)
            lines = (json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows)
            self.put("".join(f"{line}\n" for line in lines))
            return
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self.begun:
            writer.writerow(columns)
        self.begun = True
        cells = [
            [_csv_cell(cell, short=position >= len(self.keep) and name.startswith("p(")) for cell in column]
            for position, (name, column) in enumerate(columns.items())
        ]
        writer.writerows(zip(*cells, strict=True))
        self.put(text.getvalue())


class ParquetWriter(Writer):
    """Collects pieces in a folder; `finish` writes them as one file."""

    def __init__(self, folder: Path, *settings: Any) -> None:
        super().__init__(*settings)
        self.folder, self.pieces = folder, 0
        self.waiting: dict[str, list[Any]] = {}

    def write(self, table: Table, P: Array, sets: Array | None = None) -> None:
        """Take some rows."""
        columns = self.columns(table, P, sets)
        for name, cells in columns.items():
            self.waiting.setdefault(name, []).extend(cells)
        if len(self.waiting) * len(next(iter(self.waiting.values()))) >= PIECE_NUMBERS:
            self.spill()

    def spill(self) -> None:
        """Write what has been gathered as a piece."""
        import polars as pl

        if self.waiting:
            text = {
                name: pl.String for name in self.keep if any(isinstance(c, str) for c in self.waiting.get(name, []))
            }
            frame = pl.DataFrame(self.waiting, schema_overrides=text, strict=False)
            frame.write_parquet(self.folder / f"{self.pieces:06}.parquet")
            self.pieces += 1
            self.waiting = {}

    def finish(self, file: Any) -> None:
        """Write the pieces as one file."""
        import polars as pl

        self.spill()
        parts = [pl.scan_parquet(self.folder / f"{piece:06}.parquet") for piece in range(self.pieces)]
        whole = self.folder / "whole.parquet"
        pl.concat(parts, how="vertical_relaxed").sink_parquet(whole)
        with whole.open("rb") as source:
            shutil.copyfileobj(source, file)


@contextmanager
def writer_of(
    form: str, output: str | None, classes: Array, *, proba: bool, top: int | None, keep: Sequence[str]
) -> Iterator[Any]:
    """Open a writer with a method ``write(table, P, sets=None)``: csv, jsonl or parquet; no output is stdout."""
    settings = (classes, proba, top, keep)
    if form == "parquet" and output is None:
        raise DataError("Parquet goes into a file, expected --output FILE with --format parquet.")
    if output is None:
        yield TextWriter(show, form, *settings)
        return
    remove_leftovers(output)
    try:
        with writing_whole(output) as file:
            if form != "parquet":
                yield TextWriter(lambda text: _put(file, text), form, *settings)
                return
            with tempfile.TemporaryDirectory(dir=Path(output).resolve().parent, prefix=".glassmax.") as folder:
                writer = ParquetWriter(Path(folder), *settings)
                yield writer
                writer.finish(file)
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename not in (None, output) and not str(error.filename).startswith(str(Path(output).parent)):
            raise
        raise DataError(f"{output} can't be written: {error.strerror}. Nothing has changed.") from None


def _put(file: Any, text: str) -> None:
    file.write(text.encode("utf-8", "backslashreplace"))


def _csv_cell(cell: Any, *, short: bool) -> Any:
    """Return a cell as CSV holds it: a probability in six digits, a set with | between the classes."""
    if isinstance(cell, list):
        return "|".join(map(str, cell))
    if not isinstance(cell, float):
        return cell
    return f"{cell:.6g}" if short else repr(cell)


def _cells(values: Array) -> list[Any]:
    """Return a column as it goes into a file: whole numbers without a point."""
    if values.dtype.kind == "f":
        there = values[~np.isnan(values)]
        whole = bool(((there == np.floor(there)) & (np.abs(there) < 1e15)).all())
        return [None if value != value else int(value) if whole else value for value in values.tolist()]
    if values.dtype.kind == "M":
        return [None if moment is None else moment.isoformat(sep=" ") for moment in values.tolist()]
    return values.tolist()


def _free(name: str, taken: Any) -> str:
    """Return a name that no other column has."""
    while name in taken:
        name = f"{name}_"
    return name
