"""Let the gradient doctor answer learners' programs that others wrote, and count how often it is right.

The programs in ``learners/`` were written by somebody who had not seen the doctor's code, as learners write them: their
own names, layouts and losses. ``learners/check.py`` proves without the doctor that those called right are right, and
that the others are wrong, each in its own way. What failed at first has been a lesson since: the figures are those of a
corpus that is known by now.
"""

import contextlib
import io
import itertools
import statistics
import sys
import time
import warnings

import numpy as np
from record import HERE, table, write

from glassmax import diagnose

sys.path.insert(0, str(HERE / "learners"))

from cases import CASES

RIGHT = {
    "single": "the right cause first",
    "double": "both causes",
    "control": "not called wrong",
    "note": "correct, with float32 or the kink named",
    "misbehaving": "the right answer",
    "strange": "not in the catalogue",
}


def answer(case):
    """Return the diagnosis of a case, and the seconds it took."""
    given = case.setup()
    X, y, network = given["X"], given["y"], given.get("network")
    parameters = given.get("parameters")
    at = network.parameters if parameters is None else parameters
    options = {name: value for name, value in given.items() if name in ("network", "parameters", "loss")}
    if case.declared and "loss" not in options:
        options["loss"] = "network"
    learners = case.function
    if case.mode.endswith("arrays"):
        learners = case.function({name: np.array(values) for name, values in at.items()}, np.array(X), np.array(y))
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # learners divide by zero
        started = time.perf_counter()
        diagnosis = diagnose(learners, X, y, **options)
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


def main():
    answer(CASES[0])  # the first call imports
    figures, failed = {}, []
    for group in RIGHT:
        cases = [case for case in CASES if case.group == group]
        answers = [answer(case) for case in cases]
        right = [is_right(case, diagnosis) for case, (diagnosis, _) in zip(cases, answers, strict=True)]
        seconds = [taken for _, taken in answers]
        figures[group] = {
            "cases": len(cases),
            "right": sum(right),
            "median_seconds": statistics.median(seconds),
            "most_seconds": max(seconds),
        }
        for case, (diagnosis, _), fine in zip(cases, answers, right, strict=True):
            if not fine:
                wanted = " + ".join("|".join(sorted(causes)) for causes in case.expect) or "no fault"
                failed.append(f"  {case.id}: expected {wanted}, got {', '.join(diagnosis.causes) or diagnosis.verdict}")
    write("doctor", [], figures)
    rows = [
        [group, RIGHT[group], f"{one['right']} of {one['cases']}", f"{1e3 * one['median_seconds']:.0f}"]
        + [f"{1e3 * one['most_seconds']:.0f}"]
        for group, one in figures.items()
    ]
    table("Learners' programs and the doctor", ["", "wanted", "got it", "median ms", "most ms"], rows)
    print("\nNot so:", *failed, sep="\n")


if __name__ == "__main__":
    main()
