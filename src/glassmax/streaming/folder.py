"""The folder of a run's scan and encoded rows: one that is named stays, any other is removed when the run is done.

A run with a checkpoint has the folder beside it, named like the checkpoint with ``.rows`` behind. It stays if the run
is stopped, because the next run goes on with it. A run without both has a temporary folder, which is removed in any
case. If its process was killed, the next run that needs a temporary folder removes it.
"""

import os
import shutil
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
        If the folder can't be made.

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
    yield folder
    if named is None:  # the run is complete
        remove_spool(folder)
        (folder / FILE).unlink(missing_ok=True)
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
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        with (folder / LOCK).open("wb") as lock:
            _locked(lock.fileno())
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(prefix: str, parent: str) -> None:
    """Remove the temporary folders of processes that no longer run."""
    for folder in Path(parent).glob(f"{prefix}*"):
        with suppress(OSError), (folder / LOCK).open("rb") as lock:
            if _locked(lock.fileno()):
                shutil.rmtree(folder, ignore_errors=True)


def _locked(handle: int) -> bool:
    """Lock a file until it is closed; return False if another process has locked it, or there are no locks here."""
    try:
        import fcntl
    except ImportError:  # Windows, where a folder in use can't be removed
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
