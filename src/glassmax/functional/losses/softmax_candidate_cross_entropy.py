"""Softmax and candidate cross-entropy fused: the loss of logits whose class is one of several candidates."""

from __future__ import annotations  # help() shows these names instead of what they stand for

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays import Array, log1p
from ..softmax import Exponentials, exponentials, softmax_jvp
from ..targets import Reduction, reduce_rows, reduce_rows_vjp
from .loss import read
from .softmax_cross_entropy import softmax_cross_entropy_dZ, softmax_cross_entropy_rows

__all__ = ["softmax_candidate_cross_entropy", "softmax_candidate_cross_entropy_vjp"]

LARGEST = 600.0
"""exp of more could overflow when multiplied by a number of classes; beyond it, log(1 + exp(x)) is x."""


def softmax_candidate_cross_entropy(
    Z: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Compute the candidate cross-entropy of softmax from the logits.

    ::

        L_i = - log sum_c S_ic softmax(Z_i)_c = log1p(odds_i)

        odds_i = sum_{c not in S_i} exp(Z_ic) / sum_{c in S_i} exp(Z_ic)

    Parameters
    ----------
    Z : (..., k) array
        Logits: any real numbers. A row whose candidates are all at -inf costs inf; a row with a NaN is NaN.
    target : (...,) or (..., k) array
        Class indices 0..k-1, each a set of one class, or rows S of 0 and 1 with at least one 1.
    sample_weight, reduction
        As for `cross_entropy`; the errors raised are the same.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0; in float64 whatever the dtype of Z. A row of ones costs exactly 0: it says nothing about the class.

    Notes
    -----
    Cost: about 8 k flops, 3 k exponentials and one logarithm for each row. Both sums are taken relative to their own
    largest term, and log1p keeps the digits of a loss close to 0.
    Source: Jin & Ghahramani, "Learning with multiple labels" (2002), section 2; Cour, Sapp & Taskar (2011).

    Examples
    --------
    >>> Z = np.log([[0.25, 0.5, 0.25]])
    >>> float(softmax_candidate_cross_entropy(Z, [[1, 0, 1]]).round(6))    # "the first or the third": log 2
    0.693147
    >>> float(softmax_candidate_cross_entropy(Z, [[1, 0, 0]]).round(6))    # one candidate: the cross-entropy, log 4
    1.386294
    """
    Z, T, w = read("Z", Z, target, "candidates", sample_weight)
    return reduce_rows(softmax_candidate_cross_entropy_rows(exponentials(Z), T), w, reduction)


def softmax_candidate_cross_entropy_vjp(
    dL: npt.ArrayLike,
    Z: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through softmax and candidate cross-entropy together, to the logits.

    ::

        dZ_i = P_i - Q_i  (times dL w_i / sum w)         Q_ic = S_ic P_ic / sum_m S_im P_im

    Q is softmax over the candidates alone. With one candidate, Q is its one-hot row: ``(P - Y)/n`` again.

    Parameters
    ----------
    dL
        As for `cross_entropy_vjp`.
    Z, target, sample_weight, reduction
        As for `softmax_candidate_cross_entropy`.

    Returns
    -------
    dZ : (..., k) array
        dL/dZ; each row sums to 0. It is exactly 0 where a row of the target is all ones.

    Notes
    -----
    Cost: 8 flops and 3 exponentials for each entry; keeps Z. With R softmax over the classes that are no candidates,
    and m the probability of these classes together, ``P - Q = m (R - Q)``: computed this way, nothing cancels.
    Source: -log through the softmax Jacobian; Jin & Ghahramani (2002).

    Examples
    --------
    >>> Z = np.log([[0.25, 0.5, 0.25]])
    >>> softmax_candidate_cross_entropy_vjp(1.0, Z, [[1, 0, 1]]).round(6)
    array([[-0.25,  0.5 , -0.25]])
    """
    Z, T, w = read("Z", Z, target, "candidates", sample_weight)
    return reduce_rows_vjp(dL, w, reduction, Z, softmax_candidate_cross_entropy_dZ(exponentials(Z), T))


# The formulas for each row, on checked input: T is indices (...,) or rows (..., k) of 0 and 1.


class Sides(NamedTuple):
    """A row's classes in two parts, the candidates and the others; all in summing precision.

    Attributes
    ----------
    Q, R : (..., k) arrays
        Softmax over the candidates, and over the others.
    odds : (..., 1) array
        The sum of exp(z) over the others, divided by the sum over the candidates; at exp(`LARGEST`) if it is larger.
    more : (..., 1) array
        The logarithm of what is missing in `odds` then; otherwise 0.
    """

    Q: Array
    R: Array
    odds: Array
    more: Array

    @property
    def missed(self) -> Array:
        """The probability of the classes that are no candidates, m = odds / (1 + odds)."""
        return self.odds / (1 + self.odds)


def sides(pieces: Exponentials, S: Array) -> Sides:
    """Split the classes of each row into candidates (S = 1) and others (S = 0)."""
    with np.errstate(invalid="ignore", over="ignore"):
        largest_in, others_in, Q = _softmax_over(pieces.shift, S == 1)
        largest_out, others_out, R = _softmax_over(pieces.shift, S == 0)
        apart = largest_out - largest_in + 0 * pieces.others  # NaN where the row is
        far = apart.real > LARGEST
        ratio = (1 + others_out) / (1 + others_in)
        odds = np.exp(np.where(far, LARGEST, apart)) * ratio
        return Sides(Q, R, odds, np.where(far, apart - LARGEST, 0))


def _softmax_over(shift: Array, members: Array) -> tuple[Array, Array, Array]:
    """Return the largest logit of the members, the sum of the others relative to it, and softmax over the members.

    Where all members are at -inf they share alike; where there is no member, what is returned besides -inf is unused.
    """
    V = np.where(members, shift, -np.inf)
    lost = ~(V.real > -np.inf).any(axis=-1, keepdims=True)
    alike = np.where(members | ~members.any(axis=-1, keepdims=True), 0.0, -np.inf)
    pieces = exponentials(np.where(lost, alike, V))
    largest = np.where(lost, -np.inf, np.take_along_axis(V, pieces.top[..., None], axis=-1))
    return largest, pieces.others, pieces.P


def softmax_candidate_cross_entropy_rows(pieces: Exponentials, T: Array) -> Array:
    """log1p(odds); for a single candidate, the cross-entropy."""
    if T.dtype.kind == "i":
        return softmax_cross_entropy_rows(pieces, T)
    both = sides(pieces, T)
    return (log1p(both.odds) + both.more)[..., 0]


def softmax_candidate_cross_entropy_dZ(pieces: Exponentials, T: Array) -> Array:
    """m (R - Q), which is P - Q without its cancellation."""
    if T.dtype.kind == "i":
        return softmax_cross_entropy_dZ(pieces, T)
    both = sides(pieces, T)
    return both.missed * (both.R - both.Q)


def softmax_candidate_cross_entropy_R_dZ(pieces: Exponentials, T: Array, RZ: Array) -> Array:
    """The derivative of dZ in the direction RZ, (J(P) - J(Q)) RZ, as that of m (R - Q).

    ::

        Rm (R - Q) + m (J(R) RZ - J(Q) RZ)         Rm = m (1 - m) (<R, RZ> - <Q, RZ>)
    """
    if T.dtype.kind == "i":
        return softmax_jvp(RZ, pieces.P)
    both = sides(pieces, T)
    Q, R, m = both.Q, both.R, both.missed
    along = ((R - Q) * RZ).sum(axis=-1, keepdims=True)
    return m / (1 + both.odds) * along * (R - Q) + m * (softmax_jvp(RZ, R) - softmax_jvp(RZ, Q))
