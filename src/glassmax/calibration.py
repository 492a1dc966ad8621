"""Calibration of a model: a correction of its logits, so that classes occur as often as their probabilities say.

A `Calibration` is fitted to logits of rows that the networks were not trained on, such as out-of-fold logits: on
training rows, every network looks better than it is. The formulas are those of `glassmax.functional.calibration`.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from .errors import ShapeError, between
from .functional.arrays import Array, as_floating, blocks_of_rows
from .functional.calibration import calibrated_logits, calibrated_logits_vjp, scaled_cross_entropy
from .functional.targets import check_target, check_weights
from .optimizers import lbfgs

__all__ = ["SCALE_SPREAD", "Calibration", "fit_scale"]

SCALE_SPREAD = 0.5
"""Standard deviation of log scale in the prior."""
BIAS_SPREAD = 0.3
"""Standard deviation of each bias in the prior."""
FOLDS = 5
NEWTON_STEPS, LARGEST_STEP, LEAST_STEP = 30, 1.0, 1e-9
"""Of log scale."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """A correction of logits: ``C = scale Z + bias``; the probabilities are softmax(C).

    Parameters
    ----------
    scale : float, default=1.0
        > 0; the reciprocal of the temperature. Below 1, the probabilities were too extreme.
    bias : (k,) array, optional
        A number for each class; zeros by default.

    Raises
    ------
    OptionError, ShapeError
        If a number is not finite, or the scale is not > 0.

    Examples
    --------
    >>> calibration = Calibration(0.5)
    >>> calibration
    Calibration(temperature 2)
    >>> calibration.logits(np.array([[2.0, 0.0]]))
    array([[1., 0.]])
    """

    scale: float = 1.0
    bias: Array | None = None

    def __post_init__(self) -> None:
        between("scale", self.scale, 0, open_below=True)
        object.__setattr__(self, "scale", float(self.scale))
        if self.bias is None:
            return
        bias = as_floating(self.bias, "bias")
        if bias.ndim != 1 or not len(bias) or bias.dtype.kind != "f" or not np.isfinite(bias).all():
            raise ShapeError(f"The bias is {bias.shape}, expected (k,) finite numbers.")
        object.__setattr__(self, "bias", bias)

    @property
    def temperature(self) -> float:
        """1 / scale: above 1, the probabilities were too extreme."""
        return 1 / self.scale

    def __repr__(self) -> str:
        bias = "" if self.bias is None else f", biases from {self.bias.min():.2g} to {self.bias.max():.2g}"
        return f"Calibration(temperature {self.temperature:.3g}{bias})"

    def logits(self, Z: Array) -> Array:
        """Return the corrected logits of (n, k) logits, of the same dtype."""
        return calibrated_logits(Z, self.scale, self.bias)

    @classmethod
    def fit(
        cls, Z: Array, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, *, bias: bool | None = None
    ) -> Self:
        """Return the temperature, and biases if they help, that minimize the log-loss of rows whose classes are known.

        ::

            L(s, c) = sum_i w_i CE(s Z_i + c, y_i) / sum_i w_i + ((log s / 0.5)^2 + sum_k (c_k / 0.3)^2) / (2 n)

        Parameters
        ----------
        Z : (n, k) array
            Logits of rows that the networks were not trained on.
        y : (n,) array of int
            Class indices.
        sample_weight : (n,) array, optional
            >= 0.
        bias : bool, optional
            Whether to fit the biases. By default, they are fitted if they lower the log-loss in a cross-validation
            over these rows, in which every fifth row is left out in turn.

        Returns
        -------
        Calibration

        Notes
        -----
        The last terms are a weak prior: with few rows that are all predicted right, the best scale would be infinite.

        Cost: some 10 evaluations of softmax and its gradient on all rows, some 50 with the cross-validation.

        Examples
        --------
        >>> Z = np.tile([4.0, 0.0], (1000, 1))
        >>> y = np.arange(1000) % 4 == 0    # right three times out of four: log 3 = 4 / temperature
        >>> Calibration.fit(Z, y.astype(int), bias=False)
        Calibration(temperature 3.56)
        """
        y = check_target(y, Z.shape, "classes")
        w = check_weights(sample_weight, (len(Z),))
        w = np.ones(len(Z)) if w is None else w
        if not w.sum() > 0:
            return cls()
        scale = fit_scale(Z, y, w)
        if bias is False:
            return cls(scale)
        both = _with_bias(Z, y, w, np.append(np.log(scale), np.zeros(Z.shape[1])))
        if bias is None and not _is_better(Z, y, w, both):
            return cls(scale)
        return cls(float(np.exp(both[0])), both[1:])


def fit_scale(Z: Array, y: Array, sample_weight: Array | None = None) -> float:
    """Return the scale s of logits, the reciprocal of the temperature, that minimizes the log-loss of rows.

    ::

        L(s) = sum_i w_i CE(s Z_i, y_i) / sum_i w_i + (log s / 0.5)^2 / (2 n)

    n is the number of rows whose weight isn't 0.

    Parameters
    ----------
    Z : (n, k) array
        Logits of rows that the networks were not trained on.
    y : (n,) array of int, or (n, k) array of 0 and 1
        Class indices, or the candidates of each row.
    sample_weight : (n,) array, optional
        >= 0, and not all 0.

    Returns
    -------
    float
        > 0.

    Notes
    -----
    Newton's method on log s. Where the loss is not convex in log s, the step has the curvature of its convex part.

    Cost: some 5 evaluations of softmax and its derivatives.

    Examples
    --------
    >>> Z = np.tile([4.0, 0.0], (1000, 1))
    >>> y = np.arange(1000) % 4 == 0    # right three times out of four: log 3 = 4 s
    >>> round(fit_scale(Z, y.astype(int)), 2)
    0.28
    """
    w = np.ones(len(Z)) if sample_weight is None else sample_weight.astype(np.float64)
    a, prior = 0.0, 1 / (SCALE_SPREAD**2 * np.count_nonzero(w))
    for _ in range(NEWTON_STEPS):
        _, slope, curvature = scaled_cross_entropy(a, Z, y, w)
        convex = max(curvature - slope, 0.0) + max(slope, 0.0) + prior
        step = float(np.clip(-(slope + prior * a) / convex, -LARGEST_STEP, LARGEST_STEP))
        a += step
        if abs(step) < LEAST_STEP:
            break
    return float(np.exp(a))


def _with_bias(Z: Array, y: Array, w: Array, start: Array, max_iter: int = 100) -> Array:
    """Minimize the penalized log-loss over theta: log scale, and the biases."""
    n = np.count_nonzero(w)
    spread = np.append(SCALE_SPREAD, np.full(len(start) - 1, BIAS_SPREAD))

    def objective(theta: Array) -> tuple[float, Array]:
        loss, gradient = _log_loss_and_gradient(Z, y, w, theta)
        return loss + float(((theta / spread) ** 2).sum()) / (2 * n), gradient + theta / spread**2 / n

    *_, last = lbfgs(objective, start, max_iter=max_iter, max_fun=200, tol=1e-6)
    return last.theta


def _log_loss_and_gradient(Z: Array, y: Array, w: Array, theta: Array) -> tuple[float, Array]:
    """Return the weighted mean log-loss of the corrected logits and its derivative by theta, block by block.

    Softmax and cross-entropy are computed in place here, in float64 whatever the dtype of Z: a fit needs them some 50
    times.
    """
    scale, bias = float(np.exp(theta[0])), theta[1:]
    loss, gradient, share = 0.0, np.zeros(theta.shape), w / w.sum()
    for rows in blocks_of_rows(Z):
        block, true = Z[rows].astype(np.float64, copy=False), (np.arange(len(y[rows])), y[rows])
        C = calibrated_logits(block, scale, bias)
        C -= C.max(axis=1, keepdims=True)
        of_true = C[true]
        np.exp(C, out=C)
        total = C.sum(axis=1)
        loss += float(share[rows] @ (np.log(total) - of_true))
        C *= (share[rows] / total)[:, None]
        C[true] -= share[rows]
        _, dscale, dbias = calibrated_logits_vjp(C, block, scale)
        gradient[0] += scale * dscale
        gradient[1:] += dbias
    return loss, gradient


def _is_better(Z: Array, y: Array, w: Array, both: Array) -> bool:
    """Return whether biases lower the log-loss of rows that were left out when they were fitted."""
    gain = 0.0
    for fold in range(FOLDS):
        out = np.arange(len(y)) % FOLDS == fold
        if not (w[out].sum() > 0 and w[~out].sum() > 0):
            return False
        others = Z[~out], y[~out], w[~out]
        alone = np.append(np.log(fit_scale(*others)), np.zeros(Z.shape[1]))
        thetas = alone, _with_bias(*others, both, max_iter=5)
        losses = [_log_loss_and_gradient(Z[out], y[out], w[out], theta)[0] for theta in thetas]
        gain += (losses[0] - losses[1]) * float(w[out].sum())
    return gain > 0


def __dir__() -> list[str]:
    return __all__
