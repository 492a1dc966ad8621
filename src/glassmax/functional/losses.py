"""Losses: each value beside its derivative; on probabilities, and fused with softmax or sigmoid on logits.

The losses on probabilities (`cross_entropy`, `squared_error`, `binary_cross_entropy`) take what the output
function returned, and their pullbacks give dL/dP. The fused ones (`softmax_cross_entropy`,
`sigmoid_cross_entropy`) take logits, wear both names, and give dL/dZ; there, and only there, the two derivatives
meet and most of it cancels, down to ``(P - Y)/n``.

Every loss is one number L_i a row, weighted and brought together by `reduction`. To add one, write the pair
and one row of the table in `heads`.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError
from .activations import sigmoid, softplus
from .arrays import Array, as_floating, log1p, pick, put, summing_dtype
from .softmax import Exponentials, exponentials
from .targets import (
    Meaning,
    Reduction,
    as_rows,
    check_smoothing,
    check_target,
    check_weights,
    reduce_rows,
    row_factors,
    weigh,
)

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_vjp",
    "cross_entropy",
    "cross_entropy_vjp",
    "l2",
    "l2_vjp",
    "sigmoid_cross_entropy",
    "sigmoid_cross_entropy_vjp",
    "softmax_cross_entropy",
    "softmax_cross_entropy_vjp",
    "squared_error",
    "squared_error_vjp",
]


def cross_entropy(
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Array:
    """Charge each row the negative logarithm of the probability given to its class.

    ::

        L_i = - sum_c Y_ic log P_ic            0 log 0 = 0

    Parameters
    ----------
    P : (..., k) array
        Probabilities > 0; where a class with Y_ic > 0 has P_ic = 0 the loss is inf.
    target : (...,) or (..., k) array
        Class indices 0..k-1, or rows of numbers >= 0 with any row sum (one-hot, soft).
    label_smoothing : float in [0, 1], default=0
        The share of each target row that is spread evenly over the classes.
    sample_weight : (...,) array or None, default=None
        One number w_i >= 0 for each row; None stands for ones.
    reduction : {"mean", "sum", "none"}, default="mean"
        ``sum_i w_i L_i / sum_i w_i``, ``sum_i w_i L_i``, or every ``w_i L_i``.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0 for P <= 1, in float64 whatever the dtype of P.

    Raises
    ------
    ShapeError, LabelError, OptionError
        Before any arithmetic, naming the first row at fault.

    Notes
    -----
    Cost: one logarithm for each entry with Y_ic > 0. With logits at hand use `softmax_cross_entropy`, which
    keeps the digits that P has lost.
    Source: Bishop (2006), equation 4.108.

    Examples
    --------
    >>> float(cross_entropy([[0.5, 0.5], [0.2, 0.8]], [0, 1]).round(6))    # (log 2 - log 0.8) / 2
    0.458145
    """
    P, T, w = _read("P", P, target, "classes", sample_weight, label_smoothing)
    return reduce_rows(cross_entropy_rows(P, T), w, reduction)


def cross_entropy_vjp(
    dL: npt.ArrayLike,
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through the cross-entropy of probabilities.

    ::

        dP_ic = - Y_ic / P_ic  (times dL w_i / sum w)         0 / 0 = 0

    Parameters
    ----------
    dL : float, or (...,) array for reduction "none"
        Derivative of what follows by the loss; 1 for the gradient of the loss itself.
    P : (..., k) array
        Probabilities.
    target, sample_weight, label_smoothing, reduction
        As for the loss.

    Returns
    -------
    dP : (..., k) array
        Derivative by the probabilities, not by the logits: `softmax_vjp` goes on from here.

    Notes
    -----
    Cost: one division an entry; keeps P.
    Source: the derivative of -log, Bishop (2006), section 4.3.4.

    Examples
    --------
    >>> cross_entropy_vjp(1.0, [[0.5, 0.5], [0.2, 0.8]], [0, 1])
    array([[-1.   ,  0.   ],
           [ 0.   , -0.625]])
    """
    P, T, w = _read("P", P, target, "classes", sample_weight, label_smoothing)
    return weigh(row_factors(dL, w, reduction, P), cross_entropy_dP(P, T)).astype(P.dtype, copy=False)


def squared_error(
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    factor: float = 0.5,
    reduction: Reduction = "mean",
) -> Array:
    """Charge each row half the squared distance to its target.

    ::

        L_i = factor sum_c (P_ic - Y_ic)^2

    Parameters
    ----------
    P : (..., k) array
        Predictions: probabilities or any other numbers.
    target : (...,) or (..., k) array
        Class indices (read as one-hot rows), or rows of any finite numbers. For k = 1, (...,) is the column.
    factor : float, default=0.5
        What stands before the square: 1/2 makes the derivative P - Y, 1 makes it 2 (P - Y).
    sample_weight : (...,) array or None, default=None
        One number w_i >= 0 for each row; None stands for ones.
    reduction : {"mean", "sum", "none"}, default="mean"
        ``sum_i w_i L_i / sum_i w_i``, ``sum_i w_i L_i``, or every ``w_i L_i``.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0, in float64 whatever the dtype of P.

    Raises
    ------
    ShapeError, LabelError, OptionError
        Before any arithmetic, naming the first row at fault.

    Notes
    -----
    Cost: 3 flops an entry. The sum runs over the classes, the mean over the rows alone.
    Source: Bishop (2006), equation 5.11, divided by the number of rows.

    Examples
    --------
    >>> float(squared_error([[0.5, 0.5]], [0]))
    0.25
    """
    P, T, w = _read("P", P, target, "values", sample_weight)
    return reduce_rows(squared_error_rows(P, T, factor), w, reduction)


def squared_error_vjp(
    dL: npt.ArrayLike,
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    factor: float = 0.5,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through the squared error.

    ::

        dP_ic = 2 factor (P_ic - Y_ic)  (times dL w_i / sum w)

    Parameters
    ----------
    dL : float, or (...,) array for reduction "none"
        Derivative of what follows by the loss; 1 for the gradient of the loss itself.
    P : (..., k) array
        Predictions.
    target, sample_weight, factor, reduction
        As for the loss.

    Returns
    -------
    dP : (..., k) array
        Derivative by the predictions. Under softmax the logits' is ``softmax_vjp(dP, P)``, not dP.

    Notes
    -----
    Cost: 2 flops an entry; keeps P.
    Source: Bishop (2006), section 5.2.1.

    Examples
    --------
    >>> squared_error_vjp(1.0, [[0.5, 0.5]], [0])
    array([[-0.5,  0.5]])
    """
    P, T, w = _read("P", P, target, "values", sample_weight)
    return weigh(row_factors(dL, w, reduction, P), squared_error_dP(P, T, factor)).astype(P.dtype, copy=False)


def binary_cross_entropy(
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Charge each label of a row on its own: k independent yes-or-no questions.

    ::

        L_i = - sum_c [Y_ic log P_ic + (1 - Y_ic) log(1 - P_ic)]            0 log 0 = 0

    Parameters
    ----------
    P : (..., k) array
        Probabilities in [0, 1], one for each label.
    target : (...,) or (..., k) array
        Class indices (read as one-hot rows), or rows of numbers in [0, 1], one label each. For k = 1,
        (...,) is the column.
    sample_weight : (...,) array or None, default=None
        One number w_i >= 0 for each row; None stands for ones.
    reduction : {"mean", "sum", "none"}, default="mean"
        ``sum_i w_i L_i / sum_i w_i``, ``sum_i w_i L_i``, or every ``w_i L_i``.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0, in float64 whatever the dtype of P.

    Raises
    ------
    ShapeError, LabelError, OptionError
        Before any arithmetic, naming the first row at fault.

    Notes
    -----
    Cost: two logarithms an entry. Sum over the labels, mean over the rows.
    Source: Bishop (2006), equation 5.22.

    Examples
    --------
    >>> float(binary_cross_entropy([[0.5, 0.5]], [[1, 0]]))    # 2 log 2
    1.3862943611198906
    """
    P, T, w = _read("P", P, target, "labels", sample_weight)
    return reduce_rows(binary_cross_entropy_rows(P, T), w, reduction)


def binary_cross_entropy_vjp(
    dL: npt.ArrayLike,
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through the binary cross-entropy of probabilities.

    ::

        dP_ic = (1 - Y_ic) / (1 - P_ic) - Y_ic / P_ic  (times dL w_i / sum w)         0 / 0 = 0

    Parameters
    ----------
    dL : float, or (...,) array for reduction "none"
        Derivative of what follows by the loss; 1 for the gradient of the loss itself.
    P : (..., k) array
        Probabilities.
    target, sample_weight, reduction
        As for the loss.

    Returns
    -------
    dP : (..., k) array
        Derivative by the probabilities.

    Notes
    -----
    Cost: two divisions an entry; keeps P.
    Source: Bishop (2006), section 5.2, the derivative of equation 5.22.

    Examples
    --------
    >>> binary_cross_entropy_vjp(1.0, [[0.5, 0.75]], [[1, 0]])
    array([[-2.,  4.]])
    """
    P, T, w = _read("P", P, target, "labels", sample_weight)
    return weigh(row_factors(dL, w, reduction, P), binary_cross_entropy_dP(P, T)).astype(P.dtype, copy=False)


def softmax_cross_entropy(
    Z: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Array:
    """Fuse softmax and cross-entropy: the loss of logits.

    ::

        L_i = - sum_c Y_ic log softmax(Z_i)_c = sum_c Y_ic (max_m Z_im - Z_ic + log1p(others_i))

    with ``others_i`` the sum of exp(Z_im - max) without the largest term

    Parameters
    ----------
    Z : (..., k) array
        Logits: any real numbers. A true class at -inf costs inf; a row with NaN is NaN.
    target : (...,) or (..., k) array
        Class indices 0..k-1, or rows of numbers >= 0 with any row sum (one-hot, soft).
    label_smoothing : float in [0, 1], default=0
        The share of each target row that is spread evenly over the classes.
    sample_weight : (...,) array or None, default=None
        One number w_i >= 0 for each row; None stands for ones.
    reduction : {"mean", "sum", "none"}, default="mean"
        ``sum_i w_i L_i / sum_i w_i``, ``sum_i w_i L_i``, or every ``w_i L_i``.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0, in float64 whatever the dtype of Z.

    Raises
    ------
    ShapeError, LabelError, OptionError
        Before any arithmetic, naming the first row at fault.

    Notes
    -----
    Cost: about 4 k flops, k exponentials and one logarithm a row. Every term of the sum is >= 0, so nothing
    cancels: a loss of 1e-30 is right to the last digits, where log(sum of exponentials) returns 0.
    Source: Bishop (2006), equations 4.104 and 4.108; the form: Blanchard, Higham & Higham (2021).

    Examples
    --------
    >>> float(softmax_cross_entropy([[0.0, np.log(3.0)]], [1]).round(6))    # log 4/3
    0.287682
    >>> loss = softmax_cross_entropy(np.array([[40.0, 0.0]], dtype="float32"), [0])    # exp(-40), not 0
    >>> f"{loss:.6e}"
    '4.248354e-18'
    """
    Z, T, w = _read("Z", Z, target, "classes", sample_weight, label_smoothing)
    return reduce_rows(softmax_cross_entropy_rows(exponentials(Z), T), w, reduction)


def softmax_cross_entropy_vjp(
    dL: npt.ArrayLike,
    Z: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through softmax and cross-entropy together, to the logits.

    ::

        dZ_i = (P_i rowsum(Y_i) - Y_i)  (times dL w_i / sum w)

    which for rows that sum to 1 is the famous ``(P - Y)/n``

    Parameters
    ----------
    dL : float, or (...,) array for reduction "none"
        Derivative of what follows by the loss; 1 for the gradient of the loss itself.
    Z : (..., k) array
        Logits.
    target, sample_weight, label_smoothing, reduction
        As for the loss.

    Returns
    -------
    dZ : (..., k) array
        Derivative by the logits; each row sums to 0.

    Notes
    -----
    Cost: 4 flops and one exponential an entry; keeps Z. Formed as ``P (rowsum(Y) - Y) - Y (1 - P)`` with 1 - P the
    sum of the others, so that the true class keeps its digits where P is all but 1.
    Source: Bishop (2006), equation 4.109; any row sum: -Y/P through the softmax Jacobian.

    Examples
    --------
    >>> softmax_cross_entropy_vjp(1.0, [[0.0, np.log(3.0)]], [1])
    array([[ 0.25, -0.25]])
    >>> softmax_cross_entropy_vjp(1.0, [[0.0, np.log(3.0)]], [[1, 1]])    # a row that sums to 2
    array([[-0.5,  0.5]])
    """
    Z, T, w = _read("Z", Z, target, "classes", sample_weight, label_smoothing)
    dZ = weigh(row_factors(dL, w, reduction, Z), softmax_cross_entropy_dZ(exponentials(Z), T))
    return dZ.astype(Z.dtype, copy=False)


def sigmoid_cross_entropy(
    Z: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Fuse sigmoid and binary cross-entropy: the loss of one logit for each label.

    ::

        L_i = sum_c [Y_ic softplus(-Z_ic) + (1 - Y_ic) softplus(Z_ic)]

    Parameters
    ----------
    Z : (..., k) array
        Logits: any real numbers.
    target : (...,) or (..., k) array
        Class indices (read as one-hot rows), or rows of numbers in [0, 1], one label each. For k = 1,
        (...,) is the column.
    sample_weight : (...,) array or None, default=None
        One number w_i >= 0 for each row; None stands for ones.
    reduction : {"mean", "sum", "none"}, default="mean"
        ``sum_i w_i L_i / sum_i w_i``, ``sum_i w_i L_i``, or every ``w_i L_i``.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0, in float64 whatever the dtype of Z.

    Raises
    ------
    ShapeError, LabelError, OptionError
        Before any arithmetic, naming the first row at fault.

    Notes
    -----
    Cost: two exponentials and two logarithms an entry. Both terms are >= 0: nothing cancels.
    Source: Bishop (2006), equation 5.22 with y = sigmoid(a).

    Examples
    --------
    >>> float(sigmoid_cross_entropy([[0.0, 0.0]], [[1, 0]]))    # 2 log 2
    1.3862943611198906
    """
    Z, T, w = _read("Z", Z, target, "labels", sample_weight)
    return reduce_rows(sigmoid_cross_entropy_rows(Z, T), w, reduction)


def sigmoid_cross_entropy_vjp(
    dL: npt.ArrayLike,
    Z: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through sigmoid and binary cross-entropy together, to the logits.

    ::

        dZ_ic = sigmoid(Z_ic) - Y_ic  (times dL w_i / sum w)

    Parameters
    ----------
    dL : float, or (...,) array for reduction "none"
        Derivative of what follows by the loss; 1 for the gradient of the loss itself.
    Z : (..., k) array
        Logits.
    target, sample_weight, reduction
        As for the loss.

    Returns
    -------
    dZ : (..., k) array
        Derivative by the logits.

    Notes
    -----
    Cost: two exponentials an entry; keeps Z. Formed as ``(1 - Y) sigmoid(Z) - Y sigmoid(-Z)``.
    Source: Bishop (2006), section 5.2: the canonical link, equation 5.18.

    Examples
    --------
    >>> sigmoid_cross_entropy_vjp(1.0, [[0.0, 0.0]], [[1, 0]])
    array([[-0.5,  0.5]])
    """
    Z, T, w = _read("Z", Z, target, "labels", sample_weight)
    dZ = weigh(row_factors(dL, w, reduction, Z), sigmoid_cross_entropy_dZ(Z, T))
    return dZ.astype(Z.dtype, copy=False)


def l2(W: npt.ArrayLike, strength: float) -> Array:
    """Charge the weights half their squared length.

    ::

        strength/2 sum_kj W_kj^2

    Parameters
    ----------
    W : array of any shape
        Weights. Biases are left out by custom: pass none.
    strength : float
        >= 0, in units of the loss for each squared unit of weight.

    Returns
    -------
    float64
        >= 0.

    Notes
    -----
    Cost: 2 flops an entry.
    Source: Bishop (2006), equation 5.112.

    Examples
    --------
    >>> float(l2([[3.0, 4.0]], 0.1))
    1.25
    """
    W = as_floating(W, "W")
    W = W.astype(summing_dtype(W.dtype), copy=False)
    with np.errstate(over="ignore"):
        return np.multiply(strength / 2, (W * W).sum())


def l2_vjp(dL: npt.ArrayLike, W: npt.ArrayLike, strength: float) -> Array:
    """Pull dL back through the penalty.

    ::

        dW = strength W  (times dL)

    Parameters
    ----------
    dL : float
        Derivative of what follows by the penalty; 1 for the gradient of the penalty itself.
    W : array of any shape
        Weights.
    strength : float
        As for `l2`.

    Returns
    -------
    dW : array
        Shape of W.

    Notes
    -----
    Cost: 1 flop an entry; keeps W.
    Source: Bishop (2006), section 5.5.

    Examples
    --------
    >>> l2_vjp(1.0, [[3.0, 4.0]], 0.1)
    array([[0.3, 0.4]])
    """
    W = as_floating(W, "W")
    return (as_floating(dL, "dL") * strength * W).astype(W.dtype, copy=False)


# The formulas of one row each, on checked input. T is indices (...,) or rows (..., k), as `check_target` returns it.


def cross_entropy_rows(P: Array, T: Array) -> Array:
    """- sum_c Y_c log P_c."""
    P = P.astype(summing_dtype(P.dtype), copy=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        if T.dtype.kind == "i":
            return -np.log(pick(P, T))
        return -np.where(T == 0, 0, T * np.log(P)).sum(axis=-1)


def cross_entropy_dP(P: Array, T: Array) -> Array:
    """- Y_c / P_c."""
    with np.errstate(divide="ignore", invalid="ignore"):
        Y = as_rows(T, P.shape[-1])
        return np.where(Y == 0, 0, -Y / P)


def squared_error_rows(P: Array, T: Array, factor: float = 0.5) -> Array:
    """factor sum_c (P_c - Y_c)^2."""
    P = P.astype(summing_dtype(P.dtype), copy=False)
    error = P - as_rows(T, P.shape[-1])
    with np.errstate(over="ignore"):
        return factor * (error * error).sum(axis=-1)


def squared_error_dP(P: Array, T: Array, factor: float = 0.5) -> Array:
    """2 factor (P_c - Y_c)."""
    return 2 * factor * (P - as_rows(T, P.shape[-1]))


def binary_cross_entropy_rows(P: Array, T: Array) -> Array:
    """- sum_c [Y_c log P_c + (1 - Y_c) log(1 - P_c)]."""
    P = P.astype(summing_dtype(P.dtype), copy=False)
    Y = as_rows(T, P.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        yes = np.where(Y == 0, 0, Y * np.log(P))
        no = np.where(Y == 1, 0, (1 - Y) * log1p(-P))
    return -(yes + no).sum(axis=-1)


def binary_cross_entropy_dP(P: Array, T: Array) -> Array:
    """(1 - Y_c) / (1 - P_c) - Y_c / P_c."""
    Y = as_rows(T, P.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(Y == 1, 0, (1 - Y) / (1 - P)) - np.where(Y == 0, 0, Y / P)


def softmax_cross_entropy_rows(pieces: Exponentials, T: Array) -> Array:
    """sum_c Y_c (log1p(others) - shift_c): a sum of terms that are all >= 0."""
    if T.dtype.kind == "i":
        return log1p(pieces.others)[..., 0] - pick(pieces.shift, T)
    with np.errstate(invalid="ignore"):
        L = np.where(T == 0, 0, T * (log1p(pieces.others) - pieces.shift)).sum(axis=-1)
        return L + 0 * pieces.others[..., 0]  # NaN where the row is, though Y be 0 all along it


def softmax_cross_entropy_dZ(pieces: Exponentials, T: Array) -> Array:
    """P_c (rowsum(Y) - Y_c) - Y_c (1 - P_c), which is P_c rowsum(Y) - Y_c without its cancellation."""
    P = pieces.P
    if T.dtype.kind == "i":
        others = pieces.others[..., 0]
        dZ = P.copy()
        put(dZ, T, -np.where(pieces.top == T, others / (1 + others), 1 - pick(P, T)))
        return dZ
    return P * (T.sum(axis=-1, keepdims=True) - T) - T * pieces.not_P


def sigmoid_cross_entropy_rows(Z: Array, T: Array) -> Array:
    """sum_c [Y_c softplus(-Z_c) + (1 - Y_c) softplus(Z_c)]."""
    Z = Z.astype(summing_dtype(Z.dtype), copy=False)
    Y = as_rows(T, Z.shape[-1])
    with np.errstate(invalid="ignore"):
        return (np.where(Y == 0, 0, Y * softplus(-Z)) + np.where(Y == 1, 0, (1 - Y) * softplus(Z))).sum(axis=-1)


def sigmoid_cross_entropy_dZ(Z: Array, T: Array) -> Array:
    """(1 - Y_c) sigmoid(Z_c) - Y_c sigmoid(-Z_c), which is sigmoid(Z_c) - Y_c."""
    Z = Z.astype(summing_dtype(Z.dtype), copy=False)
    Y = as_rows(T, Z.shape[-1])
    return (1 - Y) * sigmoid(Z) - Y * sigmoid(-Z)


def _read(
    letter: str,
    values: npt.ArrayLike,
    target: npt.ArrayLike,
    meaning: Meaning,
    sample_weight: npt.ArrayLike | None,
    label_smoothing: float = 0.0,
) -> tuple[Array, Array, Array | None]:
    """Check predictions, target and weights once, at the edge."""
    V = as_floating(values, letter)
    if V.ndim == 0 or V.shape[-1] == 0:
        raise ShapeError(f"{letter} is {V.shape}, expected (..., k) with at least one class.")
    T = check_target(target, V.shape, meaning)
    w = check_weights(sample_weight, V.shape[:-1])
    check_smoothing(label_smoothing)
    if label_smoothing:
        T = as_rows(T, V.shape[-1], label_smoothing)
    return V, T, w
