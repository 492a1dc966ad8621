"""LaTeX of one formula, in the commands that LaTeX with amsmath, MathJax and KaTeX all know."""

from ..expression import Expr
from ..greek import GREEK
from ..matrix import Matrix
from .layout_index import AppliedFunction, BigSum, Box, Fence, Frac, Primed, Root, Row, Script, Sign, expression_box
from .layout_matrix import matrix_box

__all__ = ["latex", "matrix_latex"]

SIGNS = {"⊙": r"\odot", "⊘": r"\oslash", "⊤": r"\top", "∘": r"\circ", "δ": r"\delta"}
FUNCTIONS = {name: f"\\{name}" for name in ("exp", "log", "sin", "cos", "tanh")} | {"sigmoid": r"\sigma"}
ESCAPED = {c: f"\\{c}" for c in "#$%&_{}"} | {"\\": r"\backslash ", "^": r"\hat{}", "~": r"\sim "}


def latex(e: Expr) -> str:
    r"""Print an expression in index notation as LaTeX for mathematics mode, such as ``-\sum_k y_k \log p_k``."""
    return _write(expression_box(e))


def matrix_latex(m: Matrix) -> str:
    r"""Print an expression in matrix notation as LaTeX for mathematics mode: ``\frac{1}{N} X^\top (P - Y)``."""
    return _write(matrix_box(m))


def _write(box: Box) -> str:
    match box:
        case Sign():
            return _sign(box)
        case Row(items):
            return _row(items)
        case Script(base, below, above):
            printed = _write(base)
            if (below and _has(base, "below")) or (above and _has(base, "above")):
                printed = f"{{{printed}}}"
            return printed + (_script("_", below) if below else "") + (_script("^", above) if above else "")
        case Primed(base, count):
            return _write(base) + "'" * count
        case Frac(above, below):
            return f"\\frac{{{_write(above)}}}{{{_write(below)}}}"
        case Root(of):
            return f"\\sqrt{{{_write(of)}}}"
        case Fence(of, bars):
            left, right = (r"\lvert ", r" \rvert") if bars else ("(", ")")
            if _is_tall(of):
                left, right = (r"\left| ", r" \right|") if bars else (r"\left(", r"\right)")
            return f"{left}{_write(of)}{right}"
        case AppliedFunction(function, argument):
            return _write(function) + ("" if isinstance(argument, Fence) else " ") + _write(argument)
        case BigSum(indices):
            return r"\sum" + _script("_", indices)


def _sign(sign: Sign) -> str:
    text = sign.text
    if sign.kind == "operator":
        return SIGNS.get(text, text)
    if sign.kind == "ones":
        return rf"\mathbf{{{text}}}"
    if text in SIGNS:
        return SIGNS[text]
    if sign.kind == "function" and text in FUNCTIONS:
        return FUNCTIONS[text]
    if text in GREEK:
        return f"\\{text}"
    escaped = "".join(ESCAPED.get(c, c) for c in text)
    if len(text) <= 1 or sign.kind == "number":
        return escaped
    return rf"\operatorname{{{escaped}}}" if sign.kind == "function" else rf"\mathrm{{{escaped}}}"


def _row(items: tuple[Box, ...]) -> str:
    # Indices are set close, factors are not.
    indices = len(items) > 1 and all(isinstance(i, Sign) and i.kind == "name" and len(i.text) == 1 for i in items)
    printed = ""
    for n, item in enumerate(items):
        part = _write(item)
        opening = n == 1 and items[0] == Sign("-", "operator")
        close = not printed or opening or not part or part == "," or printed.endswith(",")
        printed += part if close or indices else f" {part}"
    return printed


def _script(mark: str, box: Box) -> str:
    printed = _write(box)
    return f"{mark}{printed}" if len(printed) == 1 or printed == r"\top" else f"{mark}{{{printed}}}"


def _has(box: Box, place: str) -> bool:
    match box:
        case Script(base, below, above):
            return bool(below if place == "below" else above) or _has(base, place)
        case Primed(base, _):
            return place == "above" or _has(base, place)
        case _:
            return False


def _is_tall(box: Box) -> bool:
    match box:
        case Frac() | BigSum():
            return True
        case Row(items):
            return any(_is_tall(item) for item in items)
        case Script(base, _, _) | Primed(base, _):
            return _is_tall(base)
        case Root(of) | Fence(of, _):
            return _is_tall(of)
        case AppliedFunction(_, argument):
            return _is_tall(argument)
        case _:
            return False
