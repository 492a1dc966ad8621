"""The learner's layout: which of their arrays is which, in what order, which way round; and the way back.

Names and order are free, weights are (in, out) or (out, in), samples are rows or columns, biases are (h,), (h, 1),
(1, h) or absent, targets are indices or rows. Shapes decide; where they leave a choice, the candidates come in the
order of how common they are. This module computes no gradient.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...errors import ShapeError
from ...functional.arrays import Array
from .parameter_order import biases_of, chains

__all__ = ["Layout", "Role", "gradient_of", "layouts"]


@dataclass(frozen=True)
class Role:
    """The role of one of the learner's arrays: the weights or the bias of a layer, counted from 1.

    `kind` is "W" or "b". `transposed` says whether W is (out, in). Name and shape are the learner's.
    """

    name: str
    kind: str
    layer: int
    transposed: bool
    shape: tuple[int, ...]

    def ours(self, array: Array) -> Array:
        """The learner's array as (in, out) weights or (out,) biases; it must have the learner's shape."""
        if self.kind == "b":
            return array.reshape(-1)
        if array.ndim < 2:
            array = array.reshape(-1, 1) if not self.transposed else array.reshape(1, -1)
        return array.T if self.transposed else array

    def theirs(self, array: Array) -> Array:
        """Our array in the learner's shape."""
        return (array.T if self.transposed else array).reshape(self.shape)


def gradient_of(name: str) -> str:
    """The name of the learner's gradient of a parameter: dW1; gradients[0] if parameters have no names."""
    return "gradients" + name.removeprefix("parameters") if name.startswith("parameters") else "d" + name


@dataclass(frozen=True)
class Layout:
    """One reading of the learner's arrays: the sizes of the layers, inputs first, and a role for each array in order.

    `columns` says whether samples are columns, `single` whether X is one sample, a vector.
    """

    sizes: tuple[int, ...]
    roles: tuple[Role, ...]
    columns: bool
    single: bool = False

    @property
    def biases(self) -> tuple[bool, ...]:
        """Whether each layer has a bias."""
        having = {role.layer for role in self.roles if role.kind == "b"}
        return tuple(layer in having for layer in range(1, len(self.sizes)))

    @property
    def transposed(self) -> bool:
        """Whether weights are (out, in)."""
        return any(role.transposed for role in self.roles)

    def parameters(self, arrays: Sequence[Array]) -> tuple[dict[int, Array], dict[int, Array]]:
        """W and b by layer, as ours, float64; a missing bias is zeros."""
        W: dict[int, Array] = {}
        b = {layer: np.zeros(size) for layer, size in enumerate(self.sizes[1:], start=1)}
        for role, array in zip(self.roles, arrays, strict=True):
            (W if role.kind == "W" else b)[role.layer] = np.array(role.ours(np.asarray(array, np.float64)))
        return W, b

    def inputs(self, X: Array) -> Array:
        """X as rows."""
        X = np.asarray(X, np.float64)
        if self.single or X.ndim < 2:
            return X.reshape(1, -1) if self.single else X.reshape(-1, 1)
        return X.T if self.columns else X

    def their_inputs(self, rows: Array, X: Array) -> Array:
        """Rows in the form of the learner's X."""
        made = rows.reshape(X.shape) if self.single else rows.T if self.columns else rows
        if X.ndim < 2 and not self.single:
            made = rows.reshape(-1)
        return np.ascontiguousarray(made).astype(X.dtype if X.dtype.kind == "f" else np.float64)


def layouts(named: Sequence[tuple[str, Array]], X: Array, every: bool = False) -> list[Layout]:
    """List every consistent reading of the learner's arrays, the most common first; a ShapeError says there is none.

    With `every`, all orders of the layers that fit are listed, for a loss to tell, not the likeliest alone.
    """
    found: list[Layout] = []
    for weights, others in _sorted_out(named):
        found += [layout for layout in _fitting(named, weights, others, X, every) if layout not in found]
        if len(found) >= 8:
            break
    if not found:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in named)
        raise ShapeError(
            f"parameters are {shapes} and X is {X.shape}: no order of layers fits both. "
            f"{_split(named)}"
            "Weights are (in, out) or (out, in), samples are rows or columns, "
            "and a layer has as many inputs as the layer below has units."
        )
    return found


def _split(named: Sequence[tuple[str, Array]]) -> str:
    """A hint for a list that may be meant as one array."""
    parts = [name for name, array in named if name.endswith("]") and array.ndim == 1]
    return (
        f"A list whose rows differ in length is read as several arrays, such as {parts[0]}. " if len(parts) > 1 else ""
    )


def _fitting(
    named: Sequence[tuple[str, Array]],
    weights: list[tuple[str, Array]],
    others: list[tuple[str, Array]],
    X: Array,
    every: bool,
) -> Iterator[Layout]:
    for columns, transposed, single in _ways(X):
        d = X.size if single else (1 if X.ndim < 2 else X.shape[0 if columns else 1])
        for order, sizes in chains(d, weights, transposed):
            found = biases_of(others, order, sizes)
            layer_of = {name: layer for layer, (name, _) in enumerate(order, start=1)}
            for matched in found if every else found[:1]:
                roles = [
                    Role(name, "W", layer_of[name], transposed, array.shape)
                    if name in layer_of
                    else Role(name, "b", matched[name], False, array.shape)
                    for name, array in named
                ]
                yield Layout(sizes, tuple(roles), columns, single)
            if found and not every:
                break


def _sorted_out(
    named: Sequence[tuple[str, Array]],
) -> Iterator[tuple[list[tuple[str, Array]], list[tuple[str, Array]]]]:
    """Tell weights from biases: a matrix is a weight; for one axis the names decide, otherwise any choice is tried."""
    thin = [name for name, array in named if array.ndim < 2 or 1 in array.shape]
    hinted = {name for name in thin if _called_bias(name)}
    choices = [hinted, {*thin}] if hinted else [{*thin}]
    if len(thin) <= 6:
        choices += [{*chosen} for size in range(len(thin), -1, -1) for chosen in combinations(thin, size)]
    for biases in choices:
        yield [pair for pair in named if pair[0] not in biases], [pair for pair in named if pair[0] in biases]


def _called_bias(name: str) -> bool:
    return any(token.startswith(("b", "intercept", "offset")) for token in re.findall(r"[a-z]+", name.lower()))


def _ways(X: Array) -> list[tuple[bool, bool, bool]]:
    """Samples in columns, weights (out, in), a single sample: in the order of how common they are."""
    if X.ndim < 2:
        return [(False, False, True), (False, True, True), (False, False, False)]
    return [(False, False, False), (True, True, False), (False, True, False), (True, False, False)]
