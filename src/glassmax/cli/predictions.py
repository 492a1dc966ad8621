"""Write predictions as CSV, JSON lines or Parquet, piece by piece: to stdout, or to a file, whole or not at all.

CSV holds probabilities in six significant digits; JSON lines and Parquet hold them in full. The pieces of a Parquet
file are kept in a temporary folder beside it until all are there.
"""

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..files import remove_leftovers, writing_whole
from .talk import show

__all__ = ["writer_of"]

PIECE_NUMBERS = 2**19


class TextWriter:
    """Writes columns as CSV or JSON lines by a function that takes text; the first `kept` columns are the table's."""

    def __init__(self, put: Callable[[str], None], form: str, kept: int) -> None:
        self.put, self.form, self.kept, self.begun = put, form, kept, False

    def write(self, columns: dict[str, list[Any]]) -> None:
        """Write some rows."""
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
            [_csv_cell(cell, short=position >= self.kept and name.startswith(("p(", "probability"))) for cell in column]
            for position, (name, column) in enumerate(columns.items())
        ]
        writer.writerows(zip(*cells, strict=True))
        self.put(text.getvalue())


class ParquetWriter:
    """Collects pieces in a folder; `finish` writes them as one file."""

    def __init__(self, folder: Path, kept: int) -> None:
        self.folder, self.kept, self.pieces = folder, kept, 0
        self.waiting: dict[str, list[Any]] = {}

    def write(self, columns: dict[str, list[Any]]) -> None:
        """Take some rows."""
        for name, cells in columns.items():
            self.waiting.setdefault(name, []).extend(cells)
        if len(self.waiting) * len(next(iter(self.waiting.values()))) >= PIECE_NUMBERS:
            self.spill()

    def spill(self) -> None:
        """Write what has been gathered as a piece."""
        import polars as pl

        if self.waiting:
            kept = list(self.waiting)[: self.kept]
            text = {name: pl.String for name in kept if any(isinstance(cell, str) for cell in self.waiting[name])}
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
def writer_of(form: str, output: str | None, kept: int) -> Iterator[Any]:
    """Open a writer with a method ``write(columns)``: csv, jsonl or parquet; no output is stdout."""
    if form == "parquet" and output is None:
        raise DataError("Parquet goes into a file, expected --output FILE with --format parquet.")
    if output is None:
        yield TextWriter(show, form, kept)
        return
    remove_leftovers(output)
    try:
        with writing_whole(output) as file:
            if form != "parquet":
                yield TextWriter(lambda text: _put(file, text), form, kept)
                return
            with tempfile.TemporaryDirectory(dir=Path(output).resolve().parent, prefix=".glassmax.") as folder:
                writer = ParquetWriter(Path(folder), kept)
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
