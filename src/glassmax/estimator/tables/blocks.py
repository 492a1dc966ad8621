"""Rows of a table as numbers, block by block, so that no more than the result is in memory at once."""

import os
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack

from ...errors import DataError, Setting
from ...functional.arrays import Array
from ...table import Encoding, Table, UnseenCounts

__all__ = ["encoded_rows", "is_better_sparse"]

SPARSE_NUMBERS, SPARSE_SHARE = 2**24, 0.1
MOST_OF_MEMORY = 0.7
MOST_AT_ONCE = 2**21


def is_better_sparse(encoding: Encoding, n_rows: int) -> bool:
    """Return whether rows are very many numbers, most of them zeros."""
    width = encoding.width
    return n_rows * width > SPARSE_NUMBERS and SPARSE_SHARE * width / len(encoding.columns) >= 1


def encoded_rows(
    encoding: Encoding, table: Table, index: Array, dtype: npt.DTypeLike, counts: UnseenCounts, *, sparse: bool
) -> Any:
    """Return some rows of a table as numbers: an (m, width) array, or a CSR matrix.

    Parameters
    ----------
    encoding : Encoding
    table : Table
    index : (m,) array of int
        Positions of the rows.
    dtype : dtype
    counts : UnseenCounts
        Is extended by the cells that were filled or did not occur in training.
    sparse : bool

    Raises
    ------
    DataError
        If a cell or a column can't be used, or the array doesn't fit into memory.
    """
    width = encoding.width
    at_once = max(1, MOST_AT_ONCE // width)
    blocks: list[Any] = []
    X: Any = None
    if not sparse:
        _check_memory(table.name, len(index), width, np.dtype(dtype).itemsize)
        X = np.empty((len(index), width), dtype)
    for start in range(0, len(index), at_once):
        rows = slice(start, start + at_once)
        block = encoding.fill(table.rows(index[rows]), counts)
        if sparse:
            blocks.append(csr_matrix(block.astype(dtype, copy=False)))
        else:
            X[rows] = block
    return vstack(blocks, format="csr") if sparse else X


def _check_memory(name: str, rows: int, width: int, size: int) -> None:
    """Refuse what doesn't fit into this machine, in words, before the system ends the process without any."""
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not to be known here
        return
    needed = rows * width * size
    if needed > MOST_OF_MEMORY * there:
        raise DataError(
            f"{name} becomes {rows} rows of {width} numbers, {needed / 2**30:.1f} GB; this machine has "
            f"{there / 2**30:.1f} GB. Pass ",
            *(Setting("dtype", "float32"), ", ", Setting("ignore"), " columns of many categories, or fewer rows."),
        )
