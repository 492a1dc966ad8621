"""Mistakes in smoothed labels: another share than the loss has, or a share that is spread wrongly over the classes.

Right is ``Y = (1 - e) H + e/k`` with the one-hot rows H; its rows sum to 1. Each mistake is a line between two arrays,
``Y = start + e (end - start)``, on which the search finds e.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import Pass
from .last_layer import LastLayer
from .mistake import Mistake
from .placed import PlacedMistake

__all__ = ["Smoothing", "filled_in", "hard_labels", "row_sum_left_out", "share_of", "smoothings"]

SHARE, TAKEN = "{share}", "{taken}"
"""Stand in the words for the number that is fitted, and for the part of it that the true class loses."""


@dataclass(frozen=True)
class Smoothing:
    """Labels between `start` and `end`, which take the one-hot rows and the number of samples."""

    cause: str
    words: str
    start: Callable[[Array], Array]
    end: Callable[[Array], Array]
    cost: float = 1.2

    def at(self, node: str) -> PlacedMistake:
        """Return the mistake as it is made at a node; the number that is fitted is not yet in its words."""
        return PlacedMistake(self.cause, node, self.words, self.cost)


def filled_in(words: str, share: str, number: float, k: int) -> str:
    """The words with the number that was fitted, which is written as `share`."""
    return words.replace(SHARE, share).replace(TAKEN, f"{number * (k - 1) / k:.4g}")


def hard_labels(p: Pass) -> Array:
    """The one-hot rows that were smoothed; of labels that are 0 or 1 for each class, those."""
    if p.architecture.output == "softmax":
        return np.eye(p.k)[p.Y.argmax(axis=1)]
    return (p.Y > 0.5).astype(float)


def share_of(Y: Array) -> float | None:
    """The share that is spread evenly over the classes: 0 of one-hot rows, None of labels that are no such rows."""
    if Y.shape[1] < 2:
        return None
    ranked = np.sort(Y, axis=1)
    share = 1 - float((ranked[:, -1] - ranked[:, 0]).mean())
    expected = np.full_like(Y, share / Y.shape[1])
    expected[:, -1] += 1 - share
    return share if np.allclose(ranked, expected, rtol=0, atol=1e-12) and share < 1 else None


def smoothings(p: Pass) -> Iterator[Smoothing]:
    """The ways in which labels are smoothed otherwise than those of the loss."""
    share = share_of(p.Y)
    if share is None or p.architecture.output != "softmax" or p.architecture.loss != "cross_entropy":
        return
    k, smooth = p.k, share > 1e-12
    tail = "" if smooth else "; the loss does not smooth labels"

    def of(words: str, start: Callable[[Array], Array], end: Callable[[Array], Array], cost: float = 1.25) -> Smoothing:
        return Smoothing("smoothing_spread", words + tail, start, end, cost)

    words = f"the labels were smoothed by {SHARE}, which leaves 1 - {TAKEN} to the true class, "
    words += f"but the loss smooths them by {share:.4g}" if smooth else "but the loss does not smooth labels"
    yield Smoothing("labels_smoothed", words, _same, lambda H: np.full_like(H, 1 / k))
    more, less = "so that a row sums to more than 1", "so that a row sums to less than 1"
    yield of(
        f"1/k was added to the label of each class, not {SHARE}/k, {more}",
        lambda H: H + 1 / k,
        lambda H: np.full_like(H, 1 / k),
    )
    if k > 2:
        yield of(
            f"{SHARE}/(k - 1) was added to the label of each class, not {SHARE}/k, {more}",
            _same,
            lambda H: np.full_like(H, 1 / (k - 1)),
        )
        yield of(f"the label of each other class is {SHARE}, not {SHARE}/(k - 1), {more}", _same, lambda H: 1 - H, 1.3)
    yield of(f"{SHARE} was added to the label of each class, not {SHARE}/k, {more}", _same, np.ones_like)
    yield of(
        f"{SHARE}/k was added to the label of each class, but {SHARE} was not taken from the true class, {more}",
        _same,
        lambda H: H + 1 / k,
    )
    yield of(f"{SHARE} was taken from the label of the true class and given to no class, {less}", _same, np.zeros_like)
    yield of(
        f"the label of each other class is {SHARE}/k, but {SHARE}/k is missing from that of the true class, {less}",
        _same,
        lambda H: (1 - H) / k,
        1.3,
    )
    if p.n > 1:
        yield of(
            f"{SHARE} was divided by the number of samples, not of classes",
            _same,
            lambda H: np.full_like(H, 1 / len(H)),
            1.3,
        )


def _same(H: Array) -> Array:
    return H


def row_sum_left_out(p: Pass) -> Iterator[Mistake[LastLayer]]:
    """P - Y, where the rows of the smoothed Y of the loss don't sum to 1."""
    total = p.scale * p.n
    if not share_of(p.Y) or abs(total - 1) < 1e-6 or p.architecture.loss != "cross_entropy":
        return
    words = f"the smoothed labels of the loss sum to {total:.4g} in each row, but P was not multiplied by {total:.4g}"
    yield Mistake("smoothing_spread", f"{words} in dZ", lambda s: s.P / (s.p.scale * s.n) - s.Y, cost=1.1)
