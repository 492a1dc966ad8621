"""Calibration of a model: its logits corrected, so that its probabilities are as frequent as they say.

A `Calibration` is fitted to logits of rows that the networks were not trained on, such as out-of-fold logits: on
training rows, every network looks better than it is. The formulas are those of `glassmax.functional.calibration`.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from .errors import OptionError, ShapeError
from .functional.arrays import Array
from .functional.calibration import calibrated_logits
from .functional.losses.softmax_cross_entropy import softmax_cross_entropy_dZ, softmax_cross_entropy_rows
from .functional.softmax import exponentials
from .functional.targets import check_target, check_weights
from .optimizers import lbfgs

__all__ = ["Calibration"]

BLOCK_NUMBERS = 2**20
SCALE_SPREAD = 0.5
"""Standard deviation of log scale in the prior, which counts as half a row."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """A correction of logits: ``C = scale Z + Z matrix + bias``; the probabilities are softmax(C).

    Parameters
    ----------
    scale : float, default=1.0
        > 0; the reciprocal of the temperature. Below 1, the network was too confident.
    bias : (k,) array, optional
        A number for each class.
    matrix : (k, k) array, optional

    Raises
    ------
    OptionError, ShapeError
        If a number is not finite, the scale is not > 0, or the shapes differ.

    Examples
    --------
    >>> calibration = Calibration(0.5)
    >>> calibration.temperature
    2.0
    >>> calibration.logits(np.array([[2.0, 0.0]]))
    array([[1., 0.]])
    """

    scale: float = 1.0
    bias: Array | None = None
    matrix: Array | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise OptionError(parameter="scale", came=repr(self.scale), expected="a number > 0")
        bias, matrix = self.bias, self.matrix
        if bias is not None and (bias.ndim != 1 or not np.isfinite(bias).all()):
            raise ShapeError(f"The bias is {bias.shape}, expected (k,) finite numbers.")
        k = None if bias is None else len(bias)
        if matrix is not None and not (
            matrix.ndim == 2
            and matrix.shape[0] == matrix.shape[1] == (k or matrix.shape[0])
            and np.isfinite(matrix).all()
        ):
            raise ShapeError(f"The matrix is {matrix.shape}, expected (k, k) finite numbers.")

    @property
    def temperature(self) -> float:
        """1 / scale: above 1, the network was too confident."""
        return 1 / self.scale

    @property
    def n_classes(self) -> int | None:
        """The number of classes; None if any number will do."""
        for part in (self.bias, self.matrix):
            if part is not None:
                return len(part)
        return None

    def __repr__(self) -> str:
        parts = ["bias"] * (self.bias is not None) + ["matrix"] * (self.matrix is not None)
        return f"Calibration({', '.join([f'temperature {self.temperature:.3g}', *parts])})"

    def logits(self, Z: Array) -> Array:
        """Return the corrected logits of (n, k) logits, of the same dtype."""
        return calibrated_logits(Z, self.scale, self.bias, self.matrix)

    @classmethod
    def fit(cls, Z: Array, y: Array, sample_weight: Array | None = None) -> Self:
        """Return the temperature that minimizes the log-loss of logits whose classes are known.

        ::

            L(s) = sum_i w_i CE(s Z_i, y_i) / sum_i w_i + (log s / 0.5)^2 / (2 n)

        Parameters
        ----------
        Z : (n, k) array
            Logits of rows that the networks were not trained on.
        y : (n,) array of int
            Class indices.
        sample_weight : (n,) array, optional
            >= 0.

        Returns
        -------
        Calibration

        Notes
        -----
        The second term is a weak prior: with few rows that are all predicted right, the best scale would be infinite.

        Examples
        --------
        >>> Z = np.tile([4.0, 0.0], (1000, 1))
        >>> y = np.arange(1000) % 4 == 0    # right three times out of four: log 3 = 4 / temperature
        >>> Calibration.fit(Z, y.astype(int))
        Calibration(temperature 3.56)
        """
        y = check_target(y, Z.shape, "classes")
        w = np.ones(len(Z)) if sample_weight is None else check_weights(sample_weight, (len(Z),))
        total = float(w.sum())
        if not total > 0:
            return cls()

        def objective(theta: Array) -> tuple[float, Array]:
            a, s = float(theta[0]), float(np.exp(theta[0]))
            loss = a**2 / (2 * SCALE_SPREAD**2 * len(Z))
            gradient = a / (SCALE_SPREAD**2 * len(Z))
            for rows in _blocks(Z):
                block = Z[rows].astype(np.float64, copy=False)
                pieces = exponentials(block * s)
                loss += float(w[rows] @ softmax_cross_entropy_rows(pieces, y[rows])) / total
                dC = softmax_cross_entropy_dZ(pieces, y[rows])
                gradient += s * float(np.einsum("i,ic,ic->", w[rows], dC, block)) / total
            return loss, np.array([gradient])

        *_, last = lbfgs(objective, np.zeros(1), max_iter=100, max_fun=200, tol=1e-8)
        return cls(float(np.exp(last.theta[0])))


def _blocks(Z: Array) -> Any:
    rows = max(1, BLOCK_NUMBERS // Z.shape[1])
    return (slice(start, start + rows) for start in range(0, len(Z), rows))


def __dir__() -> list[str]:
    return __all__
