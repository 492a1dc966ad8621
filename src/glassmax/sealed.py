"""Sealed files: safetensors with a text about it, and a SHA-256 over the whole file but the hash itself.

Model files and checkpoints are of this kind. Reading one runs no code, and there is no fallback to a less safe format.
The caller checks what the text means, and whether the tensors fit it, before a tensor is loaded. The hash detects
damage, not manipulation: whoever can write the file can also write its hash.
"""

import hashlib
import io
import json
import math
import re
import struct
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from .errors import ModelFileError
from .functional.arrays import Array

__all__ = ["Sealed", "seal", "sealed_pieces", "unseal"]

AT_ONCE = 2**24
MOST_BYTES = 2**43
KINDS = {"BOOL": "b1", "U8": "u1", "I8": "i1", "I32": "i4", "U32": "u4", "F32": "f4", "F64": "f8", "I64": "i8"}
KINDS |= {"U64": "u8"}
"""The dtypes of tensors, in the order of safetensors."""
NAMES = {kind: name for name, kind in KINDS.items()}
RANKS = {name: rank for rank, name in enumerate(KINDS)}

BLANK = "0" * 64
HASH = re.compile(rb'"sha256":"([0-9a-f]{64})"')


def seal(tensors: Mapping[str, Array], text: str) -> bytes:
    """Return a file that holds the tensors and the text.

    Parameters
    ----------
    tensors : mapping of str to array
    text : str
        Describes the tensors; JSON in model files and checkpoints.

    Returns
    -------
    bytes
        Bytes of the sealed file. The same tensors and text always give the same bytes.

    Examples
    --------
    >>> import numpy as np
    >>> text, header = unseal(seal({"W1": np.zeros((2, 3))}, "two by three"))
    >>> text, header["W1"]["shape"]
    ('two by three', [2, 3])
    """
    return b"".join(sealed_pieces(tensors, text))


def sealed_pieces(tensors: Mapping[str, Array], text: str) -> list[bytes | memoryview]:
    """Return a sealed file in pieces: the header, then the memory of each tensor, which is not copied.

    The layout is that of safetensors: tensors of wider dtypes first, those of one dtype by their names.
    """
    arrays = {name: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for name, array in tensors.items()}
    order = sorted(arrays, key=lambda name: (-RANKS[NAMES[arrays[name].dtype.str[1:]]], name))
    header: dict[str, Any] = {"__metadata__": {"glassmax": text, "sha256": BLANK}}
    end = 0
    for name in order:
        array, start = arrays[name], end
        end += array.nbytes
        kind = NAMES[array.dtype.str[1:]]
        header[name] = {"dtype": kind, "shape": list(tensors[name].shape), "data_offsets": [start, end]}
    written = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    written += b" " * (-len(written) % 8)  # tensors begin at a multiple of 8 bytes
    head, rest = struct.pack("<Q", len(written)) + written, [_bytes_of(arrays[name]) for name in order]
    sha = hashlib.sha256(head)
    for piece in rest:
        sha.update(piece)
    head = head.replace(f'"sha256":"{BLANK}"'.encode(), f'"sha256":"{sha.hexdigest()}"'.encode(), 1)
    return [head, *rest]


class Sealed:
    """A sealed file that is being read: first its text and its header, then its tensors.

    Parameters
    ----------
    file : binary file
        At its beginning.
    length : int or None
        Bytes of the file; None if it has no length, such as a pipe. Then only as many bytes are read as its header
        says, so that a device without an end is refused.
    most : int
        Maximum number of bytes of the header.

    Attributes
    ----------
    text : str
    header : dict
        The dtype, shape and place of each tensor, by its name. No tensor has been loaded.
    size : int
        Bytes of the file, if its length is not known by its header.

    Raises
    ------
    ModelFileError
        If it is not a sealed file. The message has no subject: the caller puts the name of the file before it.
    """

    def __init__(self, file: IO[bytes], length: int | None, most: int = MOST_BYTES) -> None:
        self.file, self.length = file, length
        head = file.read(8)
        claimed = int.from_bytes(head, "little")
        head += file.read(claimed if len(head) == 8 and claimed <= min(most, length or most) else 64)
        header = _header(head)
        metadata = header.pop("__metadata__", None)
        own = isinstance(metadata, dict) and set(metadata) == {"glassmax", "sha256"}
        if not (own and isinstance(metadata["glassmax"], str)):
            raise ModelFileError("is a safetensors file, but not one of glassmax: it has no manifest.")
        self.text, self.header, self._head = metadata["glassmax"], header, head
        self._sha, self._sealed = _hash_of_header(head)
        try:
            end = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError):
            end = 0
        self.size = len(head) + max(0, min(end, MOST_BYTES)) if length is None else length
        self._left = self.size - len(head)

    def check(self) -> None:
        """Read the rest of the file, and raise a ModelFileError if it is damaged."""
        while piece := self.file.read(min(self._left, AT_ONCE)):
            self._take(piece)
        self._finish()

    def arrays(self, into: Mapping[str, Array]) -> dict[str, Array]:
        """Read all tensors and check the hash: into the arrays given, where dtype and shape are the same, or new ones.

        A ModelFileError is raised if the file is damaged; the arrays given may then have been written to. The places of
        the tensors have been checked before, by `check_places`.
        """
        found: dict[str, Array] = {}
        for name in sorted(self.header, key=lambda name: (self.header[name]["data_offsets"], name)):
            entry = self.header[name]
            dtype, shape = np.dtype(f"<{KINDS[entry['dtype']]}"), tuple(entry["shape"])
            own = into.get(name)
            fits = own is not None and own.dtype == dtype and own.shape == shape and own.flags.c_contiguous
            array = own if own is not None and fits else np.empty(shape, dtype)
            memory = _bytes_of(array)
            for start in range(0, len(memory), AT_ONCE):
                part = memory[start : start + AT_ONCE]
                done = self.file.readinto(part)  # type: ignore[attr-defined]
                if done < len(part):
                    raise ModelFileError(_other_than_sealed(self._head))
                self._take(part)
            found[name] = array
        self._finish()
        return found

    def rewind(self) -> None:
        """Go back to the first tensor, so that tensors can be read after `check`."""
        self.file.seek(len(self._head))
        self._sha, self._sealed = _hash_of_header(self._head)
        self._left = self.size - len(self._head)

    def array(self, name: str) -> Array:
        """Read one tensor before the others; the position in the file is restored."""
        entry, here = self.header[name], self.file.tell()
        self.file.seek(len(self._head) + entry["data_offsets"][0])
        dtype = np.dtype(f"<{KINDS[entry['dtype']]}")
        array = np.frombuffer(self.file.read(math.prod(entry["shape"]) * dtype.itemsize), dtype)
        self.file.seek(here)
        return array.reshape(entry["shape"])

    def check_places(self) -> None:
        """Raise a ModelFileError unless the tensors fill the file, one after another."""
        end, fits = 0, True
        try:
            for entry in sorted(self.header.values(), key=lambda entry: entry["data_offsets"]):
                start, stop = entry["data_offsets"]
                size = math.prod(entry["shape"]) * np.dtype(KINDS[entry["dtype"]]).itemsize
                fits &= start == end and stop - start == size and min(entry["shape"], default=0) >= 0
                end = stop
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            fits = False
        if not fits or (self.length is not None and len(self._head) + end != self.length):
            raise ModelFileError("has tensors that don't fit its manifest: they don't fill the file one after another.")

    def _take(self, piece: Any) -> None:
        self._left -= len(piece)
        self._sha.update(piece)

    def _finish(self) -> None:
        self._sha.update(self.file.read(1))  # there should be nothing more
        if self._left or self._sha.hexdigest().encode() != self._sealed:
            raise ModelFileError("was damaged or altered: its contents don't match its SHA-256. Take another copy.")


def _bytes_of(array: Array) -> memoryview:
    return array.reshape(-1).data.cast("B") if array.size else memoryview(b"")


def unseal(content: bytes) -> tuple[str, dict[str, Any]]:
    """Return the text of a sealed file, and what its header says of each tensor.

    Parameters
    ----------
    content : bytes
        Bytes of any kind.

    Returns
    -------
    text : str
    header : dict
        The dtype, shape and place of each tensor, by its name. No tensor is loaded.

    Raises
    ------
    ModelFileError
        If it is something else, damaged or altered; the message lacks its subject, the file.
    """
    sealed = Sealed(io.BytesIO(content), len(content))
    sealed.check()
    return sealed.text, sealed.header


def _header(content: bytes) -> dict[str, Any]:
    """Read the JSON header of a safetensors file: eight bytes of length, then the header."""
    length = int.from_bytes(content[:8], "little")
    if 8 + length > len(content):
        raise ModelFileError(_other_than_sealed(content))
    try:
        header = json.loads(content[8 : 8 + length].decode("utf-8"))
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise ModelFileError(_other_than_sealed(content))
    return header


def _other_than_sealed(content: bytes) -> str:
    """Say what the file is; asked last, for the length of a header may begin like a pickle or a zip archive."""
    if content[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05") and content[8:9] != b"{":
        return "is a pickle, which can run any code. glassmax never opens one."
    if content[:2] == b"PK":
        return "is a zip archive, expected a file of glassmax (safetensors)."
    return "is not a whole safetensors file: it is truncated, altered, or something else."


def _hash_of_header(head: bytes) -> tuple[Any, bytes]:
    """Return the hash of a header without the hash in it, to go on with, and that hash; empty if there are several."""
    found = HASH.findall(head)
    sha = hashlib.sha256(HASH.sub(f'"sha256":"{BLANK}"'.encode(), head))
    return sha, found[0] if len(found) == 1 else b""


def __dir__() -> list[str]:
    return __all__
