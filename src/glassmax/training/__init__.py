"""Training: a stream of epochs, and what reads it.

::

    loop              train, train_lbfgs: an epoch for each item taken; TrainingState: what the next epoch depends on
    metrics           log-loss, accuracy, Brier score, calibration and confusion
    early_stopping    when to stop, and which weights were the best
    validation_split  which rows to hold out for validation
    checkpoint        a training run in a file, to be resumed
    cost              the memory and the time that a training needs
    table_scoring     the metrics of a model on a table that may be larger than memory

Training works on arrays and on class indices or rows of targets; only `table_scoring` uses labels and tables. No module
uses estimators.
"""

from .checkpoint import Checkpoint
from .early_stopping import EarlyStopping
from .loop import Ahead, Epoch, TrainingState, suggest_learning_rate, train, train_lbfgs
from .metrics import Metrics, RunningMetrics, score
from .validation_split import holdout

__all__ = [
    "Ahead",
    "Checkpoint",
    "EarlyStopping",
    "Epoch",
    "Metrics",
    "RunningMetrics",
    "TrainingState",
    "holdout",
    "score",
    "suggest_learning_rate",
    "train",
    "train_lbfgs",
]


def __dir__() -> list[str]:
    return __all__
