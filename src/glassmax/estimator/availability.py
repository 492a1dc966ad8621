"""Whether there is a `partial_fit`: an estimator whose parameters rule it out has no such method, and says why.

scikit-learn's `available_if` raises an AttributeError; here the error is a ValueError too, and its message is the
reason.
"""

from collections.abc import Callable
from typing import Any

from ..embedding import needs_rows
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
        parameter, reason = why_no_partial_fit(classifier)
        if parameter:
            raise MissingMethodError(f"partial_fit does not support {reason}", parameter=parameter)
        return self.method.__get__(classifier, owner)


def why_no_partial_fit(classifier: Any) -> tuple[str, str]:
    """Return the parameter that rules `partial_fit` out, and why; empty strings if none does."""
    at_once = "it sees one batch of rows at a time"
    if classifier.solver == "lbfgs":
        return "solver", f"solver='lbfgs', which needs all rows at each step: {at_once}."
    if classifier.early_stopping:
        return "early_stopping", f"early_stopping=True: {at_once}, so there are none to hold out."
    if isinstance(classifier.class_weight, str) and classifier.class_weight == "balanced":
        unknown = "doesn't know how frequent the classes are. Pass a dict of weights."
        return "class_weight", f"class_weight='balanced': {at_once} and {unknown}"
    if classifier.min_count > 1:
        unknown = "doesn't know how many rows a class has. Put rare classes together before the first call."
        return "min_count", f"min_count={classifier.min_count!r}: {at_once} and {unknown}"
    rate, warmup = classifier.learning_rate, classifier.warmup
    if rate in ("cosine", "one_cycle") or warmup:
        unknown = "doesn't know how many there will be. Use 'constant', 'invscaling' or 'step'."
        parameter = "warmup" if warmup else "learning_rate"
        return parameter, f"learning_rate={rate!r}, warmup={warmup!r}: {at_once} and {unknown}"
    if classifier.mixup:
        unknown = "doesn't know how many there will be, and mixup fades in the second half of them."
        return "mixup", f"mixup={classifier.mixup!r}: {at_once} and {unknown}"
    if needs_rows(classifier.embedding):
        unknown = "doesn't know the values of the columns. Use Periodic with columns=[...], or an Embedding."
        return "embedding", f"embedding={classifier.embedding!r}: {at_once} and {unknown}"
    if classifier.checkpoint_path is not None:
        return "checkpoint_path", f"checkpoint_path: {at_once}. Use save, and from_model to go on."
    return "", ""
