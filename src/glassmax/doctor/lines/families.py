"""The families of changes, by name, in the order in which they are tried."""

from collections.abc import Callable, Iterator

from . import operand_changes as operand
from . import operator_changes as operator
from .changes import Change, Scope
from .source import Statement

__all__ = ["FAMILIES"]

FAMILIES: dict[str, Callable[[Statement, Scope], Iterator[Change]]] = {
    "signs": operator.signs,
    "factors": operator.factors,
    "minuses": operator.minuses,
    "numbers": operator.numbers,
    "scalings": operator.scalings,
    "axes": operator.axes,
    "transposes": operator.transposes,
    "operators": operator.operators,
    "groups": operator.groups,
    "sums": operator.sums,
    "accumulations": operator.accumulations,
    "copies": operator.copies,
    "indices": operator.indices,
    "droppings": operand.droppings,
    "operands": operand.operands,
    "missing_slopes": operand.missing_slopes,
    "slopes": operand.slopes,
    "penalties": operand.penalties,
    "biases": operand.biases,
    "insertions": operand.insertions,
    "masks": operand.masks,
    "products": operand.products,
    "functions": operand.functions,
    "other_shapes": operand.other_shapes,
}
