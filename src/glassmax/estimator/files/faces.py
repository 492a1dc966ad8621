"""From the arguments of `fit` to a fit on files."""

from typing import Any

from ...distributed import read_settings
from .asked import sources_of
from .available import refuse_rows
from .fit import fit_files
from .records import FilesFit, FilesRecords

__all__ = ["finished", "records_of"]


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
