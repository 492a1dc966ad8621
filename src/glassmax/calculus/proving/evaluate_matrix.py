"""Evaluate an expression in matrix notation on numbers, by position: rows are rows, a vector is a column, @ is @."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..matrix import Apply, Diag, Eye, Hadamard, Leaf, Matrix, Ones, Plus, Power, Product, Quotient, Scaled, Transpose
from ..matrix.nodes import matrix_children
from .evaluate import Values, apply_function, array_named

__all__ = ["evaluate_matrix"]

Array = npt.NDArray[Any]


def evaluate_matrix(m: Matrix, values: Values, sizes: Mapping[str, int]) -> Array:
    """Return the value of `m`, with the axes of `m`; `sizes` holds the lengths of ones and identities."""
    found = {**_leaf_sizes(m, values), **sizes}
    return _matrix_value(m, values, found).reshape([found[axis] for axis in m.axes])


def _leaf_sizes(m: Matrix, values: Values) -> dict[str, int]:
    if isinstance(m, Leaf):
        return dict(zip(m.axes, values.arrays[m.name].shape, strict=True)) if m.axes else {}
    if isinstance(m, Ones) and m.along:
        return {m.axes[0]: len(array_named(m.along, values))}
    found: dict[str, int] = {}
    for part in matrix_children(m):
        found |= _leaf_sizes(part, values)
    return found


def _matrix_value(m: Matrix, values: Values, sizes: Mapping[str, int]) -> Array:
    def of(part: Matrix) -> Array:
        return _matrix_value(part, values, sizes)

    if isinstance(m, Product):  # a letter that is summed inside may run over another axis elsewhere
        sizes = {**sizes, **{a: n for a, n in _leaf_sizes(m, values).items() if a not in m.axes}}
    match m:
        case Leaf(name, axes):
            array = np.asarray(1.0) if name == "1" else np.asarray(array_named(name, values))
            return array.reshape(array.shape if len(axes) == 2 else (-1, 1))
        case Ones(_, along) if along:
            return array_named(along, values)[:, None]
        case Ones(axes):
            return np.ones([sizes[axis] for axis in axes] + [1] * (2 - len(axes)))
        case Eye((axis, _)):
            return np.eye(sizes[axis])
        case Transpose(inner, _):
            return of(inner).T
        case Diag(inner, _):
            return np.diag(of(inner)[:, 0])
        case Product(factors, _):
            result = np.ones((1, 1))
            for factor in factors:
                right = of(factor)
                scalar = result.shape == (1, 1) or not factor.axes
                result = result * right if scalar else result @ right
            return result
        case Hadamard(factors, _):
            result = of(factors[0])
            for factor in factors[1:]:
                if of(factor).shape != result.shape:
                    raise ValueError("a Hadamard product of arrays of different shapes")
                result = result * of(factor)
            return result
        case Plus(terms, _):
            shapes = {of(term).shape for term in terms}
            if len(shapes) > 1:
                raise ValueError("a sum of arrays of different shapes")
            return np.asarray(sum(of(term) for term in terms))
        case Quotient(above, below, _):
            return of(above) / of(below)
        case Scaled(number, inner, _):
            return float(number) * of(inner)
        case Apply(function, inner, _, order):
            return apply_function(function, of(inner), order, values)
        case Power(inner, exponent, _):
            return of(inner) ** (int(exponent) if exponent.denominator == 1 else float(exponent))
        case _:
            raise TypeError(f"{type(m).__name__} is no matrix")
