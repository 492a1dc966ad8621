"""Infer the type of each column (number, category, boolean or date), and which columns to leave out.

All cells of a column count. Columns that can't be learned from are left out and reported: columns that never change,
columns that number or name the rows, and text that hardly repeats. Numbers that are written with units, signs or words
between them are an error that says how to continue. The options of the user take precedence. The target is never used.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ..errors import DataError, OptionError, Setting, Text
from ..functional.arrays import Array
from .cells import COMMA_NUMBER, as_text, number_text, parse_number
from .dates import FORMS, LIKE_A_DATE, TWO_DIGITS, form_of
from .grouping import Grouping, readings_of
from .notes import MISSING, TOO_LONG, Note, Reason, it, left_out
from .table import FOR_ARRAYS, Table, check_number_of_columns, some

__all__ = ["KINDS", "MOST_VALUES", "ColumnOptions", "Inference", "infer"]

KINDS = ("number", "category", "boolean", "date")
MOSTLY = 0.9
MOST_VALUES = 1000
"""Of a category, this many values at most have a column of X each; the others share one."""
FEW = 20
FEW_WORDS = 3
LONGEST_EXACT = 15
FEWEST_ROWS_NUMBERED = 30
IF_DATES = " If they are dates, write them as 2024-05-31."
WORDS = (("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"), ("off", "on"))
UNIT = re.compile(r"[€$£¥]? ?[+-]?[0-9][0-9.,]* ?(?:[€$£¥%°]|[A-Za-zµ°]{1,4}[²³]?)?")
NUMBERED = re.compile(r"[0-9]+(?:\.[0-9]+){2,}")
"""Versions and addresses, as 3.10.12 and 10.0.0.1, which are no numbers."""
AS_IN_BOOKS = re.compile(r"\([0-9][0-9.,]*\)|[\u2212\u2013][0-9][0-9.,]*")
NAMED_ID = re.compile(
    r"(^|.*[_\- .])(id|ids|uuid|guid|index|rowid|key)|Unnamed: \d+|__index_level_\d+__", re.IGNORECASE
)


class ColumnOptions(NamedTuple):
    """The user's options for the columns; they take precedence over the inferred types.

    Attributes
    ----------
    types : mapping of str to str
        The kind of a column, one of `KINDS`.
    ignore : collection of str
        Columns to leave out.
    keep : collection of str
        Columns to learn from even if they look like identifiers or never change.
    """

    types: Mapping[str, str] = {}
    ignore: Collection[str] = ()
    keep: Collection[str] = ()


class Inference(NamedTuple):
    """The inferred types of the columns.

    Attributes
    ----------
    kinds : dict of str to str
        The type of each column to learn from; for a date its form, one of `glassmax.table.dates.FORMS`.
    notes : list of Note
        Columns left out, with the reason, and assumptions made.
    groupings : dict of str to Grouping
        How the numbers of a column are written, if their thousands are set off.
    """

    kinds: dict[str, str]
    notes: list[Note]
    groupings: Mapping[str, Grouping] = {}

    def __repr__(self) -> str:
        of_kind: dict[str, list[str]] = {}
        for name, kind in self.kinds.items():
            of_kind.setdefault(kind, []).append(name)
        kinds = (f"{kind} ({len(names)}): {some(names)}" for kind, names in of_kind.items())
        return "\n  ".join([f"Inference: {len(self.kinds)} columns", *kinds, *map(str, self.notes[:5])])


class _Guess(NamedTuple):
    kind: str = ""
    note: Note | None = None
    refused: str = ""
    grouping: Grouping | None = None


def _left_out(name: str, why: Reason) -> _Guess:
    return _Guess(note=left_out(name, why))


def _left_out_unless_kept(name: str, why: Reason) -> _Guess:
    return _Guess(note=left_out(name, why, (" To learn from it all the same: ", Setting("keep", [name]), ".")))


def _leave_out(name: str) -> Text:
    return ("Leave it out with ", Setting("ignore", [name]), ".")


def infer(
    table: Table,
    without: Collection[str],
    options: ColumnOptions = ColumnOptions(),  # noqa: B008 - immutable
) -> Inference:
    """Infer the type of each column.

    Parameters
    ----------
    table : Table
    without : collection of str
        Columns that are not inputs: the target, the weights.
    options : ColumnOptions

    Returns
    -------
    Inference

    Raises
    ------
    DataError
        If columns hold numbers that are not written as numbers, naming all of them, if a column isn't of the type that
        `options` says, or if there are more than 20,000 columns to learn from.
    """
    for name in (*without, *options.types, *options.ignore, *options.keep):
        table.column(name)
    for name, kind in options.types.items():
        if kind not in KINDS:
            message = f"The type of column {name!r} is {kind!r}, expected one of {', '.join(KINDS)}."
            raise OptionError(message, parameter="types")
    not_inputs = {*without, *options.ignore, *table.unusable}
    names = [name for name in table.columns if name not in not_inputs]
    check_number_of_columns(table.name, len(names), ("Leave columns out with ", Setting("ignore"), f", {FOR_ARRAYS}"))
    kinds: dict[str, str] = {}
    notes = [left_out(name, it(f"holds {what}")) for name, what in table.unusable.items()]
    refused: dict[str, str] = {}
    groupings: dict[str, Grouping] = {}
    for name in names:
        asked = options.types.get(name)
        guess = _as_asked(table, name, asked) if asked else _guess(table, name, keep=name in options.keep)
        if guess.note:
            notes.append(guess.note)
        if guess.refused:
            refused[name] = guess.refused
        elif guess.kind:
            kinds[name] = guess.kind
        if guess.grouping is not None:
            groupings[name] = guess.grouping
    if refused:
        raise _refusal(table, refused)
    return Inference(kinds, notes, groupings)


def _refusal(table: Table, refused: dict[str, str]) -> DataError:
    """Name every column that can't be used."""
    first, *others = refused
    what = f"Column {first!r} of {table.name} {refused[first]}"
    if not others:
        return DataError(what, remedy=_leave_out(first))
    named = ", ".join(map(repr, others[:4])) + (f" and {len(others) - 4} more" if len(others) > 4 else "")
    remedy = ("Leave them out: ", Setting("ignore", [first, *others[:4]]), ".")
    return DataError(f"{what} The same holds for {named}.", remedy=remedy)


def _as_asked(table: Table, name: str, asked: str) -> _Guess:
    """Return the type that the user asks for, if the cells allow it."""
    cells = table.column(name)
    texts = [text for text in as_text(cells) if text is not None]
    if not texts:
        return _left_out(name, MISSING)
    distinct = sorted(set(texts))
    if asked == "boolean" and (len({text.casefold() for text in distinct}) != 2):
        shown = ", ".join(map(repr, distinct[:5]))
        raise DataError(f"Column {name!r} of {table.name} holds {shown}, expected two values for a boolean.")
    if asked == "date":
        if cells.dtype.kind == "M":
            return _Guess("ymd")
        found = form_of(distinct, 0.01)
        if found is None:
            raise DataError(f"Column {name!r} of {table.name} holds {distinct[0]!r}, expected dates, as 2024-05-31.")
        return _dates(name, found, distinct)
    if asked == "number" and cells.dtype.kind == "O":
        return _grouped(table, name) or _Guess("number")
    return _Guess(asked)


def _guess(table: Table, name: str, *, keep: bool) -> _Guess:
    cells = table.column(name)
    if cells.dtype.kind == "f":
        there = cells[~np.isnan(cells)]
        if name == table.unnamed and len(there) and _whole(there) and not keep:
            why = "has no name in the header and holds whole numbers, as an index of rows does"
            return _left_out_unless_kept(name, it(why))
        return _guess_numbers(name, cells, keep=keep)
    if cells.dtype.kind == "M":
        there = cells[~np.isnat(cells)]
        return _constant(name, str(there[0])) if len(set(there.tolist())) == 1 and not keep else _Guess("ymd")
    present = [cell for cell in cells if cell is not None]
    if not present:
        return _left_out(name, MISSING)
    if all(isinstance(cell, bool) for cell in present):
        if len(set(present)) == 2:
            return _Guess("boolean")
        same = len(present) == len(cells) and not keep
        return _constant(name, str(present[0]).lower()) if same else _Guess("category")
    return _guess_text(table, name, as_text(cells), keep=keep)


def _constant(name: str, value: str) -> _Guess:
    return _left_out(name, it(f"is {value} in every row"))


def _guess_numbers(name: str, values: Array, *, keep: bool) -> _Guess:
    there = values[~np.isnan(values)]
    if not len(there):
        return _left_out(name, MISSING)
    if keep:
        return _Guess("number")
    if there.min() == there.max() and len(there) == len(values):
        return _constant(name, f"{there[0]:g}")
    if _numbers_rows(values):
        return _left_out_unless_kept(name, it("counts the rows"))
    if NAMED_ID.fullmatch(name) and len(there) > FEW and len(np.unique(there)) == len(there) and _whole(there):
        return _left_out_unless_kept(name, it("has a different number in every row, as identifiers do"))
    if _are_days(there):
        what = f"{name}: {there[0]:.0f} and the like are read as numbers. If they are dates, write them as 2024-05-31."
        return _Guess("number", Note((what,)))
    return _Guess("number")


def _are_days(values: Array) -> bool:
    """Whether each number is written like a day of the years 1900 to 2099, as 20240531."""
    month, day = values // 100 % 100, values % 100
    days = (values >= 19000101) & (values <= 20991231) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return bool(days.all()) and _whole(values)


def _whole(values: Array) -> bool:
    return bool((values == np.floor(values)).all())


def _numbers_rows(values: Array) -> bool:
    """Whether a column only counts: each row one more than the row before."""
    return len(values) >= FEWEST_ROWS_NUMBERED and bool((np.diff(values) == 1).all())


def _guess_text(table: Table, name: str, texts: Array, *, keep: bool) -> _Guess:
    there = [text for text in texts if text is not None]
    distinct = set(there)
    whole = len(there) == len(texts)
    words = {text.casefold() for text in distinct}
    if any(words == set(pair) for pair in WORDS):
        return _Guess("boolean")
    if _are_codes(distinct) and len(distinct) <= MOST_VALUES and len(distinct) < len(there):
        what = (
            f"{name}: {max(distinct)!r} and the like are codes, because some begin with 0, and are read as categories. "
        )
        return _Guess("category", Note((what, "If they are numbers: ", Setting("types", {name: "number"}), ".")))
    grouped = _grouped(table, name)
    if grouped is not None:
        return _constant(name, there[0]) if len(distinct) == 1 and whole and not keep else grouped
    numbers = sum(parse_number(text, table.decimal) is not None for text in there)
    if numbers >= MOSTLY * len(there):
        if not keep and _too_long(distinct):
            return _left_out(name, TOO_LONG)
        same = len(distinct) == 1 and whole and not keep
        return _constant(name, there[0]) if same else _Guess("number")
    commas = [text for text in there if re.match(COMMA_NUMBER, text)]
    if commas and len(commas) + numbers > MOSTLY * len(there):
        raise DataError(
            f"Column {name!r} of {table.name} holds {commas[0]!r} and the like, expected numbers with a decimal point.",
            remedy=(
                *("Write them as 1234.5, say what the comma is with ", Setting("decimal", ",")),
                *(", or leave the column out with ", Setting("ignore", [name]), "."),
            ),
        )
    dated = form_of(distinct, MOSTLY)
    if dated is not None:
        if len(distinct) == 1 and whole and not keep:
            return _constant(name, repr(there[0]))
        return _dates(name, dated, distinct, two_digits=True)
    if len(distinct) == 1 and whole and not keep:
        return _constant(name, repr(there[0]))
    if keep:
        return _Guess("category")
    if len(distinct) > FEW and len(distinct) > len(there) / 2:
        return _too_many(name, there, distinct, whole=whole)
    if numbers >= len(there) / 2:
        return _Guess("category", _note_on_words(table, name, there))
    what = f"{name}: {there[0]!r} and the like are read as categories.{IF_DATES}"
    return _Guess("category", Note((what,)) if _like_dates(distinct) else None)


def _like_dates(texts: Collection[str]) -> bool:
    """Whether most of the texts may be meant for dates, though not in a form that is read as one."""
    return sum(LIKE_A_DATE.fullmatch(text) is not None for text in texts) >= MOSTLY * len(texts)


def _note_on_words(table: Table, name: str, there: Collection[str]) -> Note | None:
    """Return a note on a few words among numbers, which may mean missing cells; None if there are none, or many."""
    words = {text for text in there if parse_number(text, table.decimal) is None}
    if not words or len(words) > FEW_WORDS or any(re.match(r"\W*[0-9]", word) for word in words):
        return None
    shown = " and ".join(map(repr, sorted(words)))
    missing = {*words, *(table.missing_words or ()), *(w for found in table.words.values() for w in found.counts())}
    what = f"{name} is read as categories, because its numbers stand beside {shown}. "
    remedy = "If it means a missing cell: " if len(words) == 1 else "If they mean missing cells: "
    return Note((what, remedy, Setting("missing_words", sorted(missing)), "."))


def _grouped(table: Table, name: str) -> _Guess | None:
    """Return how numbers whose thousands are set off are read, or raise if that can't be decided; None for others."""
    cells = [cell for cell in table.column(name) if cell is not None]
    if any(isinstance(cell, bool) for cell in cells) or all(
        parse_number(cell, table.decimal) is not None for cell in cells
    ):
        return None
    found = readings_of(cells, table.decimal, is_known=table.decimal_known)
    if found is None:
        return None
    one, other = found.grouping, found.either
    if one is None:
        assert other is not None
        grouped, pointed = number_text(other.number(found.example) or 0.0), found.example.replace(other.thousands, ".")
        raise DataError(
            f"Column {name!r} of {table.name} holds {found.example!r} and the like, which may be {grouped} or "
            f"{pointed}.",
            remedy=(
                *(f"For {grouped}, say ", Setting("decimal", other.decimal), f"; for {pointed}, say "),
                *(Setting("decimal", other.thousands), ". Or leave the column out with "),
                *(Setting("ignore", [name]), "."),
            ),
        )
    what: Text = (f"{name}: {one.described(found.example)}.",)
    if other is not None and not table.decimal_known:
        what = (*what, " If it is decimal: ", Setting("decimal", other.thousands), ".")
    return _Guess("number", Note(what), grouping=one)


def _too_long(distinct: set[str]) -> bool:
    """Whether whole numbers have so many digits that as floats some of them are the same."""
    long = {text for text in distinct if text.lstrip("+-").isdecimal() and len(text) > LONGEST_EXACT}
    return len({float(text) for text in long}) < len(long)


def _are_codes(distinct: set[str]) -> bool:
    """Whether texts are digits, some with a 0 before them, of one length or different only in such zeros."""
    if not all(text.isdecimal() for text in distinct) or not any(text[0] == "0" and text[1:] for text in distinct):
        return False
    return len({len(text) for text in distinct}) == 1 or len({text.lstrip("0") for text in distinct}) < len(distinct)


def _too_many(name: str, there: list[str], distinct: set[str], *, whole: bool) -> _Guess:
    if _like_dates(distinct):
        why = it(f"holds texts such as {there[0][:40]!r}, which are not read as dates")
        keep = (" To learn from it all the same: ", Setting("keep", [name]), ".")
        return _Guess(note=left_out(name, why, (IF_DATES, *keep)))
    with_unit = [
        text
        for text in there
        if UNIT.fullmatch(text) and parse_number(text) is None and NUMBERED.fullmatch(text) is None
    ]
    if len(with_unit) >= MOSTLY * len(there):
        return _Guess(
            refused=f"holds numbers with a unit, such as {with_unit[0]!r}, expected numbers alone, as 1234.5. "
            "Write the unit into the name of the column."
        )
    odd = [text for text in there if AS_IN_BOOKS.fullmatch(text)]
    plain = sum(parse_number(text) is not None for text in there)
    if odd and len(odd) + plain >= MOSTLY * len(there):
        return _Guess(
            refused=f"holds formatted numbers, such as {odd[0]!r}, expected them as -1234.5, with a plain minus."
        )
    long = sum(map(len, there)) / len(there)
    if len(distinct) == len(there) and whole and long <= 40 and not any(" " in text.strip() for text in there):
        return _left_out(name, it("has a different text in every row, as identifiers do"))
    if 2 * plain >= len(there):
        example = next(text for text in there if parse_number(text) is None)
        return _Guess(
            refused=f"holds numbers in {plain} of {len(there)} rows, and texts such as {example[:40]!r}; expected "
            "numbers alone, as 1234.5, or categories that repeat."
        )
    how_many = f"{len(distinct)} different texts in {len(there)} rows"
    return _left_out_unless_kept(name, Reason(f"its texts hardly repeat, {how_many}", "their texts hardly repeat"))


def _dates(name: str, found: tuple[str, bool], cells: Iterable[str], *, two_digits: bool = False) -> _Guess:
    """Take a column for dates, and say what their text leaves open."""
    form, ambiguous = found
    notes = []
    if ambiguous:
        notes.append(
            f"{name}: dates are read as {FORMS[form]}, but no day above 12 confirms this order. If the order is "
            "different, write the dates as 2024-05-31."
        )
    if two_digits and any(TWO_DIGITS.match(text) for text in cells):
        notes.append(f"{name}: years of two digits are taken for 1969 to 2068.")
    return _Guess(form, Note((" ".join(notes),)) if notes else None)
