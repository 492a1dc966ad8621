"""Chains of equals signs over several lines: to which left side a line that begins with "=" belongs."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..formula.tree import Derivative, Node
from ..numbers import Context
from .agreement import agreement
from .assumptions import is_assumption
from .lines import Line

__all__ = ["Step", "steps_of"]

FARTHEST = 4
"""How many left sides a line that begins with an equals sign can skip."""


@dataclass(frozen=True)
class Step:
    """One equals sign of a line: the left side of its chain, what stands just before it, and what stands right of it.

    `before_line` is the index of the line that `before` stands in; `own_left` says whether the line itself has the
    left side.
    """

    left: Node
    before: Node
    right: Node
    before_line: int
    own_left: bool


@dataclass
class _Chain:
    left: Node
    last: Node
    line: int


def steps_of(lines: Sequence[Line], context: Context) -> list[list[Step]]:
    """Return the steps of each line; a line that was not read has none."""
    chains: list[_Chain] = []
    found: list[list[Step]] = []
    for at, line in enumerate(lines):
        steps: list[Step] = []
        found.append(steps)
        if line.equation is None:
            continue
        first, *rest = line.equation.sides
        if first is not None:
            chain = _Chain(first, first, at)
            if not is_assumption(line.equation):
                chains.append(chain)
        elif chains:
            chain = _continued(chains, line, context)
            chains.remove(chain)
            chains.append(chain)
        else:
            continue
        for side in rest:
            if side is not None:
                own = first is not None and not steps
                steps.append(Step(chain.left, chain.last, side, chain.line, own))
                chain.last, chain.line = side, at
    return found


def _continued(chains: Sequence[_Chain], line: Line, context: Context) -> _Chain:
    """Return the chain that a line continues: the latest under which it is right, or else the one it stands under."""
    recent = list(reversed(chains))[:FARTHEST]
    assert line.equation is not None
    right = line.equation.sides[1]
    assert right is not None
    for chain in recent:
        if agreement(context, chain.left, right, line.equation.condition, turns=(0,)).kind == "same":
            return chain
    for chain in recent:
        if chain.line == line.statement.continues:
            return chain
    for chain in recent:
        if isinstance(chain.left, Derivative):
            return chain
    return recent[0]
