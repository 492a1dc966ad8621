"""A checked derivation as plain data that JSON can hold."""

from typing import Any

from ..checked import CheckedLine

__all__ = ["plain_line"]

FIELDS = (
    *("number", "source", "formula", "verdict", "cause", "says", "write", "write_latex", "proved", "follows_before"),
    "notation",
)


def plain_line(line: CheckedLine) -> dict[str, Any]:
    """Return the fields of a line that are text, numbers or truth values.

    Examples
    --------
    >>> plain_line(CheckedLine(3, "y = x", "y = x", "given"))["verdict"]
    'given'
    """
    return {name: getattr(line, name) for name in FIELDS}
