"""Tables: read a file, a frame or a built-in example, infer the type of each column, and encode rows as numbers.

::

    reading      a file of any kind as a Table, whole or in pieces; errors name the row and the column
    builtin      digits, penguins, iris, wine, toy
    summary      what is known of all cells of a column, of a table in memory or merged from its pieces
    inference    the type of each column, and which columns to leave out
    giveaways    columns that give the target away
    encoding     columns to columns of numbers, in the same way for training rows and new rows
    candidates   labels that are sets of classes, or rule classes out
    labels       the target column to labels, and the weights
    notes        reports of what was left out, filled, guessed, or did not occur in training
"""

from .builtin import BUILTIN
from .candidates import NotClass, holds_candidates, not_class
from .columns import Boolean, Category, Column, Date, Number, UnseenCounts
from .encoding import Encoded, Encoding
from .frames import as_table, is_frame, table_of
from .giveaways import giveaways
from .inference import KINDS, ColumnOptions, Inference, infer
from .labels import (
    candidate_rows,
    class_indices,
    class_positions,
    given_labels,
    label_texts,
    parsed_labels,
    read_labels,
    read_weights,
    target_cells,
)
from .notes import Note
from .reading import read_batches, read_table, table_from
from .table import Table, joined

__all__ = [
    "BUILTIN",
    "KINDS",
    "Boolean",
    "Category",
    "Column",
    "ColumnOptions",
    "Date",
    "Encoded",
    "Encoding",
    "Inference",
    "NotClass",
    "Note",
    "Number",
    "Table",
    "UnseenCounts",
    "as_table",
    "candidate_rows",
    "class_indices",
    "class_positions",
    "giveaways",
    "given_labels",
    "holds_candidates",
    "infer",
    "is_frame",
    "joined",
    "label_texts",
    "not_class",
    "parsed_labels",
    "read_batches",
    "read_labels",
    "read_table",
    "read_weights",
    "table_from",
    "table_of",
    "target_cells",
]


def __dir__() -> list[str]:
    return __all__
