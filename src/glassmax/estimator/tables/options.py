"""The parameters of `TableClassifier`'s constructor, checked at the start of each fit."""

import os
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from ...distributed import WorkerSettings, read_settings
from ...errors import OptionError, Setting, between, is_whole, one_of
from ..classifier import SoftmaxClassifier
from ..ensemble import PRESETS, Preset, Search, check_optuna
from ..options import check_memory_limit, make_plan
from ..rare_classes import check_min_count

__all__ = [
    "SETTINGS",
    "check_folds",
    "check_search",
    "check_table_options",
    "preset_of",
    "settings_in_memory",
    "settings_of_preset",
]

SETTINGS = ("n_workers", "address", "resources", "wait_limit")
LARGEST_SEED = 2**32 - 1


def preset_of(given: str | Preset) -> Preset:
    """Return the preset that the parameter of this name names, or is."""
    return given if isinstance(given, Preset) else PRESETS[given]


def check_search(classifier: Any, search: Search) -> None:
    """Raise an OptionError if a `TableClassifier` can't search as it is asked to."""
    check_optuna()
    if classifier.network is not None:
        what = " is given, but tune searches for types of networks that join a preset. Leave it out."
        raise OptionError(Setting("network"), what, parameter="network")
    if search.budget is None and search.trials is None:
        raise OptionError(
            Setting("budget"), " and ", Setting("trials"), " are both None, expected at least one.", parameter="budget"
        )
    if search.budget is not None:
        between("budget", search.budget, 0, open_below=True, other="None")
    _check_count("trials", search.trials)
    path = search.study_path
    if path is not None and not isinstance(path, str | os.PathLike):
        raise OptionError(parameter="study_path", came=repr(path), expected="the path of a file, or None")


def settings_of_preset(classifier: Any, engine: str | None, given: Mapping[str, Any]) -> WorkerSettings | None:
    """Check the settings of the workers that train a preset, and return them; None without an engine."""
    check_table_options(classifier)
    if classifier.network is not None and engine is not None:
        expected = ("None with ", Setting("network"), ": workers train the networks of a preset")
        raise OptionError(parameter="engine", came=repr(engine), expected=expected)
    return settings_in_memory(engine, given, classifier.n_threads)


def settings_in_memory(engine: str | None, given: Mapping[str, Any], n_threads: int | None) -> WorkerSettings | None:
    """Check the settings of workers of which each trains networks of its own, and return them; None without an engine.

    Parameters
    ----------
    engine : str or None
    given : mapping
        The other settings, by name.
    n_threads : int or None
        Number of threads of all workers together; as many as there are processors by default.
    """
    for name in given.keys() - SETTINGS:
        raise TypeError(f"{name!r} is an unexpected keyword argument, expected one of {', '.join(SETTINGS)}")
    return read_settings(engine, **given, n_threads=n_threads or os.cpu_count())


def check_table_options(classifier: Any) -> None:
    """Raise an OptionError for the first parameter of a `TableClassifier` that is out of range."""
    if not isinstance(classifier.preset, Preset):
        one_of("preset", classifier.preset, PRESETS)
    if classifier.network is not None:
        if not isinstance(classifier.network, SoftmaxClassifier):
            expected = "a SoftmaxClassifier, or None for a preset"
            raise OptionError(parameter="network", came=repr(classifier.network), expected=expected)
        make_plan(classifier.network)
        for name in ("time_limit", "checkpoint_path"):
            if (given := getattr(classifier, name)) is not None:
                only = ("None with ", Setting("network"), ": only a preset has a time limit and a checkpoint")
                raise OptionError(parameter=name, came=repr(given), expected=only)
    check_min_count(classifier)
    between("held_out", classifier.held_out, 0, 1)
    one_of("dtype", classifier.dtype, ("float64", "float32"))
    if classifier.time_limit is not None:
        between("time_limit", classifier.time_limit, 0, open_below=True, other="None")
    _check_count("n_threads", classifier.n_threads)
    check_memory_limit(classifier)
    _check_seed(classifier.random_state)
    for what in ("ignore", "keep"):
        names = getattr(classifier, what)
        if isinstance(names, str) or not isinstance(names, Collection):
            raise OptionError(parameter=what, came=repr(names), expected="a list of names of columns")
    if classifier.types is not None and not isinstance(classifier.types, Mapping):
        expected = "a dict from names of columns to their kinds, or None"
        raise OptionError(parameter="types", came=repr(classifier.types), expected=expected)
    weights = classifier.class_weight
    if not (weights is None or isinstance(weights, Mapping) or (isinstance(weights, str) and weights == "balanced")):
        expected = "a dict of weights by class, 'balanced' or None"
        raise OptionError(parameter="class_weight", came=repr(weights), expected=expected)
    if classifier.network is not None and getattr(classifier.network, "min_count", 1) != 1:
        count = classifier.network.min_count
        message = f" has min_count={count!r}, expected 1. Pass min_count to TableClassifier instead."
        raise OptionError(Setting("network"), message, parameter="network")
    separator = classifier.candidates
    if separator is not None and not (isinstance(separator, str) and separator.strip() and "!" not in separator):
        expected = "the text between classes in a cell, such as '|', without '!'; or None"
        raise OptionError(parameter="candidates", came=repr(separator), expected=expected)
    path = classifier.checkpoint_path
    if path is not None and not isinstance(path, str | os.PathLike):
        raise OptionError(parameter="checkpoint_path", came=repr(path), expected="the path of a file, or None")


def _check_count(what: str, value: Any) -> None:
    if value is not None and not (is_whole(value) and value >= 1):
        raise OptionError(parameter=what, came=repr(value), expected="a whole number >= 1 or None")


def _check_seed(value: Any) -> None:
    """Refuse a seed that NumPy can't take; NumPy's global generator stands for None, as scikit-learn has it."""
    if value is None or value is np.random or isinstance(value, np.random.RandomState):
        return
    if not (is_whole(value) and 0 <= value <= LARGEST_SEED):
        expected = f"a whole number from 0 to {LARGEST_SEED}, a RandomState or None"
        raise OptionError(parameter="random_state", came=repr(value), expected=expected)


def check_folds(groups: Any, time: Any) -> None:
    """Refuse groups and times where validation rows judge the members of a preset, so that there are no folds."""
    for what, given in (("groups", groups), ("time", time)):
        if given is not None:
            because = " says which rows are judged together, but with "
            then = " all rows are trained on and the validation rows are judged. Pass one of the two."
            raise OptionError(Setting(what), because, Setting("X_val"), then, parameter=what)
