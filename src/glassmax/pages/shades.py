"""The diverging palette around zero: blue above, orange below, which the color-blind can tell apart."""

from math import isfinite

__all__ = ["STRONGEST", "shade"]

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
    if not isfinite(value) or not extent > 0:
        strength = 0.0 if not value or value != value else 1.0
    else:
        strength = min(abs(value) / extent, 1.0)
    color = "--positive" if value > 0 else "--negative"
    return f"color-mix(in oklab, var({color}) {STRONGEST * strength:.2f}%, var(--zero))"
