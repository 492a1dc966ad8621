"""Train an ensemble: the members of each type, and then their weights and scale, which are fitted out of fold."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from ...calibration import Calibration
from ...errors import DivergenceError
from ...functional.arrays import Array
from ...network import Network
from .members import Member, Task, Trainer
from .presets import Preset
from .selection import OutOfFold, fit_weights, judge

__all__ = ["Ensemble", "train_ensemble"]

SHARPENING = 1.1
"""Factor of the scale that is fitted out of fold: the mean of all members is less certain than the one or two that have
not seen a row. Fitted on 50 runs. It is 1 with validation rows, which no member has seen, and for a single member."""


ROWS_FOR_A_BIAS, MOST_LOGITS_FOR_BIASES = 20, 10_000_000
"""A bias is fitted for each class if there are that many rows a class, and no more logits of judged rows than that."""
ROWS_FOR_PILOTS = 10_000
"""With fewer rows, a single member says too little about its type, and costs little."""
WORSE_THAN_SMALLEST = 1.05
"""A type is given up if the log-loss of its pilot is more than this times the log-loss of the smallest network's."""
LEAST_WEIGHT = 0.01
"""A type of less weight than this is not used."""


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
        Factor of the mean logits for new rows; 1 / scale is the temperature.
    scale_of_judged : float
        Factor of the mean logits of the judged rows, which fewer members have in common.
    bias : (k,) array or None
        Number that is added to the scaled logits of each class; None if biases don't lower the log-loss.
    judged : (r,) array of int
        Rows judged out of fold; or all validation rows.
    Z : (r, k) array
        Their scaled logits, by members that have not seen them, with the bias.
    stop_reason : str
        "completed", "time_limit" or "interrupted".
    planned, trained : int
        Number of members that should have been trained, and that were; not all of them need be used.
    """

    members: list[Member]
    weights: Array
    scale: float
    scale_of_judged: float
    judged: Array
    Z: Array
    bias: Array | None = None
    stop_reason: str = "completed"
    planned: int = 1
    trained: int = 1

    @property
    def networks(self) -> list[Network]:
        """The network of each member."""
        return [member.classifier.network_ for member in self.members]


def train_ensemble(trainer: Trainer, preset: Preset) -> Generator[Member, None, Ensemble]:
    """Train an ensemble; yield each member once it is ready, and return the ensemble.

    An interruption (Ctrl-C) ends the training; if a member is ready, the ensemble consists of those that are.

    Raises
    ------
    DivergenceError
        If no member ends with finite weights.
    """
    n = len(trainer.rows.y)
    types = [p for p, t in enumerate(preset.types) if t.suits(n)]
    pilots, planned = min(preset.members, 1), len(types) * preset.members
    ready: list[Member] = []
    interrupted = False
    try:
        for numbers in (range(pilots), range(pilots, preset.members)):
            tasks = [Task(preset.types[position], position, number) for number in numbers for position in types]
            with closing(trainer.members(tasks)) as members:
                for member in members:
                    ready.append(member)
                    yield replace(member, done=len(ready), planned=planned)
            if preset.pilots and n >= ROWS_FOR_PILOTS and len(ready) == len(types):
                types = _promising(ready)
                planned = len(ready) + len(types) * (preset.members - pilots)
    except KeyboardInterrupt:
        if not ready:
            raise
        interrupted = True
    reason = "interrupted" if interrupted else "completed" if len(ready) == planned else "time_limit"
    kept = [member for member in ready if member.task.position in types]
    return replace(_combined(kept, trainer, preset.biases), stop_reason=reason, planned=planned, trained=len(ready))


def _promising(pilots: list[Member]) -> list[int]:
    """Return the types whose pilot doesn't predict clearly worse than the smallest network's, or that are linear.

    A large network that is worse than a small one would cost most of the time and have little weight.
    """
    networks = [pilot for pilot in pilots if not pilot.task.type.is_linear]
    smallest = min(networks, key=lambda pilot: pilot.classifier.network_.theta.size, default=None)
    limit = np.inf if smallest is None else WORSE_THAN_SMALLEST * smallest.log_loss
    return [pilot.task.position for pilot in pilots if pilot.task.type.is_linear or not pilot.log_loss > limit]


def _judged(members: list[Member], trainer: Trainer) -> OutOfFold:
    """Return the out-of-fold logits of members of one type."""
    of = trainer.rows if trainer.validation is None else trainer.validation
    oof = OutOfFold(len(of.y), trainer.k)
    for member in members:
        oof.add(member.judged, member.Z)
    return oof


def _combined(ready: list[Member], trainer: Trainer, biases: bool) -> Ensemble:
    """Return the ensemble of members, the weights of their types and their calibration fitted out of fold."""
    sound = [member for member in ready if member.stop_reason != "diverged"]
    if not sound:
        raise DivergenceError(
            "No member of the ensemble ended with finite weights. Look for columns with far too large numbers."
        )
    positions = sorted({member.task.position for member in sound})
    sets = [[member for member in sound if member.task.position == position] for position in positions]
    oofs = [_judged(members, trainer) for members in sets]
    most = max(len(oof.rows()) for oof in oofs)  # a type that was trained on fewer blocks would judge fewer rows
    whole = [t for t, oof in enumerate(oofs) if len(oof.rows()) == most]
    sets, oofs = [sets[t] for t in whole], [oofs[t] for t in whole]
    judged = np.flatnonzero(np.min([oof.count for oof in oofs], axis=0))
    of = trainer.rows if trainer.validation is None else trainer.validation
    y, weight = of.y[judged], None if of.weight is None else of.weight[judged]
    if not len(judged) or not (weight is None or weight.any()):
        return _unjudged(sets[0], trainer.k)
    Zs = [oof.logits(judged) for oof in oofs]
    w = _weights(Zs, y, weight)
    used = np.flatnonzero(w)
    scale = float(w.sum())
    shares = [w[t] / scale / len(sets[t]) for t in used for _ in sets[t]]
    members = [member for t in used for member in sets[t]]
    Z = np.zeros_like(Zs[0])
    for t in used:
        Z += np.float32(w[t]) * Zs[t]
    sharpening = SHARPENING if trainer.validation is None and len(members) > len(used) else 1.0
    bias = None
    if biases and y.ndim == 1 and len(y) >= ROWS_FOR_A_BIAS * Z.shape[1] and Z.size <= MOST_LOGITS_FOR_BIASES:
        calibration = Calibration.fit(Z, y, weight)
        if calibration.bias is not None:
            Z, scale = calibration.logits(Z), scale * calibration.scale
            bias = sharpening * calibration.bias
    return Ensemble(members, np.array(shares), sharpening * scale, scale, judged, Z, bias)


def _weights(Zs: list[Array], y: Array, weight: Array | None) -> Array:
    """Return the weight of each type; their sum is the scale.

    Types of little weight have none. A type that alone predicts better than the weighted mean has all of the weight.
    """
    alone = [judge(Z, y, weight) for Z in Zs]
    scales = np.array([one.scale for one in alone])
    w = _stacked(Zs, scales, y, weight)
    together: Array = np.zeros_like(Zs[0])
    for t in np.flatnonzero(w):
        together += np.float32(w[t]) * Zs[t]
    best = int(np.argmin([one.log_loss for one in alone]))
    if alone[best].log_loss < judge(together, y, weight).log_loss:
        return np.where(np.arange(len(Zs)) == best, scales, 0.0)
    return w


def _stacked(Zs: list[Array], scales: Array, y: Array, weight: Array | None) -> Array:
    """Return the weights of the types by regularized stacking."""
    w = np.zeros(len(Zs))
    used = np.arange(len(Zs))
    while True:
        scaled = [np.float32(scales[t]) * Zs[t] for t in used]
        found = fit_weights(scaled, y, weight) if len(used) > 1 else np.ones(1)
        enough = found >= LEAST_WEIGHT * found.sum()
        if enough.all():
            w[used] = found * scales[used]
            return w
        used = used[enough]


def _unjudged(members: list[Member], k: int) -> Ensemble:
    """Return the ensemble of members of one type, where no row can judge them."""
    weights = np.full(len(members), 1 / len(members))
    return Ensemble(members, weights, 1.0, 1.0, np.arange(0), np.zeros((0, k), np.float32))
