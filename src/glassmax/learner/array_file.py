"""Gradients in a NumPy archive: arrays from any program, diagnosed without its code.

The scheme: parameters ``W1, b1, W2, ...``, their gradients ``dW1, db1, ...``, the data ``X`` and ``y``. Any other names
do, as long as a gradient's is its parameter's with ``d`` before it, ``grad_`` before it or ``_grad`` behind it. Where
there are no parameters, the gradients are those at the starting weights of ``glassmax.Network``.

The file is a stranger's: no pickle is loaded, and nothing is allocated that the file doesn't hold.
"""

import re
import zipfile
from math import prod
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from ..errors import LearnerFileError
from ..functional.arrays import Array

__all__ = ["ArrayFile", "read_array_file"]

MOST_BYTES = 1 << 30
MOST_ARRAYS = 1000
SCHEME = "W1, b1, ... for parameters, dW1, db1, ... for gradients, X and y"
GRADIENT = re.compile(r"(?:dL_d|dL|d_|d|grads?_|g_)(?P<after>\w+)|(?P<before>\w+?)_?grads?")


class ArrayFile(NamedTuple):
    """The contents of a file: gradients by the names of the parameters, the parameters or None, the data, notes."""

    gradients: dict[str, Array]
    parameters: dict[str, Array] | None
    X: Array
    y: Array
    notes: list[str]


def read_array_file(path: str | Path) -> ArrayFile:
    """Read gradients, parameters and data from a .npz file, as ``numpy.savez`` writes it.

    A LearnerFileError says what is missing, is damaged, or is no number.

    Examples
    --------
    >>> np.savez("my.npz", W1=np.eye(2), b1=np.zeros(2), dW1=np.ones((2, 2)), db1=np.ones(2), X=np.eye(2), y=[0, 1])
    >>> file = read_array_file("my.npz")
    >>> sorted(file.gradients), sorted(file.parameters)
    (['W1', 'b1'], ['W1', 'b1'])
    """
    arrays = _read_archive(Path(path))
    data = {}
    for name, others in (("X", ("x",)), ("y", ("Y", "t", "T"))):
        found = next((key for key in (name, *others) if key in arrays), None)
        if found is None:
            raise LearnerFileError(f"{path} has no {name}. Expected {SCHEME}; it has {_some(arrays)}.")
        data[name] = arrays.pop(found)
    gradients, parameters, notes = _told_apart(arrays, str(path))
    return ArrayFile(gradients, parameters, data["X"], data["y"], notes)


def _told_apart(arrays: dict[str, Array], path: str) -> tuple[dict[str, Array], dict[str, Array] | None, list[str]]:
    """Find out which arrays are gradients of which."""
    arrays = {name: array for name, array in arrays.items() if array.ndim}  # a learning rate, a seed
    pairs: dict[str, str] = {}
    for name in arrays:
        match = GRADIENT.fullmatch(name)
        if match:
            of = match["after"] or match["before"]
            if of in arrays or of not in pairs.values():
                pairs[name] = of
    if not arrays:
        raise LearnerFileError(f"{path} has no gradients. Expected {SCHEME}.")
    if not pairs:
        return arrays, None, [_at_starting_weights(f"{_some(arrays)} were read as gradients")]
    gradients = {of: arrays[name] for name, of in pairs.items()}
    parameters = {name: array for name, array in arrays.items() if name not in pairs}
    if not parameters:
        return gradients, None, [_at_starting_weights("The file has no parameters")]
    if set(parameters) != set(gradients):
        alone = sorted(set(parameters) ^ set(gradients))[0]
        what = "gradient" if alone in parameters else "parameter"
        raise LearnerFileError(f"{path} has no {what} for {alone}. Expected {SCHEME}; it has {_some(arrays)}.")
    return {name: gradients[name] for name in parameters}, parameters, []


def _at_starting_weights(what: str) -> str:
    return f"{what}: the gradients are compared with those at the initial weights of glassmax.Network, random_state=0."


def _read_archive(path: Path) -> dict[str, Array]:
    """Read every array of an archive, after a look at what each claims to be."""
    try:
        if path.is_dir():
            raise LearnerFileError(f"{path} is a folder, expected a .npz file.")
        if not path.exists():
            raise LearnerFileError(f"{path}: there is no such file. numpy.savez writes one.")
        if not path.is_file():
            raise LearnerFileError(f"{path} is not a regular file, expected a .npz file.")
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MOST_ARRAYS or sum(member.file_size for member in members) > MOST_BYTES:
                raise LearnerFileError(f"{path} holds more than {MOST_ARRAYS} arrays or {MOST_BYTES >> 20} MiB.")
            names = [member.filename.removesuffix(".npy") for member in members]
            if len(set(names)) < len(names):
                raise LearnerFileError(f"{path} holds two arrays of the same name. Save it again.")
            return {name: _read_member(archive, member, path) for name, member in zip(names, members, strict=True)}
    except zipfile.BadZipFile:
        raise LearnerFileError(
            f"{path} is not a complete .npz file. Save it with numpy.savez(path, W1=W1, ...)."
        ) from None
    except (NotImplementedError, RuntimeError):  # encrypted, or compressed in a way unknown here
        raise LearnerFileError(f"{path} can't be unpacked. Save it with numpy.savez(path, W1=W1, ...).") from None
    except OSError as error:
        raise LearnerFileError(f"{path} can't be read: {error.strerror or error}.") from None


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Array:
    where = f"{member.filename.removesuffix('.npy')} in {path}"
    try:
        with archive.open(member) as file:
            shape, dtype = _header(file)
            if dtype.kind not in "iubf":
                raise LearnerFileError(f"{where} is of type {dtype}, expected an array of numbers.")
            if prod(shape) * dtype.itemsize > member.file_size:
                raise LearnerFileError(f"{where} claims shape {shape}, which is more than the file holds.")
        with archive.open(member) as file:
            array: Array = np.lib.format.read_array(file)  # loads no pickle
    except (ValueError, EOFError, OverflowError, SyntaxError, TypeError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        if isinstance(error, LearnerFileError):
            raise
        raise LearnerFileError(f"{where} is damaged, or not an array. Save it again with numpy.savez.") from None
    return array


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:  # 2.0 for long headers; any later one is for names of fields, which are refused anyway
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    return shape, dtype


def _some(arrays: dict[str, Array]) -> str:
    names = sorted(arrays)
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") if names else "nothing"
