"""What a run writes must not be among the files it reads, because it would be read as data the next time."""

import fnmatch
import glob
import os
from pathlib import Path, PurePath

from ..errors import DataError, Setting
from ..table.remote import is_remote
from .paths import Found, Paths, folders_of_glob

__all__ = ["check_cache_folder", "check_checkpoint", "read_as_data"]


def read_as_data(path: str | os.PathLike[str], given: Paths) -> str:
    """Say why a file of this path would be read where files, folders and globs are; "" if it wouldn't be.

    Examples
    --------
    >>> read_as_data("data/run.csv", ["rows.parquet", "data/*.csv"]), read_as_data("run.csv", "data/*.csv")
    ('matches data/*.csv', '')
    """
    for one in [given] if isinstance(given, str | os.PathLike) else given:
        if why := _read_from(Path(path), one.path if isinstance(one, Found) else os.fspath(one)):
            return why
    return ""


def check_checkpoint(path: str | os.PathLike[str] | None, given: Paths) -> None:
    """Raise a DataError if a checkpoint would be read as data the next time."""
    if path is not None and (why := read_as_data(path, given)):
        what = f"{os.fspath(path)} {why}, so it would be read as data the next time."
        raise DataError(what, remedy=("Pass another ", Setting("checkpoint_path"), "."))


def check_cache_folder(folder: str | os.PathLike[str] | None, given: Paths) -> None:
    """Raise a DataError if a folder for encoded rows is a file, or its files would be read as data the next time."""
    if folder is None:
        return
    remedy = ("Pass another ", Setting("cache_folder"), ".")
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise DataError(f"{os.fspath(folder)} is a file, expected a folder.", remedy=remedy)
    if why := read_as_data(Path(folder, "rows"), given):
        what = f"The cache folder {os.fspath(folder)} {why}, so its files would be read as data the next time."
        raise DataError(what, remedy=remedy)


def _read_from(path: Path, source: str) -> str:
    if is_remote(source):
        return ""
    if os.path.isdir(source):
        return f"is in the folder {source}" if _is_inside(path, source) else ""
    if glob.has_magic(source) and not os.path.exists(source):
        inside = _matches(path, source) or any(_is_inside(path, folder) for folder in folders_of_glob(source))
        return f"matches {source}" if inside else ""
    return "is one of the files" if path.exists() and os.path.exists(source) and path.samefile(source) else ""


def _is_inside(path: Path, folder: str) -> bool:
    """Whether a file would be taken as one of a folder's tables."""
    inside, folder = Path(os.path.realpath(path)), os.path.realpath(folder)
    if not inside.is_relative_to(folder):
        return False
    return not any(part.startswith((".", "_")) for part in inside.relative_to(folder).parts)


def _matches(path: Path, pattern: str) -> bool:
    """Whether a glob matches a file."""
    return _match(PurePath(os.path.abspath(path)).parts, PurePath(os.path.abspath(pattern)).parts)


def _match(names: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    """Whether the names of folders and a file match those of a glob, where ``**`` stands for any number of folders."""
    if not patterns:
        return not names
    hidden = bool(names) and names[0].startswith(".") and not patterns[0].startswith(".")  # as glob leaves out
    if patterns[0] == "**":
        return _match(names, patterns[1:]) or (bool(names) and not hidden and _match(names[1:], patterns))
    here = bool(names) and not hidden and fnmatch.fnmatchcase(names[0], patterns[0])
    return here and _match(names[1:], patterns[1:])
