"""From files to a fitted classifier: what both classifiers and the command line call."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...distributed import WorkerSettings
from ...engine import Engine, best_engine
from ...errors import OptionError, Setting
from ...functional.arrays import Array
from ...streaming import Layout, Learned, Progress, Sources, Spool, learned, scanned, spooled, working_folder
from ...streaming.order import BLOCK_ROWS
from ...table import Note
from ...training import Epoch
from ...training.checkpoint import digest
from ..options import Plan
from ..outcome import warn_of_outcome
from ..tables.figures import Comparison
from .asked import Asked, asked_of
from .begin import Begun, Weights, begun, totals_of_classes, weights_of_classes
from .findings import findings
from .judging import Judged, judge
from .records import Encoded, FilesFit, FilesPrepared, FilesRecords, FilesTold, Scanned
from .run import FilesRun, RowsOnDisk

__all__ = ["fit_files"]


class _InterruptedError(Exception):
    """Leaves the folder of a run, which stays because the run can be continued."""


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
    asked = asked_of(classifier)
    if workers is not None:
        raise OptionError(parameter="engine", came=repr(workers.engine), expected="None")
    try:
        with working_folder(cache_folder, asked.network.checkpoint_path) as folder:
            fit = yield from _Fit(asked, sources, target, weight, folder, progress).records()
            if fit.stop_reason == "interrupted":
                raise _InterruptedError
    except _InterruptedError:
        pass
    if asked.of_table:
        classifier._commit_files(fit)
    return fit


@dataclass
class _Fit:
    """A fit on files, step by step."""

    asked: Asked
    sources: Sources
    target: str
    weight: str | None
    folder: Path
    progress: FilesTold | None

    def records(self) -> FilesRecords:
        """Scan, encode, train, judge."""
        known = self._learned()
        notes = [*self.asked.notes, *findings(known, self.target, self.weight, held_out=self.asked.held_out > 0)]
        begun = self._begun(known, notes)
        told = self._teller(Encoded)
        with spooled(self.sources, known, self.folder, self.target, self.weight, progress=told) as spool:
            totals = totals_of_classes(known, spool)
            weights = weights_of_classes(self.asked.class_weights(known.classes), totals, spool.n_rows)
            engine = best_engine(self.asked.network.n_threads, self.asked.network.memory_limit)
            run = FilesRun(self.asked.network, begun, self._rows(spool, weights), engine, self.progress)
            prepared = self._prepared(known, notes, run)
            yield prepared
            interrupted = yield from _epochs(run)
            judged = self._judged(run, engine, totals / totals.sum())
            if not interrupted:
                run.remove_validation_rows()
        if not interrupted:
            improving = run.early_stopping.epochs_without_improvement == 0
            warn_of_outcome(self.asked.network, end=run.message, improving=improving)
        return self._fit(prepared, judged, run)

    def _learned(self) -> Learned:
        told, started = self._teller(Scanned), time.perf_counter()
        given = (self.target, self.weight, self.asked.columns)
        state, sample = scanned(self.sources, *given, folder=self.folder, progress=told)
        known = learned(state, sample, *given)
        if self.asked.network.verbose:
            seconds = time.perf_counter() - started
            print(f"Scanned {known.rows} rows of {self.sources.name}, {len(known.classes)} classes, {seconds:.1f} s")  # noqa: T201 - what `verbose` asks for
        return known

    def _teller(self, kind: type[Scanned]) -> Callable[[Progress], None] | None:
        """Return what tells how far the scan or the encoding has come."""
        told, started = self.progress, time.perf_counter()
        first: list[Progress] = []
        if told is None:
            return None

        def tell(done: Progress) -> None:
            first.append(done)
            rows, size = done.rows - first[0].rows, done.size - first[0].size
            del first[1:]
            told(kind(*done, rows, size, time.perf_counter() - started))

        return tell

    def _begun(self, known: Learned, notes: list[Note]) -> Begun:
        """Return the network and its state, and check what can be checked before all rows are encoded."""
        asked = self.asked
        weights_of_classes(asked.class_weights(known.classes), known.counts, known.rows)
        columns = [name for name in known.summaries if name not in (self.target, self.weight)]
        found = begun(asked.network, known, asked.names_of(known.classes), asked.dtype, columns)
        found.state.notes = [] if asked.of_table else notes
        _check_batch(found.plan, known.layout, known.rows)
        return found

    def _rows(self, spool: Spool, weights: Weights) -> RowsOnDisk:
        network = self.asked.network
        share = float(network.validation_fraction) if network.early_stopping else 0.0
        identity = spool.identity | {"the weights of the classes": digest(weights.of_class)}
        return RowsOnDisk(spool, identity, weights, share, self.asked.held_out)

    def _prepared(self, known: Learned, notes: list[Note], run: FilesRun) -> FilesPrepared:
        spool = run.rows.spool
        return FilesPrepared(
            self.sources,
            self.target,
            self.weight,
            known,
            notes,
            *run.split.count(spool.n_rows),
            self.asked.network,
            run.network.layer_sizes,
            spool.n_rows * spool.layout.row_bytes,
            run.training.epochs,
        )

    def _judged(self, run: FilesRun, engine: Engine, shares: Array) -> Judged | None:
        split, spool = run.split, run.rows.spool
        if not split.held_out or not split.count(spool.n_rows)[2]:
            return None
        return judge(run.network, engine, spool, split, shares)

    def _fit(self, prepared: FilesPrepared, judged: Judged | None, run: FilesRun) -> FilesFit:
        network, seed = self.asked.network, self.asked.seed
        reason = str(network.stop_reason_)
        seed = run.split.seed if seed is None else seed
        if judged is None:
            return FilesFit(prepared, network, reason, seed, None, None, prepared.known.counts[:0])
        columns = {"network": judged.metrics, "class frequencies": judged.of_frequencies}
        return FilesFit(
            prepared, network, reason, seed, Comparison("held out", columns), judged.conformal, judged.counts
        )


def _epochs(run: FilesRun) -> Generator[Epoch, None, bool]:
    """Train; return whether Ctrl-C ended it, after which the weights so far are kept."""
    try:
        with run:
            while (epoch := run.next_epoch()) is not None:
                yield epoch
    except KeyboardInterrupt:
        if not run.committed:
            raise
        return True
    return False


def _check_batch(plan: Plan, layout: Layout, n_rows: int) -> None:
    """Refuse batches that are larger than a window of the order of the rows."""
    most = layout.window_blocks * BLOCK_ROWS
    if plan.rule is not None and plan.batch_size > most and n_rows > most:
        raise OptionError(
            parameter="batch_size",
            came=repr(plan.batch_size),
            expected=f"at most {most} on files: a batch is taken from so many rows at a time",
            remedy=("For all rows at once, use ", Setting("solver", "lbfgs"), "."),
        )
