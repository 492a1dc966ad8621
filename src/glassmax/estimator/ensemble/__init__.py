"""An ensemble of softmax networks on arrays: trained on parts of the rows, judged on the others, combined into one.

::

    presets     the types of members of "fast", "default" and "best"; batch size and epochs by the number of rows
    folds       blocks of rows, and which blocks each member leaves out
    members     train members side by side on threads; the record of each
    selection   which types of members to use, judged out of fold
    checkpoint  the members that have been trained, in a file
    training    the whole: pilots, choice, the other members, calibration; a stream of member records

The logits of an ensemble are a weighted mean of the logits of its members. An ensemble is therefore itself one softmax
network, a wide one, and everything that is exact for a network is exact for it. Tables and labels are not known here:
X holds numbers, y class indices.
"""

from .checkpoint import EnsembleCheckpoint
from .folds import Folds, assign_blocks
from .members import Member, Rows, Trainer
from .presets import PRESETS, MemberType, Numbers, Preset
from .training import Ensemble, train_ensemble

__all__ = [
    "PRESETS",
    "Ensemble",
    "EnsembleCheckpoint",
    "Folds",
    "Member",
    "MemberType",
    "Numbers",
    "Preset",
    "Rows",
    "Trainer",
    "assign_blocks",
    "train_ensemble",
]


def __dir__() -> list[str]:
    return __all__
