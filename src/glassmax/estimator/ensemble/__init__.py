"""An ensemble of softmax networks on arrays: trained on parts of the rows, judged on the others, combined into one.

::

    presets     the types of members of "fast", "default" and "best"; batch size and epochs by the number of rows
    folds       blocks of rows, and which blocks each member leaves out
    members     train members side by side on threads; the record of each
    selection   which types of members to use, judged out of fold
    checkpoint  the members that have been trained, in a file
    study       the trials of a search, in a file
    tuning      the search for types of members that suit a table
    training    the whole: pilots, choice, the other members, calibration; a stream of member records

The logits of an ensemble are a weighted mean of the logits of its members. An ensemble is therefore itself one softmax
network, a wide one, and everything that is exact for a network is exact for it. Tables and labels are not known here:
X holds numbers, y class indices.
"""

from .checkpoint import EnsembleCheckpoint, MemberFacts, SavedMember
from .folds import Folds, assign_blocks
from .members import Member, Rows, Task, Trainer, saved_member
from .presets import PRESETS, MemberType, Numbers, Preset
from .study import StudyFile, Trial
from .training import Ensemble, train_ensemble
from .tuning import Found, Search, check_optuna, search_types, with_types_of

__all__ = [
    "PRESETS",
    "Ensemble",
    "EnsembleCheckpoint",
    "Folds",
    "Found",
    "Member",
    "MemberFacts",
    "MemberType",
    "Numbers",
    "Preset",
    "Rows",
    "SavedMember",
    "Search",
    "StudyFile",
    "Task",
    "Trainer",
    "Trial",
    "assign_blocks",
    "check_optuna",
    "saved_member",
    "search_types",
    "train_ensemble",
    "with_types_of",
]


def __dir__() -> list[str]:
    return __all__
