"""Repairs: changes of one statement, in the learner's own text, and the program run again with them."""

import linecache

import numpy as np
import pytest

import glassmax as gm
from glassmax.doctor.lines.changes import Scope
from glassmax.doctor.lines.families import FAMILIES
from glassmax.doctor.lines.rerun import multiple_of
from glassmax.doctor.lines.source import replaced, units_of
from glassmax.doctor.reading.problem import Given, parameters_of, problems


def function(text, name="f", **names):
    """Define a function of a text that `linecache` knows, as it knows the cell of a notebook."""
    file = f"<learner {hash(text)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    scope = {"np": np, **names}
    exec(compile(text, file, "exec"), scope)
    return scope[name]


def only_unit(text):
    return units_of(function(text))[0]


def written(statement, change):
    start, end = statement.unit.span(statement.node)
    return statement.unit.edited(change.edits)[start : end + sum(len(e.text) - (e.end - e.start) for e in change.edits)]


def changed(line, family, scope=None):
    """Every form that a family of changes gives a line."""
    unit = only_unit(f"def f(a, b, c, d, W, y, n):\n    {line}\n    return a\n")
    statement = unit.statements[0]
    return [written(statement, change).decode() for change in FAMILIES[family](statement, scope or Scope())]


# the line as it is, the family, and a form that must be among those tried
FORMS = [
    ("d = (-1.0/5) * np.matmul(a.T, b)", "signs", "d = (1.0/5) * np.matmul(a.T, b)"),
    ("d = a - b", "signs", "d = a + b"),
    ("d -= a", "signs", "d += a"),
    ("d = a @ b", "minuses", "d = -a @ b"),
    ("d = a - b", "minuses", "d = b - a"),
    ("d[c <= 0] = 0.1", "numbers", "d[c <= 0] = 0"),
    ("d[c] -= 2", "numbers", "d[c] -= 1"),
    ("d = np.hstack([np.zeros(n), a])", "numbers", "d = np.hstack([np.ones(n), a])"),
    ("d = a.T @ b / n", "factors", "d = a.T @ b"),
    ("d = a.mean(axis=0)", "factors", "d = a.sum(axis=0)"),
    ("d = np.mean(a, 0)", "factors", "d = np.sum(a, 0)"),
    ("d = 2 * (a - b)", "factors", "d = (a - b)"),
    ("d /= n", "factors", "pass"),
    ("d = a / np.sum(a, axis=0)", "axes", "d = a / np.sum(a, axis=1, keepdims=True)"),
    ("d = a.sum()", "axes", "d = a.sum(axis=0)"),
    ("d = a @ W", "transposes", "d = a @ W.T"),
    ("d = a.dot(W.T)", "transposes", "d = a.dot(W)"),
    ("d = np.outer(a, b)", "transposes", "d = np.outer(b, a)"),
    ("d = W[a][b] * c", "transposes", "d = W[b][a] * c"),
    ("d = a * b", "operators", "d = a @ b"),
    ("d = np.multiply(a, b)", "operators", "d = np.dot(a, b)"),
    ("d = a - b / n", "groups", "d = (a - b) / n"),
    ("d = a * b @ W", "groups", "d = a * (b @ W)"),
    ("d = a", "sums", "d = a.sum(axis=0)"),
    ("d = a", "copies", "d = a.copy()"),
    ("d = W[y + 1]", "indices", "d = W[y]"),
    ("d = W[n - 1]", "indices", "d = W[n]"),
    ("d = a * b * c", "droppings", "d = a * b"),
    ("d = np.tanh(np.tanh(a))", "droppings", "d = np.tanh(a)"),
    ("d = a + 0.1 * W", "droppings", "d = a"),
    ("d[a <= 0] = 0", "masks", "d[a >= 0] = 0"),
    ("d[~a] = 0", "masks", "d[a] = 0"),
    ("d = -(a * a)", "products", "d = 1 - (a * a)"),
]


@pytest.mark.parametrize("row", FORMS, ids=[f"{family}: {line}" for line, family, _ in FORMS])
def test_a_family_has_the_form_that_mends_a_line(row):
    line, family, mended = row
    assert mended in changed(line, family)


SCALED = Scope(
    operands=("a", "b", "c"),
    shapes={"a": (4, 3), "b": (4, 3), "c": (3, 4)},
    rows=("n",),
    slopes=(("(1 - a**2)", (4, 3)), ("(1 - c**2)", (3, 4))),
    penalties=("0.1 * W",),
    biases=("b",),
    target=(4, 3),
)
WITH_NAMES = [
    ("d = a.T @ b", "scalings", "d = a.T @ b / n"),
    ("d = a - b", "scalings", "d = (a - b) / n"),
    ("d = a * (1 - a)", "operands", "d = b * (1 - b)"),
    ("d = a @ W", "operands", "d = c.T @ W"),
    ("d = b @ W.T", "missing_slopes", "d = (b @ W.T) * (1 - a**2)"),
    ("d = b * (1 - a)", "slopes", "d = b * (1 - a**2)"),
    ("d = a.T @ b", "penalties", "d = a.T @ b + 0.1 * W"),
    ("d = a @ W", "biases", "d = (a @ W + b)"),
    ("d -= b", "insertions", "d -= b\n    d /= n"),
    ("d = W", "products", "d = a * W"),
]


@pytest.mark.parametrize("row", WITH_NAMES, ids=[f"{family}: {line}" for line, family, _ in WITH_NAMES])
def test_a_family_writes_the_names_of_the_program(row):
    line, family, mended = row
    assert mended in changed(line, family, SCALED)


def test_a_derivative_of_another_shape_is_not_tried():
    assert not any("c**2" in form for form in changed("d = b @ W.T", "missing_slopes", SCALED))


def test_every_change_leaves_the_rest_of_the_text_as_it_is():
    text = "def f(a, b):\n    # first\n    d = a  -  b   # why\n    return d  # last\n"
    unit = only_unit(text)
    for statement in unit.statements:
        for family in FAMILIES.values():
            for change in family(statement, SCALED):
                made = unit.edited(change.edits).decode()
                assert made.startswith("def f(a, b):\n    # first\n")
                assert "# why" in made
                assert made.endswith("# last")


def test_a_changed_function_runs_and_then_is_its_own_again():
    f = function("def f(a):\n    return a + 1\n")
    unit = units_of(f)[0]
    own = f.__code__
    code = unit.compiled([unit.edit(unit.statements[0].node.value, "a + 2")])
    with replaced([(f, code)]):
        assert f(1) == 3
    assert f(1) == 2
    assert f.__code__ is own


def test_a_changed_function_is_its_own_again_after_an_exception():
    f = function("def f(a):\n    return a + 1\n")
    own = f.__code__
    code = units_of(f)[0].compiled([units_of(f)[0].edit(units_of(f)[0].statements[0].node.value, "a[0]")])
    with pytest.raises(TypeError), replaced([(f, code)]):
        f(1)
    assert f.__code__ is own


def test_a_change_that_is_no_python_is_none():
    unit = only_unit("def f(a):\n    return a + 1\n")
    assert unit.compiled([unit.edit(unit.statements[0].node.value, "a +")]) is None


REACHED = """
class Layer:
    def __init__(self, W):
        self.__W = W
    def forward(self, x):
        return helper(x) @ self.__W

def helper(x):
    return x

net = Layer(1)
double = lambda x: 2 * x

def f(a):
    def inner(b):
        return b
    return double(net.forward(inner(a)))
"""


def test_the_functions_that_are_reached_are_units_and_nested_ones_are_part_of_theirs():
    names = [unit.code.co_qualname for unit in units_of(function(REACHED))]
    assert names[0] == "f"
    assert {*names} == {"f", "helper", "<lambda>", "Layer.__init__", "Layer.forward"}


def test_a_closure_keeps_its_variables():
    f = function("def outer(k):\n    def f(a):\n        return a * k\n    return f\n", "outer")(3)
    unit = units_of(f)[0]
    code = unit.compiled([unit.edit(unit.statements[0].node.value, "a + k")])
    with replaced([(f, code)]):
        assert f(2) == 5


def test_a_function_without_source_has_no_units():
    scope = {}
    exec(compile("def f(a):\n    return a\n", "<nowhere>", "exec"), scope)
    assert units_of(scope["f"]) == []
    assert units_of(len) == []


def test_another_version_of_the_source_is_not_taken_for_the_source():
    text = "def f(a):\n    return a + 1\n"
    f = function(text)
    file = f.__code__.co_filename
    other = text.replace("+", "-")
    linecache.cache[file] = (len(other), None, other.splitlines(True), file)
    assert units_of(f) == []


def one_pass():
    X, y = np.random.default_rng(0).normal(size=(5, 4)), np.array([0, 1, 2, 1, 0])
    net = gm.Network([4, 6, 3], activation="tanh")
    return next(problems(Given(net, None, parameters_of(net), X, y, False, False))).own_pass()


def test_an_array_is_known_as_it_is_turned_times_n_or_as_a_row():
    p = one_pass()
    D = p.dZ[2]
    assert multiple_of(D, "dZ2", p, 1e-9, False) == 1
    assert multiple_of(D.T, "dZ2", p, 1e-9, False) == 1
    assert multiple_of(5 * D, "dZ2", p, 1e-9, False) == 5
    assert multiple_of(D[3], "dZ2", p, 1e-9, False) == 1
    assert multiple_of(-D, "dZ2", p, 1e-9, False) is None
    assert multiple_of(-D, "dZ2", p, 1e-9, True) == -1
    assert multiple_of(p.dZ[1], "dZ2", p, 1e-9, True) is None
    assert multiple_of("no array", "dZ2", p, 1e-9, False) is None
    assert multiple_of([[1.0], [1.0, 2.0]], "dZ2", p, 1e-9, False) is None


def test_what_ends_a_while_loop_is_not_changed():
    unit = only_unit(
        "def f(a, n):\n    i = 0\n    total = 0\n    while i < n:\n        total += a[i]\n        i += 1\n"
        "    while True:\n        total = -total\n        break\n    return total\n"
    )
    assert [statement.text for statement in unit.statements] == ["total = 0", "total += a[i]", "return total"]


def test_a_wrong_line_beside_a_while_loop_is_found():
    text = """
import numpy as np

def gradients(p, X, y):
    E = np.exp(X @ p["W1"] + p["b1"])
    D = E / E.sum(axis=1, keepdims=True)
    i = 0
    while i != len(X):
        D[i, y[i]] -= 1
        i += 1
    return {"W1": -X.T @ D / len(X), "b1": D.sum(axis=0) / len(X)}
"""
    X, y = np.random.default_rng(0).normal(size=(5, 4)), np.array([0, 1, 2, 1, 0])
    finding = gm.diagnose(function(text, "gradients"), X, y, network=gm.Network([4, 3]), loss="network").findings[0]
    assert (finding.cause, finding.line_number) == ("sign", 11)
    assert finding.write == 'return {"W1": X.T @ D / len(X), "b1": D.sum(axis=0) / len(X)}'
