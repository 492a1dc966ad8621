"""The epochs of a fit on files: recorded, committed and watched by early stopping as in memory."""

from collections.abc import Callable, Generator
from typing import Any

from ...engine import Engine, Progress
from ...errors import OptionError, Setting
from ...functional.arrays import Array
from ...streaming import Position, Split, WindowDone
from ...training import Epoch, Metrics
from ..identity import identity_without_rows
from ..preparation import Preparation
from ..run import Run
from .begin import Begun, Weights
from .rows import RowsHere, Steps
from .rows_of_workers import RowsOfWorkers

__all__ = ["Rows", "RunOnFiles"]

Rows = RowsHere | RowsOfWorkers


class RunOnFiles(Run):
    """The epochs of one fit on files; a context manager that commits what has been learned.

    The classifier is unchanged until the first window of rows is done.

    Parameters
    ----------
    classifier : SoftmaxClassifier
    begun : Begun
    identity : dict of str to str
        What identifies the rows and their weights, for the checkpoint.
    held_out : float
        Share of the rows that judge the network.
    seed : int or None
        Seed of the rows that are held out or watched; by default, the one that the network has drawn.
    n_rows : int
        Number of all rows.
    engine : Engine
    encode : callable
        Encodes all rows, once it is known how they are split.
    weigh : callable
        From the total weight of the rows of each class, (k,), to the weights of the classes.
    on_window : callable, optional
        Is told how far an epoch has come.

    Attributes
    ----------
    rows : RowsHere or RowsOfWorkers
    totals : (k,) array
        The total weight of the rows of each class.
    """

    rows: Rows
    totals: Array

    def __init__(
        self,
        classifier: Any,
        begun: Begun,
        identity: dict[str, str],
        held_out: float,
        seed: int | None,
        n_rows: int,
        engine: Engine,
        encode: Callable[[Split], Rows],
        weigh: Callable[[Array], Weights],
        on_window: Callable[[WindowDone], None] | None = None,
    ) -> None:
        self.identity, self.held_out, self.seed, self.n_rows = identity, held_out, seed, n_rows
        self.encode, self.weigh, self.on_window = encode, weigh, on_window
        self.position = Position()
        self.top_accuracy: float | None = None
        plan, state, continues = begun
        super().__init__(classifier, Preparation(plan, state, None, None, continues), engine)  # type: ignore[arg-type]
        if self.position.rows:  # resumed within the first epoch
            self._window_done(None)

    @property
    def split(self) -> Split:
        """The rows to train on, to watch, and to judge by."""
        watched = float(self.classifier.validation_fraction) if self.classifier.early_stopping else 0.0
        return Split(self.training.seed if self.seed is None else self.seed, watched, self.held_out)

    def _more_to_keep(self) -> dict[str, list[float]]:
        return {"position": self.position.numbers}

    def _identity(self, preparation: Preparation, engine: Engine) -> dict[str, str]:
        of_rows = self.identity | {"held_out": repr(self.held_out)}
        continues = preparation.continues
        return of_rows | identity_without_rows(self.classifier, self.state, engine, continues=continues)

    def _open(
        self, preparation: Preparation, engine: Engine, *, watched: bool, progress: Progress | None
    ) -> Generator[Epoch, None, Any]:
        """Encode the rows, and return the stream of epochs."""
        classifier, split = self.classifier, self.split
        _check_counts(split, self.n_rows)
        self.rows = self.encode(split)
        self.totals = self.rows.totals()
        self.weights = self.weigh(self.totals)
        return self.rows.train(
            Steps(
                self.network,
                self.plan,
                self.training,
                self.position,
                self.weights,
                int(classifier.max_iter),
                int(classifier.max_fun),
                classifier.tol,
                self._validate if split.validation else None,
                None if self.checkpoint is None else self.checkpoint.save,
                self._window_done,
            )
        )

    def _validate(self) -> Metrics:
        scoring = self.classifier.scoring
        top = int(scoring.split("_")[1]) if scoring.startswith("top_") else None
        metrics, self.top_accuracy = self.rows.score(self.network, self.weights, top)
        return metrics

    def _score(self, epoch: Epoch) -> float | None:
        if epoch.validation is None:
            return None
        return epoch.validation.accuracy if self.top_accuracy is None else self.top_accuracy

    def _window_done(self, done: WindowDone | None) -> None:
        """Commit after the first window, so that Ctrl-C keeps what it has learned."""
        if not self.committed:
            self.state.loss = self.position.loss
            self._commit()
        if done is not None and self.on_window is not None:
            self.on_window(done)


def _check_counts(split: Split, n_rows: int) -> None:
    """Refuse too few rows to train on, or to watch."""
    training, validation, _ = split.sizes(n_rows)
    if not training:
        raise OptionError(
            *(Setting("held_out", split.held_out), f" of {n_rows} rows leaves none to train on."),
            parameter="held_out",
            remedy="Hold out fewer rows.",
        )
    if split.validation and not validation:
        raise OptionError(
            *(Setting("validation_fraction", split.validation), f" of {n_rows} rows holds out none."),
            parameter="validation_fraction",
            remedy=("Pass more rows, or ", Setting("early_stopping", False), "."),
        )
