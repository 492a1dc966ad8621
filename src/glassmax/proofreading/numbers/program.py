"""Lines of a NumPy program as equations: read from Python's syntax tree, never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction

from ..formula import tree
from ..formula.tree import Condition, Name, Node, Number
from .definitions import Equation
from .value import UnknownFault

__all__ = ["program_equations"]

LONGEST_LINE = 2_000
ENTRYWISE = {
    **{name: name for name in ("exp", "log", "tanh", "sqrt", "sin", "cos", "sign", "square", "log2", "log10")},
    **{"abs": "abs", "absolute": "abs", "sigmoid": "sigmoid", "relu": "relu", "expit": "sigmoid", "log1p": "log1p"},
    **{"softmax": "softmax", "log_softmax": "log_softmax", "logsumexp": "logsumexp"},
}
REDUCED = ("sum", "mean")
IGNORED = ("copy", "astype", "reshape", "flatten", "ravel", "asarray", "array", "squeeze", "float64", "expand_dims")
OPERATORS: dict[type[ast.operator], str] = {ast.Mult: "odot", ast.MatMult: "@"}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "=",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def program_equations(lines: Iterable[tuple[int, str]]) -> list[Equation | str]:
    """Return each line of a program, with its number, as an equation; the reason in words for one that is none.

    A line is `Equation.replaced` if its name is assigned again further down: it says nothing of the final value.
    """
    program = _Program()
    found: list[Equation | str] = []
    for number, source in lines:
        try:
            found.append(program.equation(source, number))
        except UnknownFault as fault:
            found.append(str(fault))
    last = {one.sides[0]: n for n, one in enumerate(found) if isinstance(one, Equation)}
    return [
        replace(one, replaced=last[one.sides[0]] != n) if isinstance(one, Equation) else one
        for n, one in enumerate(found)
    ]


class _Program:
    """Reads the lines of one program in their order; a name that is assigned again stands for its new value."""

    def __init__(self) -> None:
        self.values: dict[str, Node] = {}

    def equation(self, source: str, line: int = 0) -> Equation:
        """Return a line as an equation; raise an `UnknownFault` if it is none."""
        if len(source) > LONGEST_LINE:
            raise UnknownFault("the line of code is too long")
        try:
            body = ast.parse(source.strip()).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise UnknownFault("this isn't one whole statement of Python") from None
        if len(body) != 1:
            raise UnknownFault("not one statement of Python")
        left, right = self._assignment(body[0])
        self.values[left.base] = right
        return Equation((left, right), None, "", line, code=True)

    def _assignment(self, statement: ast.stmt) -> tuple[Name, Node]:
        match statement:
            case ast.Assign([ast.Name(name)], value):
                return named(name), _expression(value)
            case ast.AugAssign(ast.Name(name), operator, value):
                return named(name), _combined(operator, self._before(name), _expression(value))
            case ast.AugAssign(ast.Subscript(ast.Name(name), where), operator, value):
                before = self._before(name)
                hot = tree.Call(Name("one_hot"), (before, _labels(where)))
                change = tree.Product((_expression(value), hot), ("odot",))
                if isinstance(operator, ast.Sub):
                    return named(name), tree.Add((before, tree.Negative(change)))
                if isinstance(operator, ast.Add):
                    return named(name), tree.Add((before, change))
            case ast.Assign([ast.Subscript(ast.Name(name), ast.Compare() as where)], ast.Constant(0 | 0.0)):
                condition = _condition(where)
                kept = Condition(condition.left, OPPOSITE[condition.relation], condition.right)
                return named(name), tree.Product((self._before(name), tree.Indicator(kept)), ("odot",))
        raise UnknownFault("only assignments to a name are read")

    def _before(self, name: str) -> Node:
        return self.values.get(named(name).base, named(name))


def named(name: str) -> Name:
    """Return a variable as a name; its number belongs to it: W2 and W_2 are the same."""
    match = re.fullmatch(r"([A-Za-z]\w*?)_?(\d+)", name)
    return Name(f"{match[1]}_{int(match[2])}" if match else name, typed=name)


def _expression(node: ast.expr) -> Node:
    match node:
        case ast.Constant(int() | float() as value) if not isinstance(value, bool) and abs(value) < 1e12:
            return Number(Fraction(str(value)), str(value))
        case ast.Name(name):
            return named(name)
        case ast.UnaryOp(ast.USub(), of):
            return tree.Negative(_expression(of))
        case ast.BinOp(left, operator, right):
            return _combined(operator, _expression(left), _expression(right))
        case ast.Attribute(of, "T"):
            return tree.Transpose(_expression(of))
        case ast.Call(function, arguments, keywords):
            return _call(function, arguments, {one.arg or "": one.value for one in keywords})
        case ast.Compare():
            return tree.Indicator(_condition(node))
        case ast.Subscript(of, where):
            return _entry(of, where)
    raise UnknownFault("a part of the line of code isn't known here")


def _combined(operator: ast.operator, left: Node, right: Node) -> Node:
    match operator:
        case ast.Add():
            return tree.Add((left, right))
        case ast.Sub():
            return tree.Add((left, tree.Negative(right)))
        case ast.Div():
            return tree.Quotient(left, right)
        case ast.Pow():
            return tree.Power(left, right)
    sign = OPERATORS.get(type(operator))
    if sign is None:
        raise UnknownFault("an operator of the line of code isn't known here")
    return tree.Product((left, right), (sign,))


def _condition(node: ast.Compare) -> Condition:
    if len(node.ops) != 1 or type(node.ops[0]) not in COMPARISONS:
        raise UnknownFault("a comparison of the line of code isn't known here")
    return Condition(_expression(node.left), COMPARISONS[type(node.ops[0])], _expression(node.comparators[0]))


def _labels(where: ast.expr) -> Node:
    """The labels y in ``[np.arange(n), y]``."""
    match where:
        case ast.Tuple([ast.Call(ast.Attribute(_, "arange") | ast.Name("range" | "arange"), _), ast.Name(name)]):
            return named(name)
    raise UnknownFault("an index of the line of code isn't known here")


def _entry(of: ast.expr, where: ast.expr) -> Node:
    match where:
        case ast.Tuple([ast.Slice(), ast.Constant(None)]) | ast.Tuple([ast.Constant(None), ast.Slice()]):
            return _expression(of)
        case ast.Tuple([ast.Slice(), ast.Attribute(_, "newaxis")]) | ast.Tuple(
            [ast.Attribute(_, "newaxis"), ast.Slice()]
        ):
            return _expression(of)
        case ast.Constant(int(axis)) if isinstance(of, ast.Attribute) and of.attr == "shape":
            return tree.Call(Name("length"), (_expression(of.value), Number(Fraction(axis))))
    return tree.Call(Name("at_labels"), (_expression(of), _labels(where)))


def _call(function: ast.expr, arguments: list[ast.expr], keywords: dict[str, ast.expr]) -> Node:
    match function:
        case ast.Attribute(ast.Name("np" | "numpy" | "scipy" | "special" | "math"), name):
            return _numpy(name, arguments, keywords)
        case ast.Attribute(ast.Attribute(ast.Name("np" | "numpy" | "scipy"), _), name):
            return _numpy(name, arguments, keywords)
        case ast.Attribute(of, name):
            return _numpy(name, [of, *arguments], keywords)
        case ast.Name(name):
            return _numpy(name, arguments, keywords)
    raise UnknownFault("a call of the line of code isn't known here")


def _numpy(name: str, arguments: list[ast.expr], keywords: dict[str, ast.expr]) -> Node:
    if name in REDUCED:
        axis = keywords.get("axis", arguments[1] if len(arguments) > 1 else None)
        extra = () if axis is None else (_expression(axis),)
        return tree.Call(Name(name), (_expression(arguments[0]), *extra))
    if name in ("maximum", "max", "minimum", "min") and len(arguments) == 2:
        return tree.Call(Name(name[:3]), (_expression(arguments[0]), _expression(arguments[1])))
    if name in ("max", "amax"):
        raise UnknownFault("the maximum of an array isn't known here")
    if name in IGNORED and arguments:
        return _expression(arguments[0])
    if name == "transpose" and len(arguments) == 1:
        return tree.Transpose(_expression(arguments[0]))
    if name == "len" and len(arguments) == 1:
        return tree.Call(Name("length"), (_expression(arguments[0]), Number(Fraction(0))))
    if name == "where" and len(arguments) == 3 and isinstance(arguments[0], ast.Compare):
        first, second = _expression(arguments[1]), _expression(arguments[2])
        return tree.Cases(((first, _condition(arguments[0])), (second, None)))
    two = _TWO.get(name)
    if two is not None and len(arguments) == 2:
        return two(_expression(arguments[0]), _expression(arguments[1]))
    if len(arguments) == 1 and not set(keywords) - {"axis", "keepdims"} and name not in ("eye", "zeros", "ones", "dot"):
        return tree.Call(Name(ENTRYWISE.get(name, name)), (_expression(arguments[0]),))
    raise UnknownFault(f"{name} isn't known here")


_TWO: dict[str, Callable[[Node, Node], Node]] = {
    **{name: lambda a, b: tree.Product((a, b), ("@",)) for name in ("dot", "matmul")},
    "outer": lambda a, b: tree.Product((a, b), ("outer",)),
    "multiply": lambda a, b: tree.Product((a, b), ("odot",)),
    "divide": lambda a, b: tree.Quotient(a, b),
    "add": lambda a, b: tree.Add((a, b)),
    "subtract": lambda a, b: tree.Add((a, tree.Negative(b))),
    "power": lambda a, b: tree.Power(a, b),
}
