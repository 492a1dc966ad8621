"""The case that a statement is limited to: its opposite, and a case told in words as a comparison of indices."""

import re

from .words import EQUAL_INDICES, UNEQUAL_INDICES

__all__ = ["negated", "of_indices"]

NEGATED = {"=": r"\ne", "==": "!=", r"\ne": "=", r"\neq": "=", "!=": "=", "≠": "=", ">": r"\le", "<": r"\ge"}
NEGATED |= {"<=": ">", ">=": "<", r"\le": ">", r"\leq": ">", r"\ge": "<", r"\geq": "<", "≤": ">", "≥": "<"}
RELATION = re.compile(r"==|!=|<=|>=|\\(?:neq?|leq?|geq?)(?![a-z])|[=≠<>≤≥]")
INDEX = re.compile(r"_\{?([a-z])(?![a-z])")


def negated(condition: str) -> str:
    """Return the opposite of a comparison."""
    if condition in (EQUAL_INDICES, UNEQUAL_INDICES):
        return UNEQUAL_INDICES if condition == EQUAL_INDICES else EQUAL_INDICES
    relations = RELATION.findall(condition)
    if len(relations) != 1:
        return "otherwise"
    return RELATION.sub(lambda match: f" {NEGATED[match[0]]} ", condition).replace("  ", " ")


def of_indices(condition: str, left: str) -> str:
    """Return a case of equal or of different indices as a comparison of the two indices of a left side."""
    if condition not in (EQUAL_INDICES, UNEQUAL_INDICES):
        return condition
    letters = sorted({*INDEX.findall(left)})
    if len(letters) == 1 and condition == EQUAL_INDICES:
        return ""
    sign = "=" if condition == EQUAL_INDICES else r"\ne"
    return f"{letters[0]} {sign} {letters[1]}" if len(letters) == 2 else condition
