"""The parts of a formula as its author wrote it: nothing is simplified, nothing is decided.

A formula that is wrong must be read too, so the tree holds what stands on the page: ``p_i (delta_ij - p_j)`` is a name,
a bracket and a product written without a sign. What a name stands for, and whether shapes fit, is found out in
`numbers`. Nodes are immutable and compare by what they mean: how a part was spelled (fields with ``compare=False``)
serves to write the formula again in its author's notation. `bracket` is the kind of bracket that stood around a part,
"(", "[" or "{"; it is written again even if the formula would be the same without it.
"""

from dataclasses import dataclass, field
from fractions import Fraction

__all__ = ["Absolute", "Add", "Call", "Cases", "Condition", "Derivative", "Entry", "Indicator", "Matrix", "Name"]
__all__ += ["Negative", "Node", "Norm", "Number", "Power", "Product", "Quotient", "Summation", "Transpose"]


@dataclass(frozen=True)
class Number:
    """A number: 2, 0.5."""

    value: Fraction
    typed: str = field(default="", compare=False)
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Name:
    """A named quantity with what stands below and above it: p_i, W^{l-1}, S[i,k], delta_ij, x^{(i)}, y_hat.

    `base` is the canonical name: "p", "delta", "sigma", "dL_by_dS" (Greek letters by name); an accent is part of it
    ("y_hat", "x_bar"), and so is a word below it ("L_CE", "net_o1"). A number below it is an index, as in W_1, but part
    of the name if indices in brackets follow ("O_2" in O_2[i,k]). `above` holds superscripts that are no powers: a
    layer or a sample, as the author set them. A vector of ones is the name "ones".

    `typed_as` says how the indices are set, in the order of the page, with spaces between: "_" below, "[" in brackets
    after the name, "^", "^(" and "^[" above, "1" a digit typed right after the name (y1).
    """

    base: str
    below: "tuple[Node, ...]" = ()
    above: "tuple[Node, ...]" = ()
    primes: int = 0
    typed: str = field(default="", compare=False)  # the base as it was spelled, with its font: \mathbf{w}, \delta, δ
    typed_as: str = field(default="", compare=False)
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Add:
    """A sum of terms; a subtracted one is a `Negative`."""

    terms: "tuple[Node, ...]"
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Negative:
    """A term with a minus sign."""

    of: "Node"
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Product:
    """A product as written. `signs[i]` stands between factors i and i+1.

    The signs are: "" for none, "*", "cdot", "times", "odot", "@", "outer", "." (a full stop between two factors);
    "inner" is none where the document means the inner product of two vectors.
    """

    factors: "tuple[Node, ...]"
    signs: tuple[str, ...]
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Quotient:
    r"""A fraction; `barred` if it was a \frac or stood on two lines."""

    above: "Node"
    below: "Node"
    barred: bool = field(default=False, compare=False)
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Power:
    """A power. Of a function, ``f^2(x)`` and ``f(x)^2`` are both a power of a `Call`."""

    base: "Node"
    exponent: "Node"
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Condition:
    """A comparison of indices or of numbers: ``i = j``, ``k != y_i``, ``z > 0``. Several are joined by `also`."""

    left: "Node"
    relation: str  # "=", "!=", "<", "<=", ">", ">="
    right: "Node"
    also: "Condition | None" = None


@dataclass(frozen=True)
class Summation:
    """A sum over letters: ``sum_k``, ``sum_{p=1}^3``, ``sum_{k != i}``; `kind` is "sum" or "prod".

    There are no letters if the author named none: ``-sum y_k log p_k``.
    """

    letters: tuple[str, ...]
    body: "Node"
    low: "Node | None" = None
    high: "Node | None" = None
    condition: Condition | None = None
    kind: str = "sum"
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Call:
    """A function of its arguments: log p_k, sigma'(z), max(0, z). Its name has the primes.

    ``e^x`` is a call of exp whose name is typed "e". ``softmax_i(z)`` keeps the index with the function, and
    ``softmax(z)_i`` is an `Entry` of the call. `style` is the bracket around the arguments, or "" for none (log p_k).
    """

    function: Name
    arguments: "tuple[Node, ...]"
    style: str = field(default="(", compare=False)
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Derivative:
    r"""A derivative as written: dL/dz_i, \frac{\partial L}{\partial W}, d/dx (...), nabla_W L.

    `by` has an entry for each differentiation; it is empty if ∇L says nothing of the variable. `mark` is "d",
    "partial", "delta" (the sign δ) or "nabla". `before` says that the sign stands before what is differentiated:
    d/dx (...). `sign` is what stands there if it names no variable: "∇", or D in D_j S_i.
    """

    of: "Node"
    by: "tuple[Node, ...]"
    mark: str = field(default="partial", compare=False)
    barred: bool = field(default=True, compare=False)
    before: bool = field(default=False, compare=False)
    sign: str = field(default="", compare=False)
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Cases:
    """Values by cases; the condition of the last may be None ("otherwise")."""

    branches: "tuple[tuple[Node, Condition | None], ...]"
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Indicator:
    """1 where a condition holds, 0 elsewhere: 1{i = j}, [i = j]."""

    condition: Condition
    typed: str = field(default="", compare=False)  # the sign of it: \mathbb{1}, 1, I, or "[" for brackets alone
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Matrix:
    """An array written out entry by entry, by rows; a list of numbers (z_1, z_2) is one row."""

    rows: "tuple[tuple[Node, ...], ...]"
    typed: str = field(default="", compare=False)  # its environment, "pmatrix", or its bracket, "(" or "["
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Transpose:
    """A transpose: W^T, W', (A B)^top, W.T."""

    of: "Node"
    typed: str = field(default="", compare=False)  # its sign: "T", "\\top", "ᵀ", ".T", "'"
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Entry:
    """One entry of an expression: (W^T delta)_j, softmax(z)_i, (A B)[i, j]."""

    of: "Node"
    below: "tuple[Node, ...]"
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Norm:
    """A norm: ||x||; the square of it is a `Power`. `order` is what stands below it: "", "1", "2", "F"."""

    of: "Node"
    order: str = ""
    bracket: str = field(default="", compare=False)


@dataclass(frozen=True)
class Absolute:
    """An absolute value: |x|."""

    of: "Node"
    bracket: str = field(default="", compare=False)


Node = (
    Number
    | Name
    | Add
    | Negative
    | Product
    | Quotient
    | Power
    | Summation
    | Call
    | Derivative
    | Cases
    | Indicator
    | Matrix
    | Transpose
    | Entry
    | Norm
    | Absolute
)
