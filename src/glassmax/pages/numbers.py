"""Numbers as text that align at the decimal point."""

from collections.abc import Callable, Iterable
from math import floor, inf, isfinite, isnan, log10

__all__ = ["aligned", "number"]

MINUS, INFINITY = "\u2212", "\u221e"


def aligned(values: Iterable[float], digits: int = 4) -> list[str]:
    """Write numbers with the same number of decimals, so that they align at the point when set to the right.

    Parameters
    ----------
    values : iterable of float
        NaN and infinities are allowed.
    digits : int
        How many decimals a number of the size of 1 gets. Larger numbers get fewer, smaller ones more.

    Returns
    -------
    list of str
        With the sign U+2212 for minus. If all numbers are whole, there are no decimals; if the largest is below 1e-4
        or from 1e7 on, all have an exponent.

    Examples
    --------
    >>> aligned([1.5, -0.25])
    ['1.5000', '−0.2500']
    >>> aligned([3, 10])
    ['3', '10']
    """
    found = [float(value) for value in values]
    sizes = [abs(value) for value in found if isfinite(value)]
    largest = max(sizes, default=0.0)
    if largest and not 1e-4 <= largest < 1e7:
        return [_signed(value, lambda size: f"{size:.{digits - 1}e}") for value in found]
    decimals = 0
    if not all(size.is_integer() for size in sizes):
        exponent = floor(log10(largest))
        decimals = max(digits - max(exponent, 0) - min(exponent + 1, 0), 0)
    return [_signed(value, lambda size: f"{size:.{decimals}f}") for value in found]


def number(value: float, digits: int = 4) -> str:
    """Write one number as `aligned` does.

    Parameters
    ----------
    value : float
    digits : int
        As for `aligned`.

    Returns
    -------
    str
    """
    return aligned([value], digits)[0]


def _signed(value: float, write: Callable[[float], str]) -> str:
    if isnan(value):
        return "nan"
    text = INFINITY if abs(value) == inf else write(abs(value))
    return MINUS + text if value < 0 and text.strip("0.") else text
