"""Encode all rows, and write them into a spool."""

import hashlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
from scipy.sparse import csr_matrix

from ..engine import Data
from ..functional.arrays import Array
from ..table import Encoding, Table, UnseenCounts, class_indices, label_texts, read_labels, target_cells
from ..table.cells import distinct
from ..version import __version__
from .labelled import Weighted, is_present, weighted_rows
from .learned import Learned
from .scan import Progress
from .sources import Piece, Place, Sources
from .spool import Layout, Spool, SpoolWriter

__all__ = ["encoded_data", "labelled_rows", "spool_identity", "spooled"]

MOST_AT_ONCE = 2**20
SMALLEST_WEIGHT = 1e-20


def spooled(
    sources: Sources,
    known: Learned,
    folder: str | Path,
    target: str,
    weight: str | None = None,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> Spool:
    """Encode all rows that have a label and a weight, once; rows that are in the folder already are not encoded again.

    Parameters
    ----------
    sources : Sources
    known : Learned
        From a scan of the same files.
    folder : Path
        Is made if it doesn't exist.
    target, weight
        As for the scan.
    progress : callable, optional
        Is called after each piece.

    Raises
    ------
    DataError
        If a cell can't be used, naming its file and row; if the disk is full.
    """
    layout = known.layout
    with SpoolWriter(
        folder, layout, spool_identity(sources.identity, known.encoding, known.classes, target, weight)
    ) as writer:
        if not writer.complete:
            end = writer.place
            with closing(sources.pieces_ahead(writer.place)) as pieces:
                for piece in pieces:
                    _write(writer, piece, known, target, weight)
                    end = piece.end
                    if progress is not None:
                        progress(Progress(end.number, sources.bytes_before(end), sources.size))
            writer.end_part(end, complete=True)
    return Spool(folder)


def spool_identity(files: str, encoding: Encoding, classes: Array, target: str, weight: str | None) -> dict[str, str]:
    """Return what encoded rows depend on; `files` is the `identity` of the sources."""
    return {
        "glassmax": __version__,
        "the files": files,
        "the encoding": hashlib.sha256(msgspec.json.encode(encoding)).hexdigest(),
        "the classes": hashlib.sha256(repr(label_texts(classes)).encode()).hexdigest(),
        "target": target,
        "sample_weight": repr(weight),
    }


def labelled_rows(table: Table, classes: Array, target: str, weight: str | None = None) -> tuple[Weighted, Array]:
    """Return the rows of a table that have a label and a weight other than 0, and their class indices.

    Raises
    ------
    DataError
        If a label or a weight can't be used.
    """
    counted = weighted_rows(table, weight)
    cells = target_cells(counted.table, target, classes)
    first, places = distinct(cells)
    few = counted.table.rows(first)  # a row for each label
    there = np.flatnonzero(is_present(cells[first]))
    index = np.full(len(first), -1)
    if len(there):
        few = few.rows(there)
        labels, rows = read_labels(few, target, repeating=False, classes=classes)
        index[there[rows]] = class_indices(classes, labels, few, rows, target)
    y = index[places]
    labelled = counted.where(np.flatnonzero(y >= 0))
    return labelled, y[y >= 0]


def encoded_data(
    labelled: Weighted, rows: slice, y: Array, encoding: Encoding, layout: Layout, largest_weight: float
) -> Data:
    """Return some of the rows from `labelled_rows`, encoded: X as float32, (m, width) or CSR.

    Raises
    ------
    DataError
        If a cell can't be used.
    """
    X = encoding.fill(labelled.table.rows(rows), UnseenCounts()).astype(np.float32)
    weight = None if labelled.weight is None else labelled.weight[rows]
    if weight is not None and largest_weight < SMALLEST_WEIGHT:  # or their sums would lose digits
        weight = weight / largest_weight
    return Data(X if layout.filled is None else csr_matrix(X), y[rows], weight)


def _write(writer: SpoolWriter, piece: Piece, known: Learned, target: str, weight: str | None) -> None:
    labelled, y = labelled_rows(piece.table, known.classes, target, weight)
    at_once = max(1, MOST_AT_ONCE // writer.layout.width)
    file, first, number = piece.start
    for start in range(0, len(y), at_once):
        rows = slice(start, start + at_once)

        def place_behind(count: int, start: int = start) -> Place:
            row = int(labelled.rows[start + count - 1]) + 1
            return Place(file, first + row, number + row)

        data = encoded_data(labelled, rows, y, known.encoding, writer.layout, known.largest_weight)
        writer.add_all(data, place_behind)
