"""NumPy code for matrix notation: @ for the product, * for ⊙, .T, and sums where a factor is a vector of ones.

Vectors are arrays with one axis, so a row and a column look alike; which is meant is known from the axes. A factor of
ones that only broadcasts is not written: the array it multiplies is broadcast instead.
"""

from collections.abc import Mapping
from fractions import Fraction

from ..matrix import Apply, Diag, Eye, Hadamard, Leaf, Matrix, Ones, Plus, Power, Product, Quotient, Scaled, Transpose
from ..matrix.nodes import matrix_children
from .numpy_pieces import (
    ATOM,
    MINUS,
    POWER,
    PRODUCT,
    SUM,
    Piece,
    aligned,
    applied,
    function_name,
    python_name,
    union,
    wrapped,
)
from .parts import is_one, matrix_parts

__all__ = ["matrix_numpy"]

Sizes = dict[str, str]


def matrix_numpy(m: Matrix, sizes: Mapping[str, str] | None = None) -> str:
    """Print an expression in matrix notation as one NumPy expression; vectors have one axis.

    Names, `sizes` and definitions are as for `numpy_expression`.

    Examples
    --------
    >>> X, E = Leaf("X", ("n", "d")), Leaf("E", ("n", "k"))
    >>> matrix_numpy(Product((Transpose(X, ("d", "n")), E), ("d", "k")))
    'X.T @ E'
    """
    known = dict(sizes or {})
    return _full(_write(m, known), m.axes, _with_sizes(m, known)).code


def _with_sizes(m: Matrix, known: Sizes) -> Sizes:
    """Add code for the size of each axis of `m`, and of those its products sum over; the nearest array wins."""
    found: Sizes = {}

    def visit(part: Matrix, wanted: set[str]) -> None:
        if isinstance(part, Leaf):
            name = python_name(part.name)
            for n, axis in enumerate(part.axes):
                if axis in wanted:
                    found.setdefault(axis, f"len({name})" if n == 0 else f"{name}.shape[{n}]")
        for child in matrix_children(part):
            # A letter the part itself does not show is another's: summed inside.
            inner = {a for f in part.factors for a in f.axes} if part is m and isinstance(part, Product) else wanted
            visit(child, inner & set(child.axes))
        if isinstance(part, Diag | Eye) and len(part.axes) == 2:
            i, j = part.axes
            for one, other in ((i, j), (j, i)):
                if one in found and other in wanted:
                    found.setdefault(other, found[one])

    visit(m, set(m.axes))
    return known | found


def _size(axis: str, sizes: Sizes) -> str:
    if axis not in sizes:
        raise ValueError(f"The size of axis {axis} is unknown: no array in the formula has this axis.")
    return sizes[axis]


def _full(piece: Piece, axes: tuple[str, ...], sizes: Sizes) -> Piece:
    """Give `piece` all of `axes`, where it had left some to broadcasting."""
    if set(piece.axes) == set(axes):
        return aligned(piece, axes)
    shape = ", ".join(_size(axis, sizes) for axis in axes)
    shape = f"({shape})" if len(axes) > 1 else shape
    if piece.code == "1":
        return Piece(applied("np.ones", shape), ATOM, axes)
    return Piece(f"{applied('np.ones', shape)} * {wrapped(aligned(piece, axes), MINUS)}", PRODUCT, axes)


def _write(m: Matrix, sizes: Sizes) -> Piece:
    """Write `m`; the piece may lack axes along which it is constant."""
    sizes = _with_sizes(m, sizes)
    match m:
        case Leaf() if is_one(m):
            return Piece("1", ATOM)
        case Leaf(name, axes):
            return Piece(python_name(name), ATOM, axes)
        case Ones():
            return Piece("1", ATOM)
        case Eye(axes):
            return Piece(applied("np.eye", _size(axes[0], sizes)), ATOM, axes)
        case Transpose(of, axes):
            inner = _write(of, sizes)
            new = dict(zip(of.axes, reversed(axes), strict=True))
            return Piece(inner.code, inner.level, tuple(new[axis] for axis in inner.axes))
        case Diag(of, axes):
            return Piece(applied("np.diag", _full(_write(of, sizes), of.axes, sizes).code), ATOM, axes)
        case Apply(function, of, _, order):
            inner = _write(of, sizes)
            return Piece(applied(function_name(function, order), inner.code), ATOM, inner.axes)
        case Power(of, exponent, _):
            return _power(_write(of, sizes), exponent)
        case Hadamard(factors, axes):
            return _multiplied([_write(f, sizes) for f in factors], axes)
        case Quotient(above, below, axes) if below.axes:
            return _divided(_write(above, sizes), _write(below, sizes), axes)
        case Plus(terms, axes):
            return _sum(terms, axes, sizes)
        case Product():
            return _product(m, sizes)
        case Scaled() | Quotient():
            return _parts(m, sizes)


def _power(base: Piece, exponent: Fraction) -> Piece:
    if exponent == Fraction(1, 2):
        return Piece(applied("np.sqrt", base.code), ATOM, base.axes)
    if exponent < 0:
        below = base if exponent == -1 else _power(base, -exponent)
        return Piece(f"1 / {wrapped(below, MINUS)}", PRODUCT, base.axes)
    number = str(exponent) if exponent.denominator == 1 else f"({exponent.numerator} / {exponent.denominator})"
    return Piece(f"{wrapped(base, ATOM)} ** {number}", POWER, base.axes)


def _multiplied(pieces: list[Piece], axes: tuple[str, ...]) -> Piece:
    pieces = [p for p in pieces if p.code != "1"] or [Piece("1", ATOM)]
    reach = union(pieces, axes)
    pieces = [aligned(p, reach) for p in pieces]
    if len(pieces) == 1:
        return pieces[0]
    code = " * ".join(wrapped(p, MINUS if n else PRODUCT) for n, p in enumerate(pieces))
    return Piece(code, PRODUCT, reach)


def _divided(above: Piece, below: Piece, axes: tuple[str, ...]) -> Piece:
    reach = union((above, below), axes)
    above, below = aligned(above, reach), aligned(below, reach)
    return Piece(f"{wrapped(above, PRODUCT)} / {wrapped(below, MINUS)}", PRODUCT, reach)


def _sum(terms: tuple[Matrix, ...], axes: tuple[str, ...], sizes: Sizes) -> Piece:
    pieces: list[Piece] = []
    for term in terms:
        parts = matrix_parts(term)
        positive = Scaled(Fraction(-1), term, term.axes) if parts.negative else term
        pieces.append(_write(positive, sizes))
    reach = union(pieces, axes)
    code = ""
    for term, piece in zip(terms, pieces, strict=True):
        part = wrapped(aligned(piece, reach), PRODUCT)
        negative = matrix_parts(term).negative
        if code:
            code += f" {'-' if negative else '+'} {part}"
        else:
            code = f"-{part}" if negative else part
    return Piece(code, SUM, reach)


def _parts(m: Matrix, sizes: Sizes) -> Piece:
    parts = matrix_parts(m)
    number = parts.number
    core = Piece("1", ATOM) if parts.core is None else _write(parts.core, sizes)
    if core.code == "1":
        core = Piece(str(number.numerator), ATOM, core.axes)
    elif number.numerator != 1:
        core = Piece(f"{number.numerator} * {wrapped(core, MINUS)}", PRODUCT, core.axes)
    below = [] if number.denominator == 1 else [str(number.denominator)]
    below += [wrapped(_write(b, sizes), MINUS) for b in parts.below]
    if below:
        divisor = below[0] if len(below) == 1 else f"({' * '.join(below)})"
        core = Piece(f"{wrapped(core, PRODUCT)} / {divisor}", PRODUCT, core.axes)
    if parts.negative:
        return Piece(f"-{wrapped(core, PRODUCT)}", min(core.level, MINUS) if core.level != SUM else MINUS, core.axes)
    return core


def _product(m: Product, sizes: Sizes) -> Piece:
    """Write a product: factors are joined by @ if an axis is summed, by * otherwise."""
    runs: list[list[Matrix]] = []
    for factor in m.factors:
        if runs and _open_right(runs[-1][-1]) and _open_left(factor):
            runs[-1].append(factor)
        else:
            runs.append([factor])
    pieces = []
    for run in runs:
        # By position, not by letter: a row belongs to the last axis of the result, a column to the first.
        rows, columns = _open_left(run[0]), _open_right(run[-1])
        axes = m.axes if rows and columns else m.axes[:1] if rows else m.axes[-1:] if columns else ()
        piece = _run(run, sizes)
        if len(run) == 1:
            new = dict(zip(run[0].axes, axes, strict=True))
            axes = tuple(new[axis] for axis in piece.axes)
        pieces.append(Piece(piece.code, piece.level, axes if piece.axes else ()))
    return _multiplied(pieces, m.axes)


def _open_right(m: Matrix) -> bool:
    """Tell whether the next factor is summed with the last axis of `m`: a matrix or a row."""
    return len(m.axes) == 2 or (len(m.axes) == 1 and _is_row(m))


def _open_left(m: Matrix) -> bool:
    return len(m.axes) == 2 or (len(m.axes) == 1 and not _is_row(m))


def _is_row(m: Matrix) -> bool:
    """Tell whether a vector lies as a row."""
    match m:
        case Transpose(of, _):
            return not _is_row(of)
        case Product(factors, _):
            return _open_right([f for f in factors if f.axes][-1])
        case Quotient(above, _, _):
            return _is_row(above)
        case Scaled() | Power() | Apply() | Plus() | Hadamard():
            return any(_is_row(part) for part in matrix_children(m) if len(part.axes) == 1)
        case _:
            return False


def _run(run: list[Matrix], sizes: Sizes) -> Piece:
    """Write factors that are summed over the axes between them."""
    run = [m for m in run if not isinstance(m, Eye)] or run[:1]
    if len(run) == 1:
        piece = _write(run[0], sizes)
        return aligned(piece, tuple(axis for axis in run[0].axes if axis in piece.axes))
    left = isinstance(run[0], Transpose) and isinstance(run[0].of, Ones)
    right = isinstance(run[-1], Ones)
    inner = run[left : len(run) - right]
    if not inner:
        return Piece(_size(run[0].axes[0], sizes), ATOM)
    if left and right and len(inner) == 1:
        piece = _item(inner[0], sizes)[0]
        return Piece(f"{wrapped(piece, ATOM)}.sum()", ATOM)
    items = [_item(m, sizes) for m in inner]
    if left:
        items[0] = _summed(inner[0], 0, sizes)
    if right:
        items[-1] = _summed(inner[-1], -1, sizes)
    return _joined(items)


Item = tuple[Piece, bool]
"""A factor, and whether it is the diagonal matrix of the vector that is written."""


def _item(m: Matrix, sizes: Sizes) -> Item:
    diagonal = isinstance(m, Diag)
    inner = m.of if isinstance(m, Diag) else m
    return _full(_write(inner, sizes), inner.axes, _with_sizes(inner, sizes)), diagonal


def _summed(m: Matrix, axis: int, sizes: Sizes) -> Item:
    """Write the product of `m` with ones: the sum along its last or first axis."""
    if isinstance(m, Diag):
        return _item(m.of, sizes)
    letter = m.axes[axis]
    piece = _write(m, sizes)
    if letter not in piece.axes:
        count = Piece(_size(letter, _with_sizes(m, sizes)), ATOM)
        total = _multiplied([count, piece], m.axes)
        rest = tuple(a for a in m.axes if a != letter)
        return _full(total, rest, _with_sizes(m, sizes)), False
    rest = tuple(a for a in piece.axes if a != letter)
    where = f"axis={piece.axes.index(letter)}" if rest else ""
    left = tuple(a for a in m.axes if a != letter)
    total = Piece(f"{wrapped(piece, ATOM)}.sum({where})", ATOM, rest)
    return _full(total, left, _with_sizes(m, sizes)), False


def _joined(items: list[Item]) -> Piece:
    """Join factors by @; a diagonal matrix scales the rows or columns of the factor beside it instead."""
    while len(items) > 1 and any(diagonal for _, diagonal in items):
        at = next(n for n, (_, diagonal) in enumerate(items) if diagonal)
        scale = items[at][0]
        if at + 1 < len(items):
            piece, both = items[at + 1]
            matrix = len(piece.axes) == 2
            left = f"{wrapped(scale, ATOM)}[:, None]" if matrix else wrapped(scale, PRODUCT)
            items[at : at + 2] = [(Piece(f"{left} * {wrapped(piece, MINUS)}", PRODUCT, piece.axes), both)]
        else:
            piece, _ = items[at - 1]
            code = f"{wrapped(piece, PRODUCT)} * {wrapped(scale, MINUS)}"
            items[at - 1 :] = [(Piece(code, PRODUCT, piece.axes), False)]
    pieces = [piece for piece, _ in items]
    if len(pieces) == 1:
        piece, diagonal = items[0]
        return Piece(applied("np.diag", piece.code), ATOM, piece.axes * 2) if diagonal else piece
    if len(pieces) > 2 and len(pieces[-1].axes) == 1 and len(pieces[0].axes) == 2:
        # From the right, so that no matrix product is made where matrix times vector will do.
        code = wrapped(pieces[-1], MINUS)
        for n, piece in enumerate(reversed(pieces[:-1])):
            code = f"{wrapped(piece, MINUS)} @ {f'({code})' if n else code}"
    else:
        code = " @ ".join(wrapped(piece, MINUS) for piece in pieces)
    return Piece(code, PRODUCT, ("summed",) if _remains(pieces) else ())


def _remains(pieces: list[Piece]) -> bool:
    """Tell whether any axis is left; `_product` knows which one."""
    return len(pieces[0].axes) == 2 or len(pieces[-1].axes) == 2
