"""What a whole pass of wrong steps costs.

The same mistake at several layers is one mistake (a helper function is wrong), so it is paid for once. Costs order
explanations that fit equally well; they are not probabilities.
"""

from collections.abc import Iterable

from ..mistakes.step import Step

__all__ = ["cost_of", "distinct_steps"]

AGAIN = 0.1
"""What the same mistake costs at one more layer."""


def distinct_steps(steps: Iterable[Step]) -> list[list[Step]]:
    """Group steps that are one mistake, in the order in which each is first met."""
    groups: dict[tuple[str, str, str], list[Step]] = {}
    for step in steps:
        groups.setdefault(step.signature, []).append(step)
    return list(groups.values())


def cost_of(steps: Iterable[Step]) -> float:
    """Sum the costs; the same mistake once more is cheap."""
    return sum(max(step.cost for step in group) + AGAIN * (len(group) - 1) for group in distinct_steps(steps))
