"""The rows of a shard, as a worker makes and keeps them: a spool of their own, written whole or not at all.

The spools are in the folder of the run where the worker sees it, otherwise in a temporary folder of its machine. A
spool is written into a folder of another name, which is renamed when it is complete: two workers that do the same
don't harm each other, and what a killed worker leaves is never taken for a spool.
"""

import atexit
import contextlib
import os
import shutil
import socket
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..engine import Data
from ..errors import DataError, WorkerError
from ..functional.arrays import Array
from ..streaming import Found, Place, Sources, Spool, SpoolWriter, working_folder
from ..streaming.encode import encoded_data, labelled_rows
from ..streaming.labelled import Weighted
from ..streaming.scan import PLACE_ROWS
from ..streaming.spool import disk_faults
from .job import Job, job_of
from .workers import Held

__all__ = ["TOKEN", "begin_folder", "open_shard", "remove_shards"]

TOKEN = "token"
MOST_OPEN = 32
MOST_AT_ONCE = 2**20
FROM_THE_BEGINNING = ("CSV", "JSON lines")
"""Formats that are read from the beginning of a file, wherever the rows are that are wanted."""
SHARD = "shard-{:06d}"


def begin_folder(folder: Path, token: str, n_shards: int) -> None:
    """Make the folder of so many shards; remove what killed workers have left in it, and shards that there are no more.

    Raises
    ------
    DataError
        If the folder can't be written to.
    """
    with disk_faults(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(".shard-*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in folder.glob("shard-*"):
            if (number := path.name[6:]).isdecimal() and number.isascii() and int(number) >= n_shards:
                shutil.rmtree(path, ignore_errors=True)
        (folder / TOKEN).write_text(token, encoding="ascii")


def remove_shards(folder: Path) -> None:
    """Remove the folder of the shards."""
    shutil.rmtree(folder, ignore_errors=True)


def open_shard(held: Held, shard: int) -> Spool:
    """Return the encoded rows of a shard; make them if they are not there.

    Raises
    ------
    WorkerError
        If this machine doesn't see the files.
    DataError
        If a file or a cell can't be used, or the disk is full.
    """
    spools: _Spools = held.cache.setdefault("spools", _Spools())
    if shard not in spools:
        while len(spools) >= MOST_OPEN:
            spools.popitem(last=False)[1].close()
        job = job_of(held)
        path = _folder(held, job) / SHARD.format(shard)
        if (spool := _complete(path, job, shard)) is None:
            _write(held, job, shard, path)
            spool = Spool(path)
        spools[shard] = spool
    spools.move_to_end(shard)
    return spools[shard]


class _Spools(OrderedDict[int, Spool]):
    """The open spools, that used last at the end."""

    def close(self) -> None:
        """Close all of them."""
        for spool in self.values():
            spool.close()


def _folder(held: Held, job: Job) -> Path:
    if "folder" not in held.cache:
        folder = Path(job.folder)
        held.cache["folder"] = folder if _token(folder) == job.token else _own_folder(job)
    found: Path = held.cache["folder"]
    return found


def _token(folder: Path) -> str:
    try:
        return (folder / TOKEN).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""


_own: dict[str, Path] = {}
_own_stack = contextlib.ExitStack()
atexit.register(_own_stack.close)


def _own_folder(job: Job) -> Path:
    """Return a temporary folder of this process for a run; it is removed with the process, or for the next run."""
    if job.token not in _own:
        _own_stack.close()
        _own.clear()
        _own[job.token] = _own_stack.enter_context(working_folder())
    return _own[job.token]


def _identity(job: Job, shard: int) -> dict[str, str]:
    rows = job.plan.rows(shard)
    return {**job.identity, "rows": f"{rows.start} to {rows.stop}"}


def _complete(path: Path, job: Job, shard: int) -> Spool | None:
    """Return the spool of a shard if it is there and complete."""
    if not path.exists():
        return None
    with contextlib.suppress(DataError):
        spool = Spool(path)
        if spool.identity == _identity(job, shard):
            return spool
    stale = tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent)  # of another run
    with contextlib.suppress(OSError):
        os.rename(path, stale)
    shutil.rmtree(stale, ignore_errors=True)
    return None


def _write(held: Held, job: Job, shard: int, path: Path) -> None:
    rows = job.plan.rows(shard)
    with disk_faults(path.parent, 0):
        part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        with SpoolWriter(part, job.layout, _identity(job, shard)) as writer:
            for data in _stream(held, job, rows).take(len(rows), held):
                writer.add_all(data, lambda _: Place())
            writer.end_part(Place(), complete=True)
        with contextlib.suppress(OSError):  # another worker was quicker
            os.rename(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _stream(held: Held, job: Job, rows: range) -> "_Stream":
    """Return a stream of rows that is at a shard: the one of the shard before, if it is near, or a new one."""
    stream: _Stream | None = held.cache.pop("stream", None)
    if stream is None or not stream.goes_on_to(rows):
        stream = _Stream(_sources(held, job), job, rows.start)
    held.cache["stream"] = stream
    return stream


def _sources(held: Held, job: Job) -> Sources:
    if "sources" not in held.cache:
        given = job.sources
        host = socket.gethostname()
        try:
            found = [Found(path, tuple(folders)) for path, folders in given["given"]]
            sources = Sources(found, columns=given["columns"], **given["reading"])
        except DataError as error:
            raise WorkerError(f"The worker on {host} can't read the files that the driver reads: {error}") from None
        if sources.fingerprint != given["fingerprint"]:
            raise WorkerError(
                f"The worker on {host} sees other files than the driver: their names, sizes or times differ. "
                "Put the files on storage that all machines share."
            )
        sources.probed = True  # by the scan
        held.cache["sources"] = sources
    known: Sources = held.cache["sources"]
    return known


class _Stream:
    """The rows that count, from some row on.

    Attributes
    ----------
    row : int
        Number of the next row.
    """

    def __init__(self, sources: Sources, job: Job, row: int) -> None:
        self.job, self.sources = job, sources
        self.start, place = self._place_before(row)
        self.row, self.file = row, place.file
        self.pieces = sources.pieces(place)
        self.left: tuple[Weighted, Array] | None = None
        self.used = 0

    def _place_before(self, row: int) -> tuple[int, Place]:
        """Return the last place that the scan has noted before a row, and the number of rows before it."""
        places = self.job.places
        before = int(np.searchsorted(places[:, 0], row, side="right"))
        count, *place = places[before - 1].tolist() if before else (0, 0, 0, 0)
        return count, Place(*place)

    def goes_on_to(self, rows: range) -> bool:
        """Go on to later rows, if reading up to there is quicker than to begin anew; return whether it is."""
        file = self._place_before(rows.start)[1].file
        is_text = self.sources.files[self.file].format in FROM_THE_BEGINNING
        is_near = rows.start - self.row <= PLACE_ROWS or (file == self.file and is_text)
        if rows.start < self.row or not is_near:
            return False
        if self.left is not None:
            self.used = min(len(self.left[1]), self.used + rows.start - self.row)
        self.row = rows.start
        return True

    def take(self, count: int, held: Held) -> Iterator[Data]:
        """Return the next rows, encoded, some at a time."""
        job, at_once = self.job, max(1, MOST_AT_ONCE // self.job.layout.width)
        while count:
            labelled, y = self._piece(held)
            end = min(self.used + count, self.used + at_once, len(y))
            rows = slice(self.used, end)
            yield encoded_data(labelled, rows, y, job.encoding, job.layout, job.largest_weight)
            count, self.row, self.used = count - (end - self.used), self.row + end - self.used, end

    def _piece(self, held: Held) -> tuple[Weighted, Array]:
        """Return the labelled rows of the piece that has the next row, and where it is there as `used`."""
        while self.left is None or self.used >= len(self.left[1]):
            held.alive()
            piece = next(self.pieces, None)
            if piece is None:
                name = held.cache["sources"].name
                raise DataError(f"{name} has fewer rows than when the files were first read. Start again.")
            self.file = piece.start.file
            self.left = labelled_rows(piece.table, self.job.labels, self.job.target, self.job.weight)
            size = len(self.left[1])
            self.used = min(size, max(0, self.row - self.start))
            self.start += size
        return self.left
