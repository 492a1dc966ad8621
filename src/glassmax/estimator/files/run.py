"""The epochs of a fit on files: recorded, committed and watched by early stopping as in memory."""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from ...engine import Engine, Progress
from ...errors import OptionError, Setting
from ...streaming import (
    Position,
    Split,
    Spool,
    WindowDone,
    score_spool,
    train_lbfgs_on_spool,
    train_on_spool,
    validation_spool,
)
from ...training import Epoch, Metrics
from ..identity import identity_without_rows
from ..preparation import Preparation
from ..run import Run
from .begin import Begun, Weights

__all__ = ["FilesRun", "RowsOnDisk"]

VALIDATION = "validation"


class RowsOnDisk(NamedTuple):
    """The rows of a fit.

    Attributes
    ----------
    spool : Spool
    identity : dict of str to str
        What identifies them, for the checkpoint.
    weights : Weights
    validation, held_out : float
        Shares of the rows, see `glassmax.streaming.Split`.
    """

    spool: Spool
    identity: dict[str, str]
    weights: Weights
    validation: float
    held_out: float


class FilesRun(Run):
    """The epochs of one fit on files; a context manager that commits what has been learned.

    The classifier is unchanged until the first window of rows is done.
    """

    def __init__(
        self,
        classifier: Any,
        begun: Begun,
        rows: RowsOnDisk,
        engine: Engine,
        on_window: Callable[[WindowDone], None] | None = None,
    ) -> None:
        self.rows, self.engine, self.on_window = rows, engine, on_window
        self.position, self.top_accuracy = Position(), None
        self.watched: Spool | None = None
        plan, state, continues = begun
        super().__init__(classifier, Preparation(plan, state, None, None, continues), engine)  # type: ignore[arg-type]
        if self.position.rows:  # resumed within the first epoch
            self._window_done(None)

    @property
    def split(self) -> Split:
        """The rows to train on, to watch, and to judge by."""
        return Split(self.training.seed, self.rows.validation, self.rows.held_out)

    def __exit__(self, *error: Any) -> None:
        """End the stream, commit, and close the rows that early stopping watches."""
        super().__exit__(*error)
        if self.watched is not None:
            self.watched.close()

    def remove_validation_rows(self) -> None:
        """Remove the spool of the rows that early stopping watches."""
        if self.watched is not None:
            self.watched.remove()

    def _more_to_keep(self) -> dict[str, list[float]]:
        return {"position": self.position.numbers}

    def _identity(self, preparation: Preparation, engine: Engine) -> dict[str, str]:
        continues = preparation.continues
        of_rows = self.rows.identity | {"held_out": repr(self.rows.held_out)}
        return of_rows | identity_without_rows(self.classifier, self.state, engine, continues=continues)

    def _open(
        self, preparation: Preparation, engine: Engine, *, watched: bool, progress: Progress | None
    ) -> Generator[Epoch, None, Any]:
        plan, classifier, spool = self.plan, self.classifier, self.rows.spool
        self._check_counts()
        if self.rows.validation:
            self.watched = validation_spool(spool, self.split, spool.folder / VALIDATION)
        common: dict[str, Any] = {
            "split": self.split,
            "regularization": plan.regularization,
            "class_weight": self.rows.weights.of_class,
            "mean_weight": self.rows.weights.mean,
            "validate": None if self.watched is None else self._validate,
        }
        if plan.rule is None:
            how = {"max_iter": int(classifier.max_iter), "max_fun": int(classifier.max_fun), "tol": classifier.tol}
            return train_lbfgs_on_spool(self.network, engine, spool, self.training, **how, **common)
        return train_on_spool(
            self.network,
            engine,
            spool,
            plan.rule,
            self.training,
            self.position,
            batch_size=plan.batch_size,
            max_epochs=int(classifier.max_iter),
            schedule=plan.schedule,
            rate_factors=plan.rate_factors(self.network),
            save=None if self.checkpoint is None else self.checkpoint.save,
            on_window=self._window_done,
            **common,
        )

    def _check_counts(self) -> None:
        """Refuse too few rows to train on, or to watch."""
        training, validation, _ = self.split.count(self.rows.spool.n_rows)
        n, fraction = self.rows.spool.n_rows, Setting("validation_fraction", self.rows.validation)
        if not training:
            raise OptionError(f"No row of {n} is left to train on. Hold out fewer rows.", parameter="held_out")
        if self.rows.validation and not validation:
            raise OptionError(
                *(fraction, f" of {n} rows holds out none."),
                parameter="validation_fraction",
                remedy=("Pass more rows, or ", Setting("early_stopping", False), "."),
            )

    def _validate(self) -> Metrics:
        scoring, top = self.classifier.scoring, None
        if scoring.startswith("top_"):
            top = int(scoring.split("_")[1])
        assert self.watched is not None
        metrics, self.top_accuracy = score_spool(
            self.network, self.engine, self.watched, class_weight=self.rows.weights.of_class, top=top
        )
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
