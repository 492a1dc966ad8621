"""NumPy code for expressions in index notation, of any order.

Entry by entry by broadcasting, sums of products by einsum, a delta as an identity matrix, a label as an index array.
The code is one expression; sizes are read off the arrays in it. Correct comes first here, short second, fast third.
"""

from collections.abc import Mapping
from fractions import Fraction
from string import ascii_letters

from ..expression import Add, Call, Delta, Expr, Index, Label, Mul, Num, Pow, Sum, Tensor
from ..indices import free_indices, letters
from .numpy_pieces import (
    ATOM,
    MINUS,
    POWER,
    PRODUCT,
    Piece,
    added,
    aligned,
    applied,
    function_name,
    python_name,
    union,
    wrapped,
)
from .parts import HALF, parts_of, signed

__all__ = ["numpy_expression"]


def numpy_expression(e: Expr, axes: tuple[str, ...], sizes: Mapping[str, str] | None = None) -> str:
    """Print an expression in index notation as one NumPy expression, which evaluates to an array with these axes.

    Class numbers are integer arrays counted from 0. `sizes` is code for the sizes of letters that no array carries; a
    missing size raises a ValueError. The definitions of `needed_helpers` have to hold.

    Examples
    --------
    >>> numpy_expression(Sum(("k",), Mul((Tensor("X", ("i", "k")), Tensor("W", ("k", "j"))))), ("i", "j"))
    'np.einsum("ik,kj->ij", X, W)'
    """
    unknown = [letter for letter in free_indices(e) if letter not in axes]
    if unknown:
        raise ValueError(f"Index {unknown[0]} is neither summed nor an axis of the result ({', '.join(axes)}).")
    writer = _NumpyWriter(_sizes(e, dict(sizes or {})), axes, dict(sizes or {}))
    written = writer.write(e)
    piece = aligned(written, axes)
    if set(axes) == set(written.axes):
        return piece.code
    shape = ", ".join(writer.size(axis) for axis in axes)
    zeros = applied("np.zeros", f"({shape},)" if len(axes) == 1 else f"({shape})")
    return zeros if piece.code == "0" else f"{zeros} + {wrapped(piece, PRODUCT)}"


def _sizes(e: Expr, known: dict[str, str]) -> dict[str, str]:
    """Add to `known` code for the size of each free letter of `e` that an array carries."""
    found = dict(known)
    links: list[tuple[str, str]] = []

    def note(name: str, indices: tuple[Index, ...], hidden: set[str]) -> None:
        """Keep the size of each letter that an array shows."""
        for axis, index in enumerate(indices):
            if isinstance(index, Label):
                note(index.name, index.indices, hidden)
            elif index not in hidden:
                code = python_name(name)
                found.setdefault(index, f"len({code})" if axis == 0 else f"{code}.shape[{axis}]")

    def visit(part: Expr, hidden: set[str]) -> None:
        """Look at an expression, with the letters bound by sums around it."""
        match part:
            case Tensor(name, indices):
                note(name, indices, hidden)
            case Delta(i, j):
                for index in (i, j):
                    if isinstance(index, Label):
                        note(index.name, index.indices, hidden)
                if isinstance(i, str) and isinstance(j, str) and not {i, j} & hidden:
                    links.append((i, j))
            case Add(parts) | Mul(parts):
                for inner in parts:
                    visit(inner, hidden)
            case Pow(base, exponent):
                visit(base, hidden)
                visit(exponent, hidden)
            case Sum(indices, body):
                visit(body, hidden | set(indices))
            case Call(_, argument, _):
                visit(argument, hidden)

    visit(e, set())
    for _ in links:
        for i, j in links:
            if (i in found) != (j in found):
                found[i] = found[j] = found.get(i) or found[j]
    return found


class _NumpyWriter:
    def __init__(self, sizes: dict[str, str], order: tuple[str, ...], given: dict[str, str]) -> None:
        self.sizes, self.order, self.given = sizes, order, given

    def size(self, letter: str) -> str:
        """Return code for the length of an axis."""
        if letter not in self.sizes:
            raise ValueError(f"The size of index {letter} is unknown: no array in the formula has this index.")
        return self.sizes[letter]

    def write(self, e: Expr) -> Piece:
        """Return code for an expression, and the letters of its axes."""
        match e:
            case Num() | Mul():
                return self.product(e)
            case Tensor(name, indices):
                return self.array(name, indices)
            case Delta(i, j):
                return self.delta(i, j)
            case Add():
                return self.sum_of_terms(e)
            case Sum(indices, body):
                return self.contraction(indices, body)
            case Call(function, argument, order):
                inner = self.write(argument)
                return Piece(applied(function_name(function, order), inner.code), ATOM, inner.axes)
            case Pow(base, exponent) if exponent == HALF:
                inner = self.write(base)
                return Piece(applied("np.sqrt", inner.code), ATOM, inner.axes)
            case Pow(_, Num(value)) if value < 0:
                return self.product(e)
            case Pow(base, exponent):
                return self.power(self.write(base), self.write(exponent))

    def power(self, base: Piece, exponent: Piece) -> Piece:
        """Write a power; a whole number below it becomes a float, because NumPy refuses its negative powers."""
        axes = union((base, exponent), self.order)
        base, exponent = aligned(base, axes), aligned(exponent, axes)
        if base.code.isdigit():
            base = Piece(f"{base.code}.0", ATOM)
        return Piece(f"{wrapped(base, ATOM)} ** {wrapped(exponent, ATOM)}", POWER, axes)

    def array(self, name: str, indices: tuple[Index, ...]) -> Piece:
        """Write an array at its indices; repeated letters and labels become index arrays."""
        code = python_name(name)
        axes = tuple(dict.fromkeys(letter for index in indices for letter in letters(index)))
        labels = [index for index in indices if isinstance(index, Label)]
        if not labels and len(axes) == len(indices):
            return Piece(code, ATOM, axes)
        written = [letter for index in indices for letter in letters(index)]
        if len(labels) == 1 and len(set(written)) == len(written):
            at = indices.index(labels[0])
            return Piece(f"{code}[{':, ' * at}{self.array(labels[0].name, labels[0].indices).code}]", ATOM, axes)
        places = []
        for axis, index in enumerate(indices):
            if isinstance(index, Label):
                place = self.array(index.name, index.indices)
            else:
                size = f"len({code})" if axis == 0 else f"{code}.shape[{axis}]"
                place = Piece(applied("np.arange", size), ATOM, (index,))
            places.append(aligned(place, axes).code)
        return Piece(f"{code}[{', '.join(places)}]", ATOM, axes)

    def delta(self, i: Index, j: Index) -> Piece:
        """Write Kronecker's delta as an identity matrix, as rows of one, or as a comparison of labels."""
        if i == j:
            return Piece("1", ATOM)
        if isinstance(i, str) and isinstance(j, str):
            return Piece(applied("np.eye", self.size(i if i in self.sizes else j)), ATOM, (i, j))
        if isinstance(i, Label) and isinstance(j, str):
            i, j = j, i
        if isinstance(i, str) and isinstance(j, Label) and i not in j.indices:
            label = self.array(j.name, j.indices)
            if not label.axes:
                entries = applied("np.arange", self.size(i))
                return Piece(f"1.0 * ({entries} == {label.code})", PRODUCT, (i,))
            return Piece(f"{applied('np.eye', self.size(i))}[{label.code}]", ATOM, (*label.axes, i))
        sides = [
            self.array(index.name, index.indices)
            if isinstance(index, Label)
            else Piece(applied("np.arange", self.size(index)), ATOM, (index,))
            for index in (i, j)
        ]
        axes = union(sides, self.order)
        left, right = (aligned(side, axes).code for side in sides)
        return Piece(f"1.0 * ({left} == {right})", PRODUCT, axes)

    def sum_of_terms(self, e: Add) -> Piece:
        """Write a sum of terms, each with the axes of all of them."""
        terms = [signed(term) for term in e.terms]
        pieces = [self.write(term) for _, term in terms]
        return added([negative for negative, _ in terms], pieces, union(pieces, self.order))

    def product(self, e: Expr) -> Piece:
        """Write a product: entry by entry, or with an einsum where a sum stands around it."""
        parts = parts_of(e)
        above, below = [self.write(f) for f in parts.above], [self.write(f) for f in parts.below]
        return self.multiplied(parts.number * (-1 if parts.negative else 1), above, below)

    def multiplied(self, number: Fraction, above: list[Piece], below: list[Piece]) -> Piece:
        """Multiply and divide entry by entry."""
        axes = union(above + below, self.order)
        size = abs(number)
        over = [
            wrapped(aligned(p, axes), PRODUCT if n == 0 and size.numerator == 1 else MINUS) for n, p in enumerate(above)
        ]
        under = [wrapped(aligned(p, axes), MINUS) for p in below]
        if size.numerator != 1 or not over:
            over.insert(0, str(size.numerator))
        if size.denominator != 1:
            under.insert(0, str(size.denominator))
        code = " * ".join(over)
        if under:
            last = under[0] if len(under) == 1 else f"({' * '.join(under)})"
            code = f"{code} / {last}"
        if len(over) == 1 and not under:
            level = above[0].level if above else ATOM
            if number < 0:
                return Piece(f"-{over[0]}", min(max(level, PRODUCT), MINUS), axes)
            return Piece(code, max(level, PRODUCT), axes)
        return Piece(f"-{code}" if number < 0 else code, PRODUCT, axes)

    def contraction(self, indices: tuple[str, ...], body: Expr) -> Piece:
        """Write a sum: factors without its indices in front, einsum over the others."""
        while isinstance(body, Sum) and not set(body.indices) & set(indices):
            indices, body = indices + body.indices, body.body
        outer = {letter: code for letter, code in self.sizes.items() if letter not in indices}
        inner = _NumpyWriter(self.given | _sizes(body, outer), (*self.order, *indices), self.given)
        parts = parts_of(body)
        above, below = [inner.write(f) for f in parts.above], [inner.write(f) for f in parts.below]
        outside = [p for p in above if not set(p.axes) & set(indices)]
        operands = [p for p in above if set(p.axes) & set(indices)]
        outside_below = [p for p in below if not set(p.axes) & set(indices)]
        for piece in below:
            if piece not in outside_below:
                at = next((n for n, p in enumerate(operands) if set(piece.axes) <= set(p.axes)), None)
                if at is None:
                    operands.append(inner.multiplied(Fraction(1), [], [piece]))
                else:
                    operands[at] = inner.multiplied(Fraction(1), [operands[at]], [piece])
        unused = [index for index in indices if not any(index in p.axes for p in operands)]
        outside += [Piece(inner.size(index), ATOM) for index in unused]
        if operands:
            outside.append(self.einsum(indices, operands))
        return self.multiplied(parts.number * (-1 if parts.negative else 1), outside, outside_below)

    def einsum(self, indices: tuple[str, ...], operands: list[Piece]) -> Piece:
        """Write the sum over some indices of one array, or of a product of arrays."""
        kept = [axis for axis in dict.fromkeys(a for p in operands for a in p.axes) if axis not in indices]
        known = {axis: n for n, axis in enumerate(self.order)}
        axes = tuple(sorted(kept, key=lambda axis: known.get(axis, len(known))))
        if len(operands) == 1:
            piece = operands[0]
            axes = tuple(axis for axis in piece.axes if axis not in indices)
            summed = [n for n, axis in enumerate(piece.axes) if axis in indices]
            where = "" if not axes else f"axis={summed[0] if len(summed) == 1 else tuple(summed)}"
            return Piece(f"{wrapped(piece, ATOM)}.sum({where})", ATOM, axes)
        spelled: dict[str, str] = {}
        for axis in dict.fromkeys(a for p in operands for a in p.axes):
            plain = len(axis) == 1 and axis in ascii_letters and axis not in spelled.values()
            taken = {a for p in operands for a in p.axes} | set(spelled.values())
            spelled[axis] = axis if plain else next(letter for letter in ascii_letters if letter not in taken)
        inputs = ",".join("".join(spelled[a] for a in p.axes) for p in operands)
        output = "".join(spelled[a] for a in axes)
        return Piece(applied("np.einsum", f'"{inputs}->{output}"', *(p.code for p in operands)), ATOM, axes)
