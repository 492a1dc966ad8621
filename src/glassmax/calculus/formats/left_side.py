"""The left side of a line, such as ``dL/dz_i``, read into its parts."""

import re
from typing import NamedTuple

__all__ = ["LeftSide", "left_side"]


class LeftSide(NamedTuple):
    """The parts of a derivative: ``sum_{summed} d(above)/d(below) rest``."""

    summed: str  # the index of a sum in front; empty if there is none
    above: str  # what is differentiated: ``L``, ``p_j``, or another left side
    nested: bool  # whether `above` is another left side
    below: str  # what it is differentiated by: ``z_i``
    rest: str  # a factor after a sum, or a word such as "directly"


def left_side(left: str) -> LeftSide | None:
    """Read a left side such as dL/dz_i, d(dL/dz_i)/dz_j or sum_j d(dL/dz_i)/dz_j v_j; None if it is no derivative."""
    found = re.fullmatch(r"(?:sum_(\{.*?\}|\S+) )?d(.+)/d([^/ ]+(?:, [^/ ]+)*)(?: (.+))?", left)
    if found is None:
        return None
    summed, above, below, rest = (part or "" for part in found.groups())
    nested = above.startswith("(")
    return LeftSide(summed.strip("{}"), above[1:-1] if nested else above, nested, below, rest)
