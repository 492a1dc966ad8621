"""The tree of a formula in matrix notation: what the parser makes, before axes have letters."""

from dataclasses import dataclass, field

from ..greek import GREEK

__all__ = ["NUMBERS", "ONE_AXIS", "Node", "is_letter", "kind_of", "names_in"]

NUMBERS = frozenset({"N", "n", "m", "d", "k", "eps", "alpha", "epsilon", "eta", "lambda", "pi", "rho", "tau"})
"""Names that are numbers, unless they are declared or stand beside a matrix product."""
ONE_AXIS = "1"


@dataclass(eq=True, unsafe_hash=True)
class Node:
    """A piece of a formula.

    ``op`` is what it is: a number, name, ones, eye; add, negate, times, divide, power, max, call entry by entry;
    beside, cdot, matmul, inner, outer, einsum; transpose, diag, trace, at, expand, squeeze, like; sum, norm, logsumexp,
    softmax, log_softmax, extremum along an axis; length, the number of entries along an axis; and tuple, string,
    constant, which are no arrays.
    """

    op: str
    args: "tuple[Node, ...]" = ()
    text: str = ""  # a number, a name, the name of a function, the letters of einsum, the items of an index
    axis: int | None = None  # of a reduction, a softmax or a length
    keep: bool = False  # whether a reduced axis stays, with length one
    place: int = field(default=0, compare=False)
    axes: tuple[str, ...] = field(default=(), compare=False)  # once known; "1" is an axis of length one
    row: bool = field(default=False, compare=False)  # whether it is a row vector, xᵀ
    depth: int = field(default=1, compare=False)
    size: int = field(default=1, compare=False)


def is_letter(name: str) -> bool:
    """Tell whether a name is one letter, Latin or Greek, without its digits and primes."""
    bare = name.rstrip("'0123456789")
    return len(bare) == 1 or bare in GREEK


def kind_of(axes: tuple[str, ...]) -> str:
    """Return what an array with these axes is called."""
    return ("a number", "a vector", "a matrix")[min(len(axes), 2)]


def names_in(node: Node) -> set[str]:
    """Return the names in a tree."""
    found = {node.text} if node.op == "name" else set()
    return found.union(*(names_in(arg) for arg in node.args))
