"""Streaming: train on more rows than fit into memory, from files that are read piece by piece.

::

    paths      the files that a folder, a glob or a list names, in natural order
    sources    the rows of many files in pieces, numbered through all files
    spool      encoded rows on disk, from which every epoch reads blocks of rows
    order      the order in which an epoch takes its rows: a function of (seed, epoch, row) alone
"""

from .order import Order, blocks_in_window, is_validation
from .paths import find_files
from .sources import Piece, Place, Sources
from .spool import Layout, Spool, SpoolWriter

__all__ = [
    "Layout",
    "Order",
    "Piece",
    "Place",
    "Sources",
    "Spool",
    "SpoolWriter",
    "blocks_in_window",
    "find_files",
    "is_validation",
]


def __dir__() -> list[str]:
    return sorted(__all__)
