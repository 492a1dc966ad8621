"""Train an ensemble: a pilot of each type, the choice among them, the other members, and what is fitted at the end.

The pilots of all types leave out the same blocks, so they are compared on the same rows. Of several types of the same
name, the best goes on, and a type that is far behind the best is given up. The others are weighed once all their
members are trained.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...errors import DivergenceError
from ...functional.arrays import Array
from ...network import Network
from .members import Member, Task, Trainer
from .presets import Preset
from .selection import OutOfFold, choose_weights, fit_scale, judge

__all__ = ["Ensemble", "train_ensemble"]

FAR_BEHIND = 1.5
"""A type is given up if the log-loss of its pilot is this many times that of the best."""
SHARPENING = 1.1
"""Factor of the scale that is fitted out of fold: the mean of all members is less certain than the one or two that have
not seen a row. Fitted on 50 runs; with validation rows, which all members have not seen, it is 1."""


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
    judged : (r,) array of int
        Rows judged out of fold; or all validation rows.
    Z : (r, k) array
        Their logits, by members that have not seen them.
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
    types = [p for p, t in enumerate(preset.types) if t.suits(len(trainer.rows.y), trainer.numbers)]
    names = {preset.types[position].name for position in types}
    planned = len(types) + (preset.members - 1) * len(names)
    ready: list[Member] = []
    chosen: list[int] = []
    interrupted = False
    try:
        yield from _trained(trainer, _tasks(preset, types, [0]), ready, planned)
        chosen = _promising(ready, trainer, preset)
        planned = len(ready) + (preset.members - 1) * len(chosen)
        yield from _trained(trainer, _tasks(preset, chosen, range(1, preset.members)), ready, planned)
    except KeyboardInterrupt:
        if not ready:
            raise
        interrupted = True
    chosen = chosen or _promising(ready, trainer, preset)
    reason = "interrupted" if interrupted else "completed" if len(ready) == planned else "time_limit"
    return replace(_combined(ready, chosen, trainer), stop_reason=reason, planned=planned, trained=len(ready))


def _trained(trainer: Trainer, tasks: list[Task], ready: list[Member], planned: int) -> Iterator[Member]:
    """Train members; put each into `ready`, and yield it."""
    for member in trainer.members(tasks):
        ready.append(member)
        yield replace(member, done=len(ready), planned=planned)


def _promising(ready: list[Member], trainer: Trainer, preset: Preset) -> list[int]:
    """Return the positions of the types to go on with: the best of each name, unless it is far behind."""
    losses = {}
    for position in sorted({member.task.position for member in ready}):
        members = _sound(ready, position)
        if members:
            losses[position] = _judged(members, trainer)[1]
    if not losses:
        raise DivergenceError(
            "No member of the ensemble has finite weights at the end. Look for numbers that are far too large."
        )
    order = sorted(losses, key=lambda position: (np.nan_to_num(losses[position], nan=np.inf), position))
    best: dict[str, int] = {}
    for position in order:
        if not losses[position] > FAR_BEHIND * losses[order[0]]:
            best.setdefault(preset.types[position].name, position)
    return sorted(best.values())


def _tasks(preset: Preset, positions: Iterable[int], numbers: Iterable[int]) -> list[Task]:
    return [Task(preset.types[position], position, number) for position in positions for number in numbers]


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
    """Return the ensemble of the members of these types, their weights and scale fitted out of fold."""
    sets = [members for position in used if (members := _sound(ready, position))]
    oofs = [_judged(members, trainer)[0] for members in sets]
    judged = np.flatnonzero(np.min([oof.count for oof in oofs], axis=0))
    of = trainer.rows if trainer.validation is None else trainer.validation
    y, weight = of.y[judged], None if of.weight is None else of.weight[judged]
    if not len(judged) or not (weight is None or weight.any()):
        return _unjudged(sets[0], trainer.k)
    Zs = [oof.logits(judged) for oof in oofs]
    scales = np.array([fit_scale(Z, y, weight) for Z in Zs])
    shares = choose_weights([np.float32(b) * Z for b, Z in zip(scales, Zs, strict=True)], y, weight) * scales
    total = shares.sum()
    shares = shares / total
    sets = [members for share, members in zip(shares, sets, strict=True) if share > 0]
    Z = sum(np.float32(share) * Z for share, Z in zip(shares, Zs, strict=True) if share > 0)
    scale = fit_scale(Z, y, weight)
    weights = [
        np.full(len(members), share / len(members)) for share, members in zip(shares[shares > 0], sets, strict=True)
    ]
    sharpening = SHARPENING if trainer.validation is None else 1.0
    members = [member for members in sets for member in members]
    return Ensemble(members, np.concatenate(weights), sharpening * scale, scale, judged, Z)


def _unjudged(members: list[Member], k: int) -> Ensemble:
    """Return the ensemble of members of one type, where no row can judge them."""
    weights = np.full(len(members), 1 / len(members))
    return Ensemble(members, weights, 1.0, 1.0, np.arange(0), np.zeros((0, k), np.float32))
