"""Functions of a formula on numbers: known ones, those that the document defines, and open ones."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from ..formula import tree
from ..formula.tree import Name, Number
from .definitions import Definition, Function
from .evaluate import evaluate, pick
from .functions import difference_quotient
from .letters import index_value
from .names import Quantity
from .value import Array, Axis, ShapeFault, UnknownFault, Value, elementwise
from .vocabulary import CROSS_ENTROPIES, LOSS_FUNCTIONS

if TYPE_CHECKING:
    from .scene import Scene

__all__ = ["call"]

COMPLEX_STEP = 1e-60


def call(node: tree.Call, scene: "Scene") -> Value:
    """Return a function of its arguments, and the entry of it that its indices name."""
    name, primes = node.function.base, node.function.primes
    if not primes and name in scene.context.definitions.functions:
        value = _defined(scene.context.definitions.functions[name], node, scene)
    elif name in _REDUCTIONS and not primes:
        value = _REDUCTIONS[name](node, scene)
    elif name in ("max", "min") and not primes:
        value = _extreme(node, scene)
    else:
        value = _entrywise(node, scene)
    below = [
        one for one in node.function.below if not (isinstance(one, Name) and scene.context.is_parameter(name, one))
    ]
    if below and value.axes:
        return pick(value, [index_value(one, scene) for one in below])
    return value


def _entrywise(node: tree.Call, scene: "Scene") -> Value:
    """A function of one number, or a derivative of it, entry by entry."""
    if len(node.arguments) != 1:
        return _open(node, scene)
    value = evaluate(node.arguments[0], scene)
    return replace(value, array=_derived(_function(node.function, scene), node.function.primes)(value.array))


def _function(name: Name, scene: "Scene") -> Callable[[Array], Array]:
    defined = scene.context.definitions.functions.get(name.base)
    if defined is not None:
        parameter = scene.names.of(defined.parameters[0])

        def body(x: Array) -> Array:
            letters = tuple(f"~{scene.depth}.{n}" for n in range(x.ndim))
            there = scene.move({parameter.key: Value(x, letters)})
            found = evaluate(defined.body, replace(there, letters={}))
            if found.axes:
                raise ShapeFault("the value of a function of one number is an array")
            if set(letters) != set(found.letters):
                from .value import over

                return np.broadcast_to(over(found, letters), x.shape)
            return found.array.transpose([found.letters.index(letter) for letter in letters])

        return body
    known = scene.context.function(name.base)
    if known is not None:
        return known
    return scene.context.open_function(name.base, scene.draw.turn)


def _derived(function: Callable[[Array], Array], order: int) -> Callable[[Array], Array]:
    """The derivative of some order of a function of one number."""
    if order == 0:
        return function
    exact = getattr(function, "orders", None)
    if exact is not None:
        found: Callable[[Array], Array] = exact(order)
        return found
    lower = _derived(function, order - 1)

    def slope(x: Array) -> Array:
        if order == 1 and not np.iscomplexobj(x):
            exact_slope: Array = np.imag(function(x + COMPLEX_STEP * 1j)) / COMPLEX_STEP
            return exact_slope  # near a kink, differences would reach over it
        quotient: Array = difference_quotient(lambda step: lower(x + step))
        return quotient

    return slope


def _open(node: tree.Call, scene: "Scene") -> Value:
    """A function of several arguments that nothing defines: smooth, the same each time."""
    if node.function.base in LOSS_FUNCTIONS and len(node.arguments) == 2 and not node.function.primes:
        return _loss(node, scene)
    total: Value | None = None
    for n, argument in enumerate(node.arguments):
        value = evaluate(argument, scene)
        function = scene.context.open_function(f"{node.function.base}{n}", scene.draw.turn)
        part = replace(value, array=_derived(function, node.function.primes)(value.array))
        total = part if total is None else elementwise(total, part, np.multiply, scene.columns)
    if total is None:
        raise UnknownFault(f"{node.function.base} has no argument")
    return total


def _loss(node: tree.Call, scene: "Scene") -> Value:
    """A loss that is written as a function of two arrays: the cross-entropy, or a smooth function of all entries."""
    one, other = (replace(evaluate(argument, scene), turned="") for argument in node.arguments)
    if node.function.base in CROSS_ENTROPIES:
        if len(one.axes) != 1 or len(other.axes) != 1:
            raise UnknownFault(f"{node.function.base} is read as the cross-entropy of two vectors only")
        first = node.arguments[0]
        if isinstance(first, Name) and scene.context.definitions.defines(scene.names.of(first).key):
            one, other = other, one  # CE(y_hat, y): the targets are what nothing defines
        terms = elementwise(one, replace(other, array=np.log(other.array)), np.multiply)
        return Value(-terms.array.sum(axis=-1), terms.letters)
    total: Value | None = None
    for n, value in enumerate((one, other)):
        flat = value.array.reshape(*value.array.shape[: len(value.letters)], -1)
        rng = np.random.default_rng([scene.draw.turn, crc32(f"{node.function.base}{n}".encode())])
        mixed = flat @ rng.uniform(-1, 1, (flat.shape[-1], 3))
        part = Value((np.sin(mixed + rng.uniform(0, 1, 3)) + 0.3 * mixed * mixed).sum(axis=-1), value.letters)
        total = part if total is None else elementwise(total, replace(part, array=2 + part.array), np.multiply)
    assert total is not None
    return total


def _defined(function: Function, node: tree.Call, scene: "Scene") -> Value:
    """A function that the document defines, on its arguments."""
    if len(node.arguments) != len(function.parameters):
        raise UnknownFault(f"{function.name} has {len(function.parameters)} arguments where it is defined")
    moved: dict[str, Value] = {}
    letters: dict[str, int] = {}
    renamed: dict[str, str] = {}
    for argument, parameter in zip(node.arguments, function.parameters, strict=True):
        quantity = scene.names.of(parameter)
        value = evaluate(argument, scene)
        own = [one.base for one in quantity.indices if isinstance(one, Name)]
        if own:
            value, pairs = _as_array(value, own, argument, scene)
            renamed |= pairs
            letters |= dict(zip(own, value.shape, strict=False))
        moved[quantity.key] = value
    found = evaluate(function.body, replace(scene.move(moved), letters={**scene.letters, **letters}))
    back = tuple(renamed.get(letter, letter) for letter in found.letters)
    whole = [letter for letter in found.letters if letter in letters and letter not in renamed]
    if whole:
        from .value import over

        rest = tuple(letter for letter in found.letters if letter not in whole)
        axes = tuple(Axis() for _ in whole) + found.axes
        return Value(over(found, (*rest, *whole)), rest, axes, "column" if len(axes) == 1 else "")
    return replace(found, letters=back)


def _as_array(value: Value, own: list[str], argument: object, scene: "Scene") -> tuple[Value, dict[str, str]]:
    """The argument as an array: ``sigma(z_k)`` of a function that is defined as ``sigma(z_i)``, over all of z."""
    if len(value.axes) == len(own):
        return value, {}
    indices = scene.names.of(argument).indices if isinstance(argument, Name) else ()
    letters = [one.base for one in indices if isinstance(one, Name)]
    if len(letters) != len(own) or not set(letters) <= set(value.letters):
        raise ShapeFault("the argument of the function isn't of the kind that it is defined for")
    rest = tuple(letter for letter in value.letters if letter not in letters)
    from .value import over

    axes = tuple(Axis() for _ in own)
    return Value(over(value, (*rest, *letters)), rest, axes), dict(zip(own, letters, strict=True))


def _along(node: tree.Call, scene: "Scene") -> tuple[Value, str]:
    """The argument of a softmax, and the letter it runs along if it is written with one: ``softmax(z_i)``."""
    if len(node.arguments) != 1:
        raise UnknownFault(f"{node.function.base} takes one argument")
    value = evaluate(node.arguments[0], scene)
    if value.axes:
        return value, ""
    visible = [letter for letter in value.letters if not letter.startswith("~")]
    argument = node.arguments[0]
    below = [one.base for one in getattr(argument, "below", ()) if isinstance(one, Name) and one.base in visible]
    along = below[-1:] or visible[-1:]
    if not along:
        raise ShapeFault(f"{node.function.base} takes a vector")
    return value, along[0]


def _softmax(node: tree.Call, scene: "Scene") -> Value:
    value, letter = _along(node, scene)
    axis = value.letters.index(letter) if letter else value.array.ndim - 1
    if not letter and len(value.axes) == 2 and scene.columns:
        axis -= 1
    powers = np.exp(value.array - value.array.real.max(axis=axis, keepdims=True))
    total = powers.sum(axis=axis, keepdims=True)
    if node.function.base == "log_softmax":
        shifted = value.array - value.array.real.max(axis=axis, keepdims=True)
        return replace(value, array=shifted - np.log(total))
    return replace(value, array=powers / total)


def _whole_sum(node: tree.Call, scene: "Scene") -> Value:
    name = node.function.base
    if len(node.arguments) == 2 and isinstance(node.arguments[1], Number):
        return _along_axis(name, evaluate(node.arguments[0], scene), int(node.arguments[1].value))
    value, letter = _along(node, scene)
    axes = (value.letters.index(letter),) if letter else tuple(range(len(value.letters), value.array.ndim))
    array = np.exp(value.array) if name == "logsumexp" else value.array
    array = array.mean(axis=axes) if name == "mean" else array.sum(axis=axes)
    left = tuple(one for one in value.letters if one != letter)
    return Value(np.log(array) if name == "logsumexp" else array, left)


def _along_axis(name: str, value: Value, axis: int) -> Value:
    """The sum or mean along one axis, as NumPy counts them."""
    count = len(value.axes)
    if not -count <= axis < count:
        raise ShapeFault(f"there is no axis {axis}")
    place = len(value.letters) + axis % count
    array = value.array.sum(axis=place) if name == "sum" else value.array.mean(axis=place)
    return Value(array, value.letters, value.axes[: axis % count] + value.axes[axis % count + 1 :])


def _length(node: tree.Call, scene: "Scene") -> Value:
    """The length of an axis: ``X.shape[0]``."""
    shape = evaluate(node.arguments[0], scene).shape
    axis = node.arguments[1]
    if not isinstance(axis, Number) or not -len(shape) <= axis.value < len(shape):
        raise ShapeFault("there is no such axis")
    return Value(np.asarray(float(shape[int(axis.value)])))


def _one_hot(node: tree.Call, scene: "Scene") -> Value:
    """1 at the class of each sample in an array like the first argument."""
    like, labels = (evaluate(argument, scene) for argument in node.arguments)
    if len(like.axes) != 2 or labels.array.shape != like.shape[:1]:
        raise ShapeFault("the labels don't fit the array that they are an index of")
    return Value(np.eye(like.shape[1])[labels.array.real.astype(int)], (), like.axes)


def _at_labels(node: tree.Call, scene: "Scene") -> Value:
    """The entry of each row that the labels name."""
    value, labels = (evaluate(argument, scene) for argument in node.arguments)
    if len(value.axes) != 2 or labels.array.shape != value.shape[:1]:
        raise ShapeFault("the labels don't fit the array that they are an index of")
    hot = np.eye(value.shape[1])[labels.array.real.astype(int)]
    return Value((value.array * hot).sum(axis=-1), value.letters, value.axes[:1])


def _trace(node: tree.Call, scene: "Scene") -> Value:
    value = evaluate(node.arguments[0], scene)
    if not value.axes:
        return value
    if len(value.axes) != 2 or value.shape[0] != value.shape[1]:
        raise ShapeFault("a trace is taken of a square matrix")
    return Value(np.trace(value.array, axis1=-2, axis2=-1), value.letters)


def _diagonal(node: tree.Call, scene: "Scene") -> Value:
    value = evaluate(node.arguments[0], scene)
    if len(value.axes) == 1:
        return Value(value.array[..., None] * np.eye(value.shape[0]), value.letters, (Axis(), Axis()))
    if len(value.axes) == 2 and value.shape[0] == value.shape[1]:
        return Value(np.diagonal(value.array, axis1=-2, axis2=-1), value.letters, (Axis(),), "column")
    raise ShapeFault("diag takes a vector or a square matrix")


def _extreme(node: tree.Call, scene: "Scene") -> Value:
    values = [evaluate(argument, scene) for argument in node.arguments]
    sign = 1 if node.function.base == "max" else -1
    if len(values) == 1:
        raise UnknownFault(f"the {node.function.base} of one array")
    total = values[0]
    for value in values[1:]:
        total = elementwise(total, value, lambda a, b: np.where(sign * (a.real - b.real) > 0, a, b), scene.columns)
    return total


def _anchored(node: tree.Call, scene: "Scene") -> Value:
    """A loss that only its derivative by one array is known of: the array times that derivative, which stays fixed."""
    derived = scene.context.definitions.derived
    if derived is None or derived.anchor is None or not isinstance(derived.anchor.sides[0], Name):
        raise UnknownFault("nothing tells what the loss is")
    left, right = derived.anchor.sides[0], derived.anchor.sides[-1]
    assert right is not None
    quantity = scene.names.of(left)
    fixed = scene.context.scene(scene.draw).defined(quantity, Definition(left, ((right, None),), scene.names))
    key = scene.context.definitions.target(quantity.key)
    array = scene.array(Quantity(key.partition("^")[0], key, ()))
    product = elementwise(replace(array, turned=""), replace(fixed, turned=""), np.multiply)
    total = product.array.sum(axis=tuple(range(len(product.letters), product.array.ndim)))
    loss = Value(total, product.letters)
    if derived.samples is None:
        return loss
    return elementwise(loss, evaluate(derived.samples, scene), np.divide)


_REDUCTIONS: dict[str, Callable[[tree.Call, "Scene"], Value]] = {
    "softmax": _softmax,
    "log_softmax": _softmax,
    "sum": _whole_sum,
    "mean": _whole_sum,
    "logsumexp": _whole_sum,
    "tr": _trace,
    "trace": _trace,
    "diag": _diagonal,
    "~anchored": _anchored,
    "length": _length,
    "one_hot": _one_hot,
    "at_labels": _at_labels,
}
