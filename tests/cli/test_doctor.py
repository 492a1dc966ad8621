"""glassmax doctor, as a person runs it: a learner's file or an archive in, a diagnosis out, whatever the file does.

A learner's file is run by a process that the command starts, so most tests call the command in this one. No file may
bring a traceback, hang, leave a process or a file behind, or write into stdout.
"""

import io
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from glassmax import Network
from glassmax.doctor.diagnose_file import diagnose_file
from glassmax.errors import LearnerFileError, OptionError
from glassmax.learner.array_file import read_array_file
from glassmax.learner.template import TEMPLATE
from tests.cli.test_cli import LIMIT, call

HEAD = 'import os, sys, time\nimport numpy as np\nnetwork = "4-10-3"\nactivation = "sigmoid"\n'
FUNCTION = "def gradients(parameters, X, y):\n    "
WRONG = TEMPLATE.replace("dZ2 = (P - Y) / n", "dZ2 = (Y - P) / n")
NEVER = "while True:\n        pass"
BACK = "return parameters"


@pytest.fixture
def doctor(monkeypatch, capsys, tmp_path):
    """Run the command in an empty folder with the files that are given; nothing may have been added to it."""
    monkeypatch.chdir(tmp_path)

    def doctor(*argv, **files):
        for name, content in files.items():
            path = tmp_path / name.replace("_py", ".py").replace("_npz", ".npz")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        before = sorted(path.name for path in tmp_path.iterdir())
        result = call(monkeypatch, capsys, "doctor", *argv)
        assert "Traceback" not in result.out + result.err
        assert "its own fault" not in result.err
        if "--template" not in argv:
            assert sorted(path.name for path in tmp_path.iterdir()) == before
        return result

    return doctor


@pytest.fixture
def of(doctor):
    """Diagnose a file that holds some Python; it has time enough on a busy machine, unless it never ends."""
    ample = ("--time-limit", LIMIT)
    return lambda source, *argv: doctor("my.py", *(() if "--time-limit" in argv else ample), *argv, my_py=source)


def limit(source):
    """A second for what never ends, and the time that it takes for everything else."""
    return ("--time-limit", 1) if NEVER in str(source) or "sleep(1000)" in str(source) else ()


def found(result):
    """The causes in a diagnosis printed as JSON."""
    return [finding["cause"] for finding in json.loads(result.out)["findings"]]


# --- what a file says ------------------------------------------------------------------------------------------------


def test_a_correct_file_exits_with_0_and_says_so(of):
    result = of(TEMPLATE)
    assert (result.code, result.err) == (0, "")
    assert "correct" in result.out.splitlines()[0].lower()


def test_a_wrong_file_exits_with_1_and_names_the_cause(of):
    result = of(WRONG, "--json")
    assert result.code == 1
    assert json.loads(result.out)["verdict"] == "wrong"
    assert found(result)[0] == "sign"


def test_a_factor_is_a_convention_until_the_loss_is_declared(of):
    summed = TEMPLATE.replace("(P - Y) / n", "P - Y").replace("declared = True", "declared = False")
    result = of(summed, "--json")
    assert (result.code, json.loads(result.out)["verdict"]) == (0, "correct under another convention")
    assert json.loads(result.out)["conventions"]
    result = of(summed, "--json", "--declared")
    assert (result.code, found(result)[0]) == (1, "factor")


def test_json_is_one_line_with_every_field(of):
    result = of(WRONG, "--json")
    answer = json.loads(result.out)
    assert len(result.out.splitlines()) == 1
    assert {"verdict", "correct", "first_wrong", "conventions", "lines", "findings", "text", "notes"} <= set(answer)
    assert "printed" in answer
    assert [line["name"] for line in answer["lines"]] == ["W1", "b1", "W2", "b2"]
    fields = {"cause", "where", "parameters", "says", "evidence", "line", "reason", "cell", "indistinguishable"}
    assert fields <= set(answer["findings"][0])


def test_a_file_without_data_gets_rows_that_stand_in_and_is_told_so(of):
    without = re.sub(r"X = np.array\(.*?\n\)\ny = .*?\n", "", TEMPLATE, flags=re.S)
    assert "\nX = " not in without
    result = of(without)
    assert result.code == 0
    assert "7 random samples of 4 features" in result.err
    assert "class indices" in result.err


def test_y_comes_as_one_hot_rows_where_the_function_wants_them(of):
    without = re.sub(r"X = np.array\(.*?\n\)\ny = .*?\n", "", TEMPLATE, flags=re.S).replace("Y = np.eye(3)[y]", "Y = y")
    result = of(without)
    assert result.code == 0
    assert "one-hot rows" in result.err


def test_what_is_not_declared_is_taken_for_granted_and_said(of):
    short = "\n".join(line for line in TEMPLATE.splitlines() if not re.match(r"(activation|output|loss) = ", line))
    result = of(short)
    assert result.code == 0
    granted = "activation = 'sigmoid', output = 'softmax', loss = 'cross_entropy'"
    assert f"Assumed: {granted}." in result.err


def test_an_option_goes_before_the_line_of_the_file(of):
    assert of(TEMPLATE, "--activation", "tanh").code == 1
    assert of(TEMPLATE.replace('"sigmoid"', '"tanh"'), "--activation", "sigmoid").code == 0
    assert of(TEMPLATE.replace('network = "4-10-3"', ""), "--network", "4,10,3").code == 0


def test_an_activation_that_is_not_declared_is_found_where_it_explains_the_gradients(of):
    tanh = TEMPLATE.replace('activation = "sigmoid"', "").replace("1 / (1 + np.exp(-Z1))", "np.tanh(Z1)")
    right = tanh.replace("A1 * (1 - A1)", "(1 - A1**2)")
    result = of(right)
    assert (result.code, "tanh explains these gradients, sigmoid does not" in result.err) == (0, True)
    result = of(right.replace("(P - Y) / n", "(Y - P) / n"), "--json")
    assert (result.code, found(result)) == (1, ["sign"])


@pytest.mark.parametrize("network", ["'4-10-3'", "[4, 10, 3]", "(4, 10, 3)", "np.array([4, 10, 3])"])
def test_a_network_is_written_as_text_or_as_numbers(of, network):
    assert of(TEMPLATE.replace('"4-10-3"', network)).code == 0


def test_a_loss_of_the_learners_own_needs_no_network(of):
    own = """
import numpy as np
X, y = np.array([[1.0, 2.0], [0.5, -1.0], [-1.0, 0.3]]), np.array([1.0, 0.0, 2.0])
parameters = {"w": np.array([0.3, -0.2]), "c": np.array([0.1])}
def loss(p, X, y):
    return np.mean((X @ p["w"] + p["c"] - y) ** 2)
def gradients(p, X, y):
    e = 2 * (X @ p["w"] + p["c"] - y) / len(X)
    return {"w": X.T @ e, "c": np.array([e.sum()])}
"""
    assert of(own).code == 0
    assert of(own.replace("X.T @ e", "-X.T @ e")).code == 1


def test_a_file_may_import_its_neighbours_and_is_not_run_as_the_program(doctor):
    mine = TEMPLATE.replace("import numpy as np", "import numpy as np\nfrom mine import one")
    mine += "\nif __name__ == '__main__':\n    raise SystemExit('run')\n"
    assert doctor("my.py", my_py=mine, mine_py="one = 1\n").code == 0


def test_a_file_named_like_a_library_is_loaded_as_itself(doctor):
    assert doctor("numpy.py", numpy_py=TEMPLATE).code == 0


# --- what a file does ------------------------------------------------------------------------------------------------


def test_what_a_file_prints_goes_to_stderr_behind_a_bar(of):
    loud = TEMPLATE.replace("    # forward", "    print('loss', 3)\n    # forward")
    result = of(loud)
    assert result.code == 0
    assert "loss" not in result.out
    assert "my.py printed:\n  | loss 3\n" in result.err


def test_a_flood_of_prints_is_cut(of):
    flood = TEMPLATE.replace("    # forward", "    for i in range(50_000): print('x' * 100)\n    # forward")
    result = of(flood, "--time-limit", 60)
    assert result.code == 0
    assert len(result.err) < 10_000
    assert "bytes more" in result.err


def test_prints_stay_out_of_json(of):
    result = of(TEMPLATE.replace("    # forward", "    print('{')\n    # forward"), "--json")
    assert json.loads(result.out)["printed"].startswith("{\n")


@pytest.mark.parametrize(
    ("source", "cause", "words"),
    [
        (FUNCTION + NEVER, "never_returns", r"gradients had not returned after 1 s \(my.py, line [67]\)"),
        (FUNCTION + "time.sleep(1000)", "never_returns", r"line 6\)\.\n    time.sleep\(1000\)\n"),
        (FUNCTION + "return 1 / 0", "raises", r"raises ZeroDivisionError in my.py, line 6: division by zero"),
        (FUNCTION + "return X @ X", "raises", r"It was given W1 \(4, 10\), .*, X \(7, 4\), y \(7,"),
        (FUNCTION + "return gradients(parameters, X, y)", "raises", "RecursionError"),
        (FUNCTION + "sys.exit(3)", "raises", r"ends the program by SystemExit \(my.py, line 6\)"),
        (FUNCTION + "os._exit(3)", "raises", r"ends its process with exit code 3"),
        (FUNCTION + "os.abort()", "raises", "SIGABRT"),
        (FUNCTION + "return input('value: ')", "raises", r"waits for keyboard input \(my.py, line 6\)"),
        (FUNCTION + "raise KeyboardInterrupt", "raises", "KeyboardInterrupt in my.py, line 6"),
        (FUNCTION + "return np.ones((10**6, 10**6))", "raises", "MemoryError"),
    ],
)
def test_a_function_that_gives_no_answer_gets_one_in_three_lines(of, source, cause, words):
    result = of(HEAD + source, *limit(source))
    assert (result.code, len(result.out.splitlines()) <= 3) == (1, True)
    assert re.search(words, result.out), result.out
    assert result.out.startswith("wrong: ")
    again = of(HEAD + source, *limit(source), "--json")
    assert (again.code, found(again)) == (1, [cause])


@pytest.mark.parametrize(
    ("body", "causes"),
    [
        ("return None", {"wrong_keys"}),
        ("return {}", {"wrong_keys"}),
        ("return {name: array for name, array in parameters.items() if name != 'b1'}", {"wrong_keys"}),
        ("return {name: array * np.nan for name, array in parameters.items()}", {"not_finite"}),
        ("parameters['W1'] += 1; return parameters", {"writes_inputs"}),
        ("return {name: np.random.standard_normal(a.shape) for name, a in parameters.items()}", {"nondeterministic"}),
        ("yield parameters", {"wrong_keys"}),
        ("return 'W1'", {"wrong_keys"}),
    ],
)
def test_what_a_function_returns_or_writes_is_told_by_its_cause(of, body, causes):
    result = of(HEAD + FUNCTION + body, "--json")
    assert result.code == 1
    assert causes & {*found(result)}, result.out


@pytest.mark.parametrize("end", ["os._exit(3)", "os.abort()", "sys.exit(3)", "1 / 0"])
def test_a_function_that_does_not_like_to_be_watched_gets_its_diagnosis_without_lines(of, end):
    tools = "any(map(sys.monitoring.get_tool, range(6)))" if hasattr(sys, "monitoring") else "sys.gettrace()"
    spy = f"def gradients(parameters, X, y):\n    if {tools}: {end}\n"
    result = of("import os, sys\n" + WRONG.replace("def gradients(parameters, X, y):\n", spy), "--json")
    told = json.loads(result.out)
    assert (result.code, found(result)) == (1, ["sign"])
    assert told["findings"][0]["line_number"] == 0
    assert any("the function did not return" in note for note in told["notes"]) == end.startswith("os.")


def test_shapes_that_do_not_fit_are_named(of):
    result = of(HEAD + FUNCTION + "return {name: np.ones((2, 2, 2)) for name in parameters}")
    assert result.code == 1
    assert "has shape (2, 2, 2), expected (10, 3)" in " ".join(result.out.split())


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = (1\n", "Error: my.py, line 1: '(' was never closed.\nx = (1\n    ^\n"),
        ("def gradients(p, X, y):\nreturn p\n", "Error: my.py, line 2: expected an indented block*return p\n^\n"),
        ("x = 1\n\ny = 1 / 0\n", "Error: my.py, line 3, raises ZeroDivisionError: division by zero, *: y = 1 / 0. *\n"),
        ("import nosuch\n", "Error: my.py, line 1, raises ModuleNotFoundError: No module named 'nosuch', *\n"),
        (
            "import sys\nsys.exit()\n",
            "Error: my.py, line 2, ends the program while the file is loaded: sys.exit(). *\n",
        ),
        ("import os\nos._exit(0)\n", "Error: my.py ends its process with exit code 0, *, while it is loaded.\n"),
        (
            "n = int(input())\n",
            "Error: my.py, line 1, waits for keyboard input, which never comes: n = int(input()). *\n",
        ),
        ("x = 1\n", "Error: my.py defines no gradients(parameters, X, y). Write one, or see *\n"),
        ("gradients = 3\n", "Error: my.py defines no gradients(parameters, X, y). Write one, *\n"),
        ("def backprop(p): 1\n", "Error: my.py defines no gradients(parameters, X, y). It has backprop: rename *\n"),
        (b"x = 1\0", "Error: my.py*null bytes.\n"),
        (b"\xff\xfe", "Error: my.py*decode byte 0xff*"),
        (b"# coding: klingon\n", "Error: my.py*unknown encoding: klingon.\n"),
        ("x = " + "(" * 1000, "Error: my.py, line 1: too many nested parentheses.\n*^\n"),
        (
            "def gradients(p, X): 1\n",
            "Error: my.py: gradients(p, X) can't be called with three arguments, expected *\n",
        ),
        (FUNCTION + BACK, "Error: my.py declares neither a network nor a loss. Add a line such as *\n"),
        ("network = 7\n" + FUNCTION + BACK, "Error: my.py: network is 7, expected sizes from 1 to 100000, such as *\n"),
        ("network = '4-0-3'\n" + FUNCTION + BACK, "Error: my.py: network is '4-0-3', expected sizes from 1 to *\n"),
        (HEAD + "activation = 'tahn'\n" + FUNCTION + BACK, "Error: my.py: activation is 'tahn', *mean 'tanh'?\n"),
        (HEAD + "output = 'max'\n" + FUNCTION + BACK, "Error: my.py: output is 'max', expected one of softmax, *\n"),
        (HEAD + "l2 = -1\n" + FUNCTION + BACK, "Error: my.py: l2 is -1, expected a number >= 0.\n"),
        (HEAD + "X = np.ones((3, 4))\n" + FUNCTION + BACK, "Error: my.py has X but no y. Add it, or leave both out.\n"),
        (
            "def loss(p, X, y): return 1.0\n" + FUNCTION + BACK,
            "Error: my.py has a loss function but no X, no y, no parameters. Add them, or declare the network, *\n",
        ),
        (HEAD + "time.sleep(1000)\n", "Error: my.py, line 5 was still being loaded after 1 s: time.sleep(1000). *\n"),
    ],
)
def test_a_file_that_cannot_be_diagnosed_exits_with_1_and_says_why(of, source, words):
    result = of(source, *limit(source))
    assert (result.code, result.out) == (1, "")
    pattern = ".*".join(map(re.escape, words.split("*")))
    assert re.fullmatch(pattern, result.err, re.S), result.err
    assert len(result.err.splitlines()) <= 3


def test_control_characters_of_a_file_do_not_reach_the_terminal(of):
    result = of("raise ValueError('\\x1b[31mred\\n\\x07bell')\n")
    assert "\x1b" not in result.err
    assert "\x07" not in result.err
    loud = of(TEMPLATE.replace("    # forward", "    print('\\x1b[2J')\n    # forward"))
    assert "\x1b" not in loud.err


def test_a_message_of_megabytes_is_cut(of):
    assert len(of(HEAD + FUNCTION + "raise ValueError('x' * 10**7)").out) < 1000


def test_an_exception_that_cannot_be_printed_is_named(of):
    source = "class E(Exception):\n    def __str__(self): raise self\n" + HEAD + FUNCTION + "raise E"
    assert "raises E in my.py, line 8" in of(source).out


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("X, y = [[1, 2], [3]], [0, 1]", "X has rows of different lengths, expected an array"),
        ("X, y = np.ones((0, 4)), np.ones(0, int)", "X is empty, expected at least one sample"),
        ("X, y = np.ones((3, 4)), np.array(['a', 'b', 'c'])", "y holds <U1 values, expected numbers"),
        ("X, y = np.ones((3, 7)), np.array([0, 1, 2])", "X is (3, 7)"),
        ("declared = np.ones(3)", "declared is array([1., 1., 1.]), expected True or False"),
    ],
)
def test_data_that_are_none_are_one_line(of, data, words):
    result = of(f"{HEAD}{data}\n{FUNCTION}{BACK}")
    assert (result.code, result.out) == (1, "")
    assert re.match(f"Error: my.py: .*{re.escape(words)}", result.err), result.err


def test_a_loss_that_never_returns_is_named(of):
    result = of(f"{TEMPLATE}\ndef loss(parameters, X, y):\n    {NEVER}\n", "--time-limit", 1)
    assert result.out.startswith("wrong: loss had not returned after 1 s")


def test_an_answer_that_bites_is_told(of):
    biting = "class Dict(dict):\n    def __getitem__(self, name): raise RuntimeError('no')\n"
    result = of(HEAD + biting + FUNCTION + "return Dict(parameters)")
    assert "the value that gradients returned raises RuntimeError in my.py, line 6: no" in result.out
    result = of(HEAD + FUNCTION + "answer = {}; answer['W1'] = answer; return answer")
    assert "nested without end" in result.err


@pytest.mark.parametrize("axis", ["", "[:, None]"])
def test_the_labels_of_one_output_come_with_or_without_their_axis(of, axis):
    source = f"""
import numpy as np
network, output = "3-1", "sigmoid"
def gradients(p, X, y):
    d = (1 / (1 + np.exp(-(X @ p["W1"] + p["b1"]))) - y{axis}) / len(X)
    return {{"W1": X.T @ d, "b1": d.sum(axis=0)}}
"""
    assert of(source).code == 0


def test_a_fork_answers_once(of):
    forked = TEMPLATE.replace("import numpy as np", "import os\nimport numpy as np\nos.fork()")
    result = of(forked)
    assert result.code == 0
    assert len(re.findall("(?i)correct", result.out)) == len(re.findall("(?i)correct", of(TEMPLATE).out))


@pytest.mark.parametrize("end", [NEVER, BACK])
@pytest.mark.parametrize("option", ["", ", start_new_session=True"])
def test_what_the_file_has_started_ends_with_it(of, end, option):
    started = (
        f"import subprocess\n    child = subprocess.Popen(['sleep', '600']{option})\n    print('pid', child.pid)\n    "
    )
    result = of(HEAD + FUNCTION + started + end, *limit(end))
    pids = [int(pid) for pid in re.findall(r"pid (\d+)", result.err)]
    assert pids
    assert [pid for pid in pids if _runs(pid)] == []


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_ctrl_c_ends_the_file_too(tmp_path):
    (tmp_path / "my.py").write_text("import os\nopen('pid', 'w').write(str(os.getpid()) + '.')\nwhile True: pass\n")
    argv = [sys.executable, "-m", "glassmax", "doctor", "my.py", "--time-limit", "100"]
    with subprocess.Popen(argv, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as command:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().endswith("."):
            assert command.poll() is None
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=LIMIT)
    assert command.returncode == 130
    assert err.splitlines()[-1] == "Interrupted. Nothing was written."
    assert not _runs(int((tmp_path / "pid").read_text().rstrip(".")))


def test_nothing_is_left_in_the_temporary_folder(of, tmp_path_factory, monkeypatch):
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    of(TEMPLATE)
    of(HEAD + FUNCTION + NEVER, "--time-limit", 1)
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds to the limit")
def test_the_memory_limit_holds(of):
    result = of(HEAD + FUNCTION + "return np.ones(10**9)", "--memory-limit", 2000)
    assert "MemoryError" in result.out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nope.py", "nope.py: there is no such file. `glassmax doctor --template nope.py` writes one to start from."),
        ("folder", "folder is a folder, expected a Python file."),
        ("pipe", "pipe is not a regular file, expected a Python file."),
        ("a.ipynb", "a.ipynb is a notebook, expected a Python file. Save the cell as a .py file."),
        ("x" * 300, f"{'x' * 300} can't be read: File name too long."),
    ],
)
def test_what_is_no_python_file_is_told_in_words(doctor, tmp_path, name, words):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.ipynb").write_text("{}")
    result = doctor(name)
    assert (result.code, result.err) == (1, f"Error: {words}\n")


def test_the_library_call_says_the_same(tmp_path):
    (tmp_path / "my.py").write_text(WRONG)
    assert diagnose_file(tmp_path / "my.py").diagnosis["verdict"] == "wrong"
    with pytest.raises(LearnerFileError, match="there is no such file"):
        diagnose_file(tmp_path / "nope.py")
    with pytest.raises(OptionError, match="time_limit"):
        diagnose_file(tmp_path / "my.py", time_limit=0)


# --- the listing ------------------------------------------------------------------------------------------------------


def test_the_listing_stands_before_the_diagnosis(of):
    result = of(TEMPLATE, "--annotate")
    listing, _, diagnosis = result.out.rpartition("\n\ncorrect\n")
    assert result.code == 0
    assert diagnosis.startswith("\nW1  right")
    assert re.search(r"A1 = 1 / \(1 \+ np.exp\(-Z1\)\) +right  A1 = sigmoid\(Z1\)  \(5, 10\)\n", listing)
    assert "wrong" not in listing.partition("def gradients")[2]


def test_the_listing_of_a_wrong_file_says_what_to_write(of):
    result = of(WRONG, "--annotate")
    assert result.code == 1
    wrong = [line for line in result.out.splitlines() if re.search(r"  wrong  ", line)]
    assert wrong
    assert any(re.match(r" *\+  \S? *", line) for line in result.out.splitlines())


def test_the_listing_is_in_the_json(of):
    answer = json.loads(of(TEMPLATE, "--annotate", "--json").out)
    lines = {line["text"].strip(): line["notes"] for line in answer["annotated"]["lines"]}
    assert lines["dW2 = A1.T @ dZ2"] == [
        {"name": "dW2", "meaning": "dW2 = A1ᵀ dZ2", "shape": "(10, 3)", "verdict": "right"}
    ]
    assert "annotated" not in json.loads(of(TEMPLATE, "--json").out)


def test_a_function_that_never_returns_has_no_listing(of):
    result = of(HEAD + FUNCTION + NEVER, "--annotate", "--time-limit", 1)
    assert result.code == 1
    assert result.out.startswith("wrong: gradients had not returned after 1 s (my.py, line ")
    assert "There is no listing: gradients returned nothing" in result.err


def test_the_listing_shows_no_control_characters(of):
    result = of(TEMPLATE.replace("n = len(X)", "n = len(X)  # \x1b[31mred"), "--annotate")
    assert "\x1b" not in result.out
    assert "\\x1b[31mred" in result.out


# --- arrays ----------------------------------------------------------------------------------------------------------


def archive(rename=str, parameters=True, wrong=1.0, **more):
    """The bytes of an archive with the gradients of a 4-10-3 network."""
    network, draw = Network([4, 10, 3], activation="tanh"), np.random.default_rng(0)
    X, y = draw.standard_normal((6, 4)), np.arange(6) % 3
    _, gradients = network.loss_and_gradients(X, y)
    arrays = {"X": X, "y": y} | (dict(network.parameters) if parameters else {})
    arrays |= {rename(name): wrong * array for name, array in gradients.items()} | more
    file = io.BytesIO()
    np.savez(file, **{name: array for name, array in arrays.items() if array is not None})
    return file.getvalue()


@pytest.fixture
def of_arrays(doctor):
    """Diagnose the bytes of an archive."""
    given = ("--arrays", "my.npz", "--network", "4-10-3", "--activation", "tanh")
    return lambda content, *argv: doctor(*given, *argv, my_npz=content)


NAMES = ["d{}", "grad_{}", "grads_{}", "{}_grad", "dL_d{}", "d_{}"]


@pytest.mark.parametrize("name", NAMES)
def test_gradients_in_an_archive_are_told_by_their_names(of_arrays, name):
    result = of_arrays(archive(name.format))
    assert (result.code, "starting weights" in result.err) == (0, False)
    result = of_arrays(archive(name.format, wrong=-2.0), "--json", "--declared")
    assert (result.code, json.loads(result.out)["verdict"]) == (1, "wrong")


@pytest.mark.parametrize("name", ["{}", "d{}"])
def test_without_parameters_the_gradients_are_those_at_the_starting_weights(of_arrays, name):
    result = of_arrays(archive(name.format, parameters=False))
    assert result.code == 0
    assert "initial weights of glassmax.Network, random_state=0" in result.err


def test_the_activation_of_arrays_is_found_where_it_is_not_given(doctor):
    result = doctor("--arrays", "my.npz", "--network", "4-10-3", my_npz=archive("d{}".format))
    assert (result.code, "tanh explains these gradients" in result.err) == (0, True)


def test_numbers_beside_the_arrays_are_left_alone(of_arrays):
    assert of_arrays(archive("d{}".format, lr=0.1, epoch=3)).code == 0


def test_one_hot_rows_under_a_capital_letter_are_labels(of_arrays):
    assert of_arrays(archive("d{}".format, y=None, Y=np.eye(3)[np.arange(6) % 3])).code == 0


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(f"{name}.npy", content)
    return file.getvalue()


def header(shape):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    return file.getvalue().replace(b"(1000000000000,)", shape.ljust(16).encode())


SCHEME = "Expected W1, b1, ... for parameters, dW1, db1, ... for gradients, X and y"
DAMAGED = "is damaged, or not an array. Save it again with numpy.savez."
NO_ARCHIVE = "my.npz is not a complete .npz file. Save it with numpy.savez(path, W1=W1, ...)."
HOSTILE = {
    "an_empty_file": (b"", NO_ARCHIVE),
    "something_else": (b"\x93NUMPY\x01\x00", NO_ARCHIVE),
    "a_pickle": (b"\x80\x04]\x94.", NO_ARCHIVE),
    "a_file_cut_short": (archive()[:-200], NO_ARCHIVE),
    "a_flipped_byte": (archive()[:300] + b"\xff" + archive()[301:], NO_ARCHIVE),
    "an_array_of_objects": (archive(W1=np.array([{}], dtype=object)), "W1 in my.npz is of type object, expected *"),
    "texts": (archive(y=np.array(["a"] * 6)), "y in my.npz is of type <U1, expected an array of numbers."),
    "complex_numbers": (archive(X=np.ones((6, 4), complex)), "X in my.npz is of type complex128, expected *"),
    "no_array": (zipped(X=b"hello"), f"X in my.npz {DAMAGED}"),
    "code_for_a_shape": (zipped(X=header("__import__('os')")), f"X in my.npz {DAMAGED}"),
    "a_negative_shape": (zipped(X=header("(-1, -1)")), f"X in my.npz {DAMAGED}"),
    "a_shape_beyond_the_file": (
        zipped(X=header("(10000000000,)")),
        "X in my.npz claims shape (10000000000,), which is more than the file holds.",
    ),
    "nothing": (zipped(), f"my.npz has no X. {SCHEME}; it has nothing."),
    "no_labels": (archive(y=None), f"my.npz has no y. {SCHEME}; it has W1, W2, b1, b2."),
    "no_gradients": (zipped(X=header("(0,)"), y=header("(0,)")), f"my.npz has no gradients. {SCHEME}."),
    "a_gradient_too_few": (archive("d{}".format, db2=None), f"my.npz has no gradient for b2. {SCHEME}; it has *"),
    "labels_out_of_range": (archive(y=np.arange(6) * 7), "my.npz: *label*expected*"),
    "too_few_columns": (archive(X=np.ones((6, 3))), "my.npz: * and X is (6, 3): *"),
}


@pytest.mark.filterwarnings("ignore:Reading `.npy`")
@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_one_line(of_arrays, case):
    content, words = HOSTILE[case]
    result = of_arrays(content)
    assert (result.code, result.out) == (1, "")
    pattern = ".*".join(map(re.escape, words.split("*")))
    assert re.search(f"^Error: {pattern}$", result.err, re.M), result.err


def test_an_archive_that_unpacks_to_gigabytes_is_refused_unread(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as target, target.open("X.npy", "w") as file:
        for _ in range(1025):
            file.write(bytes(1 << 20))
    with pytest.raises(LearnerFileError, match="holds more than 1000 arrays or 1024 MiB"):
        read_array_file(tmp_path / "bomb.npz")


# --- the file to start from ------------------------------------------------------------------------------------------


def test_the_template_is_written_runs_and_is_never_written_over(doctor, tmp_path):
    result = doctor("--template", "mine.py")
    assert (result.code, result.out) == (0, "")
    written = (tmp_path / "mine.py").read_text(encoding="utf-8")
    assert "glassmax doctor mine.py" in written
    assert doctor("mine.py").code == 0
    result = doctor("--template", "mine.py")
    assert (result.code, result.err) == (1, "Error: mine.py exists, and is left as it is. Give another name.\n")
    assert (tmp_path / "mine.py").read_text(encoding="utf-8") == written
    result = doctor("--template", "nowhere/mine.py")
    assert "nowhere/mine.py can't be written: No such file or directory." in result.err


def test_the_template_without_a_name_goes_to_stdout(doctor):
    result = doctor("--template")
    assert (result.code, result.out, result.err) == (0, TEMPLATE, "")


# --- the command line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ((), "exactly one of them"),
        (("my.py", "--arrays", "my.npz"), "exactly one of them"),
        (("--arrays", "my.npz"), "--network SIZES"),
        (("my.py", "--network", "4"), "--network is '4', expected sizes"),
        (("my.py", "--network", "90000-90000-3"), "A small network shows the same mistakes"),
        (("my.py", "--network", "4-x-3"), "--network is '4-x-3', expected sizes"),
        (("my.py", "--activation", "tahn"), "Did you mean 'tanh'?"),
        (("--arrays", "my.npz", "--network", "4-3", "--loss", "mse"), "--loss is 'mse', expected one of"),
        (("my.py", "--time-limit", "0"), "--time-limit"),
        (("my.py", "--time-limit", "nan"), "--time-limit"),
        (("my.py", "--l2", "-1"), "--l2"),
        (("my.py", "--l2", "nan"), "--l2"),
        (("my.py", "other.py"), "other.py"),
        (("--annotate",), "exactly one of them"),
        (("--annotate", "--template"), "--annotate needs a FILE with code"),
        (("--annotate", "--arrays", "my.npz", "--network", "4-3"), "--annotate needs a FILE with code"),
    ],
)
def test_a_wrong_command_line_exits_with_2(doctor, argv, words):
    result = doctor(*argv)
    assert (result.code, result.out) == (2, "")
    assert words in result.err


def test_help_shows_an_example(doctor):
    result = doctor("--help")
    assert result.code == 0
    assert "glassmax doctor my_backprop.py" in result.out


def test_torch_is_not_loaded_for_a_function():
    program = (
        "import sys, numpy as np, glassmax as gm\n"
        "net = gm.Network([2, 2])\n"
        "gm.diagnose(lambda p, X, y: net.loss_and_gradients(X, y)[1], np.eye(2), [0, 1], network=net)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
