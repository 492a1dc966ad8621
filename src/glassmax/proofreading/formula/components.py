r"""Functions whose values are arrays, as arrays: σ(z)_i, p_k(z), and s(z_j) if s(z_j) = e^{z_j} / Σ_k e^{z_k}."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .signs import FUNCTIONS
from .tree import Call, Entry, Name, Node, Summation
from .walk import map_children, nodes_in

__all__ = ["array_functions", "with_arrays"]


def array_functions(chains: Iterable[Sequence[Node | None]]) -> frozenset[str]:
    """Return the functions that a left side defines entry by entry: σ of ``σ(z)_i = ...``, p of ``p_k(z) = ...``."""
    found = set()
    for sides in chains:
        left = sides[0]
        call = left.of if isinstance(left, Entry) else left
        if not isinstance(call, Call) or call.function.base in FUNCTIONS or call.function.primes:
            continue
        argument = call.arguments[0]
        if len(call.arguments) > 1 or not isinstance(argument, Name):
            continue
        by_entries = not argument.below and (isinstance(left, Entry) or bool(call.function.below))
        summed = argument.below and any(side is not None and _sums_over(side, argument) for side in sides[1:])
        if by_entries or summed:
            found.add(call.function.base)
    return frozenset(found)


def _sums_over(node: Node, argument: Name) -> bool:
    """Return whether a formula has a sum over all entries of an array: softmax has, a function entry by entry not."""
    sums = (part for part in nodes_in(node) if isinstance(part, Summation))
    names = (part for one in sums for part in nodes_in(one.body) if isinstance(part, Name))
    return any(name.base == argument.base and len(name.below) == len(argument.below) for name in names)


def with_arrays(node: Node, functions: frozenset[str]) -> Node:
    """Return a formula in which each of these functions of a name is an array; it is written as before.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> from glassmax.proofreading.formula.write import write
    >>> read = with_arrays(parse("s(z_i) (1 - s(z_j))"), frozenset({"s"}))
    >>> read == parse("s_i (1 - s_j)"), write(read)
    (True, 's(z_i) (1 - s(z_j))')
    """
    if not functions:
        return node
    if isinstance(node, Entry) and isinstance(node.of, Call) and not node.of.function.below:
        name = _array(node.of, functions)
        if name is not None and not name.below:
            return replace(name, below=node.below, typed_as=f"entry:{name.typed_as.partition(':')[2]}")
    if isinstance(node, Call) and (name := _array(node, functions)) is not None:
        return name
    return map_children(node, lambda child: with_arrays(child, functions))


def _array(call: Call, functions: frozenset[str]) -> Name | None:
    """Return a function of a name as an array, or None if it is none."""
    function = call.function
    if function.base not in functions or function.primes or len(call.arguments) != 1:
        return None
    argument = call.arguments[0]
    if not isinstance(argument, Name) or argument.above or argument.primes:
        return None
    if function.below:
        return replace(function, typed_as=f"index:{argument.base}") if not argument.below else None
    return replace(function, below=argument.below, typed_as=f"call:{argument.base}", bracket=call.bracket)
