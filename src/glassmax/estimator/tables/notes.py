"""Notes for the user on the rows and classes of a table, and on columns that give the target away."""

import unicodedata
from collections.abc import Collection, Mapping

import numpy as np

from ...errors import Setting, Text
from ...functional.arrays import Array
from ...table import Note, Table, giveaways
from ...table.missing_words import LETTERS_ONLY

__all__ = [
    "notes_on_classes",
    "notes_on_giveaways",
    "notes_on_missing_words",
    "notes_on_rare_classes",
    "notes_on_rows",
]

MOST_SHOWN, LONGEST = 5, 40
MANY_CLASSES, FEW_ROWS_OF_CLASS = 100, 5
"""If there are more classes than the first number, a note names those with fewer rows than the second."""
MANY_NUMBERS, FEW_ROWS = 20, 10
"""A target looks like a measurement if it has more different numbers than this, and fewer rows for each of them."""


def notes_on_rows(target: str, weight: str, unlabelled: int, unweighted: int, *, of_sets: bool) -> list[Note]:
    """Return notes on rows that are left out, without a class or of weight 0, and how many they are."""
    why = "is missing or names every class" if of_sets else "is missing"
    lost = ((f"{target} {why}", unlabelled), (f"{weight} is 0", unweighted))
    return [Note((f"left out because {why}: {count} row{'s' * (count != 1)}",)) for why, count in lost if count]


def notes_on_missing_words(
    missing: Mapping[str, Mapping[str, int]],
    values: Mapping[str, Collection[str]],
    target: str | None,
    of_target: Mapping[str, int],
    classes: Collection[str],
) -> list[Note]:
    """Return notes on words such as NA: whether they are missing cells, values or classes, and how to change that.

    Parameters
    ----------
    missing : dict of str to dict of str to int
        How many cells of each column but the target are read as missing because they hold a word, by the word.
    values : dict of str to collection of str
        The columns of categories that are learned from, each with the words that are read as values.
    target : str or None
        The target, if it is a column of the table.
    of_target : dict of str to int
        How many cells of the target hold each of the words, missing or not, as far as the table tells.
    classes : collection of str
        The classes as texts.
    """
    notes = []
    if target is not None:
        kept = [word for word in classes if word in LETTERS_ONLY]
        lost = {word: count for word, count in of_target.items() if word not in classes}
        everywhere = {word for words in missing.values() for word in words}
        if lost:
            notes.append(_missing(target, lost, "a class", everywhere - set(lost)))
        notes += [_value(target, word, "a class", everywhere) for word in kept]
    for name, held in values.items():
        elsewhere = {word for other, words in missing.items() if other != name for word in words}
        if name in missing:
            notes.append(_missing(name, missing[name], "a value", elsewhere - set(missing[name])))
        else:
            notes += [_value(name, word, "a value", elsewhere) for word in sorted(held)]
    return notes


def _missing(name: str, words: Mapping[str, int], what: str, others: Collection[str]) -> Note:
    shown = ", ".join(f"{word!r} in {count} row{'s' * (count != 1)}" for word, count in words.items())
    one = len(words) == 1
    remedy: Text = (f" If {'it is' if one else 'they are'} {what}: ", Setting("missing_words", sorted(others)), ".")
    return Note((f"{name}: {shown} {'is' if one else 'are'} read as missing.", *remedy))


def _value(name: str, word: str, what: str, others: Collection[str]) -> Note:
    remedy: Text = (" If it means a missing cell: ", Setting("missing_words", sorted({*others, word})), ".")
    return Note((f"{name}: {word!r} is read as {what}.", *remedy))


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


def notes_on_rare_classes(rare: Array, k: int, target: str, min_count: int, other_label: object) -> list[Note]:
    """Return a note on the classes that are put together: how many of the k classes they are, and some of them."""
    if not len(rare):
        return []
    have, are = ("has", "was") if len(rare) == 1 else ("have", "were")
    shown = _some([str(label) for label in rare[:MOST_SHOWN]], len(rare))
    fewer = "1 row" if min_count == 2 else f"fewer than {min_count} rows"
    which = f"{len(rare):,} of {k:,} classes of {target} {have} {fewer}"
    return [Note((f"{which} and {are} put into the class {other_label!r}: {shown}",))]


def notes_on_classes(classes: Array, counts: Array, target: str, *, held_out: bool) -> list[Note]:
    """Return notes on a target that measures, on classes of a single row, or spelled nearly alike, and on formulas.

    `counts` are the numbers of rows of each class, (k,). `held_out` tells whether classes are judged on rows that were
    not trained on; a class of a single row can't be.
    """
    labels = [str(label) for label in classes]
    notes: list[Text] = [(text,) for text in _measured(classes, int(counts.sum()), target)]
    if len(labels) > MANY_CLASSES:
        notes += _few(labels, counts, target)
    elif held_out:
        notes += [(text,) for text in _single(labels, counts, target)]
    return [Note(text) for text in [*notes, *((text,) for text in _alike(labels) + _formulas(labels))]]


def _few(labels: list[str], counts: Array, target: str) -> list[Text]:
    """Return a note on the classes that have very few rows, for a target with many classes."""
    few = np.flatnonzero(counts < FEW_ROWS_OF_CLASS)
    if not len(few):
        return []
    have = "has" if len(few) == 1 else "have"
    shown = _some([labels[c] for c in few[:MOST_SHOWN]], len(few))
    said = f"{len(few):,} of {len(labels):,} classes of {target} {have} fewer than {FEW_ROWS_OF_CLASS} rows: {shown}."
    return [(f"{said} To put rare classes together as one class: ", Setting("min_count", FEW_ROWS_OF_CLASS))]


def _some(names: list[str], count: int) -> str:
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    return f"{', '.join(map(_shortened, names))}{more}"


def _measured(classes: Array, n_rows: int, target: str) -> list[str]:
    """Return a note on numbers that are too many to be classes, unless they count from 0 or 1."""
    k = len(classes)
    if classes.dtype.kind not in "iuf" or k <= MANY_NUMBERS or n_rows >= FEW_ROWS * k:
        return []
    if classes[0] in (0, 1) and classes[-1] - classes[0] == k - 1 and (classes == np.floor(classes)).all():
        return []
    return [f"{target} looks like a measurement ({k} different numbers), and glassmax predicts classes"]


def _single(labels: list[str], counts: Array, target: str) -> list[str]:
    rare = np.flatnonzero(counts == 1)
    if not len(rare):
        return []
    if len(rare) == 1:
        return [f"class {_shortened(labels[rare[0]])} of {target} has 1 row, so it can't be judged"]
    names = _some([labels[c] for c in rare[:MOST_SHOWN]], len(rare))
    return [f"classes {names} of {target} have 1 row each, so they can't be judged"]


def _alike(labels: list[str]) -> list[str]:
    """Return a note on classes that differ only in case, spaces or the composition of letters."""
    alike: dict[str, list[str]] = {}
    for label in labels:
        alike.setdefault(_plain(label), []).append(label)
    same = [group for group in alike.values() if len(group) > 1]
    return [
        "classes that differ only in case, spaces or invisible characters: "
        f"{', '.join(map(ascii, group[:MOST_SHOWN]))}. If two of them mean the same class, spell them alike."
        for group in same[:MOST_SHOWN]
    ]


def _plain(label: str) -> str:
    """Return a label without case, spaces and invisible characters."""
    if label.isascii():  # the usual case, and a hundred times faster
        return "".join(label.casefold().split())
    text = unicodedata.normalize("NFKC", label).casefold()
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")


def _formulas(labels: list[str]) -> list[str]:
    odd = [label for label in labels if label[:1] in ("=", "@", "+") or label[:2] == "-"]
    if not odd:
        return []
    return [f"a spreadsheet would take the class {_shortened(odd[0])!r} for a formula: open predictions with care"]


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
