"""Words for a missing cell, such as NA and None: which of them a column holds, and which are values of their own.

A text file can't tell the word from a missing cell. Frames, Parquet, Arrow and JSON lines can: there a word stays text
in a column of words. A `Table` remembers which word stood in each missing cell (`MissingWords`), so that the word can
be put back where it is a class, or a value that a model has learned.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..functional.arrays import Array
from .cells import DEFAULT_WORDS, as_text, column_of, objects, parse_number
from .dates import form_of

__all__ = ["MissingWords", "are_words", "kept_words", "kept_words_of_classes", "missing_words_in", "with_missing_words"]

LETTERS_ONLY = frozenset(word for word in DEFAULT_WORDS if word.isalpha())
"""The default words that may also be values: a region NA, a severity None."""
MOSTLY = 0.9
FEW_TO_TRY = 200
ANSWERS = ({"false", "true"}, {"no", "yes"}, {"f", "t"}, {"n", "y"}, {"off", "on"})
FIRST_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class MissingWords:
    """The words that stood in the missing cells of a column.

    Attributes
    ----------
    words : tuple of str
    codes : (n,) array of uint16
        For each cell 0, or 1 plus the position of its word.
    """

    words: tuple[str, ...]
    codes: Array

    def counts(self) -> dict[str, int]:
        """Return the number of cells with each word, without the words that no cell has."""
        found = np.bincount(self.codes, minlength=len(self.words) + 1)[1:]
        return {word: int(count) for word, count in zip(self.words, found, strict=True) if count}

    def rows(self, index: Array | slice) -> "MissingWords":
        """Return the words of some rows."""
        return MissingWords(self.words, self.codes[index])

    @staticmethod
    def joined(parts: "Sequence[MissingWords | None]", sizes: Sequence[int]) -> "MissingWords":
        """Return the words of pieces of a column, one after another; at least one piece has words, all the same."""
        words = next(part.words for part in parts if part is not None)
        codes = [
            np.zeros(size, np.uint16) if part is None else part.codes for part, size in zip(parts, sizes, strict=True)
        ]
        return MissingWords(words, np.concatenate(codes))


def missing_words_in(cells: Sequence[str | None] | Array, words: Sequence[str] = DEFAULT_WORDS) -> MissingWords | None:
    """Return which of the words the cells hold; None if they hold none."""
    if set(words).isdisjoint(cells):
        return None
    code = {word: position for position, word in enumerate(words, start=1)}
    return MissingWords(tuple(words), np.array([code.get(cell, 0) for cell in cells], np.uint16))  # type: ignore[arg-type]


def with_missing_words(
    cells: Array, found: MissingWords | None, words: Sequence[str], decimal: str = ".", *, in_numbers: bool = False
) -> tuple[Array, MissingWords | None]:
    """Return a column in which these words are missing cells, and no others.

    A word that was found in a column of numbers stays a missing cell, unless `in_numbers` says otherwise: it can be no
    value there.

    Parameters
    ----------
    cells : (n,) array
        A column of a `Table`.
    found : MissingWords or None
        The words that are missing cells so far.
    words : sequence of str
        A word that is a number, as -99, also stands for cells of this number.
    decimal : {".", ","}
        The decimal separator of text.
    """
    words = tuple(words)
    if found is not None and cells.dtype.kind == "f" and not in_numbers:
        words = (*words, *(word for word in found.counts() if word not in words))
    if found is not None and not set(words).issuperset(found.counts()):
        cells = _put_back(cells, found, words)
    new = _numbers_in(cells, words) if cells.dtype.kind == "f" else missing_words_in(cells, words)
    if new is None:
        return cells, _only(found, words)
    codes = new.codes
    if found is not None:
        before = [0, *(words.index(word) + 1 if word in words else 0 for word in found.words)]
        codes = np.where(codes > 0, codes, np.array(before, np.uint16)[found.codes])
    if cells.dtype.kind == "f":
        return np.where(new.codes > 0, np.nan, cells), MissingWords(words, codes)
    rest = objects([None if code else cell for cell, code in zip(cells, new.codes, strict=True)])
    return _column(rest, decimal), MissingWords(words, codes)


def _numbers_in(cells: Array, words: Sequence[str]) -> MissingWords | None:
    """Return which of the words that are numbers, as -99, the cells of a column of numbers hold."""
    codes = np.zeros(len(cells), np.uint16)
    for position, word in enumerate(words, start=1):
        number = parse_number(word)
        if number is not None and number == number:
            codes[cells == number] = position
    return MissingWords(tuple(words), codes) if codes.any() else None


def _column(cells: Array, decimal: str) -> Array:
    """Return cells of text as numbers, if all that are left are numbers."""
    return cells if any(isinstance(cell, bool) for cell in cells) else column_of(cells, decimal, {""})


def _only(found: MissingWords | None, words: Sequence[str]) -> MissingWords | None:
    """Return what is left of the words found, if only some are missing cells."""
    if found is None or set(words).issuperset(found.words):
        return found
    left = np.isin(found.codes, [position for position, word in enumerate(found.words, 1) if word in set(words)])
    return MissingWords(found.words, np.where(left, found.codes, 0).astype(np.uint16)) if left.any() else None


def _put_back(cells: Array, found: MissingWords, missing: Collection[str]) -> Array:
    """Return a column with its words in place of missing cells, but for those that are to be missing."""
    plain = cells.dtype.kind == "O" and not any(isinstance(cell, bool) for cell in cells)
    texts = cells.tolist() if plain else as_text(cells).tolist()
    for row in np.flatnonzero(found.codes).tolist():
        word = found.words[found.codes[row] - 1]
        if word not in missing:
            texts[row] = word
    return objects(texts)


def are_words(texts: Iterable[str]) -> bool:
    """Whether most of the texts, at least one, are words: neither numbers nor dates nor the answers yes and no."""
    distinct = list(dict.fromkeys(texts))
    words = [text for text in distinct if FIRST_WORD.match(text) and parse_number(text) is None]
    if not words or len(words) < MOSTLY * len(distinct) or {word.casefold() for word in words} in ANSWERS:
        return False
    return form_of(words[:FEW_TO_TRY], MOSTLY) is None


def kept_words(cells: Array, found: MissingWords) -> list[str]:
    """Return the words that are values in a source that tells words from missing cells: in a column of words, all."""
    texts = [cell for cell in cells if isinstance(cell, str)] if cells.dtype.kind == "O" else []
    return [word for word in found.counts() if word in LETTERS_ONLY] if are_words(texts) else []


def kept_words_of_classes(cells: Array, found: MissingWords) -> list[str]:
    """Return the words that are classes: those that are written like the other cells, all of them words.

    None is a class beside Mild and Severe, and NA beside EU and AS; but NA beside yes and no, or beside Iris-setosa, is
    a missing cell.
    """
    texts = {cell for cell in cells if isinstance(cell, str)} if cells.dtype.kind == "O" else set()
    if not are_words(texts):
        return []
    firsts = [found_[0] for text in texts if (found_ := FIRST_WORD.match(text))]

    def is_alike(word: str) -> bool:
        alike = [first for first in firsts if _style(first) == _style(word)]
        if word.isupper():  # a code: EU and AS are like NA, FEMALE isn't
            alike = [first for first in alike if len(first) <= len(word) + 1]
        return word == "None" or len(alike) >= MOSTLY * len(firsts)

    return [word for word in found.counts() if word in LETTERS_ONLY and is_alike(word)]


def _style(word: str) -> str:
    if word.isupper():
        return "upper"
    return "lower" if word.islower() else "title" if word[1:].islower() else "mixed"
