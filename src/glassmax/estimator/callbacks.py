"""scikit-learn's callbacks (from 1.9 on): hooks around a fit and around each of its epochs.

Older versions have none; then `CallbackSupport` is an empty class and the hooks call nobody.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any

__all__ = ["CallbackSupport", "Hooks", "with_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks
except ImportError:

    class CallbackSupport:  # type: ignore[no-redef]
        """Nothing: this scikit-learn has no callbacks."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method, one call deeper: warnings then point at the same line in all versions."""

        @wraps(method)
        def called(*arguments: Any, **named: Any) -> Any:
            return method(*arguments, **named)

        return called


FITTED = ("network_", "classes_", "n_features_in_", "feature_names_in_")


class Hooks:
    """What the callbacks of one fit are told.

    Parameters
    ----------
    classifier : SoftmaxClassifier
    max_epochs : int
    X, y, sample_weight
        As given to `fit`.
    """

    def __init__(self, classifier: Any, max_epochs: int, X: Any, y: Any, sample_weight: Any) -> None:
        self.classifier = classifier
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.given = {"X": X, "y": y, "metadata": metadata}
        self.fit: Any = None
        self.epoch: Any = None
        if hasattr(classifier, "_init_callback_context"):
            self.fit = classifier._init_callback_context(max_subtasks=max_epochs)
            self.fit.call_on_fit_task_begin(estimator=classifier, **self.given)

    def begin_epoch(self) -> None:
        """Say that an epoch begins."""
        if self.fit is not None:
            self.epoch = self.fit.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(
                estimator=self.classifier, **self.given, reconstruction_attributes=self._fitted
            )

    def end_epoch(self) -> bool:
        """Say that it has ended; return whether a callback wants to stop."""
        if self.fit is None:
            return False
        return bool(
            self.epoch.call_on_fit_task_end(
                estimator=self.classifier, **self.given, reconstruction_attributes=self._fitted
            )
        )

    def end(self) -> None:
        """Say that the fit has ended."""
        if self.fit is not None:
            self.fit.call_on_fit_task_end(
                estimator=self.classifier, **self.given, reconstruction_attributes=self._fitted
            )

    def _fitted(self) -> dict[str, Any]:
        """Return what a copy of the classifier needs to predict as if the fit had ended now."""
        values = vars(self.classifier)
        return {name: deepcopy(values[name]) for name in FITTED if name in values}
