"""Messages: as bytes and back; bytes that are no message are an error, whatever they are."""

import io
import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassmax.distributed import Message
from glassmax.distributed.pipes import framed, receive, send

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
DTYPES = st.sampled_from(["?", "i1", "u1", "<i4", "<i8", "<u8", "<f4", "<f8"])
ARRAYS = DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_dims=3)))
MESSAGES = st.builds(
    Message, st.dictionaries(st.text(max_size=5), PLAIN, max_size=3), st.dictionaries(st.text(max_size=5), ARRAYS)
)


@given(MESSAGES)
def test_a_message_comes_back_from_its_bytes(message):
    for again in (Message.of_bytes(message.to_bytes()), through_a_pipe(message)):
        assert again.manifest == message.manifest
        assert list(again.arrays) == list(message.arrays)
        for name, array in message.arrays.items():
            found = again.arrays[name]
            assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())


def through_a_pipe(message):
    pipe = io.BytesIO()
    send(pipe, framed(message))
    pipe.seek(0)
    found = receive(pipe)
    assert receive(pipe) is None
    return found


def test_arrays_that_are_not_in_order_come_back_too():
    X = np.arange(12.0).reshape(3, 4)
    for array in (X.T, X[::2, ::-1], X[:, 1]):
        assert np.array_equal(Message.of_bytes(Message({}, {"X": array}).to_bytes()).arrays["X"], array)


@pytest.mark.parametrize("array", [np.array([None]), np.array(["a"]), np.zeros(2, complex), np.zeros(2, "M8[s]")])
def test_arrays_of_other_dtypes_are_refused(array):
    with pytest.raises(TypeError, match=r"^array 'x' is of dtype .*, expected numbers or booleans$"):
        Message({}, {"x": array}).to_bytes()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_an_error(content):
    with pytest.raises(ValueError, match=r"^not a message"):
        Message.of_bytes(content)


@given(MESSAGES, st.data())
def test_a_damaged_message_is_a_message_or_an_error(message, data):
    content = bytearray(message.to_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ValueError):
        Message.of_bytes(content)


@given(MESSAGES, st.data())
def test_a_message_that_is_cut_or_has_a_tail_is_an_error(message, data):
    content = message.to_bytes()
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    for wrong in (cut, content + b"x"):
        with pytest.raises(ValueError, match=r"^not a message"):
            Message.of_bytes(wrong)


@pytest.mark.parametrize(
    "head",
    [
        b"[]", b"{}", b"[{}]", b"[{}, [], []]", b"[[], []]", b'[{}, [["x"]]]', b'[{}, [["x", "<f8", 3]]]',
        b'[{}, [["x", "<f8", [-1]]]]', b'[{}, [["x", "<f8", [-1, -1]]]]', b'[{}, [["x", "O", [1]]]]',
        b'[{}, [["x", "|V8", [1]]]]', b'[{}, [["x", "(1000000)f8", [1]]]]', b'[{}, [["x", "<f8", [1e400]]]]',
        b'[{}, [["x", "<f8", [4000000000, 4000000000, 4000000000]]]]',
        b'[{}, [["x", "<f8", [0, 1267650600228229401496703205376]]]]', b'[{}, [["x", "<f8", [' + b"1," * 99 + b"1]]]]",
        b"[" * 100_000, b"\xff\xfe", b"[{}, null]",
    ],
)  # fmt: skip
def test_a_head_of_another_form_is_an_error(head):
    with pytest.raises(ValueError, match=r"^not a message"):
        Message.of_bytes(len(head).to_bytes(8, "little") + head + bytes(8))


def test_no_bytes_of_a_message_are_run():
    message = Message({"__reduce__": "os.system", "py/object": "os.system"}, {})
    assert json.loads(message.to_bytes()[8:])[0] == message.manifest


def test_a_length_beyond_all_measure_is_refused_before_memory_is_taken():
    with pytest.raises(ValueError, match="too long"):
        receive(io.BytesIO(b"\xff" * 8))
