"""The arguments of `fit` that are for files: read, or refused where the rows are in memory."""

import os
from typing import Any

from ...distributed import read_settings
from ...errors import OptionError, Setting
from ...streaming import Sources, is_several
from .asked import sources_of
from .available import refuse_rows
from .fit import fit_files
from .records import FilesFit, FilesRecords

__all__ = ["check_rows_in_memory", "finished", "records_of"]


def records_of(
    classifier: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    target: Any,
    in_memory: dict[str, Any],
    on_files: dict[str, Any],
) -> FilesRecords:
    """Return the generator of a fit on files.

    Parameters
    ----------
    classifier : SoftmaxClassifier or TableClassifier
    X, y, sample_weight, target
        As for its `fit`.
    in_memory : dict
        The arguments of `fit` that are for rows in memory, by name; they must be None.
    on_files : dict
        `cache_folder`, and the settings of workers.
    """
    refuse_rows(**in_memory)
    given = dict(on_files)
    cache_folder, n_threads = given.pop("cache_folder"), classifier.n_threads
    workers = read_settings(**given, n_threads=n_threads)
    sources = sources_of(X, target, y, sample_weight)
    return fit_files(classifier, sources, target, sample_weight, cache_folder=cache_folder, workers=workers)


def finished(records: FilesRecords) -> FilesFit:
    """Train to the end, and return what has been learned."""
    while True:
        try:
            next(records)
        except StopIteration as end:
            fit: FilesFit = end.value
            return fit


def check_rows_in_memory(X: Any, on_files: dict[str, Any]) -> None:
    """Refuse arguments of `fit` that are for files without a target, and files without one."""
    if isinstance(X, Sources) or is_several(X) or _are_paths(X):
        raise OptionError(
            *("X names files, but ", Setting("target"), " is None, expected the name of the column to predict."),
            parameter="target",
        )
    for name, value in on_files.items():
        if value is not None:
            raise OptionError(
                parameter=name,
                came=repr(value),
                expected=("None without ", Setting("target"), ": it is for rows that are read from files"),
                remedy=("Pass the path of the files as X, and the column to predict as ", Setting("target"), "."),
            )


def _are_paths(X: Any) -> bool:
    return isinstance(X, list | tuple) and bool(X) and all(isinstance(path, os.PathLike) for path in X)
