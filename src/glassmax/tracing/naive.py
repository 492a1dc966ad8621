"""The naive views of the backward pass, beside the right one: what people try, what comes out, and why it fails.

Softmax's derivative is a matrix for each sample. Three shortcuts lose that: its row sums (0 for any loss), its diagonal
alone (as if each probability depended on its own score only), and the product entry by entry that NumPy broadcasts
without an error. In the layers, it is the missing transpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..functional.arrays import Array

__all__ = ["NaiveView", "naive_views"]


@dataclass(frozen=True, repr=False)
class NaiveView:
    """One wrong way to compute an array, and the right one beside it.

    Attributes
    ----------
    name : str
        ``"row sums of the Jacobian"``, ...
    of : str
        The array that is meant: ``"dZ2[0]"``, ``"dW2"``.
    formula, right_formula : str
        The wrong formula and the right one, in NumPy.
    value : array or None
        What the wrong formula gives; None where the shapes don't fit.
    right : array
        The right value.
    why : str
        Why the formula is wrong, or where its shapes don't fit.
    """

    name: str
    of: str
    formula: str
    right_formula: str
    value: Array | None
    right: Array
    why: str

    @property
    def error(self) -> float:
        """The largest difference from the right value; infinity where the shapes don't fit."""
        if self.value is None or self.value.shape != self.right.shape:
            return float("inf")
        return float(np.abs(self.value - self.right).max())

    def __repr__(self) -> str:
        from .formats.text import view_text  # late: the formats read views

        return view_text(self)


def naive_views(
    arrays: Mapping[str, Array], J: Array | None, row: int, last: int, by_logits: str, first: str
) -> Iterator[NaiveView]:
    """Yield the views of one sample's Jacobian (if the output is softmax), then of the layers from the top.

    `by_logits` is the name of the derivative by what softmax takes; `first` is the name of what the first layer takes.
    """
    if J is not None:
        yield from _of_jacobian(arrays["dP"][row], J, arrays[by_logits][row], f"{by_logits}[{row}]", row)
    for layer in range(last, 0, -1):
        below = f"A{layer - 1}" if layer > 1 else first
        dZ = f"dZ{layer}"
        yield _product(f"dW{layer}", below, dZ, arrays, right=f"{below}.T @ {dZ}", summed="i, the samples,")
        if layer > 1:
            W = f"W{layer}"
            yield _product(
                f"dA{layer - 1}", dZ, W, arrays, right=f"{dZ} @ {W}.T", summed=f"j, the units of layer {layer},"
            )


def _of_jacobian(dP: Array, J: Array, dZ: Array, of: str, row: int) -> Iterator[NaiveView]:
    dp, j, right = f"dP[{row}]", f"J[{row}]", f"dP[{row}] @ J[{row}]"
    with np.errstate(all="ignore"):
        yield NaiveView(
            "row sums of the Jacobian", of, f"{j}.sum(axis=1)", right, J.sum(axis=1), dZ,
            "The sum of a row is the change of one probability when all scores rise by the same amount, which softmax "
            "ignores: the sum is 0 for any label, up to rounding. The rows must be multiplied by dP before the "
            "sum.",
        )  # fmt: skip
        yield NaiveView(
            "diagonal of the Jacobian alone", of, f"{dp} * np.diag({j})", right, dP * np.diag(J), dZ,
            "The diagonal is enough for outputs that depend on their own score alone, as those of a sigmoid do. A "
            "score of softmax changes every probability of its row, and each of these probabilities changes the loss.",
        )  # fmt: skip
        yield NaiveView(
            "product entry by entry", of, f"{dp} * {j}", right, dP * J, dZ,
            "NumPy repeats the row for each row of the Jacobian without an error, and a matrix comes out. The summed "
            "index needs @, not *.",
        )  # fmt: skip


def _product(name: str, left: str, other: str, arrays: Mapping[str, Array], *, right: str, summed: str) -> NaiveView:
    A, B, formula = arrays[left], arrays[other], f"{left} @ {other}"
    value, shapes = None, f"{_shape(A)} times {_shape(B)}"
    if A.shape[1] == B.shape[0]:
        value = A @ B
        why = f"{shapes} fits only by chance. The index {summed} must be the inner one of the product."
    else:
        why = f"{shapes} doesn't fit. The index {summed} must be the inner one of the product, which takes a transpose."
    return NaiveView("missing transpose", name, formula, right, value, arrays[name], why)


def _shape(array: Array) -> str:
    return "(" + ",".join(map(str, array.shape)) + ")"


def __dir__() -> list[str]:
    return __all__
