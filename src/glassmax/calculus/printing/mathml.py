"""Presentation MathML, which browsers show without a script."""

import re
from html import escape

from ..expression import Expr
from ..greek import GREEK
from ..matrix import Matrix
from .layout_index import AppliedFunction, BigSum, Box, Fence, Frac, Primed, Root, Row, Script, Sign, expression_box
from .layout_matrix import matrix_box

__all__ = ["mathml", "matrix_mathml"]

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
TIMES, APPLY = "&#x2062;", "&#x2061;"
SPACE = '<mspace width="0.17em"/>'
PRIMES = {1: "′", 2: "″", 3: "‴"}
FUNCTIONS = {"sigmoid": "σ"}
DERIVATIVE = re.compile("d[A-Za-z]")


def mathml(e: Expr) -> str:
    """Print an expression in index notation as one ``<math>`` element of presentation MathML; names are escaped."""
    return _document(expression_box(e))


def matrix_mathml(m: Matrix) -> str:
    """Print an expression in matrix notation as one ``<math>`` element of presentation MathML; names are escaped."""
    return _document(matrix_box(m))


def _document(box: Box) -> str:
    return f'<math xmlns="{NAMESPACE}">{_write(box)}</math>'


def _write(box: Box) -> str:
    match box:
        case Sign():
            return _sign(box)
        case Row(items):
            return _element("mrow", *map(_write, items))
        case Script(Script(base, below, None), None, above) if below and above:
            return _element("msubsup", _write(base), _write(below), _write(above))
        case Script(base, below, above):
            parts = [_write(part) for part in (base, below, above) if part]
            return _element("msubsup" if below and above else "msub" if below else "msup", *parts)
        case Primed(base, count):
            return _element("msup", _write(base), f"<mo>{PRIMES.get(count, '′' * count)}</mo>")
        case Frac(above, below):
            return _element("mfrac", _write(above), _write(below))
        case Root(of):
            return _element("msqrt", _write(of))
        case Fence(of, bars):
            left, right = ("|", "|") if bars else ("(", ")")
            return _element("mrow", f'<mo fence="true">{left}</mo>', _write(of), f'<mo fence="true">{right}</mo>')
        case AppliedFunction(function, argument):
            gap = "" if isinstance(argument, Fence) else SPACE
            return _element("mrow", _write(function), f"<mo>{APPLY}</mo>", gap, _write(argument))
        case BigSum(indices):
            return _element("munder", "<mo>∑</mo>", _write(indices))


def _sign(sign: Sign) -> str:
    text = escape(sign.text)
    match sign.kind:
        case "number":
            return f"<mn>{text}</mn>"
        case "ones":
            return f'<mn mathvariant="bold">{text}</mn>'
        case "operator":
            return f"<mo>{'−' if text == '-' else text}</mo>"
        case "times":
            return f"<mo>{TIMES}</mo>"
        case "function":
            return f"<mi>{FUNCTIONS.get(text, text)}</mi>"
        case _ if DERIVATIVE.fullmatch(sign.text):  # browsers set a single letter in italics, and several upright
            return f"<mrow><mi>d</mi><mi>{text[1:]}</mi></mrow>"
        case _:
            return f"<mi>{GREEK.get(text, text)}</mi>"


def _element(tag: str, *parts: str) -> str:
    return f"<{tag}>{''.join(parts)}</{tag}>"
