"""Products of arrays in matrix notation, one function for each rule; each rule that is used is recorded in words.

An index in two factors and not in the result is a matrix product, in two factors and in the result a Hadamard product,
in one factor and not in the result a sum along that axis. A delta puts a vector on a diagonal. Two free indices of two
vectors make an outer product.
"""

from collections.abc import Sequence

from .nodes import Apply, Diag, Eye, Hadamard, Leaf, Matrix, Ones, Plus, Product, Transpose
from .orientation import NoMatrixFormError, note, oriented

__all__ = ["contracted"]


def contracted(arrays: list[Matrix], bound: set[str], rules: list[str]) -> Matrix | None:
    """Multiply arrays and sum over the bound letters, one rule after another; the rules used are noted."""
    bound = set(bound)
    while True:
        if any(len(m.axes) > 2 for m in arrays):
            raise NoMatrixFormError("a factor has more than two indices")
        step = (
            _use_identity(arrays, rules)
            or _dot(arrays, bound, rules)
            or _merge_same(arrays, rules)
            or _sum_lonely(arrays, bound, rules)
            or _multiply_pair(arrays, bound, rules)
            or _scale_by_vector(arrays, bound, rules)
        )
        if step is None:
            break
        arrays = step
        bound &= {axis for m in arrays for axis in m.axes}
    if bound:
        raise NoMatrixFormError(f"the index {min(bound)} is shared by more than two factors")
    return _gather(arrays, rules)


def _use_identity(arrays: list[Matrix], rules: list[str]) -> list[Matrix] | None:
    """A delta of free indices with a vector on one of them is a diagonal matrix."""
    for m in arrays:
        if isinstance(m, Eye):
            for v in arrays:
                if len(v.axes) == 1 and v.axes[0] in m.axes:
                    note(rules, "a delta beside a vector puts the vector on the diagonal")
                    return [*(a for a in arrays if a is not m and a is not v), Diag(v, m.axes)]
    return None


def _dot(arrays: list[Matrix], bound: set[str], rules: list[str]) -> list[Matrix] | None:
    """An index in two vectors alone, and not in the result: their inner product."""
    for axis in sorted(bound):
        holders = _count(arrays, axis)
        if len(holders) == 2 and all(len(m.axes) == 1 for m in holders):
            a, b = holders
            note(rules, f"{axis} in two factors and not in the result: matrix product")
            rest = [m for m in arrays if m is not a and m is not b]
            if not isinstance(a, Leaf) and isinstance(b, Leaf):
                a, b = b, a
            return [*rest, Product((Transpose(a, (axis,)), b), ())]
    return None


def _merge_same(arrays: list[Matrix], rules: list[str]) -> list[Matrix] | None:
    """Merge two factors with the same indices into a Hadamard product."""
    for i, a in enumerate(arrays):
        for b in arrays[i + 1 :]:
            if set(a.axes) == set(b.axes):
                rest = [m for m in arrays if m is not a and m is not b]
                note(rules, f"{' and '.join(a.axes)} in two factors: Hadamard product")
                return [*rest, _hadamard(a, oriented(b, a.axes))]
    return None


def _hadamard(a: Matrix, b: Matrix) -> Matrix:
    factors = (*(a.factors if isinstance(a, Hadamard) else (a,)), *(b.factors if isinstance(b, Hadamard) else (b,)))
    # As people write it: arrays, then brackets, then f'(Z).
    slopes = [m for m in factors if isinstance(m, Apply) and (m.order > 0 or m.function in ("step", "sign"))]
    last = sorted(factors, key=lambda m: 2 if m in slopes else isinstance(m, Plus))
    return Hadamard(tuple(last), a.axes)


def _count(arrays: Sequence[Matrix], axis: str) -> list[Matrix]:
    return [m for m in arrays if axis in m.axes]


def _sum_lonely(arrays: list[Matrix], bound: set[str], rules: list[str]) -> list[Matrix] | None:
    """An index in one factor and not in the result: a sum along that axis."""
    for axis in sorted(bound):
        holders = _count(arrays, axis)
        if len(holders) == 1:
            m = holders[0]
            rest = [other for other in arrays if other is not m]
            note(rules, f"{axis} in one factor and not in the result: a sum along that axis")
            if len(m.axes) == 1:
                return [*rest, Product((Transpose(Ones((axis,)), (axis,)), m), ())]
            other_axis = next(a for a in m.axes if a != axis)
            return [*rest, _product(oriented(m, (other_axis, axis)), Ones((axis,)), (other_axis,))]
    return None


def _multiply_pair(arrays: list[Matrix], bound: set[str], rules: list[str]) -> list[Matrix] | None:
    """An index in two factors and not in the result: a matrix product."""
    for axis in sorted(bound, key=lambda a: (len({x for m in _count(arrays, a) for x in m.axes}), a)):
        holders = _count(arrays, axis)
        if len(holders) != 2:
            continue
        a, b = holders
        rest = [m for m in arrays if m is not a and m is not b]
        free = tuple(x for m in (a, b) for x in m.axes if x != axis)
        if len(free) == 2 and free[0] == free[1]:
            continue
        note(rules, f"{axis} in two factors and not in the result: matrix product")
        if len(a.axes) == 1 and len(b.axes) == 1:
            return [*rest, Product((Transpose(a, (axis,)), b), ())]
        if len(a.axes) == 1:
            a, b = b, a
        left = next(x for x in a.axes if x != axis)
        right = tuple(x for x in b.axes if x != axis)
        return [*rest, _product(oriented(a, (left, axis)), oriented(b, (axis, *right)), (left, *right))]
    return None


def _product(a: Matrix, b: Matrix, axes: tuple[str, ...]) -> Matrix:
    return Product((*_chain(a), *_chain(b)), axes)


def _chain(m: Matrix) -> tuple[Matrix, ...]:
    """The factors of a product of arrays, so that products of products print without brackets."""
    return m.factors if isinstance(m, Product) and m.axes and all(f.axes for f in m.factors) else (m,)


def _scale_by_vector(arrays: list[Matrix], bound: set[str], rules: list[str]) -> list[Matrix] | None:
    """A vector beside a matrix whose index is in the result, or in a third factor: it scales rows or columns."""
    for v in [v for v in arrays if len(v.axes) == 1 and (v.axes[0] not in bound or len(_count(arrays, v.axes[0])) > 2)]:
        for m in arrays:
            if len(m.axes) == 2 and v.axes[0] in m.axes:
                rest = [a for a in arrays if a is not m and a is not v]
                diagonal, rows = Diag(v, v.axes * 2), v.axes[0] == m.axes[0]
                lines = "rows" if rows else "columns"
                note(rules, f"{v.axes[0]} in a vector, in a matrix and in the result: diag scales {lines}")
                return [*rest, _product(diagonal, m, m.axes) if rows else _product(m, diagonal, m.axes)]
    return None


def _gather(arrays: list[Matrix], rules: list[str]) -> Matrix | None:
    """Multiply the remaining factors, which have no summed index."""
    rest = [m for m in arrays if m.axes]
    result = rest[0] if len(rest) == 1 else None
    if len(rest) == 2 and all(len(m.axes) == 1 for m in rest):
        a, b = rest
        note(rules, f"{a.axes[0]} and {b.axes[0]} each in a factor of its own and in the result: outer product")
        result = Product((a, Transpose(b, b.axes)), (*a.axes, *b.axes))
    elif len(rest) > 1:
        raise NoMatrixFormError("the result has more than two indices")
    for scalar in (m for m in arrays if not m.axes):
        result = scalar if result is None else Product((scalar, result), result.axes)
    return result
