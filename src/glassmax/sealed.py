"""Sealed files: safetensors with a text about it, and a SHA-256 over the whole file but the hash itself.

Model files and checkpoints are of this kind. Reading one runs no code, and there is no fallback to a less safe format.
The caller checks what the text means, and whether the tensors fit it, before a tensor is loaded. The hash detects
damage, not manipulation: whoever can write the file can also write its hash.
"""

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from typing import Any

from .errors import ModelFileError
from .functional.arrays import Array

__all__ = ["seal", "unseal"]

BLANK = "0" * 64
HASH = re.compile(rb'"sha256":"([0-9a-f]{64})"')


def seal(tensors: Mapping[str, Array], text: str) -> bytes:
    """Return a file that holds the tensors and the text.

    Parameters
    ----------
    tensors : mapping of str to array
        Copied.
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
    from safetensors.numpy import save

    copies = {name: array.copy() for name, array in tensors.items()}
    content = _in_order(save(copies, {"glassmax": text, "sha256": BLANK}))
    digest = hashlib.sha256(content).hexdigest()
    return content.replace(f'"sha256":"{BLANK}"'.encode(), f'"sha256":"{digest}"'.encode(), 1)


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
    header = _header(content)
    metadata = header.pop("__metadata__", None)
    own = isinstance(metadata, dict) and set(metadata) == {"glassmax", "sha256"}
    if not (own and isinstance(metadata["glassmax"], str)):
        raise ModelFileError("is a safetensors file, but not one of glassmax: it has no manifest.")
    _check_hash(content)
    return metadata["glassmax"], header


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


def _in_order(content: bytes) -> bytes:
    """Sort the metadata, which safetensors writes in random order, so that equal contents give equal files."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8 bytes
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def _check_hash(content: bytes) -> None:
    (length,) = struct.unpack("<Q", content[:8])
    found = HASH.findall(content[: 8 + length])
    blanked = HASH.sub(f'"sha256":"{BLANK}"'.encode(), content[: 8 + length]) + content[8 + length :]
    if len(found) != 1 or hashlib.sha256(blanked).hexdigest().encode() != found[0]:
        raise ModelFileError("was damaged or altered: its contents don't match its SHA-256. Take another copy.")


def __dir__() -> list[str]:
    return __all__
