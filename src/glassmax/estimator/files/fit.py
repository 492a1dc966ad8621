"""From files to a fitted classifier: what both classifiers and the command line call."""

from pathlib import Path
from typing import Any

from ...distributed import WorkerSettings
from ...streaming import Sources
from .records import FilesRecords, FilesTold

__all__ = ["fit_files"]


def fit_files(
    classifier: Any,
    sources: Sources,
    target: str,
    weight: str | None = None,
    *,
    cache_folder: str | Path | None = None,
    workers: WorkerSettings | None = None,
    progress: FilesTold | None = None,
) -> FilesRecords:
    """Scan files, encode their rows, train a network on them, and fit a classifier.

    Parameters
    ----------
    classifier : SoftmaxClassifier or TableClassifier
        Is fitted once the generator has ended, or an exception has left it after the first window of rows. A
        TableClassifier without a `network` trains one with 128 hidden units in place of a preset, see
        `network_in_place_of_a_preset`; its `held_out` is the share of rows that judge the network.
    sources : Sources
        The files, and how they are read.
    target : str
        The column to predict.
    weight : str, optional
        The column of sample weights.
    cache_folder : path, optional
        Folder in which the scan and the encoded rows stay for later fits; by default they are beside the checkpoint
        until the fit is done, or in a temporary folder.
    workers : WorkerSettings, optional
        Train on workers; by default in this process.
    progress : callable, optional
        Called with a `Scanned`, an `Encoded` or a `glassmax.streaming.WindowDone`.

    Yields
    ------
    FilesPrepared
        First, before the training.
    glassmax.training.Epoch
        The record of an epoch.

    Returns
    -------
    FilesFit

    Raises
    ------
    OptionError
        If a parameter is out of range, or can't be had on files; before anything is read.
    DataError
        If a file or a cell can't be used.
    CheckpointError
        If the checkpoint belongs to another run.
    DivergenceError
        If the loss is no longer finite; the last good weights are kept.
    """
    raise NotImplementedError
    yield
