"""Parameters: named views and one vector are the same memory, whatever is done to them."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassmax.errors import ShapeError
from glassmax.parameters import Parameters, count, sizes_of

layer_sizes = st.lists(st.integers(1, 6), min_size=2, max_size=6)


def assert_views(parameters):
    """Each cell of each view is a cell of the vector, in the order W1, b1, W2, ..."""
    parameters.flat[...] = np.arange(parameters.flat.size)
    np.testing.assert_array_equal(np.concatenate([view.ravel() for view in parameters.values()]), parameters.flat)
    for view in parameters.values():
        view += 1000.0
    np.testing.assert_array_equal(parameters.flat, np.arange(parameters.flat.size) + 1000.0)


@given(layer_sizes)
def test_views_and_vector_are_the_same_memory(sizes):
    parameters = Parameters(sizes)
    assert parameters.flat.shape == (count(sizes),)
    assert (parameters.flat == 0).all()
    assert_views(parameters)


@given(layer_sizes)
def test_names_and_shapes_follow_the_layers(sizes):
    parameters = Parameters(sizes)
    expected = {}
    for layer in range(1, len(sizes)):
        expected |= {f"W{layer}": (sizes[layer - 1], sizes[layer]), f"b{layer}": (sizes[layer],)}
    assert {name: view.shape for name, view in parameters.items()} == expected
    assert list(parameters) == list(expected)
    assert len(parameters) == len(expected)
    assert sizes_of(parameters) == tuple(sizes)


def test_views_by_layer_number_are_the_named_ones():
    parameters = Parameters([4, 5, 3])
    assert list(parameters.W) == list(parameters.b) == [1, 2]
    assert all(parameters.W[layer] is parameters[f"W{layer}"] for layer in (1, 2))
    assert all(parameters.b[layer] is parameters[f"b{layer}"] for layer in (1, 2))


def test_a_vector_that_is_given_is_looked_at_and_not_copied():
    flat = np.zeros(8)
    Parameters([3, 2], flat)["b1"] = [1.0, 2.0]
    assert flat.tolist() == [0.0] * 6 + [1.0, 2.0]


@pytest.mark.parametrize(
    "clone",
    [
        copy.deepcopy,
        Parameters.copy,
        lambda parameters: pickle.loads(pickle.dumps(parameters)),
        lambda parameters: Parameters.from_mapping(parameters),
    ],
    ids=["deepcopy", "copy", "pickle", "from_mapping"],
)
def test_clones_hold_the_same_numbers_in_views_of_their_own(clone):
    parameters = Parameters([3, 4, 2], dtype=np.float32)
    parameters.flat[...] = np.arange(parameters.flat.size)
    cloned = clone(parameters)
    assert cloned.flat.dtype == np.float32
    assert cloned.layer_sizes == (3, 4, 2)
    np.testing.assert_array_equal(cloned.flat, parameters.flat)
    assert_views(cloned)
    np.testing.assert_array_equal(parameters.flat, np.arange(parameters.flat.size))


def test_writing_by_name_writes_into_the_vector():
    parameters = Parameters([2, 2])
    parameters["W1"] = [[1, 2], [3, 4]]
    assert parameters.flat.tolist() == [1, 2, 3, 4, 0, 0]


@pytest.mark.parametrize("values", [1.0, [1.0, 2.0], [[1.0, 2.0]], np.zeros((3, 2))])
def test_writing_never_broadcasts(values):
    parameters = Parameters([2, 2])
    with pytest.raises(ShapeError, match="W1 is"):
        parameters["W1"] = values
    assert (parameters.flat == 0).all()


def test_a_name_that_is_not_there_is_a_key_error():
    parameters = Parameters([2, 2])
    with pytest.raises(KeyError, match="there are W1, b1"):
        parameters["W2"] = np.zeros((2, 2))
    with pytest.raises(KeyError):
        parameters["W2"]


@pytest.mark.parametrize(
    ("dtypes", "widest"),
    [(("float32", "float32"), "float32"), (("float32", "float64"), "float64"), (("int64", "float32"), "float64")],
)
def test_a_mapping_is_read_in_its_widest_dtype(dtypes, widest):
    arrays = {"W1": np.ones((2, 3), dtypes[0]), "b1": np.ones(3, dtypes[1])}
    assert Parameters.from_mapping(arrays).flat.dtype == widest
    assert Parameters.from_mapping(arrays, np.float16).flat.dtype == np.float16


def test_a_mapping_may_come_in_any_order():
    arrays = {"b2": [3.0], "W1": [[1.0, 2.0]], "W2": [[1.0], [1.0]], "b1": [0.0, 0.0]}
    parameters = Parameters.from_mapping(arrays)
    assert list(parameters) == ["W1", "b1", "W2", "b2"]
    assert parameters.flat.tolist() == [1, 2, 0, 0, 1, 1, 3]
