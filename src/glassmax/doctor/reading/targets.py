"""The learner's targets: indices, one-hot rows or numbers, along rows or columns; and new ones in the same form."""

from dataclasses import dataclass

import numpy as np

from ...errors import LabelError
from ...functional.arrays import Array

__all__ = ["Targets", "read_targets"]


@dataclass(frozen=True)
class Targets:
    """The learner's targets: `Y` has them as rows, `given` in the learner's form.

    `form` is "index" for one class a sample, counted from `start`, "rows", "columns", or "values" for one number a
    sample.
    """

    Y: Array
    form: str
    start: int
    given: Array

    def drawn(self, n: int, draw: np.random.Generator) -> Array:
        """Return n random rows of Y: other classes, or other numbers in the same range."""
        k = self.Y.shape[1]
        if self.one_hot and k > 1:
            index = np.concatenate([draw.permutation(k), draw.integers(0, k, max(0, n - k))])[:n]
            return np.eye(k)[draw.permutation(index)]
        rows = self.Y[draw.integers(0, len(self.Y), n)]
        if np.isin(self.Y, (0, 1)).all():
            return draw.integers(0, 2, (n, k)).astype(float)
        return rows

    @property
    def one_hot(self) -> bool:
        """Whether each row names one class."""
        return bool(np.isin(self.Y, (0, 1)).all() and (self.Y.sum(axis=1) == 1).all())

    def theirs(self, Y: Array) -> Array:
        """Rows of Y in the learner's form."""
        given, n = self.given, len(Y)
        if self.form == "index":
            made = Y.argmax(axis=1) + self.start
        elif self.form == "columns":
            made = Y.T
        elif self.form == "values":
            made = Y[:, 0]
        else:
            made = Y
        if made.size == given.size:
            made = made.reshape(given.shape)
        elif given.ndim == 2 and made.ndim == 1:
            made = made.reshape((n, 1) if given.shape[1] == 1 else (1, n))
        return np.ascontiguousarray(made).astype(given.dtype)


def read_targets(y: Array, n: int, k: int, columns: bool) -> Targets:
    """Read the targets of n samples and k outputs; if they fit neither, raise a LabelError."""
    y = np.asarray(y)
    if y.dtype.kind not in "iubf":
        raise LabelError(f"y holds {y.dtype} values, expected numbers: class indices from 0, or rows of Y.")
    whole = y.dtype.kind in "iub" or bool(np.all(y == np.floor(y)))
    if y.shape == (k, n) and (columns or k != n) and (k, n) != (n, k) and k > 1:
        return Targets(y.T.astype(np.float64), "columns", 0, y)
    if y.shape == (n, k) and k > 1 and not (columns and n == k):
        return Targets(y.astype(np.float64), "rows", 0, y)
    if y.shape == (k, n) and k > 1:
        return Targets(y.T.astype(np.float64), "columns", 0, y)
    if n == 1 and y.size == k and k > 1:
        return Targets(y.reshape(1, k).astype(np.float64), "rows", 0, y)
    if y.size == n and k == 1:
        return Targets(y.reshape(n, 1).astype(np.float64), "values", 0, y)
    if y.size == n and k > 1 and whole:
        index = y.reshape(n).astype(int)
        start = 1 if index.min() >= 1 and index.max() == k else 0
        if index.min() - start < 0 or index.max() - start >= k:
            raise LabelError(
                f"y has the label {index.max() if index.min() >= 0 else index.min()}, expected 0 to {k - 1}."
            )
        return Targets(np.eye(k)[index - start], "index", start, y)
    raise LabelError(
        f"y is {y.shape}, expected {n} class indices or {(n, k)} rows for {n} samples and {k} outputs. "
        "Check that X and y hold the same samples."
    )
