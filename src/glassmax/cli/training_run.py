"""One training run of the command line: what is trained on, its progress, and how it has ended, on stderr."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from ..distributed import WorkerSettings
from ..errors import OptionError
from ..estimator import SoftmaxClassifier, TableClassifier
from ..estimator.ensemble import Member, Search
from ..estimator.options import hidden_sizes
from ..estimator.tables.figures import Comparison, compare
from ..estimator.tables.fit import Prepared, TableFit, table_rows
from ..estimator.tables.options import check_search, check_table_options, preset_of
from ..estimator.tables.rows import FEWEST_ROWS_TO_HOLD_OUT
from ..table import BUILTIN, Table
from .class_embeddings import read_class_embeddings
from .epochs_report import check_losses, doubts_of, identifiers_of, report_epochs, rescue
from .many_classes import FOR_MANY_CLASSES, MANY_CLASSES, refuse_preset
from .option_values import embedding_of
from .progress import followed, of_epochs, of_members
from .result import Result
from .table_report import contents_of_rows, report_contents
from .talk import busy, counted, figure, ordinal, say
from .terminal import ATTENTION
from .training_cost import report_cost
from .wording import ESTIMATOR, worded_error

__all__ = ["TrainingRun", "check_options", "classifier_of", "said_of"]

ENDS = {"time_limit": "The time limit was reached", "interrupted": "Stopped by Ctrl-C"}


def classifier_of(options: dict[str, Any], *, network: bool, table: str = "") -> TableClassifier:
    """Return the classifier that the options describe: a preset, or one network; `table` is its name."""
    names = ("types", "ignore", "keep", "candidates", "time_limit", "min_count", "other_label")
    settings = {name: options[name] for name in names}
    settings |= {"n_threads": options["threads"], "memory_limit": options["memory_limit"]}
    settings["random_state"] = options["seed"]
    settings["class_weight"] = "balanced" if options["balanced"] else options["class_weight"] or None
    if not network:
        return TableClassifier(options["preset"], checkpoint_path=options["checkpoint"], **settings)
    settings |= {"dtype": options["dtype"], "held_out": options["held_out"]}
    return TableClassifier(network=_network_of(options, table), **settings)


def said_of(workers: WorkerSettings) -> str:
    """Write how many workers there are, and what runs them."""
    count = "workers" if workers.n_workers is None else counted(workers.n_workers, "worker")
    return f"{count} ({workers.engine})"


def _search_of(options: dict[str, Any]) -> Search | None:
    return None if options["tune"] is None else Search(options["tune"], study_path=options["study"])


def check_options(options: dict[str, Any], *, network: bool) -> None:
    """Raise an error for options that don't go together, before a table is read."""
    search = _search_of(options)
    if search is None and options["study"] is not None:
        raise click.UsageError("--study is the file of the trials of --tune. Pass --tune SECONDS too.")
    arranged = [f"--{name}" for name in ("groups", "time") if options[name] is not None]
    if len(arranged) == 2:
        raise click.UsageError("--groups and --time both say which rows make a fold. Pass one of them.")
    if arranged and isinstance(options["validation"], str) and not network:
        raise click.UsageError(
            f"{arranged[0]} says which rows make a fold, and with a file of validation rows there are no folds. Pass "
            f"{arranged[0]} or --validation."
        )
    try:
        classifier = classifier_of(options, network=network)
        check_table_options(classifier)
        if search is not None:
            check_search(classifier, search)
    except OptionError as error:
        raise click.UsageError(worded_error(error)) from None


def _network_of(options: dict[str, Any], table: str) -> SoftmaxClassifier:
    settings = {parameter: options[option] for option, parameter in ESTIMATOR.items()}
    settings["batch_size"] = options["batch_size"] or "auto"
    settings["scoring"] = options["metric"] or "log_loss"
    default = BUILTIN[table].hidden if table in BUILTIN else (100,)
    settings["hidden_layer_sizes"] = default if options["hidden"] is None else options["hidden"]
    for option in ("activation", "dropout"):
        settings[option] = options[option][0] if len(options[option]) == 1 else list(options[option])
    settings["embedding"] = embedding_of(options["embedding"], options["embedding_bins"])
    if isinstance(options["validation"], float):
        settings["validation_fraction"] = options["validation"]
    watched = options["validation"] is not None or options["metric"] is not None
    settings["early_stopping"] = options["early_stopping"] or watched
    return SoftmaxClassifier(**settings | {"output": "softmax"})


class TrainingRun:
    """One training run, from table to model."""

    is_on_files = False

    def __init__(
        self,
        classifier: TableClassifier,
        table: Table,
        target: str,
        options: dict[str, Any],
        validation: Table | None,
        workers: WorkerSettings | None = None,
    ) -> None:
        columns = {"groups": options["groups"], "time": options["time"]}
        self.rows = table_rows(classifier, table, target, options["weight"], **columns)
        self.has_many_classes = classifier.network is None and len(self.rows.classes) >= MANY_CLASSES
        if self.has_many_classes:
            refuse_preset(options, self.rows)
            options = options | FOR_MANY_CLASSES
            classifier = classifier_of(options, network=True)
        self.classifier, self.options, self.network = classifier, options, classifier.network
        if options["class_embeddings"] is not None and self.network is not None:
            self._take_embeddings(self.network)
        judged_by = None if validation is None else (validation, None, None)
        self.within: Callable[[int, int, float], None] | None = None
        self.by = "" if workers is None else f", by {said_of(workers)}"
        search = _search_of(options)
        self.records = classifier.fit_rows(self.rows, judged_by, search, self._show_within, workers)
        prepared = next(self.records)
        assert isinstance(prepared, Prepared)
        self.prepared: Prepared = prepared
        self.members: list[Member] = []
        self.fitted: TableFit | None = None

    def _take_embeddings(self, network: SoftmaxClassifier) -> None:
        """Read the class embeddings; without --hidden, the hidden layer gets their width."""
        E = read_class_embeddings(self.options["class_embeddings"], self.rows.classes, self.rows.target)
        network.set_params(class_embeddings=E)
        if self.options["hidden"] is None:
            network.set_params(hidden_layer_sizes=(E.shape[1],))

    def _show_within(self, rows_done: int, rows: int, loss: float) -> None:
        if self.within is not None:
            self.within(rows_done, rows, loss)

    def report_table(self, why: str) -> None:
        """Report the table, the type of each column and what is trained; `why` is an option that asks for a network."""
        report_contents(contents_of_rows(self.rows))
        extra, kept, held = self.prepared.n_validation, len(self.prepared.kept), len(self.prepared.held)
        if self.network is None:
            parts = "trained on some folds of the rows and judged on the others"
            if extra is not None:
                parts = f"trained on all rows and judged on the {counted(extra, 'validation row')}"
            types = preset_of(self.classifier.preset).types
            linear = " and a linear model" if any(one.is_linear and one.suits(kept) for one in types) else ""
            say(f"preset {self.classifier.preset}: several networks{linear}, each {parts}{self.by}")
            return
        few = f" (fewer than {FEWEST_ROWS_TO_HOLD_OUT} rows)" if self.options["held_out"] else ""
        shown = f", {held} held out" if held else f", none held out{few}"
        judged = "" if extra is None else f", {counted(extra, 'validation row')}"
        sizes = "-".join(map(str, (self.prepared.width, *hidden_sizes(self.network), len(self.rows.classes))))
        say(f"{counted(kept, 'row')} to train on{shown}{judged}; network {sizes}")
        if self.has_many_classes:
            say(
                f"  with {MANY_CLASSES:,} classes or more, one network is trained in place of a preset; --hidden and "
                "other options set it up"
            )
        else:
            say(f"  {why} sets up one network of your own; without such an option, a preset is trained")
        report_cost(self.prepared, classes=len(self.rows.classes), dtype=self.classifier.dtype)

    def train(self) -> bool:
        """Train with progress shown; return whether Ctrl-C ended it."""
        with warnings.catch_warnings(), self._progress() as show:
            warnings.simplefilter("ignore")  # said by `_report_end`, in other words

            def take(record: Any) -> None:
                if isinstance(record, Member):
                    self.members.append(record)
                show(record)

            self.fitted = followed(self.records, take)
        found = self.fitted.found
        interrupted = "interrupted" in (self.fitted.stop_reason, None if found is None else found.stop_reason)
        if self.network is not None:
            report_epochs(self.fitted.members[0], self.options["learning_rate"], interrupted=interrupted)
        return interrupted

    @contextmanager
    def _progress(self) -> Iterator[Callable[[Any], None]]:
        """Show the progress of the training; yield a function that takes each record."""
        if self.network is None:
            with of_members() as show:
                yield show
            return
        with of_epochs(self.network.max_iter, self._score, self._losses) as (show_epoch, self.within):
            yield show_epoch

    def _losses(self) -> list[float]:
        """Return the losses of the complete epochs, those before a checkpoint included."""
        return getattr(self.prepared.network, "loss_curve_", [])

    def _score(self) -> str:
        """Say the latest score of what early stopping watches, where the losses don't say it."""
        metric, scores = self.options["metric"], getattr(self.prepared.network, "validation_scores_", None)
        if metric in (None, "log_loss", "accuracy") or not scores:
            return ""
        return f", {metric.replace('_', ' ')} {scores[-1]:.4f}"

    def _report_members(self, log_losses: dict[str, float]) -> None:
        """Report what each type of network was worth on rows not seen, and what the model consists of."""
        fitted = self.fitted
        assert fitted is not None
        done = counted(len(self.members), "network")
        if fitted.stop_reason in ENDS:
            were = "was trained" if len(self.members) == 1 else "were trained"
            single = ", so the model is a single network" if len(fitted.members) == 1 else ""
            say(
                f"{ENDS[fitted.stop_reason]}: {len(self.members)} of {fitted.planned} networks {were}{single}.",
                ATTENTION,
            )
        if fitted.found is not None:
            ended = "Ctrl-C ended the search: " if fitted.found.stop_reason == "interrupted" else ""
            complete = sum(trial.state == "complete" for trial in fitted.found.trials)
            done_trials = counted(len(fitted.found.trials), "trial")
            say(f"{ended}{done_trials}, {complete} complete; the best types found are added to the preset")
        how = f"the weighted mean of their logits, temperature {self.classifier.temperature_:.2f}"
        say(f"{done} trained; the model is {how if len(fitted.members) > 1 else 'a single network'}:")
        width = max(map(len, log_losses)) + 1
        for name, loss in log_losses.items():
            of_type = [
                member.network_ for member, kind in zip(fitted.members, fitted.types, strict=True) if kind == name
            ]
            used = self._unused(name)
            if of_type:
                sizes = "-".join(map(str, (of_type[0].n_inputs, *of_type[0].layer_sizes[1:])))
                used = f"weight {_share(fitted, name):.2f}, {counted(len(of_type), 'network')} {sizes}"
            say(f"  {name + ':':<{width}}  log-loss {figure(loss)}, {used}")

    def _unused(self, name: str) -> str:
        """Say that a type of network is not used, and how far its training came if it is not complete."""
        assert self.fitted is not None
        assert self.fitted.preset is not None
        n, planned = sum(member.type == name for member in self.members), self.fitted.preset.members
        return "not used" if n >= planned else f"not used, {n} of {counted(planned, 'network')} trained"

    def judge(self) -> Result:
        """Compare the model with simpler ones; raise a DivergenceError if it is far worse than chance."""
        assert self.fitted is not None
        with busy("Training a linear model to compare with") if self.network is not None else nullcontext():
            found = compare(self.classifier, self.rows, self.fitted, linear=self.options["baseline"])
        if self.network is None:
            self._report_members(found.log_losses)
        if found.step > 1:
            say(f"The linear model for comparison is trained on every {ordinal(found.step)} row.")
        if found.linear_left_out:
            say("No linear model is trained for comparison: with so many classes, it would take long.")
        if self.network is not None:
            check_losses(found, self.options["learning_rate"])
        return self._result(found)

    def _result(self, found: Comparison) -> Result:
        n = next(iter(found.columns.values())).rows
        whole = "all " if n == len(self.rows.y) else ""
        single = len(self.fitted.members) == 1  # type: ignore[union-attr]
        columns = {"network" if single and name == "ensemble" else name: one for name, one in found.columns.items()}
        judged = {
            "out of fold": f"{whole}{counted(n, 'row')}, out of fold: each predicted by networks not trained on it",
            "validation": counted(n, "validation row"),
            "held out": f"{counted(n, 'row')} held out",
            "training": f"{counted(n, 'row')} it was trained on",
        }
        return Result(
            judged[found.judged],
            columns,
            self.rows.classes,
            found.scores,
            trained_on=found.judged == "training",
            of_preset=self.network is None,
            unjudged=self._unjudged(),
            before=found.before_calibration,
            on_rows_of_linear=found.on_rows_of_linear,
        )

    def _unjudged(self) -> list[str]:
        """Return the classes that none of the judged rows has."""
        assert self.fitted is not None
        y, k = self.fitted.y, len(self.rows.classes)
        counts = y.sum(axis=0) if y.ndim == 2 else np.bincount(y, minlength=k)
        return [str(label) for label, count in zip(self.rows.classes, counts, strict=True) if not count]

    def doubts(self) -> list[str]:
        """Return a sentence for each reason why even good figures are worth little."""
        return doubts_of(self.rows.notes, self.rows.target)

    def facts(self) -> dict[str, Any]:
        """Return what was trained, for JSON."""
        fitted = self.fitted
        assert fitted is not None
        if self.network is not None:
            return {}
        names = list(dict.fromkeys(fitted.types))
        types = {name: {"networks": fitted.types.count(name), "weight": _share(fitted, name)} for name in names}
        facts: dict[str, Any] = {
            "preset": self.classifier.preset,
            "networks": types,
            "temperature": self.classifier.temperature_,
        }
        if fitted.found is not None:
            facts["trials"] = [asdict(trial) for trial in fitted.found.trials]
        return facts | {"tried": len(self.members), "stop_reason": fitted.stop_reason}

    def identifiers(self) -> list[str]:
        """Return the columns that were left out because they number or name the rows."""
        return identifiers_of(self.rows.notes)

    def progress(self) -> str:
        """Say how far the training came."""
        assert self.fitted is not None
        if self.network is None:
            return counted(len(self.members), "network")
        return counted(self.fitted.members[0].n_iter_, "epoch")

    def rescue(self, path: Path) -> None:
        """Keep what a diverged network has learned, beside the place of the model."""
        if self.prepared.network is not None:
            rescue(self.prepared.network, self.rows.classes, self.rows.encoding, path)


def _share(fitted: TableFit, name: str) -> float:
    return float(sum(weight for weight, kind in zip(fitted.weights, fitted.types, strict=True) if kind == name))
