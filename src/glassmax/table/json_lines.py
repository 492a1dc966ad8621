"""JSON lines: an object on each line, its keys the names of the columns.

A key that a line lacks is a missing cell. Objects and lists in a cell can't be used; a key that stands twice in an
object is a fault. Text is read as in a CSV file, so that the same table gives the same columns.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import DataError
from ..functional.arrays import Array
from .cells import WHITE, as_text, column_of, objects
from .decoding import Lines
from .missing_words import missing_words_in
from .table import Table, check_number_of_columns

__all__ = ["read_json_lines"]

CELLS_AT_ONCE = 2**19
MOST_KEYS = 1_000_000
EXACT = 2**53
HALF = re.compile(r"\\u[dD][89a-fA-F]")


def read_json_lines(lines: Lines, wanted: Sequence[str] | None = None, decimal: str = ".") -> Iterator[Table]:
    """Read the wanted columns (by default all) of a table in pieces.

    Raises
    ------
    DataError
        If a line is not an object of cells; the message names the line.
    """
    name, number, line = lines.source.name, 0, 0
    known: dict[str, None] = {}
    asked = None if wanted is None else set(wanted)
    rows: list[dict[str, Any]] = []
    ends: list[int] = []
    cells = 0

    def table() -> Table:
        first = number - len(rows) + 1
        packed = f", packed by {lines.source.packed}" if lines.source.packed else ""
        chosen = [key for key in known if asked is None or key in asked] or list(known)
        columns, unusable, words = {}, {}, {}
        for key in chosen:
            values = [row.get(key) for row in rows]
            if any(isinstance(value, list | dict) for value in values):
                unusable[key] = "lists or objects"
            else:
                columns[key] = _column(values, decimal)
                found = missing_words_in([value.strip(WHITE) if isinstance(value, str) else None for value in values])
                if found is not None:
                    words[key] = found
        return Table(
            name,
            columns or {key: np.full(len(rows), None, object) for key in unusable},
            np.array(ends),
            numbers=np.arange(first, number + 1),
            how=f"JSON lines in {lines.encoding}{packed}",
            unusable=unusable,
            header=tuple(known) if len(chosen) < len(known) else (),
            decimal=decimal,
            words=words,
            tells_missing=True,
        )

    for block in lines.blocks():
        for text in block.decode("utf-8").split("\n")[:-1]:
            line += 1
            if not text.strip():
                continue
            row = _object(name, line, text)
            number += 1
            for key in row:
                known.setdefault(key)
            if wanted is None:
                check_number_of_columns(f"{name} (line {line})", len(known) - 1)  # one is the target
            if len(known) > MOST_KEYS:
                raise DataError(
                    f"{name} (line {line}) brings the table to more than {MOST_KEYS} keys, expected the same keys in "
                    "each line."
                )
            rows.append(row)
            ends.append(line)
            cells += len(known)
            if cells >= CELLS_AT_ONCE:
                yield table()
                rows, ends, cells = [], [], 0
    if rows:
        yield table()
    if not number:
        raise DataError(f"{lines.source.place} is empty, expected a JSON object on each line.")


def _object(name: str, line: int, text: str) -> dict[str, Any]:
    try:
        row = json.loads(text, object_pairs_hook=_once, parse_constant=float, parse_int=_integer)
    except _TwiceError as error:
        raise DataError(f"{name} (line {line}) has the key {str(error)!r} twice. Rename one.") from None
    except (ValueError, RecursionError) as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply, or a number is too long"
        raise DataError(
            f"{name} (line {line}) is not JSON: {what}. Expected an object on each line, as "
            '{"width": 1.5, "kind": "a"}.'
        ) from None
    if HALF.search(text):
        try:
            json.dumps(row, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise DataError(
                f"{name} (line {line}) holds half a character (a lone surrogate, \\ud800 to \\udfff). "
                "Write the whole one."
            ) from None
    if not isinstance(row, dict):
        kind = "a list" if isinstance(row, list) else "a value"
        raise DataError(
            f'{name} (line {line}) is {kind}, expected an object on each line, as {{"width": 1.5, "kind": "a"}}.'
        )
    if not all(key.strip() for key in row):
        raise DataError(f"{name} (line {line}) has a key without a name. Name it.")
    return row


class _TwiceError(ValueError):
    """A key that stands twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        seen: set[str] = set()
        raise _TwiceError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return row


def _integer(digits: str) -> float | str:
    """Return a whole number as a float if that is exact, otherwise its digits."""
    return float(digits) if len(digits) < 16 else digits


def _column(values: list[Any], decimal: str) -> Array:
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, float) for value in there):
        numbers = np.array([np.nan if value is None else value for value in values], np.float64)
        return numbers if not np.isnan(numbers).all() else objects([None] * len(values))
    if there and all(isinstance(value, bool) for value in there):
        return objects(values)
    texts = [_text(value, decimal) for value in values]
    return column_of(texts, decimal)


def _text(value: Any, decimal: str) -> str | None:
    if isinstance(value, float):
        text: str | None = as_text(np.array([value]))[0]
        return text if text is None else text.replace(".", decimal)
    return str(value).lower() if isinstance(value, bool) else value
