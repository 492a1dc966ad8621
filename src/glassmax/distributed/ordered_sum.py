"""Sums over shards, added in one order whatever the number of workers: along a fixed binary tree over their numbers.

The sum over shards a ... b - 1 is that over the first m of them plus that over the rest, where m is the largest power
of two below b - a. A worker with some consecutive shards adds up what lies whole in its range, and passes on at most
``2 log2(shards)`` sums; whoever puts the sums of all workers together, in order, has the same bits as one worker has.
The same tree is behind the Merkle trees of RFC 6962, section 2.1.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..functional.arrays import Array
from .messages import Arrays

__all__ = ["OrderedSum", "PartialSum", "split_shards", "summed"]


class PartialSum(NamedTuple):
    """The sum over the shards ``first ... first + 2^level - 1``; `first` is a multiple of ``2^level``."""

    first: int
    level: int
    arrays: Arrays


class OrderedSum:
    """A sum to which partial sums are added in order.

    Examples
    --------
    >>> parts = [{"dW": np.array([0.1 * shard])} for shard in range(5)]
    >>> one = OrderedSum()
    >>> for shard, arrays in enumerate(parts):
    ...     one.add(PartialSum(shard, 0, arrays))
    >>> first, second, all_ = OrderedSum(), OrderedSum(), OrderedSum()
    >>> for shard in range(3):
    ...     first.add(PartialSum(shard, 0, parts[shard]))
    >>> for shard in range(3, 5):
    ...     second.add(PartialSum(shard, 0, parts[shard]))
    >>> for partial in [*first.parts, *second.parts]:
    ...     all_.add(partial)
    >>> bool(one.total()["dW"] == all_.total()["dW"])
    True
    """

    def __init__(self) -> None:
        self.parts: list[PartialSum] = []

    def add(self, part: PartialSum) -> None:
        """Add the sum over the shards that come next."""
        parts = self.parts
        if parts and part.first != parts[-1].first + 2 ** parts[-1].level:
            raise ValueError(f"shard {part.first} is not the next one")
        parts.append(part)
        while len(parts) > 1 and parts[-2].level == parts[-1].level and not parts[-2].first >> parts[-1].level & 1:
            right, left = parts.pop(), parts.pop()
            parts.append(PartialSum(left.first, left.level + 1, _added(left.arrays, right.arrays)))

    def total(self) -> Arrays:
        """Return the sum of all that was added; shard 0 must be the first."""
        if not self.parts or self.parts[0].first:
            raise ValueError("shard 0 is missing")
        *rest, last = self.parts
        total = last.arrays
        for part in reversed(rest):
            total = _added(part.arrays, total)
        return total


def split_shards(n_shards: int, n_workers: int) -> list[range]:
    """Return the shards of each worker: consecutive ones, as many for each as can be; none if there are too few.

    Examples
    --------
    >>> split_shards(5, 2)
    [range(0, 2), range(2, 5)]
    """
    ends = [n_shards * worker // n_workers for worker in range(n_workers + 1)]
    return [range(start, end) for start, end in pairwise(ends)]


def summed(parts: Iterable[PartialSum]) -> Arrays:
    """Return the sum of partial sums that are given in order."""
    result = OrderedSum()
    for part in parts:
        result.add(part)
    return result.total()


def _added(left: Arrays, right: Arrays) -> dict[str, Array]:
    return {name: np.add(array, right[name]) for name, array in left.items()}
