"""Whether there is a `partial_fit`: an estimator whose parameters rule it out has no such method, and says why.

scikit-learn's `available_if` raises an AttributeError; here the error is a ValueError too, and its message is the
reason.
"""

from collections.abc import Callable
from typing import Any

from ..errors import OptionError

__all__ = ["MissingMethodError", "OnlyIfAvailable", "why_no_partial_fit"]


class MissingMethodError(OptionError, AttributeError):
    """Raised for a method that the parameters rule out: `hasattr` is False, and a call shows the reason."""


class OnlyIfAvailable:
    """A method that exists only if the parameters allow it."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self.method = method
        self.__doc__, self.__name__ = method.__doc__, method.__name__

    def __get__(self, classifier: Any, owner: type) -> Any:
        if classifier is None:
            return self.method
        reason = why_no_partial_fit(classifier)
        if reason:
            raise MissingMethodError(reason)
        return self.method.__get__(classifier, owner)


def why_no_partial_fit(classifier: Any) -> str:
    """Return why there is no `partial_fit`; an empty string if there is one."""
    at_once = "it sees one batch of rows at a time"
    if classifier.solver == "lbfgs":
        return f"partial_fit does not support solver='lbfgs', which needs all rows at each step: {at_once}."
    if classifier.early_stopping:
        return f"partial_fit does not support early_stopping=True: {at_once}, so there are none to hold out."
    if isinstance(classifier.class_weight, str) and classifier.class_weight == "balanced":
        return (
            f"partial_fit does not support class_weight='balanced': {at_once} and doesn't know how frequent the "
            "classes are. Pass a dict of weights."
        )
    if classifier.learning_rate in ("cosine", "one_cycle") or classifier.warmup:
        return (
            f"partial_fit does not support learning_rate={classifier.learning_rate!r}, warmup={classifier.warmup!r}: "
            f"{at_once} and doesn't know how many there will be. Use 'constant', 'invscaling' or 'step'."
        )
    if classifier.mixup:
        return (
            f"partial_fit does not support mixup={classifier.mixup!r}: {at_once} and doesn't know how many there will "
            "be, and mixup fades in the second half of them."
        )
    if classifier.checkpoint_path is not None:
        return f"partial_fit does not support checkpoint_path: {at_once}. Use save, and from_model to go on."
    return ""
