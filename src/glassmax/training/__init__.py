"""Training: a stream of epochs, and what reads it.

::

    loop         fit: one epoch for each item taken; fit_lbfgs likewise; where a run stands
    judging      log-loss and accuracy on other rows; which rows to hold out
    patience     when to stop, and which weights were the best
    tally        accuracy, log-loss, Brier score, calibration and confusion, counted block by block
    checkpoint   where a run stands, in a file

This package refuses to know labels, tables and estimators: it sees class indices, rows of targets and arrays.
"""

from .checkpoint import Checkpoint, digest
from .judging import Score, holdout, score
from .loop import Epoch, Standing, fit, fit_lbfgs, smaller
from .patience import Patience
from .tally import Figures, Tally

__all__ = [
    "Checkpoint",
    "Epoch",
    "Figures",
    "Patience",
    "Score",
    "Standing",
    "Tally",
    "digest",
    "fit",
    "fit_lbfgs",
    "holdout",
    "score",
    "smaller",
]
