"""What can't be judged at all is refused in one sentence; what is only odd is read."""

import numpy as np
import pytest

import glassmax as gm
from glassmax.errors import OptionError, ShapeError

NET = gm.Network([4, 5, 3], activation="tanh")
X = np.random.default_rng(0).normal(size=(6, 4))
Y = np.array([0, 1, 2, 0, 1, 2])
RIGHT = dict(NET.loss_and_gradients(X, Y)[1])
OWN = {name: np.array(view) for name, view in NET.parameters.items()}


def function(p, X, y):
    return RIGHT


def holed(array, value):
    made = np.array(array, float)
    made.flat[1] = value
    return made


@pytest.mark.parametrize("gradients", [RIGHT, function])
@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"X": np.zeros((0, 4))}, ShapeError, r"X is \(0, 4\), expected"),
        ({"X": [[1, 2, 3, 4], [1]]}, ShapeError, "X has rows of different lengths, expected"),
        ({"X": holed(X, np.nan)}, ShapeError, r"X holds 1 numbers .* X\[0, 1\] = nan, expected finite"),
        ({"X": holed(X, np.inf)}, ShapeError, r"X\[0, 1\] = inf, expected finite"),
        ({"y": []}, ShapeError, r"y is \(0,\), expected"),
        ({"y": [[1], [1, 2]]}, ShapeError, "y has rows of different lengths"),
        ({"y": holed(Y, np.nan)}, ShapeError, r"y\[1\] = nan, expected finite"),
        ({"parameters": {}}, ShapeError, "parameters hold no arrays, expected"),
        ({"parameters": OWN | {"W2": [[1.0], [1.0, 2.0]]}}, ShapeError, "rows differ in length"),
        ({"parameters": OWN | {"W2": holed(OWN["W2"], np.nan)}}, ShapeError, r"W2\[0, 1\] = nan, expected finite"),
        ({"parameters": OWN | {"W2": [["a"] * 3] * 5}}, ShapeError, "W2.* expected"),
        ({"loss": 3}, OptionError, "loss is 3, expected"),
        ({"loss": 3, "network": None, "parameters": OWN}, OptionError, "loss is 3, expected"),
    ],
)
def test_what_cannot_be_judged_is_refused(gradients, changed, error, says):
    handed = {"X": X, "y": Y, "network": NET} | changed
    with pytest.raises(error, match=says):
        gm.diagnose(gradients, **handed)


def test_no_gradients_are_refused():
    with pytest.raises(OptionError, match=r"is None, expected your gradients"):
        gm.diagnose(None, X, Y, network=NET)


@pytest.mark.parametrize("as_function", [True, False])
def test_a_wildly_wrong_size_is_a_wrong_shape_at_once(as_function):
    huge = RIGHT | {"W1": np.broadcast_to(0.0, (10**15,))}  # to copy it would be a MemoryError
    d = gm.diagnose((lambda p, X, y: huge) if as_function else huge, X, Y, network=NET)
    assert d.causes == ("wrong_shapes",)
    assert "(1000000000000000,), expected (4, 5)" in d.findings[0].says


def test_numbers_in_arrays_of_objects_are_numbers():
    objects = {name: np.asarray(G).astype(object) for name, G in RIGHT.items()}
    assert gm.diagnose(objects, X, Y, network=NET).verdict == "correct"
    objects["W1"][0, 0] = "1"
    assert gm.diagnose(objects, X, Y, network=NET).causes == ("wrong_shapes",)
    parameters = {name: array.astype(object) for name, array in OWN.items()}
    assert gm.diagnose(RIGHT, X.astype(object), Y, network=NET, parameters=parameters).verdict == "correct"
