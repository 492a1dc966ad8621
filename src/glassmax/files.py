"""Write a file completely or not at all.

The content is written to a temporary file in the same folder, flushed to the disk, and the temporary file is then
renamed to the final name. A reader finds the old file or the new one, never a part, even if the machine stops in
between.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["write_whole", "writing_whole"]


def write_whole(path: str | Path, content: bytes) -> None:
    """Write `content` to `path` completely, or leave an existing file as it was.

    Parameters
    ----------
    path : str or Path
        A file in an existing folder; replaced if it exists. A link is followed; a device or a pipe is not replaced, but
        written to directly.
    content : bytes
        All of the file.

    Raises
    ------
    OSError
        If the folder is missing or read-only, or the disk is full; then nothing has changed.
    """
    with writing_whole(path) as file:
        file.write(content)


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
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


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
