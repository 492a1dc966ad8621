"""One training run on rows that are read from files piece by piece: its progress, and how it has ended, on stderr."""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..distributed import WorkerSettings
from ..estimator import TableClassifier
from ..estimator.files import FilesFit, FilesPrepared, ScanProgress, fit_files
from ..memory import size_in_words
from ..streaming import Sources, WindowDone
from .epochs_report import check_losses, doubts_of, identifiers_of, report_epochs, rescue
from .files_progress import of_epochs_on_files, of_passes
from .progress import followed
from .result import Result
from .table_report import contents_of_files, report_contents
from .talk import counted, say
from .training_run import said_of

__all__ = ["FilesTrainingRun"]


class FilesTrainingRun:
    """One training run, from files to model; the methods are those of `TrainingRun`."""

    is_on_files = True

    def __init__(
        self,
        classifier: TableClassifier,
        sources: Sources,
        target: str,
        options: dict[str, Any],
        workers: WorkerSettings | None,
        averaging_steps: int | None = None,
    ) -> None:
        self.classifier, self.sources, self.target, self.options = classifier, sources, target, options
        self.by = "" if workers is None else f", trained by {said_of(workers)}"
        self.tell: Callable[[Any], None] | None = None
        self.records = fit_files(
            classifier,
            sources,
            target,
            options["weight"],
            cache_folder=options["cache_folder"],
            workers=workers,
            averaging_steps=averaging_steps,
            progress=self._progress,
        )
        self.seconds = 0.0
        self.prepared: FilesPrepared
        self.fitted: FilesFit

    def _progress(self, progress: ScanProgress | WindowDone) -> None:
        if self.tell is not None:
            self.tell(progress)

    def prepare(self) -> None:
        """Scan the files and encode their rows, with progress shown."""
        started = time.monotonic()
        with of_passes() as self.tell:
            prepared = next(self.records)
        assert isinstance(prepared, FilesPrepared)
        self.prepared, self.seconds = prepared, time.monotonic() - started

    def report_table(self, why: str) -> None:
        """Report the files, the type of each column and what is trained; `why` is an option that asks for it."""
        prepared = self.prepared
        report_contents(contents_of_files(prepared, self.seconds))
        parts = [f"{counted(prepared.n_training, 'row')} to train on"]
        if prepared.n_validation:
            parts.append(f"{prepared.n_validation} for early stopping")
        parts.append(f"{prepared.n_held_out} held out" if prepared.n_held_out else "none held out")
        say(f"{', '.join(parts)}; network {'-'.join(map(str, prepared.layer_sizes))}{self.by}")
        if why:
            say(f"  {why} describes the network; without such an option, the network has 128 hidden units")
        else:
            say("  one network is trained in place of a preset, which needs all rows in memory")
            say("  --hidden and other options describe another network")
        say(f"  each epoch reads the encoded rows, {size_in_words(prepared.spool_bytes)} on disk")
        if prepared.epochs_done:
            say(f"  {self.options['checkpoint']} has {counted(prepared.epochs_done, 'epoch')}; the training resumes")

    def train(self) -> bool:
        """Train with progress shown; return whether Ctrl-C ended it."""
        network = self.prepared.network
        with (
            warnings.catch_warnings(),
            of_epochs_on_files(network.max_iter, lambda: getattr(network, "loss_curve_", [])) as (show, self.tell),
        ):
            warnings.simplefilter("ignore")  # said by `report_epochs`, in other words
            fitted = followed(self.records, show)
        assert fitted is not None  # as on rank 0 of MPI
        self.fitted = fitted
        interrupted = self.fitted.stop_reason == "interrupted"
        report_epochs(self.fitted.network, self.fitted.network.learning_rate_init, interrupted=interrupted)
        return interrupted

    def judge(self) -> Result | None:
        """Return the metrics on the rows held out; raise a DivergenceError if they are far worse than chance."""
        found, known = self.fitted.comparison, self.prepared.known
        if found is None:
            return None
        check_losses(found, self.fitted.network.learning_rate_init)
        judged = counted(next(iter(found.columns.values())).rows, "row")
        unjudged = [str(label) for label in known.classes[np.flatnonzero(self.fitted.judged_counts == 0)]]
        return Result(f"{judged} held out", found.columns, known.classes, found.scores, unjudged=unjudged)

    def doubts(self) -> list[str]:
        """Return a sentence for each reason why even good figures are worth little."""
        return doubts_of(self.prepared.notes, self.target)

    def facts(self) -> dict[str, Any]:
        """Return what was trained, for JSON."""
        prepared, network = self.prepared, self.fitted.network
        return {
            "files": len(self.sources.files),
            "training_rows": prepared.n_training,
            "layer_sizes": list(prepared.layer_sizes),
            "epochs": network.n_iter_,
            "stop_reason": self.fitted.stop_reason,
        }

    def identifiers(self) -> list[str]:
        """Return the columns that were left out because they number or name the rows."""
        return identifiers_of(self.prepared.notes)

    def progress(self) -> str:
        """Say how far the training came."""
        return counted(self.fitted.network.n_iter_, "epoch")

    def rescue(self, path: Path) -> None:
        """Keep what a diverged network has learned, beside the place of the model."""
        known = self.prepared.known
        rescue(self.prepared.network, known.classes, known.encoding, path)
