"""What travels between driver and workers: a manifest and arrays, as bytes. No code, and no pickle.

A message is the length of its head, 8 bytes, little-endian; the head, JSON with the manifest and with name, dtype and
shape of each array, with spaces behind it up to a multiple of 64 bytes; and the bytes of the arrays, one after
another, in C order.
"""

import json
import math
from typing import Any, NamedTuple

import numpy as np

from ..functional.arrays import Array

__all__ = ["Arrays", "Manifest", "Message"]

Manifest = dict[str, Any]
"""Text, numbers, booleans, None, lists and dictionaries of them: all that JSON has."""
Arrays = dict[str, Array]
DTYPES = ("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8")
"""The dtypes that arrays may have."""
ALIGNED = 64


class Message(NamedTuple):
    """A manifest and arrays.

    Examples
    --------
    >>> message = Message({"step": 3}, {"theta": np.arange(3.0)})
    >>> again = Message.of_bytes(message.to_bytes())
    >>> again.manifest, again.arrays["theta"].tolist()
    ({'step': 3}, [0.0, 1.0, 2.0])
    """

    manifest: Manifest
    arrays: Arrays

    def pieces(self) -> list[bytes | memoryview]:
        """Return the bytes of the message in pieces, those of the arrays without a copy of them."""
        arrays = {name: np.asarray(array, order="C") for name, array in self.arrays.items()}
        described = []
        for name, array in arrays.items():
            if array.dtype.str not in DTYPES:
                raise TypeError(f"array {name!r} is of dtype {array.dtype}, expected numbers or booleans")
            described.append([name, array.dtype.str, list(array.shape)])
        head = json.dumps([self.manifest, described]).encode()
        head += b" " * (-(8 + len(head)) % ALIGNED)
        flat = [array.reshape(-1).view(np.uint8).data for array in arrays.values()]
        return [len(head).to_bytes(8, "little"), head, *flat]

    def to_bytes(self) -> bytes:
        """Return the message as bytes."""
        return b"".join(self.pieces())

    @classmethod
    def of_bytes(cls, content: bytes | bytearray | memoryview) -> "Message":
        """Return the message of these bytes; its arrays share their memory.

        Raises
        ------
        ValueError
            If these are not the bytes of a message.
        """
        view = memoryview(content).cast("B")
        start = 8 + int.from_bytes(view[:8], "little")
        if not 8 < start <= len(view):
            raise ValueError("not a message: the head is longer than the content")
        manifest, described = _head(bytes(view[8:start]))
        arrays = {}
        for name, kind, shape in described:
            if kind not in DTYPES:
                raise ValueError(f"not a message: array {name!r} of dtype {kind!r}")
            dtype = np.dtype(kind)
            size = math.prod(shape) * dtype.itemsize
            if start + size > len(view):
                raise ValueError("not a message: it ends within an array")
            try:
                arrays[name] = np.frombuffer(view[start : start + size], dtype).reshape(shape)
            except ValueError:  # too many dimensions, or too long ones beside one of length 0
                raise ValueError(f"not a message: array {name!r} of shape {shape}") from None
            start += size
        if start != len(view):
            raise ValueError("not a message: something follows its last array")
        return cls(manifest, arrays)


def _head(text: bytes) -> tuple[Manifest, list[tuple[str, str, list[int]]]]:
    """Return the manifest, and name, dtype and shape of each array."""
    try:
        manifest, arrays = json.loads(text)
        described = [(str(name), str(kind), [int(length) for length in shape]) for name, kind, shape in arrays]
    except (OverflowError, RecursionError, TypeError, ValueError):
        raise ValueError("not a message: its head can't be read") from None
    lengths = [length for _, _, shape in described for length in shape]
    if not isinstance(manifest, dict) or not all(length >= 0 for length in lengths):
        raise ValueError("not a message: its head has another form")
    return manifest, described
