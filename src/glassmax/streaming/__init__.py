"""Streaming: train on more rows than fit into memory, from files that are read piece by piece.

::

    paths      the files that a folder, a glob or a list names, in natural order
    outputs    what a run writes, which must not be among the files it reads
    partitions columns from the names of folders, such as year=2024
    sources    the rows of many files in pieces, numbered through all files
    labelled   the rows of a piece that have a label and a weight
    sample     a sample of the rows, the same for any cut into pieces
    scan       one pass over all rows: what is known of each column, merged in order
    learned    classes and encoding, the same as from rows in memory
    encode     all rows encoded, into a spool
    spool      encoded rows on disk, from which every epoch reads blocks of rows
    order      the order in which an epoch takes its rows: a function of (seed, epoch, row) alone
    split      rows to train on, validation rows, rows held out: a function of (seed, row) alone
    scoring    the validation rows in a spool of their own, and their scores
    rows       the rows of a spool as an engine takes them
    lbfgs      training on all rows at once
    train      epochs, window by window; stopped and resumed to the same bits
    folder     where a run keeps its scan and its encoded rows, and what is removed afterwards
    reader     windows of rows, read by a thread ahead of the engine
    trials     another process decodes many files first, because some damaged ones crash the process that reads them

`glassmax.SoftmaxClassifier.fit` with ``target=`` uses these modules. You can also use them for a training loop of your
own::

    >>> import tempfile
    >>> from pathlib import Path
    >>> from glassmax import SoftmaxClassifier
    >>> folder = tempfile.TemporaryDirectory()
    >>> for part in range(3):
    ...     lines = ["x,word,y", *(f"{i},{'left right'.split()[i % 2]},{'ab'[i % 2]}" for i in range(100))]
    ...     _ = Path(folder.name, f"part-{part}.csv").write_text(chr(10).join(lines))

    >>> sources = Sources(f"{folder.name}/*.csv")
    >>> state, sample = scanned(sources, "y")                          # one pass over all rows
    >>> known = learned(state, sample, "y")                            # classes, and how columns become numbers
    >>> spool = spooled(sources, known, f"{folder.name}/spool", "y")   # all rows encoded, on disk
    >>> order = spool.layout.order(spool.n_rows, seed=0)
    >>> classifier = SoftmaxClassifier((8,), learning_rate_init=0.05, random_state=0)
    >>> for epoch in range(10):
    ...     for window in range(order.n_windows):
    ...         blocks = order.blocks(epoch, window)
    ...         data, places = spool.read(blocks), order.places(epoch, order.rows_of_blocks(blocks))
    ...         X, y = data.X[places], known.classes[data.y[places]]
    ...         classifier = classifier.partial_fit(X, y, classes=known.classes)
    >>> spool.close()
    >>> classifier.score(X, y)
    1.0
    >>> folder.cleanup()
"""

from .encode import spooled
from .folder import working_folder
from .lbfgs import train_lbfgs_on_spool
from .learned import Learned, learned
from .order import Order, blocks_in_window, is_validation
from .paths import Found, find_files, is_several
from .reader import read_ahead
from .scan import Progress, scanned
from .scoring import SpoolScore, score_spool, validation_spool
from .sources import Piece, Place, Sources
from .split import Split
from .spool import Layout, Spool, SpoolWriter
from .train import Position, WindowDone, train_on_spool

__all__ = [
    "Found",
    "Layout",
    "Learned",
    "Order",
    "Piece",
    "Place",
    "Position",
    "Progress",
    "Sources",
    "Split",
    "Spool",
    "SpoolScore",
    "SpoolWriter",
    "WindowDone",
    "blocks_in_window",
    "find_files",
    "is_several",
    "is_validation",
    "learned",
    "read_ahead",
    "scanned",
    "score_spool",
    "spooled",
    "train_lbfgs_on_spool",
    "train_on_spool",
    "validation_spool",
    "working_folder",
]


def __dir__() -> list[str]:
    return sorted(__all__)
