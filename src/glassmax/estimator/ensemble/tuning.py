"""The search for types of members that suit a table.

Each trial is one type of network. The first trials are given. The parameters of the others are proposed from the trials
before them by Optuna's TPE sampler (tree-structured Parzen estimator; Bergstra et al. 2011, "Algorithms for
hyper-parameter optimization", NIPS 24). The members of a trial are trained on the folds of the ensemble, and after each
of them, the log-loss of the rows judged so far is taken. If it is then higher than the median of the complete trials,
the trial is ended.

A proposal depends on the seed, its number and the records of the earlier trials, and on nothing else. A search that is
resumed from these records is therefore the same as one that was never interrupted.
"""

import math
import statistics
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...embedding import PiecewiseLinear
from ...errors import DataError, OptionError
from .members import Task, Trainer
from .presets import NETWORK, MemberType, Numbers, Preset
from .selection import Judgement, OutOfFold, judge
from .study import StudyFile, Trial, damaged

__all__ = ["Found", "Search", "check_optuna", "search_types", "with_types_of"]

MOST_FOUND = 3
"""Number of types that a search adds to a preset, at most."""
RANDOM_TRIALS = 6
"""Number of trials before the sampler learns from them; until then it draws at random."""
FEWEST_TO_COMPARE = 3
"""Number of complete trials before a trial may be ended early."""
BINS = (4, 8, 16, 32)
MOST_COLUMNS_OF_BINS = 2048
NAMES = ("layers", "width", "activation", "mixup", "dropout", "learning_rate", "epochs", "bins")
FIRST: tuple[dict[str, Any], ...] = tuple(
    dict(zip(NAMES, values, strict=True))
    for values in [
        (3, 256, "silu", 0.3, 0.0, 0.08, 32, None),
        (2, 256, "silu", 0.0, 0.0, 0.08, 32, 16),
        (2, 256, "silu", 0.15, 0.2, 0.08, 32, 8),
    ]
)
"""The first trials, which are the same for every table: each is good on tables of some kind, and in no preset."""
FEWEST_STEPS, MOST_STEPS = 100, 4000


@dataclass(frozen=True)
class Search:
    """What `TableClassifier.tune` is asked for.

    Attributes
    ----------
    budget : float or None
        Seconds.
    trials : int or None
        Number of trials, those of the file included.
    study_path : path or None
        File of the trials.
    """

    budget: float | None = None
    trials: int | None = None
    study_path: str | Path | None = None


@dataclass(frozen=True)
class Found:
    """What a search has found: its trials, and why it ended ("completed", "budget" or "interrupted")."""

    trials: list[Trial]
    stop_reason: str


def check_optuna() -> Any:
    """Return Optuna; raise an OptionError if it is not installed."""
    try:
        import optuna
    except ImportError:
        remedy = "Install it: pip install 'glassmax[tune]'"
        raise OptionError("To search for types of networks, Optuna is needed.", remedy=remedy) from None
    return optuna


def search_types(
    trainer_of: Callable[[int], Trainer], preset: Preset, seed: int, search: Search, file: StudyFile | None = None
) -> Generator[Trial, None, Found]:
    """Search for types of members; yield the record of each new trial.

    An interruption (Ctrl-C) ends the search. The budget ends it too, but not before one trial is complete; a trial
    that would go on after the budget is dropped.

    Parameters
    ----------
    trainer_of : callable
        Returns a trainer for a seed.
    preset : Preset
        Decides how many members judge each row.
    seed : int
    search : Search
    file : StudyFile or None
        Its trials are not repeated; each new one is added to it.
    """
    trials = [] if file is None else list(file.trials)
    space = _space(trainer_of(seed).numbers)
    for trial in trials:
        _check(trial, space, seed, file)
    end = math.inf if search.budget is None else time.monotonic() + search.budget
    done = 0
    try:
        while search.trials is None or len(trials) < search.trials:
            if done and time.monotonic() >= end:
                return Found(trials, "budget")
            of_trial = _seed(seed, len(trials) + 1)
            parameters = _proposed(trials, of_trial, space)
            found = _tried(trainer_of(of_trial), preset, parameters, trials, end if done else math.inf)
            if found is None:
                return Found(trials, "budget")
            trials.append(found)
            if file is not None:
                file.add(found)
            done += 1
            yield found
    except KeyboardInterrupt:
        return Found(trials, "interrupted")
    return Found(trials, "completed")


def with_types_of(preset: Preset, trials: Sequence[Trial]) -> Preset:
    """Return a preset with the best types of a search after its own."""
    best = sorted((t for t in trials if t.state == "complete"), key=lambda t: (t.log_loss, t.number))[:MOST_FOUND]
    return replace(preset, types=(*preset.types, *(member_type(f"trial {t.number}", t.parameters) for t in best)))


def member_type(name: str, parameters: Mapping[str, Any]) -> MemberType:
    """Return the type of member that the parameters of a trial describe."""
    bins = parameters.get("bins")
    return MemberType(
        name,
        NETWORK
        | {
            "hidden_layer_sizes": (parameters["width"],) * parameters["layers"],
            "activation": parameters["activation"],
            "mixup": parameters["mixup"],
            "dropout": parameters["dropout"],
            "learning_rate_init": parameters["learning_rate"],
        }
        | ({} if bins is None else {"embedding": PiecewiseLinear(), "input_scale_rate": None}),
        parameters["epochs"],
        FEWEST_STEPS,
        MOST_STEPS,
        bins=bins,
    )


def _space(numbers: Numbers | None) -> dict[str, Any]:
    """Return the distribution of each parameter; tables without numbers have no bins."""
    d = check_optuna().distributions
    space = {
        "layers": d.IntDistribution(1, 4),
        "width": d.IntDistribution(32, 512, log=True),
        "activation": d.CategoricalDistribution(("silu", "relu", "selu")),
        "mixup": d.FloatDistribution(0, 0.6, step=0.05),
        "dropout": d.FloatDistribution(0, 0.4, step=0.1),
        "learning_rate": d.FloatDistribution(0.01, 0.3, log=True),
        "epochs": d.IntDistribution(4, 64, log=True),
    }
    columns = 0 if numbers is None else len(numbers.columns)
    if columns:
        bins = [b for b in BINS if b == BINS[0] or b * columns <= MOST_COLUMNS_OF_BINS]
        space["bins"] = d.CategoricalDistribution((None, *bins))
    return space


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _proposed(trials: Sequence[Trial], seed: int, space: dict[str, Any]) -> dict[str, Any]:
    """Return what to try after these trials."""
    if len(trials) < len(FIRST):
        first = {name: FIRST[len(trials)][name] for name in space}
        if first.get("bins") is not None:
            first["bins"] = min(first["bins"], space["bins"].choices[-1])
        return first
    optuna = check_optuna()
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS))
    finally:
        optuna.logging.set_verbosity(verbosity)
    study.add_trials([_frozen(trial, space) for trial in trials])
    drawn = study.ask(space).params
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in drawn.items()}


def _frozen(trial: Trial, space: dict[str, Any]) -> Any:
    """Return a trial as Optuna keeps it; to the sampler, one that diverged is worse than all others."""
    optuna = check_optuna()
    complete = trial.state == "complete"
    states = optuna.trial.TrialState
    return optuna.trial.create_trial(
        state=states.COMPLETE if complete else states.PRUNED,
        value=trial.log_loss if complete else None,
        params=trial.parameters,
        distributions=space,
        intermediate_values=dict(enumerate(trial.log_losses)) if trial.state != "diverged" else {},
    )


def _check(trial: Trial, space: dict[str, Any], seed: int, file: StudyFile | None) -> None:
    """Raise a CheckpointError if a trial of a file can't be one of this search."""
    assert file is not None
    if trial.seed != _seed(seed, trial.number) or trial.parameters.keys() != space.keys():
        raise damaged(file.path, trial.number, "its seed or its parameters are not those of this search")
    if trial.state != "diverged" and (trial.log_loss is None or [trial.log_loss] != trial.log_losses[-1:]):
        raise damaged(file.path, trial.number, "its log-loss is not the last one of its members")
    try:
        _frozen(trial, space)
    except ValueError as error:
        raise damaged(file.path, trial.number, str(error).rstrip(".")) from None


def _tried(
    trainer: Trainer, preset: Preset, parameters: dict[str, Any], earlier: Sequence[Trial], end: float
) -> Trial | None:
    """Train the members of one trial; return its record, or None if it would go on after `end`."""
    begun, number = time.monotonic(), len(earlier) + 1
    kind = member_type(f"trial {number}", parameters)
    count = min(preset.members, preset.blocks)  # every row is judged
    of = trainer.rows if trainer.validation is None else trainer.validation
    oof, losses, judgement = OutOfFold(len(of.y), trainer.k), list[float](), Judgement(np.nan, np.nan, 1.0, 0)
    state: Literal["", "complete", "pruned", "diverged"] = ""
    with closing(trainer.members([Task(kind, 0, n) for n in range(count)])) as members:
        for done, (member, Z) in enumerate(members, 1):
            oof.add(member.judged, Z)
            rows = oof.rows()
            if member.stop_reason == "diverged" or not np.isfinite(Z).all():
                state = "diverged"
                break
            judgement = judge(oof.logits(rows), of.y[rows], None if of.weight is None else of.weight[rows])
            if judgement.rows:
                losses.append(judgement.log_loss)
            if done < count and time.monotonic() >= end:
                return None
            if done < count and _hopeless(losses, earlier):
                state = "pruned"
                break
    if not state and not judgement.rows:
        remedy = "Pass rows for validation, X_val and y_val, or more rows."
        raise DataError("The table has no rows on which a trial could be judged.", remedy=remedy)
    seconds = round(time.monotonic() - begun, 3)
    if state == "diverged":
        return Trial(number, parameters, None, None, seconds, state, trainer.seed, losses)
    error = 1 - judgement.accuracy
    return Trial(number, parameters, judgement.log_loss, error, seconds, state or "complete", trainer.seed, losses)


def _hopeless(losses: list[float], earlier: Sequence[Trial]) -> bool:
    """Return whether a trial is worse, after as many members, than the median of the complete trials before it."""
    complete = [trial.log_losses for trial in earlier if trial.state == "complete"]
    if len(complete) < FEWEST_TO_COMPARE or not losses:
        return False
    return losses[-1] > statistics.median(others[len(losses) - 1] for others in complete)
