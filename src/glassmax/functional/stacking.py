"""Stacking: the weighted sum of the logits of several models, the weights fitted to rows that no model was trained on.

::

    Z = sum_t exp(a_t) Z_t        L(a) = sum_i w_i CE(softmax(Z_i), y_i) / sum_i w_i

The weights exp(a_t) are > 0. Their sum is a scale, whose reciprocal is the temperature.

Source: Wolpert, "Stacked generalization", Neural Networks 5 (1992); Breiman, "Stacked regressions", Machine Learning 24
(1996), for weights that are not negative.
"""

from collections.abc import Sequence

import numpy as np

from .arrays import Array, blocks_of_rows
from .losses.softmax_candidate_cross_entropy import (
    softmax_candidate_cross_entropy_dZ,
    softmax_candidate_cross_entropy_rows,
)
from .softmax import exponentials

__all__ = ["stacked_cross_entropy", "stacking_penalty"]


def stacked_cross_entropy(a: Array, Zs: Sequence[Array], y: Array, w: Array) -> tuple[float, Array]:
    """Compute the weighted mean cross-entropy of stacked logits, and its gradient.

    ::

        L = sum_i w_i CE(softmax(sum_t exp(a_t) Z_t)_i, y_i) / sum_i w_i
        dL/da_t = exp(a_t) sum_i w_i <dZ_i, Z_ti> / sum_i w_i        dZ_i = P_i - Y_i

    Of a row of candidates, CE is the candidate cross-entropy, and Y_i softmax over the candidates.

    Parameters
    ----------
    a : (T,) array
        Logarithm of the weight of each model.
    Zs : sequence of T arrays, each (n, k)
        Logits of each model.
    y : (n,) array of int, or (n, k) array of 0 and 1
        Class indices, or the candidates of each row.
    w : (n,) array
        >= 0, and not all 0.

    Returns
    -------
    loss : float
    gradient : (T,) array

    Notes
    -----
    Cost: softmax, and 4 flops for each logit of each model. In float64, block by block.

    Examples
    --------
    >>> Z = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> loss, gradient = stacked_cross_entropy(np.zeros(2), [Z, -Z], np.array([0, 1]), np.ones(2))
    >>> round(loss, 4), gradient    # the logits cancel: L = log 2
    (0.6931, array([-0.5,  0.5]))
    """
    loss, gradient, e, share = 0.0, np.zeros(len(a)), np.exp(a), w / w.sum()
    for rows in blocks_of_rows(Zs[0]):
        blocks = [Z[rows].astype(np.float64, copy=False) for Z in Zs]
        pieces = exponentials(sum(e_t * block for e_t, block in zip(e, blocks, strict=True)))
        loss += float(share[rows] @ softmax_candidate_cross_entropy_rows(pieces, y[rows]))
        dZ = softmax_candidate_cross_entropy_dZ(pieces, y[rows])
        gradient += e * [share[rows] @ np.einsum("ic,ic->i", dZ, block) for block in blocks]
    return loss, gradient


def stacking_penalty(a: Array, spread: float) -> tuple[float, Array]:
    """Compute a penalty that draws the weights exp(a_t) towards equal ones that sum to 1, and its gradient.

    ::

        R = sum_t (a_t - mean a)^2 + (log sum_t exp(a_t) / spread)^2 / 2
        dR/da_t = 2 (a_t - mean a) + (log sum_u exp(a_u) / spread^2) exp(a_t) / sum_u exp(a_u)

    Parameters
    ----------
    a : (T,) array
    spread : float
        > 0; standard deviation of the logarithm of the sum.

    Returns
    -------
    penalty : float
    gradient : (T,) array

    Notes
    -----
    Cost: some 10 flops for each weight.

    Examples
    --------
    >>> stacking_penalty(np.log([0.5, 0.5]), 0.5)
    (0.0, array([0., 0.]))
    """
    away, e = a - a.mean(), np.exp(a)
    log_sum = float(np.log(e.sum()))
    penalty = float(away @ away) + (log_sum / spread) ** 2 / 2
    return penalty, 2 * away + log_sum / spread**2 * e / e.sum()
