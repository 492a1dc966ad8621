"""Rows for a classifier that was fitted on files: frames, tables, and files with the columns of the training.

What is said of rows in files is computed piece by piece, so that they need not fit into memory, only the results.
"""

import os
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

import numpy as np
from scipy.sparse import issparse, vstack

from ...errors import DataError, OptionError
from ...functional.arrays import Array
from ...streaming import Sources, is_several
from ...streaming.labelled import is_present, weighted_rows
from ...streaming.paths import name_of
from ...table import Table, UnseenCounts, joined, read_batches, table_from
from ...table.labels import target_cells
from ..on_files import are_paths
from ..tables.blocks import encoded_rows, is_better_sparse
from ..tables.column_score import right_in_column

__all__ = ["encoded_X", "of_pieces", "score_pieces", "table_of_X"]


def pieces_of(classifier: Any, X: Any, *more: str) -> Generator[Table, None, None]:
    """Yield the rows of files in pieces: the columns of the training, and some more; read as the training's files were.

    Raises
    ------
    DataError
        If a file is missing or damaged, the files have different columns, or none has a row.
    """
    encoding = classifier.encoding_
    columns = None if encoding.headerless else list(dict.fromkeys([*encoding.names, *more]))
    if isinstance(X, str | os.PathLike) and not is_several(X):
        yield from read_batches(os.fspath(X), columns=columns, **encoding.reading)
        return
    empty = True
    with closing(Sources(X, columns=columns, **encoding.reading).pieces()) as pieces:
        for piece in pieces:
            empty = False
            yield piece.table
    if empty:
        raise DataError(f"{name_of(X)}: no file has a row, expected at least one row.")


def of_pieces(classifier: Any, method: Callable[..., Any], X: Any, *arguments: Any) -> Any:
    """Return what a method says of the rows of files; only its results are in memory for all rows."""
    with closing(pieces_of(classifier, X)) as pieces:
        found = [method(piece, *arguments) for piece in pieces]
    if isinstance(found[0], tuple):
        return tuple(np.concatenate(part) for part in zip(*found, strict=True))
    return vstack(found, format="csr") if issparse(found[0]) else np.concatenate(found)


def score_pieces(classifier: Any, X: Any, target: str, sample_weight: Any = None) -> float:
    """Return the accuracy on the rows of files that have a label in the column of this name, as `score_column` does."""
    if sample_weight is not None and not isinstance(sample_weight, str):
        expected = "the name of a column of the files, or None"
        raise OptionError(parameter="sample_weight", came=f"of type {type(sample_weight).__name__}", expected=expected)
    right = total = 0.0
    with closing(pieces_of(classifier, X, target, *([] if sample_weight is None else [sample_weight]))) as pieces:
        for piece in pieces:
            counted = weighted_rows(piece, sample_weight)
            if not is_present(target_cells(counted.table, target, classifier.classes_)).any():
                continue
            hits, rows = right_in_column(classifier, counted.table, target)
            weight = np.ones(len(rows)) if counted.weight is None else counted.weight[rows]
            right, total = right + float((hits * weight).sum()), total + float(weight.sum())
    if not total:
        raise DataError(f"{name_of(X)}: no row that counts has a value in the target column {target!r}.")
    return right / total


def table_of_X(classifier: Any, X: Any, what: str = "X") -> Table:
    """Return rows as a table; files are read as those of the training were."""
    if are_paths(X) and (not isinstance(X, str | os.PathLike) or is_several(X)):
        with closing(pieces_of(classifier, X)) as pieces:
            return joined(list(pieces))
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
