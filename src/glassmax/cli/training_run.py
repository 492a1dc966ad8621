"""One training run of the command line: from a table and options to a model and what it is worth."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from ..engine import Data
from ..errors import DivergenceError, OptionError
from ..estimator import SoftmaxClassifier
from ..estimator.linear import fit_linear
from ..estimator.options import make_plan
from ..estimator.scoring import make_scorer
from ..functional.arrays import Array
from ..model import Model
from ..table import BUILTIN, Table
from ..training import Epoch, Metrics, suggest_learning_rate
from ..version import __version__
from .charts import bars, sparkline
from .figures import score_table, trivial_figures
from .option_values import embedding_of
from .progress import with_progress
from .result import Result
from .rows import Rows
from .talk import busy, counted, draw, figure, is_quiet, ordinal, say
from .terminal import console
from .wording import ESTIMATOR, worded_error

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["TrainingRun", "check_options"]

FAR_BEYOND_CHANCE = 1e4
"""A log-loss that no honest training ends with: the steps were too long."""


def estimator_of(options: dict[str, Any], hidden: tuple[int, ...], **changed: Any) -> SoftmaxClassifier:
    """Return the estimator that the options describe."""
    settings = {parameter: options[option] for option, parameter in ESTIMATOR.items()}
    settings["batch_size"] = options["batch_size"] or "auto"
    settings["scoring"] = options["metric"] or "log_loss"
    settings["hidden_layer_sizes"] = hidden
    activation, dropout = options["activation"], options["dropout"]
    settings["activation"] = activation[0] if len(activation) == 1 else list(activation)
    settings["dropout"] = dropout[0] if len(dropout) == 1 else list(dropout)
    settings["embedding"] = embedding_of(options["embedding"], options["embedding_bins"])
    settings["class_weight"] = "balanced" if options["balanced"] else None
    if isinstance(options["validation"], float):
        settings["validation_fraction"] = options["validation"]
    return SoftmaxClassifier(**settings | {"output": "softmax"} | changed)


def check_options(options: dict[str, Any]) -> None:
    """Raise an error for options that don't go together, before a table is read."""
    try:
        make_plan(estimator_of(options, (100,) if options["hidden"] is None else options["hidden"]))
    except OptionError as error:
        raise click.UsageError(worded_error(error)) from None


class TrainingRun:
    """One training run, from table to model."""

    def __init__(self, table: Table, target: str, options: dict[str, Any], form: dict[str, Any]) -> None:
        self.options = options
        self.rows = Rows(table, target, options, form)
        default = BUILTIN[table.name].hidden if table.name in BUILTIN else (100,)
        self.hidden: tuple[int, ...] = default if options["hidden"] is None else options["hidden"]
        self.classifier = estimator_of(options, self.hidden, class_weight=self.rows.class_weight())

    def report_table(self) -> None:
        """Report the table that was read and the type of each column."""
        rows = self.rows
        terminal = console(err=True)
        first, *lines = rows.described()
        if terminal is None:
            say(first)
        else:
            self._report_classes(terminal)
        for line in lines:
            say(line)
        if terminal is not None:
            say()
        sizes = "-".join(map(str, (rows.X.shape[1], *self.hidden, len(rows.classes))))
        held = f", {len(rows.held)} held out" if len(rows.held) else f", none held out{rows.why_none_held_out()}"
        judged = f", {counted(rows.validation[0].shape[0], 'validation row')}" if rows.validation else ""
        say(f"{counted(len(rows.kept), 'row')} to train on{held}{judged}; network {sizes}")

    def _report_classes(self, terminal: "Console") -> None:
        """Show the number of rows of each class as bars, on a terminal."""
        rows, most = self.rows, 20
        n_rows = rows.table.n_rows + rows.unlabelled
        target, k = rows.target, len(rows.classes)
        say(f"{rows.table.name}: {counted(n_rows, 'row')}, {k} classes of {target}", "bold")
        names = [str(label) for label in rows.classes[:most]]
        counts = np.bincount(rows.y, minlength=k)[:most].tolist()
        draw(bars(names, counts), terminal)
        if k > most:
            say(f"  ... and {k - most} more classes")

    def train(self) -> bool:
        """Train with progress shown; return whether Ctrl-C ended it."""
        classifier, rows = self.classifier, self.rows
        validation: dict[str, Any] = {}
        if rows.validation:
            names = ("X_val", "y_val", "sample_weight_val")
            validation = dict(zip(names, rows.validation, strict=True))
        interrupted = False
        with warnings.catch_warnings():  # said by `_report_end`, in other words
            warnings.simplefilter("ignore")
            epochs: Iterator[Epoch] = classifier.fit_epochs(
                rows.X, rows.y[rows.kept], rows.weights(rows.kept), **validation
            )
            try:
                for _ in with_progress(epochs, self.options["epochs"], self._metric, quiet=is_quiet()):
                    pass
            except KeyboardInterrupt:
                interrupted = True
        classifier.n_iter_ = getattr(classifier, "n_iter_", 0)
        self._report_end(interrupted)
        return interrupted

    def _metric(self) -> str:
        """Say the latest score of what early stopping watches, where the losses don't say it."""
        metric, scores = self.options["metric"], getattr(self.classifier, "validation_scores_", None)
        if metric in (None, "log_loss", "accuracy") or not scores:
            return ""
        return f", {metric.replace('_', ' ')} {scores[-1]:.4f}"

    def _report_end(self, interrupted: bool) -> None:
        classifier, n_epochs = self.classifier, self.classifier.n_iter_
        if not n_epochs:
            return
        if interrupted:
            say(f"Stopped by Ctrl-C after {counted(n_epochs, 'epoch')}; the weights so far are kept.")
            return
        if not classifier.loss_curve_:
            return
        first, last = classifier.loss_curve_[0], classifier.loss_curve_[-1]
        why = "no longer improving"
        if classifier.stop_reason_ in ("max_iter", "max_fun", "line_search"):
            why = "still improving: more --epochs may help"
        if classifier.exploded_:
            why = "no better than chance: inputs or steps are too large"
        if classifier.diverged_:
            rate = suggest_learning_rate(self.options["learning_rate"])
            why = f"up from {figure(first)}: the steps are too long, try --learning-rate {rate:g}"
        best = classifier.best_epoch_
        losses = sparkline(classifier.loss_curve_) if console(err=True) else ""
        kept = "" if best in (None, n_epochs) else f"; the weights are those of epoch {best}, the best"
        say(f"{counted(n_epochs, 'epoch')}, training loss {figure(last)}, {why}{kept}")
        if losses:
            say(f"  loss:       {figure(first)} {losses} {figure(last)}")

    def model(self) -> Model:
        """Return the trained model with its columns and its record."""
        rows, options = self.rows, self.options
        record: dict[str, Any] = {
            "glassmax": __version__,
            "table": rows.table.name.encode("utf-8", "backslashreplace").decode(),  # a file may be called by any bytes
            "training_rows": len(rows.kept),
            "held_out_rows": len(rows.held),
            "epochs": self.classifier.n_iter_,
            "training_loss": self.classifier.loss_,
            "seed": options["seed"],
            "solver": options["solver"],
            "learning_rate": options["learning_rate"],
        }
        if options["weight"] is not None:
            record["weight"] = options["weight"]
        return Model(self.classifier.network_, rows.classes, rows.encoding, record)

    def judge(self, model: Model) -> Result:
        """Score network, linear model and class frequencies on the held-out rows, if any, else on the training rows."""
        rows = self.rows
        index = rows.held if len(rows.held) else rows.kept
        judged = counted(len(index), "row") + (" held out" if len(rows.held) else " it was trained on")
        y, weight = rows.y[index], rows.weights(index)
        figures = score_table(model, rows.table.rows(index), y, weight)
        if not figures.log_loss <= FAR_BEYOND_CHANCE:
            rate = self.options["learning_rate"]
            raise DivergenceError(
                f"The log-loss on {judged} is {figure(figures.log_loss)}, far worse than chance, "
                f"at learning rate {rate:g}. No model was written. Try --learning-rate {suggest_learning_rate(rate):g}."
            )
        columns: dict[str, Metrics] = {"network": figures}
        models = {"network": model}
        if self.options["baseline"] and self.hidden:
            models["linear model"] = linear = self._linear()
            columns["linear model"] = score_table(linear, rows.table.rows(index), y, weight)
        columns["class frequencies"] = trivial_figures(rows.shares(), y, weight)
        if len(rows.held):
            model.record |= {"held_out_log_loss": figures.log_loss, "held_out_accuracy": figures.accuracy}
            for name in ("balanced_accuracy", "brier_score", "calibration_error"):
                model.record[f"held_out_{name}"] = getattr(figures, name)
        more = self._more(models, index, len(columns))
        return Result(judged, columns, rows.classes, more, trained_on=not len(rows.held))

    def _linear(self) -> Model:
        """Train multinomial logistic regression on the same rows, its penalty chosen by validation."""
        rows, options = self.rows, self.options
        with busy("Training a linear model to compare with"):
            linear, step = fit_linear(
                rows.X,
                rows.y[rows.kept],
                rows.weights(rows.kept),
                class_weight=rows.class_weight(),
                random_state=options["seed"],
                n_threads=options["threads"],
            )
        if step > 1:
            say(f"The linear model for comparison is trained on every {ordinal(step)} row.")
        return Model(linear.network_, rows.classes, rows.encoding)

    def _more(self, models: dict[str, Model], index: Array, count: int) -> dict[str, list[float]]:
        """Return the figures that --metric asks for, where they are not there anyway."""
        metric = self.options["metric"]
        if metric not in ("f1", "auc"):
            return {}

        scorer = make_scorer(metric)
        assert scorer is not None
        values = []
        data = Data(self.rows.encoded(index), self.rows.y[index], self.rows.weights(index))
        for model in models.values():
            classifier: Any = SoftmaxClassifier.from_model(_bare(model))
            try:
                values.append(scorer(classifier, data))
            except OptionError:
                values.append(float("nan"))
        return {metric.upper() if metric == "auc" else "F1": values + [float("nan")] * (count - len(values))}

    def rescue(self, path: Path) -> None:
        """Keep what a diverged run has learned, beside the place of the model."""
        if getattr(self.classifier, "loss_curve_", None):
            last_good = path.with_suffix(".last-good.safetensors")
            self.model().save(last_good)
            say(f"The last good weights are in {last_good}.")
        else:
            say("The first epoch was not completed; nothing was written.")


def _bare(model: Model) -> Model:
    """Return a model without its columns, as the estimator takes it: it sees numbers."""
    return Model(model.network, np.arange(len(model.classes)))
