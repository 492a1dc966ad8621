"""Bounds on the work of a derivation, on its terms, steps and numbers, so that no input hangs.

The bounds are counts, not seconds: what is refused on one machine is refused on every other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction

from ..errors import GlassmaxError

__all__ = ["MOST_NUMBERS", "MOST_TERMS", "DeriveError", "TooManyTermsError", "bounded", "check_power", "spend"]

MOST_STEPS = 500_000
"""Nodes looked at, some seconds' worth; a three-layer network takes about 50,000, a batch normalization 200,000."""
MOST_TERMS = 150
"""Maximum number of terms when brackets are multiplied out; brackets that would give more terms stay closed."""
MOST_POWER = 1000
"""The power a number is raised to."""
MOST_NUMBERS = 10_000_000
"""Entries of one array in the proof."""


class DeriveError(GlassmaxError, ValueError):
    """The request can't be derived: a name that is not there, one that is ambiguous, or too much work."""


class TooManyTermsError(DeriveError):
    """Brackets that would be multiplied out to more terms than anybody reads."""

    def __init__(self) -> None:
        super().__init__(
            f"This multiplies out to more than {MOST_TERMS} terms. Give a part of it a name in a separate equation."
        )


_left: ContextVar[list[int] | None] = ContextVar("steps left", default=None)


@contextmanager
def bounded() -> Iterator[None]:
    """Bound the steps of the work inside the block; a block inside another block counts toward the outer bound."""
    if _left.get() is not None:
        yield
        return
    token = _left.set([MOST_STEPS])
    try:
        yield
    except ZeroDivisionError:
        raise DeriveError("A part of the equations is divided by zero, whatever the values.") from None
    except OverflowError:
        raise DeriveError("A number in the equations is too large to be computed with.") from None
    except RecursionError:
        raise DeriveError("The equations are nested too deep, or an assumption holds its own left side.") from None
    finally:
        _left.reset(token)


def spend(steps: int = 1) -> None:
    """Count steps; raise a DeriveError if there are more than the bound allows."""
    left = _left.get()
    if left is not None:
        left[0] -= steps
        if left[0] < 0:
            raise DeriveError(
                "This is too large to derive within bounds. Give parts of it names, by equations of their own, "
                "or use fewer indices."
            )


def check_power(number: Fraction, exponent: Fraction) -> None:
    """Refuse a power of a number that has more digits than anybody reads: 9^9^9."""
    if abs(number) not in (0, 1) and abs(exponent) > MOST_POWER:
        raise DeriveError(f"A number to the power of {exponent} is too large, expected at most {MOST_POWER}.")
