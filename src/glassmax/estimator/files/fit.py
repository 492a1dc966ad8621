"""From files to a fitted classifier: what both classifiers and the command line call."""

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ...distributed import Workers, WorkerSettings, open_workers
from ...distributed.shards import suggest_batch_size
from ...engine import best_engine
from ...errors import OptionError, Setting
from ...functional.arrays import Array
from ...streaming import Layout, Learned, Progress, Sources, Split, learned, scanned, working_folder
from ...table import Note
from ...training import Epoch
from ...training.checkpoint import check_begun
from ..identity import plain
from ..options import Plan
from ..outcome import warn_of_outcome
from ..tables.figures import Comparison
from .asked import Asked, asked_of
from .begin import Begun, Weights, begun, weights_of_classes
from .findings import findings
from .judging import Judged, judge
from .records import EncodingProgress, FilesFit, FilesPrepared, FilesRecords, FilesTold, ScanProgress
from .rows import RowsHere, RowsToEncode
from .rows_of_workers import RowsOfWorkers
from .run import Rows, RunOnFiles
from .sharing import content_of, learn_content

__all__ = ["fit_files"]

_Driven = Generator[FilesPrepared | Epoch, Any, FilesFit]


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
    averaging_steps: int | None = None,
    progress: FilesTold | None = None,
) -> FilesRecords:
    """Scan files, encode their rows, train a network on them, and fit a classifier.

    Parameters
    ----------
    classifier : SoftmaxClassifier or TableClassifier
        Is fitted once the generator has ended, or an exception has left it after the first window of rows. A
        TableClassifier without a `network` trains one with 128 hidden units in place of a preset. Its `held_out` is
        the share of the rows that judge the network.
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
    averaging_steps : int, optional
        On workers: local SGD with averaging, with so many steps of a shard between two averages. By default, all
        workers compute the gradient of each step together.
    progress : callable, optional
        Called with a `ScanProgress`, an `EncodingProgress` or a `glassmax.streaming.WindowDone`.

    Yields
    ------
    FilesPrepared
        First, before the training.
    glassmax.training.Epoch
        The record of an epoch.

    Returns
    -------
    FilesFit or None
        None on ranks other than 0 of an MPI job, which yield nothing; their classifiers are fitted too.

    Raises
    ------
    OptionError
        If a parameter is out of range, or is not supported on files; before anything is read.
    DataError
        If a file or a cell can't be used.
    CheckpointError
        If the checkpoint belongs to another run.
    DivergenceError
        If the loss is no longer finite; the last good weights are kept.
    """
    asked = asked_of(classifier)
    if averaging_steps is not None and asked.network.solver == "lbfgs":
        expected = ("another one with ", Setting("averaging", "local_sgd"), ": L-BFGS takes all rows in each step")
        raise OptionError(parameter="solver", came="'lbfgs'", expected=expected)
    if workers is None:
        return (yield from _driven(classifier, asked, sources, target, weight, cache_folder, progress))
    with closing(open_workers(workers)) as opened:
        if not getattr(opened, "is_driver", True):  # another rank than 0 of an MPI job
            learn_content(classifier, asked, opened.serve())  # type: ignore[attr-defined]
            return None
        on = _OnWorkers(opened, averaging_steps, workers.worker_threads)
        fit = yield from _driven(classifier, asked, sources, target, weight, cache_folder, progress, on)
        if hasattr(opened, "finish"):
            opened.finish(content_of(classifier, asked))
        return fit


class _OnWorkers(NamedTuple):
    """The workers of a fit, and how they train."""

    workers: Workers
    averaging_steps: int | None
    threads: int


def _driven(
    classifier: Any,
    asked: Asked,
    sources: Sources,
    target: str,
    weight: str | None,
    cache_folder: str | Path | None,
    progress: FilesTold | None,
    on: _OnWorkers | None = None,
) -> _Driven:
    """Drive a fit; a checkpoint of another run is refused first, so that its scan is not replaced."""
    check_begun(asked.network.checkpoint_path, _identity(asked, sources, target, weight))
    try:
        with working_folder(cache_folder, asked.network.checkpoint_path) as folder:
            stays = cache_folder is not None
            fit = yield from _Fit(asked, sources, target, weight, folder, stays, progress, on).records()
            if fit.stop_reason == "interrupted":
                raise _InterruptedError
    except _InterruptedError:
        pass
    if asked.of_table:
        classifier._commit_files(fit.network, classifier._model_of_files(fit), fit.prepared.notes, fit.metrics)
    return fit


@dataclass
class _Fit:
    """A fit on files, step by step."""

    asked: Asked
    sources: Sources
    target: str
    weight: str | None
    folder: Path
    stays: bool
    progress: FilesTold | None
    on: _OnWorkers | None

    def records(self) -> _Driven:
        """Scan, encode, train, judge."""
        known, places = self._learned()
        is_averaging = self.on is not None and self.on.averaging_steps is not None
        given = {"held_out": self.asked.held_out > 0, "is_averaging": is_averaging}
        notes = [*self.asked.notes, *findings(known, self.target, self.weight, **given)]
        begun = self._begun(known, notes)
        run = self._run(known, places, begun)
        with closing(run.rows):
            prepared = self._prepared(known, notes, run)
            yield prepared
            interrupted = yield from _epochs(run)
            judged = None
            if prepared.n_held_out:
                judged = judge(run.rows.judged(run.network), run.split, known.rows, run.totals / run.totals.sum())
        if not interrupted:
            if not self.stays:
                run.rows.remove_leftovers()
            improving = run.early_stopping.epochs_without_improvement == 0
            warn_of_outcome(self.asked.network, end=run.message, improving=improving)
        return self._fit(prepared, judged, run)

    def _learned(self) -> tuple[Learned, list[tuple[int, int, int, int]]]:
        """Return what is known of all rows, and the places where they may begin to be read."""
        told, started = _Teller(ScanProgress, self.progress), time.perf_counter()
        given = (self.target, self.weight, self.asked.columns)
        state, sample = scanned(self.sources, *given, folder=self.folder, progress=told.tell)
        told.end()
        known = learned(state, sample, *given)
        if self.asked.network.verbose:
            seconds = time.perf_counter() - started
            what = f"{known.rows} rows of {self.sources.name}, {len(known.classes)} classes of {self.target}"
            print(f"Scanned {what}, in {seconds:.1f} s")  # noqa: T201 - what `verbose` asks for
        return known, state.places

    def _begun(self, known: Learned, notes: list[Note]) -> Begun:
        """Return the network and its state, and check what can be checked before all rows are encoded."""
        asked = self.asked
        weights_of_classes(asked.class_weights(known.classes), known.counts, known.rows)
        columns = [name for name in known.summaries if name not in (self.target, self.weight)]
        found = begun(asked.network, known, asked.names_of(known.classes), asked.dtype, columns)
        found.state.notes = [] if asked.of_table else notes
        if self.on is None:
            _check_batch(found.plan, known.layout, known.rows)
        elif self.on.averaging_steps is None and asked.network.batch_size == "auto":
            found = found._replace(plan=found.plan._replace(batch_size=suggest_batch_size(known.rows)))
        return found

    def _run(self, known: Learned, places: list[tuple[int, int, int, int]], begun: Begun) -> RunOnFiles:
        asked, told = self.asked, _Teller(EncodingProgress, self.progress)
        engine = best_engine(asked.network.n_threads, asked.network.memory_limit)
        given = RowsToEncode(self.sources, known, self.target, self.weight, self.folder, told.tell)

        def encode(split: Split) -> Rows:
            on = self.on
            if on is None:
                rows: Rows = RowsHere(given, split, engine)
            else:
                how = (on.workers, places, begun.plan, on.averaging_steps, on.threads)
                rows = RowsOfWorkers(given, split, engine, *how)
            told.end()
            return rows

        def weigh(totals: Array) -> Weights:
            return weights_of_classes(asked.class_weights(known.classes), totals, known.rows)

        how = "None" if self.on is None else f"workers, {self.on.averaging_steps} steps between averages"
        identity = given.identity | _identity(asked, self.sources, self.target, self.weight)
        identity |= {"class_weight of the table": plain(asked.class_weight), "engine": how}
        return RunOnFiles(
            asked.network,
            begun,
            identity,
            asked.held_out,
            asked.split_seed,
            known.rows,
            engine,
            encode,
            weigh,
            self.progress,
        )

    def _prepared(self, known: Learned, notes: list[Note], run: RunOnFiles) -> FilesPrepared:
        return FilesPrepared(
            self.sources,
            self.target,
            self.weight,
            known,
            notes,
            *run.split.sizes(known.rows),
            self.asked.network,
            run.network.layer_sizes,
            run.rows.size,
            run.training.epochs,
        )

    def _fit(self, prepared: FilesPrepared, judged: Judged | None, run: RunOnFiles) -> FilesFit:
        network, seed = self.asked.network, self.asked.seed
        reason = str(network.stop_reason_)
        seed = run.split.seed if seed is None else seed
        if judged is None:
            return FilesFit(prepared, network, reason, seed, None, None, prepared.known.counts[:0])
        comparison = Comparison("held out", {"network": judged.metrics, "class frequencies": judged.of_frequencies})
        return FilesFit(prepared, network, reason, seed, comparison, judged.conformal, judged.counts)


class _Teller:
    """Tells how far the scan or the encoding has come, and how fast it is."""

    def __init__(self, kind: type[ScanProgress], told: FilesTold | None) -> None:
        self.kind, self.told, self.started = kind, told, time.perf_counter()
        self.first: Progress | None = None
        self.last: Progress | None = None

    def tell(self, done: Progress) -> None:
        """Tell how far it has come."""
        self.first, self.last = self.first or done, done
        if self.told is not None:
            rows, size = done.rows - self.first.rows, done.size - self.first.size
            self.told(self.kind(*done, rows, size, time.perf_counter() - self.started))

    def end(self) -> None:
        """Tell that it is complete, if anything was told before."""
        if self.last is not None:
            self.tell(self.last._replace(size=self.last.total))


def _identity(asked: Asked, sources: Sources, target: str, weight: str | None) -> dict[str, str]:
    """Return what identifies a run before the files are read."""
    columns = asked.columns
    return {
        "the files": sources.fingerprint,
        "target": target,
        "sample_weight": repr(weight),
        "types": plain(dict(columns.types)),
        "ignore": plain(sorted(columns.ignore)),
        "keep": plain(sorted(columns.keep)),
    }


def _epochs(run: RunOnFiles) -> Generator[Epoch, None, bool]:
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
    most = layout.order(n_rows, 0).window_rows
    if plan.rule is not None and plan.batch_size > most and n_rows > most:
        raise OptionError(
            parameter="batch_size",
            came=repr(plan.batch_size),
            expected=f"at most {most} on files, where a batch is drawn from a window of {most} rows",
            remedy=("For all rows at once, use ", Setting("solver", "lbfgs"), "."),
        )
