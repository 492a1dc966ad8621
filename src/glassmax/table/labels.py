"""The target and the weights: cells of a column, or an array of the user's own, to labels and numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, LabelError, Setting, Text
from ..functional.arrays import Array
from .candidates import NotClass, holds_candidates, mapped, named_labels, parse_candidates
from .cells import DEFAULT_WORDS, as_text, column_of, number_text, objects, parse_number
from .columns import numbers_of
from .frames import is_missing
from .missing_words import kept_words_of_classes, with_missing_words
from .table import Table

__all__ = [
    "candidate_rows",
    "check_header",
    "check_repeating",
    "class_indices",
    "class_positions",
    "given_labels",
    "label_texts",
    "parsed_labels",
    "read_labels",
    "read_weights",
    "target_cells",
]

LONGEST = 1000
UNKNOWN: Text = (
    "Leave out the rows of such classes. A model trained with ",
    Setting("min_count", 2),
    " counts them as one class, if there were rare classes.",
)
WHOLE = 2.0**53


def target_cells(table: Table, target: str, classes: Array | None = None) -> Array:
    """Return the cells of the target column, in which a word such as None may be a class and no missing cell.

    Parameters
    ----------
    table : Table
    target : str
        Name of the column.
    classes : (k,) array, optional
        The classes, where they are known; otherwise a word that is written like the other cells is a class.
    """
    cells, found = table.column(target), table.words.get(target)
    if found is None:
        return cells
    if table.missing_words is not None:
        return with_missing_words(cells, found, table.missing_words, table.decimal, in_numbers=True)[0]
    kept = kept_words_of_classes(cells, found) if classes is None else set(label_texts(classes))
    rest = [word for word in DEFAULT_WORDS if word not in kept]
    return with_missing_words(cells, found, rest, table.decimal)[0]


def read_labels(
    table: Table,
    target: str,
    *,
    repeating: bool = True,
    candidates: str | None = None,
    classes: Array | None = None,
) -> tuple[Array, Array]:
    """Return the labels of the rows that have one.

    Parameters
    ----------
    table : Table
    target : str
        Name of the column.
    repeating : bool, default=True
        Whether to raise if most values of the column are different, as measurements and names are. Pass False if the
        classes are known, because a few rows may then have very many different classes.
    candidates : str, optional
        What separates classes in a cell: with "|", the cell ``a|b`` is a set, "a or b", and ``!a`` rules a out, as
        `not_class` does.
    classes : (k,) array, optional
        The classes, where they are known: a word for a missing cell is a class if it is one of these. Otherwise it is
        one if it is written like the other cells, as None beside Mild and Severe.

    Returns
    -------
    labels : (m,) array
        int64 if every cell is a whole number, float64 if every cell is a number, bool if every cell is one of a
        frame's booleans, text otherwise. Where a cell names several candidates, objects: labels, frozensets and
        `not_class`.
    rows : (m,) array of intp
        The rows they belong to; rows without a label are left out.

    Raises
    ------
    DataError
        If there is no such column, no label, or the column holds measurements or long texts rather than classes.
    """
    cells = target_cells(table, target, classes)
    texts = as_text(cells)
    check_header(table, target, texts)
    rows = np.flatnonzero([text is not None for text in texts])
    if not len(rows):
        raise DataError(f"{table.name}: no row has a value in the target column {target!r}.")
    for row in rows:
        if len(texts[row]) > LONGEST:
            raise DataError(
                f"{table.place(int(row))}: {target!r} is a text of {len(texts[row])} characters, expected the name of "
                f"a class, {LONGEST} at most. Correct the cell, or predict another column."
            )
    entries = None if candidates is None else _candidates(table, target, texts, rows, candidates)
    if entries is not None:
        return entries, rows
    if repeating:
        check_repeating(table.name, target, len(set(texts[rows])), len(rows))
    return _labels(table, target, cells[rows], texts[rows], rows), rows


def check_repeating(name: str, target: str, distinct: int, rows: int) -> None:
    """Raise if most values of the target are different, as measurements and names are."""
    if distinct > 20 and distinct > rows / 2:
        raise DataError(
            f"{name}: target {target!r} has {distinct} different values in {rows} rows, expected classes that repeat. "
            "glassmax predicts classes, not measurements or names."
        )


def check_header(table: Table, target: str, texts: Array) -> None:
    """Raise if the names of the columns are the first row of a file without a header, or stand in a row once more."""
    if not table.how.startswith("CSV") or table.has_header is False or target not in set(texts):
        return
    named = np.array([as_text(cells) == name for name, cells in table.columns.items()])
    again = np.flatnonzero(named.all(axis=0))
    if len(named) > 1 and len(again) and not named[:, ~named.all(axis=0)].any():  # no name is a cell of another row
        raise DataError(
            f"{table.place(int(again[0]))} repeats the header, as if several files were joined, expected cells. "
            "Remove each such row."
        )
    if table.has_header:
        return
    others = [name for name in table.columns if name != target]
    cells = [name for name in others if parse_number(name) is not None or name in set(as_text(table.columns[name]))]
    if 2 * len(cells) < len(others):
        return
    names = table.names
    last = f"c{names.index(target) + 1}"
    raise DataError(
        f"{table.name} seems to have no header: its first line ({', '.join(names[:3])}, ...) holds cells, and the "
        f"target {target!r} is one of its own classes.",
        remedy=("Say ", Setting("header", False), f": the columns are then called c1, c2, ..., and the target {last}."),
    )


def _candidates(table: Table, target: str, texts: Array, rows: Array, separator: str) -> Array | None:
    """Return labels and sets of labels; None if each cell names one class."""
    entries = objects([None] * len(rows))
    for position, row in enumerate(rows):
        try:
            entries[position] = parse_candidates(texts[row], separator)
        except LabelError as error:
            raise DataError(f"{table.place(int(row))}: {target!r} {error}. Correct the cell.") from None
    if not holds_candidates(entries):
        return None
    named: dict[str, int] = {}
    for row, entry in zip(rows.tolist(), entries, strict=True):
        for text in named_labels(entry):
            named.setdefault(text, row)
    parts = objects(list(named))
    labels = _labels(table, target, parts, parts, np.array(list(named.values()), np.intp)).tolist()
    known = dict(zip(named, labels, strict=True))
    return objects([mapped(entry, known.__getitem__) for entry in entries])


def _labels(table: Table, target: str, cells: Array, texts: Array, rows: Array) -> Array:
    if cells.dtype.kind == "O":
        if all(isinstance(cell, bool) for cell in cells):
            return cells.astype(bool)
        cells = column_of(texts.tolist())
        if cells.dtype.kind == "O":
            return np.array(texts.tolist())
    if cells.dtype.kind != "f":
        return np.array(texts.tolist())
    wild = np.flatnonzero(~np.isfinite(cells))
    if len(wild):
        others = f" The same holds for {len(wild) - 1} more of the {len(rows)} rows." if len(wild) > 1 else ""
        raise DataError(
            f"{table.place(int(rows[wild[0]]))}: {target!r} is {cells[wild[0]]:g}, expected the name of a class."
            f"{others} Correct the cell, or predict another column."
        )
    whole = bool(((cells == np.floor(cells)) & (np.abs(cells) < WHOLE)).all())
    return cells.astype(np.int64) if whole else cells + 0.0


def given_labels(
    labels: npt.ArrayLike, table: Table, what: str = "y", among: Array | None = None
) -> tuple[Array, Array]:
    """Return labels that are no column of the table, without the missing ones.

    Parameters
    ----------
    labels : (n,) array_like
        Labels of any kind, one for each row of the table.
    table : Table
    what : str, default="y"
        The user's word for the labels.
    among : array of int, optional
        The rows to look at, in ascending order; all of them by default.

    Returns
    -------
    labels : (m,) array
        (n, k) where a matrix was given, which has no missing labels.
    rows : (m,) array of int
        The rows they belong to.

    Raises
    ------
    LabelError
        If there are not as many labels as rows, none at all, or one is infinite.
    """
    listed: Any = labels if isinstance(labels, list | tuple) else ()
    mixed = len({isinstance(label, str) for label in listed}) > 1
    values = np.asarray(labels, object if mixed else None)  # NumPy would write numbers and None as text
    if values.ndim == 0 or len(values) != table.n_rows:
        came = "one value" if values.ndim == 0 else f"{len(values)} labels"
        raise LabelError(f"{what} has {came}, expected {table.n_rows}: one for each row of {table.name}.")
    rows = np.arange(len(values)) if among is None else among
    values = values[rows]
    if values.ndim != 1 or values.dtype.kind not in "OfM":
        return values, rows
    wild = [row for row, label in zip(rows, values.tolist(), strict=True) if _is_infinite(label)]
    if wild:
        others = f" and {len(wild) - 1} more of the {len(values)} rows" if len(wild) > 1 else ""
        raise LabelError(f"Input {what} contains infinity: row {wild[0]}{others}. Leave out the rows without a label.")
    there = np.flatnonzero([not is_missing(label) for label in values.tolist()])
    if not len(there):
        raise LabelError(f"{what} has no labels: all {len(values)} are missing.")
    values = values[there]
    if values.dtype.kind == "O" and len({type(label) for label in values}) == 1:
        plain = np.array(values.tolist())
        values = plain if plain.dtype.kind in "bi" else values  # texts stay objects, as scikit-learn has them
    return values, rows[there]


def _is_infinite(label: Any) -> bool:
    return isinstance(label, float) and label in (np.inf, -np.inf)


def parsed_labels(labels: Array, separator: str | None, rows: Array, what: str) -> Array:
    """Return labels with the texts among them read as cells of candidates, see `parse_candidates`.

    Parameters
    ----------
    labels : (m,) array
    separator : str or None
        What separates candidates; None leaves the labels as they are.
    rows : (m,) array of int
        The rows they belong to, for the message.
    what : str
        The user's word for the labels.

    Raises
    ------
    LabelError
        At the first text with an empty part.
    """
    if separator is None:
        return labels
    entries = objects(labels.tolist())
    for position, label in enumerate(labels.tolist()):
        if isinstance(label, str):
            try:
                entries[position] = parse_candidates(label, separator)
            except LabelError as error:
                raise LabelError(f"Row {rows[position]} of {what} {error}.") from None
    return entries if holds_candidates(entries) else labels


def label_texts(classes: Array) -> list[str]:
    """Return the classes of a model as `read_labels` and a file would write them."""
    if classes.dtype.kind == "b":
        return ["true" if label else "false" for label in classes]
    if classes.dtype.kind == "f":
        return [number_text(label) for label in classes.tolist()]
    return [str(label) for label in classes]


def class_positions(classes: Array) -> dict[str, int]:
    """Return the index of each class by its text, as `class_indices` looks labels up."""
    return {str(label): position for position, label in enumerate(classes)} | {
        text: position for position, text in enumerate(label_texts(classes))
    }


def class_indices(
    classes: Array,
    labels: Array,
    table: Table,
    rows: Array,
    what: str,
    *,
    whose: str = "the model",
    other_label: Any = None,
    positions: dict[str, int] | None = None,
) -> Array:
    """Return the index of each label among known classes, (m,) intp; a label and a class are compared by their text.

    Parameters
    ----------
    classes : (k,) array
    labels : (m,) array
        As returned by `read_labels`.
    table : Table
    rows : (m,) array of int
        The rows they belong to.
    what : str
        The user's word for the labels: the target column.
    whose : str, default="the model"
        What has the classes, for the message.
    other_label : label, optional
        The class of every label that is no known class, if it is a known class.
    positions : dict, optional
        ``class_positions(classes)``: spares the time where labels come in pieces and there are very many classes.

    Raises
    ------
    DataError
        At the first label that is no known class.
    """
    index = class_positions(classes) if positions is None else positions
    texts = label_texts(labels)
    other = None if other_label is None else index.get(str(other_label))
    if other is not None:
        return np.array([index.get(text, other) for text in texts], np.intp)
    for row, text in zip(rows, texts, strict=True):
        if text not in index:
            more = f" and {len(classes) - 10} more" if len(classes) > 10 else ""
            shown = f"{', '.join(label_texts(classes[:10]))}{more}"
            raise DataError(
                f"{table.place(int(row))}: {what} is {text!r}, expected a class of {whose}: {shown}.",
                remedy=UNKNOWN if len(classes) > 10 else "",
            )
    return np.array([index[text] for text in texts], np.intp)


def candidate_rows(labels: Array, classes: Array, what: str) -> Array:
    """Return labels of which some are sets as rows of bool, (n, k): True for each class that a row may have.

    Labels are compared by their texts: numbers in one table may be texts in another. A LabelError names the first
    label that is no class, and the first row that no class is left for.
    """
    known = {text: position for position, text in enumerate(label_texts(classes))}
    S = np.zeros((len(labels), len(known)), bool)
    for row, entry in enumerate(labels):
        named = [label_texts(np.asarray([label]))[0] for label in named_labels(entry)]
        for text in named:
            if text not in known:
                more = f" and {len(known) - 10} more" if len(known) > 10 else ""
                shown = f"{', '.join(list(known)[:10])}{more}"
                raise LabelError(f"{what} names {text!r}, expected classes of the training rows: {shown}.")
        S[row, [known[text] for text in named]] = True
        if isinstance(entry, NotClass) or not named:
            S[row] = ~S[row]
        if not S[row].any():
            raise LabelError(f"Row {row} of {what} is {entry!r}, which leaves no class, expected at least one.")
    return S


def read_weights(table: Table, name: str, *, all_zero: bool = False) -> Array:
    """Return the weight of each row, float64, from the column of this name.

    Parameters
    ----------
    table : Table
    name : str
    all_zero : bool, default=False
        Whether all weights of these rows may be 0, because there are other rows.

    Raises
    ------
    DataError
        If a weight is missing, negative or not a number, or all weights are 0.
    """
    w = numbers_of(table, name)
    bad = np.flatnonzero(~(w >= 0))
    if len(bad):
        what = "missing" if np.isnan(w[bad[0]]) else f"{w[bad[0]]:g}"
        raise DataError(
            f"{table.place(int(bad[0]))}: the weight {name!r} is {what}, expected a number >= 0. "
            "Correct the cell; a row of weight 0 doesn't count."
        )
    if len(w) and not w.any() and not all_zero:
        raise DataError(f"{table.name}: the weight {name!r} is 0 in every row, expected at least one number > 0.")
    return w
