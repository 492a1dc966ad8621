"""What can't be had on files: an error in words, before anything is read."""

import re
from typing import Any

from ...errors import OptionError, Setting, Text
from ..options import make_plan

__all__ = ["check_network_on_files", "check_table_on_files", "refuse_rows"]

TOP_ACCURACY = re.compile(r"top_[1-9]\d*_accuracy")
IN_MEMORY: Text = ("Read the files into one table, if the table fits into memory, or leave the argument out.",)


def check_network_on_files(classifier: Any) -> None:
    """Check the parameters of a `SoftmaxClassifier`; refuse those that a fit on files doesn't have."""
    make_plan(classifier)
    scoring = classifier.scoring
    on_files = scoring in ("log_loss", "accuracy") or (isinstance(scoring, str) and TOP_ACCURACY.fullmatch(scoring))
    one_class = "a row of a file has one class"
    refused: dict[str, tuple[bool, Any, str]] = {
        "shuffle": (not classifier.shuffle, True, "the rows are taken in a seeded order"),
        "min_count": (classifier.min_count > 1, 1, "rare classes are not put together"),
        "output": (classifier.output == "sigmoid", "softmax", one_class),
        "loss": (classifier.loss == "candidate_cross_entropy", "cross_entropy", one_class),
        "scoring": (
            bool(classifier.early_stopping) and not on_files,
            "log_loss",
            "other possible values are 'accuracy' and 'top_5_accuracy', with any number in place of 5",
        ),
    }
    _refuse(classifier, refused)
    if getattr(classifier, "_skl_callbacks", None):
        raise OptionError(
            "Callbacks are not supported on files, expected none. Use fit_epochs, which yields each epoch.",
            parameter="callbacks",
        )


def check_table_on_files(classifier: Any) -> None:
    """Refuse parameters of a `TableClassifier` that a fit on files doesn't have."""
    _refuse(
        classifier,
        {
            "candidates": (classifier.candidates is not None, None, "a row of a file has one class"),
            "min_count": (classifier.min_count > 1, 1, "rare classes are not put together"),
            "time_limit": (classifier.time_limit is not None, None, "only a preset has a time limit"),
        },
    )


def _refuse(estimator: Any, refused: dict[str, tuple[bool, Any, str]]) -> None:
    for name, (wrong, expected, why) in refused.items():
        if wrong:
            came = repr(getattr(estimator, name))
            raise OptionError(parameter=name, came=came, expected=f"{expected!r} on files: {why}")


def refuse_rows(**given: Any) -> None:
    """Refuse arguments of `fit` that are rows or columns in memory, and are not None."""
    for name, value in given.items():
        if value is not None:
            raise OptionError(
                *(Setting(name), " is given, but is not supported on files, expected None."),
                parameter=name,
                remedy=IN_MEMORY,
            )
