"""A change of a statement, what may be written into it, and the edits that all changes are made of."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .source import Edit, Unit

__all__ = [
    "Change",
    "Scope",
    "alone",
    "between",
    "called",
    "in_parentheses",
    "inside",
    "is_number",
    "put_in",
    "renamed",
    "value_of",
    "values",
]

NUMBER = (int, float)


@dataclass(frozen=True)
class Scope:
    """What a change may write: array expressions with their shapes, spellings of the number of rows, biases.

    `slopes` are derivatives with their shapes, `sloping` names with the form of the derivative that belongs to them,
    `penalties` terms such as ``reg * W1``. `numpy` is the name of the module, `columns` says whether samples are
    columns. `target` is the shape of what the statement makes, None if it isn't known.
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


def between(unit: Unit, left: ast.AST, right: ast.AST, old: str, new: str) -> Edit | None:
    """The edit of the operator between two operands."""
    start, end = unit.span(left)[1], unit.span(right)[0]
    between = unit.source[start:end]
    at = between.find(old.encode())
    return None if at < 0 or b"#" in between else Edit(start + at, start + at + len(old), new)


def alone(unit: Unit, node: ast.BinOp, kept: ast.expr) -> Edit:
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


def called(node: ast.AST) -> str:
    """The last name of what is called; "" if nothing is."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


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
    elif isinstance(value, ast.Call) and called(value) == "dict" and value.keywords:
        for keyword in value.keywords:
            yield from values(keyword.value)
    elif isinstance(value, ast.Call) and called(value) in ("array", "asarray") and value.args:
        inner = value.args[0]
        yield from values(inner) if isinstance(inner, ast.List | ast.ListComp) else (value,)
    else:
        yield value


def renamed(unit: Unit, node: ast.AST, name: str) -> Edit:
    """The edit of the name of what is called."""
    assert isinstance(node, ast.Call)
    if isinstance(node.func, ast.Attribute):
        end = unit.span(node.func)[1]
        return Edit(end - len(node.func.attr), end, name)
    return unit.edit(node.func, name)
