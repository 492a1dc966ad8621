"""The affine map Z = X W + b, and how derivatives go back through it.

Rows of X are samples, so W stands on the right and is (d, h).
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

import math

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError
from .arrays import Array, as_floating, as_inputs, summing_dtype

__all__ = ["affine", "affine_vjp"]


def affine(X: npt.ArrayLike, W: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Map each row of X by W and shift it by b.

    ::

        Z = X W + b            Z_ij = sum_k X_ik W_kj + b_j

    Parameters
    ----------
    X : (..., d) array
        Rows are samples; there may be any number of leading batch axes. A SciPy sparse matrix (n, d) stays sparse.
    W : (d, h) array
        Weights: one column for each output unit.
    b : (h,) array
        Biases, which are added to every row.

    Returns
    -------
    Z : (..., h) array

    Raises
    ------
    ShapeError
        If X does not have as many columns as W has rows, or b is not (h,).

    Notes
    -----
    Cost: 2 n d h flops for n rows. The pullback needs X and W, not Z.
    Source: Bishop, *Pattern Recognition and Machine Learning* (2006), section 5.1, equation 5.2.

    Examples
    --------
    >>> affine([[1.0, 2.0]], [[1.0, 0.0, -1.0], [0.5, 1.0, 0.0]], [0.1, 0.2, 0.3])
    array([[ 2.1,  2.2, -0.7]])
    """
    X, W, b = _check(X, W, b)
    Z = X @ W
    return np.add(Z, b, out=Z if np.result_type(Z, b) == Z.dtype and Z.ndim else None)


def affine_vjp(dZ: npt.ArrayLike, X: npt.ArrayLike, W: npt.ArrayLike) -> tuple[Array, Array, Array]:
    """Pull dL/dZ back through Z = X W + b.

    ::

        dX = dZ Wᵀ              dX_ik = sum_j dZ_ij W_kj
        dW = Xᵀ dZ              dW_kj = sum_i X_ik dZ_ij
        db = column sums of dZ   db_j = sum_i dZ_ij

    Parameters
    ----------
    dZ : (..., h) array
        dL/dZ.
    X : (..., d) array
        The input of the forward map.
    W : (d, h) array
        The weights of the forward map.

    Returns
    -------
    dX : (..., d) array
        dL/dX.
    dW : (d, h) array
        dL/dW, summed over all rows: every row used the same W.
    db : (h,) array
        dL/db, summed over all rows too.

    Raises
    ------
    ShapeError
        If the shapes don't fit.

    Notes
    -----
    Cost: 4 n d h + n h flops for n rows; keeps X and W.
    Source: Bishop (2006), section 5.3.1, equations 5.53 and 5.56 without the factor h'(a).

    Examples
    --------
    >>> dX, dW, db = affine_vjp([[1.0, 10.0]], [[2.0, 3.0]], [[1.0, 0.0], [0.0, 1.0]])
    >>> dW
    array([[ 2., 20.],
           [ 3., 30.]])
    """
    dZ = as_floating(dZ, "dZ")
    X, W, _ = _check(X, W, None)
    if dZ.shape != X.shape[:-1] + W.shape[1:]:
        raise ShapeError(f"dZ is {dZ.shape}, expected {X.shape[:-1] + W.shape[1:]} for Z = X W + b.")
    n = math.prod(X.shape[:-1])
    rows_of_dZ, rows_of_X = dZ.reshape(n, W.shape[1]), X.reshape(n, W.shape[0])
    db = rows_of_dZ.sum(axis=0, dtype=summing_dtype(dZ.dtype)).astype(dZ.dtype, copy=False)
    return dZ @ W.T, rows_of_X.T @ rows_of_dZ, db


def _check(X: npt.ArrayLike, W: npt.ArrayLike, b: npt.ArrayLike | None) -> tuple[Array, Array, Array]:
    X, W = as_inputs(X, "X"), as_floating(W, "W")
    if W.ndim != 2:
        raise ShapeError(f"W is {W.shape}, expected two axes: (inputs, outputs).")
    if X.ndim == 0 or X.shape[-1] != W.shape[0]:
        hint = " W looks transposed: pass W.T." if X.ndim and X.shape[-1] == W.shape[1] else ""
        raise ShapeError(f"X is {X.shape} and W is {W.shape}: expected as many columns in X as rows in W.{hint}")
    b = np.zeros(W.shape[1:]) if b is None else as_floating(b, "b")
    if b.shape != W.shape[1:]:
        raise ShapeError(f"b is {b.shape}, expected {W.shape[1:]}: one bias for each column of W.")
    return X, W, b
