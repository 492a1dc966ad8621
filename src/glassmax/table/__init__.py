"""Tables in: read a file, a frame or a built-in example, find out what each column is, turn rows into numbers.

::

    reading      a file of any kind as a Table, whole or in pieces; its faults named by row and column
    builtin      digits, penguins, iris, wine, toy
    inference    what each column is, and which are better left out
    giveaways    columns that tell the target
    encoding     columns to columns of numbers, and the same again for new rows
    labels       the target column to labels, and the weights
    notes        what was left out, filled or never seen in training: nothing is guessed in silence
"""

from .builtin import BUILTIN
from .columns import Boolean, Category, Column, Date, Number, UnseenCounts
from .encoding import Encoded, Encoding
from .frames import is_frame, table_of
from .giveaways import giveaways
from .inference import KINDS, ColumnOptions, Inference, infer
from .labels import label_texts, read_labels, read_weights
from .notes import Note
from .reading import read_batches, read_table
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
    "Note",
    "Number",
    "Table",
    "UnseenCounts",
    "giveaways",
    "infer",
    "is_frame",
    "joined",
    "label_texts",
    "read_batches",
    "read_labels",
    "read_table",
    "read_weights",
    "table_of",
]


def __dir__() -> list[str]:
    return __all__
