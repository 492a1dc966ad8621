"""Numbers whose thousands are set off: 20,442 or 1.234,5 or 1'234 or 1 234, recognized for a column as a whole.

A comma or a point may be decimal or stand between thousands: 20,442 is 20442 or 20.442. Every way to read all cells of
a column is tried. If two ways remain, the decimal separator that is known from elsewhere decides, or cells such as 900
that need no separator; otherwise nothing is guessed.
"""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from .cells import COMMA_NUMBER, number_text

__all__ = ["Grouping", "Readings", "is_decimal_comma", "readings_of"]

SIGNS = {",": ",", ".": ".", " ": " \u00a0\u2007\u2009\u202f", "'": "'\u2019"}
"""The characters that stand between thousands, by the one that names them."""
NAMES = {",": "comma", ".": "point", " ": "space", "'": "apostrophe"}
CANDIDATES: tuple[tuple["Separator", "Decimal"], ...] = (
    (",", "."), (".", ","), (" ", "."), (" ", ","), ("'", "."), ("'", ",")
)  # fmt: skip
MOSTLY, FEW_TO_TRY = 0.9, 1000
NUMERIC = re.compile(r"[+-]?[0-9][0-9.,'\u2019 \u00a0\u2007\u2009\u202f]*")

Separator = Literal[",", ".", " ", "'"]
Decimal = Literal[".", ","]


class Grouping(NamedTuple):
    """How the numbers of a column are written.

    Attributes
    ----------
    thousands : {",", ".", " ", "'"}
        What stands between thousands: a space is any kind of space, an apostrophe straight or curved.
    decimal : {".", ","}

    Examples
    --------
    >>> Grouping(",", ".").number("20,442"), Grouping(" ", ",").number("1 234,5"), Grouping("'", ".").number("12'34")
    (20442.0, 1234.5, None)
    """

    thousands: Separator
    decimal: Decimal

    def is_grouped(self, cell: str) -> bool:
        """Whether a cell is a number with its thousands set off."""
        return _pattern(self)[0].fullmatch(cell) is not None

    def number(self, cell: str) -> float | None:
        """Return the number in a cell, with its thousands set off or not; None if it holds none."""
        grouped, plain = _pattern(self)
        if grouped.fullmatch(cell) is None and plain.fullmatch(cell) is None:
            return None
        digits = "".join(letter for letter in cell if letter not in SIGNS[self.thousands])
        return float(digits.replace(self.decimal, "."))

    def described(self, cell: str) -> str:
        """Return how a cell is read, in words."""
        name = NAMES[self.thousands]
        return f"the {name} in {cell!r} stands between thousands: {number_text(self.number(cell) or 0.0)}"


def _pattern(grouping: Grouping) -> tuple[re.Pattern[str], re.Pattern[str]]:
    found = PATTERNS.get(grouping)
    if found is None:
        signs, decimal = f"[{SIGNS[grouping.thousands]}]", re.escape(grouping.decimal)
        groups = rf"[1-9][0-9]{{0,2}}(?:({signs})[0-9]{{3}})(?:\1[0-9]{{3}})*"
        if grouping.thousands == ",":  # as in India: 12,34,567
            groups = rf"(?:{groups}|[1-9][0-9]?(?:,[0-9]{{2}})+,[0-9]{{3}})"
        tail = rf"(?:{decimal}[0-9]*)?"
        found = re.compile(rf"[+-]?{groups}{tail}"), re.compile(rf"[+-]?(?:[0-9]+{tail}|{decimal}[0-9]+)")
        PATTERNS[grouping] = found
    return found


PATTERNS: dict[Grouping, tuple[re.Pattern[str], re.Pattern[str]]] = {}


class Readings(NamedTuple):
    """The ways in which the grouped numbers of a column can be read.

    Attributes
    ----------
    example : str
        A cell with a separator.
    grouping : Grouping or None
        How the column is read; None if it can't be decided.
    either : Grouping or None
        The grouping, if the separator may also be decimal.
    """

    example: str
    grouping: Grouping | None
    either: Grouping | None


def readings_of(cells: Iterable[str], decimal: str, *, is_known: bool) -> Readings | None:
    """Return how the grouped numbers of a column are read; None if it has none, or most cells are no numbers.

    Parameters
    ----------
    cells : iterable of str
        The cells as they were written.
    decimal : {".", ","}
        The decimal separator of the table.
    is_known : bool
        Whether this separator is certain: given by the user, or seen in other cells.

    Examples
    --------
    >>> readings_of(["20,442", "900"], ".", is_known=False).grouping
    Grouping(thousands=',', decimal='.')
    >>> readings_of(["20,442", "1,234"], ".", is_known=False).grouping is None
    True
    """
    distinct = list(dict.fromkeys(cells))
    first = distinct[:FEW_TO_TRY]
    if sum(NUMERIC.fullmatch(cell) is not None for cell in first) < MOSTLY * len(first):
        return None
    viable = [grouping for each in CANDIDATES if _fits(grouping := Grouping(*each), distinct)]
    if not viable:
        return None
    best = max(viable, key=lambda grouping: (_count(grouping, distinct), grouping.decimal == decimal))
    example = next(cell for cell in distinct if best.is_grouped(cell))
    if not _may_be_decimal(best, distinct):
        return Readings(example, best, None)
    certain = is_known and decimal == best.decimal
    short = [cell for cell in distinct if cell.lstrip("+-").isdecimal()]
    if certain or (not is_known and short and all(len(cell.lstrip("+-")) <= 3 for cell in short)):
        return Readings(example, best, best)
    return Readings(example, None, best)


def _fits(grouping: Grouping, cells: list[str]) -> bool:
    """Whether most cells are numbers under a grouping, one is grouped, and the others are not numbers at all."""
    if not any(map(grouping.is_grouped, cells)):
        return False
    others = [cell for cell in cells if grouping.number(cell) is None]
    return len(cells) - len(others) >= MOSTLY * len(cells) and not any(map(NUMERIC.fullmatch, others))


def _count(grouping: Grouping, cells: list[str]) -> int:
    return sum(grouping.number(cell) is not None for cell in cells)


def _may_be_decimal(grouping: Grouping, cells: list[str]) -> bool:
    """Whether the separator may also be a decimal one: no cell has two, and none has a decimal separator beside it."""
    sign, other = grouping.thousands, grouping.decimal
    return sign in ",." and not any(cell.count(sign) > 1 or other in cell for cell in cells)


def is_decimal_comma(cell: str) -> bool:
    """Whether the comma in a cell can only be decimal, as in 0,5 and 12,34, but neither in 12,345 nor in 1,234,567."""
    return re.match(COMMA_NUMBER, cell) is not None and not Grouping(",", ".").is_grouped(cell)
