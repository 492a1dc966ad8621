"""Which rows are trained on, which ones early stopping watches, and which ones judge the network: by a hash of the row.

Row i has the number ``u = draw(K_2, i) / 2^64`` of `glassmax.streaming.order`. It is in the validation rows where
``u < v (1 - h)``, held out where ``u >= 1 - h``, and trained on otherwise, for the shares v and h. So both choices are
functions of (seed, row) alone: the same in every epoch, for any number of workers, and for any cut into files.
"""

from typing import NamedTuple

import numpy as np

from ..functional.arrays import Array
from .order import is_validation

__all__ = ["Split"]

AT_ONCE = 2**20


class Split(NamedTuple):
    """The parts that the rows are split into.

    Attributes
    ----------
    seed : int
        In [0, 2^64).
    validation : float
        In [0, 1): expected share of the validation rows among the rows that are not held out.
    held_out : float
        In [0, 1): expected share of the rows that judge the network.

    Examples
    --------
    >>> split = Split(seed=0, validation=0.1, held_out=0.2)
    >>> split.validation_rows(np.arange(40)).nonzero()[0].tolist()
    [4, 16, 17]
    >>> split.held_out_rows(np.arange(40)).nonzero()[0].tolist()
    [0, 1, 5, 14, 30, 35]
    >>> split.sizes(40)
    (31, 3, 6)
    """

    seed: int
    validation: float = 0.0
    held_out: float = 0.0

    def validation_rows(self, rows: Array) -> Array:
        """Return which rows, given by their numbers (m,), early stopping watches: (m,) bool."""
        return is_validation(self.seed, rows, self.validation * (1.0 - self.held_out))

    def held_out_rows(self, rows: Array) -> Array:
        """Return which rows judge the network, (m,) bool."""
        if not self.held_out:
            return np.zeros(len(rows), bool)
        return ~is_validation(self.seed, rows, 1.0 - self.held_out)

    def training_rows(self, rows: Array) -> Array:
        """Return which rows are trained on, (m,) bool."""
        return ~(self.validation_rows(rows) | self.held_out_rows(rows))

    @property
    def is_whole(self) -> bool:
        """Whether all rows are trained on."""
        return not self.validation and not self.held_out

    def sizes(self, n_rows: int) -> tuple[int, int, int]:
        """Return how many of the rows 0 ... n - 1 are trained on, are validation rows, and are held out."""
        validation = held_out = 0
        if not self.is_whole:
            for start in range(0, n_rows, AT_ONCE):
                rows = np.arange(start, min(start + AT_ONCE, n_rows))
                validation += int(self.validation_rows(rows).sum())
                held_out += int(self.held_out_rows(rows).sum())
        return n_rows - validation - held_out, validation, held_out
