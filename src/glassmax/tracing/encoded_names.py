"""The names of the columns of an encoded table: which number of X says what of which column."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..table import Boolean, Category, Column, Date, Encoding, Number

__all__ = ["encoded_names"]


def encoded_names(encoding: Encoding) -> list[str]:
    """Return a name for each column of X, in its order.

    Examples
    --------
    >>> encoding = Encoding("y", [Number("age", 40.0, 10.0, True), Category("city", ["Bern", "Rome"], False)])
    >>> encoded_names(encoding)
    ['age', 'age is missing', 'city = Bern', 'city = Rome']
    """
    return [name for column in encoding.columns for name in _names(column)]


def _names(column: Column) -> Iterator[str]:
    """Yield the names in the order in which the `fill` of a column writes its numbers."""
    name = column.name
    if isinstance(column, Category):
        yield from (f"{name} = {value}" for value in column.values)
        yield from _missing(name, column.missing)
        yield from [f"{name} = another value"] * column.rare
        return
    if isinstance(column, Date):
        yield f"{name}: year"
        yield from (f"{name}: {part} ({wave})" for part in column.circles for wave in ("sine", "cosine"))
        yield from _missing(name, column.missing)
        return
    if isinstance(column, Boolean):
        yield f"{name} = {column.words[1]}"
        yield from _missing(name, column.missing)
        return
    assert isinstance(column, Number)
    yield name
    yield from _missing(name, column.indicator)
    yield from (f"{name} = {value:g}" for value in column.values)
    yield from (f"{name} from {low:g} to {high:g}" for low, high in pairwise(column.edges))


def _missing(name: str, follows: bool) -> list[str]:
    return [f"{name} is missing"] * follows


def __dir__() -> list[str]:
    return __all__
