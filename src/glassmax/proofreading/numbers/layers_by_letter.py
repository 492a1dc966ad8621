"""Letters that name layers: a_j = sum_i w_ji z_i, z_j = h(a_j), and the same for k from j, though nobody writes it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..formula import tree
from ..formula.tree import Name, Node
from ..formula.walk import letter_of, rename_index
from .definitions import Equation
from .names import walk

__all__ = ["layers_by_letter"]

LEVELS = (-1, 0, 1, 2)
"""Layers of letters, counted from that of the unit that the sum is written for."""


@dataclass(frozen=True)
class _Sum:
    """``a_j = sum_i w_ji z_i``: `first` is whether the letter of the unit comes first in w_ji.

    `units` are the names a and z, if z_j = h(a_j) is written, and `outputs` is z.
    """

    unit: str
    below: str
    weights: str
    inputs: Name
    first: bool
    units: frozenset[str]
    outputs: str


@dataclass(frozen=True)
class ByLetter:
    """The layer of each letter, 0 for that of the unit whose weighted sum is written.

    `inputs` says what the inputs of the layers above are, if they have a name of their own. It is `sure` that letters
    tell the layer where z depends on a, and a on z.
    """

    levels: dict[str, int]
    inputs: list[Equation]
    sure: bool


def layers_by_letter(equations: Sequence[Equation]) -> ByLetter | None:
    """Return the layer of each letter; None if letters tell no layer.

    That they do shows where the inputs of the sum are outputs of other such units (z_j = h(a_j)), or where a unit is
    differentiated by another (da_k/da_j), and where a third letter goes with the weights.
    """
    for found in _sums(equations):
        weights = Counter(_pairs(equations, found))
        derived = Counter(_units(equations, found.units))
        levels = {found.unit: 0, found.below: -1}
        others = {letter for pair in (*weights, *derived) for letter in pair} - set(levels)
        sure = found.outputs == found.inputs.base
        if not derived and not sure:
            continue
        for letter in sorted(others):
            levels[letter] = _level(letter, levels, weights, derived, found.unit)
        if sure or max(levels.values()) > 0:
            return ByLetter(levels, _inputs_above(found, levels), sure)
    return None


def _inputs_above(found: _Sum, known: Mapping[str, int]) -> list[Equation]:
    """Return x_j = o_j, or x_kj = o_j, where the sum is ``sum_i w_ji x_i`` or ``sum_i w_ji x_ji``."""
    above = next((letter for letter, level in known.items() if level == 1), "")
    if found.inputs.base == found.outputs or not found.outputs or not above:
        return []
    pair = {found.unit: above, found.below: found.unit}
    left = rename_index(found.inputs, pair)
    return [Equation((left, Name(found.outputs, (Name(found.unit),))))]


def _sums(equations: Sequence[Equation]) -> Iterator[_Sum]:
    """Yield the weighted sums over the units below."""
    lefts = {equation.sides[0].base for equation in equations if isinstance(equation.sides[0], Name)}
    for equation in equations:
        left = equation.sides[0]
        if not isinstance(left, Name) or len(_letters(left)) != 1:
            continue
        for part in _in(equation.sides[1:]):
            if not isinstance(part, tree.Summation) or len(part.letters) != 1:
                continue
            unit, below = _letters(left)[0], part.letters[0]
            names = [one for one in walk(part.body) if isinstance(one, Name)]
            pairs = [one for one in names if set(_letters(one)) == {unit, below}]
            inputs = [one for one in names if _letters(one) == (below,)] or pairs[1:]
            weights = pairs[:1] if len(pairs) < 3 else []
            if len(weights) == 1 == len(inputs) and weights[0].base not in lefts | {inputs[0].base}:
                units, outputs = _chain(equations, left.base, unit)
                if inputs[0].base not in lefts | {outputs} or inputs[0].base == outputs:
                    first = _letters(weights[0])[0] == unit
                    yield _Sum(unit, below, weights[0].base, inputs[0], first, units, outputs)


def _chain(equations: Sequence[Equation], base: str, unit: str) -> tuple[frozenset[str], str]:
    """Return the names of units, those of the sum and of z_j = h(a_j), and the last of them: "" without such a line."""
    units, outputs = {base}, ""
    for equation in equations:
        for left, right in zip(equation.sides, equation.sides[1:], strict=False):
            if not isinstance(left, Name) or _letters(left) != (unit,) or right is None:
                continue
            if any(isinstance(part, tree.Derivative | tree.Summation) for part in walk(right)):
                continue
            inside = {part.base for part in walk(right) if isinstance(part, Name) and part.below}
            called = isinstance(right, tree.Call) and len(inside) == 1
            if len(inside) == 1 and inside != {left.base} and (inside & units or (called and left.base in units)):
                units |= {left.base, *inside}
                outputs = left.base
    return frozenset(units), outputs


def _letters(name: Name) -> tuple[str, ...]:
    """Return the indices of a name that has letters alone; () for another."""
    letters = tuple(letter_of(at) for at in name.below)
    return letters if all(letters) and not name.primes and not name.above else ()


def _pairs(equations: Sequence[Equation], found: _Sum) -> Iterator[tuple[str, str]]:
    """Yield the letters of the weights, that of the upper layer first if the author makes no mistake."""
    for name in _parts(equations):
        if isinstance(name, Name) and name.base == found.weights and len(_letters(name)) == 2:
            one, other = _letters(name)
            if one != other:
                yield (one, other) if found.first else (other, one)


def _units(equations: Sequence[Equation], units: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the letters of da_k/da_j and da_k/dz_j."""
    for part in _parts(equations):
        if isinstance(part, tree.Derivative) and isinstance(part.of, Name) and part.of.base in units:
            for by in part.by:
                if isinstance(by, Name) and by.base in units and len(_letters(part.of)) == len(_letters(by)) == 1:
                    (upper,), (lower,) = _letters(part.of), _letters(by)
                    if upper != lower:
                        yield upper, lower


def _parts(equations: Sequence[Equation]) -> Iterator[object]:
    return (part for equation in equations for side in equation.nodes for part in walk(side))


def _in(nodes: Iterable[Node | None]) -> Iterator[object]:
    return (part for node in nodes if node is not None for part in walk(node))


def _level(
    letter: str,
    known: dict[str, int],
    weights: Counter[tuple[str, str]],
    derived: Counter[tuple[str, str]],
    unit: str,
) -> int:
    """Return the layer of a letter that most of the formulas speak for; letters of the alphabet go up."""

    def votes(level: int) -> float:
        levels = {**known, letter: level}
        total = 0.5 * (level > 0) if letter > unit else 0.5 * (level < 0)
        for pairs, weight in ((weights, 1.0), (derived, 3.0)):
            for (upper, lower), count in pairs.items():
                if letter in (upper, lower) and upper in levels and lower in levels:
                    total += weight * count * (levels[upper] == levels[lower] + 1)
        return total

    return max(LEVELS, key=votes)
