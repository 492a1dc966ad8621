"""The logistic function, by how it is used: a text with σ(z)(1 - σ(z)) or log(1 - σ(z)) that never says what σ is."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ..formula.tree import Add, Call, Name, Negative, Node, Number, Product, Quotient
from ..formula.walk import nodes_in
from .definitions import Definitions, Equation, Function
from .functions import ELEMENTWISE, REDUCTIONS
from .value import Fault

__all__ = ["imply_logistic"]

ONE = Number(Fraction(1))
VARIABLE = Name("z")
LOGISTIC = Quotient(ONE, Add((ONE, Call(Name("exp", typed="e"), (Negative(VARIABLE),)))), barred=True)


def imply_logistic(definitions: Definitions, equations: Sequence[Equation]) -> None:
    """Define each function f as the logistic one if the document has f(z) (1 - f(z)) or log(1 - f(z)).

    A quantity a = f(z) counts as f(z): a (1 - a), log(1 - a).
    """
    nodes = [node for equation in equations for side in equation.sides if side is not None for node in nodes_in(side)]
    called = {node.function.base for node in nodes if isinstance(node, Call) and not node.function.below}
    open_ones = called - set(definitions.functions) - set(ELEMENTWISE) - REDUCTIONS
    if not open_ones:
        return
    for part in _complemented(nodes):
        meant = [
            one
            for whole in (part, *_arguments(part, nodes, definitions))
            for one in (whole, *_values(whole, definitions))
        ]
        names = {value.function.base for value in meant if isinstance(value, Call) and not value.function.primes}
        if isinstance(part, Name):
            names.add(part.base)  # σ (1 - σ)
        for name in names & open_ones:
            definitions.functions[name] = Function(name, (VARIABLE,), LOGISTIC)


def _arguments(part: Node, nodes: Sequence[object], definitions: Definitions) -> list[Node]:
    """What stands for a parameter where a function is called: a^{(i)} for a of ``L(a, y) = ... log(1 - a)``."""
    found: list[Node] = []
    for node in nodes:
        function = definitions.functions.get(node.function.base) if isinstance(node, Call) else None
        if isinstance(node, Call) and function is not None and part in function.parameters:
            found += [one for name, one in zip(function.parameters, node.arguments, strict=False) if name == part]
    return found


def _values(part: Node, definitions: Definitions) -> list[Node]:
    """The right sides of the definition of a name: of its own layer, not of another."""
    try:
        definition = definitions.of(definitions.names.of(part).key) if isinstance(part, Name) else None
    except Fault:
        return []
    return [value for value, _ in definition.branches] if definition is not None else []


def _complemented(nodes: Sequence[object]) -> Iterator[Node]:
    """Yield each x of a product that has the factors x and 1 - x, and of a log(1 - x)."""
    for node in nodes:
        if isinstance(node, Product):
            for factor in node.factors:
                if isinstance(factor, Call | Name) and Add((ONE, Negative(factor))) in node.factors:
                    yield factor
        elif isinstance(node, Call) and node.function.base in ("log", "ln") and len(node.arguments) == 1:
            inside = node.arguments[0]
            if isinstance(inside, Add) and len(inside.terms) == 2 and inside.terms[0] == ONE:
                complement = inside.terms[1]
                if isinstance(complement, Negative) and isinstance(complement.of, Call | Name):
                    yield complement.of
