"""Letters that tell the layer: in some books a_j is hidden, a_k an output, and w_ji and w_kj are two matrices."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..formula.tree import Call, Name
from ..formula.walk import letter_of, map_children, nodes_in, rename_index
from ..formula.write import write
from ..numbers import Equation
from .lines import Line

__all__ = ["with_letter_layers"]


def with_letter_layers(lines: Sequence[Line]) -> list[Line] | None:
    """Return the lines with a name of its own for each letter, if a quantity is defined twice, by different letters.

    The new names are written as the author wrote them. None if nothing is defined twice.
    """
    equations = [line.equation for line in lines if line.equation is not None]
    if not _defined_twice(equations):
        return None
    spellings: dict[str, set[tuple[str, ...]]] = {}
    for equation in equations:
        for side in equation.sides:
            for node in nodes_in(side) if side is not None else ():
                if isinstance(node, Name) and (letters := _letters(node)):
                    spellings.setdefault(node.base, set()).add(letters)
    several = {base for base, letters in spellings.items() if len(letters) > 1}
    return [_renamed_line(line, several) for line in lines]


def _defined_twice(equations: Sequence[Equation]) -> bool:
    found: dict[str, list[Equation]] = {}
    for equation in equations:
        left = equation.sides[0]
        if isinstance(left, Name) and len(_letters(left)) == 1 and equation.condition is None:
            found.setdefault(left.base, []).append(equation)
    return any(_differ(one, other) for same in found.values() for one in same for other in same)


def _differ(one: Equation, other: Equation) -> bool:
    """Return whether two definitions of one name have different letters, and are not the same but for the letters."""
    left, again = one.sides[0], other.sides[0]
    assert isinstance(left, Name)
    assert isinstance(again, Name)
    mine, theirs = _letters(left)[0], _letters(again)[0]
    return mine != theirs and rename_index(one.sides[1], {mine: theirs}) != other.sides[1]


def _letters(name: Name) -> tuple[str, ...]:
    """Return the indices of a name that has letters alone; () for another."""
    letters = tuple(letter_of(at) for at in name.below)
    return letters if all(letters) and not name.above else ()


def _renamed_line(line: Line, bases: set[str]) -> Line:
    if line.equation is None:
        return line
    sides = tuple(side if side is None else _renamed(side, bases) for side in line.equation.sides)
    return replace(line, equation=replace(line.equation, sides=sides))


def _renamed(node: Any, bases: set[str]) -> Any:
    if isinstance(node, Call):
        return replace(node, arguments=tuple(_renamed(one, bases) for one in node.arguments))
    if isinstance(node, Name):
        letters = _letters(node)
        kronecker = node.base == "delta" and len(letters) == 2
        if node.base not in bases or not letters or kronecker:
            return node
        return replace(node, base=f"{node.base}_of_{''.join(letters)}", typed=write(Name(node.base)))
    return map_children(node, lambda part: _renamed(part, bases))
