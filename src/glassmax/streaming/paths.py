"""The files that a path, a folder, a glob or a list of these names, in natural order: part-2 before part-10."""

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import DataError

__all__ = ["SUFFIXES", "find_files", "is_several", "natural"]

SUFFIXES = (".parquet", ".pq", ".arrow", ".feather", ".ipc", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json")
"""How the names of tables in a folder end; ``.gz`` or ``.zst`` may follow."""
PACKED = (".gz", ".zst")
DIGITS = re.compile(r"([0-9]+)")

Paths = str | os.PathLike[str] | Iterable["str | os.PathLike[str]"]


def is_several(given: object) -> bool:
    """Return whether a path names a folder or is a glob, so that it may name several files.

    Examples
    --------
    >>> is_several("data/*.parquet"), is_several("iris.csv")
    (True, False)
    """
    return isinstance(given, str | os.PathLike) and (glob.has_magic(os.fspath(given)) or os.path.isdir(given))


def natural(path: str | os.PathLike[str]) -> tuple[object, ...]:
    """Return a key that sorts paths folder by folder, and numbers in names by their value.

    Examples
    --------
    >>> sorted(["a/part-10.csv", "a/part-9.csv", "a/part-09.csv"], key=natural)
    ['a/part-09.csv', 'a/part-9.csv', 'a/part-10.csv']
    """
    text = os.fspath(path).replace(os.sep, "/")
    parts = [
        tuple((1, int(piece), "") if piece.isdigit() else (2, 0, piece) for piece in DIGITS.split(part) if piece)
        for part in text.split("/")
    ]
    return (parts, text)


def find_files(given: Paths) -> list[Path]:
    """Return the files that are named, in natural order.

    Parameters
    ----------
    given : str, path, or iterable of these
        Files, folders and globs. Of a folder, all tables in it and in its folders are taken; names that begin with a
        dot or an underscore are left out, as other programs do. ``**`` in a glob stands for any number of folders.

    Raises
    ------
    DataError
        If nothing is there, a file is named twice, or a folder holds a file that is no table by its name.
    """
    paths = [given] if isinstance(given, str | os.PathLike) else list(given)
    if not paths:
        raise DataError("The list of files is empty, expected at least one path.")
    found = [path for one in paths for path in _named(os.fspath(one))]
    found.sort(key=natural)
    real = [os.path.realpath(path) for path in found]
    if len(set(real)) < len(real):
        seen: set[str] = set()
        twice = next(path for path, name in zip(found, real, strict=True) if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise DataError(f"{twice} is named twice, so its rows would count twice. Name each file once.")
    return found


def _named(given: str) -> list[Path]:
    if glob.has_magic(given) and not os.path.exists(given):
        found = [path for path in glob.glob(given, recursive=True) if os.path.isfile(path)]
        if not found:
            raise DataError(f"{given} matches no file. Seen from here, {os.getcwd()}, is the path right?")
        return [Path(path) for path in found]
    if os.path.isdir(given):
        return _in_folder(given)
    return [Path(given)]  # opened later; whoever opens it says what is wrong


def _in_folder(folder: str) -> list[Path]:
    found = list(_walk(folder))
    if not found:
        raise DataError(f"The folder {folder} holds no table, expected Parquet, Arrow, CSV or JSON lines files.")
    for path in found:
        name = path.name.lower()
        for packed in PACKED:
            name = name.removesuffix(packed)
        if not name.endswith(SUFFIXES):
            kinds = sorted({Path(name).suffix for name in map(str, found) if name.lower().endswith(SUFFIXES)})
            pattern = os.path.join(folder, "**", f"*{kinds[0] if kinds else '.csv'}")
            raise DataError(f"{path} is no table by its name. Say which files are meant, such as {pattern!r}.")
    return found


def _walk(folder: str) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        yield from (Path(place, name) for name in names if not name.startswith((".", "_")))
