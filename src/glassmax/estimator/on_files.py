"""What `SoftmaxClassifier` does where X names files; the modules that read files are imported only then."""

import glob
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sklearn.utils.metadata_routing import UNUSED

from ..errors import OptionError, Setting
from ..functional.arrays import Array
from ..training import Epoch
from .user_warnings import warn_user

if TYPE_CHECKING:
    from .files import FilesRecords

__all__ = [
    "NOT_ROUTED",
    "are_paths",
    "encoded_X",
    "epochs_on_files",
    "fit_on_files",
    "in_files",
    "is_encoded",
    "names_files",
    "of_files",
    "score_on_files",
]

IN_MEMORY = ("X_val", "y_val", "sample_weight_val", "classes", "progress")
NOT_ROUTED = dict.fromkeys(("target", "cache_folder", "engine"), UNUSED)
"""Arguments of `fit` that scikit-learn's searches and pipelines don't pass on."""
OF_WORKERS = ("n_workers", "address", "resources", "wait_limit", "averaging", "averaging_steps")


def names_files(X: Any, y: Any, target: Any, on_files: dict[str, Any]) -> bool:
    """Return whether X names files, as there is a target; refuse arguments that are for files if there is none."""
    for name in on_files.keys() - {"cache_folder", "engine", *OF_WORKERS}:
        raise TypeError(f"fit() got an unexpected keyword argument {name!r}")
    if target is not None:
        return True
    if _are_files(X):
        what = " is None, expected the name of the column to predict: X names files."
        what += f" Pass target={y!r} in place of y." if isinstance(y, str) else ""
        raise OptionError(Setting("target"), what, parameter="target")
    for name, value in on_files.items():
        if value is not None:
            raise OptionError(
                parameter=name,
                came=repr(value),
                expected=("None without ", Setting("target"), ": this argument is for rows that are read from files"),
                remedy=("Pass the path of the files as X, and the column to predict as ", Setting("target"), "."),
            )
    return False


def _are_files(X: Any) -> bool:
    """Return whether X can only name files: a list of paths, a folder, or a glob."""
    if isinstance(X, str | os.PathLike):
        return glob.has_magic(os.fspath(X)) or os.path.isdir(X)
    return isinstance(X, list | tuple) and bool(X) and all(isinstance(path, os.PathLike) for path in X)


def _records(
    classifier: Any,
    rows: tuple[Any, Any, Any, Any],
    in_memory: tuple[Any, ...],
    on_files: dict[str, Any],
) -> "FilesRecords":
    from .files.faces import records_of

    return records_of(classifier, *rows, dict(zip(IN_MEMORY, in_memory, strict=False)), on_files)


def fit_on_files(
    classifier: Any, rows: tuple[Any, Any, Any, Any], in_memory: tuple[Any, ...], on_files: dict[str, Any]
) -> Any:
    """Train on files, and return the classifier; after Ctrl-C it has the weights so far.

    Parameters
    ----------
    classifier : SoftmaxClassifier
    rows : tuple
        X, y, sample_weight and target.
    in_memory : tuple
        The arguments of `fit` that must be None: X_val, y_val, sample_weight_val, classes.
    on_files : dict
        `cache_folder`, `engine`, and the settings of workers.
    """
    from .files.faces import finished

    if finished(_records(classifier, rows, in_memory, on_files)):
        warn_user("Training was interrupted; the weights so far are kept.")
    return classifier


def epochs_on_files(
    classifier: Any, rows: tuple[Any, Any, Any, Any], in_memory: tuple[Any, ...], on_files: dict[str, Any]
) -> Iterator[Epoch]:
    """Train on files, one epoch for each item taken; the arguments are those of `fit_on_files`."""
    from .files.faces import epochs_of

    return epochs_of(_records(classifier, rows, in_memory, on_files))


def is_encoded(classifier: Any) -> bool:
    """Return whether the classifier was fitted on files, so that it takes frames, tables and paths."""
    return getattr(classifier, "encoding_", None) is not None


def encoded_X(classifier: Any, X: Any, what: str = "X") -> Array:
    """Return the rows of a frame, a table or a path as the network takes them, (n, width) or CSR."""
    from .files.columns import encoded_X

    return encoded_X(classifier, X, what)


def in_files(classifier: Any, X: Any) -> bool:
    """Return whether X names files for a classifier that knows the columns of tables: paths, folders, globs, a list."""
    return is_encoded(classifier) and are_paths(X)


def are_paths(X: Any) -> bool:
    """Return whether X is a path or a list of paths."""
    paths = X if isinstance(X, list | tuple) else [X]
    return bool(paths) and all(isinstance(path, str | os.PathLike) for path in paths)


def of_files(classifier: Any, method: Callable[..., Any], X: Any, *arguments: Any) -> Any:
    """Return what a method of a classifier says of the rows of files, piece by piece."""
    from .files.columns import of_pieces

    return of_pieces(classifier, method, X, *arguments)


def score_on_files(classifier: Any, X: Any, target: str, sample_weight: Any) -> float:
    """Return the accuracy on the rows of a frame, a table or files that have a label in the column of this name."""
    from .files.columns import score_pieces, table_of_X
    from .tables.column_score import score_column

    if are_paths(X):
        return score_pieces(classifier, X, target, sample_weight)
    return score_column(classifier, table_of_X(classifier, X), target, sample_weight)
