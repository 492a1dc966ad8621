"""toy.md: its blocks, one after another, are the output of examples/toy.py, and every array is glassmax's."""

import re
import runpy
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from glassmax import Network, functional
from glassmax.tracing import toy
from tests.pages.notation import ROOT, agree, blocks, text_of, with_last_digit_changed

TOY = text_of("toy.md")


@cache
def toy_truth():
    """Return the toy's network and data, and glassmax's arrays under the names that the page prints."""
    example = runpy.run_path(str(ROOT / "examples" / "toy.py"))
    X, y = example["X"], example["y"]
    net = Network.from_parameters(example["WEIGHTS"], activation="sigmoid")
    tape, (L, gradients) = net.forward(X), net.loss_and_gradients(X, y)
    P, dP, dZ2 = (
        tape.P,
        functional.cross_entropy_vjp(1, tape.P, y),
        functional.softmax_cross_entropy_vjp(1, tape.Z[2], y),
    )
    dA1 = functional.affine_vjp(dZ2, tape.A[1], example["W2"])[0]
    return (
        net,
        X,
        y,
        {
            **{
                "X": X,
                "Z1": tape.Z[1],
                "A1": tape.A[1],
                "Z2": tape.Z[2],
                "E": np.exp(tape.Z[2]),
                "P": P,
                "L": L,
                "dP": dP,
            },
            **{"L_i": functional.cross_entropy(P, y, reduction="none"), "J": functional.softmax_jacobian(tape.Z[2][0])},
            **{"J @ ones, the row sums": np.zeros(3), "dL0_dp": 5 * dP[0]},
            **{"dL0_dp @ J": functional.softmax_vjp(5 * dP[0], P[0]), "dZ2": dZ2, "dA1": dA1},
            "dZ1": functional.sigmoid_vjp(dA1, tape.Z[1]),
            **{f"d{name}": gradient for name, gradient in gradients.items()},
        },
    )


def check_toy(page):
    """Hold each array of toy.md against glassmax; return the names that were found."""
    net, X, y, truth = toy_truth()
    found = re.findall(
        r"^(\S.*?)(?: = .*?)?  +\S.*\n(?:  .*\n)*  shape (\(.*?\)).*\n((?:[\[ ].*\n|[\d.]+\n)+)", page, re.M
    )
    for name, shape, array in found:
        values = np.array(re.sub(r"[\[\]]", " ", array).split(), float)
        assert eval(shape) == np.shape(truth[name])
        agree(values, np.ravel(truth[name]))
    check_single_weight(page, net, X, y, truth["dW2"][4, 0])
    check_update(page, net.astype("float64"), X, y)
    return [name for name, *_ in found]


def check_single_weight(page, net, X, y, slope):
    agree(float(re.search(r"^dW2\[4, 0\] = (\S+)\. ", page, re.M)[1]), slope)
    rows = re.findall(r"^ +(\d+\.\d\d) +(\S+) +(\S+) +(\S+)$", page, re.M)
    assert len(rows) == 3
    for step, *printed in ([float(number) for number in row] for row in rows):
        moved = net.astype("float64")
        moved.parameters["W2"][4, 0] += step
        change = moved.loss(X, y) - net.loss(X, y)
        np.testing.assert_allclose(printed, [slope * step, change, change - slope * step], rtol=0, atol=0.5e-6)


def check_update(page, net, X, y):
    rate = float(re.search(r"subtract ([\d.]+) times its gradient", page)[1])
    losses = [float(loss) for loss in re.search(r"^L before  (\S+)\nL after   (\S+)$", page, re.M).groups()]
    agree(losses[0], net.loss(X, y))
    net.step(net.loss_and_gradients(X, y)[1], rate)
    agree(losses[1], net.loss(X, y))


def test_the_toy_page_is_the_output_of_the_toy_example():
    done = subprocess.run([sys.executable, ROOT / "examples" / "toy.py"], capture_output=True, text=True, check=True)
    assert "\n".join(blocks(TOY, "text")) == done.stdout


def test_every_array_of_the_toy_page_is_glassmaxs():
    names = "X Z1 A1 Z2 E P L_i L dP J|J @ ones, the row sums|dL0_dp|dL0_dp @ J|dZ2 dW2 db2 dA1 dZ1 dW1 db1"
    assert check_toy(TOY) == [name for part in names.split("|") for name in ([part] if "@" in part else part.split())]


def test_a_change_in_the_last_digit_of_any_number_of_the_toy_page_is_found():
    numbers = list(re.finditer(r"(?<![\w.])\d+\.\d+(?=[\s\]]|\. )", TOY))
    assert len(numbers) > 350
    for number in numbers:
        with pytest.raises(AssertionError):
            check_toy(with_last_digit_changed(TOY, number))


def test_the_toy_that_glassmax_traces_is_that_of_the_example():
    network, X, y = toy()
    example = runpy.run_path(str(ROOT / "examples" / "toy.py"))
    assert list(network.parameters) == list(example["WEIGHTS"])
    for name, weights in example["WEIGHTS"].items():
        np.testing.assert_array_equal(network.parameters[name], weights)
    np.testing.assert_array_equal(X, example["X"])
    np.testing.assert_array_equal(y, example["y"])
    assert network.activations == ("sigmoid",)
