"""Train an ensemble: the members of each type, and then their weights and scale, which are fitted out of fold."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np

from ...errors import DataError, DivergenceError
from ...functional.arrays import Array
from ..user_warnings import warn_user
from .members import Member, Task, Trainer
from .presets import MemberType, Preset
from .selection import OutOfFold, combine

__all__ = ["Ensemble", "train_ensemble"]

ROWS_FOR_PILOTS = 10_000
"""With fewer rows, a single member says too little about its type, and costs little."""
WORSE_THAN_SMALLEST = 1.05
"""A type is given up if the log-loss of its pilot is more than this times the log-loss of the smallest network's."""
NOT_JUDGED = (
    "No row could be judged by a member that had not seen it: each fold holds all rows of its classes, as where groups "
    "coincide with classes, or its rows have the weight 0. All types of members therefore have the same weight, and "
    "there are no metrics, no calibration and no prediction sets. Pass validation rows, X_val and y_val, to have them."
)


@dataclass(frozen=True)
class Ensemble:
    """Members whose logits are averaged.

    Attributes
    ----------
    members : list of Member
        Those that are used.
    weights : (m,) array
        Weight of each member; they sum to 1.
    scale : float
        Factor of the mean logits; 1 / scale is the temperature.
    judged : (r,) array of int
        Rows judged out of fold; or all validation rows.
    Z : (r, k) array
        Their scaled logits, by members that have not seen them, with the bias.
    bias : (k,) array or None
        Number that is added to the scaled logits of each class; None if biases don't lower the log-loss.
    tried : list of (MemberType, OutOfFold)
        Out-of-fold logits of each type that was trained, used or not.
    stop_reason : str
        "completed", "time_limit" or "interrupted".
    planned, trained : int
        Number of members that should have been trained, and that were; not all of them need be used.
    """

    members: list[Member]
    weights: Array
    scale: float
    judged: Array
    Z: Array
    bias: Array | None = None
    tried: list[tuple[MemberType, OutOfFold]] = field(default_factory=list)
    stop_reason: str = "completed"
    planned: int = 1
    trained: int = 1


def train_ensemble(trainer: Trainer, preset: Preset) -> Generator[Member, None, Ensemble]:
    """Train an ensemble; yield each member once it is ready, and return the ensemble.

    The members are begun round by round, one of each type, so that all types grow alike if the training ends early. An
    interruption (Ctrl-C) ends it; if a member is ready, the ensemble consists of those that are.

    Raises
    ------
    DataError
        If no type of the preset suits the number of rows.
    DivergenceError
        If no member ends with finite weights.
    """
    n = len(trainer.rows.y)
    types = [p for p, t in enumerate(preset.types) if t.suits(n)]
    if not types:
        raise DataError(f"No type of the preset suits {n} rows. Change its fewest_rows or most_rows.")
    of = trainer.rows if trainer.validation is None else trainer.validation
    pilots = min(preset.members, 1) if preset.pilots and n >= ROWS_FOR_PILOTS else 0
    planned = len(types) * preset.members
    ready: list[Member] = []
    oofs: dict[int, OutOfFold] = {}
    interrupted = False
    try:
        for numbers in (range(pilots), range(pilots, preset.members)):
            tasks = [Task(preset.types[position], position, number) for number in numbers for position in types]
            with closing(trainer.members(tasks)) as members:
                for member, Z in members:
                    ready.append(member)
                    if member.stop_reason != "diverged":
                        position = member.task.position
                        oofs.setdefault(position, OutOfFold(len(of.y), trainer.k)).add(member.judged, Z)
                    del Z
                    yield replace(member, done=len(ready), planned=planned)
            if pilots and len(ready) == len(types):
                types = _promising(ready)
                planned = len(ready) + len(types) * (preset.members - pilots)
    except KeyboardInterrupt:
        if not ready:
            raise
        interrupted = True
    reason = "interrupted" if interrupted else "completed" if len(ready) == planned else "time_limit"
    sound = [member for member in ready if member.stop_reason != "diverged" and member.task.position in types]
    if not sound:
        raise DivergenceError(
            "No member of the ensemble ended with finite weights. Look for columns with far too large numbers."
        )
    ensemble = _combined(sound, oofs, trainer, biases=preset.biases)
    tried = [(preset.types[position], oofs[position]) for position in sorted(oofs)]
    return replace(ensemble, tried=tried, stop_reason=reason, planned=planned, trained=len(ready))


def _promising(pilots: list[Member]) -> list[int]:
    """Return the types whose pilot doesn't predict clearly worse than the smallest network's, or that are linear.

    A large network that is worse than a small one would cost most of the time and have little weight.
    """
    networks = [pilot for pilot in pilots if not pilot.task.type.is_linear]
    smallest = min(networks, key=lambda pilot: pilot.classifier.network_.theta.size, default=None)
    limit = np.inf if smallest is None else WORSE_THAN_SMALLEST * smallest.log_loss
    return [pilot.task.position for pilot in pilots if pilot.task.type.is_linear or not pilot.log_loss > limit]


def _combined(sound: list[Member], oofs: dict[int, OutOfFold], trainer: Trainer, *, biases: bool) -> Ensemble:
    """Return the ensemble of members, the weights of their types and their calibration fitted out of fold."""
    positions = sorted({member.task.position for member in sound})
    sets = [[member for member in sound if member.task.position == position] for position in positions]
    of = trainer.rows if trainer.validation is None else trainer.validation
    fold = len(of.y) / trainer.folds.n_blocks
    found = combine([oofs[position] for position in positions], of.y, of.weight, fold=fold, biases=biases)
    if found is None:
        warn_user(NOT_JUDGED)
        w, judged, Z, bias = np.full(len(sets), 1 / len(sets)), np.arange(0), np.zeros((0, trainer.k), np.float32), None
    else:
        w, bias, judged, Z = found
    scale = float(w.sum())
    used = np.flatnonzero(w)
    shares = [w[t] / scale / len(sets[t]) for t in used for _ in sets[t]]
    return Ensemble([member for t in used for member in sets[t]], np.array(shares), scale, judged, Z, bias)
