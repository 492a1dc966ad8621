"""Check a pullback f_vjp, or the gradient of a loss, against derivatives that are measured numerically.

A derivative is compared with a change that is measured from the function alone, along random directions. If J is the
Jacobian of f, and u and v are random,

    <u, J v>  measured        must equal        <J^T u, v>  with J^T u from f_vjp

A wrong pullback agrees along one random direction with probability 0, so a few directions are enough. There are two
ways to measure:

complex
    Im f(x + i h v) / h with h = 1e-20. There is no difference of close numbers, so the answer is right to the last
    digits (1e-15 or so); but f must be written in analytic functions: no abs, no conjugate, no cast to float.
    (Squire & Trapp 1998; Martins, Sturdza & Alonso 2003.) The real part never moves, so no kink is crossed.
central
    (f(x + h v) - f(x - h v)) / 2h for three lengths h about 1e-3, extrapolated to h = 0 (Richardson): right to 1e-10
    or so, for any f. A direction along which the lengths disagree crosses a kink; it is counted, and drawn again.

A derivative whose terms cancel, such as that of a bias before batch normalization, is 0 in exact arithmetic and a
rounding error in floating point. Two rounding errors are not compared with each other: both count as 0 if they are
rounding relative to the largest derivative by any of the parameters.

This module never names the cause of an error: it measures each parameter and gives a verdict. From glassmax it imports
only the exceptions, so that it is an independent check of the other modules.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from .errors import OptionError, Setting, ShapeError, between, one_of

__all__ = [
    "Check",
    "Method",
    "Report",
    "central_slope",
    "check_gradients",
    "check_vjp",
    "numeric_gradient",
    "rounding_of",
]

Array = npt.NDArray[Any]
Method = Literal["complex", "central"]

COMPLEX_STEP = 1e-20
CENTRAL_STEP = 1e-3
TOLERANCE = {"complex": 1e-10, "central": 1e-6}
SHORTEST = 1e-6
"""The shortest central step relative to the longest."""
REDRAWS = 20
ZERO = 1e-12
"""A derivative that is this small relative to the largest derivative is 0 to rounding."""


@dataclass(frozen=True)
class Check:
    """The result for one parameter (or one argument).

    Attributes
    ----------
    name : str
        ``"W1"``, or the argument's position.
    shape : tuple of int
    error : float
        ``|given - measured| / max(|given|, |measured|)`` over all directions; 0 if both are 0 to rounding. NaN if
        nothing could be measured: at a kink, or where the rounding of the loss is larger than the change to be
        measured.
    directions : int
        Number of directions measured.
    rough : int
        Number of directions discarded because they crossed a kink.
    correct : bool
        Whether `error` is within the tolerance.
    """

    name: str
    shape: tuple[int, ...]
    error: float
    directions: int
    rough: int
    correct: bool

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The check as a row of the table: parameter, shape, relative error, verdict."""
        verdict = "correct" if self.correct else "WRONG" if self.directions else "not measured"
        if self.rough:
            verdict += f"   ({self.rough} directions were too rough and drawn again)"
        error = "< 1e-12" if self.error < 1e-12 else f"{self.error:.1e}"
        return self.name, str(self.shape), error, verdict

    def __repr__(self) -> str:
        name, shape, error, verdict = self.cells
        return f"{name} {shape}: relative error {error}, {verdict}"


@dataclass(frozen=True)
class Report:
    """A check for each parameter, and a verdict; at the prompt, a table.

    Attributes
    ----------
    checks : tuple of Check
    method : str
        Method of measurement.
    tolerance : float
        The largest relative error that passes.

    Examples
    --------
    >>> check_vjp(np.sin, lambda dY, x: dY * np.cos(x), np.array([0.1, 0.7]))
    parameter  shape  relative error  verdict
    0          (2,)          < 1e-12  correct
    correct: each derivative agrees with the complex step to 1e-10
    """

    checks: tuple[Check, ...]
    method: str
    tolerance: float

    @property
    def correct(self) -> bool:
        """Whether every derivative is correct."""
        return all(check.correct for check in self.checks)

    @property
    def error(self) -> float:
        """The largest relative error of any check."""
        return float(np.max([check.error for check in self.checks]))  # NaN if one is

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __getitem__(self, name: str) -> Check:
        """Return the check of one parameter."""
        return {check.name: check for check in self.checks}[name]

    def __repr__(self) -> str:
        rows = [("parameter", "shape", "relative error", "verdict"), *(check.cells for check in self.checks)]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        table = [
            f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip() for row in rows
        ]
        measured = "the complex step" if self.method == "complex" else "central differences"
        if self.correct:
            table.append(f"correct: each derivative agrees with {measured} to {self.tolerance:g}")
        else:
            names = [check.name for check in self.checks if not check.correct and check.directions]
            wrong, disagree = ", ".join(names), "disagrees" if len(names) == 1 else "disagree"
            rough = ", ".join(check.name for check in self.checks if not check.directions)
            if wrong:
                table.append(f"WRONG: {wrong} {disagree} with {measured} (tolerance {self.tolerance:g})")
            if rough:
                table.append(
                    f"NOT MEASURED: {rough}, on a kink or lost in the rounding of {measured}; try method='complex'"
                )
        return "\n".join(table)


def check_vjp(
    f: Callable[..., Array],
    f_vjp: Callable[..., Array | tuple[Array, ...]],
    *inputs: npt.ArrayLike,
    method: Method = "complex",
    directions: int = 4,
    tolerance: float | None = None,
    random_state: int = 0,
) -> Report:
    """Check that `f_vjp` is the pullback of `f` at the given inputs.

    ::

        <u, J v> = <f_vjp(u), v>          u, v random, one input at a time

    Parameters
    ----------
    f : callable
        ``f(*inputs)`` -> array. Must take complex128 for the complex step.
    f_vjp : callable
        ``f_vjp(dOut, *inputs)`` -> the cotangent of the one input, or a tuple with one for each input.
    *inputs : array_like
        Real numbers, converted to float64. Avoid kinks: there, the derivative is a convention.
    method : {"complex", "central"}, default="complex"
        Method of measuring J v.
    directions : int, default=4
        >= 1: random pairs u, v for each input.
    tolerance : float, optional
        The largest relative error that passes; by default 1e-10 for "complex" and 1e-6 for "central".
    random_state : int, default=0
        Seed of the directions.

    Returns
    -------
    Report
        Checks are named by the input's position: "0", "1", ...

    Raises
    ------
    ShapeError
        If a cotangent does not have the shape of its input.

    Examples
    --------
    >>> def wrong_vjp(dY, x):
    ...     return -dY * np.cos(x)
    >>> check_vjp(np.sin, wrong_vjp, np.array([0.1, 0.7])).correct
    False
    """
    arrays = [np.asarray(values, np.float64) for values in inputs]
    draw = np.random.default_rng(random_state)
    u_shape = np.shape(f(*arrays))
    us = [draw.standard_normal(u_shape) for _ in range(_positive("directions", directions))]
    cotangents = [_as_tuple(f_vjp(u, *arrays), arrays) for u in us]

    compared: list[_Compared] = []
    for position, x in enumerate(arrays):

        def projected(u: Array, value: Array, position: int = position) -> Any:
            return np.sum(u * f(*arrays[:position], value, *arrays[position + 1 :]))

        noise = rounding_of(partial(projected, us[0]), x) if method == "central" else 0.0
        measured = [_measure(partial(projected, u), x, method, draw, noise) for u in us]
        given = [_along(c[position], slopes) for c, slopes in zip(cotangents, measured, strict=True)]
        compared.append(_Compared(str(position), x.shape, given, measured))
    return _report(compared, method, tolerance)


def check_gradients(
    loss: Callable[[Mapping[str, Array]], Any],
    parameters: Mapping[str, npt.ArrayLike],
    gradients: Mapping[str, npt.ArrayLike],
    *,
    method: Method = "central",
    directions: int = 8,
    tolerance: float | None = None,
    random_state: int = 0,
) -> Report:
    """Check hand-derived gradients against the loss that they belong to.

    Parameters
    ----------
    loss : callable
        ``loss(parameters)`` -> number, with the same names as `parameters`.
    parameters : mapping of str to array
        Point at which the gradients are checked, converted to float64.
    gradients : mapping of str to array
        dL/d of each parameter at that point, of its shape.
    method : {"central", "complex"}, default="central"
        "central" takes any loss; "complex" is more precise, for a loss written in analytic functions.
    directions : int, default=8
        >= 1: random directions for each parameter.
    tolerance : float, optional
        The largest relative error that passes; by default 1e-6 for "central" and 1e-10 for "complex".
    random_state : int, default=0
        Seed of the directions.

    Returns
    -------
    Report
        One check for each parameter, so that an error in a small layer is not hidden by a large layer.

    Raises
    ------
    ShapeError
        If a gradient is missing or has another shape than its parameter.

    Examples
    --------
    >>> point = {"w": np.array([1.0, 2.0]), "c": np.array(3.0)}
    >>> def loss(p):
    ...     return p["c"] * np.sum(p["w"] ** 2)
    >>> print(check_gradients(loss, point, {"w": 6 * point["w"], "c": 10.0}))
    parameter  shape  relative error  verdict
    w          (2,)          < 1e-12  correct
    c          ()            5.0e-01  WRONG
    WRONG: c disagrees with central differences (tolerance 1e-06)
    """
    one_of("method", method, TOLERANCE)
    point = {name: np.asarray(values, np.float64) for name, values in parameters.items()}
    slopes = {name: np.asarray(values) for name, values in gradients.items()}
    for name, x in point.items():
        if name not in slopes:
            raise ShapeError(f"There is no gradient called {name}; there are {', '.join(slopes) or 'none'}.")
        if slopes[name].shape != x.shape:
            raise ShapeError(f"The gradient of {name} is {slopes[name].shape}, expected its shape, {x.shape}.")
    if not point:
        raise ShapeError("There are no parameters, expected at least one array.")
    unknown = [name for name in slopes if name not in point]
    if unknown:
        raise ShapeError(f"There is no parameter called {unknown[0]}; there are {', '.join(point)}.")
    draw = np.random.default_rng(random_state)
    compared: list[_Compared] = []
    for name, x in point.items():

        def at(value: Array, name: str = name) -> Any:
            return loss({**point, name: value})

        noise = rounding_of(at, x) if method == "central" else 0.0
        measured = [_measure(at, x, method, draw, noise) for _ in range(_positive("directions", directions))]
        given = [_along(slopes[name], direction) for direction in measured]
        compared.append(_Compared(name, x.shape, given, measured))
    return _report(compared, method, tolerance)


def numeric_gradient(
    loss: Callable[[Array], Any], x: npt.ArrayLike, *, method: Method = "central", step: float | None = None
) -> Array:
    """Measure the gradient of a scalar function cell by cell.

    ::

        central: (L(x + h e) - L(x - h e)) / 2h          complex: Im L(x + i h e) / h

    Parameters
    ----------
    loss : callable
        ``loss(x)`` -> number.
    x : array_like of any shape
        Point at which the gradients are checked, converted to float64.
    method : {"central", "complex"}, default="central"
        Method of measuring each entry.
    step : float, optional
        h > 0; by default 1e-5 for "central", which is right to 1e-9 or so, and 1e-20 for "complex".

    Returns
    -------
    array of float64, shape of x

    Notes
    -----
    Cost: two evaluations of the loss for each cell (one for "complex").

    Examples
    --------
    >>> numeric_gradient(lambda x: np.sum(x**3), [1.0, 2.0], method="complex")
    array([ 3., 12.])
    """
    one_of("method", method, TOLERANCE)
    point = np.asarray(x, np.float64)
    h = step if step is not None else COMPLEX_STEP if method == "complex" else 1e-5
    between("step", h, 0, open_below=True, open_above=False)
    gradient = np.zeros(point.shape)
    for cell in np.ndindex(point.shape):
        e = np.zeros(point.shape)
        e[cell] = 1.0
        gradient[cell] = _slope(loss, point, e, method, h)
    return gradient


def _slope(f: Callable[[Array], Any], x: Array, v: Array, method: Method, h: float) -> float:
    """The derivative of f at x along v."""
    if method == "complex":
        value = np.asarray(f(x + 1j * h * v))
        if value.dtype.kind != "c":
            raise OptionError(
                *(Setting("method"), " is 'complex', but the function returned real numbers for complex input: "),
                "somewhere it drops the imaginary part, or doesn't depend on it.",
                parameter="method",
                remedy=("Use ", Setting("method", "central"), "."),
            )
        return float(value.imag / h)
    return float((f(x + h * v) - f(x - h * v)) / (2 * h))


def rounding_of(f: Callable[[Array], Any], x: npt.ArrayLike, random_state: int = 0) -> float:
    """Measure the rounding error of a scalar function near a point.

    The fourth differences of values that are close together are 0 for a smooth f, so what they show is rounding. They
    are taken at three places near x, and the smallest counts, because a kink would show in them too.

    Parameters
    ----------
    f : callable
        ``f(x)`` -> number.
    x : array_like of any shape
        The point.
    random_state : int, default=0
        Seed of the places.

    Returns
    -------
    float
        The standard deviation of the error of one value of f, >= 0, and not below that of a number of the dtype and
        the size of f.

    Notes
    -----
    Cost: 22 evaluations of f. Source: Moré & Wild (2011), Estimating computational noise, section 3.

    Examples
    --------
    >>> 1e-18 < rounding_of(lambda x: np.sum(np.sin(x)), [0.3, 0.4]) < 1e-15
    True
    >>> 1e-12 < rounding_of(lambda x: np.sum((x + 1e5) - 1e5), [0.3, 0.4]) < 1e-10
    True
    """
    point, draw = np.asarray(x, np.float64), np.random.default_rng(random_state)
    found, size = [], _size(point)
    with np.errstate(all="ignore"):
        for _ in range(3):
            v = _direction(point, draw)
            values = [float(f(point + size * (2 * CENTRAL_STEP + 1e-6 * i) * v)) for i in range(7)]
            found.append(float(np.sqrt(np.mean(np.square(np.diff(values, 4))) / 70)))
        here = np.asarray(f(point))
    least = 0.25 * _epsilon(here) * abs(float(here))
    return max(min((error for error in found if np.isfinite(error)), default=0.0), least if np.isfinite(least) else 0.0)


def _epsilon(value: Array) -> float:
    return float(np.finfo(value.dtype if value.dtype.kind == "f" else np.float64).eps)


def central_slope(
    f: Callable[[Array], Any], x: npt.ArrayLike, v: npt.ArrayLike, rounding: float = 0.0
) -> tuple[float | None, float]:
    """Measure the derivative of a scalar function along a direction, off its kinks.

    Central differences of three lengths are extrapolated to h = 0. For a smooth f the two extrapolations agree to
    O(h^4), and the slopes to the right and to the left differ by O(h). A kink within reach of h breaks the first, a
    kink at x itself the second. An f too steep for h breaks them too, and a shorter h resolves it. The shortest h
    counts only where the slope stands out from its noise.

    Parameters
    ----------
    f : callable
        ``f(x)`` -> number.
    x : array_like of any shape
        The point.
    v : array_like, shape of x
        The direction.
    rounding : float, default=0.0
        >= 0: the rounding error of f, if it is larger than that of a number of the size of f; see `rounding_of`.

    Returns
    -------
    slope : float or None
        <v, df/dx>; None if there is a kink at every scale.
    noise : float
        The part of the slope that may be rounding.

    Notes
    -----
    Cost: 7 evaluations of f, and at most 28 near a kink.

    Examples
    --------
    >>> slope, noise = central_slope(lambda x: np.sum(x**3), [1.0, 2.0], [1.0, 0.0])
    >>> round(slope, 9), noise < 1e-10
    (3.0, True)
    >>> central_slope(lambda x: np.sum(np.abs(x)), [0.0], [1.0])
    (None, 0.0)
    """
    point, direction = np.asarray(x, np.float64), np.asarray(v, np.float64)
    longest = max(CENTRAL_STEP, rounding**0.2) * _size(point)  # rounding / h and h^4 together are smallest there
    for shorter in (1.0, 1e-2, 1e-4, SHORTEST):
        slope, noise = _extrapolate(f, point, direction, longest * shorter, rounding)
        if slope is not None and (shorter > SHORTEST or noise <= 1e-6 * abs(slope)):
            return slope, noise
    return None, 0.0


class _Slopes(NamedTuple):
    """A direction, the slope measured along it, the slope's noise, and how many directions were discarded before."""

    v: Array | None
    slope: float
    noise: float
    rough: int


def _measure(
    f: Callable[[Array], Any], x: Array, method: Method, draw: np.random.Generator, rounding: float
) -> _Slopes:
    """Draw a direction and measure f's derivative along it; draw again where f has a kink."""
    one_of("method", method, TOLERANCE)
    for rough in range(REDRAWS):
        v = _direction(x, draw)
        if method == "complex":
            return _Slopes(v, _slope(f, x, v, method, COMPLEX_STEP), 0.0, 0)
        slope, noise = central_slope(f, x, v, rounding)
        if slope is not None:
            return _Slopes(v, slope, noise, rough)
    return _Slopes(None, float("nan"), 0.0, REDRAWS)


def _direction(x: Array, draw: np.random.Generator) -> Array:
    """A random direction of length 1."""
    v = draw.standard_normal(x.shape)
    return np.asarray(v / max(math.hypot(*v.ravel()), np.finfo(float).tiny))


def _size(x: Array) -> float:
    """The unit of the steps: 1, or the size of a cell of x if that is larger."""
    return max(1.0, math.hypot(*x.ravel()) / math.sqrt(max(x.size, 1)))


def _extrapolate(
    f: Callable[[Array], Any], x: Array, v: Array, h: float, rounding: float
) -> tuple[float | None, float]:
    with np.errstate(all="ignore"):  # outside its domain f is NaN, and the step is too long
        value = np.asarray(f(x))
        here = float(value)
        up = [float(f(x + h / 2**i * v)) for i in range(3)]
        down = [float(f(x - h / 2**i * v)) for i in range(3)]
    if not np.isfinite([here, *up, *down]).all():
        return None, 0.0
    central = [(up[i] - down[i]) / (2 * h / 2**i) for i in range(3)]
    jump = [abs((up[i] - here) - (here - down[i])) / (h / 2**i) for i in range(2)]
    first, second = ((4 * central[i + 1] - central[i]) / 3 for i in range(2))
    noise = 4 * max(_epsilon(value) * max(map(abs, (here, *up, *down))), 2 * rounding) / h
    scale = max(map(abs, central))
    bent = abs(first - second) > 1e-7 * scale + 32 * noise
    broken = jump[1] > 0.75 * jump[0] and jump[0] > 1e-6 * scale + 32 * noise
    return (None if bent or broken else second), noise


class _Compared(NamedTuple):
    """A parameter: the slopes that were given, beside those that were measured, along the same directions."""

    name: str
    shape: tuple[int, ...]
    given: list[Any]
    measured: list[_Slopes]

    @property
    def kept(self) -> list[tuple[float, _Slopes]]:
        """The directions along which something could be measured."""
        return [(float(g), slopes) for g, slopes in zip(self.given, self.measured, strict=True) if slopes.v is not None]

    @property
    def sizes(self) -> tuple[float, float, float]:
        """The norms of what was given, of what was measured, and of the noise."""
        given, slopes = [g for g, _ in self.kept], [slopes for _, slopes in self.kept]
        return math.hypot(*given), math.hypot(*(s.slope for s in slopes)), math.hypot(*(s.noise for s in slopes))


def _report(compared: list[_Compared], method: Method, tolerance: float | None) -> Report:
    allowed = _tolerance(method, tolerance)
    largest = max((found for _, found, _ in (each.sizes for each in compared) if math.isfinite(found)), default=0.0)
    return Report(tuple(_check(each, allowed, largest) for each in compared), method, allowed)


def _check(compared: _Compared, tolerance: float, largest: float) -> Check:
    """Judge one parameter; `largest` is the size of the largest derivative of all parameters."""
    name, shape, kept = compared.name, compared.shape, compared.kept
    rough = sum(slopes.rough for slopes in compared.measured)
    claimed, found, noise = compared.sizes
    if kept and noise <= tolerance * largest and claimed <= ZERO * largest and found <= ZERO * largest + 4 * noise:
        return Check(name, shape, 0.0, len(kept), rough, True)
    scale = max(claimed, found)
    if not kept or (scale > 0 and noise > tolerance * scale):
        return Check(name, shape, float("nan"), 0, rough, False)
    error = math.hypot(*(g - slopes.slope for g, slopes in kept)) / scale if scale else 0.0
    return Check(name, shape, error, len(kept), rough, bool(error <= tolerance))


def _along(gradient: Array, slopes: _Slopes) -> float:
    """The slope that `gradient` claims along the direction that was measured."""
    return float("nan") if slopes.v is None else float(np.sum(gradient * slopes.v))


def _as_tuple(pulled: Array | tuple[Array, ...], inputs: list[Array]) -> tuple[Array, ...]:
    cotangents = pulled if isinstance(pulled, tuple) else (pulled,)
    if len(cotangents) != len(inputs):
        raise ShapeError(f"f_vjp returned {len(cotangents)} arrays, expected {len(inputs)}: one for each input.")
    for position, (cotangent, x) in enumerate(zip(cotangents, inputs, strict=True)):
        if np.shape(cotangent) != x.shape:
            raise ShapeError(
                f"f_vjp returned {np.shape(cotangent)} for input {position}, expected its shape, {x.shape}."
            )
    return cotangents


def _tolerance(method: Method, tolerance: float | None) -> float:
    if tolerance is None:
        return TOLERANCE[method]
    between("tolerance", tolerance, 0, open_below=True, open_above=False)
    return tolerance


def _positive(what: str, number: int) -> int:
    if number < 1:
        raise OptionError(parameter=what, came=repr(number), expected="a whole number >= 1")
    return number


def __dir__() -> list[str]:
    return __all__
