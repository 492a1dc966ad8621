"""Vectors of ones that people write, ``1ᵀ y`` or ``np.ones(n)``: kept only where nothing else shows their length."""

from ..expression import ONE, Expr, Mul, Sum, Tensor, children, map_children, walk
from ..indices import is_ones, letters, ones
from .resolve import product

__all__ = ["UNKNOWN", "lengths_of_ones", "without_carried_ones"]


UNKNOWN = ones("?", 0, "i").name
"""The name of ones whose length no array shows; no name that people type has this mark."""


def without_carried_ones(e: Expr) -> Expr:
    """Return `e` without the ones along an index that another array has, or whose length doesn't matter."""
    free = {str(part.indices[0]) for part in walk(e) if isinstance(part, Tensor) and part.name == UNKNOWN}
    return _without(e, _letters(e) | free)


def lengths_of_ones(e: Expr) -> set[str]:
    """Return the names of the arrays whose axes say how many ones there are."""
    return {part.name.split(":")[1] for part in walk(e) if isinstance(part, Tensor) and is_ones(part)}


def _without(e: Expr, carried: set[str]) -> Expr:
    if isinstance(e, Tensor):
        return ONE if is_ones(e) and e.indices[0] in carried else e
    if isinstance(e, Sum):
        return Sum(e.indices, _without(e.body, carried - set(e.indices) | _letters(e.body) & set(e.indices)))
    if isinstance(e, Mul):
        factors = [_without(factor, carried) for factor in e.factors]
        return product([f for f, old in zip(factors, e.factors, strict=True) if f != ONE or old == ONE] or [ONE])
    return map_children(e, lambda child: _without(child, carried))


def _letters(e: Expr) -> set[str]:
    """The letters of arrays other than ones that are not summed over."""
    found: set[str] = set()
    if isinstance(e, Tensor) and not is_ones(e):
        found = {letter for index in e.indices for letter in letters(index)}
    for child in children(e):
        found |= _letters(child)
    return found - set(e.indices) if isinstance(e, Sum) else found
