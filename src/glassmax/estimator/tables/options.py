"""The parameters of `TableClassifier`'s constructor, checked at the start of each fit."""

import os
from collections.abc import Collection, Mapping
from typing import Any

from ...errors import OptionError, Setting, between, one_of
from ..classifier import SoftmaxClassifier
from ..ensemble import PRESETS, Preset, Search, check_optuna
from ..options import make_plan

__all__ = ["check_search", "check_table_options", "preset_of"]


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
    trials = search.trials
    if trials is not None and not (isinstance(trials, int) and not isinstance(trials, bool) and trials >= 1):
        raise OptionError(parameter="trials", came=repr(trials), expected="a whole number >= 1 or None")
    path = search.study_path
    if path is not None and not isinstance(path, str | os.PathLike):
        raise OptionError(parameter="study_path", came=repr(path), expected="the path of a file, or None")


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
    between("held_out", classifier.held_out, 0, 1)
    one_of("dtype", classifier.dtype, ("float64", "float32"))
    if classifier.time_limit is not None:
        between("time_limit", classifier.time_limit, 0, open_below=True, other="None")
    threads = classifier.n_threads
    if threads is not None and not (isinstance(threads, int) and not isinstance(threads, bool) and threads >= 1):
        raise OptionError(parameter="n_threads", came=repr(threads), expected="a whole number >= 1 or None")
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
    separator = classifier.candidates
    if separator is not None and not (isinstance(separator, str) and separator.strip() and "!" not in separator):
        expected = "the text between classes in a cell, such as '|', without '!'; or None"
        raise OptionError(parameter="candidates", came=repr(separator), expected=expected)
    path = classifier.checkpoint_path
    if path is not None and not isinstance(path, str | os.PathLike):
        raise OptionError(parameter="checkpoint_path", came=repr(path), expected="the path of a file, or None")
