"""Calibration of a model: a correction of its logits, so that classes occur as often as their probabilities say.

A `Calibration` is fitted to logits of rows that the networks were not trained on, such as out-of-fold logits: on
training rows, every network looks better than it is. The formulas are those of `glassmax.functional.calibration`.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from .errors import OptionError, ShapeError
from .functional.arrays import Array, blocks_of_rows, weighted_sum
from .functional.calibration import calibrated_logits, calibrated_logits_vjp
from .functional.targets import check_target, check_weights
from .optimizers import lbfgs

__all__ = ["Calibration"]

SCALE_SPREAD = 0.5
"""Standard deviation of log scale in the prior."""
BIAS_SPREAD = 0.3
"""Standard deviation of each bias in the prior."""
FOLDS = 5


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
        if not 0 < self.scale < np.inf:
            raise OptionError(parameter="scale", came=repr(self.scale), expected="a number > 0")
        if self.bias is not None and not (self.bias.ndim == 1 and np.isfinite(self.bias).all()):
            raise ShapeError(f"The bias is {self.bias.shape}, expected (k,) finite numbers.")

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
        alone = _best(Z, y, w, np.zeros(1))
        if bias is False:
            return cls._of(alone)
        both = _best(Z, y, w, np.append(alone, np.zeros(Z.shape[1])))
        if bias is None and not _is_better(Z, y, w, alone, both):
            return cls._of(alone)
        return cls._of(both)

    @classmethod
    def _of(cls, theta: Array) -> Self:
        return cls(float(np.exp(theta[0])), theta[1:] if len(theta) > 1 else None)


def _best(Z: Array, y: Array, w: Array, start: Array, max_iter: int = 100) -> Array:
    """Minimize the penalized log-loss over theta: log scale, and the biases if `start` has them."""
    n = max(1, int(np.count_nonzero(w)))
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
    scale, bias = float(np.exp(theta[0])), theta[1:] if len(theta) > 1 else None
    loss, gradient, share = 0.0, np.zeros(theta.shape), w / w.sum()
    for rows in blocks_of_rows(Z):
        block, true = Z[rows].astype(np.float64, copy=False), (np.arange(len(y[rows])), y[rows])
        C = calibrated_logits(block, scale, bias)
        C -= C.max(axis=1, keepdims=True)
        of_true = C[true]
        np.exp(C, out=C)
        total = C.sum(axis=1)
        loss += float(weighted_sum(share[rows], np.log(total) - of_true))
        C *= (share[rows] / total)[:, None]
        C[true] -= share[rows]
        _, dscale, dbias = calibrated_logits_vjp(C, block, scale)
        gradient[0] += scale * dscale
        if bias is not None:
            gradient[1:] += dbias
    return loss, gradient


def _is_better(Z: Array, y: Array, w: Array, alone: Array, both: Array) -> bool:
    """Return whether biases lower the log-loss of rows that were left out when they were fitted."""
    gain = 0.0
    for fold in range(FOLDS):
        out = np.arange(len(y)) % FOLDS == fold
        if not (w[out].sum() > 0 and w[~out].sum() > 0):
            return False
        refitted = [_best(Z[~out], y[~out], w[~out], theta, max_iter=5) for theta in (alone, both)]
        losses = [_log_loss_and_gradient(Z[out], y[out], w[out], theta)[0] for theta in refitted]
        gain += (losses[0] - losses[1]) * float(w[out].sum())
    return gain > 0


def __dir__() -> list[str]:
    return __all__
