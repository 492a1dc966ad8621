r"""An equation to its sides, each without what only serves the eye: blanks, full stops, words inside cases."""

import re
from collections.abc import Iterator

from .brackets import outer_marks, pieces_between
from .plain_text import split_words

__all__ = ["APPROXIMATE", "DEFINES", "equation_sides", "tidy"]

DEFINES = re.compile(r":=|≜|≔|\\(?:coloneqq?|triangleq|coloneq)(?![A-Za-z])")
APPROXIMATE = {
    **dict.fromkeys(("\\approx", "\\sim", "\\simeq", "\\cong", "≈", "∼", "≃"), "it holds approximately only"),
    **dict.fromkeys(("\\propto", "∝"), "it says what is proportional, and leaves the factor open"),
}
CASES = re.compile(r"\\begin\s*\{cases\}(.*?)\\end\s*\{cases\}", re.DOTALL)
ARRAY = re.compile(r"[\[(]?\s*\\begin\s*\{array\}\s*(?:\{[^{}]*\})?(.*?)\\end\s*\{array\}\s*[\])]?", re.DOTALL)
WORDS = re.compile(r"\\(?:text|mbox|textrm|mathrm|hbox)\s*\{([^{}]*)\}")
SPLIT = re.compile(r"\\\\|\\cr(?![A-Za-z])")
OVER = re.compile(r"\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\\over(?![A-Za-z])([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
UNDER_SIGN = re.compile(r"\\underset\s*\{([^{}]*)\}\s*\{(\\?\w+)\}")
CASE_WORDS = re.compile(r"^(?:if|when|for|whenever|where|case|with|and|is)$", re.IGNORECASE)
OTHERWISE = re.compile(r"\b(?:otherwise|else|other\w*)\b", re.IGNORECASE)


def equation_sides(text: str) -> tuple[list[str], str]:
    """Return the sides of an equation, and why it, or the rest of it, can't be checked ("" if it can)."""
    marks = [mark for mark in outer_marks(text) if mark.kind in ("equal", "other")]
    sides: list[str] = []
    for start, end, mark in pieces_between(text, marks):
        if mark and mark.kind == "other":
            return sides, APPROXIMATE.get(mark.text, "it is an inequality")
        sides.append(tidy(text[start:end]))
    return sides, ""


def tidy(side: str) -> str:
    """Return one side on one line, without a full stop at its end."""
    side = CASES.sub(lambda match: rf"\begin{{cases}} {_branches(match[1])} \end{{cases}}", side)
    side = ARRAY.sub(lambda match: rf"\begin{{bmatrix}} {match[1]} \end{{bmatrix}}", side)
    side = OVER.sub(r"\\frac{\1}{\2}", side)
    side = UNDER_SIGN.sub(r"\2_{\1}", side)
    if "\\begin" not in side:
        side = SPLIT.sub(" ", side).replace("&", " ")
    side = re.sub(r"\\q?quad(?![A-Za-z])|~", " ", side)
    return " ".join(side.split()).rstrip(" .,;:").strip()


def _branches(text: str) -> str:
    r"""Return the rows of cases as ``value & condition``, the condition without words: ``k = y_i``."""
    return r" \\ ".join(_branch(row) for row in SPLIT.split(text) if row.strip(" &,.;\n"))


def _branch(row: str) -> str:
    value, ampersand, condition = row.partition("&")
    if not ampersand:
        value, _, condition = _parted(row)
    value = value.replace("&", " ").strip().rstrip(" ,;:")
    words = WORDS.sub(lambda match: " " + match[1].replace("$", " ") + " ", condition).replace("&", " ")
    if OTHERWISE.search(words) and "=" not in words:
        return rf"{value} & \text{{otherwise}}"
    formula = " ".join(_formulas(words)).strip(" ,.;:")
    return f"{value} & {formula}" if formula else value


def _formulas(words: str) -> Iterator[str]:
    """Yield what is no word of a condition."""
    for piece in split_words(words):
        for token in piece.text.split():
            if piece.kind == "formula" and not CASE_WORDS.match(token):
                yield token


def _parted(row: str) -> tuple[str, str, str]:
    r"""Part a row of cases without an ampersand at its words, its wide space or its last comma."""
    match = re.search(r"\\(?:text|mbox|textrm|hbox)\s*\{|\\q?quad(?![A-Za-z])|\b(?:if|when|for|otherwise)\b", row)
    if match is None:
        before, comma, after = row.rpartition(",")
        return (before, comma, after) if comma else (row, "", "")
    return row[: match.start()], "&", row[match.start() :]
