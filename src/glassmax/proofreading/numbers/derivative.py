"""The value of a derivative: measured on the definitions, by a complex step, or by differences where that is nested."""

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ..formula import tree
from ..formula.tree import Name, Node
from .evaluate import evaluate, pick
from .functions import difference_quotient
from .letters import index_value
from .names import Quantity, walk
from .value import Array, Axis, Fault, UnknownFault, Value, over

if TYPE_CHECKING:
    from .scene import Scene

__all__ = ["derivative"]

STEP = 1e-60
MOST_ENTRIES = 1_000
"""Most entries of an array that something is differentiated by."""


class _NestedError(Fault):
    """A derivative is taken while a complex step is under way."""


def derivative(node: tree.Derivative, scene: "Scene") -> Value:
    """Return a derivative: the axes of what is differentiated first, then those of each variable in turn."""
    if not node.by:
        return derivative(replace(node, by=(_argument(node.of, scene),)), scene)
    if scene.stepping:
        raise _NestedError("a derivative within a derivative")
    store = scene.draw.derivatives if not scene.moved else {}
    letters = frozenset(scene.letters.items())
    at = (node.of, node.by, tuple(sorted(scene.names.layers.items())), letters, scene.dots)
    if at not in store:
        store[at] = _measured(node.of, node.by, scene)
    return store[at]


def _argument(of: Node, scene: "Scene") -> Name:
    """The variable of a gradient that names none: the argument of the function."""
    name = of.function if isinstance(of, tree.Call) else of
    function = scene.context.definitions.functions.get(name.base) if isinstance(name, Name) else None
    if function is None or len(function.parameters) != 1:
        raise UnknownFault("the gradient doesn't say by what")
    return function.parameters[0]


def _measured(of: Node, by: tuple[Node, ...], scene: "Scene") -> Value:
    variable = by[-1]
    if isinstance(variable, tree.Transpose):  # of d^2 L / dz dz^T
        variable = variable.of
    if not isinstance(variable, Name):
        raise UnknownFault("the variable of a derivative is no name")
    quantity = scene.names.of(variable)
    if quantity.key in scene.context.definitions.stacked:
        return _by_stacked(of, by, quantity, scene)
    if not scene.context.reaches(of, quantity, scene.names):
        raise UnknownFault(f"nothing says how {quantity.family} enters")
    base = scene.array(quantity)
    if scene.context.is_label(quantity.family):
        raise UnknownFault(f"{quantity.family} is a class label: nothing is differentiated by it")
    letter = f"~{len(scene.moved)}"
    shape = base.shape
    count = prod(shape)
    if count > MOST_ENTRIES:
        raise UnknownFault(f"{quantity.family} has too many entries to be differentiated by")
    unit = np.eye(count).reshape(count, *[1] * len(base.letters), *shape)
    inner = Value(base.array[None], (letter, *base.letters), base.axes, base.turned)

    def at(step: complex, stepping: bool) -> Value:
        there = replace(inner, array=inner.array + step * unit)
        moved = scene.move({quantity.key: there}, stepping)
        if len(by) == 1:
            value = evaluate(of, moved)
        else:
            value = derivative(tree.Derivative(of, by[:-1]), moved)
        if letter not in value.letters:
            value = replace(value, array=np.broadcast_to(value.array, (count, *value.array.shape)))
            value = replace(value, letters=(letter, *value.letters))
        return value

    found = _complex(at) if len(by) == 1 and not _has_derivative(of) else _differences(at)
    axes = _marked(of, found, scene, by)
    rest = tuple(one for one in found.letters if one != letter)
    array = np.moveaxis(over(found, (letter, *rest)), 0, -1)
    array = array.reshape((*array.shape[:-1], *shape))
    mine = tuple(Axis("by", quantity.key, n) for n in range(len(shape)))
    value = Value(array, rest, axes + mine)
    return _picked(value, len(axes), [index_value(one, scene, quantity.family) for one in quantity.indices])


def _by_stacked(of: Node, by: tuple[Node, ...], quantity: Quantity, scene: "Scene") -> Value:
    """The derivative by a matrix W whose columns are the document's w_k."""
    single, turned = scene.context.definitions.stacked[quantity.key]
    value = _measured(of, (*by[:-1], single), scene)
    if len(value.axes) < 2 or len(scene.array(scene.names.of(single)).axes) != 2:
        raise UnknownFault(f"{quantity.family} may be a matrix of the {single.base}, which isn't sure")
    if turned:
        value = replace(value, array=value.array.swapaxes(-1, -2))
    axes = value.axes[:-2] + tuple(Axis("by", quantity.key, n) for n in range(2))
    indices = [index_value(one, scene, quantity.family) for one in quantity.indices]
    return _picked(replace(value, axes=axes), len(value.axes) - 2, indices)


def _complex(at: Callable[[complex, bool], Value]) -> Value:
    try:
        found = at(STEP * 1j, True)
    except _NestedError:
        return _differences(at)
    return replace(found, array=np.imag(found.array) / STEP)


def _differences(at: Callable[[complex, bool], Value]) -> Value:
    first = at(0.0, False)

    def array(step: float) -> Array:
        return over(at(step, False), first.letters)

    return replace(first, array=difference_quotient(array))


def _has_derivative(node: Node) -> bool:
    return any(isinstance(part, tree.Derivative) for part in walk(node))


def _marked(of: Node, value: Value, scene: "Scene", by: tuple[Node, ...]) -> tuple[Axis, ...]:
    """The positional axes of what is differentiated, marked with its name."""
    if len(by) > 1:
        return value.axes
    if isinstance(of, Name):
        quantity = scene.names.of(of)
        done = len(quantity.indices)
        return tuple(Axis("of", quantity.key, done + n) for n in range(len(value.axes)))
    return tuple(Axis() for _ in value.axes)


def _picked(value: Value, first: int, indices: list[Value]) -> Value:
    """Index the positional axes from `first` on."""
    if not indices:
        return value
    named = len(value.letters)
    count = len(indices)
    order = [*range(named), *range(named + first, named + first + count)]
    order += [*range(named, named + first), *range(named + first + count, value.array.ndim)]
    axes = value.axes[first : first + count] + value.axes[:first] + value.axes[first + count :]
    return replace(pick(replace(value, array=value.array.transpose(order), axes=axes), indices), turned="")
