"""The parts of a formula as its author wrote it: nothing is simplified, nothing is decided.

A formula that is wrong must be read too, so the tree holds what stands on the page: ``p_i (delta_ij - p_j)`` is a name,
a bracket and a product written without a sign. What a name stands for, and whether shapes fit, is found out in
`numbers`. Nodes are immutable and compare by what they mean: how a part was spelled (fields with ``compare=False``)
serves to write the formula again in its author's notation.
"""

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Absolute", "Add", "Call", "Cases", "Condition", "Derivative", "Entry", "Indicator", "Matrix", "Name"]
__all__ += ["Negative", "Node", "Norm", "Number", "Power", "Product", "Quotient", "Summation", "Transpose"]


@dataclass(frozen=True)
class Number:
    """A number: 2, 0.5."""

    value: Fraction
    typed: str = ""


@dataclass(frozen=True)
class Name:
    """A named quantity with what stands below and above it: p_i, W^{l-1}, S[i,k], delta_ij, x^{(i)}, y_hat.

    `base` is the canonical name: "p", "delta", "sigma", "dL_by_dS" (Greek letters by name); an accent is part of it
    ("y_hat", "x_bar"). `above` holds superscripts that are no powers: a layer or a sample, as the author set them.
    """

    base: str
    below: "tuple[Node, ...]" = ()
    above: "tuple[Node, ...]" = ()
    primes: int = 0
    typed: str = ""  # the base as it was spelled, with its font: \mathbf{w}, \delta, δ
    typed_as: str = ""  # how the indices are set: "_", "[", "^", "^(", "^["


@dataclass(frozen=True)
class Add:
    """A sum of terms; a subtracted one is a `Negative`."""

    terms: "tuple[Node, ...]"


@dataclass(frozen=True)
class Negative:
    """A term with a minus sign."""

    of: "Node"


@dataclass(frozen=True)
class Product:
    """A product as written. `signs[i]` stands between factors i and i+1.

    The signs are: "" for none, "*", "cdot", "times", "odot", "@", "outer", "." (a full stop between two factors).
    """

    factors: "tuple[Node, ...]"
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Quotient:
    r"""A fraction; `barred` if it was a \frac or stood on two lines."""

    above: "Node"
    below: "Node"
    barred: bool = False


@dataclass(frozen=True)
class Power:
    """A power. Of a function, ``f^2(x)`` and ``f(x)^2`` are both a power of a `Call`."""

    base: "Node"
    exponent: "Node"


@dataclass(frozen=True)
class Condition:
    """A comparison of indices or of numbers: ``i = j``, ``k != y_i``, ``z > 0``. Several are joined by `also`."""

    left: "Node"
    relation: str  # "=", "!=", "<", "<=", ">", ">="
    right: "Node"
    also: "Condition | None" = None


@dataclass(frozen=True)
class Summation:
    """A sum over letters: ``sum_k``, ``sum_{p=1}^3``, ``sum_{k != i}``; `kind` is "sum" or "prod"."""

    letters: tuple[str, ...]
    body: "Node"
    low: "Node | None" = None
    high: "Node | None" = None
    condition: Condition | None = None
    kind: str = "sum"


@dataclass(frozen=True)
class Call:
    """A function of its arguments: log p_k, sigma'(z), softmax(z)_i, max(0, z). Its name has the primes."""

    function: Name
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True)
class Derivative:
    r"""A derivative as written: dL/dz_i, \frac{\partial L}{\partial W}, d/dx (...), nabla_W L.

    `by` has an entry for each differentiation. `mark` is "d", "partial" or "nabla".
    """

    of: "Node"
    by: "tuple[Node, ...]"
    mark: str = "partial"
    barred: bool = True


@dataclass(frozen=True)
class Cases:
    """Values by cases; the condition of the last may be None ("otherwise")."""

    branches: "tuple[tuple[Node, Condition | None], ...]"


@dataclass(frozen=True)
class Indicator:
    """1 where a condition holds, 0 elsewhere: 1{i = j}, [i = j]."""

    condition: Condition


@dataclass(frozen=True)
class Matrix:
    """An array written out entry by entry, by rows."""

    rows: "tuple[tuple[Node, ...], ...]"


@dataclass(frozen=True)
class Transpose:
    """A transpose: W^T, W', (A B)^top, W.T."""

    of: "Node"


@dataclass(frozen=True)
class Entry:
    """One entry of an expression: (W^T delta)_j, softmax(z)_i, (A B)[i, j]."""

    of: "Node"
    below: "tuple[Node, ...]"


@dataclass(frozen=True)
class Norm:
    """A norm: ||x||; the square of it is a `Power`."""

    of: "Node"


@dataclass(frozen=True)
class Absolute:
    """An absolute value: |x|."""

    of: "Node"


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
