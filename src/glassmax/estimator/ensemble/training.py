"""Train an ensemble: pilots of each type, the choice among the types, the other members, and what is fitted at the end.

The pilots of all types leave out the same blocks, so they are compared on the same rows. On small tables, where one
member says little and costs little, whole sets of members are compared.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace

import numpy as np

from ...errors import DivergenceError
from ...functional.arrays import Array
from ...network import Network
from .members import Member, Task, Trainer
from .presets import Preset
from .selection import OutOfFold, fit_scale, fit_weights, judge

__all__ = ["Ensemble", "train_ensemble"]

FEW_ROWS = 2000
"""With fewer rows, types are compared by all their members, not by a pilot alone."""


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
        Their logits, by members that have not seen them, times the scale.
    stop_reason : str
        "completed", "time_limit" or "interrupted".
    planned : int
        Number of members that the preset asks for.
    """

    members: list[Member]
    weights: Array
    scale: float
    judged: Array
    Z: Array
    stop_reason: str
    planned: int

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
    ready: list[Member] = []
    chosen: list[int] = []
    interrupted = False
    few = len(trainer.rows.y) < FEW_ROWS
    pilots = preset.members if few else 1
    used = min(preset.used, len(preset.types))
    planned = pilots * len(preset.types) + used * (preset.members - pilots)
    try:
        for member in trainer.members(_tasks(preset, range(len(preset.types)), range(pilots))):
            ready.append(member)
            yield replace(member, done=len(ready), planned=planned)
        chosen = _best_types(ready, trainer)[:used]
        for member in trainer.members(_tasks(preset, chosen, range(pilots, preset.members))):
            ready.append(member)
            yield replace(member, done=len(ready), planned=planned)
    except KeyboardInterrupt:
        if not ready:
            raise
        interrupted = True
    reason = "interrupted" if interrupted else "completed" if len(ready) == planned else "time_limit"
    ensemble = _combined(ready, chosen or _best_types(ready, trainer)[:used], trainer)
    return replace(ensemble, stop_reason=reason, planned=used * preset.members)


def _tasks(preset: Preset, positions: Iterable[int], numbers: Iterable[int]) -> list[Task]:
    return [Task(preset.types[position], position, number) for position in positions for number in numbers]


def _best_types(ready: list[Member], trainer: Trainer) -> list[int]:
    """Return the positions of the types, the one with the least log-loss on the rows of the pilots first."""
    losses = {}
    for position in sorted({member.task.position for member in ready}):
        members = _sound(ready, position)
        if members:
            losses[position] = _judged(members, trainer)[1]
    if not losses:
        raise DivergenceError(
            "No member of the ensemble has finite weights at the end. Look for numbers that are far too large."
        )
    return sorted(losses, key=lambda position: (np.nan_to_num(losses[position], nan=np.inf), position))


def _sound(ready: list[Member], position: int) -> list[Member]:
    return [m for m in ready if m.task.position == position and m.stop_reason != "diverged"]


def _judged(members: list[Member], trainer: Trainer) -> tuple[OutOfFold, float]:
    """Return the out-of-fold logits of members of one type, and their log-loss."""
    of = trainer.rows if trainer.validation is None else trainer.validation
    oof = OutOfFold(len(of.y), trainer.k)
    for member in members:
        oof.add(member.judged, member.Z)
    rows = oof.rows()
    weight = None if of.weight is None else of.weight[rows]
    return oof, judge(oof.logits(rows), of.y[rows], weight).log_loss


def _combined(ready: list[Member], used: list[int], trainer: Trainer) -> Ensemble:
    """Return the ensemble of the members of the types used, their weights and scale fitted out of fold."""
    sets = [_sound(ready, position) for position in used]
    oofs = [_judged(members, trainer)[0] for members in sets]
    judged = np.flatnonzero(np.min([oof.count for oof in oofs], axis=0))
    of = trainer.rows if trainer.validation is None else trainer.validation
    y, weight = of.y[judged], None if of.weight is None else of.weight[judged]
    Zs = [oof.logits(judged) for oof in oofs]
    w, scale = np.ones(1), 1.0
    if len(judged) and (weight is None or weight.any()):
        w = fit_weights(Zs, y, weight) if len(Zs) > 1 else np.array([fit_scale(Zs[0], y, weight)])
        scale = float(w.sum())
    w = w / w.sum()
    Z = scale * sum(w_t * Z_t for w_t, Z_t in zip(w, Zs, strict=True))
    weights = np.concatenate([np.full(len(members), w_t / len(members)) for w_t, members in zip(w, sets, strict=True)])
    members = [member for members in sets for member in members]
    return Ensemble(members, weights, scale, judged, Z, "completed", len(members))
