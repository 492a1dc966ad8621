"""The most probable classes of each row, and the loss of each row: O(n) numbers where probabilities would be n x k."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..errors import OptionError, ShapeError, is_whole
from ..functional.arrays import Array
from ..functional.targets import check_target
from ..network import Network

__all__ = [
    "MANY_CLASSES",
    "TopClasses",
    "check_top",
    "check_top_count",
    "largest_of_rows",
    "top_of_blocks",
]

MANY_CLASSES = 4096
"""From here on the native engine computes the last layer by tiles of classes, and only the most probable classes of a
row are computed where they will do."""


class TopClasses(NamedTuple):
    """The most probable classes of each row.

    Attributes
    ----------
    labels : (n, count) array of int64
        Class indices, the most probable first; of equally probable ones the lower index first. 0, 1, 2, ... in a row
        whose probabilities are NaN.
    probabilities : (n, count) array of float64
    losses : (n,) array of float64, or None
        The cross-entropy of each row, minus the logarithm of its label's probability; None without y.
    """

    labels: Array
    probabilities: Array
    losses: Array | None


def check_top_count(network: Network, k: Any, method: str) -> None:
    """Refuse a method for the most probable classes where there is no softmax, or not so many classes."""
    classes, output = network.layer_sizes[-1], network.head.output
    if output != "softmax":
        own = f"with {output} each label has a probability of its own"
        why = own if output == "sigmoid" else f"the outputs of {output} are no probabilities"
        expected = f"'softmax' for {method}: {why}"
        raise OptionError(parameter="output", came=repr(output), expected=expected)
    if not (is_whole(k) and 1 <= k <= classes):
        expected = f"a whole number from 1 to {classes}, the number of classes"
        raise OptionError(parameter="k", came=repr(k), expected=expected)


def check_top(network: Network, count: int) -> None:
    """Refuse a network without softmax, and more classes than it has."""
    k, output = network.layer_sizes[-1], network.head.output
    if output != "softmax":
        raise OptionError(parameter="the network's output", came=repr(output), expected="'softmax'")
    if not 0 <= count <= k:
        raise OptionError(parameter="count", came=repr(count), expected=f"a whole number from 0 to {k}, the classes")


def largest_of_rows(Z: Array, count: int) -> Array:
    """Return the indices of the `count` largest numbers of each row, the largest first, of equal ones the first."""
    n, k = Z.shape
    if count == 1:  # the usual one, and the quickest
        return Z.argmax(axis=1)[:, None]
    if 0 < 8 * count < k:
        least = np.partition(Z, k - count, axis=1)[:, k - count]
        rows, columns = np.nonzero(least[:, None] <= Z)  # `count` of each row, ties beside; fewer with NaN
        if not n or np.bincount(rows, minlength=n).min() >= count:
            order = np.lexsort((columns, -Z[rows, columns], rows))
            first = np.searchsorted(rows, np.arange(n))
            largest: Array = columns[order[first[:, None] + np.arange(count)]]
            return largest
    return np.argsort(-Z, axis=1, kind="stable")[:, :count]


def top_of_blocks(network: Network, logits: Iterable[Array], count: int, y: Array | None) -> TopClasses:
    """Return the most probable classes from logits that come in blocks of rows.

    Parameters
    ----------
    network : Network
    logits : iterable of (rows, k) arrays
    count : int
    y : (n,) array of class indices, or None

    Returns
    -------
    TopClasses
    """
    k = network.layer_sizes[-1]
    labels, probabilities, losses = [np.zeros((0, count), np.int64)], [np.zeros((0, count))], [np.zeros(0)]
    start = 0
    for Z in logits:
        rows = len(Z)
        Z = Z.astype(np.float64, copy=False)
        with np.errstate(invalid="ignore"):  # a row with an inf is NaN, as everywhere
            top = np.argmax(Z, axis=1)[:, None]
            largest = np.take_along_axis(Z, top, axis=1)
            E = np.exp(Z - largest)
            # The largest one, 1, never meets the others: a tiny loss keeps its digits.
            np.put_along_axis(E, top, largest - largest, axis=1)
            others = E.sum(axis=1, keepdims=True)
        order = np.tile(np.arange(count), (rows, 1))
        sound = ~np.isnan(others[:, 0])
        order[sound] = largest_of_rows(Z if sound.all() else Z[sound], count)
        with np.errstate(invalid="ignore"):
            probabilities.append(np.exp(np.take_along_axis(Z, order, axis=1) - largest) / (1 + others))
            probabilities[-1][np.isnan(others[:, 0])] = np.nan
        labels.append(order)
        if y is not None:
            target = check_target(y[start : start + rows], (rows, k), "classes")
            if target.ndim > 1:
                raise ShapeError(f"y is {y.shape}, expected one class index for each row.")
            with np.errstate(invalid="ignore"):
                shift = np.take_along_axis(Z, target[:, None], axis=1) - largest
                losses.append((np.log1p(others) - shift)[:, 0])
        start += rows
    return TopClasses(
        np.concatenate(labels), np.concatenate(probabilities), None if y is None else np.concatenate(losses)
    )
