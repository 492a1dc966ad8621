"""Infer the type of each column (number, category, boolean or date), and which columns to leave out.

All cells of a column count. Columns that can't be learned from are left out and reported: columns that never change,
columns that number or name the rows, and text that hardly repeats. Numbers that are written with units, signs or words
between them are an error that says how to continue. The options of the user take precedence. The target is never used.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ..errors import DataError, OptionError, Setting, Text
from .cells import COMMA_NUMBER, number_text, parse_number
from .dates import FORMS, LIKE_A_DATE, TWO_DIGITS, form_of
from .grouping import Grouping, readings_of
from .notes import MISSING, TOO_LONG, Note, Reason, it, left_out
from .summary import ColumnSummary, Numbers, summary_of
from .table import FOR_ARRAYS, Table, check_number_of_columns, some

__all__ = ["KINDS", "MOST_VALUES", "ColumnOptions", "Inference", "infer", "summary_asked"]

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
    summaries: Mapping[str, ColumnSummary] | None = None,
) -> Inference:
    """Infer the type of each column.

    Parameters
    ----------
    table : Table
    without : collection of str
        Columns that are not inputs: the target, the weights.
    options : ColumnOptions
    summaries : mapping of str to ColumnSummary, optional
        The summaries of the columns, if `table` has only some of the rows. The columns in ``options.types`` are
        summarized as `summary_asked` does.

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
        summary = summary_asked(table, name, asked) if summaries is None else summaries[name]
        column = _Column(table, name, summary, name in options.keep)
        guess = _as_asked(column, asked) if asked else _guess(column)
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


class _Column(NamedTuple):
    """A column: the table that it is in, what is known of its cells, and whether the user keeps it."""

    table: Table
    name: str
    summary: ColumnSummary
    keep: bool

    @property
    def title(self) -> str:
        """The user's word for it."""
        return f"Column {self.name!r} of {self.table.name}"

    @property
    def is_full(self) -> bool:
        """Whether no cell is missing."""
        return not self.summary.missing


def summary_asked(table: Table, name: str, asked: str | None, before: ColumnSummary | None = None) -> ColumnSummary:
    """Return the summary of a column from which its type is inferred, if the user asks for this type or for none.

    `before` is the summary of earlier rows, if the table doesn't have all: numbers are then counted as long as they are
    few, for what may come later.
    """
    as_texts = asked in ("boolean", "category") or (asked == "date" and table.column(name).dtype.kind != "M")
    may_be_few = before is not None and (before.numbers is None or before.numbers.counts is not None)
    return summary_of(table, name, as_texts=as_texts, counted=may_be_few or NAMED_ID.fullmatch(name) is not None)


def _as_asked(column: _Column, asked: str) -> _Guess:
    """Return the type that the user asks for, if the cells allow it."""
    if not column.summary.present:
        return _left_out(column.name, MISSING)
    distinct = sorted(column.summary.canonical_texts())
    if asked == "boolean" and (len({text.casefold() for text in distinct}) != 2):
        shown = ", ".join(map(repr, distinct[:5]))
        raise DataError(f"{column.title} holds {shown}, expected two values for a boolean.")
    if asked == "date":
        if column.summary.kind == "moments":
            return _Guess("ymd")
        found = form_of(distinct, 0.01)
        if found is None:
            raise DataError(f"{column.title} holds {distinct[0]!r}, expected dates, as 2024-05-31.")
        return _dates(column.name, found, distinct)
    if asked == "number" and column.summary.kind == "texts":
        return _grouped(column) or _Guess("number")
    return _Guess(asked)


def _guess(column: _Column) -> _Guess:
    name, summary = column.name, column.summary
    if summary.kind == "numbers":
        return _guess_numbers(column)
    if summary.moments is not None and summary.kind == "moments":
        moments = summary.moments
        if moments.lowest == moments.highest and not column.keep:
            return _constant(name, str(np.datetime64(moments.lowest, "us")))
        return _Guess("ymd")
    if not summary.kind:
        return _left_out(name, MISSING)
    if summary.kind == "booleans":
        if len(summary.booleans) == 2:
            return _Guess("boolean")
        return _constant(name, *summary.booleans) if column.is_full and not column.keep else _Guess("category")
    if summary.numbers is not None and summary.numbers.counts is None:
        return _guess_uncounted(column, summary.numbers)
    return _guess_text(column, summary.canonical_texts())


def _constant(name: str, value: str) -> _Guess:
    return _left_out(name, it(f"is {value} in every row"))


def _guess_numbers(column: _Column) -> _Guess:
    name, numbers = column.name, column.summary.numbers
    assert numbers is not None
    if column.keep:
        return _Guess("number")
    if name == column.table.unnamed and numbers.are_whole:
        why = "has no name in the header and holds whole numbers, as an index of rows does"
        return _left_out_unless_kept(name, it(why))
    if numbers.lowest == numbers.highest and column.is_full:
        return _constant(name, f"{numbers.first:g}")
    if numbers.are_steps and numbers.count >= FEWEST_ROWS_NUMBERED:
        return _left_out_unless_kept(name, it("counts the rows"))
    if NAMED_ID.fullmatch(name) and numbers.count > FEW and numbers.are_whole and column.summary.all_differ:
        return _left_out_unless_kept(name, it("has a different number in every row, as identifiers do"))
    if numbers.are_days:
        what = f"{name}: {numbers.first:.0f} and the like are read as numbers. "
        return _Guess("number", Note((f"{what}If they are dates, write them as 2024-05-31.",)))
    return _Guess("number")


def _guess_uncounted(column: _Column, numbers: Numbers) -> _Guess:
    """Return the type of a column whose texts stand beside so many different numbers that these were not counted."""
    texts, decimal = column.summary.texts, column.table.decimal
    long = [text for text in texts if parse_number(text, decimal) is not None]
    count = numbers.count + column.summary.forgotten_numbers + sum(texts[text] for text in long)
    if count >= MOSTLY * column.summary.present:
        is_long = _too_long(long)
        return _left_out(column.name, TOO_LONG) if is_long and not column.keep else _Guess("number")
    word = next(text for text in texts if parse_number(text, decimal) is None)
    raise DataError(
        f"{column.title} holds numbers in {count} of {column.summary.present} rows, and texts such as {word[:40]!r} in "
        f"{column.summary.present - count}, expected numbers alone.",
        remedy=(
            *(
                "Correct the cells, or read the column as categories with ",
                Setting("types", {column.name: "category"}),
            ),
            *(", or leave it out with ", Setting("ignore", [column.name]), "."),
        ),
    )


def _guess_text(column: _Column, counts: Mapping[str, int]) -> _Guess:
    """Return the type of a column of texts; `counts` says how often each occurs."""
    table, name, summary = column.table, column.name, column.summary
    first, present, n_distinct = (
        next(iter(counts)),
        summary.present,
        max(len(counts), summary.distinct * bool(summary.forgotten)),
    )
    same = n_distinct == 1 and column.is_full and not column.keep
    words = {text.casefold() for text in counts}
    if any(words == set(pair) for pair in WORDS):
        return _Guess("boolean")
    if _are_codes(counts) and n_distinct <= MOST_VALUES and n_distinct < present:
        what = (
            f"{name}: {max(counts)!r} and the like are codes, because some begin with 0, and are read as categories. "
        )
        return _Guess("category", Note((what, "If they are numbers: ", Setting("types", {name: "number"}), ".")))
    grouped = _grouped(column)
    if grouped is not None:
        return _constant(name, first) if same else grouped
    numbers = summary.forgotten_numbers + _count(counts, lambda text: parse_number(text, table.decimal) is not None)
    if numbers >= MOSTLY * present:
        if not column.keep and _too_long(counts):
            return _left_out(name, TOO_LONG)
        return _constant(name, first) if same else _Guess("number")
    commas = {text: count for text, count in counts.items() if re.match(COMMA_NUMBER, text)}
    if commas and sum(commas.values()) + numbers > MOSTLY * present:
        raise DataError(
            f"{column.title} holds {next(iter(commas))!r} and the like, expected numbers with a decimal point.",
            remedy=(
                *("Write them as 1234.5, say what the comma is with ", Setting("decimal", ",")),
                *(", or leave the column out with ", Setting("ignore", [name]), "."),
            ),
        )
    dated = form_of(counts, MOSTLY)
    if dated is not None:
        return _constant(name, repr(first)) if same else _dates(name, dated, counts, two_digits=True)
    if same:
        return _constant(name, repr(first))
    if column.keep:
        return _Guess("category")
    if n_distinct > FEW and n_distinct > present / 2:
        return _too_many(column, counts, n_distinct)
    if numbers >= present / 2:
        return _Guess("category", _note_on_words(table, name, counts))
    what = f"{name}: {first!r} and the like are read as categories.{IF_DATES}"
    return _Guess("category", Note((what,)) if _like_dates(counts) else None)


def _count(counts: Mapping[str, int], is_meant: Callable[[str], bool]) -> int:
    """Return the number of cells with texts of some kind."""
    return sum(count for text, count in counts.items() if is_meant(text))


def _like_dates(texts: Collection[str]) -> bool:
    """Whether most of the texts may be meant for dates, though not in a form that is read as one."""
    return sum(LIKE_A_DATE.fullmatch(text) is not None for text in texts) >= MOSTLY * len(texts)


def _note_on_words(table: Table, name: str, distinct: Iterable[str]) -> Note | None:
    """Return a note on a few words among numbers, which may mean missing cells; None if there are none, or many."""
    words = {text for text in distinct if parse_number(text, table.decimal) is None}
    if not words or len(words) > FEW_WORDS or any(re.match(r"\W*[0-9]", word) for word in words):
        return None
    shown = " and ".join(map(repr, sorted(words)))
    missing = {*words, *(table.missing_words or ()), *(w for found in table.words.values() for w in found.counts())}
    what = f"{name} is read as categories, because its numbers stand beside {shown}. "
    remedy = "If it means a missing cell: " if len(words) == 1 else "If they mean missing cells: "
    return Note((what, remedy, Setting("missing_words", sorted(missing)), "."))


def _grouped(column: _Column) -> _Guess | None:
    """Return how numbers whose thousands are set off are read, or raise if that can't be decided; None for others."""
    table, name = column.table, column.name
    cells = column.summary.cells()
    if column.summary.booleans or all(parse_number(cell, table.decimal) is not None for cell in cells):
        return None
    found = readings_of(cells, table.decimal, is_known=table.decimal_known)
    if found is None:
        return None
    one, other = found.grouping, found.either
    if one is None:
        assert other is not None
        grouped, pointed = number_text(other.number(found.example) or 0.0), found.example.replace(other.thousands, ".")
        raise DataError(
            f"{column.title} holds {found.example!r} and the like, which may be {grouped} or {pointed}.",
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


def _too_long(distinct: Iterable[str]) -> bool:
    """Whether whole numbers have so many digits that as floats some of them are the same."""
    long = {text for text in distinct if text.lstrip("+-").isdecimal() and len(text) > LONGEST_EXACT}
    return len({float(text) for text in long}) < len(long)


def _are_codes(distinct: Collection[str]) -> bool:
    """Whether texts are digits, some with a 0 before them, of one length or different only in such zeros."""
    if not all(text.isdecimal() for text in distinct) or not any(text[0] == "0" and text[1:] for text in distinct):
        return False
    return len({len(text) for text in distinct}) == 1 or len({text.lstrip("0") for text in distinct}) < len(distinct)


def _too_many(column: _Column, counts: Mapping[str, int], n_distinct: int) -> _Guess:
    name, present, summary = column.name, sum(counts.values()), column.summary
    first = next(iter(counts))
    if _like_dates(counts):
        why = it(f"holds texts such as {first[:40]!r}, which are not read as dates")
        keep = (" To learn from it all the same: ", Setting("keep", [name]), ".")
        return _Guess(note=left_out(name, why, (IF_DATES, *keep)))
    with_unit = {text: count for text, count in counts.items() if _has_unit(text)}
    if sum(with_unit.values()) >= MOSTLY * present:
        return _Guess(
            refused=f"holds numbers with a unit, such as {next(iter(with_unit))!r}, expected numbers alone, as 1234.5. "
            "Write the unit into the name of the column."
        )
    odd = {text: count for text, count in counts.items() if AS_IN_BOOKS.fullmatch(text)}
    plain = _count(counts, lambda text: parse_number(text) is not None)
    if odd and sum(odd.values()) + plain >= MOSTLY * present:
        return _Guess(
            refused=f"holds formatted numbers, such as {next(iter(odd))!r}, expected them as -1234.5, with a plain "
            "minus."
        )
    long = sum(len(text) * count for text, count in counts.items()) / present
    all_differ = summary.all_differ if summary.forgotten else n_distinct == present
    if all_differ and column.is_full and long <= 40 and not any(" " in text.strip() for text in counts):
        return _left_out(name, it("has a different text in every row, as identifiers do"))
    plain += summary.forgotten_numbers
    if 2 * plain >= summary.present:
        example = next(text for text in counts if parse_number(text) is None)
        return _Guess(
            refused=f"holds numbers in {plain} of {summary.present} rows, and texts such as {example[:40]!r}; expected "
            "numbers alone, as 1234.5, or categories that repeat."
        )
    about = "about " if summary.forgotten else ""
    how_many = f"{about}{n_distinct} different texts in {summary.present} rows"
    return _left_out_unless_kept(name, Reason(f"its texts hardly repeat, {how_many}", "their texts hardly repeat"))


def _has_unit(text: str) -> bool:
    return UNIT.fullmatch(text) is not None and parse_number(text) is None and NUMBERED.fullmatch(text) is None


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
