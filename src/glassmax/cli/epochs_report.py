"""How the training of one network has ended, on stderr, and what speaks against good figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import DivergenceError, Setting
from ..estimator import SoftmaxClassifier
from ..estimator.tables.figures import Comparison
from ..functional.arrays import Array
from ..model import Model
from ..table import Encoding, Note
from ..training import suggest_learning_rate
from ..version import __version__
from .charts import sparkline
from .talk import counted, figure, joined, say
from .terminal import console
from .wording import option_of

__all__ = ["check_losses", "doubts_of", "identifiers_of", "report_epochs", "rescue"]

FAR_BEYOND_CHANCE = 1e4
"""A log-loss that no honest training ends with: the steps were too long."""


def report_epochs(network: SoftmaxClassifier, rate: float, *, interrupted: bool) -> None:
    """Report how many epochs there were, the losses, and why the training ended; `rate` is the learning rate."""
    n_epochs = network.n_iter_
    if interrupted:
        say(f"Stopped by Ctrl-C after {counted(n_epochs, 'epoch')}; the weights so far are kept.")
        return
    if not n_epochs or not network.loss_curve_:
        return
    first, last = network.loss_curve_[0], network.loss_curve_[-1]
    why = "no longer improving"
    if network.stop_reason_ in ("max_iter", "max_fun", "line_search"):
        why = "still improving: more --epochs may help"
    if network.exploded_:
        why = "no better than chance: inputs or steps are too large"
    if network.diverged_:
        shorter = suggest_learning_rate(rate)
        why = f"up from {figure(first)}: the steps are too long, try --learning-rate {shorter:g}"
    best = network.best_epoch_
    losses = sparkline(network.loss_curve_) if console(err=True) else ""
    kept = "" if best in (None, n_epochs) else f"; the weights are those of epoch {best}, the best"
    say(f"{counted(n_epochs, 'epoch')}, training loss {figure(last)}, {why}{kept}")
    if losses:
        say(f"  loss:       {figure(first)} {losses} {figure(last)}")


def check_losses(found: Comparison, rate: float) -> None:
    """Raise a DivergenceError if a network is far worse than chance; `rate` is the learning rate."""
    loss = next(iter(found.columns.values())).log_loss
    if not loss <= FAR_BEYOND_CHANCE:
        raise DivergenceError(
            f"The log-loss of the network is {figure(loss)}, far worse than chance, at learning rate {rate:g}. No "
            f"model was written. Try --learning-rate {suggest_learning_rate(rate):g}."
        )


def doubts_of(notes: Sequence[Note], target: str) -> list[str]:
    """Return a sentence for each reason why even good figures are worth little, as the notes say."""
    names = [note.column for note in notes if note.kind == "giveaway"]
    doubts = [f"{note.text[0]}." for note in notes if note.kind == "measurement"]
    if names:
        which = "which alone predicts" if len(names) == 1 else "each of which alone predicts"
        again = option_of(Setting("ignore", names))
        doubts.append(f"These figures rest on {joined(names)}, {which} {target}. Try again with {again}.")
    return doubts


def identifiers_of(notes: Sequence[Note]) -> list[str]:
    """Return the columns that were left out because they number or name the rows."""
    words = ("counts the rows", "identifiers")
    return [note.column for note in notes if note.kind == "left_out" and any(word in note.several for word in words)]


def rescue(network: SoftmaxClassifier, classes: Array, encoding: Encoding, path: Path) -> None:
    """Keep what a diverged network has learned, beside the place of the model."""
    if not getattr(network, "loss_curve_", None):
        say("The first epoch was not completed; nothing was written.")
        return
    last_good = path.with_suffix(".last-good.safetensors")
    record: dict[str, Any] = {"glassmax": __version__, "epochs": len(network.loss_curve_)}
    Model(network.network_, classes, encoding, record).save(last_good)
    say(f"The last good weights are in {last_good}.")
