"""glassmax train: a table in, a model out."""

import os
import shlex
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import finite
from .talk import counted, figure, harmless, say, show, show_json, table_of_confusion, table_of_figures

if TYPE_CHECKING:
    from ..estimator import SoftmaxClassifier
    from ..functional.arrays import Array
    from ..model import Model
    from ..table import Table
    from ..training import Epoch, Score

FEWEST_ROWS_TO_HOLD_OUT = 20
FAR_BEYOND_CHANCE = 1e4
"""A log-loss that no honest training ends with: the steps were too long."""


def _hidden(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Read hidden layers as people type them: ``100``, ``64,32``, ``none``."""
    if value is None or value == "none":
        return None if value is None else ()
    sizes = [int(size) if size.strip().isdecimal() and len(size) < 10 else 0 for size in value.split(",")]
    if min(sizes) < 1:
        raise click.BadParameter(f"{value!r}, expected whole numbers from 1 to 999999999 as 100 or 64,32, or none.")
    return tuple(sizes)


def _activations() -> list[str]:
    from ..functional import ACTIVATIONS

    return list(ACTIVATIONS)


@click.command("train")
@click.argument("data")
@click.option("--target", metavar="COLUMN", help="Column to predict. Built-in tables have one already.")
@click.option("--ignore", metavar="COLUMN", multiple=True, help="Column to leave out; may be given again.")
@click.option(
    "--hidden", metavar="SIZES", callback=_hidden, help="Units of the hidden layers, or none.  [default: 100; toy: 10]"
)
@click.option(
    "--activation",
    type=click.Choice(_activations()),
    default="relu",
    show_default=True,
    metavar="NAME",
    help=f"Of the hidden layers: {', '.join(_activations())}.",
)
@click.option("--solver", type=click.Choice(["adam", "sgd"]), default="adam", show_default=True)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    callback=finite,
    default=0.001,
    show_default=True,
    help="Length of a step.",
)
@click.option("--epochs", type=click.IntRange(1), default=1000, show_default=True, help="Most runs through the rows.")
@click.option("--batch-size", type=click.IntRange(1), help="Rows of a step.  [default: 200, or all if fewer]")
@click.option(
    "--alpha",
    type=click.FloatRange(0),
    callback=finite,
    default=0.0001,
    show_default=True,
    help="Penalty on the weights.",
)
@click.option("--balanced", is_flag=True, help="Give every class the same total weight.")
@click.option("--early-stopping", is_flag=True, help="Stop when a tenth of the rows, held out, no longer improves.")
@click.option(
    "--held-out",
    type=click.FloatRange(0, 1, max_open=True),
    callback=finite,
    default=0.2,
    show_default=True,
    help="Share of the rows to judge the model on; 0 for none.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of all that is drawn.")
@click.option("--output", "-o", metavar="FILE", help="The model.  [default: the table's name, .safetensors]")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(data: str, target: str | None, output: str | None, as_json: bool, **options: Any) -> None:
    """Train a softmax classifier on a table.

    DATA is a CSV file with a header, or a built-in example: penguins, iris, wine, digits, toy.

    \b
    Examples:
      glassmax train penguins
      glassmax train flowers.csv --target species --hidden 64,32
    """
    from ..table import read_table

    table = read_table(data)
    target = target or table.target
    if target is None:
        columns = harmless(_some(list(table.columns)))
        raise click.UsageError(f"Say which column to predict: --target COLUMN. {table.name} has {columns}.")
    if target in options["ignore"]:
        raise click.UsageError(f"The target {harmless(target)} is among the columns to --ignore.")
    path = check_output(output or f"{Path(table.name).stem}.safetensors", data)
    run = Run(table, target, options)
    run.report_table()
    try:
        interrupted = run.train()
    except ArithmeticError:
        run.rescue(path)
        raise
    if interrupted and not run.classifier.n_iter_:
        raise KeyboardInterrupt
    model = run.model()
    score, judged = run.judge(model)
    model.save(path)
    if as_json:
        show_json(_as_json(score, judged, model, path))
    else:
        show(show_score(score, judged, model.classes))
    say()
    say(f"The model is in {path}. Use it: glassmax predict {shlex.quote(str(path))} {shlex.quote(data)}")
    if interrupted:
        click.get_current_context().exit(130)


class Run:
    """One training run, from table to model."""

    def __init__(self, table: "Table", target: str, options: dict[str, Any]) -> None:
        import numpy as np

        from ..errors import DataError
        from ..table import BUILTIN, Encoding, read_labels
        from ..training import holdout

        labels, rows = read_labels(table, target)
        self.unlabelled = table.n_rows - len(rows)
        self.table, self.target, self.options = table.rows(rows), target, options
        self.classes, self.y = np.unique(labels, return_inverse=True)
        if len(self.classes) < 2:
            raise DataError(
                f"{table.name}: target {target!r} is {str(self.classes[0])!r} in every row, "
                "expected at least two different classes."
            )
        kept, held = np.arange(len(rows)), np.arange(0)
        if options["held_out"] and len(rows) >= FEWEST_ROWS_TO_HOLD_OUT:
            kept, held = holdout(self.y, options["held_out"], np.random.RandomState(options["seed"]))
        self.kept, self.held = kept, held
        self.encoding, self.notes = Encoding.learn(self.table.rows(kept), target, options["ignore"])
        self.X, notes = self.encoding.encode(self.table.rows(kept))
        self.notes += notes
        self.encoding.encode(self.table.rows(held))  # a cell at fault is found before the training, not after it
        default = BUILTIN[table.name].hidden if table.name in BUILTIN else (100,)
        self.hidden: tuple[int, ...] = default if options["hidden"] is None else options["hidden"]
        self.classifier = self._classifier()

    def _classifier(self) -> "SoftmaxClassifier":
        from ..estimator import SoftmaxClassifier

        options = self.options
        return SoftmaxClassifier(
            self.hidden,
            options["activation"],
            solver=options["solver"],
            alpha=options["alpha"],
            batch_size=options["batch_size"] or "auto",
            learning_rate_init=options["learning_rate"],
            max_iter=options["epochs"],
            early_stopping=options["early_stopping"],
            class_weight="balanced" if options["balanced"] else None,
            random_state=options["seed"],
        )

    def report_table(self) -> None:
        """Say what was read and what each column was taken for."""
        from ..table import Number

        numbers = [c.name for c in self.encoding.columns if isinstance(c, Number)]
        categories = [
            f"{c.name} ({len(c.values)}{' and missing' if c.missing else ''})"
            for c in self.encoding.columns
            if not isinstance(c, Number)
        ]
        shares = ", ".join(f"{label} {(self.y == c).sum()}" for c, label in enumerate(self.classes[:10]))
        n_rows = self.table.n_rows + self.unlabelled
        say(
            f"{self.table.name}: {counted(n_rows, 'row')}, {len(self.classes)} classes of {self.target}: {shares}"
            + (f", and {len(self.classes) - 10} more" if len(self.classes) > 10 else "")
        )
        if self.unlabelled:
            say(f"  without a {self.target} and left out: {counted(self.unlabelled, 'row')}")
        if numbers:
            say(f"  numbers:    {_some(numbers)}")
        if categories:
            say(f"  categories: {_some(categories)}")
        for note in self.notes:
            say(f"  {note}")
        sizes = "-".join(map(str, (self.X.shape[1], *self.hidden, len(self.classes))))
        if len(self.held):
            say(f"{counted(len(self.kept), 'row')} to train on, {len(self.held)} held out; network {sizes}")
        else:
            why = f" (fewer than {FEWEST_ROWS_TO_HOLD_OUT} rows)" if self.options["held_out"] else ""
            say(f"{counted(len(self.kept), 'row')} to train on, none held out{why}; network {sizes}")

    def train(self) -> bool:
        """Train with progress shown; return whether Ctrl-C ended it."""
        from sklearn.exceptions import ConvergenceWarning

        from ..training import smaller

        epochs = self.classifier.fit_epochs(self.X, self.y[self.kept])
        interrupted = False
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                for _ in _with_progress(epochs, self.options["epochs"]):
                    pass
            except KeyboardInterrupt:
                interrupted = True
        n_epochs = getattr(self.classifier, "n_iter_", 0)
        self.classifier.n_iter_ = n_epochs
        if interrupted and n_epochs:
            say(f"Stopped by Ctrl-C after {counted(n_epochs, 'epoch')}; the weights so far are kept.")
        elif n_epochs:
            first, last = self.classifier.loss_curve_[0], self.classifier.loss_curve_[-1]
            improving = any(issubclass(w.category, ConvergenceWarning) for w in caught)
            why = "still improving: more --epochs may help" if improving else "no longer improving"
            if self.classifier.diverged_:
                rate = smaller(self.options["learning_rate"])
                why = f"up from {figure(first)}: the steps are too long, try --learning-rate {rate:g}"
            say(f"{counted(n_epochs, 'epoch')}, training loss {figure(last)}, {why}")
        return interrupted

    def model(self) -> "Model":
        """Return the trained model with its columns and its record."""
        from .. import __version__
        from ..model import Model

        record: dict[str, Any] = {
            "glassmax": __version__,
            "table": self.table.name,
            "training_rows": len(self.kept),
            "held_out_rows": len(self.held),
            "epochs": self.classifier.n_iter_,
            "training_loss": self.classifier.loss_,
            "seed": self.options["seed"],
        }
        return Model(self.classifier.network_, self.classes, self.encoding, record)

    def judge(self, model: "Model") -> tuple["Score", str]:
        """Score the model on the rows held out, or on those of training where there are none."""
        from ..errors import DivergenceError
        from ..training import smaller

        rows = self.held if len(self.held) else self.kept
        judged = counted(len(rows), "row") + (" held out" if len(self.held) else " it was trained on")
        score = score_rows(model, self.table.rows(rows), self.y[rows])
        if not score.log_loss <= FAR_BEYOND_CHANCE:
            rate = self.options["learning_rate"]
            raise DivergenceError(
                f"The log-loss on {judged} is {figure(score.log_loss)}, far worse than chance, "
                f"at learning rate {rate:g}. No model was written. Try --learning-rate {smaller(rate):g}."
            )
        if len(self.held):
            model.record |= {"held_out_log_loss": score.log_loss, "held_out_accuracy": score.accuracy}
        return score, judged

    def rescue(self, path: Path) -> None:
        """Keep what a diverged run has learned, beside the place of the model."""
        if getattr(self.classifier, "loss_curve_", None):
            last_good = path.with_suffix(".last-good.safetensors")
            self.model().save(last_good)
            say(f"The last good weights are in {last_good}.")
        else:
            say("The first epoch was not completed; nothing was written.")


def score_rows(model: "Model", table: "Table", y: "Array") -> "Score":
    """Score a model on rows whose class indices are known."""
    import numpy as np

    from ..engine import Data, best_engine
    from ..training import score

    with np.errstate(over="ignore", invalid="ignore"):  # the figures say so
        return score(model.network, best_engine(), Data(model.inputs(table), y))


def show_score(score: "Score", judged: str, classes: "Array") -> str:
    """Write the figures and the confusion matrix for people."""
    import numpy as np

    counts = score.confusion.sum(axis=1)
    shares = counts[counts > 0] / counts.sum()
    rows = [
        ("accuracy", figure(score.accuracy), f"(always the largest class: {shares.max():.4f})"),
        ("log-loss", figure(score.log_loss), f"(the classes' shares alone: {(shares * np.log(1 / shares)).sum():.4f})"),
    ]
    return f"On {harmless(judged)}\n{table_of_figures(rows)}\n\n{table_of_confusion(score.confusion, classes)}\n"


def _as_json(score: "Score", judged: str, model: "Model", path: Path) -> dict[str, Any]:
    return {
        "judged_on": judged,
        "accuracy": score.accuracy,
        "log_loss": score.log_loss,
        "classes": model.classes.tolist(),
        "confusion": score.confusion.tolist(),
        "model": str(path),
    }


def _with_progress(epochs: "Iterator[Epoch]", most: int) -> "Iterator[Epoch]":
    """Pass the epochs through, showing a line on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=most)
        for epoch in epochs:
            text = f"loss {epoch.loss:.4f}"
            if epoch.validation is not None:
                text += f", validation {epoch.validation.log_loss:.4f}"
            progress.update(task, advance=1, description=text)
            yield epoch


def check_output(output: str, *inputs: str) -> Path:
    """Refuse a place that can't be written, or that is read from, before the work instead of after it."""
    from ..errors import DataError
    from ..table import BUILTIN

    path = Path(output)
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder, expected the name of a file. Pass another --output.")
        if path.exists() and not path.is_file():
            return path  # a device or a pipe
        if not path.parent.is_dir():
            raise DataError(f"The folder {path.parent} doesn't exist. Make it, or pass another --output.")
        if not os.access(path.parent, os.W_OK):
            raise DataError(f"The folder {path.parent} can't be written to. Pass another --output.")
        for source in inputs:
            if path.exists() and source not in BUILTIN and Path(source).exists() and path.samefile(source):
                raise DataError(f"{path} is read from; the output would replace it. Pass another --output.")
    except OSError as error:
        raise DataError(f"{path} can't be written: {error.strerror}. Pass another --output.") from None
    return path


def _some(names: list[str]) -> str:
    """Write the first names, how many are left out, and the last: often the target."""
    if len(names) <= 9:
        return ", ".join(names)
    return f"{', '.join(names[:7])}, {len(names) - 8} more, and {names[-1]}"
