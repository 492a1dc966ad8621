"""What a function's statements do, as the doctor has it recorded: of a notebook's cell, and of a slow function."""

import linecache
import sys
import types

import numpy as np
import pytest

import glassmax as gm
from glassmax.doctor.lines.recordings import SLOW, TOO_SLOW, Recordings
from glassmax.doctor.reading.function import Learner
from tests.doctor.programs import TUTORIAL

X = np.random.default_rng(0).normal(size=(6, 4))
y = np.array([0, 1, 2, 0, 1, 2])
NET = gm.Network([4, 5, 3], activation="tanh")
WRONG = "\n" + TUTORIAL.replace("dW2 = (a1.T)", "dW2 = -(a1.T)")


def cell(text, name="<ipython-input-1-2345>"):
    """Return the function of a text that is known to Python as the cell of a notebook is: to `linecache` alone."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope = {"np": np, "__name__": "__main__"}
    exec(compile(text, name, "exec"), scope)
    return scope["gradients"]


def recordings(function, rows=(6, 6, 5, 2)):
    parameters = dict(NET.parameters)
    learner = Learner(function, parameters, list(parameters))
    passes = [types.SimpleNamespace(n=n) for n in rows]
    arguments = [(list(parameters.values()), np.resize(X, (n, 4)), np.resize(y, n)) for n in rows]
    return Recordings(learner, passes, arguments)


def test_a_function_of_a_notebook_is_watched_and_its_line_named():
    finding = gm.diagnose(cell(WRONG), X, y, network=NET).findings[0]
    number = WRONG.split("\n").index("    dW2 = -(a1.T).dot(delta3)") + 1
    assert (finding.cause, finding.line_number) == ("sign", number)
    assert finding.statement == "dW2 = -(a1.T).dot(delta3)"


def test_a_function_without_source_is_diagnosed_without_lines():
    scope = {"np": np}
    exec(WRONG, scope)
    finding = gm.diagnose(scope["gradients"], X, y, network=NET).findings[0]
    assert (finding.cause, finding.line_number, finding.statement) == ("sign", 0, "")


def test_a_function_under_a_debugger_is_diagnosed_without_lines():
    function, events = cell(WRONG), []
    sys.settrace(lambda *event: events.append(event))
    try:
        finding = gm.diagnose(function, X, y, network=NET).findings[0]
    finally:
        sys.settrace(None)
    assert (finding.cause, finding.line_number) == ("sign", 0)


def test_a_right_program_is_not_watched_until_its_listing_is_asked_for(monkeypatch):
    watched = []
    call = Learner.call

    def counted(self, *arguments, watched_=watched, **named):
        watched_.append(named.get("watched", False))
        return call(self, *arguments, **named)

    monkeypatch.setattr(Learner, "call", counted)
    diagnosis = gm.diagnose(cell(TUTORIAL), X, y, network=NET)
    assert diagnosis.correct
    assert not any(watched)
    assert diagnosis.annotated.lines
    assert sum(watched) == 3


def test_the_own_data_and_two_other_probes_are_recorded_each_once():
    made = recordings(cell(TUTORIAL))
    assert [recording is not None for recording in made] == [True, True, True, False]
    assert all(recording.complete and recording.events for recording in made[:3])
    assert made[0] is made[0]
    assert made[1:3] == [made[1], made[2]]
    with pytest.raises(IndexError):
        made[4]


@pytest.mark.parametrize(("seconds", "number"), [(0.0, 3), (SLOW, 1), (TOO_SLOW, 0)])
def test_a_slow_function_is_watched_less_often(seconds, number):
    made = recordings(cell(TUTORIAL))
    made.learner.slowest = seconds
    assert sum(recording is not None for recording in made) == number


def test_a_function_that_raises_when_it_is_watched_is_called_again_unwatched():
    watched = "any(map(sys.monitoring.get_tool, range(6)))" if hasattr(sys, "monitoring") else "sys.gettrace()"
    spy = f"\n    import sys\n    assert not {watched}\n"
    made = recordings(cell(TUTORIAL.replace("(model, X, y):\n", f"(model, X, y):{spy}", 1)))
    assert [*made] == [None] * 4
    assert made.learner.call(*made.arguments[0], watched=True).answer is not None


def test_watching_changes_neither_the_answer_nor_the_arguments():
    made = recordings(cell(TUTORIAL))
    plain = made.learner.call(*made.arguments[0])
    watched = made.learner.call(*made.arguments[0], watched=True)
    assert watched.wrote == ()
    for a, b in zip(plain.answer.arrays, watched.answer.arrays, strict=True):
        np.testing.assert_array_equal(a, b)
