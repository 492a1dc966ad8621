"""Matrices whose columns are samples: ``a^{(i)}`` and ``y^{(i)}`` of a text that has A and Y for all samples."""

from collections.abc import Sequence

from ..formula.tree import Name, Number
from .definitions import Equation
from .names import names_of

__all__ = ["samples_of"]


def samples_of(equations: Sequence[Equation]) -> dict[str, str]:
    r"""Return each letter that stands for a sample of a matrix, with the matrix: ``{"a": "A", "y": "Y"}``.

    Only where the text computes with all samples at once: one of the matrices is a left side.
    """
    names = list(names_of(node for equation in equations for node in equation.nodes))
    whole = {name.base for name in names if _without_letters(name)}
    single = {name.base for name in names if "^(" in name.typed_as and _by_letter(name)}
    lefts = {left.base for one in equations if isinstance(left := one.sides[0], Name) and _without_letters(left)}
    small = (letter for letter in sorted(single) if len(letter.removeprefix("d")) == 1 and letter[-1].islower())
    found = {letter: letter[:-1] + letter[-1].upper() for letter in small}
    found = {letter: matrix for letter, matrix in found.items() if matrix in whole}
    return found if lefts & set(found.values()) else {}


def _without_letters(name: Name) -> bool:
    """Whether a name stands for all samples: it has a layer at most, ``A^{[2]}``, ``A_2``."""
    return "^(" not in name.typed_as and all(isinstance(one, Number) for one in name.below)


def _by_letter(name: Name) -> bool:
    """Whether the last superscript is a letter that numbers samples, as i in ``a^{[2](i)}``: no layer."""
    last = name.above[-1] if name.above else None
    return isinstance(last, Name) and last.base not in ("l", "L", "ell", "t")
