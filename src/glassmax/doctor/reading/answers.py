"""The learner's gradients, matched with the parameters by name, or by order and shape.

`dW1`, `grad_W1` and `W1` are one name. A loss that is returned with the gradients is separated. Wrong shapes such as
that of a transpose, or of a bias that was not summed, are kept as evidence.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...functional.arrays import Array
from .input_arrays import as_numbers
from .layout import Layout, Role
from .nested import flattened, written

__all__ = ["Answer", "AnswerError", "read_answer"]

LARGE = 1_000_000
"""More cells than any gradient of a small parameter has: such an array is neither copied nor searched."""


class AnswerError(Exception):
    """The returned value can't be read as gradients; the cause is "wrong_keys" or "wrong_shapes"."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class Answer:
    """The learner's gradients, one array for each parameter, in the learner's order, and the loss if there is one."""

    arrays: tuple[Array, ...]
    loss: float | None = None

    @property
    def single_precision(self) -> bool:
        """Whether any array is float32 or shorter."""
        return any(array.dtype.kind == "f" and array.dtype.itemsize < 8 for array in self.arrays)

    def ours(self, layout: Layout, turned: bool = False) -> dict[tuple[str, int], Array]:
        """By ("W", 1), ..., in our orientation as far as the shapes allow; `turned` if every dW is (out, in)."""
        return {
            (role.kind, role.layer): _ours(role, array, layout, turned)
            for role, array in zip(layout.roles, self.arrays, strict=True)
        }


def _ours(role: Role, array: Array, layout: Layout, turned: bool) -> Array:
    array = array.astype(np.float64)
    if role.kind == "b":
        h = layout.sizes[role.layer]
        flat = array.shape in {(h,), (h, 1), (1, h)} or (array.size == 1 and h == 1)
        if flat:
            return array.reshape(h)
        return array.T if layout.columns and array.ndim == 2 else array
    if turned:
        array = array.T
    if array.shape == role.shape:
        return role.ours(array)
    if array.size == int(np.prod(role.shape)) and (1 in role.shape or len(role.shape) == 1) and array.ndim <= 2:
        return role.ours(array.reshape(role.shape))
    return array.T if role.transposed and array.ndim == 2 else array


def read_answer(returned: Any, names: Sequence[str], shapes: Sequence[tuple[int, ...]], rows: int = 1) -> Answer:
    """Match what was returned with the parameters, whose names and shapes are given.

    `rows` is how many samples there are at most: a gradient may have been left unsummed over them.

    Examples
    --------
    >>> read_answer((0.5, {"dW1": [[1.0]], "db1": [2.0]}), ["W1", "b1"], [(1, 1), (1,)]).loss
    0.5
    """
    if returned is None:
        raise AnswerError(
            "wrong_keys", f"None was returned, expected the gradients of {_listed(names)}. Is `return` missing?"
        )
    loss, returned = _loss_apart(returned, len(names))
    if isinstance(returned, Mapping):
        arrays = _by_name(returned, names, shapes)
    else:
        arrays = _by_order(returned, names, shapes)
    return Answer(tuple(_as_array(*given, rows) for given in zip(names, arrays, shapes, strict=True)), loss)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _as_array(name: str, values: Any, shape: tuple[int, ...], rows: int) -> Array:
    if isinstance(values, np.ndarray) and values.size > max(LARGE, max(rows, 1000) * int(np.prod(shape))):
        raise AnswerError(
            "wrong_shapes",
            f"The gradient of {name} has shape {values.shape}, expected {shape}: one number for each cell.",
        )
    try:
        array = np.array(values)
    except ValueError:
        raise AnswerError("wrong_shapes", f"The gradient of {name} has rows of different lengths.") from None
    numbers = as_numbers(array)
    if numbers is None:
        raise AnswerError("wrong_shapes", f"The gradient of {name} holds {array.dtype} values, expected real numbers.")
    return numbers if numbers.dtype.kind == "f" else numbers.astype(np.float64)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) or (isinstance(value, np.ndarray) and value.size == 1)


def _loss_apart(returned: Any, number: int) -> tuple[float | None, Any]:
    """Split `loss, gradients` or `gradients, loss`."""
    if isinstance(returned, tuple | list) and len(returned) == 2:
        for loss, rest in (returned, returned[::-1]):
            several = isinstance(rest, tuple | list) and number > 1 and (number > 2 or len(rest) == number)
            gradients = isinstance(rest, Mapping) or several
            if _is_number(loss) and (gradients or (number == 1 and isinstance(rest, np.ndarray) and rest.size > 1)):
                return float(np.asarray(loss).reshape(())), rest
    if isinstance(returned, tuple | list) and len(returned) == number + 1 and _is_number(returned[0]) and number > 1:
        return float(np.asarray(returned[0]).reshape(())), returned[1:]
    return None, returned


def _bare(name: str) -> str:
    """A name without what marks it as a gradient: dW1, grad_W1, W1_grad, dL_dW1 are W1."""
    bare = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    bare = re.sub(r"^(dl_?d|dj_?d|d_l_d_|nabla_?|gradients?_?|grad_?|delta_?|g_|d_)|(_grads?|_gradients?)$", "", bare)
    return bare.replace("_", "")


def _by_name(returned: Mapping[Any, Any], names: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    plain = {_bare(str(key)): returned[key] for key in returned}
    if len(plain) == len(returned) and all(_bare(name) in plain for name in names):
        return [plain[_bare(name)] for name in names]
    given = {written(path): value for path, value in flattened(returned)}
    if not given:
        raise AnswerError(
            "wrong_keys",
            f"The function returned no gradients (an empty {type(returned).__name__}), expected {_listed(names)}. "
            "Return one array for each parameter, under its name.",
        )
    if all(name in given for name in names):
        return [given[name] for name in names]
    folded = {_bare(name): value for name, value in given.items()}
    found: list[Any] = []
    for name in names:
        bare = _bare(name)
        for key in (bare, "d" + bare, "g" + bare, "delta" + bare):
            if key in folded:
                found.append(folded[key])
                break
    if len(found) == len(names):
        return found
    arrays = list(given.values())
    if not found and len(arrays) == len(names) and [np.shape(array) for array in arrays] == list(shapes):
        return arrays  # names of another kind throughout, in the order of the parameters
    missing = [name for name in names if not {_bare(name), "d" + _bare(name)} & {*folded}]
    raise AnswerError(
        "wrong_keys",
        f"The gradients are named {_listed([*given]) or 'nothing'}, expected {_listed(names)}; "
        f"missing: {_listed(missing[:5])}. Return one array for each parameter, under its name.",
    )


def _by_order(returned: Any, names: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    if isinstance(returned, np.ndarray) and len(names) > 1:
        sizes = [int(np.prod(shape)) for shape in shapes]
        if returned.dtype != object and returned.size == sum(sizes) and returned.ndim == 1:
            parts = np.split(returned, np.cumsum(sizes)[:-1])
            return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    arrays = _in_order(returned, len(names))
    if len(arrays) != len(names):
        kind = type(returned).__name__
        raise AnswerError(
            "wrong_keys",
            f"{len(arrays)} array{'s were' if len(arrays) != 1 else ' was'} returned ({_article(kind)} {kind}), "
            f"expected {len(names)}: {_listed(names)}. "
            "Return one array for each parameter, by name or in this order.",
        )
    for order in _orders(len(arrays), names):
        if all(_fits(np.shape(arrays[i]), shape) for i, shape in zip(order, shapes, strict=True)):
            return [arrays[i] for i in order]
    return arrays


def _article(word: str) -> str:
    return "an" if word[0] in "aeiouAEIOU" else "a"


def _in_order(returned: Any, number: int) -> list[Any]:
    """The arrays of a sequence, nested by layers or not, each an array or lists of numbers."""
    if isinstance(returned, np.ndarray) and number == 1:
        return [returned]
    arrays = [value for _, value in flattened(returned)]
    if len(arrays) == number or not isinstance(returned, list | tuple):
        return arrays
    if len(returned) == number:
        return list(returned)
    inner = [item for group in returned for item in (group if isinstance(group, list | tuple) else [group])]
    return inner if len(inner) == number else arrays


def _fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return [size for size in shape if size != 1] == [size for size in expected if size != 1]


def _orders(number: int, names: Sequence[str]) -> list[list[int]]:
    """The order of the parameters; all weights, then all biases; the last layer first."""
    plain = list(range(number))
    found = [plain]
    if number % 2 == 0:
        half = number // 2
        found.append([i // 2 + half * (i % 2) for i in plain])  # they came as W1, W2, ..., b1, b2, ...
        layers = [[number - 2 * layer - 2, number - 2 * layer - 1] for layer in range(half)]
        found.append([i for layer in layers for i in layer])
    found.append(plain[::-1])
    return found
