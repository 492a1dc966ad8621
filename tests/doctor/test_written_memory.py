"""The line that changes what it should leave alone: an argument, an array with two names, a sum of earlier calls."""

import linecache
import types

import numpy as np
import pytest

import glassmax as gm
from glassmax.doctor.lines.written_memory import (
    bound_as_the_same,
    writes_into_another_name,
    writes_into_argument,
    writes_into_past,
)
from glassmax.learner.line_watch import watch_lines

NET = gm.Network([2, 4, 3])
X = np.array([[0.5, -1.0], [1.0, 0.2], [-0.3, 0.8], [0.9, 0.4], [-1.2, -0.6]])
y = np.array([0, 1, 2, 1, 0])
PROGRAM = """import numpy as np
store = {}

def gradients(p, X, y):
    FIRST
    A = np.maximum(0, X @ p["W1"] + p["b1"])
    E = np.exp(A @ p["W2"] + p["b2"])
    P = E / E.sum(axis=1, keepdims=True)
    dZ = (P - np.eye(3)[y]) / len(X)
    dH = dZ @ p["W2"].T * (A > 0)
    g = {"W1": X.T @ dH, "b1": dH.sum(axis=0), "W2": A.T @ dZ, "b2": dZ.sum(axis=0)}
    LAST
    return g
"""
SHARED = {
    "dZ = P\n    dZ[np.arange(5), y] -= 1": ("dZ = P", "dZ[np.arange(5), y] -= 1", "dZ = P.copy()"),
    "dZ = P\n    dZ -= np.eye(3)[y]": ("dZ = P", "dZ -= np.eye(3)[y]", "dZ = P.copy()"),
    "dZ = np.asarray(P)\n    np.subtract(dZ, np.eye(3)[y], out=dZ)": (
        "dZ = np.asarray(P)",
        "np.subtract(dZ, np.eye(3)[y], out=dZ)",
        "dZ = P.copy()",
    ),
    "dZ = P[:]; dZ[np.arange(5), y] -= 1": ("dZ = P[:]", "dZ[np.arange(5), y] -= 1", "dZ = P.copy()"),
}


def gradients(first="pass", last="pass", **changes):
    text = PROGRAM.replace("FIRST", first).replace("LAST", last)
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    name = "<ipython-input-7-77>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    module = types.ModuleType("__main__")
    exec(compile(text, name, "exec"), module.__dict__)
    return module.gradients, text.split("\n")


def finding(function, cause):
    return next(f for f in gm.diagnose(function, X, y, network=NET).findings if f.cause == cause)


@pytest.mark.parametrize("change", SHARED)
def test_a_change_of_an_array_that_has_a_second_name_is_told_with_both_lines(change):
    bound, changed, write = SHARED[change]
    old = "dZ = (P - np.eye(3)[y]) / len(X)"
    new = f"{change}\n    loss = -np.log(P[np.arange(5), y]).mean()\n    dZ = dZ / len(X)"
    function, lines = gradients(dZ=(old, new), end=("return g", "return loss, g"))
    found = finding(function, "in_place")
    number = next(i for i, line in enumerate(lines, start=1) if changed in line)
    first = next(i for i, line in enumerate(lines, start=1) if bound in line)
    assert (found.line_number, found.statement, found.write) == (number, changed, write)
    assert found.other_lines == ((first, bound, ""),)
    assert found.says == (
        f"line {number} changes P too: dZ and P are the same array, because `=` makes no copy (line {first})"
    )


@pytest.mark.parametrize(
    "line",
    [
        "X -= X.mean(axis=0)",
        "p['b1'] += 1",
        "p['b1'][0] = 2",
        "b = p['b1']; b *= 0.5",
        "p['b1'] = p['b1'] * 2",
        "for name in p: p[name] -= 0.1",
        "np.clip(X, -1, 1, out=X)",
        "y.sort()",
        "p.update(b1=p['b1'] + 1)",
    ],
)
def test_the_line_that_changes_an_argument_is_named(line):
    function, lines = gradients(last=line)
    found = finding(function, "writes_inputs")
    if "update" in line:  # it assigns nothing
        assert found.line_number in (0, lines.index(f"    {line}") + 1)
        return
    assert found.line_number == lines.index(f"    {line}") + 1
    assert found.statement
    assert found.statement in line


def test_the_line_that_adds_to_what_an_earlier_call_left_is_named():
    function, lines = gradients(
        last="for k in g: store[k] = store.get(k, 0 * g[k])\n    for k in g:\n        store[k] += g[k]",
        end=("return g", "return {k: v.copy() for k, v in store.items()}"),
    )
    found = finding(function, "accumulates")
    assert (found.line_number, found.statement) == (lines.index("        store[k] += g[k]") + 1, "store[k] += g[k]")


def test_a_default_that_outlives_the_call_is_named_as_such():
    function, lines = gradients(
        last="for k in g: total[k] = total.get(k, 0 * g[k])\n    for k in g:\n        total[k] += g[k]",
        head=("(p, X, y)", "(p, X, y, total={})"),
        end=("return g", "return {k: v.copy() for k, v in total.items()}"),
    )
    found = finding(function, "accumulates")
    assert (found.line_number, found.statement) == (lines.index("        total[k] += g[k]") + 1, "total[k] += g[k]")


@pytest.mark.parametrize(
    "last",
    [
        "pass",
        "B = A; B = B + 1; B -= 1",
        "B = A.copy(); B -= 1; C = A + B",
        "B = A; B -= 1",
        "b = p['b1']; b = b - 1",
        "X = X - 1",
    ],
)
def test_a_program_that_changes_only_its_own_arrays_is_charged_with_nothing(last):
    function, _ = gradients(last=last)
    _, recording = watch_lines(function, (dict(NET.parameters), X.copy(), y.copy()))
    assert recording.complete
    assert writes_into_argument(recording) is None
    assert writes_into_another_name(recording) is None
    assert writes_into_past(recording) is None


def test_of_two_names_the_one_that_is_bound_anew_is_forgotten():
    function, _ = gradients(last="B = A; B -= 1; A = g['W2']; C = A + 1")
    _, recording = watch_lines(function, (dict(NET.parameters), X.copy(), y.copy()))
    assert writes_into_another_name(recording) is None
    function, _ = gradients(last="B = A; B -= 1; C = A + 1")
    _, recording = watch_lines(function, (dict(NET.parameters), X.copy(), y.copy()))
    change = writes_into_another_name(recording)
    assert (change.text, change.path, change.other) == ("B -= 1", "B", "A")
    assert bound_as_the_same(recording, change).text == "B = A"
