"""Convert an expression in index notation to matrix notation.

An expression of order 3 or more, or with an index that three matrices share, has no matrix form; the error says why.
"""

from collections.abc import Sequence
from fractions import Fraction

from ..expression import Add, Call, Delta, Expr, Label, Mul, Num, Pow, Sum, Tensor
from ..indices import free_indices, is_ones
from .contraction import contracted
from .nodes import (
    Apply,
    Diag,
    Eye,
    Hadamard,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Power,
    Product,
    Quotient,
    Scaled,
    Transpose,
    matrix_children,
)
from .orientation import NoMatrixFormError, note, scaled_ones, spread, tidy

__all__ = ["NoMatrixFormError", "matrix_form", "one_hot_name", "shortest_matrix_form"]


def matrix_form(e: Expr, axes: Sequence[str], rules: list[str]) -> Matrix:
    """Return `e` in matrix notation, or raise the error that says why not; `rules` gets each rule that was used."""
    if len(axes) > 2:
        raise NoMatrixFormError(f"the result has {len(axes)} indices, and a matrix has two")
    return tidy(spread(_convert(e, rules), tuple(axes), rules))


def shortest_matrix_form(forms: Sequence[Expr], axes: Sequence[str]) -> tuple[Matrix, list[str]]:
    """Return the shortest matrix form of several equal expressions (the first of equal length), and its rules."""
    found: list[tuple[int, Matrix, list[str]]] = []
    refused: list[NoMatrixFormError] = []
    for form in forms:
        rules: list[str] = []
        try:
            matrix = matrix_form(form, axes, rules)
        except NoMatrixFormError as error:
            refused.append(error)
        else:
            found.append((_length(matrix), matrix, rules))
    if not found:
        raise refused[0]
    _, matrix, rules = min(found, key=lambda entry: entry[0])
    return matrix, rules


def _length(m: Matrix) -> int:
    """Count how much there is to read; ones count more, because they are hard to read."""
    parts = matrix_children(m)
    plain = sum(isinstance(part, Ones) for part in parts) if isinstance(m, Plus) else 0  # 1 - s is easy to read
    return 1 + 3 * isinstance(m, Ones | Diag) - 3 * plain + sum(_length(part) for part in parts)


def _convert(e: Expr, rules: list[str]) -> Matrix:
    """Convert with axes in whatever order comes naturally."""
    match e:
        case Num(value):
            return Scaled(value, Leaf("1", ()), ()) if value != 1 else Leaf("1", ())
        case Tensor() | Delta():
            return _leaf(e, rules)
        case Add(terms):
            return _add(terms, rules)
        case Mul() | Sum():
            return _contract(e, rules)
        case Pow(base, exponent):
            inner = _convert(base, rules)
            if not isinstance(exponent, Num):
                raise NoMatrixFormError("a power has an exponent that is not a number")
            return _power(inner, exponent.value)
        case Call(function, argument, order):
            inner = _convert(argument, rules)
            return Apply(function, inner, inner.axes, order)


def _leaf(e: Tensor | Delta, rules: list[str]) -> Matrix:
    if isinstance(e, Delta):
        if isinstance(e.i, str) and isinstance(e.j, str):
            return Eye((e.i, e.j))
        label, letter = (e.i, e.j) if isinstance(e.i, Label) else (e.j, e.i)
        if not isinstance(label, Label) or not isinstance(letter, str) or len(label.indices) > 1:
            raise NoMatrixFormError("a delta has two labels")
        name = one_hot_name(label.name, fixed=not label.indices)
        what, shape = ("label", "matrix") if label.indices else ("fixed index", "vector")
        note(rules, f"delta with the {what} {label.name} is the one-hot {shape} {name}")
        return Leaf(name, (*label.indices, letter))
    if is_ones(e):
        return Ones((str(e.indices[0]),), e.name)
    labels = [index for index in e.indices if isinstance(index, Label)]
    letters = tuple(index for index in e.indices if isinstance(index, str))
    if labels:
        return _picked(e, labels, letters, rules)
    if len(set(letters)) < len(letters):
        raise NoMatrixFormError(f"{e.name} has the same index twice: its diagonal")
    if len(letters) > 2:
        raise NoMatrixFormError(f"{e.name} has {len(letters)} indices, and a matrix has two")
    return Leaf(e.name, letters)


def _picked(e: Tensor, labels: list[Label], letters: tuple[str, ...], rules: list[str]) -> Matrix:
    """P[i, y_i] is the sum along the classes of P and the one-hot rows of y; p_y is the product of p and e_y."""
    if not any(label.indices for label in labels) and len(e.indices) <= 2 and len(set(letters)) == len(letters):
        return _picked_once(e, rules)
    if len(e.indices) != 2 or len(labels) != 1 or e.indices[0] not in labels[0].indices:
        raise NoMatrixFormError(f"{e.name} has a label in a place that picks no column of a row")
    Y = Leaf(one_hot_name(labels[0].name), (letters[0], "#"))
    note(rules, f"{e.name} at the label {labels[0].name} is a row sum with the one-hot matrix {Y.name}")
    return Product((Hadamard((Leaf(e.name, (letters[0], "#")), Y), (letters[0], "#")), Ones(("#",))), letters)


def _picked_once(e: Tensor, rules: list[str]) -> Matrix:
    """Write an entry, a row or a column at fixed indices: pᵀe_y, Uᵀe_o, e_oᵀP e_c."""
    axes = tuple(index if isinstance(index, str) else f"#{at}" for at, index in enumerate(e.indices))
    made: Matrix = Leaf(e.name, axes)
    for at, index in enumerate(e.indices):
        if isinstance(index, Label):
            unit = Leaf(one_hot_name(index.name, fixed=True), (axes[at],))
            note(rules, f"{e.name} at the fixed index {index.name} is a product with the vector {unit.name}")
            rest = tuple(axis for axis in made.axes if axis != axes[at])
            turned = Transpose(made, made.axes[::-1]) if made.axes[0] == axes[at] else made
            made = Product((turned, unit), rest)
    return made


def one_hot_name(label: str, *, fixed: bool = False) -> str:
    """Return the name of the one-hot matrix that stands for a label: Y for y; e_y is the vector for a fixed index."""
    if fixed:
        return f"e_{label}"
    return label.upper() if label.islower() else f"onehot({label})"


def _add(terms: Sequence[Expr], rules: list[str]) -> Matrix:
    converted = [_convert(term, rules) for term in terms]
    widest = max(converted, key=lambda m: len(m.axes)).axes
    union = tuple(dict.fromkeys((*widest, *(axis for m in converted for axis in m.axes))))
    if len(union) > 2:
        raise NoMatrixFormError("a sum runs over more than two free indices")
    if len(union) == 2 and all(_is_entrywise(m) for m in converted if m.axes):
        converted = [m if m.axes else scaled_ones(m, Ones(union)) for m in converted]
    return Plus(tuple(spread(m, union, rules) for m in converted), union)


def _is_entrywise(m: Matrix) -> bool:
    """Whether a 1 beside it is read as the array of ones, as in 1 - P; beside a product it would be misread."""
    if isinstance(m, Scaled | Quotient):
        return _is_entrywise(matrix_children(m)[0])
    return isinstance(m, Leaf | Hadamard | Apply | Power)


def _power(m: Matrix, exponent: Fraction) -> Matrix:
    if exponent == 1:
        return m
    if exponent < 0:
        return Quotient(Leaf("1", ()), _power(m, -exponent), m.axes)
    return Power(m, exponent, m.axes)


def _contract(e: Expr, rules: list[str]) -> Matrix:
    """Multiply the factors of a product and sum over its bound indices."""
    number, above, below, bound = _factors(e)
    operands = [_convert(factor, rules) for factor in above]
    denominators = [_convert(factor, rules) for factor in below]
    arrays = _divide_entries([m for m in operands if m.axes], [m for m in denominators if m.axes])
    result = contracted(arrays, set(bound), rules)
    for scalar in (m for m in operands if not m.axes):
        result = scalar if result is None else Product((scalar, result), result.axes)
    result = Leaf("1", ()) if result is None else result
    under = [m for m in denominators if not m.axes]
    if under:
        result = Quotient(result, under[0] if len(under) == 1 else Product(tuple(under), ()), result.axes)
    return Scaled(number, result, result.axes) if number != 1 else result


def _factors(e: Expr) -> tuple[Fraction, list[Expr], list[Expr], list[str]]:
    """Flatten nested products and sums into number, numerators, denominators and bound indices."""
    number = Fraction(1)
    above: list[Expr] = []
    below: list[Expr] = []
    bound: list[str] = []
    taken = set(free_indices(e))

    def look(e: Expr) -> None:
        """Sort a factor: its number, what stands below the line, what is summed over."""
        nonlocal number
        match e:
            case Mul(factors):
                for factor in factors:
                    look(factor)
            case Num(value):
                number *= value
            case Sum(indices, body):
                if set(indices) & taken:
                    above.append(e)  # its letters are in use: it stands for itself
                    return
                taken.update(indices)
                bound.extend(indices)
                look(body)
            case Pow(base, Num(value)) if value < 0:
                below.append(base if value == -1 else Pow(base, Num(-value)))
            case _:
                above.append(e)

    for factor in sorted(e.factors, key=lambda f: isinstance(f, Sum)) if isinstance(e, Mul) else [e]:
        if factor is not e and isinstance(factor, Sum) and not free_indices(factor):
            above.append(factor)  # a scalar of its own
        else:
            look(factor)
    return number, above, below, bound


def _divide_entries(arrays: list[Matrix], below: list[Matrix]) -> list[Matrix]:
    """Put each denominator under a numerator with the same axes, or under 1 if there is none."""
    arrays = list(arrays)
    for denominator in below:
        place = next((i for i, m in enumerate(arrays) if m.axes == denominator.axes), None)
        if place is None:
            arrays.append(Quotient(Leaf("1", ()), denominator, denominator.axes))
        else:
            arrays[place] = Quotient(arrays[place], denominator, denominator.axes)
    return arrays
