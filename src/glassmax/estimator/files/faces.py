"""From the arguments of `fit` to a fit on files."""

from collections.abc import Generator
from typing import Any, cast

from ...distributed import read_settings
from ...errors import OptionError, Setting, Text, is_whole, one_of
from ...training import Epoch
from .asked import sources_of
from .available import refuse_rows
from .fit import fit_files
from .records import FilesFit, FilesRecords

__all__ = ["epochs_of", "finished", "read_averaging", "records_of"]

AVERAGING_STEPS = 16


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
    cache_folder = given.pop("cache_folder")
    averaging = read_averaging(given["engine"], given.pop("averaging", None), given.pop("averaging_steps", None))
    workers = read_settings(**given, n_threads=classifier.n_threads)
    network = getattr(classifier, "network", None)
    checkpoints = [getattr(one, "checkpoint_path", None) for one in (classifier, network)]
    sources = sources_of(X, target, y, sample_weight, checkpoints, cache_folder)
    how = {"cache_folder": cache_folder, "workers": workers, "averaging_steps": averaging}
    return fit_files(classifier, sources, target, sample_weight, **how)


def read_averaging(engine: str | None, averaging: str | None, averaging_steps: int | None) -> int | None:
    """Return the number of steps of a shard between two averages; None for summed gradients.

    Parameters
    ----------
    engine : str or None
        What runs the workers.
    averaging : {"local_sgd"} or None
    averaging_steps : int or None
        >= 1; 16 by default.

    Raises
    ------
    OptionError
        If one of the two is out of range, or is given where there is nothing to average.
    """
    if averaging is None and averaging_steps is None:
        return None
    if averaging is None:
        expected: Text = ("None without ", Setting("averaging", "local_sgd"))
        raise OptionError(parameter="averaging_steps", came=repr(averaging_steps), expected=expected)
    one_of("averaging", averaging, ("local_sgd",))
    if engine is None:
        expected = ("None without ", Setting("engine"), ": one process has nothing to average")
        raise OptionError(parameter="averaging", came=repr(averaging), expected=expected)
    steps = AVERAGING_STEPS if averaging_steps is None else averaging_steps
    if not (is_whole(steps) and steps >= 1):
        raise OptionError(parameter="averaging_steps", came=repr(steps), expected="a whole number >= 1 or None")
    return int(steps)


def epochs_of(records: FilesRecords) -> Generator[Epoch, None, None]:
    """Train, one epoch for each item taken; after Ctrl-C within an epoch, raise KeyboardInterrupt."""
    next(records, None)  # what is trained on
    fit = yield from cast("Generator[Epoch, None, FilesFit | None]", records)
    if fit is not None and fit.stop_reason == "interrupted":
        raise KeyboardInterrupt


def finished(records: FilesRecords) -> bool:
    """Train to the end; return whether Ctrl-C has ended it."""
    while True:
        try:
            next(records)
        except StopIteration as end:
            fit: FilesFit | None = end.value
            return fit is not None and fit.stop_reason == "interrupted"
