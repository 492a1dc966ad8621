"""Convert pandas, polars and Arrow frames to Tables with narwhals; none of the three libraries has to be installed.

Text in a frame is read as in a CSV file; whole numbers too large for a float stay text. A column that doesn't hold
numbers, text, booleans or dates is set aside; using it is an error that says what it holds. A dict of columns and an
array are read like a frame.
"""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from narwhals.exceptions import DuplicateError

from ..errors import DataError
from ..functional.arrays import Array
from .cells import MISSING, WHITE, column_of, objects
from .missing_words import MissingWords, missing_words_in
from .table import Table, some

__all__ = ["as_table", "is_frame", "is_missing", "piece_of", "table_of"]

EXACT = 2**53
FEWEST_CELLS, MOST_DISTINCT = 1000, 2**15
TEXTS = (nw.String, nw.Categorical, nw.Enum, nw.Object, nw.Unknown)


def is_frame(data: Any) -> bool:
    """Return whether something is a frame of columns, lazy ones included."""
    return isinstance(_frame(data, pass_through=True), nw.DataFrame | nw.LazyFrame)


def _frame(data: Any, *, pass_through: bool = False) -> Any:
    try:
        return nw.from_native(data, pass_through=pass_through)
    except DuplicateError as error:
        twice = ", ".join(re.findall(r"- ('.*') \d+ times", str(error))[:5])
        raise DataError(f"The frame has columns of the same name: {twice}. Rename them.") from None


def table_of(data: Any, name: str = "The frame", decimal: str = ".") -> Table:
    """Return a frame as a Table.

    Parameters
    ----------
    data : pandas, polars or Arrow frame
    name : str, default="The frame"
        The user's word for it.
    decimal : {".", ","}, default="."
        The decimal separator in cells of text.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If it is lazy, empty, or its columns have no names of their own.

    Examples
    --------
    >>> import pandas
    >>> table_of(pandas.DataFrame({"x": [1, 2], "y": ["a", None]})).column("y").tolist()
    ['a', None]
    """
    return piece_of(data, name, decimal).with_words_of_source()


def piece_of(data: Any, name: str, decimal: str = ".", how: str = "") -> Table:
    """Return some rows of a frame as a Table, in which every word for a missing cell is one; `how` they were read."""
    frame = _frame(data)
    if isinstance(frame, nw.LazyFrame):
        raise DataError(f"{name} is lazy, expected one that is in memory: pass its collect().")
    names = ["" if is_missing(column) else str(column) for column in frame.columns]
    blank = [str(position) for position, column in enumerate(names, start=1) if not column.strip()]
    if blank:
        raise DataError(f"{name} has columns without a name: number {', '.join(blank[:5])}. Name them.")
    if len(set(names)) < len(names):
        raise _same_names(name, names)
    if not names or not len(frame):
        raise DataError(f"{name} has {len(names)} columns and {len(frame)} rows, expected at least one of each.")
    columns: dict[str, Array] = {}
    unusable: dict[str, str] = {}
    words: dict[str, MissingWords] = {}
    for column, shown in zip(frame.columns, names, strict=True):
        series = frame.get_column(column)
        try:
            short, places = _distinct(series)
            values = _column(short, decimal)
        except UnicodeEncodeError:
            values = "half a character (a lone surrogate)"
        if isinstance(values, str):
            unusable[shown] = values
            continue
        columns[shown] = values if places is None else values[places]
        if series.dtype in TEXTS and (found := _words(short.to_list())) is not None:
            words[shown] = found if places is None else found.rows(places)
    if not columns:
        raise DataError(f"{name} has no column that can be used: {shown!r} holds {unusable[shown]}.")
    return Table(name, columns, decimal=decimal, how=how, unusable=unusable, words=words, tells_missing=True)


def _distinct(series: "nw.Series[Any]") -> tuple["nw.Series[Any]", Array | None]:
    """Return the different texts of a column of polars that has few, and which of them each row has."""
    are_texts = series.dtype in (nw.String, nw.Categorical, nw.Enum)
    if not are_texts or len(series) < FEWEST_CELLS or not series.implementation.is_polars():
        return series, None
    import polars as pl

    texts = series.to_native().cast(pl.String)
    few = texts.unique(maintain_order=True)
    if 4 * len(few) > len(texts) or len(few) > MOST_DISTINCT:
        return series, None
    codes = texts.cast(pl.Enum(few.drop_nulls())).to_physical().to_numpy()
    missing = few.is_null().arg_max() if few.null_count() else None
    places = np.arange(len(few)) if missing is None else np.delete(np.arange(len(few)), missing)
    where = np.append(places, 0 if missing is None else missing)
    known = np.where(np.isnan(codes), len(places), codes).astype(np.intp) if codes.dtype.kind == "f" else codes
    return nw.from_native(few, series_only=True), where[known]


def _words(cells: list[Any]) -> MissingWords | None:
    return missing_words_in([cell.strip(WHITE) if isinstance(cell, str) else None for cell in cells])


def _same_names(name: str, names: list[str]) -> DataError:
    twice = sorted(column for column, count in Counter(names).items() if count > 1)
    return DataError(f"{name} has columns of the same name: {some(twice)}. Rename them.")


def as_table(data: Any, name: str = "X", decimal: str = ".") -> Table:
    """Return data of any kind as a Table.

    Parameters
    ----------
    data : Table, frame, dict of columns, or (n, d) array_like
        The columns of an array are called x0, x1, ...
    name : str, default="X"
        The user's word for it, unless it is a Table.
    decimal : {".", ","}, default="."
        The decimal separator in cells of text.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If it is anything else, or has no rows or columns.

    Examples
    --------
    >>> as_table({"x": [1, 2], "color": ["red", None]})
    Table 'X': 2 rows, 2 columns
      numbers (1): 'x'
      text (1): 'color'
    >>> as_table([[1.0, 2.0], [3.0, 4.0]]).names
    ['x0', 'x1']
    """
    if isinstance(data, Table):
        return data
    if hasattr(data, "tocsr"):
        raise DataError(
            f"{name} is a sparse matrix, expected a frame, a dict of columns or a dense array. Pass {name}.toarray(), "
            "or use SoftmaxClassifier, which trains on sparse matrices."
        )
    if not isinstance(data, Mapping):
        if is_frame(data):
            return table_of(data, name, decimal)
        cells = np.asarray(data)
        _check_shape(cells, name)
        data = {f"x{j}": cells[:, j] for j in range(cells.shape[1])}
    names = [str(column) for column in data]
    if len(set(names)) < len(names):
        raise _same_names(name, names)
    columns: dict[str, Array] = {}
    unusable: dict[str, str] = {}
    lengths = {str(column): len(np.atleast_1d(np.asarray(cells))) for column, cells in data.items()}
    if not any(lengths.values()) or len(set(lengths.values())) > 1:
        different = ", ".join(map(str, sorted(set(lengths.values()))[:5]))
        raise DataError(f"{name} has columns of {different} rows, expected one length >= 1.")
    words: dict[str, MissingWords] = {}
    for column, given in data.items():
        cells = np.asarray(given)
        values = _of_array(cells, decimal)
        (unusable if isinstance(values, str) else columns)[str(column)] = values  # type: ignore[assignment]
        if cells.dtype.kind in "UO" and cells.ndim == 1 and (found := _words(cells.tolist())) is not None:
            words[str(column)] = found
    if not columns:
        column, what = next(iter(unusable.items()))
        raise DataError(f"{name} has no column that can be used: {column!r} holds {what}.")
    table = Table(name, columns, decimal=decimal, unusable=unusable, words=words, tells_missing=True)
    return table.with_words_of_source()


def _check_shape(cells: Array, name: str) -> None:
    """Raise a DataError, in scikit-learn's words where its checks ask for them."""
    if cells.ndim != 2:
        raise DataError(
            f"Expected 2D array, got {cells.ndim}D array instead: {name} has the shape {cells.shape}, expected (n, d), "
            f"a row for each sample. Reshape your data: {name}[:, None] if it is one column, {name}[None] if it is one "
            "row."
        )
    for what, count in (("sample", cells.shape[0]), ("feature", cells.shape[1])):
        if not count:
            shape = f"(shape={cells.shape})"
            raise DataError(f"Found {name} with 0 {what}(s) {shape} while a minimum of 1 is required.")
    if cells.dtype.kind == "c":
        raise DataError(f"{name} is {cells.dtype}. Complex data not supported: pass its real and imaginary parts.")


def _of_array(cells: Array, decimal: str) -> Array | str:
    """Return a column as `Table` holds it, or what it holds instead."""
    if cells.ndim != 1:
        return f"cells of the shape {cells.shape[1:]}"
    if cells.dtype.kind in "iu":
        large = len(cells) and max(abs(int(cells.min())), abs(int(cells.max()))) > EXACT
        return column_of(map(str, cells.tolist())) if large else cells.astype(np.float64)
    if cells.dtype.kind == "f":
        return cells.astype(np.float64) if not np.isnan(cells).all() else objects([None] * len(cells))
    if cells.dtype.kind == "M":
        return _within_years(cells)
    if cells.dtype.kind in "bUO":
        return _mixed(cells.tolist(), decimal)
    return f"values of type {cells.dtype}"


def _column(series: "nw.Series[Any]", decimal: str) -> Array | str:
    """Return a column as `Table` holds it, or what it holds instead."""
    dtype: Any = series.dtype
    if dtype == nw.Boolean:
        return objects([None if is_missing(cell) else bool(cell) for cell in series.to_list()])
    if dtype.is_integer() or dtype == nw.Decimal:
        return _whole(series)
    if dtype.is_numeric():
        values = _floats(series)
        return values if not np.isnan(values).all() else objects([None] * len(values))
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        texts = [cell if isinstance(cell, str) else None for cell in series.cast(nw.String).to_list()]
        return column_of(texts, decimal)
    if dtype == nw.Date or dtype == nw.Datetime:
        return _moments(series)
    if dtype == nw.Time:
        return objects([None if is_missing(cell) else cell.isoformat() for cell in series.to_list()])
    if dtype in (nw.Object, nw.Unknown):
        return _mixed(series.to_list(), decimal)
    return f"values of type {dtype}"


def is_missing(cell: Any) -> bool:
    """Whether a cell of a frame is missing: None, NaN, NaT, or pandas's NA."""
    return cell is None or type(cell).__name__ in ("NAType", "NaTType") or (isinstance(cell, float) and cell != cell)


def _whole(series: "nw.Series[Any]") -> Array:
    present = series.drop_nulls()
    if len(present) and max(abs(int(present.min())), abs(int(present.max()))) > EXACT:
        return column_of([None if is_missing(cell) else str(cell) for cell in series.to_list()])
    if not len(present):
        return objects([None] * len(series))
    return _floats(series)


def _floats(series: "nw.Series[Any]") -> Array:
    """Return numbers as float64, NaN where missing."""
    cells = series.to_numpy()
    if cells.dtype.kind in "iuf":  # missing cells are NaN already
        return cells.astype(np.float64)
    return np.array([np.nan if is_missing(cell) else cell for cell in series.to_list()], np.float64)


def _moments(series: "nw.Series[Any]") -> Array | str:
    """Return moments in UTC; the years are those that Python's own dates reach, as for text."""
    values = series.to_numpy()
    if values.dtype.kind != "M":  # a frame that holds dates as objects
        values = np.array([np.datetime64("NaT") if is_missing(cell) else cell for cell in values], "M8[us]")
    return _within_years(values)


def _within_years(values: Array) -> Array | str:
    there = values[~np.isnat(values)]
    if not len(there):
        return objects([None] * len(values))
    if np.datetime_data(values.dtype)[0] != "ns":  # nanoseconds reach from 1677 to 2262
        first, end = np.array(["0001-01-01", "10000-01-01"], values.dtype)
        if there.min() < first or there.max() >= end:
            return "dates beyond the years 1 to 9999"
    return values.astype("M8[us]")


def _mixed(cells: list[Any], decimal: str) -> Array | str:
    """Read Python objects, as pandas holds them where a column has cells of several kinds."""
    known = [None if is_missing(cell) else _plain(cell) for cell in cells]
    there = [cell for cell in known if cell is not None]
    other = [cell for cell in there if not isinstance(cell, str | bool | int | float | np.number | np.bool_)]
    if other:
        return f"values of type {type(other[0]).__name__}"
    if there and all(isinstance(cell, bool | np.bool_) for cell in there):
        return objects([None if cell is None else bool(cell) for cell in known])
    texts = [None if cell is None else _as_text(cell, decimal) for cell in known]
    return column_of([None if text is None or text.strip(WHITE) in MISSING else text for text in texts], decimal)


def _as_text(cell: Any, decimal: str) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(cell).replace(".", decimal) if isinstance(cell, float | np.floating) else str(cell)


def _plain(cell: Any) -> Any:
    """Write dates, times and decimal numbers, which databases hand over as objects, as text that is read as such."""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell) if isinstance(cell, Decimal) else cell
