"""Columns whose values stand in the names of folders: ``year=2024``, as Spark, Hive, polars and pyarrow write them.

A value is a cell of text, without the %XX that stand for other characters in it; ``__HIVE_DEFAULT_PARTITION__`` is a
missing cell. If the values of a column are numbers in all folders, the column holds numbers. A column of the files
takes precedence over a folder of the same name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Self
from urllib.parse import unquote

import numpy as np

from ..functional.arrays import Array
from ..table import Table
from ..table.cells import column_of
from .paths import Found

__all__ = ["Partitions"]

MISSING = "__HIVE_DEFAULT_PARTITION__"


class Partitions(NamedTuple):
    """The columns that the names of folders give, for each file.

    Attributes
    ----------
    cells : list of dict of str to (1,) array
        The cell of each column, in the rows of a file.
    types : list of dict of str to str
        The columns, with the type of their values.
    """

    cells: list[dict[str, Array]]
    types: list[dict[str, str]]

    @classmethod
    def of(
        cls, found: Sequence[Found], columns: Sequence[Mapping[str, str]], wanted: Sequence[str] | None = None
    ) -> Self:
        """Return the columns from the folders of some files; `columns` are those that the files have themselves."""
        texts = [_texts(file.folders) for file in found]
        known = {name for of_file in columns for name in of_file}
        names = [name for name in dict.fromkeys(name for of_file in texts for name in of_file) if name not in known]
        cells: list[dict[str, Array]] = [{} for _ in found]
        types: list[dict[str, str]] = [{} for _ in found]
        for name in names:
            there = [position for position, of_file in enumerate(texts) if name in of_file]
            values = column_of([texts[position][name] for position in there], missing={""})
            for row, position in enumerate(there):
                types[position][name] = "numbers" if values.dtype.kind == "f" else "text"
                if wanted is None or name in wanted:
                    cells[position][name] = values[row : row + 1]
        return cls(cells, types)

    def added(self, table: Table, file: int) -> Table:
        """Return some rows of a file with these columns."""
        more = {name: np.repeat(cell, table.n_rows) for name, cell in self.cells[file].items()}
        more = {name: cells for name, cells in more.items() if name not in table.names}  # a key of JSON lines
        if not more:
            return table
        header = (*table.header, *more) if table.header else ()
        return replace(table, columns={**table.columns, **more}, header=header)


def _texts(folders: Sequence[str]) -> dict[str, str | None]:
    """Return the columns in the names of folders, as text."""
    found: dict[str, str | None] = {}
    for folder in folders:
        name, equals, value = folder.partition("=")
        if equals and name and not name.startswith("."):
            found[unquote(name)] = None if value == MISSING else unquote(value)
    return found
