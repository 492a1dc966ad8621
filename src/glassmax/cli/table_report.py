"""What was read from a table, and what each column was taken for, as lines of text."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..errors import worded
from ..memory import size_in_words
from ..table import Boolean, Category, Column, Date, Note, Number
from .charts import bars
from .column_names import left_out_together, summed_up
from .progress import duration
from .talk import counted, draw, joined, say, shortened
from .terminal import console
from .wording import option_of

if TYPE_CHECKING:
    from rich.console import Console

    from ..estimator.files import FilesPrepared
    from ..estimator.tables.rows import TableRows
    from ..functional.arrays import Array
    from ..table import Encoding

__all__ = ["contents_of_files", "contents_of_rows", "report_contents", "shown_column"]

MOST_NOTES, MOST_CLASSES, MOST_BARS = 20, 10, 20
LONG_READING = 2.0
KINDS = {
    "filled": "missing, filled with",
    "unseen": "with a value not seen in training",
    "far": "far outside the training range",
}
"""The kinds of notes that may be very many, and the words that they share."""
TITLES = {"Number": "numbers:", "Category": "categories:", "Boolean": "booleans:", "Date": "dates:"}


class Contents(NamedTuple):
    """What was read: the rows, their classes and their columns.

    Attributes
    ----------
    name : str
        Of the table, or of all files.
    n_rows : int
    classes, counts : (k,) arrays
    target : str
    encoding : Encoding
    notes : list of Note
    how : list of str
        Lines that say how the rows were read, and what they hold.
    of_reading : list of str
        Notes on the reading of the file.
    weight : str
        Column of weights, or "".
    """

    name: str
    n_rows: int
    classes: "Array"
    counts: "Array"
    target: str
    encoding: "Encoding"
    notes: list[Note]
    how: list[str]
    of_reading: Sequence[str] = ()
    weight: str = ""


def contents_of_rows(rows: "TableRows") -> Contents:
    """Return what the rows of a table in memory are."""
    how = [f"read as {rows.table.how}"] if rows.table.how else []
    if rows.sets is not None:
        several = counted(int((rows.sets.sum(axis=1) > 1).sum()), "row")
        how.append(f"of several candidates: {several}, counted for each of them")
    counts, weight = rows.counts(), rows.weight_name or ""
    given = (rows.table.name, rows.given, rows.classes, counts, rows.target, rows.encoding, rows.notes)
    return Contents(*given, how, rows.table.notes, weight)


def contents_of_files(prepared: "FilesPrepared", seconds: float) -> Contents:
    """Return what the rows of files are, which were read in so many seconds."""
    known, sources = prepared.known, prepared.sources
    files = Counter(file.format for file in sources.files)
    formats = joined([counted(count, f"{form} file") for form, count in sorted(files.items())])
    pace = f", read and encoded in {duration(seconds)}" if seconds >= LONG_READING else ""
    how = [f"{formats}, {size_in_words(sources.size)}{pace}"]
    given = known.rows + known.unlabelled + known.unweighted
    return Contents(
        sources.name,
        given,
        known.classes,
        known.counts,
        prepared.target,
        known.encoding,
        [note for note in prepared.notes if note.kind != "network"],
        how,
        known.sample.notes,
        prepared.weight or "",
    )


def report_contents(contents: Contents) -> None:
    """Report what was read: the rows of each class, as bars on a terminal, and what each column was taken for."""
    terminal = console(err=True)
    first, *lines = described(contents)
    if terminal is None:
        say(first)
    else:
        _report_classes(contents, terminal)
    for line in lines:
        say(line)
    if terminal is not None:
        say()


def _report_classes(contents: Contents, terminal: "Console") -> None:
    k = len(contents.classes)
    say(f"{contents.name}: {counted(contents.n_rows, 'row')}, {k} classes of {contents.target}", "bold")
    names = [str(label) for label in contents.classes[:MOST_BARS]]
    draw(bars(names, contents.counts[:MOST_BARS].tolist()), terminal)
    if k > MOST_BARS:
        say(f"  ... and {k - MOST_BARS} more classes")


def described(contents: Contents) -> list[str]:
    """Return the lines that say what was read, and what each column was taken for."""
    classes = [shortened(str(label)) for label in contents.classes[:MOST_CLASSES]]
    shares = ", ".join(f"{label} {count}" for label, count in zip(classes, contents.counts.tolist(), strict=False))
    k, columns = len(contents.classes), contents.encoding.columns
    more = f", and {k - MOST_CLASSES} more" if k > MOST_CLASSES else ""
    rows = counted(contents.n_rows, "row")
    lines = [f"{contents.name}: {rows}, {k} classes of {contents.target}: {shares}{more}"]
    lines += [f"  {line}" for line in contents.how]
    kinds: dict[str, list[str]] = {}
    for column in columns:
        kinds.setdefault(type(column).__name__, []).append(shown_column(column))
    lines += [f"  {title:<11} {summed_up(kinds[kind])}" for kind, title in TITLES.items() if kind in kinds]
    sparse = [column.name for column in columns if isinstance(column, Number) and column.edges]
    if sparse:
        lines.append(f"  sparse:     {summed_up(sparse)}: most cells are equal, so bins of the other values are added")
    if contents.weight:
        lines.append(f"  weights:    {contents.weight}")
    left_out = [note for note in contents.notes if note.kind == "left_out"]
    others = [note for note in contents.notes if note.kind != "left_out"]
    notes = [*left_out_together(left_out), *contents.of_reading, *_first_of_each_kind(others)]
    return lines + [f"  {note}" for note in notes]


def _first_of_each_kind(notes: list[Note]) -> list[str]:
    """Keep the first notes of each kind: a table of a thousand empty columns needs no thousand lines."""
    shown, kinds = [], Counter[str]()
    for note in notes:
        kinds[note.kind] += 1
        if note.kind not in KINDS or kinds[note.kind] <= MOST_NOTES:
            shown.append(worded(note.text, option_of))
    more = {what: kinds[kind] - MOST_NOTES for kind, what in KINDS.items() if kinds[kind] > MOST_NOTES}
    return shown + [f"... {what} ...: {counted(count, 'more column')} like these" for what, count in more.items()]


def shown_column(column: Column) -> str:
    """Return a column's name with facts about the column, for a list."""
    if isinstance(column, Category):
        return f"{column.name} ({len(column.values)}{', some cells missing' if column.missing else ''})"
    if isinstance(column, Boolean):
        return f"{column.name} ({' and '.join(column.words)}{', missing' if column.missing else ''})"
    if isinstance(column, Date):
        parts = ", ".join(["year", *column.circles, *(["missing"] if column.missing else [])])
        return f"{column.name} ({parts})"
    return column.name
