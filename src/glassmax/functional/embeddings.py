"""Embeddings of numbers: each column of X becomes several columns, from which a network tells near values apart.

::

    periodic            cos(x_j F_j + H_j) V_j + C_j                          F, H, V, C are learned
    piecewise linear    2 clip((x_j - t_b) / (t_{b+1} - t_b), 0, 1) - 1        the edges t are fixed

A column j has frequencies, phases and weights of its own: nothing is summed over columns. The embedding of categories
needs no function of its own: it is the product of their one-hot columns and a matrix, see `affine`.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError
from .arrays import Array, as_floating, summing_dtype

__all__ = ["periodic", "periodic_vjp", "piecewise_linear", "piecewise_linear_vjp"]


def periodic(X: npt.ArrayLike, F: npt.ArrayLike, H: npt.ArrayLike, V: npt.ArrayLike, C: npt.ArrayLike) -> Array:
    """Embed each column of X by cosines of learned frequencies, followed by an affine map of the column's own.

    ::

        U_ijk = X_ij F_jk + H_jk
        Out_ije = sum_k cos(U_ijk) V_jke + C_je

    Parameters
    ----------
    X : (..., q) array
        Rows are samples; there may be any number of leading batch axes.
    F : (q, K) array
        Frequencies, in radians per unit of X.
    H : (q, K) array
        Phases, in radians.
    V : (q, K, e) array
        Weights: for each column a matrix from K cosines to e outputs.
    C : (q, e) array
        Biases.

    Returns
    -------
    Out : (..., q, e) array

    Raises
    ------
    ShapeError
        If the shapes don't fit.

    Notes
    -----
    Cost: n q K cosines and 2 n q K (e + 1) flops for n rows; keeps n q K numbers while it runs.
    Source: Gorishniy, Rubachev & Babenko, "On embeddings for numerical features in tabular deep learning" (2022),
    section 3.3, with a cosine and a phase instead of a sine and a cosine, and Holzmüller, Grinsztajn & Steinwart,
    "Better by default" (2024), section 3, for the affine map.

    Examples
    --------
    >>> one, zero = np.ones((1, 1)), np.zeros((1, 1))
    >>> periodic([[0.0], [np.pi]], F=one, H=zero, V=one[..., None], C=zero).ravel()
    array([ 1., -1.])
    """
    X, F, H, V = _check_periodic(X, F, H, V)
    C = as_floating(C, "C")
    if C.shape != (V.shape[0], V.shape[2]):
        raise ShapeError(f"C is {C.shape}, expected {(V.shape[0], V.shape[2])}: one row for each column of X.")
    return _apart(np.cos(X[..., None] * F + H), V) + C


def periodic_vjp(
    dOut: npt.ArrayLike, X: npt.ArrayLike, F: npt.ArrayLike, H: npt.ArrayLike, V: npt.ArrayLike
) -> tuple[Array, Array, Array, Array, Array]:
    """Pull dL/dOut back through the periodic embedding.

    ::

        dC_je = sum_i dOut_ije                     dV_jke = sum_i cos(U_ijk) dOut_ije
        dU_ijk = -sin(U_ijk) sum_e dOut_ije V_jke
        dH_jk = sum_i dU_ijk                       dF_jk = sum_i X_ij dU_ijk
        dX_ij = sum_k dU_ijk F_jk

    Parameters
    ----------
    dOut : (..., q, e) array
        dL/dOut.
    X, F, H, V
        As for `periodic`.

    Returns
    -------
    dX : (..., q) array
    dF, dH : (q, K) array
    dV : (q, K, e) array
    dC : (q, e) array
        The derivatives of the parameters are summed over all rows.

    Raises
    ------
    ShapeError
        If the shapes don't fit.

    Notes
    -----
    Cost: n q K sines and cosines and about 4 n q K (e + 1) flops for n rows; keeps X, and forms U anew.
    Source: the chain rule; the sources of `periodic` leave it to automatic differentiation.

    Examples
    --------
    >>> one, zero = np.ones((1, 1)), np.zeros((1, 1))
    >>> dX, dF, dH, dV, dC = periodic_vjp(np.ones((1, 1, 1)), [[np.pi / 2]], one, zero, one[..., None])
    >>> dX.item(), dH.item()    # -sin(pi/2)
    (-1.0, -1.0)
    """
    X, F, H, V = _check_periodic(X, F, H, V)
    dOut = _check_dOut(dOut, (*X.shape, V.shape[2]))
    shape, (q, K, e) = X.shape, V.shape
    x, d = X.reshape(-1, q), dOut.reshape(-1, q, e)
    U = x[..., None] * F + H
    dtype = summing_dtype(dOut.dtype)
    dV = np.matmul(np.cos(U).transpose(1, 2, 0), d.transpose(1, 0, 2))
    dU = -np.sin(U) * _apart(d, V.transpose(0, 2, 1))
    dF = (x[..., None] * dU).sum(axis=0, dtype=dtype).astype(dU.dtype, copy=False)
    dH = dU.sum(axis=0, dtype=dtype).astype(dU.dtype, copy=False)
    dC = d.sum(axis=0, dtype=dtype).astype(d.dtype, copy=False)
    return (dU * F).sum(axis=2).reshape(shape), dF, dH, dV.reshape(q, K, e), dC


def periodic_jvp(
    dX: npt.ArrayLike | None,
    dF: npt.ArrayLike,
    dH: npt.ArrayLike,
    dV: npt.ArrayLike,
    dC: npt.ArrayLike,
    X: npt.ArrayLike,
    F: npt.ArrayLike,
    H: npt.ArrayLike,
    V: npt.ArrayLike,
) -> Array:
    """Return the change of the periodic embedding for a change of its arguments.

    ::

        dU_ijk = X_ij dF_jk + dH_jk + dX_ij F_jk
        dOut_ije = sum_k (cos(U_ijk) dV_jke - sin(U_ijk) dU_ijk V_jke) + dC_je

    Parameters
    ----------
    dX, dF, dH, dV, dC : arrays
        The changes, of the shapes of X, F, H, V and C. None for dX: X doesn't change.
    X, F, H, V
        As for `periodic`.

    Returns
    -------
    (..., q, e) array

    Notes
    -----
    Cost: n q K sines and cosines and about 4 n q K (e + 1) flops for n rows.

    Examples
    --------
    >>> one, zero = np.ones((1, 1)), np.zeros((1, 1))
    >>> periodic_jvp(None, zero, one, zero[..., None], zero, [[np.pi / 2]], one, zero, one[..., None]).item()
    -1.0
    """
    X, F, H, V = _check_periodic(X, F, H, V)
    U = X[..., None] * F + H
    dU = X[..., None] * as_floating(dF, "dF") + as_floating(dH, "dH")
    if dX is not None:
        dU = dU + as_floating(dX, "dX")[..., None] * F
    return _apart(np.cos(U), as_floating(dV, "dV")) - _apart(np.sin(U) * dU, V) + as_floating(dC, "dC")


def piecewise_linear(X: npt.ArrayLike, edges: npt.ArrayLike) -> Array:
    """Embed numbers by the bins between given edges: -1 before a bin, 1 after it, a straight line inside.

    ::

        Out_ib = 2 clip((x_i - t_b) / (t_{b+1} - t_b), 0, 1) - 1          b = 0, ..., B - 1

    Parameters
    ----------
    X : (...) array
        One column of numbers, or an array of any shape.
    edges : (B + 1,) array
        t_0 < ... < t_B, finite, in units of X.

    Returns
    -------
    Out : (..., B) array
        In [-1, 1], of the dtype of X.

    Raises
    ------
    ShapeError
        If there are fewer than two edges, or they don't increase in the dtype of X.

    Notes
    -----
    Cost: 5 flops for each number and bin. A linear function of the outputs is a piecewise linear function of x, with
    kinks at the edges.
    Source: Gorishniy, Rubachev & Babenko (2022), section 3.2, equation 1; scaled to [-1, 1].

    Examples
    --------
    >>> piecewise_linear([-1.0, 0.5, 1.5, 9.0], edges=[0.0, 1.0, 2.0])
    array([[-1., -1.],
           [ 0., -1.],
           [ 1.,  0.],
           [ 1.,  1.]])
    """
    X = as_floating(X, "X")
    t = _check_edges(edges, X)
    s = (X[..., None] - t[:-1]) / (t[1:] - t[:-1])
    inside = np.where(s.real > 1, 1, s)  # not np.clip: NaN stays, and complex numbers go by their real part
    out: Array = 2 * np.where(s.real < 0, 0, inside) - 1
    return out.astype(X.dtype, copy=False)


def piecewise_linear_vjp(dOut: npt.ArrayLike, X: npt.ArrayLike, edges: npt.ArrayLike) -> Array:
    """Pull dL/dOut back through the piecewise linear embedding; the edges are fixed and have no derivative.

    ::

        dX_i = sum of 2 dOut_ib / (t_{b+1} - t_b)     over the bins with t_b < x_i <= t_{b+1}

    Parameters
    ----------
    dOut : (..., B) array
        dL/dOut.
    X, edges
        As for `piecewise_linear`.

    Returns
    -------
    dX : (...) array
        At an edge, the slope of the bin below it; 0 at t_0 and below, and above t_B.

    Raises
    ------
    ShapeError
        If the shapes don't fit.

    Notes
    -----
    Cost: 5 flops for each number and bin.

    Examples
    --------
    >>> piecewise_linear_vjp([[1.0, 1.0]], [1.5], edges=[0.0, 1.0, 3.0])
    array([1.])
    """
    X = as_floating(X, "X")
    t = _check_edges(edges, X)
    dOut = _check_dOut(dOut, (*X.shape, len(t) - 1))
    x = X.real[..., None]
    inside = (x > t[:-1]) & (x <= t[1:])
    dX: Array = np.where(inside, 2 * dOut / (t[1:] - t[:-1]), 0).sum(axis=-1)
    return dX


def _apart(A: Array, M: Array) -> Array:
    """Multiply each column's own rows by its own matrix: (..., q, a) and (q, a, b) give (..., q, b)."""
    q, a, b = M.shape
    product = np.matmul(A.reshape(-1, q, a).transpose(1, 0, 2), M).transpose(1, 0, 2)
    return product.reshape(*A.shape[:-1], b)


def _check_periodic(
    X: npt.ArrayLike, F: npt.ArrayLike, H: npt.ArrayLike, V: npt.ArrayLike
) -> tuple[Array, Array, Array, Array]:
    X, F, H, V = as_floating(X, "X"), as_floating(F, "F"), as_floating(H, "H"), as_floating(V, "V")
    if F.ndim != 2:
        raise ShapeError(f"F is {F.shape}, expected two axes: (columns of X, frequencies).")
    if X.ndim == 0 or X.shape[-1] != F.shape[0]:
        raise ShapeError(f"X is {X.shape} and F is {F.shape}: expected as many columns in X as rows in F.")
    if H.shape != F.shape:
        raise ShapeError(f"H is {H.shape}, expected {F.shape}: one phase for each frequency.")
    if V.ndim != 3 or V.shape[:2] != F.shape:
        raise ShapeError(f"V is {V.shape}, expected {F.shape} and the number of outputs of a column as third axis.")
    return X, F, H, V


def _check_dOut(dOut: npt.ArrayLike, shape: tuple[int, ...]) -> Array:
    dOut = as_floating(dOut, "dOut")
    if dOut.shape != shape:
        raise ShapeError(f"dOut is {dOut.shape}, expected {shape}: the shape of the embedding.")
    return dOut


def _check_edges(edges: npt.ArrayLike, X: Array) -> Array:
    t = as_floating(edges, "edges").astype(X.real.dtype, copy=False)
    if t.ndim != 1 or len(t) < 2 or not np.isfinite(t).all() or not (t[1:] > t[:-1]).all():
        raise ShapeError(f"edges is {t!r}, expected two or more finite numbers in increasing order.")
    return t
