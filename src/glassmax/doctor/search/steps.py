"""Steps: what was wrong at one node of a simulated backward pass, and what a whole pass of such steps costs.

The same mistake at several layers is one mistake (a helper function is wrong), so it is paid for once. Costs order
explanations that fit equally well; they are not probabilities.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..constants import Constant

__all__ = ["Step", "cost_of", "distinct_steps"]

AGAIN = 0.1
"""What the same mistake costs at one more layer."""


@dataclass(frozen=True)
class Step:
    """One wrong step.

    Attributes
    ----------
    cause : str
        The stable name.
    node : str
        What came out wrong first: "dZ2", "dA1", "dW2", "db1".
    says : str
        What was done.
    cost : float
        See `glassmax.doctor.mistakes.mistake`.
    constant : Constant, optional
        The fitted number.
    also : tuple of str
        Other causes that make the same array.
    """

    cause: str
    node: str
    says: str
    cost: float = 1.0
    constant: Constant | None = None
    also: tuple[str, ...] = ()

    @property
    def layer(self) -> int:
        """The layer of the node."""
        return int(re.sub(r"\D", "", self.node))

    @property
    def kind(self) -> str:
        """The node without its layer: "dZ", "dA", "dW", "db"."""
        return re.sub(r"\d", "", self.node)

    @property
    def where(self) -> str:
        """The parameter at fault, or the node."""
        return self.node[1:] if self.kind in ("dW", "db") else self.node

    @property
    def signature(self) -> tuple[str, str, str]:
        """What two steps share that are one mistake in two places; a factor of W and of b alike is one too."""
        said = re.sub(r"(?<=[ZAWb(])\d+", "", self.says) + (self.constant.name if self.constant else "")
        kind = self.kind[1:] if self.cause not in ("factor", "sign") or self.kind not in ("dW", "db") else "parameter"
        return self.cause, kind, said if self.constant is None else self.constant.name

    def at(self, node: str) -> "Step":
        """Return the same step at another node."""
        return replace(self, node=node)


def distinct_steps(steps: Iterable[Step]) -> list[list[Step]]:
    """Group steps that are one mistake, in the order in which each is first met."""
    groups: dict[tuple[str, str, str], list[Step]] = {}
    for step in steps:
        groups.setdefault(step.signature, []).append(step)
    return list(groups.values())


def cost_of(steps: Iterable[Step]) -> float:
    """Sum the costs; the same mistake once more is cheap."""
    return sum(max(step.cost for step in group) + AGAIN * (len(group) - 1) for group in distinct_steps(steps))
