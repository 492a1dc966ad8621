"""The notation of Andrew Ng's courses: dZ for a derivative of the summed loss, samples in columns, calls of NumPy."""

import pytest

from glassmax.proofreading.formula.parse import parse
from glassmax.proofreading.formula.write import write

NUMPY_IN_MATHEMATICS = {
    r"\frac{1}{m} np.sum(dZ^{[2]}, axis=1, keepdims=True)": "1/m np.sum(dZ^[2], axis=1)",
    r"\frac{1}{m} np.\sum\left(dZ, axis = 1\right)": "1/m np.sum(dZ, axis=1)",
    r"\frac1m np.dot(dZ, A^T)": "1/m (dZ @ Aᵀ)",
    r"1 - np.power(A^{[1]}, 2)": "1 - (A^[1])²",
    r"np.maximum(0, Z)": "np.maximum(0, Z)",
}


@pytest.mark.parametrize("text", NUMPY_IN_MATHEMATICS)
def test_numpy_inside_mathematics_is_read_and_written(text):
    node = parse(text)
    assert write(node, latex=False) == NUMPY_IN_MATHEMATICS[text]
    assert parse(write(node, latex=True)) == node
    assert parse(write(node, latex=False)) == node
