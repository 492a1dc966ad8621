"""The examples run, print what they promise, and compute what glassmax computes."""

import ast
import csv
import importlib.util
import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from glassmax import Network, functional

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def load(name):
    """Import an example as a module, without running its main part."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name):
    done = subprocess.run([sys.executable, EXAMPLES / f"{name}.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def toy():
    return load("toy")


@pytest.fixture
def one_file():
    return load("one_file")


# toy.py


def test_the_arrays_of_the_toy_are_the_table_that_ships_with_glassmax(toy):
    text = (resources.files("glassmax") / "table" / "data" / "toy.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    assert rows[0] == ["x1", "x2", "x3", "x4", "class"]
    assert np.array_equal(toy.X, [[float(cell) for cell in row[:4]] for row in rows[1:]])
    assert ["abc"[label] for label in toy.y] == [row[4] for row in rows[1:]]


def test_the_weights_of_the_toy_are_tenths_and_none_is_zero(toy):
    for name, weights in toy.WEIGHTS.items():
        assert np.abs(10 * weights - np.round(10 * weights)).max() < 1e-12, name
        assert np.abs(weights).min() > 0.05, name


def test_the_toy_is_at_most_200_lines_and_prints_at_most_100_columns_of_plain_ascii():
    assert len((EXAMPLES / "toy.py").read_text(encoding="utf-8").splitlines()) <= 200
    printed = run("toy")
    assert max(map(len, printed.splitlines())) <= 100
    assert printed.isascii()
    assert re.search(r"-0\.0+(?!\d)", printed) is None


def test_the_toy_prints_the_same_each_time():
    assert run("toy") == run("toy")


def test_no_number_of_the_toy_is_near_a_rounding_boundary(toy, monkeypatch):
    """So that the last bit of another machine's exp can't change the text."""
    shown = []
    monkeypatch.setattr(toy, "show", lambda value, *_: shown.append(np.ravel(value)))
    with redirect_stdout(io.StringIO()):
        toy.main()
    tenthousandths = 1e4 * np.concatenate(shown)
    assert len(tenthousandths) > 300
    assert np.abs(tenthousandths % 1 - 0.5).min() > 1e-6


def test_what_the_toy_prints_with_other_digits_is_no_near_miss_either(toy):
    net = Network.from_parameters(toy.WEIGHTS, activation="sigmoid")
    before, gradients = net.loss_and_gradients(toy.X, toy.y)
    slope = gradients["W2"][4, 0]
    millionths = []
    for step in (1.0, 0.1, 0.01):
        net.parameters["W2"][4, 0] = toy.W2[4, 0] + step
        measured = net.loss(toy.X, toy.y) - before
        millionths += [1e6 * slope * step, 1e6 * measured, 1e6 * (measured - slope * step)]
    assert np.abs(np.array(millionths) % 1 - 0.5).min() > 1e-3


def test_the_toy_stops_where_glassmax_differs_in_the_twelfth_digit(toy):
    with redirect_stdout(io.StringIO()):
        toy.show(np.ones(3), "glassmax's ones", np.ones(3))
        with pytest.raises(AssertionError):
            toy.show(np.ones(3), "glassmax's ones", np.ones(3) + 2e-12)


def test_the_toy_stops_if_a_formula_of_glassmax_is_wrong(toy, monkeypatch):
    monkeypatch.setattr(functional, "softmax_vjp", lambda dP, P: dP * P * (1 - P))
    with redirect_stdout(io.StringIO()), pytest.raises(AssertionError):
        toy.main()


def test_the_toys_gradients_are_right_and_its_loss_falls(toy):
    printed = run("toy")
    assert re.findall(r"^(W1|b1|W2|b2) .* correct$", printed, re.M) == ["W1", "b1", "W2", "b2"]
    before, after = re.search(r"L before  ([\d.]+)\nL after   ([\d.]+)\n", printed).groups()
    assert float(after) < float(before)


def test_the_toy_leaves_its_weights_as_they_were(toy):
    before = {name: weights.copy() for name, weights in toy.WEIGHTS.items()}
    with redirect_stdout(io.StringIO()):
        toy.main()
    assert all(np.array_equal(weights, before[name]) for name, weights in toy.WEIGHTS.items())


# one_file.py

SIZES = [(4, 3), (4, 6, 3), (4, 7, 6, 5, 3)]


def same_net(sizes, seed=3):
    """Weights of one_file with biases that are not 0, and glassmax's network with the same numbers."""
    draw = np.random.default_rng(seed)
    W, b = load("one_file").new_weights(sizes, draw)
    b = {layer: draw.uniform(-0.5, 0.5, bias.shape) for layer, bias in b.items()}
    named = {f"W{layer}": W[layer] for layer in W} | {f"b{layer}": b[layer] for layer in b}
    return W, b, Network.from_parameters(named, activation="sigmoid")


def batch_of(n=11, soft=False, seed=4):
    draw = np.random.default_rng(seed)
    X, y = draw.normal(size=(n, 4)), draw.integers(3, size=n)
    return X, draw.dirichlet(np.ones(3), n) if soft else np.eye(3)[y]


def test_one_file_is_under_100_lines_and_imports_numpy_alone():
    source = (EXAMPLES / "one_file.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 100
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["import numpy as np"]


@pytest.mark.parametrize("soft", [False, True], ids=["one-hot", "soft"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_loss_and_every_gradient_of_one_file_equal_glassmax(one_file, sizes, soft):
    W, b, net = same_net(sizes)
    X, Y = batch_of(soft=soft)
    A = one_file.forward(X, W, b)
    dW, db = one_file.backward(A, Y, W)
    loss, gradients = net.loss_and_gradients(X, Y)
    assert abs(one_file.cross_entropy(A[len(W)], Y) - loss) < 1e-12
    for layer in W:
        np.testing.assert_allclose(dW[layer], gradients[f"W{layer}"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(db[layer], gradients[f"b{layer}"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_weights_of_one_file_equal_glassmax_after_three_epochs(one_file, sizes):
    W, b, net = same_net(sizes)
    X, Y = batch_of()
    losses = list(one_file.train(X, Y, W, b, rate=0.7, epochs=3, batch=4, rng=np.random.default_rng(5)))
    draw = np.random.default_rng(5)
    for epoch in range(3):
        order = draw.permutation(len(X))
        for rows in (order[:4], order[4:8], order[8:]):
            net.step(net.loss_and_gradients(X[rows], Y[rows])[1], learning_rate=0.7)
        assert abs(losses[epoch] - net.loss(X, Y)) < 1e-12
    for layer in W:
        np.testing.assert_allclose(W[layer], net.parameters[f"W{layer}"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(b[layer], net.parameters[f"b{layer}"], rtol=0, atol=1e-12)


def test_one_file_does_not_change_the_tape_that_it_reads(one_file):
    W, b, _ = same_net((4, 6, 3))
    X, Y = batch_of()
    A = one_file.forward(X, W, b)
    before = {layer: activations.copy() for layer, activations in A.items()}
    one_file.backward(A, Y, W)
    assert all(np.array_equal(A[layer], before[layer]) for layer in A)


def test_softmax_of_one_file_stands_scores_of_a_thousand(one_file):
    assert np.array_equal(one_file.softmax(np.array([[1000.0, 1000.0, 0.0]])), [[0.5, 0.5, 0.0]])
    assert one_file.cross_entropy(np.array([[0.5, 0.5, 0.0]]), np.array([[1.0, 0.0, 0.0]])) == np.log(2)


def test_one_file_prints_a_loss_that_falls():
    printed = run("one_file")
    losses = [float(loss) for loss in re.findall(r"^epoch +\d+   loss ([\d.]+)   accuracy +[\d.]+%$", printed, re.M)]
    assert len(losses) == 10 == len(printed.splitlines())
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.1


# derive_and_diagnose.py


def test_derive_and_diagnose_prints_each_gradient_the_mistake_and_the_corrected_verdict():
    printed = run("derive_and_diagnose")
    assert re.findall(r"^d\w\d = ", printed, re.M) == ["dW1 = ", "db1 = ", "dW2 = ", "db2 = "]
    assert "wrong: the first error is in dZ1" in printed
    assert "activation_missing" in printed
    assert re.search(r"^correct$", printed, re.M)
