"""The folder of a run's scan and encoded rows: one that is named stays, any other is removed when the run is done.

A run with a checkpoint has the folder beside it, named like the checkpoint with ``.rows`` behind. It stays if the run
is stopped, because the next run goes on with it. A run without both has a temporary folder, which is removed in any
case. If its process was killed, the next run that needs a temporary folder removes it.

While a run uses a folder, it locks a file in it. A second run in a named folder is an error, because each would remove
the rows of the other. Where there are no locks, as on Windows, neither is noticed.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import DataError, Setting
from .scan import FILE
from .spool import remove_spool

__all__ = ["temporary_folder", "working_folder"]

PREFIX = "glassmax-rows-"
LOCK = ".in-use"
AT_ONCE = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
"""How a lock is opened, so that a pipe or a link in its place doesn't stop the run or lead elsewhere."""


@contextmanager
def working_folder(named: str | Path | None = None, checkpoint: str | Path | None = None) -> Iterator[Path]:
    """Make the folder of a run, and remove it afterwards if it is to be removed.

    Parameters
    ----------
    named : str or Path, optional
        A folder that is kept; it is made if it doesn't exist.
    checkpoint : str or Path, optional
        The path of the checkpoint, if the run has one.

    Raises
    ------
    DataError
        If the folder can't be made, or another run uses it.

    Examples
    --------
    >>> with working_folder() as folder:
    ...     folder.is_dir()
    True
    >>> folder.exists()
    False
    """
    if named is None and checkpoint is None:
        with temporary_folder() as folder:
            yield folder
        return
    folder = Path(named) if named is not None else Path(f"{os.fspath(checkpoint)}.rows")  # type: ignore[arg-type]
    try:
        folder.mkdir(parents=named is not None, exist_ok=True)
    except OSError as error:
        remedy = ("Choose another folder with ", Setting("cache_folder"), ".")
        raise DataError(f"The folder {folder} can't be made: {error.strerror or error}.", remedy=remedy) from None
    with _in_use(folder) as is_ours:
        if not is_ours:
            other = Setting("cache_folder") if named is not None else Setting("checkpoint_path")
            remedy = ("Wait until it has ended, or name another one with ", other, ".")
            raise DataError(f"The folder {folder} is in use by another run.", remedy=remedy)
        yield folder
        if named is None:  # the run is complete
            remove_spool(folder)
            (folder / FILE).unlink(missing_ok=True)
    if named is None:
        with suppress(OSError):  # something else is in it
            folder.rmdir()


@contextmanager
def temporary_folder(prefix: str = PREFIX, parent: str | None = None) -> Iterator[Path]:
    """Make a folder that is removed afterwards, or by the next process that makes one if this one is killed.

    Parameters
    ----------
    prefix : str
        The beginning of its name.
    parent : str, optional
        The folder in which it is made; by default that of the system for temporary files.
    """
    _remove_abandoned(prefix, parent or tempfile.gettempdir())
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            with _in_use(folder) as is_ours:
                if is_ours:
                    yield folder
                    return
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(prefix: str, parent: str) -> None:
    """Remove the temporary folders of this user's processes that no longer run."""
    for folder in Path(parent).glob(f"{prefix}*"):
        with suppress(OSError):
            found = os.lstat(folder)
            if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "getuid") and found.st_uid != os.getuid()):
                continue
            handle = os.open(folder / LOCK, AT_ONCE)
            try:
                if stat.S_ISREG(os.fstat(handle).st_mode) and _locked(handle):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)


@contextmanager
def _in_use(folder: Path) -> Iterator[bool]:
    """Lock a folder; yield False if another run has locked it or has just removed it."""
    path = folder / LOCK
    try:
        handle = os.open(path, AT_ONCE | os.O_CREAT, 0o666)
    except FileNotFoundError:
        yield False
        return
    except OSError:  # it can't be written to, so nothing there can be lost
        yield True
        return
    is_ours = False
    try:
        is_ours = _locked(handle) is not False and _is_there(handle, path)
        yield is_ours
    finally:
        if is_ours:
            with suppress(OSError):
                path.unlink()
        os.close(handle)


def _is_there(handle: int, path: Path) -> bool:
    """Whether an open file has not been removed or replaced since it was opened."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except OSError:
        return False


def _locked(handle: int) -> bool | None:
    """Lock a file until it is closed; return False if another process has locked it, None if there are no locks."""
    try:
        import fcntl
    except ImportError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
