"""Rows for a classifier that was fitted on files: frames, tables and paths with the columns of the files."""

import os
from typing import Any

import numpy as np

from ...functional.arrays import Array
from ...table import Table, UnseenCounts, table_from
from ..tables.blocks import encoded_rows, is_better_sparse

__all__ = ["encoded_X", "table_of_X"]


def table_of_X(classifier: Any, X: Any, what: str = "X") -> Table:
    """Return rows as a table; a path is read as the files of the training were."""
    path = os.fspath(X) if isinstance(X, os.PathLike) else X
    return table_from(path, what, **classifier.encoding_.reading)


def encoded_X(classifier: Any, X: Any, what: str = "X") -> Array:
    """Return rows as the network takes them, (n, width) or CSR.

    Raises
    ------
    DataError
        If a column of the training is missing, or a cell can't be used.
    """
    encoding, table = classifier.encoding_, table_of_X(classifier, X, what)
    sparse = is_better_sparse(encoding, table.n_rows)
    dtype = classifier.network_.theta.dtype
    found: Array = encoded_rows(encoding, table, np.arange(table.n_rows), dtype, UnseenCounts(), sparse=sparse)
    return found
