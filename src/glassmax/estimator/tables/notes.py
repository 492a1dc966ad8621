"""Notes for the user on the classes of a table, and on columns that give the target away."""

import unicodedata

import numpy as np

from ...errors import Setting
from ...functional.arrays import Array
from ...table import Note, Table, giveaways

__all__ = ["notes_on_classes", "notes_on_giveaways"]

MOST_SHOWN, LONGEST = 5, 40


def notes_on_giveaways(table: Table, names: list[str], y: Array, target: str) -> list[Note]:
    """Return a note on each column that alone tells the target, at most five."""
    return [
        Note(
            (
                f"{name} alone predicts {target} in {100 * share:.4g} % of the rows. If {name} is the target under "
                "another name, or is known only afterwards, leave the column out: ",
                Setting("ignore", [name]),
            ),
            "giveaway",
            name,
        )
        for name, share in giveaways(table, names, y)[:MOST_SHOWN]
    ]


def notes_on_classes(classes: Array, y: Array, target: str, *, held_out: bool) -> list[Note]:
    """Return notes on classes of a single row, on classes spelled nearly alike, and on what looks like a formula.

    `held_out` tells whether rows are held out; a class of a single row can't be.
    """
    labels = [str(label) for label in classes]
    notes = _single(labels, y, target) if held_out else []
    return [Note((text,)) for text in notes + _alike(labels) + _formulas(labels)]


def _single(labels: list[str], y: Array, target: str) -> list[str]:
    rare = np.flatnonzero(np.bincount(y, minlength=len(labels)) == 1)
    if not len(rare):
        return []
    names = ", ".join(_shortened(labels[c]) for c in rare[:MOST_SHOWN])
    return [f"classes of one row, which is a training row, so the class can't be judged: {target} {names}"]


def _alike(labels: list[str]) -> list[str]:
    """Return a note on classes that differ only in case, spaces or the composition of letters."""
    alike: dict[str, list[str]] = {}
    for label in labels:
        text = unicodedata.normalize("NFKC", label).casefold()
        plain = "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
        alike.setdefault(plain, []).append(label)
    same = [group for group in alike.values() if len(group) > 1]
    return [
        f"classes that differ only in case, spaces or invisible signs: {', '.join(map(ascii, group[:MOST_SHOWN]))}. "
        "If two of them mean the same class, spell them alike."
        for group in same[:MOST_SHOWN]
    ]


def _formulas(labels: list[str]) -> list[str]:
    odd = [label for label in labels if label[:1] in ("=", "@", "+") or label[:2] == "-"]
    if not odd:
        return []
    return [f"a spreadsheet would take the class {_shortened(odd[0])!r} for a formula: open predictions with care"]


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
