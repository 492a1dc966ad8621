"""scikit-learn's callbacks (from 1.9 on): hooks around a fit and around each of its epochs.

Older versions have none; then `CallbackSupport` is an empty class and the hooks call nobody.
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


FITTED = ("network_", "classes_", "n_features_in_", "feature_names_in_")


class Hooks:
    """What the callbacks of one fit are told.

    Parameters
    ----------
    classifier : SoftmaxClassifier
    run : Run
    X, y, sample_weight
        As given to `fit`.
    """

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
        """Say that an epoch begins; of L-BFGS's, which may turn out not to be, only when it has been."""
        if self._is_heard():
            of_lbfgs = self.classifier.solver == "lbfgs"
            self.before = self._fitted() if of_lbfgs else self._fitted  # now, or when a callback asks
            if not of_lbfgs:
                self._begin()

    def end_epoch(self, epoch: Epoch | None) -> bool:
        """Say that it has ended; return whether a callback wants to stop."""
        if not self._is_heard() or epoch is None:
            return False
        if self.epoch is None:
            self._begin()
        ended, self.epoch = self.epoch, None
        return bool(
            ended.call_on_fit_task_end(estimator=self.classifier, **self.given, reconstruction_attributes=self._fitted)
        )

    def break_epoch_off(self) -> None:
        """Say that the epoch has ended before its end."""
        if self.epoch is not None:
            self.epoch.call_on_fit_task_end(estimator=self.classifier)

    def end(self) -> None:
        """Say that the fit has ended."""
        if self.fit is not None:
            self.fit.call_on_fit_task_end(
                estimator=self.classifier, **self.given, reconstruction_attributes=self._fitted
            )

    def _is_heard(self) -> bool:
        return self.fit is not None and bool(getattr(self.classifier, "_skl_callbacks", None))

    def _begin(self) -> None:
        self.epoch = self.fit.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(
            estimator=self.classifier, **self.given, reconstruction_attributes=self.before
        )

    def _fitted(self) -> dict[str, Any]:
        """Return what a copy of the classifier needs to predict as if the fit had ended now."""
        values = vars(self.classifier)
        fitted = {name: deepcopy(values[name]) for name in FITTED if name in values}
        if self.classifier.early_stopping and np.isfinite(self.run.patience.best):
            fitted["network_"].theta = self.run.patience.best_theta
        return fitted
