"""The files that a path, a folder, a glob or a list of these names, in natural order: part-2 before part-10.

Each may be a URL that begins with ``s3://``, ``gs://``, ``https://`` or ``http://``. A folder of a web server ends with
a slash, and its files can be found only if the server lists them.
"""

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import NamedTuple, cast

from ..errors import DataError
from ..table.remote import find_remote, is_folder, is_remote, shown, unquoted

__all__ = ["SUFFIXES", "Found", "find_files", "folders_of_glob", "is_several", "name_of", "natural"]

SUFFIXES = (".parquet", ".pq", ".arrow", ".feather", ".ipc", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json")
"""How the names of tables in a folder end; ``.gz``, ``.zst`` or ``.bz2`` may follow."""
PACKED = (".gz", ".zst", ".bz2")
DIGITS = re.compile(r"([0-9]+)")

Paths = str | os.PathLike[str] | Iterable["str | os.PathLike[str] | Found"]


class Found(NamedTuple):
    """A file.

    Attributes
    ----------
    path : str
        Its path or URL.
    folders : tuple of str
        The names of the folders between the folder or glob that was given and the file.
    """

    path: str
    folders: tuple[str, ...] = ()


def name_of(given: Paths) -> str:
    """Return the user's word for one or several files; a URL is shown without user, password and query."""
    if not isinstance(given, str | os.PathLike):
        given = list(given)
        if len(given) != 1:
            return f"{len(given)} files"
        first = given[0].path if isinstance(given[0], Found) else given[0]
        return name_of(first)
    return shown(os.fspath(given)) if is_remote(given) else os.fspath(given)


def is_several(given: object) -> bool:
    """Return whether a path names a folder or is a glob, so that it may name several files.

    Examples
    --------
    >>> is_several("data/*.parquet"), is_several("iris.csv")
    (True, False)
    """
    if not isinstance(given, str | os.PathLike):
        return False
    text = os.fspath(given)
    if is_remote(text):  # whether there is such a folder, only the server knows
        return _has_magic(text) or not _plain_name(shown(text)).endswith(SUFFIXES)
    return glob.has_magic(text) or os.path.isdir(text)


def natural(path: str | os.PathLike[str]) -> tuple[object, ...]:
    """Return a key that sorts paths folder by folder, and numbers in names by their value.

    Examples
    --------
    >>> sorted(["a/part-10.csv", "a/part-9.csv", "a/part-09.csv"], key=natural)
    ['a/part-09.csv', 'a/part-9.csv', 'a/part-10.csv']
    """
    text = os.fspath(path).replace(os.sep, "/")
    parts = [
        tuple((1, int(run), "") if DIGITS.fullmatch(run) else (2, 0, run) for run in DIGITS.split(part) if run)
        for part in text.split("/")
    ]
    return (parts, text)


def find_files(given: Paths) -> list[Found]:
    """Return the files that are named, in natural order.

    Parameters
    ----------
    given : str, path, or iterable of these
        Files, folders and globs, or URLs of these. A folder stands for all tables in it and in its folders; names that
        begin with a dot or an underscore are skipped. A glob that matches folders and no file stands for all tables in
        these folders. ``**`` in a glob stands for any number of folders. The result of an earlier call is returned
        unchanged.

    Raises
    ------
    DataError
        If no file is found, a file is named twice, or a folder holds a file whose name is not that of a table.
    """
    paths = [given] if isinstance(given, str | os.PathLike) else list(given)
    if paths and all(isinstance(path, Found) for path in paths):
        return cast("list[Found]", paths)
    if not paths:
        raise DataError("The list of files is empty, expected at least one path.")
    found = [file for one in paths for file in _named(os.fspath(one))]  # type: ignore[arg-type]
    found.sort(key=lambda file: natural(unquoted(file.path)))
    seen: set[str] = set()
    for file in found:
        path = file.path if is_remote(file.path) else os.path.abspath(file.path)  # two links to one file are two files
        if path in seen:
            raise DataError(f"{name_of(file.path)} is named twice, so its rows would count twice. Name each file once.")
        seen.add(path)
    return found


def _named(given: str) -> list[Found]:
    if is_remote(given):
        return _named_elsewhere(given)
    if glob.has_magic(given) and not os.path.exists(given):
        return _matched(given)
    if os.path.isdir(given):
        return _in_folder(given, [os.fspath(path) for path in _walk(given)])
    return [Found(given)]  # opened later; whoever opens it says what is wrong


def _matched(given: str) -> list[Found]:
    root = given[: re.search(r"[*?[]", given).start()].rpartition(os.sep)[0]  # type: ignore[union-attr]
    if files := [path for path in glob.glob(given, recursive=True) if os.path.isfile(path)]:
        return [_below(root, path) for path in files]
    folders = folders_of_glob(given)
    if not folders:
        raise DataError(f"{given} matches no file. The current folder is {os.getcwd()}. Is the path right?")
    inside = dict.fromkeys(os.fspath(path) for folder in folders for path in _walk(folder))
    return [_below(root, file.path) for file in _in_folder(given, list(inside))]


def folders_of_glob(given: str) -> list[str]:
    """Return the folders whose tables a glob stands for: those it matches, if it matches no file."""
    found = glob.glob(given, recursive=True)
    if any(os.path.isfile(path) for path in found):
        return []
    return [path for path in found if os.path.isdir(path) and not PurePath(path).name.startswith("_")]


def _named_elsewhere(given: str) -> list[Found]:
    if _has_magic(given):
        root = given[: re.search(r"[*?[]" if not given.startswith("http") else r"[*[]", given).start()]  # type: ignore[union-attr]
        root = root.rpartition("/")[0]
        found = [url for url in find_remote(given) if not url.endswith("/")]
        if not found:  # it may match folders
            inside = find_remote(f"{given.rstrip('/')}/**")
            found = [url for url in inside if not url.endswith("/") and not _is_hidden(url[len(root) + 1 :])]
            if not found:
                raise DataError(f"{shown(given)} matches no file that the server lists.")
            found = [file.path for file in _in_folder(given, found)]
        return [_below(root, url) for url in found]
    if not is_folder(given):
        return [Found(given)]
    folder = given if given.endswith("/") else f"{given}/"
    found = [url for url in find_remote(folder) if not url.endswith("/")]
    return _in_folder(folder, [url for url in found if not _is_hidden(url[len(folder) :])])


def _has_magic(url: str) -> bool:
    """Whether a URL is a glob; of a web server, a question mark begins a query."""
    return re.search(r"[*[]" if url.lower().startswith("http") else r"[*?[]", url) is not None


def _is_hidden(path: str) -> bool:
    return any(part.startswith((".", "_")) for part in path.split("/"))


def _below(root: str, path: str) -> Found:
    """Return a file below a folder."""
    inside = unquoted(path)[len(unquoted(root)) :] if path.startswith(root) else path
    return Found(path, PurePath(inside.replace(os.sep, "/").lstrip("/")).parts[:-1])


def _plain_name(path: str) -> str:
    """Return the name of a file in small letters, without what tells that it is packed."""
    name = PurePath(path).name.lower()
    for packed in PACKED:
        name = name.removesuffix(packed)
    return name


def _in_folder(folder: str, paths: list[str]) -> list[Found]:
    called = shown(folder) if is_remote(folder) else folder
    if not paths:
        raise DataError(f"The folder {called} holds no table, expected Parquet, Arrow, CSV or JSON lines files.")
    sure = tuple(suffix for suffix in SUFFIXES if suffix != ".txt")  # beside other tables, a text file is none
    suffixes = sure if any(_plain_name(path).endswith(sure) for path in paths) else SUFFIXES
    for path in paths:
        if not _plain_name(path).endswith(suffixes):
            kinds = sorted({PurePath(name).suffix for name in paths if name.lower().endswith(suffixes)})
            pattern = "/".join([called.rstrip("/"), "**", f"*{kinds[0] if kinds else '.csv'}"])
            raise DataError(
                f"The name of {name_of(path)} is not that of a table. Name the tables, such as {pattern!r}."
            )
    return [_below(folder, path) for path in paths]


def _walk(folder: str) -> Iterator[Path]:
    def refuse(error: OSError) -> None:  # or the rows of this folder would be missing without a word
        remedy = "Ask for permission to read it, or leave it out with a glob or a list of paths."
        raise DataError(f"The folder {error.filename} can't be read: {error.strerror}.", remedy=remedy) from None

    for place, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        inside = os.path.join(os.path.realpath(place), "")
        for path in (os.path.join(place, name) for name in folders):
            if os.path.islink(path) and inside.startswith(os.path.join(os.path.realpath(path), "")):
                raise DataError(f"{path} is a link to a folder that contains it. Remove the link, or use a glob.")
        yield from (Path(place, name) for name in names if not name.startswith((".", "_")))
