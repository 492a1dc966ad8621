"""Where a document defines its names anew: a section with its own loss is judged with its own definitions."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ..document import Statement

__all__ = ["scopes_of"]

MOST = 6
"""Scopes of one document; those after it are judged together."""

DERIVATIVE = re.compile(r"\\partial|∂|\\nabla|∇|\\frac\s*\{\s*\\?(?:mathrm\s*\{)?d|\bd\w*/d|\bd[A-Z]")


def scopes_of(statements: Sequence[Statement]) -> list[tuple[list[Statement], int]]:
    """Return the scopes of a document: the statements that each can see, and how many of them are of earlier scopes.

    A scope begins at the section that defines a name otherwise than before. Of the scopes before it, a scope sees the
    definitions that it does not replace.
    """
    starts = _starts(statements)
    found: list[tuple[list[Statement], int]] = []
    for start, end in zip(starts, [*starts[1:], len(statements)], strict=True):
        own = list(statements[start:end])
        replaced = {name for one in own if (name := _defined(one))}
        earlier: dict[str, Statement] = {}
        for one in statements[:start]:
            name = _defined(one)
            if name and name not in replaced:
                earlier[name] = one
        own = [_moved(one, len(earlier) - start, len(earlier)) for one in own]
        found.append(([*earlier.values(), *own], len(earlier)))
    return found


def _moved(statement: Statement, by: int, first: int) -> Statement:
    """Return the statement as one of its scope, where the statement that it continues has another place."""
    if statement.continues is None:
        return statement
    place = statement.continues + by
    return replace(statement, continues=place if place >= first else None)


def _starts(statements: Sequence[Statement]) -> list[int]:
    """Return the places of the first statements of the scopes."""
    starts = [0]
    defined: dict[str, tuple[str, int]] = {}
    section_start = 0
    for at, one in enumerate(statements):
        if at and one.section != statements[at - 1].section:
            section_start = at
        name = _defined(one)
        if not name:
            continue
        value, place = defined.get(name, (one.sides[1], at))
        if _bare(value) != _bare(one.sides[1]) and place < section_start > starts[-1] and len(starts) < MOST:
            starts.append(section_start)
        defined.setdefault(name, (value, place))
        if starts[-1] == section_start:
            defined[name] = (one.sides[1], at)
    return starts


def _defined(statement: Statement) -> str:
    """Return the left side of a statement that may be a definition; "" for a derivative or a further step."""
    if statement.code or len(statement.sides) < 2 or not statement.sides[0] or DERIVATIVE.search(statement.sides[0]):
        return ""
    if DERIVATIVE.search(statement.sides[1]) or "'" in statement.sides[0] or statement.condition:
        return ""
    name = _bare(statement.sides[0])
    return "" if name in _bare(statement.sides[1]) else name


def _bare(formula: str) -> str:
    return re.sub(r"\s|\\left|\\right|[{}]", "", formula)
