"""Changes of operators: signs, factors, products, axes, transposes, indices, `=` for `+=`.

Each public function is one family of changes of a statement. They know the language, not the mathematics: which change
mends a program is found out by running it.
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
    is_number,
    renamed,
    value_of,
    values,
)
from .source import Edit, Statement, Unit

__all__ = [
    "accumulations",
    "axes",
    "copies",
    "factors",
    "groups",
    "indices",
    "minuses",
    "numbers",
    "operators",
    "scalings",
    "signs",
    "sums",
    "transposes",
]


ONES_AND_ZEROS = {"zeros": "ones", "ones": "zeros", "zeros_like": "ones_like", "ones_like": "zeros_like"}
REDUCTIONS = ("sum", "mean", "max", "min", "amax", "average")


def signs(s: Statement, scope: Scope) -> Iterator[Change]:
    """A sign, in front of a value or between two terms."""
    unit, value = s.unit, value_of(s.node)
    if isinstance(s.node, ast.AugAssign) and isinstance(s.node.op, ast.Add | ast.Sub):
        old, new = ("+=", "-=") if isinstance(s.node.op, ast.Add) else ("-=", "+=")
        edit = between(unit, s.node.target, s.node.value, old, new)
        if edit is not None:
            yield Change("sign", (edit,), s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in inside(value):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield Change("sign", (unit.edit(node, unit.text(node.operand)),), node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            old, new = ("+", "-") if isinstance(node.op, ast.Add) else ("-", "+")
            edit = between(unit, node.left, node.right, old, new)
            if edit is not None:
                yield Change("sign", (edit,), node)


def minuses(s: Statement, scope: Scope) -> Iterator[Change]:
    """A minus that is missing, or terms in the other order."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in inside(value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            left, right = unit.text(node.left), in_parentheses(unit, node.right)
            yield Change("sign", (unit.edit(node, f"{right} - {left}"),), node)
        if isinstance(node, ast.Call) and len(node.args) == 1 and called(node) in ("exp", "softmax", "sigmoid"):
            argument = node.args[0]
            yield Change("sign", (unit.edit(argument, f"-{in_parentheses(unit, argument)}"),), node)
    for node in values(value):
        product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.MatMult)
        yield Change(
            "sign", (unit.edit(node, "-" + (unit.text(node) if product else in_parentheses(unit, node))),), node
        )


def factors(s: Statement, scope: Scope) -> Iterator[Change]:
    """A factor that is missing or one too many: n, 2, a number."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in inside(value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not is_number(node.left):
            divisor = node.right
            if _is_scalar(unit, divisor, scope):
                yield Change("factor", (alone(unit, node, node.left),), node)
                yield from (Change("factor", (unit.edit(divisor, n),), node) for n in scope.rows)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            if isinstance(node.left, ast.UnaryOp) and is_number(node.left):
                yield Change("factor", (unit.edit(node, f"-{unit.text(node.right)}"),), node)
            for factor, kept in ((node.left, node.right), (node.right, node.left)):
                if _is_scalar(unit, factor, scope):
                    yield Change("factor", (alone(unit, node, kept),), node)
        if called(node) in ("mean", "average"):
            yield Change("mean", (renamed(unit, node, "sum"),), node)
        if called(node) == "sum":
            yield Change("factor", (renamed(unit, node, "mean"),), node)
    if isinstance(s.node, ast.AugAssign) and isinstance(s.node.op, ast.Div | ast.Mult):
        start, end = unit.span(s.node)
        yield Change("factor", (Edit(start, end, "pass"),), s.node)


def numbers(s: Statement, scope: Scope) -> Iterator[Change]:
    """Another number, or an array of ones for one of zeros."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for part in inside(value):
        if isinstance(part, ast.Constant) and type(part.value) in (int, float):
            for number in ("1", "2", "0", "0.5", "0.01"):
                if float(number) != part.value:
                    yield Change("number", (unit.edit(part, number),), part, number)
        other = ONES_AND_ZEROS.get(called(part))
        if other:
            yield Change("ones", (renamed(unit, part, other),), part, other)


def scalings(s: Statement, scope: Scope) -> Iterator[Change]:
    """A factor that is missing: 1/n, n, 2, in a value or in one of its terms."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in inside(value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            for number in ("2", "0.5"):
                yield Change("factor", (unit.edit(node.right, f"{number} * {unit.text(node.right)}"),), node.right)
            for n in scope.rows:
                yield Change("factor", (unit.edit(node.right, f"{unit.text(node.right)} / {n}"),), node.right)
    for node in values(value):
        sum_of = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
        text = f"({unit.text(node)})" if sum_of or isinstance(node, ast.IfExp | ast.Lambda) else unit.text(node)
        for n in scope.rows:
            yield Change("factor", (unit.edit(node, f"{text} / {n}"),), node)
            yield Change("factor", (unit.edit(node, f"{text} * {n}"),), node)
        for number in ("2", "0.5"):
            yield Change("factor", (unit.edit(node, f"{number} * {text}"),), node)


def _is_scalar(unit: Unit, node: ast.AST, scope: Scope) -> bool:
    if is_number(node) or unit.text(node) in scope.rows:
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Mult | ast.Add | ast.Sub):
        return _is_scalar(unit, node.left, scope) and _is_scalar(unit, node.right, scope)
    if isinstance(node, ast.Name):
        return len(node.id) < 7 and node.id.lower() in ("lr", "eta", "alpha", "n", "m", "k", "rate", "step", "bs")
    return called(node) in ("len", "float") or (isinstance(node, ast.Subscript) and ".shape[" in unit.text(node))


PRODUCTS = {"multiply": ("matmul", "dot"), "dot": ("multiply",), "matmul": ("multiply",), "outer": ("multiply",)}


def operators(s: Statement, scope: Scope) -> Iterator[Change]:
    """`*` for `@`, and the other way round."""
    unit, value = s.unit, value_of(s.node)
    for node in inside(value) if value is not None else ():
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult):
            old, new = ("*", "@") if isinstance(node.op, ast.Mult) else ("@", "*")
            edit = between(unit, node.left, node.right, old, new)
            if edit is not None:
                yield Change("product", (edit,), node)
                if new == "@":
                    for left, right in _turned(unit, node.left, node.right):
                        yield Change("product", (unit.edit(node, f"{left} @ {right}"),), node)
        numbers = isinstance(node, ast.BinOp) and (is_number(node.left) or is_number(node.right))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) and not numbers:
            left, right = in_parentheses(unit, node.left), in_parentheses(unit, node.right)
            yield Change("product", (unit.edit(node, f"{left} * {right}"),), node)
        for other in PRODUCTS.get(called(node), ()):
            yield Change("product", (renamed(unit, node, other),), node)
            if called(node) in ("multiply", "outer") and len(node.args) == 2:  # type: ignore[attr-defined]
                for left, right in _turned(unit, *node.args):  # type: ignore[attr-defined]
                    yield Change("product", (unit.edit(node, f"({left} @ {right})"),), node)


def _turned(unit: Unit, left: ast.expr, right: ast.expr) -> list[tuple[str, str]]:
    """Two operands of a matrix product, in each order, transposed or not; as they stand is left out."""
    (a, a_turned), (b, b_turned) = (_both_ways(unit, node) for node in (left, right))
    return [
        (a_turned, b), (a, b_turned), (b, a), (b_turned, a), (b, a_turned), (a_turned, b_turned),
        (b_turned, a_turned),
    ]  # fmt: skip


def _both_ways(unit: Unit, node: ast.expr) -> tuple[str, str]:
    """An operand as it is, and its transpose."""
    text = in_parentheses(unit, node)
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return text, in_parentheses(unit, node.value)
    if called(node) == "transpose":
        inner = node.args[0] if node.args else node.func.value  # type: ignore[attr-defined]
        return text, in_parentheses(unit, inner)
    return text, f"{text}.T"


def groups(s: Statement, scope: Scope) -> Iterator[Change]:
    """Parentheses: another operator is evaluated first."""
    unit, value = s.unit, value_of(s.node)
    for node in inside(value) if value is not None else ():
        if not isinstance(node, ast.BinOp):
            continue
        if isinstance(node.right, ast.BinOp):
            (start, _), (_, end) = unit.span(node.left), unit.span(node.right.left)
            bare = unit.span(node)[1] == unit.span(node.right)[1]
            if bare and unit.span(node)[0] == start:
                yield Change("group", (Edit(start, start, "("), Edit(end, end, ")")), node)
            if not bare:
                (start, end), outer = unit.span(node.right), unit.span(node)
                opening = unit.source.rfind(b"(", unit.span(node.left)[1], start)
                yield Change("group", (Edit(opening, opening + 1, ""), Edit(end, outer[1], "")), node)
        if isinstance(node.left, ast.BinOp):
            start, end = unit.span(node.left.right)[0], unit.span(node.right)[1]
            bare = unit.span(node)[0] == unit.span(node.left)[0] and unit.span(node)[1] == end
            if bare and unit.span(node.left)[1] == unit.span(node.left.right)[1]:
                yield Change("group", (Edit(start, start, "("), Edit(end, end, ")")), node)


def transposes(s: Statement, scope: Scope) -> Iterator[Change]:
    """A transpose that is missing or one too many, operands in the other order, indices exchanged."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in inside(value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            for left, right in _turned(unit, node.left, node.right):
                yield Change("transpose", (unit.edit(node, f"{left} @ {right}"),), node)
        if isinstance(node, ast.Call) and called(node) in ("dot", "matmul", "outer"):
            method = len(node.args) == 1 and isinstance(node.func, ast.Attribute)
            if len(node.args) == 2 or method:
                first, second = (node.func.value, node.args[0]) if method else node.args  # type: ignore[attr-defined]
                for a, b in _turned(unit, first, second):
                    put = f"{a}.{called(node)}({b})" if method else f"{unit.text(node.func)}({a}, {b})"
                    yield Change("transpose", (unit.edit(node, put),), node)
        if isinstance(node, ast.Subscript):
            yield from _indices_exchanged(unit, node)
    targets = s.node.targets if isinstance(s.node, ast.Assign) else [getattr(s.node, "target", None)]
    for target in targets:
        if isinstance(target, ast.Subscript):
            yield from _indices_exchanged(unit, target)
    for node in values(value):
        _, turned = _both_ways(unit, node)
        yield Change("transpose", (unit.edit(node, turned),), node)


def _indices_exchanged(unit: Unit, node: ast.Subscript) -> Iterator[Change]:
    if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        a, b = (unit.text(each) for each in node.slice.elts)
        yield Change(
            "transpose", tuple(unit.edit(each, put) for each, put in zip(node.slice.elts, (b, a), strict=True)), node
        )
    if isinstance(node.value, ast.Subscript):
        a, b = unit.text(node.value.slice), unit.text(node.slice)
        yield Change("transpose", (unit.edit(node.value.slice, b), unit.edit(node.slice, a)), node)


def axes(s: Statement, scope: Scope) -> Iterator[Change]:
    """The axis of a sum, a mean or a maximum, and whether it stays as an axis of length 1."""
    unit, value = s.unit, value_of(s.node)
    for node in inside(value) if value is not None else ():
        if not isinstance(node, ast.Call) or called(node) not in (*REDUCTIONS, "softmax"):
            continue
        function = isinstance(node.func, ast.Name) or unit.text(node.func).split(".")[0] == scope.numpy
        plain = [unit.text(each) for each in node.args]
        array, plain = (plain[:1], plain[1:]) if function else ([], plain)
        named = {each.arg: unit.text(each.value) for each in node.keywords if each.arg}
        axis = plain[0] if plain else named.get("axis")
        kept = named.get("keepdims", "False") == "True"
        others = [f"{name}={text}" for name, text in named.items() if name not in ("axis", "keepdims")]
        for new, keep in (
            (0, kept),
            (1, kept),
            (0, True),
            (1, True),
            (-1, True),
            (0, False),
            (1, False),
            (None, False),
        ):
            if (str(new) == axis or (new is None and axis is None)) and keep == kept:
                continue
            said = [] if new is None else [f"axis={new}"]
            if called(node) == "softmax" and (keep or new is None):
                continue
            arguments = ", ".join([*array, *said, *(["keepdims=True"] if keep else []), *others])
            yield Change("axis", (unit.edit(node, f"{unit.text(node.func)}({arguments})"),), node, str(new))


def sums(s: Statement, scope: Scope) -> Iterator[Change]:
    """A sum over the samples that is missing, or a product in place of a sum."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    axis = 1 if scope.columns else 0
    for node in values(value):
        text = in_parentheses(unit, node)
        for tail in (f".sum(axis={axis})", f".sum(axis={axis}, keepdims=True)", ".sum(axis=1)", ".sum()"):
            yield Change("sum", (unit.edit(node, text + tail),), node)


def accumulations(s: Statement, scope: Scope) -> Iterator[Change]:
    """`+=` in a loop, where a value was overwritten."""
    if isinstance(s.node, ast.Assign) and s.loops and len(s.node.targets) == 1:
        edit = between(s.unit, s.node.targets[0], s.node.value, "=", "+=")
        if edit is not None:
            yield Change("accumulate", (edit,), s.node)
    if isinstance(s.node, ast.AugAssign):
        op = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}.get(type(s.node.op))
        edit = between(s.unit, s.node.target, s.node.value, op, "=") if op else None
        if edit is not None:
            yield Change("overwrite", (edit,), s.node)


def indices(s: Statement, scope: Scope) -> Iterator[Change]:
    """An index that is one too large or too small."""
    unit, value = s.unit, value_of(s.node)
    targets: Sequence[Any] = s.node.targets if isinstance(s.node, ast.Assign) else [getattr(s.node, "target", None)]
    for root in [value, *targets]:
        for node in inside(root) if root is not None else ():
            if isinstance(node, ast.Subscript):
                yield from _moved_indices(unit, node.slice)
            if called(node) in ("range", "arange"):
                for argument in node.args:  # type: ignore[attr-defined]
                    yield from _moved_indices(unit, argument)
                    if isinstance(argument, ast.Constant):
                        yield Change("index", (unit.edit(argument, "0"),), argument)


def _moved_indices(unit: Unit, index: ast.expr) -> Iterator[Change]:
    if isinstance(index, ast.Tuple):
        for each in index.elts:
            yield from _moved_indices(unit, each)
    elif isinstance(index, ast.Slice):
        for end in (index.lower, index.upper):
            if end is not None:
                yield Change("index", (unit.edit(end, ""),), end)
                yield from _moved_indices(unit, end)
    elif isinstance(index, ast.BinOp) and is_number(index.right):
        yield Change("index", (alone(unit, index, index.left),), index)
    elif isinstance(index, ast.Constant) and isinstance(index.value, int):
        for by in (1, -1):
            yield Change("index", (unit.edit(index, str(index.value + by)),), index)
    elif not (isinstance(index, (ast.Constant, ast.JoinedStr))):
        for text in (f"{unit.text(index)} + 1", f"{unit.text(index)} - 1"):
            yield Change("index", (unit.edit(index, text),), index)


def copies(s: Statement, scope: Scope) -> Iterator[Change]:
    """A copy that is missing."""
    value = value_of(s.node)
    if isinstance(s.node, ast.Assign) and isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
        yield Change("copy", (s.unit.edit(value, f"{s.unit.text(value)}.copy()"),), value)
