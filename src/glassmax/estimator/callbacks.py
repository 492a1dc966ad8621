"""scikit-learn's callbacks (from version 1.9): hooks around a fit and around each of its epochs.

Older versions have none; `CallbackSupport` is then an empty class, and the hooks do nothing.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from ..training import Epoch
from .run import Run

__all__ = ["CallbackSupport", "Hooks", "with_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks
except ImportError:

    class CallbackSupport:  # type: ignore[no-redef]
        """Nothing: this scikit-learn has no callbacks."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method as it is."""
        return method


FITTED = ("network", "classes", "n_features_in", "feature_names_in")


class Hooks:
    """Calls the callbacks of one fit; X, y and sample_weight are as given to `fit`."""

    def __init__(self, classifier: Any, run: Run, X: Any, y: Any, sample_weight: Any) -> None:
        self.classifier, self.run = classifier, run
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.given = {"X": X, "y": y, "metadata": metadata}
        self.fit: Any = None
        self.epoch: Any = None
        self.before: Any = None
        if hasattr(classifier, "_init_callback_context"):
            self.fit = classifier._init_callback_context(max_subtasks=int(classifier.max_iter))
            self.fit.call_on_fit_task_begin(estimator=classifier, **self.given)

    def begin_epoch(self) -> None:
        """Call the callbacks before an epoch.

        An iteration of L-BFGS may turn out not to happen: its callbacks are called by `end_epoch`.
        """
        if self._has_callbacks():
            of_lbfgs = self.classifier.solver == "lbfgs"
            self.before = self._fitted() if of_lbfgs else self._fitted  # now, or when a callback asks
            if not of_lbfgs:
                self._begin()

    def end_epoch(self, epoch: Epoch | None) -> bool:
        """Call the callbacks after an epoch, and return whether one of them asks to stop."""
        if not self._has_callbacks() or epoch is None:
            return False
        if self.epoch is None:
            self._begin()
        ended, self.epoch = self.epoch, None
        return bool(
            ended.call_on_fit_task_end(estimator=self.classifier, **self.given, reconstruction_attributes=self._fitted)
        )

    def interrupt_epoch(self) -> None:
        """Call the callbacks after an epoch that was interrupted."""
        if self.epoch is not None:
            self.epoch.call_on_fit_task_end(estimator=self.classifier)

    def end(self) -> None:
        """Call the callbacks after the fit."""
        if self.fit is not None:
            self.fit.call_on_fit_task_end(
                estimator=self.classifier, **self.given, reconstruction_attributes=self._fitted
            )

    def _has_callbacks(self) -> bool:
        return self.fit is not None and bool(getattr(self.classifier, "_skl_callbacks", None))

    def _begin(self) -> None:
        self.epoch = self.fit.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(
            estimator=self.classifier, **self.given, reconstruction_attributes=self.before
        )

    def _fitted(self) -> dict[str, Any]:
        """Return the attributes with which a copy of the classifier predicts as if the fit had ended now."""
        values, early_stopping = vars(self.run.state), self.run.early_stopping
        fitted = {f"{name}_": deepcopy(values[name]) for name in FITTED if values[name] is not None}
        if self.classifier.early_stopping and np.isfinite(early_stopping.best):
            fitted["network_"].theta = early_stopping.best_theta
        return fitted
