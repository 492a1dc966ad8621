"""What the doctor says of a program, and whether that is what the case expects."""

import contextlib
import io
import itertools
import time
import warnings

import numpy as np

from glassmax import diagnose


def answer(case):
    """Return the diagnosis of a case, and the seconds it took."""
    given = case.setup()
    X, y, network = given["X"], given["y"], given.get("network")
    parameters = given.get("parameters")
    at = network.parameters if parameters is None else parameters
    options = {name: value for name, value in given.items() if name in ("network", "parameters", "loss")}
    if case.declared and "loss" not in options:
        options["loss"] = "network"
    handed = case.function
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # learners divide by zero
        if case.mode.endswith("arrays"):
            handed = case.function({name: np.array(values) for name, values in at.items()}, np.array(X), np.array(y))
        started = time.perf_counter()
        diagnosis = diagnose(handed, X, y, **options)
        return diagnosis, time.perf_counter() - started


def is_right(case, diagnosis):
    """Whether the answer is the one that the case expects; a case may have several causes that can't be told apart."""
    causes = [finding.cause for finding in diagnosis.findings]
    if case.group == "control":
        return diagnosis.correct
    if case.group == "note":
        return diagnosis.correct and any(cause in case.expect[0] for cause in causes)
    if case.group == "double":
        pairs = itertools.permutations(causes, 2)
        return not diagnosis.correct and any(a in case.expect[0] and b in case.expect[1] for a, b in pairs)
    return not diagnosis.correct and bool(causes) and causes[0] in case.expect[0]
