"""`Document`: what the judgement of a line needs to know of the whole: the reading, the formulas, the assumptions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..formula.tree import Condition, Name, Node
from ..formula.walk import nodes_in
from ..numbers import Context, Equation, Fault
from .agreement import Agreement, agreement
from .assumptions import Assumption, Stated

__all__ = ["Document", "family_of", "known_names"]


def known_names(equations: Iterable[Equation], context: Context) -> frozenset[str]:
    """Return the names that a definition or a left side has, in lower case: Y is the array of all y."""
    told: list[Node] = []
    for equation in equations:
        told += [side for side in equation.sides[: 9 if context.is_given(equation) else 1] if side is not None]
    told += [value for one in context.definitions.found.values() for value, _ in one.branches]
    names = [part for node in told for part in nodes_in(node) if isinstance(part, Name)]
    return frozenset(family_of(name, context) for name in names)


def family_of(name: Name, context: Context) -> str:
    """Return the name of a quantity without its layer, in lower case: w_2 of W_2."""
    try:
        return context.names.of(name).family.lower()
    except Fault:
        return name.base.lower()


@dataclass(frozen=True)
class Document:
    """The reading of a document, its formulas, the assumptions that it states or that people don't state.

    `known` are the names that a definition or a left side has, in lower case: no other can be judged.
    """

    context: Context
    equations: tuple[Equation, ...]
    formulas: tuple[Node, ...]
    stated: tuple[Stated, ...]
    usual: tuple[Assumption, ...]
    known: frozenset[str]

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
