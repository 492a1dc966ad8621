"""The DATA of a command: a file, standard input, an example, or several files: paths, folders, globs, or their URLs."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..table import BUILTIN
from .talk import harmless

if TYPE_CHECKING:
    from ..table import Table

__all__ = ["are_several", "batches_of", "check_data", "is_file"]

STDIN = "-"


def is_file(one: str) -> bool:
    """Return whether DATA is neither standard input nor a built-in example."""
    return one not in (STDIN, *BUILTIN)


def are_several(data: Sequence[str]) -> bool:
    """Return whether DATA may name several files."""
    from ..streaming import is_several

    return len(data) != 1 or (is_file(data[0]) and is_several(data[0]))


def check_data(data: Sequence[str]) -> None:
    """Raise an error if standard input or an example is one of several DATA."""
    if len(data) == 1:
        return
    for one in data:
        if one == STDIN:
            raise click.UsageError("- stands for standard input, which can't be read together with files.")
        if one in BUILTIN and not os.path.exists(one):
            raise click.UsageError(
                f"{one} is a built-in example, which can't be read together with {harmless(_other(data, one))}. "
                "Pass one example, or files."
            )


def _other(data: Sequence[str], one: str) -> str:
    return next((other for other in data if other != one), one)


def batches_of(data: Sequence[str], columns: Sequence[str], reading: dict[str, Any]) -> "tuple[Iterator[Table], str]":
    """Return the rows of DATA in pieces, in the natural order of the files, and what all of them are called.

    The name is "" for one file, whose pieces are called by the name of the file.

    Raises
    ------
    DataError
        If there is no file, or a file can't be read or lacks a column that another one has.
    """
    from ..table import read_batches

    if not are_several(data):
        return read_batches(data[0], columns=columns, **reading), ""
    from ..streaming import Sources

    sources = Sources(data[0] if len(data) == 1 else data, columns=columns, **reading)
    return (piece.table for piece in sources.pieces()), sources.name
