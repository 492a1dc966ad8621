"""The value of a tree on one draw."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..formula import tree
from ..formula.tree import Name, Node, Number
from .functions import ELEMENTWISE
from .letters import index_value, mask_of, sizes_of_letters
from .value import Array, Axis, CountFault, ShapeFault, UnknownFault, Value, elementwise, over, times

if TYPE_CHECKING:
    from .scene import Scene

__all__ = ["evaluate", "pick", "summed"]

MOST_NUMBERS = 300_000
"""Most numbers of one intermediate value."""
MOST_KEPT = 20_000
"""Most values of parts that are kept with a draw."""


def evaluate(node: Node, scene: "Scene") -> Value:
    """Return the value of a tree; raise a `Fault` if it has none.

    The values of parts are kept with the draw: corrections of a line share all of its parts but one.
    """
    if scene.depth or scene.moved:
        return _evaluated(node, scene)
    kept, at = scene.draw.values, (id(node), scene.dots, *scene.letters.items())
    if at not in kept:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[at] = (node, _evaluated(node, scene))  # the node is kept, so that no other has its identity
    return kept[at][1]


def _evaluated(node: Node, scene: "Scene") -> Value:
    value = _value(node, scene)
    if value.array.size > MOST_NUMBERS:
        raise UnknownFault("too many indices in one product to be compared on numbers")
    return value


def _value(node: Node, scene: "Scene") -> Value:
    scene.spend()
    match node:
        case Number(number):
            return Value(np.asarray(float(number)))
        case Name():
            return _name(node, scene)
        case tree.Add(terms):
            return _sum_of([evaluate(term, scene) for term in terms], scene)
        case tree.Negative(of):
            value = evaluate(of, scene)
            return replace(value, array=-value.array)
        case tree.Product(factors, signs):
            return _product([evaluate(factor, scene) for factor in factors], signs, scene)
        case tree.Quotient(above, below):
            return _quotient(evaluate(above, scene), evaluate(below, scene), scene)
        case tree.Power(base, exponent):
            return _power(base, exponent, scene)
        case tree.Summation():
            return _summation(node, scene)
        case tree.Call():
            from .calls import call

            return call(node, scene)
        case tree.Derivative():
            from .derivative import derivative

            return derivative(node, scene)
        case tree.Cases(branches):
            return _cases(branches, scene)
        case tree.Indicator(condition):
            mask = mask_of(condition, scene)
            return replace(mask, array=mask.array.astype(float))
        case tree.Matrix(rows):
            return _matrix(rows, scene)
        case tree.Transpose(of):
            return transposed(evaluate(of, scene), scene)
        case tree.Entry(of, below):
            return pick(evaluate(of, scene), [index_value(one, scene) for one in below])
        case tree.Norm(of):
            return _norm(evaluate(of, scene))
        case tree.Absolute(of):
            value = evaluate(of, scene)
            return replace(value, array=ELEMENTWISE["abs"](value.array))
    raise UnknownFault("a part of the formula has no meaning here")


def _name(name: Name, scene: "Scene") -> Value:
    if name.base == "delta" and len(name.below) == 2 and scene.context.is_kronecker:
        one, other = (index_value(below, scene) for below in name.below)
        return elementwise(one, other, lambda a, b: (a == b).astype(float))
    if name.base == "e" and not name.below and not name.above and not scene.known("e"):
        return Value(np.asarray(np.e))
    if name.base == "pi" and not name.below and not scene.known("pi"):
        return Value(np.asarray(np.pi))
    quantity = scene.names.of(name)
    counted = name.base in scene.letters and name.base not in scene.names.silent
    if not name.below and not name.above and counted and not scene.known(quantity.key):
        return index_value(name, scene, counted=1)
    whole = scene.array(quantity)
    if scene.context.samples_last(quantity) and len(whole.axes) == 2:
        whole = replace(whole, array=whole.array.swapaxes(-1, -2), axes=whole.axes[::-1])
    if len(quantity.indices) > len(whole.axes):
        raise CountFault(f"{name.base} has {_indices(len(whole.axes))} elsewhere, {len(quantity.indices)} here")
    return pick(whole, [index_value(one, scene, quantity.family) for one in quantity.indices])


def _indices(count: int) -> str:
    return {0: "no index", 1: "one index"}.get(count, f"{count} indices")


def pick(value: Value, indices: Sequence[Value]) -> Value:
    """Index the first positional axes; letters that the value and an index share are matched."""
    if not indices:
        return value
    if len(indices) > len(value.axes):
        raise CountFault(f"{len(indices)} indices of something that has {len(value.axes)}")
    letters = value.letters
    sizes = value.sizes
    for index in indices:
        for letter, size in index.sizes.items():
            if sizes.setdefault(letter, size) != size:
                raise ShapeFault(f"{letter} runs over {size} in one place and over {sizes[letter]} in another")
        letters = tuple(dict.fromkeys(letters + index.letters))
    grids: list[Array] = []
    for n, letter in enumerate(letters):
        if letter in value.letters:
            shape = [1] * len(letters)
            shape[n] = -1
            grids.append(np.arange(sizes[letter]).reshape(shape))
    order = sorted(range(len(value.letters)), key=lambda n: letters.index(value.letters[n]))
    array = value.array.transpose([*order, *range(len(value.letters), value.array.ndim)])
    for n, index in enumerate(indices):
        at = over(index, letters).astype(int)
        size = value.shape[n]
        if at.min(initial=0) < 0 or at.max(initial=0) >= size:
            raise ShapeFault(f"an index runs beyond the {size} entries")
        grids.append(at)
    result = array[tuple(grids)]
    result = np.broadcast_to(result, (*[sizes[letter] for letter in letters], *value.shape[len(indices) :]))
    axes = value.axes[len(indices) :]
    return Value(result, letters, axes, value.turned if len(axes) == len(value.axes) else _turned(axes, value))


def _turned(axes: tuple[Axis, ...], value: Value) -> str:
    return (
        "column" if len(axes) == 1 and not any(axis.side for axis in axes) and value.turned != "row" else value.turned
    )


def _sum_of(values: Sequence[Value], scene: "Scene") -> Value:
    total = values[0]
    for value in values[1:]:
        total = elementwise(total, value, np.add, scene.columns)
    return total


def _product(values: list[Value], signs: Sequence[str], scene: "Scene") -> Value:
    """Multiply from the left; if shapes don't fit so, first what stands side by side without a sign, or from the right.

    Entrywise and outer products always bind least.
    """
    for weak in ("outer", "odot"):
        if weak in signs:
            at = len(signs) - 1 - list(signs)[::-1].index(weak)
            left = _product(values[: at + 1], signs[:at], scene)
            right = _product(values[at + 1 :], signs[at + 1 :], scene)
            return times(left, right, weak, scene.columns)
    fault: ShapeFault | None = None
    for together in (_from_left, _sides_first, _from_right):
        try:
            return together(values, signs, scene)
        except ShapeFault as found:
            fault = fault or found
    raise fault or ShapeFault("no product")


def _times(a: Value, b: Value, sign: str, scene: "Scene") -> Value:
    return times(a, b, "@" if sign == "cdot" and scene.dots else sign, scene.columns)


def _from_left(values: list[Value], signs: Sequence[str], scene: "Scene") -> Value:
    total = values[0]
    for value, sign in zip(values[1:], signs, strict=True):
        total = _times(total, value, sign, scene)
    return total


def _from_right(values: list[Value], signs: Sequence[str], scene: "Scene") -> Value:
    total = values[-1]
    for value, sign in zip(values[-2::-1], signs[::-1], strict=True):
        total = _times(value, total, sign, scene)
    return total


def _sides_first(values: list[Value], signs: Sequence[str], scene: "Scene") -> Value:
    groups, outer = [values[0]], []
    for value, sign in zip(values[1:], signs, strict=True):
        if sign == "":
            groups[-1] = _times(groups[-1], value, "", scene)
        else:
            groups.append(value)
            outer.append(sign)
    return _from_left(groups, outer, scene)


def _quotient(above: Value, below: Value, scene: "Scene") -> Value:
    return elementwise(above, below, np.divide, scene.columns)


def _power(base: Node, exponent: Node, scene: "Scene") -> Value:
    if isinstance(base, Name) and base.base == "e" and not base.below and not scene.known("e"):
        value = evaluate(exponent, scene)
        return replace(value, array=np.exp(value.array))
    value = evaluate(base, scene)
    if isinstance(exponent, tree.Negative) and isinstance(exponent.of, Number):
        exponent = Number(-exponent.of.value)
    match exponent:
        case Number(number) if number.denominator == 1 and number > 0:
            return replace(value, array=value.array ** int(number))
        case Number(number) if number == -1 and len(value.axes) == 2:
            return _inverse(value)
        case Number(number):
            return replace(value, array=_real_power(value.array, number))
    return elementwise(value, evaluate(exponent, scene), np.power, scene.columns)


def _inverse(value: Value) -> Value:
    if value.shape[0] != value.shape[1]:
        raise ShapeFault("only a square matrix has an inverse")
    try:
        return replace(value, array=np.linalg.inv(value.array), axes=value.axes[::-1])
    except np.linalg.LinAlgError:
        raise UnknownFault("a matrix has no inverse on these numbers") from None


def _real_power(array: Array, exponent: Fraction) -> Array:
    result: Array = 1 / array ** int(-exponent) if exponent.denominator == 1 else array ** float(exponent)
    return result


def _summation(node: tree.Summation, scene: "Scene") -> Value:
    inner = scene.without(node.letters)
    sizes = sizes_of_letters([node.body], inner, node.letters)
    for letter in node.letters:
        if letter not in sizes:
            size = scene.bound(node) or scene.usual.get(letter)
            if size is None:
                raise CountFault(f"the sum runs over {letter}, and nothing in it has the index {letter}")
            sizes[letter] = size
    inner = inner.with_letters(sizes)
    body = evaluate(node.body, inner)
    mask = None if node.condition is None else mask_of(node.condition, inner)
    limits = inner.limits(node, sizes)
    return summed(body, node.letters, sizes, [one for one in (mask, limits) if one is not None], node.kind)


def summed(body: Value, letters: Sequence[str], sizes: dict[str, int], masks: Sequence[Value], kind: str) -> Value:
    """Sum, or multiply, over letters, where the masks hold."""
    neutral = 1.0 if kind == "prod" else 0.0
    for mask in masks:
        body = elementwise(body, mask, lambda a, m: np.where(m, a, neutral))
    for letter in letters:
        if letter in body.letters:
            at = body.letters.index(letter)
            array = body.array.prod(axis=at) if kind == "prod" else body.array.sum(axis=at)
            body = replace(body, array=array, letters=body.letters[:at] + body.letters[at + 1 :])
        else:
            size = sizes[letter]
            body = replace(body, array=body.array**size if kind == "prod" else body.array * size)
    return body


def _cases(branches: Sequence[tuple[Node, tree.Condition | None]], scene: "Scene") -> Value:
    """Values by cases: the first that holds."""
    total: Value | None = None
    for value, condition in reversed(branches):
        here = evaluate(value, scene)
        if total is None and condition is None:
            total = here
            continue
        if total is None:
            total = Value(np.asarray(np.nan))
        if condition is None:
            raise UnknownFault("a case without a condition stands before another")
        mask = mask_of(condition, scene)
        chosen = elementwise(here, mask, lambda a, m: np.where(m, a, 0), scene.columns)
        other = elementwise(total, mask, lambda a, m: np.where(m, 0, a), scene.columns)
        total = elementwise(chosen, other, np.add, scene.columns)
    if total is None:
        raise UnknownFault("no case")
    return total


def _matrix(rows: Sequence[Sequence[Node]], scene: "Scene") -> Value:
    """An array entry by entry; one column is a vector; entries that are rows are stacked."""
    values = [[evaluate(entry, scene) for entry in row] for row in rows]
    flat = [value for row in values for value in row]
    if len({len(row) for row in values}) != 1:
        raise ShapeFault("the rows of the matrix have different lengths")
    if any(value.axes for value in flat):
        shapes = {value.shape for value in flat}
        if len(shapes) != 1 or len(values[0]) != 1:
            raise ShapeFault("an entry of the matrix is itself an array")
    letters: tuple[str, ...] = ()
    for value in flat:
        letters = tuple(dict.fromkeys(letters + value.letters))
    arrays = np.broadcast_arrays(*[over(value, letters) for value in flat])
    stacked = np.stack(arrays, axis=len(letters))
    shape, rest = stacked.shape[: len(letters)], stacked.shape[len(letters) + 1 :]
    if len(rows) == 1 and len(rows[0]) > 1:
        return Value(stacked, letters, (Axis(),), "row")
    if len(rows[0]) == 1:
        axes = (Axis(), *(Axis() for _ in rest))
        return Value(stacked, letters, axes, "column" if len(axes) == 1 else "")
    return Value(stacked.reshape(*shape, len(rows), len(rows[0]), *rest), letters, (Axis(), Axis()))


def transposed(value: Value, scene: "Scene") -> Value:
    """A matrix turned over; a column becomes a row."""
    if not value.axes:
        return value
    if len(value.axes) == 1:
        usual = "column" if scene.columns else "row"
        other = {"column": "row", "row": "column"}[value.turned or usual]
        return replace(value, turned=other)
    if len(value.axes) == 2:
        return replace(value, array=value.array.swapaxes(-1, -2), axes=value.axes[::-1])
    raise ShapeFault("only a vector or a matrix has a transpose")


def _norm(value: Value) -> Value:
    array = value.array
    if not value.axes:
        return Value(ELEMENTWISE["abs"](array), value.letters)
    total = (array * array).sum(axis=tuple(range(len(value.letters), array.ndim)))
    return Value(np.sqrt(total), value.letters)
