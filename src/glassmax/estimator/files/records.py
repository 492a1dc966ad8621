"""What a fit on files tells while it runs, and what it returns."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ...conformal import Conformal
from ...functional.arrays import Array
from ...streaming import Learned, Sources, WindowDone
from ...table import Note
from ...training import Epoch, Metrics

if TYPE_CHECKING:
    from ..classifier import SoftmaxClassifier
    from ..tables.figures import Comparison

__all__ = ["EncodingProgress", "FilesFit", "FilesPrepared", "FilesRecords", "FilesTold", "ScanProgress"]


class ScanProgress(NamedTuple):
    """How far the scan has come.

    Attributes
    ----------
    rows : int
        Number of rows read so far.
    size, total : int
        Bytes read so far, about, and bytes of all files.
    rows_here, size_here : int
        Number of rows, and of bytes, read by this process.
    seconds : float
        Time that these rows took.
    """

    rows: int
    size: int
    total: int
    rows_here: int
    size_here: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows read in a second."""
        return self.rows_here / max(self.seconds, 1e-9)

    @property
    def megabytes_per_second(self) -> float:
        """Megabytes of the files read in a second."""
        return self.size_here / 1e6 / max(self.seconds, 1e-9)

    @property
    def seconds_left(self) -> float:
        """Estimated time until the end."""
        return (self.total - self.size) * self.seconds / max(self.size_here, 1)


class EncodingProgress(ScanProgress):
    """How far the encoding of all rows has come; the attributes are those of `ScanProgress`."""


FilesTold = Callable[[ScanProgress | WindowDone], None]
"""Is called with a `ScanProgress`, an `EncodingProgress` or a `WindowDone`, at most a few times a second."""


@dataclass(frozen=True)
class FilesPrepared:
    """What a fit trains on, once all rows are encoded and before the first epoch.

    Attributes
    ----------
    sources : Sources
        The files.
    target : str
    weight : str or None
    known : Learned
        What is known of all rows: encoding, classes with their counts, rows without a label or a weight.
    notes : list of Note
        On rows, columns and classes, as for a table in memory.
    n_training, n_validation, n_held_out : int
        Number of rows to train on, of rows that early stopping watches, and of rows that judge the network.
    network : SoftmaxClassifier
        The classifier that is trained; fitted once a window of rows is done.
    layer_sizes : tuple of int
    spool_bytes : int
        Size of the encoded rows on disk.
    epochs_done : int
        Number of epochs that an earlier run has left in the checkpoint.
    """

    sources: Sources
    target: str
    weight: str | None
    known: Learned
    notes: list[Note]
    n_training: int
    n_validation: int
    n_held_out: int
    network: "SoftmaxClassifier"
    layer_sizes: tuple[int, ...]
    spool_bytes: int
    epochs_done: int


@dataclass(frozen=True)
class FilesFit:
    """What a fit on files has learned.

    Attributes
    ----------
    prepared : FilesPrepared
    network : SoftmaxClassifier
        The fitted network.
    stop_reason : str
        Its `stop_reason_`.
    seed : int
        Seed of the order of the rows and of the rows held out.
    comparison : Comparison or None
        Metrics of the network and of the class frequencies on the rows held out; None if there are none.
    conformal : Conformal or None
        What prediction sets need; None if no rows are held out.
    judged_counts : (k,) array of int
        Number of held-out rows of each class.
    """

    prepared: FilesPrepared
    network: "SoftmaxClassifier"
    stop_reason: str
    seed: int
    comparison: "Comparison | None"
    conformal: Conformal | None
    judged_counts: Array

    @property
    def metrics(self) -> Metrics | None:
        """Metrics of the network on the rows held out."""
        return None if self.comparison is None else self.comparison.columns["network"]


FilesRecords = Generator[FilesPrepared | Epoch, Any, FilesFit | None]
"""What a fit on files yields and returns: first a `FilesPrepared`, then an `Epoch` for each epoch. A KeyboardInterrupt
that is thrown into the generator ends the training as if it had been raised there. Ranks other than 0 of an MPI job
yield nothing and return None; their classifiers are fitted too."""
