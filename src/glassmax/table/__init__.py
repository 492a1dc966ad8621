"""Tables in: read a CSV or a built-in example, find out what each column is, turn rows into numbers.

::

    reading      a CSV file as a Table of text cells, its faults named by row and column
    builtin      penguins, iris, wine, digits, toy
    encoding     columns of text to columns of numbers, and the same again for new rows
    labels       the target column to labels

This package refuses to guess in silence: what was filled, left out or never seen before is said in notes.
"""

from .builtin import BUILTIN
from .encoding import Category, Encoded, Encoding, Number
from .labels import read_labels
from .reading import Table, read_table

__all__ = ["BUILTIN", "Category", "Encoded", "Encoding", "Number", "Table", "read_labels", "read_table"]
