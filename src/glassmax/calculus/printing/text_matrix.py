"""Matrix notation as plain text: ``Xᵀ(P - Y)/N``.

What binds tightest comes first: ᵀ and ^∘, then the matrix product by juxtaposition and the quotient by a scalar, then
⊙ and ⊘ entry by entry, then + and -. A product inside ⊙ is put in brackets all the same: few readers know which binds
tighter.
"""

from fractions import Fraction

from ..matrix import Apply, Diag, Eye, Hadamard, Leaf, Matrix, Ones, Plus, Power, Product, Quotient, Scaled, Transpose
from .parts import MatrixParts, is_one, is_transparent, matrix_parts, prime, with_signs

__all__ = ["broadcast", "matrix_text"]

SUM, ENTRYWISE, PRODUCT, ATOM = range(4)


def matrix_text(m: Matrix) -> str:
    """Print an expression in matrix notation, in one line of Unicode.

    ᵀ is a transpose, ⊙ a product entry by entry, ⊘ a quotient, ^∘ a power; 1 are ones, I is the identity.

    Examples
    --------
    >>> p = Leaf("p", ("i",))
    >>> matrix_text(Plus((Diag(p, ("i", "j")), Scaled(Fraction(-1), Product((p, Transpose(p, ("j",))), ("i", "j"),
    ...     ), ("i", "j"))), ("i", "j")))
    'diag(p) - p pᵀ'
    """
    return _print(m)[0]


def broadcast(m: Matrix, axes: tuple[str, ...]) -> Matrix:
    """Write a vector that stands among matrices as the matrix it is broadcast to: ``u 1ᵀ`` or ``1 vᵀ``."""
    if len(axes) != 2 or len(m.axes) != 1:
        return m
    rows, columns = axes
    if m.axes == (columns,):
        return Product((Ones((rows,)), m if isinstance(m, Transpose) else Transpose(m, m.axes)), axes)
    return Product((m, Transpose(Ones((columns,)), (columns,))), axes)


def _print(m: Matrix) -> tuple[str, int]:
    """Return the text and how tightly it binds."""
    match m:
        case Leaf(name, _):
            return name, ATOM
        case Ones(axes):
            return ("1 1ᵀ", PRODUCT) if len(axes) == 2 else ("1", ATOM)
        case Eye():
            return "I", ATOM
        case Diag(of, _):
            return f"diag({_equal_numbers(of) or matrix_text(of)})", ATOM
        case Apply(function, of, _, order):
            return f"{prime(function, order)}({matrix_text(of)})", ATOM
        case Transpose(of, _):
            return f"{_equal_numbers(of) or _within(of, ATOM)}ᵀ", ATOM
        case Power():
            return _print_power(m)
        case Product(factors, _):
            levels = (PRODUCT if is_transparent(f, factors[:n]) else ATOM for n, f in enumerate(factors))
            parts = [_equal_numbers(f) or _within(f, level) for f, level in zip(factors, levels, strict=True)]
            return _juxtaposed(parts), PRODUCT
        case Hadamard(factors, axes):
            return _print_entrywise(factors, axes)
        case Plus(terms, axes):
            return _print_sum(terms, axes), SUM
        case Quotient(above, below, axes) if below.axes:
            return f"{_operand(above, axes)} ⊘ {_operand(below, axes)}", ENTRYWISE
        case Scaled() | Quotient():
            return _print_parts(matrix_parts(m))


def _within(m: Matrix, level: int) -> str:
    printed, own = _print(m)
    return printed if own >= level and not printed.startswith("-") else f"({printed})"


def _equal_numbers(m: Matrix) -> str:
    """Print a vector of equal fractions with its ones, (1/N 1), or it reads as a number; "" for anything else."""
    parts = matrix_parts(m) if isinstance(m, Scaled | Quotient) and len(m.axes) == 1 else None
    if parts is None or not isinstance(parts.core, Ones) or parts.number.numerator != 1:
        return ""
    number, _ = _print_parts(MatrixParts(parts.negative, parts.number, None, parts.below))
    return f"({number} 1)"


def _operand(m: Matrix, axes: tuple[str, ...]) -> str:
    """Print an operand of ⊙ or ⊘."""
    return "1" if isinstance(m, Ones) or is_one(m) else _within(broadcast(m, axes), ATOM)


def _juxtaposed(parts: list[str]) -> str:
    printed = parts[0]
    for part in parts[1:]:
        printed += part if printed.endswith("ᵀ") else f" {part}"
    return printed


def _print_power(m: Power) -> tuple[str, int]:
    of, exponent = m.of, m.exponent
    if exponent == Fraction(1, 2):
        return f"sqrt({matrix_text(of)})", ATOM
    if exponent < 0:
        below = of if exponent == -1 else Power(of, -exponent, m.axes)
        return (f"1 ⊘ {_within(below, ATOM)}", ENTRYWISE) if m.axes else (f"1/{_within(below, ATOM)}", PRODUCT)
    number = str(exponent) if exponent.denominator == 1 else f"({exponent})"
    base = _within(of, ATOM)
    if isinstance(of, Transpose | Power):
        base = f"({base})"
    return f"{base}{'^∘' if m.axes else '^'}{number}", ATOM


def _print_entrywise(factors: tuple[Matrix, ...], axes: tuple[str, ...]) -> tuple[str, int]:
    """Print scalars in front, then the arrays with ⊙ between them."""
    scalars = [_within(f, ATOM) for f in factors if not f.axes]
    arrays = [_operand(f, axes) for f in factors if f.axes]
    if not scalars:
        return " ⊙ ".join(arrays), ENTRYWISE
    if len(arrays) > 1:
        arrays = [f"({' ⊙ '.join(arrays)})"]
    return _juxtaposed(scalars + arrays), PRODUCT


def _print_sum(terms: tuple[Matrix, ...], axes: tuple[str, ...]) -> str:
    printed = []
    for term in terms:
        parts = matrix_parts(broadcast(term, axes))
        if isinstance(parts.core, Ones):
            # Among arrays a 1 is read as the array of ones, as in "1 - P".
            parts.core = Ones(parts.core.axes[:1])
        if isinstance(parts.core, Plus) and parts.number == 1 and not parts.below:
            part = f"({matrix_text(parts.core)})"
        else:
            part, _ = _print_parts(MatrixParts(False, parts.number, parts.core, parts.below))
        printed.append((parts.negative, part))
    return with_signs(printed)


def _print_parts(parts: MatrixParts) -> tuple[str, int]:
    number, core = parts.number, parts.core
    if core is None:
        above = str(number.numerator)
    elif number.numerator == 1:
        if not parts.below and number == 1:
            printed, level = _print(core)
            if not parts.negative:
                return printed, level
            bare = level > SUM and not printed.startswith("-")
            return (f"-{printed}" if bare else f"-({printed})"), min(level, PRODUCT) if bare else PRODUCT
        above = _within(core, PRODUCT)
    else:
        product = isinstance(core, Product | Leaf | Transpose)
        above = f"{number.numerator} {_within(core, PRODUCT if product else ATOM)}"
    below = [] if number.denominator == 1 else [str(number.denominator)]
    below += [_within(b, ATOM) for b in parts.below]
    if below:
        above = f"{above}/{below[0]}" if len(below) == 1 else f"{above}/({_juxtaposed(below)})"
    return f"-{above}" if parts.negative else above, PRODUCT
