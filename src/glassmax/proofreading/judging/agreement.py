"""How two formulas agree on the numbers of a reading, with each reason why they can't be compared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..formula.tree import Condition, Node
from ..numbers import Context, CountFault, Fault, ShapeFault

__all__ = ["Agreement", "agreement"]


@dataclass(frozen=True)
class Agreement:
    """`kind` is one of those of `Context.compare`, or "shapes", "letters" or "unknown" with the reason in words."""

    kind: str
    reason: str = ""


def agreement(
    context: Context,
    left: Node,
    right: Node,
    condition: Condition | None = None,
    *,
    adjusted: Iterable[tuple[str, str]] = (),
    turns: Sequence[int] | None = None,
) -> Agreement:
    """Compare two formulas on draws, where the condition holds."""
    some = {} if turns is None else {"turns": turns}
    try:
        with np.errstate(all="ignore"):
            return Agreement(context.compare(left, right, condition, adjusted=adjusted, **some))
    except ShapeFault as fault:
        return Agreement("shapes", str(fault))
    except CountFault as fault:
        return Agreement("letters", str(fault))
    except Fault as fault:
        return Agreement("unknown", str(fault))
    except (MemoryError, OverflowError, RecursionError):
        return Agreement("unknown", "the formula is too large to be compared on numbers")
