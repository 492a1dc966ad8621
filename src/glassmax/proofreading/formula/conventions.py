"""What the signs of one document mean, seen from all of its formulas: how each formula is to be read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from .components import array_functions, with_arrays
from .derivatives import UNSAID
from .operators import operators_of, with_derivatives
from .recurrent import layers_of_weights, with_biases
from .small_t import t_transposes, with_transposes
from .tree import Call, Derivative, Name, Node
from .walk import map_children

__all__ = ["conventions_of"]

Chain = Sequence[Node | None]


def conventions_of(chains: Iterable[Chain]) -> Callable[[Node], Node]:
    """Return a function that reads a formula of a document as its author means it; the formula is written as before.

    ∇J is the gradient by the parameter that J is declared with, D_j S_i a derivative where the text says so, s(z_j) an
    entry of an array if all of z enters, and X^t a transpose if the text has no steps t and t + 1; b_h is a bias of
    its own beside W_hh.
    """
    chains = [chain for chain in chains if chain]
    parameters, operators, arrays = _parameters(chains), operators_of(chains), array_functions(chains)
    transposes = t_transposes(chains)
    layers = layers_of_weights(side for chain in chains for side in chain if side is not None)

    def meant(node: Node) -> Node:
        node = with_biases(node, layers)
        node = with_arrays(with_derivatives(_with_variables(node, parameters), operators), arrays)
        return with_transposes(node) if transposes else node

    return meant


def _parameters(chains: Iterable[Chain]) -> dict[str, Name]:
    """Return the parameter of each function that the document declares with a single one: w of J(w) = ..."""
    found: dict[str, Name] = {}
    for left, *_ in chains:
        if isinstance(left, Call) and len(left.arguments) == 1 and isinstance(left.arguments[0], Name):
            found[left.function.base] = left.arguments[0]
    return found


def _with_variables(node: Node, parameters: dict[str, Name]) -> Node:
    """Return a formula in which each gradient ∇J is one by the parameter of J."""
    node = map_children(node, lambda child: _with_variables(child, parameters))
    if isinstance(node, Derivative) and isinstance(node.of, Name) and set(node.by) <= {UNSAID}:
        variable = parameters.get(node.of.base)
        return replace(node, by=(variable,) * max(1, len(node.by)), sign="∇") if variable else node
    return node
