"""Lines of a program: corrected lines written as NumPy, and mistakes that no formula has: shared memory, the order."""

import ast
from collections.abc import Sequence

from ..formula.tree import Add, Call, Name, Negative, Node, Number, Power, Product, Quotient, Transpose
from ..formula.write import write

__all__ = ["as_code", "remarks_of"]

SUM, TIMES, SIGN, ATOM = range(4)
SIGNS = {"odot": "*", "*": "*", "@": "@", "": "*", "cdot": "*", "times": "*", "outer": "*"}


def as_code(node: Node) -> str:
    """Write a formula as NumPy.

    Examples
    --------
    >>> as_code(Product((Transpose(Name("X")), Name("dZ")), ("@",)))
    'X.T @ dZ'
    """
    return _code(node, SUM)


def _code(node: Node, around: int) -> str:
    match node:
        case Number(value, typed):
            return typed or (str(value) if value.denominator == 1 else str(float(value)))
        case Name(base, typed=typed):
            return typed or base
        case Add(terms):
            text = _code(terms[0], TIMES)
            for term in terms[1:]:
                text += f" - {_code(term.of, TIMES)}" if isinstance(term, Negative) else f" + {_code(term, TIMES)}"
            return _bracketed(text, SUM, around)
        case Negative(of):
            return _bracketed(f"-{_code(of, TIMES)}", SIGN, around)
        case Product(factors, signs):
            text = _code(factors[0], TIMES)
            for sign, factor in zip(signs, factors[1:], strict=True):
                text += f" {SIGNS.get(sign, '*')} {_code(factor, SIGN)}"
            return _bracketed(text, TIMES, around)
        case Quotient(above, below):
            return _bracketed(f"{_code(above, TIMES)} / {_code(below, ATOM)}", TIMES, around)
        case Power(base, exponent):
            return _bracketed(f"{_code(base, ATOM)}**{_code(exponent, ATOM)}", SIGN, around)
        case Transpose(of):
            return f"{_code(of, ATOM)}.T"
        case Call(function, arguments):
            return f"np.{function.base}({', '.join(_code(one, SUM) for one in arguments)})"
    return write(node)


def _bracketed(text: str, level: int, around: int) -> str:
    return text if level >= around else f"({text})"


def remarks_of(sources: Sequence[str]) -> dict[int, tuple[str, str]]:
    """Return, for lines of a program by their position, the cause and the words of a mistake of memory or order."""
    same: dict[str, str] = {}
    updated: dict[str, int] = {}
    found: dict[int, tuple[str, str]] = {}
    for at, source in enumerate(sources):
        try:
            statement = ast.parse(source.strip()).body[0]
        except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
            continue
        match statement:
            case ast.Assign([ast.Name(name)], ast.Name(other)):
                same[name] = other
            case ast.AugAssign(ast.Name(name) | ast.Subscript(ast.Name(name)), _, _) if name in same:
                other = same[name]
                found[at] = (
                    "in_place",
                    f"but {name} is the same array as {other}, so {other} changes too: write {name} = {other}.copy()",
                )
        used = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        late = sorted(used & set(updated))
        if late and _gradient(statement):
            found[at] = ("updated_weights", f"{late[0]} was updated before: this line needs its old value")
        if weights := _updated(statement):
            updated[weights] = at
    return found


def _gradient(statement: ast.stmt) -> bool:
    """Return whether a line computes a derivative: dA1, grad_W, delta."""
    match statement:
        case ast.Assign([ast.Name(name)]):
            return name.startswith(("d", "grad"))
    return False


def _updated(statement: ast.stmt) -> str:
    """Return the weights that a line moves against their gradient, or ""."""
    match statement:
        case ast.AugAssign(ast.Name(name), ast.Sub(), value):
            step = value
        case ast.Assign([ast.Name(name)], ast.BinOp(ast.Name(before), ast.Sub(), value)) if before == name:
            step = value
        case _:
            return ""
    used = {node.id for node in ast.walk(step) if isinstance(node, ast.Name)}
    return name if any(one.startswith(("d", "grad")) and one.endswith(name) for one in used) else ""
