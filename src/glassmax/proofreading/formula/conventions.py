"""What the signs of one document mean, seen from all of its formulas: how each formula is to be read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from .components import array_functions, with_arrays
from .derivatives import UNSAID
from .inner_products import inner_products
from .operators import operators_of, with_derivatives
from .recurrent import layers_of_weights, with_biases
from .small_t import t_transposes, with_transposes
from .tree import Call, Derivative, Name, Node
from .walk import map_children, nodes_in

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
    transposes, inner = t_transposes(chains), inner_products(chains)
    layers = layers_of_weights(side for chain in chains for side in chain if side is not None)

    def meant(node: Node) -> Node:
        node = inner(with_biases(node, layers))
        node = with_arrays(with_derivatives(_with_variables(node, parameters), operators), arrays)
        return with_transposes(node) if transposes else node

    return meant


def _parameters(chains: Iterable[Chain]) -> dict[str, Name]:
    """Return the parameter of each function that the document declares with a single one: w of J(w) = ..."""
    found: dict[str, Name] = {}
    for left, *_ in chains:
        if isinstance(left, Call) and len(left.arguments) == 1 and isinstance(left.arguments[0], Name):
            found[left.function.base] = left.arguments[0]
    return _variables(chains) | found


def _variables(chains: Iterable[Chain]) -> dict[str, Name]:
    """Return the variable of each name that the document differentiates by one array only: z of ∂J/∂z_i, for ∇²J."""
    by: dict[str, set[str]] = {}
    for part in (part for chain in chains for side in chain if side is not None for part in nodes_in(side)):
        if isinstance(part, Derivative) and isinstance(part.of, Name):
            names = {one.base if isinstance(one, Name) else "" for one in part.by if one != UNSAID}
            by.setdefault(part.of.base, set()).update(names)
    return {base: Name(next(iter(names))) for base, names in by.items() if len(names) == 1 and names != {""}}


def _with_variables(node: Node, parameters: dict[str, Name]) -> Node:
    """Return a formula in which each gradient ∇J is one by the parameter of J."""
    node = map_children(node, lambda child: _with_variables(child, parameters))
    if isinstance(node, Derivative) and isinstance(node.of, Name) and set(node.by) <= {UNSAID}:
        variable = parameters.get(node.of.base)
        return replace(node, by=(variable,) * max(1, len(node.by)), sign="∇") if variable else node
    return node
