"""Sealed files: the bytes of safetensors, read to where the arrays belong, and no byte of them changed unnoticed."""

import io

import numpy as np
import pytest
from safetensors.numpy import load, save

from glassmax.errors import ModelFileError
from glassmax.sealed import Sealed, seal, unseal

RNG = np.random.default_rng(0)
KINDS = ("f4", "f8", "i8", "u8", "u4", "i4", "u1", "i1", "b1")
TENSORS = {
    f"{kind} {shape}": RNG.integers(0, 2, shape).astype(kind) for kind in KINDS for shape in ((2, 3), (), (0, 2), (5,))
}


def opened(content):
    return Sealed(io.BytesIO(content), len(content))


def test_a_sealed_file_is_laid_out_as_safetensors_does():
    content = seal(TENSORS, "text")
    theirs = save(TENSORS, {})
    length, own = (int.from_bytes(file[:8], "little") for file in (theirs, content))
    assert content[8 + own :] == theirs[8 + length :]
    for name, array in load(content).items():
        assert array.dtype == TENSORS[name].dtype
        np.testing.assert_array_equal(array, TENSORS[name])


def test_tensors_are_read_to_where_they_belong():
    place, other = np.empty((2, 3), np.float32), np.empty((2, 3), np.float64)
    sealed = opened(seal(TENSORS, "text"))
    sealed.check_places()
    arrays = sealed.arrays({"f4 (2, 3)": place, "i8 (2, 3)": other})
    assert arrays["f4 (2, 3)"] is place
    assert arrays["i8 (2, 3)"] is not other  # of another dtype
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, TENSORS[name])
    assert sealed.text == "text"


def test_a_view_that_is_not_contiguous_is_sealed_as_its_values():
    W = np.arange(12.0).reshape(3, 4)
    assert seal({"W": W.T}, "") == seal({"W": W.T.copy()}, "")


@pytest.mark.parametrize("place", [0.3, 0.7, 0.999])
def test_a_changed_byte_is_noticed_while_reading(place):
    content = bytearray(seal({"W": np.arange(10_000.0)}, "text"))
    content[int(place * len(content))] ^= 1
    sealed = opened(bytes(content))
    with pytest.raises(ModelFileError, match="damaged or altered"):
        sealed.arrays({})
    for wrong in (bytes(content), seal({"W": np.ones(9)}, "") + b"x", seal({"W": np.ones(9)}, "")[:-1]):
        with pytest.raises(ModelFileError, match="damaged or altered"):
            unseal(wrong)


def test_one_tensor_is_read_ahead_of_the_others():
    sealed = opened(seal({"W": np.arange(6.0), "n": np.array([3])}, "text"))
    assert sealed.array("n").tolist() == [3]
    sealed.check()
    sealed.rewind()
    assert sealed.arrays({})["W"].tolist() == [0, 1, 2, 3, 4, 5]
