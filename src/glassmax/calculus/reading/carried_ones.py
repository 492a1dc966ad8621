"""Vectors of ones that people write, ``1ᵀ y`` or ``np.ones(n)``: kept only where nothing else shows their length."""

from ..expression import ONE, Expr, Index, Mul, Sum, Tensor, children, map_children
from ..indices import is_ones
from .resolve import product

__all__ = ["without_carried_ones"]


def without_carried_ones(e: Expr) -> Expr:
    """Return `e` without the ones along an index that another array has."""
    carried = _carried(e)
    return _without(e, {index for index in carried if isinstance(index, str)})


def _without(e: Expr, carried: set[str]) -> Expr:
    if isinstance(e, Tensor):
        return ONE if is_ones(e) and e.indices[0] in carried else e
    if isinstance(e, Sum):
        own = {index for index in _carried(e.body) if isinstance(index, str)}
        return Sum(e.indices, _without(e.body, carried - set(e.indices) | own))
    if isinstance(e, Mul):
        factors = [_without(factor, carried) for factor in e.factors]
        return product([f for f, old in zip(factors, e.factors, strict=True) if f != ONE or old == ONE] or [ONE])
    return map_children(e, lambda child: _without(child, carried))


def _carried(e: Expr) -> set[Index]:
    """The indices of arrays other than ones that are not summed over."""
    found: set[Index] = set()
    if isinstance(e, Tensor) and not is_ones(e):
        found |= set(e.indices)
    for child in children(e):
        found |= _carried(child)
    return found - set(e.indices) if isinstance(e, Sum) else found
