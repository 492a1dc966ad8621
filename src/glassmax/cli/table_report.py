"""What was read from a table, and what each column was taken for, as lines of text."""

from collections import Counter
from typing import TYPE_CHECKING

from ..errors import worded
from ..table import Boolean, Category, Column, Date, Note, Number
from .column_names import left_out_together, summed_up
from .talk import counted, shortened
from .wording import option_of

if TYPE_CHECKING:
    from ..estimator.tables.rows import TableRows

__all__ = ["described", "shown_column"]

MOST_NOTES, MOST_CLASSES = 20, 10
KINDS = {
    "filled": "missing, filled with",
    "unseen": "with a value not seen in training",
    "far": "far outside the training range",
}
"""The kinds of notes that may be very many, and the words that they share."""
TITLES = {"Number": "numbers:", "Category": "categories:", "Boolean": "booleans:", "Date": "dates:"}


def described(rows: "TableRows") -> list[str]:
    """Return the lines that say what was read, and what each column was taken for."""
    classes = [shortened(str(label)) for label in rows.classes[:MOST_CLASSES]]
    shares = ", ".join(f"{label} {count}" for label, count in zip(classes, rows.counts().tolist(), strict=False))
    n_rows, k = rows.given, len(rows.classes)
    more = f", and {k - MOST_CLASSES} more" if k > MOST_CLASSES else ""
    lines = [f"{rows.table.name}: {counted(n_rows, 'row')}, {k} classes of {rows.target}: {shares}{more}"]
    if rows.table.how:
        lines.append(f"  read as {rows.table.how}")
    if rows.sets is not None:
        several = counted(int((rows.sets.sum(axis=1) > 1).sum()), "row")
        lines.append(f"  of several candidates: {several}, counted for each of them")
    kinds: dict[str, list[str]] = {}
    for column in rows.encoding.columns:
        kinds.setdefault(type(column).__name__, []).append(shown_column(column))
    lines += [f"  {title:<11} {summed_up(kinds[kind])}" for kind, title in TITLES.items() if kind in kinds]
    sparse = [column.name for column in rows.encoding.columns if isinstance(column, Number) and column.edges]
    if sparse:
        lines.append(f"  sparse:     {summed_up(sparse)}: most cells are equal, so bins of the other values are added")
    if rows.weight_name:
        lines.append(f"  weights:    {rows.weight_name}")
    left_out = [note for note in rows.notes if note.kind == "left_out"]
    others = [note for note in rows.notes if note.kind != "left_out"]
    notes = [*left_out_together(left_out), *rows.table.notes, *_first_of_each_kind(others)]
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
