"""Small changes of a statement of the learner's, each in one place of the text: what may have to be mended in a line.

Each function here is one family of changes, from the sign of a term to an operand that is put in another's place. They
know the language, not the mathematics: which change mends a program is found out by running it.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .source import Edit, Statement, Unit

__all__ = ["FAMILIES", "Change", "Scope", "value_of", "values"]

NUMBER = (int, float)
REDUCTIONS = ("sum", "mean", "max", "min", "amax", "average")


@dataclass(frozen=True)
class Scope:
    """What a change may write: array expressions, spellings of the number of rows, penalties, f', activations.

    `slopes` are derivatives with their shapes, `sloping` names with the form of the derivative that belongs to them, `penalties` terms such as ``reg * W1``, `numpy` is the name of the module. `target` is the
    shape of what the statement makes, None if it isn't known.
    """

    operands: tuple[str, ...] = ()
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    slopes: tuple[tuple[str, tuple[int, ...] | None], ...] = ()
    sloping: tuple[tuple[str, str], ...] = ()
    penalties: tuple[str, ...] = ()
    biases: tuple[str, ...] = ()
    numpy: str = "np"
    columns: bool = False
    target: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Change:
    """A change: its edits, its family, and the nodes that were there, with the text that takes their place."""

    family: str
    edits: tuple[Edit, ...]
    node: ast.AST | None = None
    put: str = ""
    cost: float = 1.0


def value_of(node: ast.stmt) -> ast.expr | None:
    """The expression of a statement; of a loop what it runs over."""
    if isinstance(node, ast.For):
        return node.iter
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "insert") and call.args:
            return call.args[-1]
        return call
    return getattr(node, "value", None)


def atom(node: ast.AST) -> bool:
    """Whether an expression needs no parentheses anywhere."""
    return isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript | ast.Constant | ast.List | ast.Tuple)


def is_number(node: ast.AST) -> bool:
    """Whether a node is a number, perhaps negative, or a quotient of such numbers or names."""
    if isinstance(node, ast.UnaryOp):
        return is_number(node.operand)
    return isinstance(node, ast.Constant) and isinstance(node.value, NUMBER)


def inside(value: ast.AST) -> Iterator[ast.AST]:
    """The expressions of a value, from the outside in."""
    yield value
    for child in ast.iter_child_nodes(value):
        if isinstance(child, ast.expr | ast.keyword | ast.comprehension):
            yield from inside(child)


def in_parentheses(unit: Unit, node: ast.AST) -> str:
    """A node as it is written, in parentheses unless it needs none."""
    return unit.text(node) if atom(node) else f"({unit.text(node)})"


def _between(unit: Unit, left: ast.AST, right: ast.AST, old: str, new: str) -> Edit | None:
    """The edit of the operator between two operands."""
    start, end = unit.span(left)[1], unit.span(right)[0]
    between = unit.source[start:end]
    at = between.find(old.encode())
    return None if at < 0 or b"#" in between else Edit(start + at, start + at + len(old), new)


def _alone(unit: Unit, node: ast.BinOp, kept: ast.expr) -> Edit:
    """The edit that leaves of a product or a sum one side, with the parentheses around it."""
    (start, end), (left, right) = unit.span(node), (unit.span(node.left), unit.span(node.right))
    if kept is node.left:
        return Edit(start, end, unit.source[start : left[1]].decode() + _closing(unit, left[1], right[0]))
    opening = unit.source[left[1] : right[0]].decode().rpartition("(")
    kept_text = unit.source[right[0] : end].decode()
    return Edit(start, end, ("(" if opening[1] and kept_text.endswith(")") else "") + kept_text)


def _closing(unit: Unit, start: int, end: int) -> str:
    """The parentheses that close right after an operand."""
    text = unit.source[start:end].decode()
    stripped = text.lstrip()
    count = len(stripped) - len(stripped.lstrip(")"))
    return ")" * count


def put_in(unit: Unit, node: ast.AST, text: str, bare: bool = True) -> Edit:
    """The edit that puts a text in the place of a node, without parentheses that stand there already.

    The text is put into parentheses of its own unless it may stand `bare`.
    """
    start, end = unit.span(node)
    there = unit.source[start - 1 : start] == b"(" and unit.source[end : end + 1] == b")"
    if there and text.startswith("(") and text.endswith(")") and text.count("(") == 1:
        text = text[1:-1]
    return Edit(start, end, text if bare or there else f"({text})")


def _called(node: ast.AST) -> str:
    """The last name of what is called; "" if nothing is."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


# families


def signs(s: Statement, scope: Scope) -> Iterator[Change]:
    """A sign, in front of a value or between two terms."""
    unit, value = s.unit, value_of(s.node)
    if isinstance(s.node, ast.AugAssign) and isinstance(s.node.op, ast.Add | ast.Sub):
        old, new = ("+=", "-=") if isinstance(s.node.op, ast.Add) else ("-=", "+=")
        edit = _between(unit, s.node.target, s.node.value, old, new)
        if edit is not None:
            yield Change("sign", (edit,), s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in inside(value):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield Change("sign", (unit.edit(node, unit.text(node.operand)),), node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            old, new = ("+", "-") if isinstance(node.op, ast.Add) else ("-", "+")
            edit = _between(unit, node.left, node.right, old, new)
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
        if isinstance(node, ast.Call) and len(node.args) == 1 and _called(node) in ("exp", "softmax", "sigmoid"):
            argument = node.args[0]
            yield Change("sign", (unit.edit(argument, f"-{in_parentheses(unit, argument)}"),), node, cost=1.1)
    for node in values(value):
        product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.MatMult)
        yield Change(
            "sign", (unit.edit(node, "-" + (unit.text(node) if product else in_parentheses(unit, node))),), node
        )


def values(value: ast.expr) -> Iterator[ast.expr]:
    """A value, or the values of a tuple, a list or a dict one by one, or of a comprehension its element."""
    if isinstance(value, ast.Tuple | ast.List):
        for each in value.elts:
            yield from values(each)
    elif isinstance(value, ast.Dict):
        for each in value.values:
            yield from values(each)
    elif isinstance(value, ast.ListComp | ast.GeneratorExp):
        yield from values(value.elt)
    elif isinstance(value, ast.DictComp):
        yield from values(value.value)
    elif isinstance(value, ast.Call) and _called(value) == "dict" and value.keywords:
        for keyword in value.keywords:
            yield from values(keyword.value)
    elif isinstance(value, ast.Call) and _called(value) in ("array", "asarray") and value.args:
        inner = value.args[0]
        yield from values(inner) if isinstance(inner, ast.List | ast.ListComp) else (value,)
    else:
        yield value


def factors(s: Statement, scope: Scope) -> Iterator[Change]:
    """A factor that is missing or one too many: n, 2, a number."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in inside(value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            if _is_scalar(unit, node.right, scope) and not is_number(node.left):
                yield Change("factor", (_alone(unit, node, node.left),), node)
                yield from (Change("factor", (unit.edit(node.right, n),), node, cost=1.2) for n in scope.rows)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            if isinstance(node.left, ast.UnaryOp) and is_number(node.left):
                yield Change("factor", (unit.edit(node, f"-{unit.text(node.right)}"),), node)
            for factor, kept in ((node.left, node.right), (node.right, node.left)):
                if _is_scalar(unit, factor, scope):
                    yield Change("factor", (_alone(unit, node, kept),), node)
        if _called(node) in ("mean", "average"):
            yield Change("mean", (_renamed(unit, node, "sum"),), node)
        if _called(node) == "sum":
            yield Change("factor", (_renamed(unit, node, "mean"),), node)
    if isinstance(s.node, ast.AugAssign) and isinstance(s.node.op, ast.Div | ast.Mult):
        start, end = unit.span(s.node)
        yield Change("factor", (Edit(start, end, "pass"),), s.node)


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
            yield Change("factor", (unit.edit(node, f"{text} * {n}"),), node, cost=1.1)
        for number in ("2", "0.5"):
            yield Change("factor", (unit.edit(node, f"{number} * {text}"),), node, cost=1.1)


def _is_scalar(unit: Unit, node: ast.AST, scope: Scope) -> bool:
    if is_number(node) or unit.text(node) in scope.rows:
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Mult | ast.Add | ast.Sub):
        return _is_scalar(unit, node.left, scope) and _is_scalar(unit, node.right, scope)
    if isinstance(node, ast.Name):
        return len(node.id) < 7 and node.id.lower() in ("lr", "eta", "alpha", "n", "m", "k", "rate", "step", "bs")
    return _called(node) in ("len", "float") or (isinstance(node, ast.Subscript) and ".shape[" in unit.text(node))


def _renamed(unit: Unit, node: ast.AST, name: str) -> Edit:
    """The edit of the name of what is called."""
    assert isinstance(node, ast.Call)
    if isinstance(node.func, ast.Attribute):
        end = unit.span(node.func)[1]
        return Edit(end - len(node.func.attr), end, name)
    return unit.edit(node.func, name)


PRODUCTS = {"multiply": ("matmul", "dot"), "dot": ("multiply",), "matmul": ("multiply",), "outer": ("multiply",)}


def operators(s: Statement, scope: Scope) -> Iterator[Change]:
    """`*` for `@`, and the other way round."""
    unit, value = s.unit, value_of(s.node)
    for node in inside(value) if value is not None else ():
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult):
            old, new = ("*", "@") if isinstance(node.op, ast.Mult) else ("@", "*")
            edit = _between(unit, node.left, node.right, old, new)
            if edit is not None:
                yield Change("product", (edit,), node)
                if new == "@":
                    for left, right in _turned(unit, node.left, node.right):
                        yield Change("product", (unit.edit(node, f"{left} @ {right}"),), node, cost=1.1)
        numbers = isinstance(node, ast.BinOp) and (is_number(node.left) or is_number(node.right))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) and not numbers:
            left, right = in_parentheses(unit, node.left), in_parentheses(unit, node.right)
            yield Change("product", (unit.edit(node, f"{left} * {right}"),), node, cost=1.3)
        for other in PRODUCTS.get(_called(node), ()):
            yield Change("product", (_renamed(unit, node, other),), node)
            if _called(node) in ("multiply", "outer") and len(node.args) == 2:  # type: ignore[attr-defined]
                for left, right in _turned(unit, *node.args):  # type: ignore[attr-defined]
                    yield Change("product", (unit.edit(node, f"({left} @ {right})"),), node, cost=1.1)


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
    if _called(node) == "transpose":
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
                yield Change("group", (Edit(opening, opening + 1, ""), Edit(end, outer[1], "")), node, cost=1.1)
        if isinstance(node.left, ast.BinOp):
            start, end = unit.span(node.left.right)[0], unit.span(node.right)[1]
            if unit.span(node)[0] == unit.span(node.left)[0] and unit.span(node)[1] == end:
                if unit.span(node.left)[1] == unit.span(node.left.right)[1]:
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
        if isinstance(node, ast.Call) and _called(node) in ("dot", "matmul", "outer"):
            method = len(node.args) == 1 and isinstance(node.func, ast.Attribute)
            if len(node.args) == 2 or method:
                left, right = (node.func.value, node.args[0]) if method else node.args  # type: ignore[attr-defined]
                for a, b in _turned(unit, left, right):
                    put = f"{a}.{_called(node)}({b})" if method else f"{unit.text(node.func)}({a}, {b})"
                    yield Change("transpose", (unit.edit(node, put),), node)
        if isinstance(node, ast.Subscript):
            yield from _indices_exchanged(unit, node)
    targets = s.node.targets if isinstance(s.node, ast.Assign) else [getattr(s.node, "target", None)]
    for target in targets:
        if isinstance(target, ast.Subscript):
            yield from _indices_exchanged(unit, target)
    for node in values(value):
        as_it_is, turned = _both_ways(unit, node)
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
        if not isinstance(node, ast.Call) or _called(node) not in (*REDUCTIONS, "softmax"):
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
            if _called(node) == "softmax" and (keep or new is None):
                continue
            arguments = ", ".join([*array, *said, *(["keepdims=True"] if keep else []), *others])
            cost = 1.0 + (keep != kept) * 0.1
            yield Change("axis", (unit.edit(node, f"{unit.text(node.func)}({arguments})"),), node, str(new), cost)


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
        if isinstance(node, ast.Attribute) and node.attr in ("T", "shape", "size", "copy"):
            if node.attr != "T":
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
            yield Change(family, (_alone(unit, node, node.left),), node.right)
            if not isinstance(node.op, ast.Div):
                yield Change(family, (_alone(unit, node, node.right),), node.left)
            for inner in (node.left, node.right):
                if isinstance(inner, ast.BinOp) and isinstance(node.op, ast.Mult):
                    outer = node.right if inner is node.left else node.left
                    put = f"{in_parentheses(unit, inner.left)} * {in_parentheses(unit, outer)}"
                    yield Change(family, (unit.edit(node, put),), inner.right)
        if isinstance(node, ast.Call) and len(node.args) == 1 and _called(node) not in ("len", "range", "zip"):
            yield Change("call dropped", (unit.edit(node, in_parentheses(unit, node.args[0])),), node)
        if isinstance(node, ast.Call) and len(node.args) == 2 and _called(node) in ("multiply", "matmul", "dot"):
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
                parts = (inner.left, inner.right) if isinstance(inner, ast.BinOp) else ()
                if isinstance(inner, ast.Call) and _called(inner) == "multiply":
                    parts = tuple(inner.args)
                for part in parts:
                    bare = isinstance(inner, ast.Call) or isinstance(inner.op, ast.Mult)  # type: ignore[attr-defined]
                    yield Change("slope", (put_in(unit, part, slope, bare),), part, slope)
                if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Mult) and isinstance(inner.left, ast.BinOp):
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
    for node in inside(value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            for penalty in scope.penalties:
                yield Change("penalty", (unit.edit(node.right, penalty),), node.right, penalty)


def accumulations(s: Statement, scope: Scope) -> Iterator[Change]:
    """`+=` in a loop, where a value was overwritten."""
    if isinstance(s.node, ast.Assign) and s.loops and len(s.node.targets) == 1:
        edit = _between(s.unit, s.node.targets[0], s.node.value, "=", "+=")
        if edit is not None:
            yield Change("accumulate", (edit,), s.node)
    if isinstance(s.node, ast.AugAssign):
        op = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}.get(type(s.node.op))
        edit = _between(s.unit, s.node.target, s.node.value, op, "=") if op else None
        if edit is not None:
            yield Change("overwrite", (edit,), s.node, cost=1.2)


def indices(s: Statement, scope: Scope) -> Iterator[Change]:
    """An index that is one too large or too small."""
    unit, value = s.unit, value_of(s.node)
    targets: Sequence[Any] = s.node.targets if isinstance(s.node, ast.Assign) else [getattr(s.node, "target", None)]
    for root in [value, *targets]:
        for node in inside(root) if root is not None else ():
            if isinstance(node, ast.Subscript):
                yield from _moved_indices(unit, node.slice)
            if _called(node) in ("range", "arange"):
                for argument in node.args:  # type: ignore[attr-defined]
                    yield from _moved_indices(unit, argument)
                    if isinstance(argument, ast.Constant):
                        yield Change("index", (unit.edit(argument, "0"),), argument)


def _moved_indices(unit: Unit, index: ast.expr) -> Iterator[Change]:
    if isinstance(index, ast.Tuple):
        for each in index.elts:
            yield from _moved_indices(unit, each)
    elif isinstance(index, ast.Slice):
        for each in (index.lower, index.upper):
            if each is not None:
                yield Change("index", (unit.edit(each, ""),), each)
                yield from _moved_indices(unit, each)
    elif isinstance(index, ast.BinOp) and is_number(index.right):
        yield Change("index", (_alone(unit, index, index.left),), index)
    elif isinstance(index, ast.Constant) and isinstance(index.value, int):
        for by in (1, -1):
            yield Change("index", (unit.edit(index, str(index.value + by)),), index)
    elif not (isinstance(index, ast.Constant) or isinstance(index, ast.JoinedStr)):
        for text in (f"{unit.text(index)} + 1", f"{unit.text(index)} - 1"):
            yield Change("index", (unit.edit(index, text),), index)


def copies(s: Statement, scope: Scope) -> Iterator[Change]:
    """A copy that is missing."""
    value = value_of(s.node)
    if isinstance(s.node, ast.Assign) and isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
        yield Change("copy", (s.unit.edit(value, f"{s.unit.text(value)}.copy()"),), value)


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
                    edit = _between(unit, each.left, each.comparators[0], old, new)
                    if edit is not None:
                        yield Change("compare", (edit,), each)
                        break
                for other in scope.operands:
                    if other != unit.text(each.left) and len(scope.shapes.get(other, ())) > 0:
                        yield Change("operand", (unit.edit(each.left, other),), each.left, other)
                if isinstance(each.comparators[0], ast.Constant) and each.comparators[0].value != 0:
                    yield Change("compare", (unit.edit(each.comparators[0], "0"),), each)


def functions(s: Statement, scope: Scope) -> Iterator[Change]:
    """Another function in the place of one, another number."""
    unit, value, np = s.unit, value_of(s.node), scope.numpy
    if value is None or isinstance(s.node, ast.For):
        return
    for node in values(value):
        text = unit.text(node)
        for put in (f"{np}.tanh({text})", f"1 / (1 + {np}.exp(-({text})))", f"{np}.maximum(0, {text})"):
            yield Change("function missing", (unit.edit(node, put),), node, put)
    for node in inside(value):
        if isinstance(node, ast.Call) and node.args:
            text = unit.text(node.args[0])
            for put in (f"{np}.tanh({text})", f"(1 / (1 + {np}.exp(-({text}))))", f"{np}.maximum(0, {text})"):
                if put != unit.text(node):
                    yield Change("function", (unit.edit(node, put),), node, put)
        if isinstance(node, ast.Constant) and type(node.value) in NUMBER:
            for number in ("1", "2", "0", "0.5", "0.01"):
                if float(number) != node.value:
                    yield Change("number", (unit.edit(node, number),), node, number)


def biases(s: Statement, scope: Scope) -> Iterator[Change]:
    """The bias of a layer, missing in the forward pass."""
    unit, value = s.unit, value_of(s.node)
    if value is None or isinstance(s.node, ast.For):
        return
    for node in inside(value):
        product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
        if product or _called(node) in ("dot", "matmul"):
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
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BinOp) and node is not value:
            if not (isinstance(node, ast.Attribute) and node.attr == "T") and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
                yield Change("complement", (put_in(unit, node, f"(1 - {in_parentheses(unit, node)})"),), node, cost=1.2)
    for node in values(value):
        text = in_parentheses(unit, node) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) else unit.text(node)
        for other in scope.operands:
            shape = scope.shapes.get(other)
            if other not in unit.text(node) and (shape is None or len(shape) > 0) and _may_fit(shape, scope.target):
                yield Change("factor added", (unit.edit(node, f"{other} * {text}"),), node, other)


FAMILIES: dict[str, Callable[[Statement, Scope], Iterator[Change]]] = {
    "signs": signs, "factors": factors, "minuses": minuses, "scalings": scalings, "axes": axes, "transposes": transposes, "operators": operators,
    "groups": groups, "sums": sums, "accumulations": accumulations, "copies": copies, "indices": indices,
    "droppings": droppings, "operands": operands, "missing_slopes": missing_slopes, "slopes": slopes, "penalties": penalties, "biases": biases,
    "insertions": insertions, "masks": masks, "products": products, "functions": functions,
}  # fmt: skip
