"""The text of a derivation: read from a file or from standard input, and the kind of text that it is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import DataError

__all__ = ["KINDS", "LONGEST", "kind_of", "read_derivation"]

KINDS = ("markdown", "tex", "text")
"""Markdown with formulas in LaTeX, a LaTeX document, or plain text with a formula on each line."""
ENDINGS = {".md": "markdown", ".markdown": "markdown", ".tex": "tex", ".latex": "tex", ".txt": "text"}
LONGEST = 200_000
"""How many characters a derivation may have."""


def read_derivation(path: str) -> str:
    """Return the text of a file in UTF-8, or of standard input for ``"-"``; raise a DataError if there is none."""
    try:
        with _opened(path) as file:
            content = file.read(4 * LONGEST + 1)  # a character of UTF-8 has at most four bytes
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file. Pass a file, or - for standard input.") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, expected a file.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(content) > 4 * LONGEST:
            return content.decode("utf-8-sig", "replace")  # cut in the middle of a character; it is too long anyway
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{path} is not text in UTF-8: line {line} has other bytes. Save the file as UTF-8.") from None


def kind_of(text: str, path: str = "") -> str:
    r"""Return the kind of a text: by the ending of its file, otherwise by the signs that it has.

    A text with ``\documentclass`` or ``\begin{document}`` is a LaTeX document; one with a dollar, a formula in ``\[``
    or ``\(``, an environment of LaTeX or a code fence is Markdown; any other is plain text.

    Examples
    --------
    >>> kind_of("dL/dz_i = p_i - y_i"), kind_of("$$ L = x^2 $$"), kind_of("", "notes.tex")
    ('text', 'markdown', 'tex')
    """
    ending = Path(path).suffix.lower()
    if ending in ENDINGS:
        return ENDINGS[ending]
    if "\\documentclass" in text or "\\begin{document}" in text:
        return "tex"
    return "markdown" if any(sign in text for sign in ("$", "\\[", "\\(", "\\begin{", "```")) else "text"


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    if path == "-":
        if sys.stdin is None or sys.stdin.closed:
            raise DataError("Standard input is closed. Pass the path of a file.")
        yield sys.stdin.buffer
        return
    with open(path, "rb") as file:
        yield file
