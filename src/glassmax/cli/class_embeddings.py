"""Class embeddings, the weights of the last layer, from a .npy or .safetensors file or a table."""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..functional.arrays import Array
from ..table import Table, label_texts, read_table
from ..table.cells import as_text
from ..table.columns import numbers_of
from .talk import shortened

__all__ = ["read_class_embeddings"]


def read_class_embeddings(path: str, classes: Array, target: str) -> Array:
    """Return the class embeddings in the order of the classes, (k, h).

    Parameters
    ----------
    path : str
        A .npy or .safetensors file holds one array, with its rows in the order of the sorted classes. Any other file is
        a table. Its classes are in the column that has the name of the target or, without such a column, in the first
        column. All other columns are numbers. The rows may be in any order, and rows of other classes are ignored.
    classes : (k,) array
        Sorted.
    target : str
        Name of the target column.

    Returns
    -------
    (k, h) array

    Raises
    ------
    DataError
        If the file can't be read, has no row for a class, or has two.
    """
    if Path(path).suffix not in (".npy", ".safetensors"):
        return _of_table(read_table(path), classes, target)
    E = _array(path)
    if E.ndim != 2 or len(E) != len(classes) or E.dtype.kind not in "iuf":
        raise DataError(
            f"{path} holds {E.dtype} of shape {E.shape}, expected {len(classes):,} rows of numbers: one for each "
            f"class of {target}, in sorted order. A table with a column of classes may have its rows in any order."
        )
    return E


def _array(path: str) -> Array:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        if path.endswith(".npy"):
            return np.asarray(np.load(path))
        tensors: dict[str, Any] = load_file(path)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}.") from None
    except (ValueError, EOFError, SafetensorError) as error:
        raise DataError(f"{path} can't be read: {error}.") from None
    if len(tensors) != 1:
        raise DataError(f"{path} holds {len(tensors)} arrays, expected one: the class embeddings.")
    (E,) = tensors.values()
    return np.asarray(E)


def _of_table(table: Table, classes: Array, target: str) -> Array:
    column = target if target in table.names else table.names[0]
    place: dict[str, int] = {}
    for row, label in enumerate(as_text(table.column(column))):
        if label in place:
            raise DataError(f"{table.place(row)}: {shortened(label)!r} has two rows, expected one for each class.")
        if label is not None:
            place[label] = row
    names = label_texts(classes)
    missing = [name for name in names if name not in place]
    if missing:
        raise DataError(
            f"{table.name} has no row for {len(missing):,} of the {len(names):,} classes of {target}, such as "
            f"{shortened(missing[0])!r}, expected a row for each class."
        )
    rows = np.array([place[name] for name in names])
    E = np.empty((len(rows), len(table.names) - 1), np.float32)
    for number, name in enumerate(name for name in table.names if name != column):
        E[:, number] = numbers_of(table, name)[rows]
    return E
