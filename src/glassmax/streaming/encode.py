"""Encode all rows, and write them into a spool."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from scipy.sparse import csr_matrix

from ..engine import Data
from ..functional.arrays import Array
from ..table import UnseenCounts, class_indices, label_texts, read_labels, target_cells
from .labelled import Weighted, weighted_rows
from .learned import Learned
from .scan import Progress
from .sources import Piece, Place, Sources
from .spool import Layout, Spool, SpoolWriter

__all__ = ["spooled"]

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
    with SpoolWriter(folder, layout, _identity(sources, known, target, weight)) as writer:
        if not writer.complete:
            end = writer.place
            for piece in sources.pieces(writer.place):
                _write(writer, piece, known, target, weight)
                end = piece.end
                if progress is not None:
                    progress(Progress(end.number, sources.bytes_before(end), sources.size))
            writer.end_part(end, complete=True)
    return Spool(folder)


def _identity(sources: Sources, known: Learned, target: str, weight: str | None) -> dict[str, str]:
    """Return what the encoded rows depend on."""
    encoding = hashlib.sha256(msgspec.json.encode(known.encoding)).hexdigest()
    classes = hashlib.sha256(repr(label_texts(known.classes)).encode()).hexdigest()
    return {
        "the files": sources.fingerprint,
        "the encoding": encoding,
        "the classes": classes,
        "target": target,
        "sample_weight": repr(weight),
    }


def _write(writer: SpoolWriter, piece: Piece, known: Learned, target: str, weight: str | None) -> None:
    counted = weighted_rows(piece.table, weight)
    cells = target_cells(counted.table, target, known.classes)
    missing = np.isnan(cells) if cells.dtype.kind == "f" else np.array([cell is None for cell in cells], bool)
    labelled = counted.where(np.flatnonzero(~missing))
    if not len(labelled.rows):
        return
    labels, rows = read_labels(labelled.table, target, repeating=False, classes=known.classes)
    y = class_indices(known.classes, labels, labelled.table, rows, target)
    at_once = max(1, MOST_AT_ONCE // writer.layout.width)
    start = 0
    while start < len(y):
        end = min(start + at_once, start + writer.room, len(y))
        writer.add(_encoded(labelled, slice(start, end), y, known, writer.layout))
        start = end
        if not writer.room:
            row = int(labelled.rows[end - 1]) + 1
            writer.end_part(Place(piece.start.file, piece.start.row + row, piece.start.number + row))


def _encoded(labelled: Weighted, rows: slice, y: Array, known: Learned, layout: Layout) -> Data:
    X = known.encoding.fill(labelled.table.rows(rows), UnseenCounts()).astype(np.float32)
    weight = None if labelled.weight is None else labelled.weight[rows]
    if weight is not None and known.largest_weight < SMALLEST_WEIGHT:  # or their sums would lose digits
        weight = weight / known.largest_weight
    return Data(X if layout.filled is None else csr_matrix(X), y[rows], weight)
