"""The spool: encoded rows on disk, written once, from which every epoch reads blocks of rows in any order.

A spool is a folder with a manifest and parts. A part holds consecutive blocks of 64 or 8 rows; a block is::

    crc     uint32             of what follows in the block
    y       int32 (m,)         class indices
    weight  float64 (m,)       if the rows have weights
    dense   float32 (m, width)
    sparse  uint32 (m,), int32 (z,), float32 (z,)         numbers of each row that aren't 0, their columns and values

then, after all blocks, where each begins and ends (int64), and a line of JSON: the rows of the part, the rows up to its
end, the place in the sources where it ends, and a hash; all numbers are little-endian. A part appears when it is
complete. Writing that was interrupted, by Ctrl-C or by the end of the process, goes on after the last complete part.
"""

import errno
import json
import os
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import numpy as np
from scipy.sparse import csr_matrix

from ..engine import Data
from ..errors import DataError, Setting, Text
from ..files import remove_leftovers, write_whole, writing_whole
from ..functional.arrays import Array
from .order import BLOCK_ROWS, Order, blocks_in_window
from .sources import Place

__all__ = ["Layout", "Spool", "SpoolWriter", "disk_faults", "remove_spool"]

FORMAT = "glassmax spool 1"
MANIFEST = "manifest.json"
PART_WINDOWS = 16
MOST_OPEN = 128
U4, I4, F4, I8, F8 = (np.dtype(f"<{code}") for code in ("u4", "i4", "f4", "i8", "f8"))


class Layout(NamedTuple):
    """How rows are stored.

    Attributes
    ----------
    width : int
        Number of columns of X.
    filled : int or None
        Most numbers of a row that aren't 0, if rows are stored without zeros; None for all numbers of each row.
    weighted : bool
        Whether rows have weights.
    block_rows : int
        Number of rows in a block.
    """

    width: int
    filled: int | None = None
    weighted: bool = False
    block_rows: int = BLOCK_ROWS

    @property
    def row_bytes(self) -> int:
        """The size of a row, at most."""
        numbers = 4 * self.width if self.filled is None else 8 * self.filled + 4
        return numbers + 4 + 8 * self.weighted

    @property
    def window_blocks(self) -> int:
        """Number of blocks in a window of the order of rows, at most."""
        return blocks_in_window(self.row_bytes, self.block_rows)

    @property
    def part_blocks(self) -> int:
        """Number of blocks in a part; in the last one, there may be fewer."""
        return PART_WINDOWS * self.window_blocks

    def order(self, n_rows: int, seed: int) -> Order:
        """Return the order of so many rows."""
        return Order(n_rows, seed, self.window_blocks, self.block_rows)


class _Trailer(NamedTuple):
    rows: int
    rows_before: int
    place: Place
    weight: float
    complete: bool
    crc: int

    def line(self) -> bytes:
        return json.dumps(self._asdict()).encode() + b"\n"


class SpoolWriter:
    """Writes a spool, or goes on with one whose writing was interrupted; to be used in a ``with`` statement.

    Parameters
    ----------
    folder : Path
        Is made if it doesn't exist. A spool of other rows there is replaced.
    layout : Layout
    identity : dict of str to str
        What the rows depend on.

    Attributes
    ----------
    rows : int
        Number of rows written so far.
    place : Place
        The place in the sources where the last complete part ends.
    weight : float
        Sum of the weights of these rows, of a block first; their number if they have none.
    complete : bool
        Whether all rows are there.
    """

    def __init__(self, folder: str | Path, layout: Layout, identity: dict[str, str]) -> None:
        self.folder, self.layout = Path(folder), layout
        self.manifest = {"format": FORMAT, "layout": list(layout), "identity": identity}
        self.parts, self.rows, self.place, self.weight, self.complete = 0, 0, Place(), 0.0, False
        self._weight = 0.0
        self._stack = ExitStack()
        self._file: IO[bytes] | None = None
        self._ends: list[int] = []
        self._kept: list[Data] = []
        with disk_faults(self.folder, 0):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._begin()

    def __repr__(self) -> str:
        return f"SpoolWriter({str(self.folder)!r}, rows={self.rows}, complete={self.complete})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:  # a part that is not complete is not kept
            with suppress(OSError):  # closing fails again on a full disk, which is said already
                self._stack.__exit__(kind or GeneratorExit, error or GeneratorExit(), trace)
            self._file = None

    def _begin(self) -> None:
        """Find the parts that are there, if they are of the same rows; otherwise write a new manifest."""
        path = self.folder / MANIFEST
        remove_leftovers(path)
        if _manifest(self.folder) != json.loads(json.dumps(self.manifest)):
            remove_spool(self.folder)
            write_whole(path, json.dumps(self.manifest).encode())
        while not self.complete and (found := _trailer(self._path(self.parts))) is not None:
            if found.rows_before != self.rows:
                break
            self.rows, self.place, self.complete = self.rows + found.rows, found.place, found.complete
            self.weight = self._weight = found.weight
            self.parts += 1
        number = self.parts
        while (path := self._path(number)).exists():  # after a part that is damaged
            path.unlink()
            number += 1
        remove_leftovers(self._path(self.parts))

    def _path(self, part: int) -> Path:
        return self.folder / f"part-{part:06d}.rows"

    @property
    def room(self) -> int:
        """Number of rows that the part lacks that is being written."""
        return self.layout.part_blocks * self.layout.block_rows - self._rows_of_part

    @property
    def _rows_of_part(self) -> int:
        return len(self._ends) * self.layout.block_rows + sum(len(data.y) for data in self._kept)

    def add(self, data: Data) -> None:
        """Write rows, at most `room`: X (m, width) or CSR, class indices, and weights if the layout has them."""
        with disk_faults(self.folder, self.rows * self.layout.row_bytes):
            if self._file is None:
                self._file = self._stack.enter_context(writing_whole(self._path(self.parts)))
            rows = _stacked([*self._kept, data])
            size = self.layout.block_rows
            whole = len(rows.y) - len(rows.y) % size
            for start in range(0, whole, size):
                self._write_block(rows.rows(slice(start, start + size)))
            self._kept = [rows.rows(slice(whole, None))] if whole < len(rows.y) else []

    def add_all(self, data: Data, place_behind: Callable[[int], Place]) -> None:
        """Write any number of rows; `place_behind` is called with the number of those before the end of a part."""
        start = 0
        while start < len(data.y):
            end = min(start + self.room, len(data.y))
            self.add(data.rows(slice(start, end)))
            if not self.room:
                self.end_part(place_behind(end))
            start = end

    def end_part(self, place: Place, *, complete: bool = False) -> None:
        """Complete the part.

        Parameters
        ----------
        place : Place
            The place in the sources behind its last row.
        complete : bool, default=False
            Whether these were the last rows. Otherwise, the part has no `room`.
        """
        with disk_faults(self.folder, self.rows * self.layout.row_bytes):
            if self._file is None:
                self._file = self._stack.enter_context(writing_whole(self._path(self.parts)))
            rows = self._rows_of_part
            for data in self._kept:
                self._write_block(data)
            table = np.array([0, *self._ends], I8).tobytes()
            self._file.write(table)
            self._file.write(_Trailer(rows, self.rows, place, self._weight, complete, zlib.crc32(table)).line())
            self._file = None
            self._stack.close()
        self.parts, self.rows, self.place, self.complete = self.parts + 1, self.rows + rows, place, complete
        self.weight = self._weight
        self._ends, self._kept = [], []

    def _write_block(self, data: Data) -> None:
        pieces = [data.y.astype(I4).tobytes()]
        if self.layout.weighted:
            assert data.weight is not None
            pieces.append(data.weight.astype(F8).tobytes())
        self._weight += len(data.y) * data.mean_weight
        X: Any = data.X
        if self.layout.filled is None:
            pieces.append(np.ascontiguousarray(X, F4).tobytes())
        else:
            pieces += [
                np.diff(X.indptr).astype(U4).tobytes(),
                X.indices.astype(I4).tobytes(),
                X.data.astype(F4).tobytes(),
            ]
        content = b"".join(pieces)
        assert self._file is not None
        self._file.write(zlib.crc32(content).to_bytes(4, "little") + content)
        self._ends.append((self._ends[-1] if self._ends else 0) + 4 + len(content))


class Spool:
    """Encoded rows on disk.

    Parameters
    ----------
    folder : Path
        Of a complete spool.

    Attributes
    ----------
    layout : Layout
    identity : dict of str to str
        What the rows depend on.
    n_rows : int
    mean_weight : float
        The mean weight of all rows; 1 if they have no weights.

    Raises
    ------
    DataError
        If the spool is not complete, or something else is there.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        manifest = _manifest(self.folder)
        if manifest is None:
            raise DataError(
                f"{self.folder} holds no encoded rows of glassmax. Start again, which encodes the rows anew."
            )
        self.layout = Layout(*manifest["layout"])
        self.identity: dict[str, str] = manifest["identity"]
        self.n_rows, self.mean_weight = self._counted()
        self._open: OrderedDict[int, tuple[IO[bytes], Array]] = OrderedDict()

    def __repr__(self) -> str:
        return f"Spool({str(self.folder)!r}): {self.n_rows} rows of {self.layout.width} numbers"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        while self._open:
            self._open.popitem()[1][0].close()

    def remove(self) -> None:
        """Remove the spool, and its folder if nothing else is in it."""
        self.close()
        remove_spool(self.folder)
        with suppress(OSError):
            self.folder.rmdir()

    def _counted(self) -> tuple[int, float]:
        rows = parts = 0
        while (found := _trailer(self.folder / f"part-{parts:06d}.rows")) is not None and found.rows_before == rows:
            rows, parts = rows + found.rows, parts + 1
            if found.complete:
                return rows, found.weight / max(1, rows)
        raise DataError(f"The encoded rows in {self.folder} are not complete. Start again, which encodes the rest.")

    def read(self, blocks: Array) -> Data:
        """Return the rows of some blocks, (c,) int, one block after another: X as float32, (m, width) or CSR.

        Raises
        ------
        DataError
            If a part is damaged or no longer there.
        """
        layout = self.layout
        sizes = np.minimum(layout.block_rows, self.n_rows - np.asarray(blocks) * layout.block_rows)
        m = int(sizes.sum())
        y, weight = np.empty(m, np.int64), np.empty(m) if layout.weighted else None
        X = np.empty((m, layout.width), np.float32) if layout.filled is None else None
        sparse: list[tuple[Array, ...]] = [()] * len(sizes)
        starts = np.cumsum(sizes) - sizes
        for turn in np.argsort(blocks, kind="stable").tolist():  # each part is opened once
            size, start = int(sizes[turn]), int(starts[turn])
            content, rows = self._block(int(blocks[turn])), slice(start, start + size)
            y[rows], at = np.frombuffer(content, I4, size), 4 * size
            if weight is not None:
                weight[rows], at = np.frombuffer(content, F8, size, at), at + 8 * size
            if X is not None:
                X[rows] = np.frombuffer(content, F4, size * layout.width, at).reshape(size, layout.width)
            else:
                counts, at = np.frombuffer(content, U4, size, at), at + 4 * size
                filled = int(counts.sum())
                values = np.frombuffer(content, F4, filled, at + 4 * filled)
                sparse[turn] = counts, np.frombuffer(content, I4, filled, at), values
        return Data(_csr(sparse, layout.width) if X is None else X, y, weight)

    def _block(self, block: int) -> bytes:
        number, within = divmod(block, self.layout.part_blocks)
        try:
            file, ends = self._part(number)
            file.seek(int(ends[within]))
            content = file.read(int(ends[within + 1] - ends[within]))
        except (OSError, ValueError, IndexError) as error:
            why = getattr(error, "strerror", None) or "it is damaged"
            again = "Start again" if isinstance(error, OSError) else self._without(number)
            raise DataError(f"{self._path(number)} can't be read: {why}. {again}.") from None
        if zlib.crc32(content[4:]) != int.from_bytes(content[:4], "little"):
            raise DataError(
                f"{self._path(number)} is damaged: a block doesn't match its checksum. {self._without(number)}."
            )
        return content[4:]

    def _without(self, number: int) -> str:
        """Remove a part that is damaged, so that the next run encodes its rows; return what the user has to do."""
        self.close()
        try:
            self._path(number).unlink(missing_ok=True)
        except OSError:
            return "Remove the file and start again"
        return "Start again, which encodes its rows anew"

    def _part(self, number: int) -> tuple[IO[bytes], Array]:
        """Return the open file of a part and where its blocks begin and end."""
        if number in self._open:
            self._open.move_to_end(number)
            return self._open[number]
        while len(self._open) >= MOST_OPEN:
            self._open.popitem(last=False)[1][0].close()
        file = self._path(number).open("rb", buffering=0)
        try:
            trailer, at = _read_trailer(file)
            n_blocks = -(-trailer.rows // self.layout.block_rows)
            file.seek(at - 8 * (n_blocks + 1))
            table = file.read(8 * (n_blocks + 1))
            if zlib.crc32(table) != trailer.crc:
                raise ValueError
        except BaseException:
            file.close()
            raise
        self._open[number] = file, np.frombuffer(table, I8)
        return self._open[number]

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.rows"


def _csr(pieces: list[tuple[Array, ...]], width: int) -> Any:
    counts, columns, values = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    index = np.int32 if len(values) < 2**31 else np.int64
    return csr_matrix((values, columns.astype(index), starts.astype(index)), shape=(len(counts), width))


def _stacked(parts: list[Data]) -> Data:
    if len(parts) == 1:
        return parts[0]
    X: Any = parts[0].X
    if isinstance(X, np.ndarray):
        X = np.concatenate([data.X for data in parts])
    else:
        from scipy.sparse import vstack

        X = vstack([data.X for data in parts], format="csr")
    weights = [data.weight for data in parts if data.weight is not None]
    return Data(X, np.concatenate([data.y for data in parts]), np.concatenate(weights) if weights else None)


def _manifest(folder: Path) -> Any:
    """Return the manifest of a spool; None if there is none."""
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("format") == FORMAT else None


def _trailer(path: Path) -> _Trailer | None:
    """Return the last line of a part; None if there is no such part, or it is damaged."""
    try:
        with path.open("rb") as file:
            return _read_trailer(file)[0]
    except (OSError, ValueError, TypeError):
        return None


def _read_trailer(file: IO[bytes]) -> tuple[_Trailer, int]:
    """Return the last line of a part, and where it begins."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1024))
    tail = file.read(1024)
    start = tail.rfind(b'{"rows"')
    if start < 0 or not tail.endswith(b"\n"):
        raise ValueError
    found = _Trailer(**json.loads(tail[start:]))
    return found._replace(place=Place(*found.place)), size - len(tail) + start


def remove_spool(folder: Path) -> None:
    """Remove what a spool has written into a folder, and nothing else."""
    for path in sorted(folder.glob("part-*.rows")):
        path.unlink()
        remove_leftovers(path)
    (folder / MANIFEST).unlink(missing_ok=True)
    for path in folder.glob(".part-*.rows.*.part"):
        remove_leftovers(folder / path.name[1:].rsplit(".", 2)[0])


@contextmanager
def disk_faults(folder: Path, written: int) -> Iterator[None]:
    """Say that a folder is full or can't be written to."""
    name = Setting("cache_folder")
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            remedy: Text = ("Choose another folder with ", name, ".")
            message = f"Encoded rows can't be written into {folder}: {error.strerror or error}."
            raise DataError(message, remedy=remedy) from None
        again = "" if folder.name.startswith("glassmax-rows-") else " and start again to continue"  # a temporary folder
        remedy = (f"Free some space{again}, or choose another folder with ", name, ".")
        message = f"The disk of {folder} is full: {written / 1e6:.3g} MB of encoded rows were written there."
        raise DataError(message, remedy=remedy) from None
