"""Cells: an array with its index letters, such as ``W_jk``; how it is written, and which letters it gets."""

from collections.abc import Sequence

from .expression import Program, Tensor, walk
from .indices import fresh

__all__ = ["Cell", "apart", "letters_for", "shown"]

Cell = tuple[str, tuple[str, ...]]
"""The name of an array, and its letters."""


def shown(name: str, letters: Sequence[str]) -> str:
    """Write an array with its index letters: ``z_i``, ``W_jk``, ``L``."""
    if not letters:
        return name
    plain = all(len(letter) == 1 for letter in letters)
    return f"{name}_{''.join(letters)}" if plain else f"{name}[{', '.join(letters)}]"


def letters_for(program: Program, name: str, taken: set[str]) -> tuple[str, ...] | None:
    """Return letters for a cell of an array, as in its first appearance; None if the program lacks the array."""
    for definition in program.definitions:
        if definition.name == name:
            return apart(definition.indices, taken)
    for definition in program.definitions:
        for part in walk(definition.value):
            if isinstance(part, Tensor) and part.name == name:
                plain = tuple(index if isinstance(index, str) else "ik"[bool(index.indices)] for index in part.indices)
                return apart(plain, taken)
    return None


def apart(indices: Sequence[str], taken: set[str]) -> tuple[str, ...]:
    """Return letters like `indices`, all different and none of them taken."""
    chosen: list[str] = []
    for index in indices:
        busy = taken | set(chosen)
        chosen.append(index if index not in busy else fresh(busy | set(indices), index))
    return tuple(chosen)
