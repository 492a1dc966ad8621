"""What the search for a mistake works with: an equation, the letters around it, and one possible correction."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from ..formula.tree import Call, Name, Node, Number, Product, Quotient
from ..formula.write import write

__all__ = ["Correction", "Equation", "Setting", "with_factor"]


@dataclass(frozen=True)
class Equation:
    """One step of a derivation: what the author wrote left and right of an equals sign."""

    left: Node
    right: Node


@dataclass(frozen=True)
class Setting:
    """What stands around the equation: the letters of the document, its quantities, and how many axes they have.

    Attributes
    ----------
    letters : tuple of str
        The letters of indices that the document uses, those of this equation first.
    quantities : tuple of Name
        Each quantity of the document as it was written, with its indices; once each.
    calls : tuple of Call
        Each function of one quantity that the document has: sigma(z), f(Z_1).
    outputs : tuple of Name
        What functions are the definition of, with the letters of this equation: a_j of a = sigma(z).
    kinks : tuple of Name
        What relu is applied to: z of max(0, z).
    insides : tuple of Node
        What stands inside functions and powers: 1 + e^{-z} of (1 + e^{-z})^{-1}.
    variable : Name or None
        What the left side is differentiated by.
    before : Node or None
        What stands before the equals sign, if that is not the left side.
    axes : callable
        The number of axes of a quantity, if it has no index: 0 for a number, 1 for a vector, 2 for a matrix.
    sizes : tuple of Node
        What a sum can be divided by: N, m, a number such as 5.
    fixed : frozenset of str
        Letters that stand for one class, c in p_c: they may stand on one side only.
    left_letters : frozenset of str
        The free letters of the left side.
    left_twice : frozenset of str
        Those that stand there more than once.
    right_letters : frozenset of str
        The free letters of the right side.
    bound : frozenset of str
        The letters of the sums around the place that is looked at.
    unused : frozenset of str
        Those among `bound` that no term of their sum has.
    on_left : bool
        Whether the place stands on the left side.
    right : Node or None
        The right side as a whole.
    dearest : float
        The highest cost of a correction that is wanted.
    write : callable
        How a formula is spelled in the sentence of a correction; the search asks for the sentence of the one it takes.
    """

    letters: tuple[str, ...] = ()
    quantities: tuple[Name, ...] = ()
    calls: tuple[Call, ...] = ()
    outputs: tuple[Name, ...] = ()
    kinks: tuple[Name, ...] = ()
    insides: tuple[Node, ...] = ()
    variable: Name | None = None
    before: Node | None = None
    axes: Callable[[Name], int] = field(default=lambda name: 0)
    sizes: tuple[Node, ...] = ()
    fixed: frozenset[str] = frozenset()
    left_letters: frozenset[str] = frozenset()
    left_twice: frozenset[str] = frozenset()
    right_letters: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    unused: frozenset[str] = frozenset()
    on_left: bool = False
    right: Node | None = None
    dearest: float = inf
    write: Callable[[Node], str] = write


@dataclass(frozen=True)
class Correction:
    """One place of an equation as it might have been meant.

    Attributes
    ----------
    cause : str
        Name of the mistake that this corrects.
    instead : Node
        What belongs at the place.
    says : str
        The mistake in one sentence, in the author's letters, without a full stop.
    cost : float
        The less likely the mistake, the higher; the cheapest correction that is right is shown.
    """

    cause: str
    instead: Node
    says: str
    cost: float = 1.0


def with_factor(factor: Node, node: Node) -> Node:
    """Return `factor` times `node`, with the sign between the other factors of the product."""
    if isinstance(node, Quotient) and node.above == Number(1):  # type: ignore[arg-type]
        return Quotient(factor, node.below, node.barred)
    number = node.factors[0] if isinstance(node, Product) else None
    if isinstance(node, Product) and isinstance(number, Number):
        rest = node.factors[1:]
        if isinstance(factor, Number):
            return Product((Number(factor.value * number.value), *rest), node.signs)
        if not isinstance(factor, Quotient):
            return Product((number, factor, *rest), ("", *node.signs))
    if isinstance(node, Product):
        sign = node.signs[0] if node.signs[0] in ("", "*", "cdot", "times", ".") else ""
        return Product((factor, *node.factors), (sign, *node.signs))
    return Product((factor, node), ("",))
