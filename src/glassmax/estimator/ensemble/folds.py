"""Folds: the rows are split into blocks, and each member of an ensemble leaves out some of the blocks.

With five blocks of which each member leaves out two, member j leaves out the blocks j and j+1 (modulo 5), and a second
set of five members the blocks j and j+2. Within a set, every row is left out by exactly two members: their mean judges
the row out of fold. A member never loses a class: where all rows of a class lie in the blocks that a member leaves out,
the member trains on them, and they are not judged by it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import OptionError, Setting
from ...functional.arrays import Array

__all__ = ["Folds", "assign_blocks"]


@dataclass(frozen=True)
class Folds:
    """Which rows each member trains on.

    Attributes
    ----------
    block : (n,) array of int8
        The block of each row.
    y : (n,) array of int
        The class of each row.
    n_blocks : int
        At least 2; or 1, and then no member leaves out a row.
    out : int
        Number of blocks that each member leaves out, 1 or 2; 1 if there are fewer than four blocks.
    """

    block: Array
    y: Array
    n_blocks: int
    out: int = 1

    @classmethod
    def none(cls, y: Array) -> "Folds":
        """Return the folds in which every member trains on all rows."""
        return cls(np.zeros(len(y), np.int8), y, 1)

    def blocks_left_out(self, number: int) -> tuple[int, ...]:
        """Return the blocks that member `number`, counted from 0, leaves out."""
        count = self.n_blocks
        if count < 2:
            return ()
        first = number % count
        if self.out == 1 or count < 4:
            return (first,)
        stride = 1 + number // count % (count // 2)
        return tuple(sorted((first, (first + stride) % count)))

    def left_out(self, number: int) -> Array:
        """Return a mask, (n,): the rows that member `number` doesn't train on, and is judged by."""
        out = np.isin(self.block, self.blocks_left_out(number))
        counts = np.bincount(self.y)
        lost = np.bincount(self.y[out], minlength=len(counts)) == counts
        out[lost[self.y]] = False
        return out


def assign_blocks(
    y: Array, draw: np.random.RandomState, n_blocks: int = 5, out: int = 1, *, groups: Any = None, time: Any = None
) -> Folds:
    """Split rows into blocks.

    Parameters
    ----------
    y : (n,) array of int
        Class indices.
    draw : numpy.random.RandomState
        Draws the blocks.
    n_blocks : int, default=5
        There are fewer if there are fewer groups, or fewer different times.
    out : int, default=1
        Number of blocks that each member leaves out, 1 or 2.
    groups : (n,) array, optional
        Rows of the same group are put into the same block.
    time : (n,) array, optional
        The blocks follow one another in time; rows of the same time are put into the same block.

    Returns
    -------
    Folds
        By default and by groups, every block has about the same share of each class.

    Raises
    ------
    OptionError
        If there is only one group or one time.
    """
    if groups is not None and time is not None:
        raise OptionError(
            Setting("groups"), " and ", Setting("time"), " are both given, expected one.", parameter="groups"
        )
    if groups is not None:
        block = _by_group(y, _codes(groups, "groups"), draw, n_blocks)
    elif time is not None:
        block = _by_time(_codes(time, "time"), n_blocks)
    else:
        block = _stratified(y, draw, n_blocks)
    _, block = np.unique(block, return_inverse=True)
    return Folds(block.astype(np.int8), y, int(block.max()) + 1, out)


def _codes(values: Any, what: str) -> Array:
    """Return the rank of each value among the different values."""
    found, codes = np.unique(values, return_inverse=True)
    if len(found) < 2:
        expected = "at least two different ones, so that rows can be left out"
        raise OptionError(parameter=what, came="the same in every row", expected=expected)
    return codes


def _stratified(y: Array, draw: np.random.RandomState, n_blocks: int) -> Array:
    """Deal the shuffled rows of one class after another to the blocks in turn."""
    shuffled = draw.permutation(len(y))
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    block = np.empty(len(y), np.int8)
    block[order] = np.arange(len(y)) % n_blocks
    return block


def _by_group(y: Array, groups: Array, draw: np.random.RandomState, n_blocks: int) -> Array:
    """Deal the groups, the largest first, each to the block that it leaves most even by class."""
    from sklearn.model_selection import StratifiedGroupKFold

    count = min(n_blocks, int(groups.max()) + 1)
    block = np.empty(len(y), np.int8)
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=draw)
    for number, (_, rows) in enumerate(splitter.split(np.zeros((len(y), 1)), y, groups)):
        block[rows] = number
    return block


def _by_time(time: Array, n_blocks: int) -> Array:
    """Cut the rows, in the order of time, into blocks of about equal size."""
    counts = np.bincount(time)
    middle = np.cumsum(counts) - counts / 2  # of the rows of each time, among all rows
    return np.minimum(middle * n_blocks // len(time), n_blocks - 1).astype(np.int8)[time]
