"""Factors: an array that is right except for a number, which was fitted and recognized."""

from dataclasses import replace

from ..constants import Constant
from .placed import PlacedMistake

__all__ = ["factors", "forgiven"]


def factors(node: str, scale: Constant, cost: float) -> tuple[PlacedMistake, ...]:
    """Name the mistakes in the factor of a node, such as "dZ2" or "db2": none for 1, two if the sign is wrong too.

    `cost` is what a factor costs at this node, before its own oddness.
    """
    if scale.is_one or scale.cost < 0:
        return ()
    if node.startswith("db") and scale.power == -1 and abs(scale.multiple - 1) < 1e-6:
        says = f"dZ{node[2:]} was averaged over the samples, not summed"
        return (PlacedMistake("bias_averaged", node, says, 1.0, scale),)
    mistakes = []
    if scale.multiple < 0:
        mistakes.append(PlacedMistake("sign", node, f"{node} has the wrong sign", cost, replace(scale, name="-1")))
    size = scale.name.removeprefix("-")
    if size != "1":
        positive = replace(scale, name=size)
        mistakes.append(
            PlacedMistake("factor", node, f"{node} is {size} times what it should be", cost + scale.cost, positive)
        )
    return tuple(mistakes)


def forgiven(scale: Constant) -> Constant:
    """A power of n costs nothing after a mistake that isn't linear."""
    return replace(scale, cost=-1.0) if abs(scale.multiple - 1) < 1e-6 else scale
