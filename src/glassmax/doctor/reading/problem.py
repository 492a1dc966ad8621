"""The problem: the learner's network, data and loss, brought together from what they gave.

With a network the architecture is known; without one it is found by the learner's own loss, whose values must be those
of one network of the table. Whatever is found here is said in the answer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...functional.arrays import Array
from ...network import Network
from ..exact_pass import Architecture, Pass
from .function import quietly
from .layout import Layout, layouts
from .loss_fit import Convention, Point, even_target, fit_loss
from .loss_screening import possible
from .nested import flattened, rebuilt, written
from .targets import Targets, read_targets

__all__ = ["Given", "Problem", "problems"]

POINTS = 8
ORDERS = 24
"""Readings of the arrays that are held against a loss."""
MIXED = 4
"""Of which so many are tried with activations that differ from layer to layer."""
EXACT = 1e-9
"""A loss that is met as well as that is met by no other reading."""

Measured = tuple[list[Point], list[float], bool]


@dataclass(frozen=True)
class Given:
    """The learner's arguments; `own_parameters` says whether names and layout are the learner's."""

    network: Network | None
    loss: Callable[..., Any] | None
    parameters: Any
    X: Array
    y: Array
    declared: bool
    own_parameters: bool

    @property
    def named(self) -> list[tuple[str, Array]]:
        """The learner's arrays with their names, in order."""
        return [(written(path), np.asarray(value)) for path, value in flattened(self.parameters)]


@dataclass(frozen=True)
class Problem:
    """One reading of what the learner handed in: layout, network, targets, and the loss of the learner's data."""

    given: Given
    layout: Layout
    architecture: Architecture
    targets: Targets
    convention: Convention

    @property
    def arrays(self) -> list[Array]:
        """The learner's parameters."""
        return [array for _, array in self.given.named]

    def own_pass(self, at_kink: float | None = None) -> Pass:
        """The pass of the learner's own data."""
        return self.make(self.arrays, self.layout.inputs(self.given.X), self.targets.Y, self.convention, at_kink)

    def make(
        self, arrays: Sequence[Array], X: Array, Y: Array, convention: Convention, at_kink: float | None = None
    ) -> Pass:
        """The pass of other parameters and rows, given in the learner's layout."""
        W, b = self.layout.parameters(arrays)
        even = even_target(self.architecture.loss, Y.shape[1])
        if convention.smoothing and even is not None:
            Y = (1 - convention.smoothing) * Y + convention.smoothing * even
        return Pass(
            self.architecture,
            W,
            b,
            X,
            Y,
            scale=convention.scale,
            l2=convention.l2,
            l2_bias=convention.l2_bias,
            at_kink=at_kink,
        )

    def convention_of(self, X: Array, Y: Array) -> Convention | None:
        """The convention for other rows: the divisor may depend on how many there are."""
        if self.given.loss is None:
            return replace(self.convention, scale=self.convention.scale * len(self.targets.Y) / len(Y))
        measured = _measured(self.given, self.layout, X, self.targets.theirs(Y))
        if measured is None:
            return None
        points, values, single = measured
        found = fit_loss(self.architecture, points, X, Y, values, single)
        return None if found is None else _snapped(found, len(Y))


def problems(given: Given) -> Iterator[Problem]:
    """Yield every consistent reading, the likeliest first; where none is, raise a ShapeError or a LabelError."""
    sizes = given.network.layer_sizes if given.network else None
    measurable = given.loss is not None and given.network is None
    try:
        found = layouts(given.named, given.X, every=measurable)[:ORDERS]
    except ShapeError:
        if measurable:  # no network of layers, but a loss all the same
            return
        raise
    if not given.own_parameters:
        found = found[:1]
    if sizes is not None:
        fitting = [layout for layout in found if layout.sizes == sizes]
        if not fitting:
            raise ShapeError(
                f"parameters make a network of {'-'.join(map(str, found[0].sizes))}, expected the network's "
                f"{'-'.join(map(str, sizes))}. Give the parameters of that network."
            )
        found = fitting
    refused: Exception | None = None
    any_found = False
    for position, layout in enumerate(found):
        rows = layout.inputs(given.X)
        try:
            targets = read_targets(np.asarray(given.y), len(rows), layout.sizes[-1], layout.columns)
        except ValueError as error:
            refused = error
            continue
        for problem in _of_layout(given, layout, targets, mixed=position < MIXED):
            any_found = True
            yield problem
            if measurable and problem.convention.residual < EXACT:
                return
    if not any_found and refused is not None and not measurable:
        raise refused


def _of_layout(given: Given, layout: Layout, targets: Targets, mixed: bool) -> Iterator[Problem]:
    n = len(targets.Y)
    if given.loss is None:
        assert given.network is not None  # `diagnose` asks for one of the two
        network = _of_network(given.network, layout)
        yield Problem(given, layout, network, targets, Convention(1 / n, given.network.l2))
        return
    X = layout.inputs(given.X)
    measured = _measured(given, layout, X, given.y)
    if measured is None:
        return
    points, values, single = measured
    best: tuple[float, Architecture, Convention] | None = None
    for candidates in _candidates(given, layout, measured, X, targets.Y, mixed):
        for architecture in candidates:
            convention = fit_loss(architecture, points, X, targets.Y, values, single)
            if convention is not None and (best is None or convention.residual < 1e-2 * best[0]):
                best = (convention.residual, architecture, convention)
            if best is not None and best[0] < 1e-11:
                break
        if best is not None:
            yield Problem(given, layout, best[1], targets, _snapped(best[2], n))
            return


def _candidates(
    given: Given, layout: Layout, measured: Measured, X: Array, Y: Array, mixed: bool
) -> Iterator[Sequence[Architecture]]:
    points, values, single = measured
    if given.network is not None:
        yield [_of_network(given.network, layout)]
    yield possible(layout.sizes, layout.biases, points, X, Y, values, single, mixed=False)
    if mixed and 4 <= len(layout.sizes) < 6:
        yield possible(layout.sizes, layout.biases, points, X, Y, values, single, mixed=True)


def _of_network(network: Network, layout: Layout) -> Architecture:
    return Architecture(network.layer_sizes, network.activations, network.head.output, network.head.loss, layout.biases)


def _measured(given: Given, layout: Layout, X: Array, y: Array) -> Measured | None:
    """The learner's loss at a few points; None if it raises or isn't finite. X has samples in rows, y is as given."""
    loss = given.loss
    if loss is None:
        return None
    draw = np.random.default_rng(1)
    theirs = layout.their_inputs(X, given.X)
    points, values, single = [], [], False
    for _ in range(POINTS):
        arrays = moved(given, layout, draw)
        try:
            nested = rebuilt(given.parameters, iter([array.copy() for array in arrays]))
            number = np.asarray(quietly(partial(loss, nested, theirs.copy(), y.copy())))
            single = single or number.dtype == np.float32
            values.append(float(number.reshape(())))
        except Exception:
            return None
        points.append(layout.parameters(arrays))
    return (points, values, single) if np.isfinite(values).all() else None


def moved(given: Given, layout: Layout, draw: np.random.Generator) -> list[Array]:
    """Parameters drawn anew, of a size at which nothing saturates, in the learner's shapes and dtypes."""
    arrays: list[Array] = []
    spread = max(float(np.sqrt(np.mean(np.square(layout.inputs(given.X))))), 1e-3)
    for role, (_, array) in zip(layout.roles, given.named, strict=True):
        fan_in = layout.sizes[role.layer - 1]
        size = 0.3 if role.kind == "b" else 1.2 / np.sqrt(fan_in) / (spread if role.layer == 1 else 1.0)
        dtype = array.dtype if array.dtype.kind == "f" else np.float64
        arrays.append((size * draw.standard_normal(array.shape)).astype(dtype))
    return arrays


def _snapped(convention: Convention, n: int) -> Convention:
    """A factor near a plain fraction of 1/n is that fraction; a penalty is as long as it was written."""
    scale = convention.scale
    for multiple in (1.0, 2.0, 0.5):
        for plain in (multiple / n, multiple):
            if abs(scale - plain) <= max(1e-9, 10 * convention.residual) * plain:
                scale = plain
    l2, l2_bias = (_short(value, convention.residual) for value in (convention.l2, convention.l2_bias))
    return replace(convention, scale=scale, l2=l2, l2_bias=l2_bias)


def _short(value: float, residual: float) -> float:
    for digits in (3, 5):
        short = float(f"{value:.{digits}g}")
        if abs(value - short) <= max(1e-9, 100 * residual) * max(abs(value), 1e-9):
            return short
    return value


def parameters_of(network: Network) -> Mapping[str, Array]:
    """The network's parameters as a plain dict of copies."""
    return {name: np.array(view) for name, view in network.parameters.items()}
