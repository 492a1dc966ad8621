"""`Context`: one reading of a whole document: what is defined, how many axes each name has; the value of any tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np

from ..formula import tree
from ..formula.tree import Condition, Name, Node, Number
from .compare import compare
from .definitions import Definitions, Equation
from .draw import SPANS, Adjustment, Draw
from .evaluate import evaluate
from .functions import ELEMENTWISE, OpenFunction
from .letters import mask_of, sizes_of_letters
from .names import Names, Quantity, walk
from .ranks import Reading
from .scene import SOLVED, Scene
from .shapes import samples_last
from .uses import quantities_of
from .value import Array, Axis, Fault, UnknownFault, Value

__all__ = ["Context"]

FEWER_READINGS = 2
POSITIVE = ("positive", "")
"""What draws satisfy for a formula whose logarithms need positive numbers, though no definition does."""
HUGE = 1e40
_NO_NUMBERS = (ValueError, IndexError, ArithmeticError, RecursionError, MemoryError)
"""What NumPy and Python raise where numbers are too large, or too many."""
TURNS = 3
"""How many draws a statement is compared on, each with other sizes and numbers."""
TURNS_OF_KINKS = 10
"""The same for a document with max(0, z), |x| or cases of numbers: a number has to lie on each side."""
KINKS = ("max", "min", "relu", "ReLU", "Relu", "abs", "sign", "sgn", "step")


@dataclass
class Context:
    """One reading of a document. `contexts` makes them; `value` and `compare` are what a judge needs."""

    equations: Sequence[Equation]
    names: Names
    definitions: Definitions
    labels: frozenset[str]
    is_kronecker: bool
    reading: Reading
    open_of: dict[str, tuple[str, ...]] = field(default_factory=dict)
    zero_based: frozenset[str] = frozenset()
    indexed: frozenset[str] = frozenset()
    connected: frozenset[str] = frozenset()  # families that a definition speaks of
    draws: dict[tuple[int, frozenset[Adjustment]], Draw] = field(default_factory=dict)

    @property
    def columns(self) -> bool:
        """Whether vectors are columns."""
        return self.reading.columns

    def rank(self, family: str) -> int | None:
        """Return how many axes a name has; None if it is not a quantity."""
        return self.reading.ranks.get(self.definitions.target(family))

    def samples_last(self, quantity: Quantity) -> bool:
        """Whether the one index of a matrix is that of its columns: ``dZ^{(i)}`` where samples are columns."""
        return samples_last(quantity, self.columns)

    def numbers_samples(self, quantity: Quantity) -> bool:
        """Whether a vector has a number for each sample: Z of ``Z = w^T X + b``, a row where samples are columns."""
        family = self.definitions.target(quantity.family)
        return family in self.names.samples.values() and self.rank(family) == 1

    @cached_property
    def has_kinks(self) -> bool:
        """Whether the document has a function with a kink, or cases that compare numbers."""
        parts = [part for equation in self.equations for node in equation.nodes for part in walk(node)]
        return any(
            isinstance(part, tree.Absolute)
            or (isinstance(part, tree.Call) and part.function.base in KINKS)
            or (isinstance(part, Condition) and part.relation in ("<", ">", "<=", ">="))
            for part in parts
        )

    @property
    def turns(self) -> int:
        """How many draws a statement is compared on."""
        return TURNS_OF_KINKS if self.has_kinks else TURNS

    def class_axes(self) -> list[object]:
        """Return the axes that a softmax runs along, written out or not."""
        found: list[object] = []
        for node in (node for equation in self.equations for node in equation.nodes):
            for part in walk(node):
                if isinstance(part, tree.Call) and part.function.base in ("softmax", "log_softmax"):
                    of = part.arguments[0]
                    if isinstance(of, Name) and not of.below:
                        key = self.names.of(of).key
                        rank = self.rank(self.names.of(of).family) or 0
                        found.append(("axis", key, 0 if rank == 2 and self.columns else max(rank, 1) - 1))
                if isinstance(part, tree.Quotient) and isinstance(part.below, tree.Summation):
                    found += self._axes_of(part.below)
        return found

    def _axes_of(self, node: tree.Summation) -> list[object]:
        """The axes that the letters of a sum run over."""
        found: list[object] = []
        for name, _ in quantities_of([node.body]):
            quantity = self.names.of(name)
            for position, index in enumerate(quantity.indices):
                if isinstance(index, Name) and index.base in node.letters:
                    found.append(("axis", quantity.key, position))
        return found

    def is_label(self, family: str) -> bool:
        """Whether a name is a class label, used as an index."""
        return family in self.labels

    def is_given(self, equation: Equation) -> bool:
        """Whether an equation defines something."""
        return equation.replaced or id(equation) in self.definitions.given

    def is_parameter(self, function: str, index: Node) -> bool:
        """Whether an index of a function names a parameter of it (theta in ``h_theta(x)``): no index at all."""
        defined = self.definitions.functions.get(function)
        whole = isinstance(index, Name) and not index.below and (self.rank(index.base) or 0) > 0
        return whole or (
            defined is not None and any(isinstance(part, Name) and part == index for part in walk(defined.body))
        )

    def reaches(self, of: Node, quantity: Quantity, names: Names) -> bool:
        """Whether the document connects a variable with anything: a definition, or what is differentiated itself."""
        if quantity.family in self.connected or self.definitions.defines(quantity.key):
            return True
        return any(isinstance(part, Name) and names.of(part).family == quantity.family for part in walk(of))

    def first_index(self, family: str) -> int:
        """Return the number of the first component: 1, or 0 for a name whose components are counted from 0."""
        return 0 if family in self.zero_based else 1

    def function(self, name: str) -> Callable[[Array], Any] | None:
        """Return a known function of one number; None for an open one."""
        return ELEMENTWISE.get(name)

    def open_function(self, name: str, turn: int) -> Callable[[Array], Any]:
        """Return a random smooth function for a name that nothing defines; it knows its derivatives."""
        rng = np.random.default_rng([turn, crc32(name.encode())])
        return _Open(OpenFunction(*rng.uniform(0.3, 0.9, 3), *rng.uniform(0.05, 0.3, 2)))

    def draw(self, turn: int = 0, adjusted: Iterable[Adjustment] = ()) -> Draw:
        """Return random numbers; `adjusted` says what they satisfy: ``("sum to one", "y")``."""
        key = (turn, frozenset(adjusted))
        if key not in self.draws:
            self.draws[key] = self._finite(Draw(self, self.reading.dims, turn, key[1]))
        return self.draws[key]

    def _finite(self, draw: Draw) -> Draw:
        """Take positive numbers where a logarithm or a root needs them."""
        for span in range(POSITIVE in draw.adjusted, len(SPANS)):
            draw.span = span
            draw.arrays.clear()
            draw.values.clear()
            scene = self.scene(draw)
            finite = True
            for key, definition in self.definitions.found.items():
                try:
                    with np.errstate(all="ignore"):
                        value = scene.array(replace(self.names.of(definition.name), key=key))
                except (Fault, *_NO_NUMBERS):
                    continue
                finite &= bool(np.isfinite(value.array).all())
            if finite:
                break
        return draw

    def scene(self, draw: Draw, letters: dict[str, int] | None = None, dots: bool = False) -> Scene:
        """Return where trees are evaluated."""
        usual = {letter: draw.size(dim) for letter, dim in self.reading.letters.items()}
        return Scene(self, draw, self.names, dict(letters or {}), usual, cache=draw.arrays, dots=dots)

    def letters(self, nodes: Iterable[object], draw: Draw) -> dict[str, int]:
        """Return the sizes of the free letters of a statement: of all its sides and its condition together."""
        return sizes_of_letters(nodes, self.scene(draw))

    def value(self, node: Node, draw: Draw, letters: dict[str, int] | None = None, *, dots: bool = False) -> Value:
        """Return the value of a tree on a draw; raise a `Fault` (in words) if it has none.

        Give the `letters` of the whole statement, since a letter may stand in a delta alone on one side.
        """
        found = self.letters([node], draw) if letters is None else letters
        try:
            with np.errstate(all="ignore"):
                return evaluate(node, self.scene(draw, found, dots))
        except _NO_NUMBERS:
            raise UnknownFault("no numbers can be found for it") from None

    def mask(self, condition: Condition, draw: Draw, letters: dict[str, int]) -> Value:
        """Return where a condition holds."""
        return mask_of(condition, self.scene(draw, letters))

    def compare(
        self,
        left: Node,
        right: Node,
        condition: Condition | None = None,
        *,
        adjusted: Iterable[Adjustment] = (),
        turns: Sequence[int] | None = None,
    ) -> str:
        """Return how two trees agree on every draw: "same", "component", "implied", "transposed", or "".

        Raise a `Fault` if a side has no value: a `ShapeFault` or a `CountFault` if the formula can't be right as it
        stands, an `UnknownFault` if numbers can't be found.
        """
        if turns is None:
            turns = range(self.turns)
        try:
            found = self._agreement(left, right, condition, tuple(adjusted), turns)
        except DomainFault:
            return self._agreement(left, right, condition, (*adjusted, POSITIVE), turns)
        if found or not self.definitions.solutions or not self._solved_side(left, right, turns):
            return found
        try:
            return self._agreement(left, right, condition, (*adjusted, SOLVED), turns)
        except Fault:
            return found

    def _solved_side(self, left: Node, right: Node, turns: Sequence[int]) -> bool:
        """Whether an equation may hold where a gradient was set to zero: then it says more than that zero is zero."""
        if isinstance(right, Number):
            return right.value == 0
        try:
            value = self.value(right, self.draw(turns[0], (SOLVED,)), self.letters([left, right], self.draw(turns[0])))
        except Fault:
            return False
        return bool(np.abs(value.array).max(initial=0) > 1e-6)

    def _agreement(
        self,
        left: Node,
        right: Node,
        condition: Condition | None,
        adjusted: Sequence[Adjustment],
        turns: Sequence[int],
    ) -> str:
        fault: Fault | None = None
        best = ""
        for dots in (False, True) if _has_dot([left, right]) else (False,):
            try:
                kinds = [self._compared(left, right, condition, self.draw(turn, adjusted), dots) for turn in turns]
            except Fault as found:
                fault = fault or found
                continue
            worst = max(kinds, key=_KINDS.index)
            if worst == "same":
                return worst
            best, fault = min(best, worst, key=_KINDS.index), None
        if fault is not None:
            raise fault
        return best

    def _compared(self, left: Node, right: Node, condition: Condition | None, draw: Draw, dots: bool) -> str:
        nodes: list[object] = [left, right]
        letters = self.letters([*nodes, condition] if condition else nodes, draw)
        one = self.value(left, draw, letters, dots=dots)
        other = self.value(right, draw, letters, dots=dots)
        if POSITIVE not in draw.adjusted and not (_is_inside(one) and _is_inside(other)):
            raise DomainFault("its values are not finite on random numbers")
        return compare(one, other, self.mask(condition, draw, letters) if condition else None)

    def undefined(self, quantity: Quantity, scene: Scene) -> Value:
        """Return an array that nothing defines: random numbers, or an open function of what it depends on."""
        if quantity.key == "~samples":
            return Value(np.asarray(float(self._samples(scene.draw))))
        shape = scene.shape(quantity)
        turned = ("column" if self.columns != self.numbers_samples(quantity) else "row") if len(shape) == 1 else ""
        axes = tuple(Axis() for _ in shape)
        on = self.open_of.get(quantity.key)
        if not on:
            return Value(scene.draw.numbers(quantity), (), axes, turned)
        return self._open_array(quantity, on, shape, axes, turned, scene)

    def _samples(self, draw: Draw) -> int:
        """How many samples there are: an axis of the first matrix that a name such as dZ belongs to."""
        derived = self.definitions.derived
        for target in derived.targets.values() if derived else ():
            if self.rank(target) == 2 and self.definitions.defines(target):
                return draw.shape(Quantity(target, target, ()))[1 if self.columns else 0]
        return 1

    def _open_array(
        self,
        quantity: Quantity,
        on: Sequence[str],
        shape: tuple[int, ...],
        axes: tuple[Axis, ...],
        turned: str,
        scene: Scene,
    ) -> Value:
        """A smooth function of other arrays: sums of sines of random combinations of their entries."""
        total = Value(np.zeros(shape), (), axes, turned)
        for key in on:
            family = key.partition("^")[0]
            argument = scene.array(Quantity(family, key, ()))
            named = len(argument.letters)
            flat = argument.array.reshape(*argument.array.shape[:named], -1)
            rng = np.random.default_rng([scene.draw.turn, crc32(f"{quantity.key} of {key}".encode())])
            weights = rng.uniform(-1, 1, (flat.shape[-1], *shape))
            mixed = np.tensordot(flat, weights, axes=1)
            array = np.sin(mixed + rng.uniform(0, 1)) + 0.3 * mixed * mixed
            from .value import elementwise

            if self.has_kinks and scene.draw.turn % 2:
                array = -array  # each side of a kink is seen
            total = elementwise(total, Value(array, argument.letters, axes, turned), np.add)
        return total


class DomainFault(UnknownFault):
    """A logarithm or a root of negative numbers: the formula is compared on positive ones."""


def _is_inside(value: Value) -> bool:
    """Whether all numbers are finite; the derivative of a logarithm by a complex step is huge where it has none."""
    return bool((np.isfinite(value.array) & (np.abs(value.array) < HUGE)).all())


_KINDS = ("same", "component", "implied", "transposed", "")


@dataclass(frozen=True)
class _Open:
    function: OpenFunction
    order: int = 0

    def __call__(self, x: Array) -> Array:
        return self.function(x, self.order)

    def orders(self, order: int) -> _Open:
        return _Open(self.function, self.order + order)


def _has_dot(nodes: Iterable[object]) -> bool:
    return any(isinstance(part, tree.Product) and "cdot" in part.signs for node in nodes for part in walk(node))
