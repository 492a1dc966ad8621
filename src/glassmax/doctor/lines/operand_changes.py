"""Changes of operands: another array, a factor or a term that is missing or too much, a derivative, a penalty, a bias.

Each public function is one family of changes of a statement.
"""

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from .changes import (
    Change,
    Scope,
    alone,
    between,
    called,
    in_parentheses,
    inside,
    put_in,
    value_of,
    values,
)
from .source import Edit, Statement, Unit

__all__ = [
    "biases",
    "droppings",
    "functions",
    "insertions",
    "masks",
    "missing_slopes",
    "operands",
    "other_shapes",
    "penalties",
    "products",
    "slopes",
]


def operands(s: Statement, scope: Scope) -> Iterator[Change]:
    """Another array in the place of an operand."""
    unit, value = s.unit, value_of(s.node)
    if value is None:
        return
    skipped: set[int] = set()
    found: dict[str, list[ast.AST]] = {}
    for node in inside(value):
        if isinstance(node, ast.Call):
            skipped.add(id(node.func))
        if isinstance(node, ast.Attribute) and node.attr in ("T", "shape", "size", "copy") and node.attr != "T":
            skipped.add(id(node.value))
        if id(node) in skipped or not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            continue
        text = unit.text(node)
        if isinstance(node, ast.Attribute) and node.attr in ("T", "shape", "size"):
            continue
        found.setdefault(text, []).append(node)
    for text, nodes in found.items():
        shape = scope.shapes.get(text)
        for other in scope.operands:
            shape_of_other = scope.shapes.get(other)
            known = shape is not None and shape_of_other is not None
            if other == text or (not known and (shape is None) != (shape_of_other is None)):
                continue
            puts = [other] if not known or shape == shape_of_other else []
            if known and len(shape) == 2 and shape == shape_of_other[::-1]:  # type: ignore[arg-type, index]
                puts.append(f"{other}.T")
            for put in puts:
                if len(nodes) > 1:
                    yield Change("operand", tuple(unit.edit(node, put) for node in nodes), nodes[0], other)
                yield from (Change("operand", (unit.edit(node, put),), node, other) for node in nodes)


def other_shapes(s: Statement, scope: Scope) -> Iterator[Change]:
    """An array of another layer in the place of one: as many samples, another number of units."""
    unit, value = s.unit, value_of(s.node)
    for node in inside(value) if value is not None else ():
        shape = (
            scope.shapes.get(unit.text(node), ()) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else ()
        )
        for other in scope.operands if len(shape) == 2 else ():
            shape_of_other = scope.shapes.get(other, ())
            if len(shape_of_other) == 2 and (shape[0] == shape_of_other[0]) != (shape[1] == shape_of_other[1]):
                yield Change("operand", (unit.edit(node, other),), node, other)


def droppings(s: Statement, scope: Scope) -> Iterator[Change]:
    """A factor, a term or a function that is one too many, or the whole statement."""
    unit, value = s.unit, value_of(s.node)
    if isinstance(s.node, ast.AugAssign) or (isinstance(s.node, ast.Expr) and value is not None):
        yield Change("delete", (unit.edit(s.node, "pass"),), s.node)
    if value is None:
        return
    for node in inside(value):
        if isinstance(node, ast.BinOp):
            family = "factor dropped" if isinstance(node.op, ast.Mult | ast.Div | ast.MatMult) else "term dropped"
            yield Change(family, (alone(unit, node, node.left),), node.right)
            if not isinstance(node.op, ast.Div):
                yield Change(family, (alone(unit, node, node.right),), node.left)
            for inner in (node.left, node.right):
                if isinstance(inner, ast.BinOp) and isinstance(node.op, ast.Mult):
                    outer = node.right if inner is node.left else node.left
                    put = f"{in_parentheses(unit, inner.left)} * {in_parentheses(unit, outer)}"
                    yield Change(family, (unit.edit(node, put),), inner.right)
        if isinstance(node, ast.Call) and len(node.args) == 1 and called(node) not in ("len", "range", "zip"):
            yield Change("call dropped", (unit.edit(node, in_parentheses(unit, node.args[0])),), node)
        if isinstance(node, ast.Call) and len(node.args) == 2 and called(node) in ("multiply", "matmul", "dot"):
            for kept, gone in ((node.args[0], node.args[1]), (node.args[1], node.args[0])):
                yield Change("factor dropped", (unit.edit(node, in_parentheses(unit, kept)),), gone)


def missing_slopes(s: Statement, scope: Scope) -> Iterator[Change]:
    """The derivative of the activation, missing as a factor."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in values(value):
        text = f"({unit.text(node)})" if isinstance(node, ast.BinOp | ast.UnaryOp | ast.IfExp) else unit.text(node)
        for slope in _fitting_slopes(unit, node, scope):
            yield Change("slope missing", (unit.edit(node, f"{text} * {slope}"),), node, slope)


def slopes(s: Statement, scope: Scope) -> Iterator[Change]:
    """The derivative of the activation in the place of a value or of a factor."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in values(value):
        for slope in _fitting_slopes(unit, node, scope):
            yield Change("slope", (unit.edit(node, slope),), node, slope)
            for inner in inside(node):
                parts = [inner.left, inner.right] if isinstance(inner, ast.BinOp) else []
                if isinstance(inner, ast.Call) and called(inner) == "multiply":
                    parts = inner.args
                for part in parts:
                    bare = isinstance(inner, ast.Call) or isinstance(inner.op, ast.Mult)  # type: ignore[attr-defined]
                    yield Change("slope", (put_in(unit, part, slope, bare),), part, slope)
                if (
                    isinstance(inner, ast.BinOp)
                    and isinstance(inner.op, ast.Mult)
                    and isinstance(inner.left, ast.BinOp)
                ):
                    put = f"{in_parentheses(unit, inner.left.left)} * {slope}"
                    yield Change("slope", (unit.edit(inner, put),), inner, slope)


def _fitting_slopes(unit: Unit, node: ast.AST, scope: Scope) -> list[str]:
    """The derivatives that have the shape of what a statement makes, those with the indices that a value has too."""
    indices = dict.fromkeys(unit.text(each.slice) for each in inside(node) if isinstance(each, ast.Subscript))
    indexed = [template.format(A=f"{name}[{i}]", Z=f"{name}[{i}]") for i in indices for name, template in scope.sloping]
    fitting = [slope for slope, shape in scope.slopes if _may_fit(shape, scope.target)]
    return list(dict.fromkeys([*fitting, *(indexed if scope.target in (None, ()) or len(scope.target) == 1 else [])]))


def _may_fit(shape: tuple[int, ...] | None, target: tuple[int, ...] | None) -> bool:
    return shape is None or target is None or shape == target or len(shape) != len(target)


def penalties(s: Statement, scope: Scope) -> Iterator[Change]:
    """The derivative of the penalty, missing."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in values(value):
        for penalty in scope.penalties:
            yield Change("penalty", (unit.edit(node, f"{unit.text(node)} + {penalty}"),), node, penalty)
    for part in inside(value):
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add | ast.Sub):
            for penalty in scope.penalties:
                yield Change("penalty", (unit.edit(part.right, penalty),), part.right, penalty)


def masks(s: Statement, scope: Scope) -> Iterator[Change]:
    """A mask the other way round, or of another array; also where an array is written by a mask."""
    unit, node = s.unit, s.node
    targets: Sequence[Any] = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for root in (value_of(node), *targets):
        for each in inside(root) if root is not None else ():
            if isinstance(each, ast.UnaryOp) and isinstance(each.op, ast.Invert | ast.Not):
                yield Change("compare", (unit.edit(each, in_parentheses(unit, each.operand)),), each)
            if isinstance(each, ast.Subscript) and isinstance(each.slice, ast.Name | ast.Attribute):
                yield Change("compare", (unit.edit(each.slice, f"~{unit.text(each.slice)}"),), each)
            if isinstance(each, ast.Compare) and len(each.ops) == 1:
                for old, new in ((">=", "<="), ("<=", ">="), (">", "<"), ("<", ">")):
                    edit = between(unit, each.left, each.comparators[0], old, new)
                    if edit is not None:
                        yield Change("compare", (edit,), each)
                        break
                for other in scope.operands:
                    if other != unit.text(each.left) and len(scope.shapes.get(other, ())) > 0:
                        yield Change("operand", (unit.edit(each.left, other),), each.left, other)
                if isinstance(each.comparators[0], ast.Constant) and each.comparators[0].value != 0:
                    yield Change("compare", (unit.edit(each.comparators[0], "0"),), each)


def functions(s: Statement, scope: Scope) -> Iterator[Change]:
    """Another function in the place of one."""
    unit, value, np = s.unit, value_of(s.node), scope.numpy
    if value is None or isinstance(s.node, ast.For):
        return
    for node in values(value):
        text = unit.text(node)
        for put in (f"{np}.tanh({text})", f"1 / (1 + {np}.exp(-({text})))", f"{np}.maximum(0, {text})"):
            yield Change("function missing", (unit.edit(node, put),), node, put)
    for part in inside(value):
        if isinstance(part, ast.Call) and part.args:
            text = unit.text(part.args[0])
            for put in (f"{np}.tanh({text})", f"(1 / (1 + {np}.exp(-({text}))))", f"{np}.maximum(0, {text})"):
                if put != unit.text(part):
                    yield Change("function", (unit.edit(part, put),), part, put)


def biases(s: Statement, scope: Scope) -> Iterator[Change]:
    """The bias of a layer, missing in the forward pass."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in inside(value):
        product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
        if product or called(node) in ("dot", "matmul"):
            indices = dict.fromkeys(unit.text(each.slice) for each in inside(node) if isinstance(each, ast.Subscript))
            bases = dict.fromkeys(b.rpartition("[")[0] for b in scope.biases if b.endswith("]"))
            for b in (*scope.biases, *(f"{base}[{index}]" for base in bases for index in indices)):
                yield Change("bias", (unit.edit(node, f"({unit.text(node)} + {b})"),), node, b)


def insertions(s: Statement, scope: Scope) -> Iterator[Change]:
    """A statement that is missing after this one: a division by n, a derivative."""
    unit, node = s.unit, s.node
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    target = targets[0]
    while isinstance(target, ast.Subscript) and unit.text(target) not in scope.shapes:
        target = target.value
    if isinstance(node, ast.For) or target is None or not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        return
    text, end = unit.text(target), unit.span(node)[1]
    line_start = unit.source.rfind(b"\n", 0, unit.span(node)[0]) + 1
    before = unit.source[line_start : unit.span(node)[0]].decode()
    head = "; " if before.strip() else "\n" + before
    for n in scope.rows:
        yield Change("inserted", (Edit(end, end, f"{head}{text} /= {n}"),), node, f"/= {n}")
    for slope, shape in scope.slopes:
        if not _may_fit(shape, scope.target):
            continue
        yield Change("inserted", (Edit(end, end, f"{head}{text} = {text} * {slope}"),), node, slope)


def products(s: Statement, scope: Scope) -> Iterator[Change]:
    """A factor that is missing, or the complement 1 - x."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in inside(value):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield Change("complement", (put_in(unit, node, f"1 - {in_parentheses(unit, node.operand)}"),), node)
        part = isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BinOp) and node is not value
        transposed = isinstance(node, ast.Attribute) and node.attr == "T"
        if part and not transposed and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            yield Change("complement", (put_in(unit, node, f"(1 - {in_parentheses(unit, node)})"),), node)
    for node in values(value):
        text = (
            in_parentheses(unit, node)
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
            else unit.text(node)
        )
        for other in scope.operands:
            shape = scope.shapes.get(other)
            if other not in unit.text(node) and (shape is None or len(shape) > 0) and _may_fit(shape, scope.target):
                yield Change("factor added", (unit.edit(node, f"{other} * {text}"),), node, other)
