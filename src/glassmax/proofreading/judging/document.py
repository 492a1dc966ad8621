"""`Document`: what the judgement of a line needs to know of the whole: the reading, the formulas, the assumptions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..formula.tree import Condition, Node
from ..numbers import Context, Equation
from .agreement import Agreement, agreement
from .assumptions import Assumption, Stated

__all__ = ["Document"]


@dataclass(frozen=True)
class Document:
    """The reading of a document, all its formulas, and the assumptions that it states or that people don't state."""

    context: Context
    equations: tuple[Equation, ...]
    formulas: tuple[Node, ...]
    stated: tuple[Stated, ...]
    usual: tuple[Assumption, ...]

    def compare(
        self,
        left: Node,
        right: Node,
        condition: Condition | None,
        assumption: Iterable[Assumption] = (),
        turns: Sequence[int] | None = None,
    ) -> Agreement:
        """Compare two formulas under an assumption."""
        return agreement(self.context, left, right, condition, adjusted=tuple(assumption), turns=turns)

    def agrees(
        self, left: Node, right: Node, condition: Condition | None, assumption: Iterable[Assumption] = ()
    ) -> bool:
        """Return whether two formulas are the same on all draws."""
        return self.compare(left, right, condition, assumption).kind == "same"
