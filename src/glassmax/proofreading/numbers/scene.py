"""`Scene`: where a tree is evaluated: the draw, the sizes of the letters, and what is moved for a derivative."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ..formula import tree
from ..formula.tree import Name, Node, Number
from .names import Names, Quantity
from .value import Array, Axis, CountFault, ShapeFault, UnknownFault, Value, over

if TYPE_CHECKING:
    from .context import Context
    from .definitions import Definition
    from .draw import Draw

__all__ = ["Scene"]

SOLVED = ("solved", "")
"""An adjustment of a draw: what was set to zero is zero."""
MOST_STEPS = 60_000
"""Most parts of trees that are evaluated for one side of one statement on one draw."""


@dataclass
class Work:
    """How much was evaluated, so that no formula takes forever."""

    done: int = 0


@dataclass(frozen=True)
class Scene:
    """Evaluates trees. `moved` are arrays with other values: a variable of a derivative, an argument of a function."""

    context: Context
    draw: Draw
    names: Names
    letters: dict[str, int] = field(default_factory=dict)
    usual: dict[str, int] = field(default_factory=dict)  # of letters that no array here has as an index
    moved: dict[str, Value] = field(default_factory=dict)
    cache: dict[str, Value] = field(default_factory=dict)
    stepping: bool = False  # a complex step is under way
    depth: int = 0
    dots: bool = False  # whether a centered dot between two vectors is their inner product
    work: Work = field(default_factory=Work)

    @property
    def columns(self) -> bool:
        """Whether vectors are columns in this document."""
        return self.context.columns

    def spend(self) -> None:
        """Count a step; raise an UnknownFault beyond the bound."""
        self.work.done += 1
        if self.work.done > MOST_STEPS:
            raise UnknownFault("this takes too long to evaluate")

    def with_letters(self, sizes: dict[str, int]) -> Scene:
        """Return the same with more letters."""
        return replace(self, letters={**self.letters, **sizes})

    def without(self, letters: tuple[str, ...]) -> Scene:
        """Return the same without some letters, which a sum takes for its own."""
        return replace(self, letters={letter: size for letter, size in self.letters.items() if letter not in letters})

    def move(self, moved: dict[str, Value], stepping: bool | None = None) -> Scene:
        """Return the same with other values of some arrays, and what depends on them."""
        step = self.stepping if stepping is None else stepping
        return replace(self, moved={**self.moved, **moved}, cache={}, stepping=step, depth=self.depth + 1)

    def known(self, key: str) -> bool:
        """Whether a name is a quantity of the document: defined, or moved."""
        definitions = self.context.definitions
        return key in self.moved or key in definitions.components or definitions.of(key) is not None

    def is_function(self, family: str) -> bool:
        """Whether a name is one of a function alone."""
        return family in self.context.definitions.functions and self.context.rank(family) is None

    def shape(self, quantity: Quantity) -> tuple[int, ...]:
        """Sizes of the axes of an array."""
        if quantity.key in self.moved:
            return self.moved[quantity.key].shape
        return self.draw.shape(quantity)

    def classes(self, label: str) -> int:
        """How many classes a label has."""
        return self.draw.classes(label)

    def array(self, quantity: Quantity) -> Value:
        """Return the whole array that a name stands for: moved, defined, or drawn."""
        key = quantity.key
        if key in self.moved:
            return self.moved[key]
        if key in self.cache:
            return self.cache[key]
        if self.depth > 60:
            raise UnknownFault(f"{quantity.family} is defined by itself")
        definition = self.context.definitions.of(key)
        if definition is None and SOLVED in self.draw.adjusted:
            definition = self.context.definitions.solutions.get(key)
        if key in self.context.definitions.stacked:
            single, turned = self.context.definitions.stacked[key]
            value = self.array(self.names.of(single))
            if len(value.axes) != 2:
                raise UnknownFault(f"{quantity.family} may be a matrix of the {single.base}, which isn't sure")
            value = replace(value, array=value.array.swapaxes(-1, -2)) if turned else value
        elif key in self.context.definitions.components:
            value = self._by_components(quantity)
        elif definition is None:
            value = self.context.undefined(quantity, self)
        else:
            value = self.defined(quantity, definition)
        self.cache[key] = value
        return value

    def defined(self, quantity: Quantity, definition: Definition) -> Value:
        """Return an array by its definition."""
        shape = self.shape(quantity)
        names = definition.names
        deeper = replace(self, names=names, letters={}, depth=self.depth + 1)
        indices = names.of(definition.name).indices
        letters = tuple(one.base for one in indices if isinstance(one, Name))
        from .evaluate import evaluate
        from .letters import mask_of

        turned = len(shape) == 2 and self.context.samples_last(names.of(definition.name))
        known = dict(zip(letters, shape[::-1] if turned else shape, strict=False))
        there = deeper.with_letters(known)
        total: Value | None = None
        rank = len(shape) - len(letters)
        for value, condition in definition.branches:
            here = evaluate(value, replace(there, dots=True))
            if len(here.axes) != rank:
                here = evaluate(value, replace(there, dots=False))
            if len(here.axes) > rank == 0 and names.samples:  # the cost of all units of the output
                here = replace(here, array=here.array.sum(axis=tuple(range(-len(here.axes), 0))), axes=(), turned="")
            if len(here.axes) > rank:
                raise ShapeFault(f"{quantity.family} is defined by an array with more axes than it has")
            if condition is not None:
                mask = mask_of(condition, there)
                both = tuple(dict.fromkeys(here.letters + mask.letters))
                rest = (1,) * len(here.axes)
                chosen = np.where(
                    over(mask, both).reshape((*over(mask, both).shape, *rest)),
                    over(here, both),
                    0 if total is None else over(total, both) if set(total.letters) <= set(both) else 0,
                )
                here = Value(chosen, both, here.axes, here.turned)
            total = here
        assert total is not None
        rows = _is_turned(definition) or (_is_gradient(definition) and any(map(_is_turned, self._gradients())))
        if len(total.axes) == 1 and not letters and rows:  # delta = dJ/dz = (p - y)^T
            total = replace(total, turned="row" if self.columns else "column")
        whole = _whole(total, letters, known, quantity, self)
        if len(shape) == 1 and self.context.numbers_samples(quantity):
            return replace(whole, turned="row" if self.columns else "column")
        return replace(whole, array=whole.array.swapaxes(-1, -2)) if turned else whole

    def _gradients(self) -> list[Definition]:
        return [one for one in self.context.definitions.found.values() if _is_gradient(one)]

    def _by_components(self, quantity: Quantity) -> Value:
        """An array whose components are defined one by one; those that aren't are drawn."""
        from .evaluate import evaluate
        from .value import elementwise

        there = replace(self, letters={}, depth=self.depth + 1)
        value = self.context.undefined(quantity, self)
        for at, definition in self.context.definitions.components[quantity.key].items():
            place = tuple(n - self.context.first_index(quantity.family) for n in at)
            if any(not 0 <= n < size for n, size in zip(place, value.shape, strict=True)):
                raise ShapeFault(f"{quantity.family} has no component {at[0]}")
            unit = np.zeros(value.shape)
            unit[place] = 1
            part = evaluate(definition.branches[0][0], there)
            rest = replace(value, array=value.array * (1 - unit))
            value = elementwise(rest, elementwise(part, Value(unit, (), value.axes), np.multiply), np.add)
        return value

    def bound(self, node: tree.Summation) -> int | None:
        """Return the size of a sum whose body doesn't tell what its letter runs over: from its upper bound."""
        match node.high:
            case Number(value) if value.denominator == 1:
                return int(value)
            case Name():
                return self.draw.count(self.names.of(node.high).key)
        return None

    def limits(self, node: tree.Summation, sizes: dict[str, int]) -> Value | None:
        """Return where a letter lies between its bounds; None if it runs over all."""
        if node.low is None or node.high is None or len(node.letters) != 1:
            return None
        letter = node.letters[0]
        size = sizes[letter]
        low, high = (self._limit(bound, size) for bound in (node.low, node.high))
        if low is None or high is None or (low == 0 and high == size - 1):
            return None
        if low == 1 and isinstance(high, int) and high != size:
            raise CountFault(f"the sum over {letter} ends at {high}, and {letter} runs over {size}")
        if low == 1 and high == size:
            return None
        at = np.arange(1, size + 1)
        from .letters import index_value

        mask = at >= low if isinstance(low, int) else np.ones(size, bool)
        found = Value(mask, (letter,))
        if not isinstance(high, int):
            from .value import elementwise

            found = elementwise(found, index_value(high, self, counted=1), lambda m, h: m & (_column(m) <= h))
        return found

    def _limit(self, bound: Node, size: int) -> int | Node | None:
        match bound:
            case Number(value):
                return int(value)
            case Name(base) if base in self.letters:
                return bound
            case tree.Add((Name(base), *_)) if base in self.letters:
                return bound
        return None


def _is_turned(definition: Definition) -> bool:
    """Whether a further side of the definition is a transpose: a gradient that lies as a row."""
    return any(isinstance(side, tree.Transpose) for equation in definition.equations for side in equation.sides[2:])


def _is_gradient(definition: Definition) -> bool:
    return isinstance(definition.branches[0][0], tree.Derivative)


def _column(mask: Array) -> Array:
    return np.arange(1, mask.shape[0] + 1).reshape(-1, *[1] * (mask.ndim - 1))


def _whole(value: Value, letters: tuple[str, ...], known: dict[str, int], quantity: Quantity, scene: Scene) -> Value:
    """Turn the letters of a left side into positional axes, in its order; hidden letters stay."""
    hidden = tuple(letter for letter in value.letters if letter not in letters)
    loose = [letter for letter in hidden if not letter.startswith("~")]
    if loose:
        raise CountFault(f"the index {loose[0]} is on the right side of the definition of {quantity.family} alone")
    array = over(value, (*hidden, *letters))
    sizes = {**value.sizes, **known}
    array = np.broadcast_to(array, [*[sizes[letter] for letter in (*hidden, *letters)], *value.shape])
    axes = tuple(Axis() for _ in range(len(letters))) + tuple(Axis() for _ in value.axes)
    turned = value.turned if len(axes) == 1 and value.axes else ""
    if len(axes) == 1 and not turned:
        turned = "column" if scene.columns else "row"
    return Value(np.array(array), hidden, axes, turned)
