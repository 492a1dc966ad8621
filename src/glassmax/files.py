"""Write a file completely or not at all.

The content is written to a temporary file in the same folder, flushed to the disk, and the temporary file is then
renamed to the final name. A reader finds the old file or the new one, never a part, even if the machine stops in
between. If the process is killed, the temporary file stays until `remove_leftovers` is called for the same path.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

__all__ = ["remove_leftovers", "write_whole", "writing_whole"]

PART = ".part"
LONGEST_NAME, LONGEST_START = 200, 40


def write_whole(path: str | Path, content: bytes | Iterable[bytes | memoryview]) -> None:
    """Write `content` to `path` completely, or leave an existing file as it was.

    Parameters
    ----------
    path : str or Path
        A file in an existing folder; replaced if it exists. A link is followed; a device or a pipe is not replaced, but
        written to directly.
    content : bytes, or iterable of bytes
        All of the file, or its pieces.

    Raises
    ------
    OSError
        If the folder is missing or read-only, or the disk is full; then nothing has changed.
    """
    with writing_whole(path) as file:
        for piece in [content] if isinstance(content, bytes) else content:
            file.write(piece)


@contextmanager
def writing_whole(path: str | Path) -> Iterator[IO[bytes]]:
    """Write to `path` piece by piece; the file appears when it is complete, and an existing file stays until then.

    Parameters
    ----------
    path : str or Path
        As for `write_whole`.

    Yields
    ------
    binary file

    Raises
    ------
    OSError
        If the folder is missing or read-only, or the disk is full; then nothing has changed.
    """
    target = Path(os.path.realpath(path))
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        with Path(path).open("wb") as device:
            yield device
        return
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=_prefix(target), suffix=PART)
    try:
        with os.fdopen(handle, "wb") as file:
            _locked(handle)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def remove_leftovers(path: str | Path) -> None:
    """Remove the temporary files for `path` that a killed process has left behind; those of a running process stay.

    Parameters
    ----------
    path : str or Path
        As for `write_whole`.
    """
    target = Path(os.path.realpath(path))
    pattern = re.compile(re.escape(_prefix(target)) + r"\w+" + re.escape(PART))
    try:
        names = [name for name in os.listdir(target.parent) if pattern.fullmatch(name)]
    except OSError:  # there is no such folder, or it can't be read: whoever writes there will say so
        return
    for name in names:
        with suppress(OSError), open(target.parent / name, "rb") as file:
            if _locked(file.fileno()):
                os.unlink(target.parent / name)


def _prefix(target: Path) -> str:
    """Return how the names of the temporary files for a path begin; no other path in the folder has the same."""
    name = target.name
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = name[:LONGEST_START] + hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
    return f".{name}."


def _locked(handle: int) -> bool:
    """Lock a file until it is closed, so that others know that it is in use; return False if it is in use already."""
    try:
        import fcntl
    except ImportError:  # Windows, where a file in use can't be removed
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Bring the rename itself to the disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    except OSError:  # some file systems sync no folders
        return
    finally:
        os.close(handle)


def __dir__() -> list[str]:
    return __all__
