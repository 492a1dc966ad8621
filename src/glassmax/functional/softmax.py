"""Softmax and its logarithm: values, Jacobian, products with the Jacobian from both sides.

Softmax is a vector function, so its derivative is a matrix for each row,

    J_ij = dp_i/dz_j = p_i (delta_ij - p_j)

which is contracted with an incoming derivative, never summed over a row (the rows sum to 0). No function in this module
contains a loss: `softmax_vjp` is the product with the Jacobian and nothing else. The gradient ``(P - Y)/n`` of softmax
with cross-entropy is `softmax_cross_entropy_vjp`.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError
from .arrays import Array, as_floating, log1p, pick, put, summing_dtype

__all__ = ["log_softmax", "log_softmax_vjp", "softmax", "softmax_jacobian", "softmax_jvp", "softmax_vjp"]


class Exponentials(NamedTuple):
    """The pieces that softmax, its logarithm and the cross-entropy share, in summing precision.

    With m the position of the row's largest logit::

        shift_j = z_j - z_m <= 0       E_j = exp(shift_j)       others = sum_{j != m} E_j

    so that P, stored here, is ``E / (1 + others)`` and ``log P = shift - log1p(others)``: the largest term, exactly
    1, is never added to the small ones, and a tiny loss keeps its digits.
    """

    shift: Array
    P: Array
    others: Array
    top: Array

    @property
    def not_P(self) -> Array:
        """1 - P, the sum of the other probabilities, without cancellation where P is close to 1."""
        not_P = 1 - self.P
        put(not_P, self.top, (self.others / (1 + self.others))[..., 0])
        return not_P

    def __repr__(self) -> str:
        return f"Exponentials(P: {self.P.shape})"


def exponentials(Z: Array) -> Exponentials:
    """Subtract from each row of Z its maximum, exponentiate, and sum all terms but the largest.

    Complex logits are ordered by their real part. Rows that hold a NaN, an inf, or nothing but -inf are NaN throughout,
    as in NumPy and PyTorch. Source: Blanchard, Higham & Higham, "Accurately computing the log-sum-exp and softmax
    functions", IMA Journal of Numerical Analysis 41 (2021), algorithm 4.1.
    """
    if Z.ndim == 0 or Z.shape[-1] == 0:
        raise ShapeError(f"Z is {Z.shape}, expected (..., k) with at least one class.")
    Z = Z.astype(summing_dtype(Z.dtype), copy=False)
    top = np.argmax(Z.real, axis=-1)
    with np.errstate(invalid="ignore", over="ignore"):  # inf - inf is NaN, which is what such a row must be
        shift = Z - pick(Z, top)[..., None]
        E = np.exp(shift)
    zero_or_nan = pick(shift, top)
    put(E, top, zero_or_nan)
    others = E.sum(axis=-1, keepdims=True)
    put(E, top, 1 + zero_or_nan)
    return Exponentials(shift, E / (1 + others), others, top)


def log_sum_exp(Z: Array, pieces: Exponentials) -> Array:
    """Return log sum_j exp(z_j) of each row, (...,), in summing precision, from the logits and their pieces."""
    lse: Array = pick(Z, pieces.top) + log1p(pieces.others)[..., 0]
    return lse


def softmax(Z: npt.ArrayLike, axis: int = -1) -> Array:
    """Turn logits into probabilities.

    ::

        p_i = exp(z_i) / sum_m exp(z_m)

    Parameters
    ----------
    Z : (..., k) array
        Logits: any real numbers, -inf included (probability 0).
    axis : int, default=-1
        The axis of the classes.

    Returns
    -------
    P : (..., k) array
        Probabilities in [0, 1] that sum to 1 along `axis`; dtype and shape of Z. A row that holds a NaN, or -inf
        alone, is NaN; other rows are not affected.

    Raises
    ------
    ShapeError
        If there is no class.

    Notes
    -----
    Cost: about 5 flops and one exponential for each entry. Computed in float64 (or wider) and rounded once. The
    pullback needs P alone.
    Source: Bishop (2006), equation 4.104; Bridle (1990).

    Examples
    --------
    >>> softmax([0.0, np.log(3.0)])
    array([0.25, 0.75])
    >>> softmax([1000.0, 1000.0])
    array([0.5, 0.5])
    """
    Z = as_floating(Z, "Z")
    return _along(axis, Z, lambda rows: exponentials(rows).P)


def softmax_vjp(dP: npt.ArrayLike, P: npt.ArrayLike, axis: int = -1) -> Array:
    """Pull dL/dP back through P = softmax(Z), whatever the loss.

    ::

        dz_j = sum_i dp_i J_ij = p_j (dp_j - <dp, p>)
        dZ   = P * (dP - rowsum(dP * P))

    Parameters
    ----------
    dP : (..., k) array
        dL/dP.
    P : (..., k) array
        The probabilities of the forward pass.
    axis : int, default=-1
        The axis of the classes.

    Returns
    -------
    dZ : (..., k) array
        dL/dZ. It sums to 0 along `axis`, because softmax ignores a shift of the logits.

    Notes
    -----
    Cost: 4 k flops for each row, instead of 2 k^2 with the Jacobian written out; keeps P.
    Source: Bishop (2006), equation 4.106, contracted with dP.

    Examples
    --------
    >>> P = softmax([1.0, 2.0, 3.0])
    >>> bool(np.allclose(softmax_vjp([1.0, 0.0, 0.0], P), softmax_jacobian([1.0, 2.0, 3.0])[0]))
    True
    >>> bool(np.allclose(softmax_vjp([1.0, 1.0, 1.0], P), 0))    # ones pull back to nothing
    True
    """
    dP, P = as_floating(dP, "dP"), as_floating(P, "P")
    _same_shape("dP", dP, "P", P)
    along = (dP * P).sum(axis=_checked(axis, P), keepdims=True, dtype=summing_dtype(P.dtype))
    return (P * (dP - along)).astype(np.result_type(dP, P), copy=False)


def softmax_jvp(dZ: npt.ArrayLike, P: npt.ArrayLike, axis: int = -1) -> Array:
    """Push a change dZ of the logits forward through P = softmax(Z).

    ::

        dp_i = sum_j J_ij dz_j = p_i (dz_i - <p, dz>)

    The Jacobian is symmetric, so this is the formula of `softmax_vjp` with another meaning: there a derivative is
    pulled back, here a change is pushed forward.

    Parameters
    ----------
    dZ : (..., k) array
        The change of the logits: a direction.
    P : (..., k) array
        The probabilities at the point.
    axis : int, default=-1
        The axis of the classes.

    Returns
    -------
    dP : (..., k) array
        The directional derivative of the probabilities; it sums to 0 along `axis`.

    Notes
    -----
    Cost: 4 k flops for each row.
    Source: Bishop (2006), equation 4.106.

    Examples
    --------
    >>> softmax_jvp([1.0, 0.0], [0.25, 0.75])
    array([ 0.1875, -0.1875])
    """
    return softmax_vjp(dZ, P, axis)


def softmax_jacobian(z: npt.ArrayLike) -> Array:
    """Return the Jacobian of softmax, one k x k matrix for each row of logits.

    ::

        J_ij = dp_i/dz_j = p_i (delta_ij - p_j)         J = diag(p) - p pᵀ

    Parameters
    ----------
    z : (..., k) array
        Logits.

    Returns
    -------
    J : (..., k, k) array
        Symmetric; every row and every column sums to 0.

    Notes
    -----
    Cost: k^2 flops and k^2 numbers for each row. Backpropagation never needs the matrix: `softmax_vjp` is its product
    with dP.
    Source: Bishop (2006), equation 4.106.

    Examples
    --------
    >>> softmax_jacobian([0.0, np.log(3.0)])
    array([[ 0.1875, -0.1875],
           [-0.1875,  0.1875]])
    """
    z = as_floating(z, "z")
    pieces = exponentials(z)
    P = pieces.P
    J = -P[..., :, None] * P[..., None, :]
    diagonal = np.arange(P.shape[-1])
    J[..., diagonal, diagonal] = P * pieces.not_P
    return J.astype(z.dtype, copy=False)


def log_softmax(Z: npt.ArrayLike, axis: int = -1) -> Array:
    """Return the logarithm of softmax without forming the probabilities.

    ::

        q_i = z_i - log sum_m exp(z_m)

    Parameters
    ----------
    Z : (..., k) array
        Logits.
    axis : int, default=-1
        The axis of the classes.

    Returns
    -------
    Q : (..., k) array
        Log-probabilities in [-inf, 0]; dtype and shape of Z.

    Raises
    ------
    ShapeError
        If there is no class.

    Notes
    -----
    Cost: about 4 flops and one exponential for each entry, one logarithm for each row. A log-probability close to 0
    keeps its digits, because the largest exponential is left out of the sum and `log1p` adds it again.
    Source: Blanchard, Higham & Higham (2021).

    Examples
    --------
    >>> float(log_softmax(np.array([30.0, 0.0], dtype="float32"))[0])    # -exp(-30), not 0
    -9.357622912219837e-14
    """
    Z = as_floating(Z, "Z")

    def log_softmax_of_rows(rows: Array) -> Array:
        pieces = exponentials(rows)
        return pieces.shift - log1p(pieces.others)

    return _along(axis, Z, log_softmax_of_rows)


def log_softmax_vjp(dQ: npt.ArrayLike, Q: npt.ArrayLike, axis: int = -1) -> Array:
    """Pull dL/dQ back through Q = log_softmax(Z).

    ::

        dz_j = dq_j - p_j sum_i dq_i          with p = exp(q)

    Parameters
    ----------
    dQ : (..., k) array
        dL/dQ.
    Q : (..., k) array
        The log-probabilities of the forward pass.
    axis : int, default=-1
        The axis of the classes.

    Returns
    -------
    dZ : (..., k) array
        dL/dZ; it sums to 0 along `axis`.

    Notes
    -----
    Cost: 3 flops and one exponential for each entry; keeps Q.
    Source: d(z_i - logsumexp(z))/dz_j = delta_ij - p_j, contracted with dQ.

    Examples
    --------
    >>> log_softmax_vjp([1.0, 0.0], np.log([0.25, 0.75]))
    array([ 0.75, -0.75])
    """
    dQ, Q = as_floating(dQ, "dQ"), as_floating(Q, "Q")
    _same_shape("dQ", dQ, "Q", Q)
    total = dQ.sum(axis=_checked(axis, Q), keepdims=True, dtype=summing_dtype(dQ.dtype))
    return (dQ - np.exp(Q) * total).astype(np.result_type(dQ, Q), copy=False)


def _along(axis: int, Z: Array, function: Callable[[Array], Array]) -> Array:
    rows = np.moveaxis(Z, _checked(axis, Z), -1)
    with np.errstate(over="ignore"):  # a logit may be too large for a narrow dtype
        return np.moveaxis(function(rows).astype(Z.dtype, copy=False), -1, axis)


def _checked(axis: int, Z: Array) -> int:
    if not isinstance(axis, int | np.integer) or not -Z.ndim <= axis < Z.ndim:
        raise ShapeError(f"axis is {axis!r}, expected {-Z.ndim}..{Z.ndim - 1}: Z is {Z.shape}.")
    return int(axis)


def _same_shape(name: str, given: Array, other_name: str, other: Array) -> None:
    if given.shape != other.shape:
        raise ShapeError(f"{name} is {given.shape}, expected the shape of {other_name}, {other.shape}.")
