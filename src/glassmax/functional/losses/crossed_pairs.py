"""The two crossed pairs: softmax under binary cross-entropy, and sigmoid under cross-entropy.

They have no public function, but a network may combine them, and both need the logits: where P is close to 0 or 1,
log P and 1 - P have lost their digits. T is indices (...,) or rows (..., k), already checked.
"""

import numpy as np

from ..activations import sigmoid, softplus
from ..arrays import Array, log1p, put, summing_dtype
from ..softmax import Exponentials
from ..targets import as_rows


def softmax_under_binary_cross_entropy_rows(pieces: Exponentials, T: Array) -> Array:
    """- sum_c [Y_c log P_c + (1 - Y_c) log(1 - P_c)], with log P and 1 - P from softmax's pieces."""
    Y = as_rows(T, pieces.P.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        log_P = pieces.shift - log1p(pieces.others)
        log_not_P = log1p(-pieces.P)
        top = np.log(pieces.others) - log1p(pieces.others)
        put(log_not_P, pieces.top, top[..., 0])
        return -(np.where(Y == 0, 0, Y * log_P) + np.where(Y == 1, 0, (1 - Y) * log_not_P)).sum(axis=-1)


def softmax_under_binary_cross_entropy_dZ(pieces: Exponentials, T: Array) -> Array:
    """The sum u_c (1 - P_c) - P_c sum_{j != c} u_j, u = P dP = (1 - Y) P / (1 - P) - Y: nothing large is subtracted."""
    P, not_P, Y = pieces.P, pieces.not_P, as_rows(T, pieces.P.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.where(Y == 1, 0, (1 - Y) * P / not_P) - Y
        small = u.copy()  # all but the largest probability's, which may be huge
        put(small, pieces.top, np.zeros(pieces.top.shape))
        others = u.sum(axis=-1, keepdims=True) - u
        put(others, pieces.top, small.sum(axis=-1))
        return (1 - Y) * P - Y * not_P - P * others


def sigmoid_under_cross_entropy_rows(Z: Array, T: Array) -> Array:
    """sum_c Y_c softplus(-Z_c), which is - sum_c Y_c log sigmoid(Z_c)."""
    Z = Z.astype(summing_dtype(Z.dtype), copy=False)
    Y = as_rows(T, Z.shape[-1])
    with np.errstate(invalid="ignore"):
        return np.where((Y == 0) & ~np.isnan(Z), 0, Y * softplus(-Z)).sum(axis=-1)


def sigmoid_under_cross_entropy_dZ(Z: Array, T: Array) -> Array:
    """- Y_c sigmoid(-Z_c)."""
    return -as_rows(T, Z.shape[-1]) * sigmoid(-Z)
