"""The diverging palette around zero: blue above, orange below, which the color-blind can tell apart."""

from math import isfinite

__all__ = ["STRONGEST", "shade", "strength"]

STRONGEST = 85
"""The share, in percent, of the full color at the largest value: text can still be read on it."""


def shade(value: float, extent: float) -> str:
    """Return the color of a cell as CSS, from the properties ``--positive``, ``--negative`` and ``--zero``.

    Parameters
    ----------
    value : float
        The value of the cell.
    extent : float
        The largest absolute value among the cells that are compared.

    Returns
    -------
    str
        A color; it follows light and dark. A value that is not a number has the color of zero.
    """
    color = "--positive" if value > 0 else "--negative"
    return f"color-mix(in oklab, var({color}) {strength(value, extent):.2f}%, var(--zero))"


def strength(value: float, extent: float) -> float:
    """Return the share of the full color in percent, from 0 to `STRONGEST`; the arguments are those of `shade`."""
    if isfinite(value) and extent > 0:
        return STRONGEST * min(abs(value) / extent, 1.0)
    return STRONGEST if abs(value) > 0 else 0.0
