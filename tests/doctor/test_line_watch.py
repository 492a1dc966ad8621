"""A function's statements as they run: which arrays are recorded, what watching leaves alone, and where it ends."""

import linecache
import sys
import threading
import types
from functools import partial

import numpy as np
import pytest

from glassmax.learner import trace_hooks
from glassmax.learner.line_watch import Limits, watch_lines
from glassmax.learner.paths import paths_along
from glassmax.learner.statements import source_of

HEAD = "import numpy as np\n"
X = np.arange(6.0).reshape(3, 2)


@pytest.fixture
def load(tmp_path):
    """Return the module of a text, which stands in a file."""

    def loaded(text, name="program.py"):
        path = tmp_path / name
        path.write_text(HEAD + text, encoding="utf-8")
        linecache.checkcache(str(path))
        module = types.ModuleType(path.stem)
        exec(compile(HEAD + text, str(path), "exec"), module.__dict__)
        return module

    return loaded


class Monitoring:
    """What `sys.monitoring` does, by `sys.settrace`: for versions of Python that have none."""

    DISABLE = object()
    events = types.SimpleNamespace(PY_START=1, PY_RETURN=4, LINE=32, INSTRUCTION=64, RAISE=1024, PY_UNWIND=4096)

    def __init__(self, patch):
        self.callbacks, self.local, self.on, self.tools, self.codes = {}, {}, 0, {}, []
        self.frame = None
        patch.setattr(trace_hooks, "_calling_frame", lambda: self.frame)

    def get_tool(self, tool):
        return self.tools.get(tool)

    def use_tool_id(self, tool, name):
        assert tool not in self.tools
        self.tools[tool] = name

    def free_tool_id(self, tool):
        del self.tools[tool]

    def register_callback(self, tool, event, callback):
        self.callbacks.pop(event, None)
        if callback is not None:
            self.callbacks[event] = callback

    def set_events(self, tool, events):
        self.on = events
        sys.settrace(self._trace if events else None)

    def set_local_events(self, tool, code, events):
        self.local[code] = events

    def _call(self, frame, event, *rest):
        if (self.on | self.local.get(frame.f_code, 0)) & event and event in self.callbacks:
            self.frame = frame
            self.callbacks[event](frame.f_code, *rest)

    def _trace(self, frame, event, argument):
        e = self.events
        if event == "call":
            self._call(frame, e.PY_START, frame.f_lasti)
            frame.f_trace_opcodes = True
        elif event == "line":
            self._call(frame, e.LINE, frame.f_lineno)
        elif event == "opcode":
            self._call(frame, e.INSTRUCTION, frame.f_lasti)
        elif event == "exception":
            self._call(frame, e.RAISE, frame.f_lasti, argument[1])
        elif frame.f_code.co_code[frame.f_lasti] in trace_hooks.RETURNS:
            self._call(frame, e.PY_RETURN, frame.f_lasti, argument)
        else:
            self._call(frame, e.PY_UNWIND, frame.f_lasti, None)
        return self._trace


@pytest.fixture(params=["settrace", "monitoring"])
def hooks(request, monkeypatch):
    """Let the test run with each of Python's hooks."""
    if request.param == "settrace":
        monkeypatch.delattr(sys, "monitoring", raising=False)
    elif not hasattr(sys, "monitoring"):
        monkeypatch.setattr(sys, "monitoring", Monitoring(monkeypatch), raising=False)
    yield request.param
    assert sys.gettrace() is None
    if isinstance(getattr(sys, "monitoring", None), Monitoring):
        left = sys.monitoring
        assert (left.tools, left.callbacks, left.on, {*left.local.values()} - {0}) == ({}, {}, 0, set())


pytestmark = pytest.mark.usefixtures("hooks")


def seen(recording, *names):
    """The lines and paths of the events, of the arguments none; of some names alone, if any are given."""
    told = [(event.line, event.path) for event in recording.events if event.visit]
    return [pair for pair in told if not names or pair[1] in names]


def last(recording, path):
    return [event for event in recording.events if event.path == path][-1]


def watched(module, *arguments, **limits):
    return watch_lines(module.f, arguments or (X.copy(),), Limits(**limits))


# what is recorded


def test_each_statement_gives_the_array_that_it_binds(load):
    module = load("""
def f(X):
    A = X + 1

    B = (A *
         2)
    return B.sum(axis=0)
""")
    returned, recording = watched(module)
    assert seen(recording) == [(4, "A"), (6, "B"), (8, "return")]
    np.testing.assert_array_equal(returned, (2 * X + 2).sum(axis=0))
    np.testing.assert_array_equal(last(recording, "B").array, 2 * X + 2)
    np.testing.assert_array_equal(last(recording, "return").array, returned)
    assert (last(recording, "B").line, last(recording, "B").end_line) == (6, 7)
    assert [event.reads for event in recording.events] == [(), ("X",), ("A",), ("B",)]
    assert recording.complete


def test_the_arguments_come_first_and_belong_to_the_line_of_the_def(load):
    module = load("def f(p, X, *rest, scale=2.0):\n    return X\n")
    _, recording = watch_lines(module.f, ({"W": [X, X + 1]}, X, X + 2))
    events = [(event.line, event.path, event.visit) for event in recording.events[:-1]]
    assert events == [(2, path, 0) for path in ("p['W'][0]", "p['W'][1]", "X", "scale", "rest[0]")]
    assert last(recording, "X").alias_of == "p['W'][0]"


def test_a_copy_is_recorded_and_can_not_be_written_to(load):
    _, recording = watched(load("def f(X):\n    A = X * 1\n    A[0] = 9\n    return A\n"))
    before, after = (event.array for event in recording.events if event.path == "A")
    assert before[0, 0] == 0
    assert after[0, 0] == 9
    with pytest.raises(ValueError, match="read-only"):
        after[0] = 1


@pytest.mark.parametrize(
    "change",
    [
        "A[0, 0] -= 1",
        "A -= 1",
        "A[np.arange(2), [0, 1]] = 7",
        "A.fill(3)",
        "np.add.at(A, 0, 1)",
        "np.multiply(A, 2, out=A)",
        "np.subtract(A, 1, A)",
        "A.sort(axis=0); A[:] = A[::-1]",
        "A.T[0] = 5",
        "A.ravel()[1] = 8",
        "change(A)",
        "[A.__setitem__(0, i) for i in (4, 5)]",
        "(lambda a: a.fill(6))(A)",
    ],
)
def test_an_array_that_is_changed_in_place_is_recorded_with_the_statement_that_changed_it(load, change):
    module = load(f"def change(a):\n    a += 1\n\ndef f(X):\n    A = X + 1\n    {change}\n    return A\n")
    returned, recording = watched(module)
    events = [event for event in recording.events if event.path == "A" and event.function == "f"]
    assert (events[0].line, events[0].in_place) == (6, False)
    assert {(event.line, event.in_place) for event in events[1:]} == {(7, True)}
    np.testing.assert_array_equal(events[-1].array, returned)


@pytest.mark.parametrize("same", ["B = A", "B = A[:]", "B = A.T", "B = A.reshape(-1)", "B = np.asarray(A)"])
def test_a_second_name_of_the_same_memory_is_an_alias_and_both_names_are_changed(load, same):
    module = load(f"def f(X):\n    A = X + 1\n    {same}\n    B[0] -= 1\n    return A\n")
    _, recording = watched(module)
    assert last(recording, "B").alias_of == "A"
    assert last(recording, "B").memory == last(recording, "A").memory > 0
    changed = [(event.line, event.path, event.in_place) for event in recording.events if event.line == 5]
    assert changed == [(5, "B", True), (5, "A", True)]


@pytest.mark.parametrize(
    "other", ["B = A.copy()", "B = A + 0", "B = np.array(A)", "B = A[[0, 1]]", "B = A[0:1]; A = X"]
)
def test_what_has_memory_of_its_own_is_no_alias(load, other):
    _, recording = watched(load(f"def f(X):\n    A = X + 1\n    {other}\n    B[0] -= 1\n    return A\n"))
    assert {event.path for event in recording.events if event.in_place} == {"B"}
    assert last(recording, "B").alias_of is None


def test_rows_of_one_array_that_do_not_overlap_are_no_aliases(load):
    _, recording = watched(load("def f(X):\n    A = X[0]\n    B = X[1]\n    return A + B\n"))
    assert [last(recording, name).alias_of for name in "AB"] == ["X", "X"]
    _, recording = watched(load("def f(X):\n    A, B = (X + 1)[:2]\n    return A + B\n"))
    assert [last(recording, name).alias_of for name in "AB"] == [None, None]


def test_an_array_that_is_computed_again_is_recorded_again(load):
    _, recording = watched(load("def f(X):\n    A = X + 1\n    A = X + 1\n    return A\n"))
    assert seen(recording, "A") == [(3, "A"), (4, "A")]
    assert not last(recording, "A").in_place


def test_an_argument_that_the_caller_sees_changed_is_recorded_in_both_calls(load):
    module = load("""
def helper(D):
    D -= 1
    return D

def f(X):
    P = X * 2
    G = helper(P)
    return G
""")
    _, recording = watched(module)
    assert (4, "D") in seen(recording)
    assert [
        (e.path, e.in_place, e.call, e.alias_of) for e in recording.events if e.line == 9 and e.function == "f"
    ] == [
        ("G", False, 0, "P"),
        ("P", True, 0, "G"),
    ]
    calls = [(call.number, call.function, call.first_line, call.parent, call.line) for call in recording.calls]
    assert calls == [(0, "f", 7, None, 0), (1, "helper", 3, 0, 9)]


def test_an_array_that_an_inner_function_changes_is_not_charged_to_a_later_line(load):
    module = load("""
def f(X):
    A = X + 1
    def bump():
        A[0] += 1
    bump()
    B = np.exp(A)
    return B
""")
    _, recording = watched(module)
    assert [(event.line, event.in_place) for event in recording.events if event.path == "A" and event.call == 0] == [
        (4, False),
        (7, True),
    ]


CONTAINERS = {
    "self.cache['A1'] = X + 1": "self.cache['A1']",
    "self.A = X + 1": "self.A",
    "self.cache.update(A=X + 1)": "self.cache['A']",
    "setattr(self, 'A', X + 1)": "self.A",
    "self.layers[1].W = X + 1": "self.layers[1].W",
    "self.layers[-1].W = X + 1": "self.layers[1].W",
    "self.slots.W = X + 1": "self.slots.W",
    "grads['W' + str(l)] = X + 1": "grads['W2']",
    "grads[f'W{l}'] = X + 1": "grads['W2']",
    "grads[f'd{key}{l - 1}'] = X + 1": "grads['dW1']",
    "grads[l] = X + 1": "grads[2]",
    "grads[('W', l)] = X + 1": "grads[('W', 2)]",
    "grads['W', l] = X + 1": "grads[('W', 2)]",
    "grads.setdefault('b', X + 1)": "grads['b']",
    "several.append(X + 1)": "several[1]",
    "several += [X + 1]": "several[1]",
    "several[0] = X + 1": "several[0]",
    "pair = (X, X + 1)": "pair[1]",
    "point = Point(X, X + 1)": "point[1]",
    "space.W = X + 1": "space.W",
    "a, *rest = X, X, X + 1": "rest[1]",
    "print(end='') if (n := X + 1) is None else None": "n",
    "store['G'] = X + 1": "store['G']",
}


@pytest.mark.parametrize("line", CONTAINERS)
def test_an_array_inside_something_is_recorded_under_the_path_that_leads_to_it(load, line):
    module = load(f"""
from collections import namedtuple
from types import SimpleNamespace

store = {{}}
Point = namedtuple("Point", "x y")

class Layer:
    pass

class Slots:
    __slots__ = ("W",)

class Net:
    def __init__(self):
        self.cache, self.layers, self.slots = {{}}, [Layer(), Layer()], Slots()

    def run(self, X):
        grads, several, space, l, key = {{}}, [X], SimpleNamespace(), 2, "W"
        {line}
        return 0

def f(X):
    return Net().run(X)
""")
    _, recording = watched(module)
    event = next(event for event in recording.events if event.line == 21 and event.path == CONTAINERS[line])
    np.testing.assert_array_equal(event.array, X + 1)


@pytest.mark.parametrize(
    ("line", "reads"),
    [
        ("D = A.T @ B", ("A", "B")),
        ("D = A.dot(B.T)", ("A", "B")),
        ("D = p['W' + str(l)] * A.shape[0]", ("p['W1']", "l")),
        ("D = A[np.arange(3), i] * p['W1'][0, 0]", ("A", "i", "p['W1']")),
        ("D = [a * 2 for a in A]", ("A",)),
        ("D = sum(p.values())", ("p['W1']", "p['W2']")),
        ("D = B\nA -= 1", ("A",)),
        ("D = W[-1]", ("W[1]",)),
        ("D = np.exp(A, where=B > 0, out=A * 0)", ("A", "B")),
        ("D = (lambda v: v * B)(A)", ("B", "A")),
        ("D = A[l:] + W[l][0]", ("A", "l", "W[1]")),
        ("D = len(A) * p.get('W1')", ("A", "p['W1']", "p['W2']")),
    ],
)
def test_what_a_statement_reads_is_told_by_path(load, line, reads):
    line = line.replace("\n", "\n    ")
    text = f"def f(A, B, i, p, W):\n    l = 1\n    {line}\n    return 0\n"
    square = np.ones((3, 3))
    arguments = square, square + 1, np.array([0, 1, 2]), {"W1": X, "W2": X + 1}, [square + 2, square + 3]
    _, recording = watch_lines(load(text).f, arguments)
    changed = [event for event in recording.events if event.line == 4 + line.count("\n") and event.function == "f"]
    assert changed[0].reads == reads


def test_statements_on_one_line_are_told_apart(load):
    module = load("def f(X): A = X + 1; B = A * 2; A -= 1; C = A; C[0] = 5; return A + B\n")
    _, recording = watched(module)
    told = [
        (event.path, event.in_place, event.alias_of, event.statement.node.col_offset) for event in recording.events[1:]
    ]
    assert [part[:3] for part in told] == [
        ("A", False, None),
        ("B", False, None),
        ("A", True, None),
        ("C", False, "A"),
        ("C", True, "A"),
        ("A", True, "C"),
        ("return", False, None),
    ]
    assert sorted({column for *_, column in told}) == [10, 21, 32, 40, 47, 57]


def test_a_loop_on_one_line_is_recorded_each_time(load):
    module = load("def f(X):\n    S = np.zeros(2)\n    for row in X: S += row; T = S * 2\n    return T\n")
    _, recording = watched(module)
    assert [(event.path, event.visit) for event in recording.events if event.line == 4] == [
        (path, visit) for visit in (1, 2, 3) for path in ("row", "S", "T")
    ]


def test_a_loop_over_samples_is_recorded_with_how_often_each_statement_has_run(load):
    module = load("""
def f(X):
    S = np.zeros(2)
    for i in range(len(X)):
        x = X[i]
        S += x
    return S
""")
    _, recording = watched(module)
    sums = [event for event in recording.events if event.path == "S" and event.line == 7]
    assert [(event.visit, event.in_place) for event in sums] == [(1, True), (2, True), (3, True)]
    np.testing.assert_array_equal([event.array for event in sums], np.cumsum(X, axis=0))
    assert [float(event.array) for event in recording.events if event.path == "i"] == [0, 1, 2]


def test_a_statement_that_runs_often_is_recorded_when_its_loops_have_ended(load):
    module = load("""
def f(X):
    G = np.zeros((50, 50))
    for i in range(50):
        for j in range(50):
            G[i, j] = i * j + 1
    return G
""")
    returned, recording = watched(module)
    events = [event for event in recording.events if event.path == "G"]
    assert len(events) < 60
    assert (events[-1].line, events[-1].loop.line) == (7, 5)
    np.testing.assert_array_equal(events[-1].array, returned)
    inner = [event for event in events if event.loop is not None and event.loop.line == 6]
    np.testing.assert_array_equal(inner[0].array, np.where(np.arange(50)[:, None] < 1, returned, 0))
    assert last(recording, "return").array.shape == (50, 50)


def test_a_statement_that_reads_what_was_passed_over_is_not_said_to_have_changed_it(load):
    module = load("""
def f(X):
    G = np.zeros(100)
    for i in range(100):
        G[i] = 1
        if i == 90:
            H = G * 2
    return H
""")
    _, recording = watched(module)
    assert {event.line for event in recording.events if event.path == "G"} == {4, 6}
    assert last(recording, "H").array.sum() == 182


@pytest.mark.parametrize("end", ["break", "return S", "raise ValueError"])
def test_a_loop_may_end_in_the_middle(load, end):
    module = load(f"""
def f(X):
    S = np.zeros(2)
    try:
        for i in range(40):
            S[0] += 1
            if i == 30:
                {end}
    except ValueError:
        pass
    T = S + 1
    return S
""")
    returned, recording = watched(module)
    assert returned[0] == 31
    assert recording.complete
    if end != "raise ValueError":
        assert [event.array[0] for event in recording.events if event.path == "S" and event.line == 7][-1] == 31
    if end != "return S":
        assert last(recording, "T").array[0] == 32


def test_while_else_with_and_match_are_watched(load):
    module = load("""
import contextlib

def f(X):
    i = 0
    while i < 2:
        i += 1
    else:
        A = X + i
    with contextlib.nullcontext(A * 2) as B:
        C = B + 1
    match C.shape:
        case (n, m):
            D = C * n
        case _:
            D = C
    return D
""")
    _, recording = watched(module)
    assert seen(recording, *"ABCD") == [(10, "A"), (11, "B"), (12, "C"), (15, "D")]
    assert not last(recording, "A").statement.loops


def test_functions_methods_lambdas_and_comprehensions_are_watched(load):
    module = load("""
def softmax(Z):
    return Z / Z.sum()

class Net:
    @staticmethod
    def act(Z): return Z * 3
    @property
    def two(self):
        V = X * 2
        return V

X = np.ones(2)

def f(X):
    def nested(A):
        B = A + X
        return B
    twice = lambda v: v * 2
    rows = [softmax(row) for row in X]
    return nested(twice(Net.act(Net().two)))[0] + rows[0]
""")
    _, recording = watched(module)
    names = [call.function for call in recording.calls]
    assert names[1:5] == ["f.<locals>.<listcomp>", "softmax", "softmax", "softmax"]
    assert names[5:] == ["Net.two", "Net.act", "f.<locals>.<lambda>", "f.<locals>.nested"]
    assert {call.parent for call in recording.calls[2:5]} == {1}
    assert {(event.function, event.path) for event in recording.events if event.path == "return"} >= {
        ("softmax", "return"),
        ("f.<locals>.<lambda>", "return"),
    }
    assert last(recording, "rows").array.shape == (3, 2)


def test_lists_of_numbers_and_single_numbers_are_arrays_too(load):
    module = load("""
def f(X):
    out = [[1.0, 2], [3, 4.5]]
    out[1][0] = 7.0
    total = 0.0
    for row in out:
        total += sum(row)
    rows = [X[0], X[1]]
    ragged = [[1.0], [2.0, 3.0]]
    text, none, flag, big = "a", None, True, 10**400
    return total
""")
    _, recording = watched(module)
    outs = [event for event in recording.events if event.path == "out"]
    assert [(event.line, event.in_place) for event in outs] == [(4, False), (5, True)]
    np.testing.assert_array_equal(outs[1].array, [[1, 2], [7, 4.5]])
    assert [float(event.array) for event in recording.events if event.path == "total"] == [0, 3, 14.5]
    np.testing.assert_array_equal(last(recording, "rows").array, X[:2])
    assert {"rows[0]", "rows[1]", "ragged[0]", "ragged[1]"} <= {event.path for event in recording.events}
    assert not {"text", "none", "flag", "big", "ragged"} & {event.path for event in recording.events}


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_matrices_integers_masks_and_single_precision_are_kept_as_they_are(load):
    module = load("def f(X):\n    A = np.matrix(X); B = X > 2; C = X.astype(int); D = X.astype('f4')\n    return 0\n")
    _, recording = watched(module)
    arrays = [last(recording, name).array for name in "ABCD"]
    assert [(type(array), array.dtype) for array in arrays] == [
        (np.ndarray, np.dtype(kind)) for kind in (float, bool, int, np.float32)
    ]


def test_a_module_variable_that_a_function_changes_is_recorded(load):
    module = load("grads = {'W': np.zeros(2)}\n\ndef f(X):\n    grads['W'] += X.sum(axis=0)\n    return grads\n")
    _, recording = watched(module)
    assert (5, "grads['W']") in seen(recording)
    np.testing.assert_array_equal(last(recording, "grads['W']").array, X.sum(axis=0))


# what can be watched


def test_partial_functions_methods_objects_and_decorated_functions_are_watched(load):
    module = load("""
import functools

def logged(g):
    @functools.wraps(g)
    def inner(*args):
        return g(*args)
    return inner

@logged
def f(X):
    A = X + 1
    return A

class Net:
    def __call__(self, X):
        A = X + 1
        return A
    def method(self, X):
        A = X + 1
        return A
""")
    net = module.Net()
    for function in (module.f, partial(module.f), net, net.method, partial(net.method)):
        _, recording = watch_lines(function, (X,))
        np.testing.assert_array_equal(last(recording, "A").array, X + 1)


def test_another_cell_of_the_same_notebook_is_watched(load):
    module = load("def f(X):\n    return helper(X)\n")
    text = "def helper(X):\n    A = X + 1\n    return A\n"
    cell = "<ipython-input-2-abc>"
    linecache.cache[cell] = (len(text), None, text.splitlines(keepends=True), cell)
    exec(compile(text, cell, "exec"), module.__dict__)
    _, recording = watched(module)
    assert [call.file for call in recording.calls][1:] == [cell]
    assert (2, "A") in seen(recording)


def test_functions_of_other_modules_are_called_unwatched(load):
    module = load(
        "import statistics\n\ndef f(X):\n    A = statistics.fmean([1, 2])\n    return np.linalg.norm(X) + A\n"
    )
    _, recording = watched(module)
    assert [call.function for call in recording.calls] == ["f"]


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (np.exp, "it is not written in Python"),
        (eval("lambda X: X + 1"), "its source is not to be found"),
        (len, "it is not written in Python"),
    ],
)
def test_what_has_no_source_is_called_unwatched_and_the_recording_says_so(function, why):
    returned, recording = watch_lines(function, ([1.0],)) if function is len else watch_lines(function, (X,))
    assert recording.why == why
    assert not recording.events
    assert returned is not None


def test_a_file_that_was_changed_after_it_was_loaded_is_not_taken_for_the_source(load, tmp_path):
    module = load("def f(X):\n    return X + 1\n")
    (tmp_path / "program.py").write_text(HEAD + "# a comment\ndef f(X):\n    return X + 1\n")
    linecache.clearcache()
    _, recording = watched(module)
    assert (recording.why, recording.events) == ("its source is not to be found", [])


def test_a_generator_is_called_unwatched_and_one_inside_disturbs_nothing(load):
    module = load("""
def f(X):
    A = sum(row for row in X)
    B = list(batches(X))
    return A

def batches(X):
    for row in X:
        yield row * 2

def g(X):
    yield X
""")
    _, recording = watched(module)
    assert seen(recording, "A", "return") == [(4, "A"), (6, "return")]
    assert [call.function for call in recording.calls] == ["f"]
    generator, recording = watch_lines(module.g, (X,))
    assert recording.why == "it is a generator"
    assert next(generator) is X


def test_threads_end_the_watching(load):
    module = load("""
import threading

def f(X):
    A = X + 1
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, daemon=True)
    thread.start()
    B = A + 1
    stop.set()
    thread.join()
    return B
""")
    before = threading.active_count()
    returned, recording = watched(module)
    assert recording.why == "it starts threads"
    np.testing.assert_array_equal(returned, X + 2)
    assert (6, "A") in seen(recording)
    assert threading.active_count() == before


# nothing is changed


@pytest.mark.parametrize("error", ["ValueError('no')", "SystemExit(3)", "KeyboardInterrupt", "Odd"])
def test_exceptions_pass_through_and_the_trace_function_is_gone(load, error):
    module = load(f"class Odd(BaseException): pass\n\ndef f(X):\n    A = X + 1\n    raise {error}\n")
    with pytest.raises(BaseException) as caught:
        watched(module)
    assert type(caught.value).__name__ in error
    assert sys.gettrace() is None


def test_an_exception_that_is_caught_leaves_the_watching_as_it_was(load):
    module = load("""
def fails(Z):
    W = Z + 1
    raise ValueError

def f(X):
    try:
        A = fails(X)
    except ValueError:
        A = X + 3
    for q in iter([1, 2]):
        B = A * q
    return B
""")
    _, recording = watched(module)
    assert seen(recording, "W", "A", "B") == [(4, "W"), (11, "A"), (13, "B"), (13, "B")]


def test_another_trace_function_is_left_alone(load):
    module = load("def f(X):\n    return X + 1\n")
    called = []

    def theirs(frame, event, argument):
        called.append(event)

    sys.settrace(theirs)
    try:
        _, recording = watched(module)
        assert sys.gettrace() is theirs
    finally:
        sys.settrace(None)
    assert recording.why == "another trace function is active"
    assert called


def test_a_function_that_sets_a_trace_function_keeps_it(load, hooks):
    module = load(
        "import sys\n\ndef f(X):\n    A = X + 1\n    sys.settrace(print if X is None else None)\n    return A\n"
    )
    _, recording = watched(module)
    assert sys.gettrace() is None
    if hooks == "settrace":
        assert recording.why == "it sets a trace function of its own"
    module = load("import sys\n\ndef mine(*a): pass\n\ndef f(X):\n    sys.settrace(mine)\n    return X\n", "other.py")
    try:
        returned, recording = watched(module)
        assert returned is not None
        if hooks == "settrace":
            assert sys.gettrace() is module.mine
            assert recording.why == "it sets a trace function of its own"
    finally:
        sys.settrace(None)


def test_arrays_that_are_no_plain_arrays_are_left_out_and_none_of_their_code_runs(load):
    module = load("""
called = []

class Meta(type):
    def __eq__(cls, other): called.append("Meta.__eq__"); return True
    def __hash__(cls): called.append("Meta.__hash__"); return 1
    def __instancecheck__(cls, thing): called.append("Meta.__instancecheck__"); return True

class Liar(np.ndarray, metaclass=Meta):
    pass

class Sub(np.ndarray):
    def __array_finalize__(self, other): called.append("finalize")
    @property
    def shape(self): called.append("shape"); return (10**9,)
    def __eq__(self, other): called.append("eq"); return True
    __hash__ = None

class Lies:
    def __array__(self, *a, **k): called.append("array"); return np.zeros(3)
    def __getattr__(self, name): called.append("getattr"); return 1
    def __getattribute__(self, name): called.append("getattribute"); return 1
    def __len__(self): called.append("len"); return 10**9
    def __iter__(self): called.append("iter"); return iter([1.0])
    def __eq__(self, other): called.append("eq"); return True
    def __repr__(self): called.append("repr"); return "1"
    def __hash__(self): called.append("hash"); return 1
    def __float__(self): called.append("float"); return 1.0

class Number(float):
    def __float__(self): called.append("float"); return 1.0

class Text(str):
    def __repr__(self): called.append("repr"); return "x"
    def __hash__(self): return 1

class Table(dict):
    def items(self): called.append("items"); return []

def f(X):
    a = Lies()
    b = [a, a]
    c = {"lies": a, Text("k"): X, 1j: X}
    d = Number(2)
    e = Table(A=X)
    sub = X.view(Sub)
    liar = np.ndarray.__new__(Liar, 3)
    again = [a, sub, liar, d]
    called.clear()
    g = a
    h = (sub, liar)
    i = X + 1
    return i, list(called)
""")
    (_, called), recording = watched(module)
    assert called == []
    assert recording.complete
    assert {event.path for event in recording.events if event.visit and not event.call} == {"i", "return[0]"}


@pytest.mark.parametrize(
    "line",
    [
        "A = np.broadcast_to(X[0], (10**7, 10**4, 2))",
        "A = np.lib.stride_tricks.as_strided(X, (10**6, 10**6), (0, 0))",
        "A = np.array(['a', None, X], dtype=object)",
        "A = np.zeros(3, dtype=[('x', float)])",
        "A = np.array(['2020-01-01'], dtype='M8[D]')",
        "A = np.array(['text'])",
        "A = []; A.append(A)",
        "A = {}; A['A'] = A",
        "A = [[[[X] * 200] * 200] * 200]",
        "A = {i: {j: {k: {l: X for l in range(9)} for k in range(9)} for j in range(9)} for i in range(3)}",
        "A = [[['text'] * 200] * 200] * 200",
        "A = [[[1.0] * 300 + ['x']] * 200] * 200",
        "A = [[[[[[[[1.0]]]]]]]]",
        "A = list(range(10**6))",
        "A = [[0.0] * 1000] * 1000",
        "A = {i: X for i in range(10**4)}",
        "A = [X] * 10**5",
        "A = {float('nan'): X, (1, (2, 'a')): X, b'k': X, None: X}",
        "A = [float('nan')] * 3",
        "A = np.full(3, np.nan)",
        "A = np.zeros((0, 4))",
        "A = np.float64(3)",
        "A = np.array(3.0)",
        "A = np",
        "A = np.errstate",
        "A = [np, len, int]",
        "A = np.ma.masked_array(X, X > 1)",
        "A = memoryview(X)",
        "A = np.random.default_rng(0)",
        "A = 10**5000",
        "A = locals()",
        "A = globals()",
        "A = type('T', (), {})()",
        "A = np.frombuffer(bytes(16))",
    ],
)
def test_strange_values_neither_stop_the_watching_nor_fill_the_memory(load, line):
    returned, recording = watched(load(f"def f(X):\n    {line}\n    B = X + 1\n    A = None\n    return B\n"))
    np.testing.assert_array_equal(returned, X + 1)
    if "10**7" in line or "10**6, 10**6" in line:
        assert recording.why == "the arrays take more than 64 MiB"
    else:
        assert recording.why == ""
        assert (4, "B") in seen(recording)
    assert len(recording.events) < 10_000


def test_numbers_that_stay_nan_are_not_said_to_change(load):
    module = load(
        "def f(X):\n    A = np.full(3, np.nan)\n    print(A, end='')\n    A[0] = np.nan\n    A[1] = 2\n    return A\n"
    )
    _, recording = watched(module)
    assert [(event.line, event.in_place) for event in recording.events if event.path == "A"] == [
        (3, False),
        (5, False),
        (6, True),
    ]


# where it ends


def test_more_events_bytes_or_seconds_than_allowed_end_the_watching(load):
    module = load("def f(X):\n    for i in range(50):\n        A = X + i\n    B = np.zeros(1000)\n    return B\n")
    for limits, why in (
        ({"events": 5}, "there are more than 5 arrays to record"),
        ({"bytes": 1 << 12}, "the arrays take more than 0 MiB"),
        ({"seconds": 0.0}, "watching took longer than 0 s"),
    ):
        returned, recording = watched(module, **limits)
        assert returned.shape == (1000,)
        assert recording.why == why
        assert not recording.complete
        assert len(recording.events) <= 60


def test_many_steps_are_passed_over_until_the_seconds_are_used(load):
    module = load("def f(X):\n    s = 0.0\n    for i in range(60_000):\n        s += i\n    return s\n")
    returned, recording = watched(module, seconds=0.02)
    assert returned == sum(range(60_000))
    assert recording.why == "watching took longer than 0.02 s"
    assert len(recording.events) < 100


def test_recursion_as_deep_as_python_allows_stays_possible(load):
    module = load("""
def deep(n):
    return 0.0 if n == 0 else 1 + deep(n - 1)

def f(X):
    return deep(500)
""")
    returned, recording = watched(module)
    assert returned == 500
    assert recording.complete
    assert len(recording.calls) <= 41


def test_a_long_file_is_not_read(load):
    module = load("def f(X):\n    return X + 1\n" + "# nothing\n" * 200_000)
    _, recording = watched(module)
    assert recording.why == "its source is not to be found"


def test_a_function_that_only_seems_to_be_written_in_python_is_said_to_be_unseen(load):
    wrapped = "f = functools.update_wrapper(functools.partial(abs), g)\n"
    module = load(f"import functools\n\ndef g(X):\n    return X + 1\n\n{wrapped}")
    returned, recording = watched(module)
    np.testing.assert_array_equal(returned, X)
    assert (recording.why, recording.events) == ("none of its statements was seen to run", [])


def test_a_program_of_one_expression_gives_what_it_returns(load):
    module = load("f = lambda X: {'W': (lambda A: A.T @ A)(X + 1), 'b': X.sum(axis=0)}\n")
    _, recording = watched(module)
    assert {"return['W']", "return['b']", "A"} <= {event.path for event in recording.events}


# its parts


def test_statements_are_found_without_columns(load):
    module = load("def f(X):\n    A = X + 1\n    return A\n")
    code = module.f.__code__
    source = source_of(code, vars(module))

    class Bare:
        co_name, co_firstlineno, co_code = code.co_name, code.co_firstlineno, code.co_code

        def co_positions(self):
            return ((line, None, None, None) for line, *_ in code.co_positions())

    bare, crowded = source.table(Bare())
    full, _ = source.table(code)
    assert not crowded
    assert bare[2:] == full[2:]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("A", ["A"]),
        ("A.T", ["A", "A.T"]),
        ("W[l]", ["W", "W[1]"]),
        ("W[-1]", ["W", "W[1]"]),
        ("W[l - 1]", ["W", "W[0]"]),
        ("p['W' + str(l)]", ["p", "p['W1']"]),
        ("p[f'W{l}'].T", ["p", "p['W1']", "p['W1'].T"]),
        ("p[f'W{l:02d}']", ["p"]),
        ("p['W' * l]", ["p"]),
        ("p[g(l)]", ["p"]),
        ("A[0]", ["A"]),
        ("missing[0]", ["missing"]),
        ("g(A)[0]", []),
    ],
)
def test_an_expression_leads_along_a_path(text, paths):
    import ast

    variables = {"A": X, "W": [X, X], "p": {"W1": X}, "l": 1}
    assert paths_along(ast.parse(text, mode="eval").body, variables)[0] == paths
