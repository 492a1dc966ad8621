"""Formulas in presentation MathML, which browsers show without a script; every name is escaped.

Each function returns a piece of MathML, and `math` makes the whole formula.
"""

from html import escape

__all__ = [
    "fraction",
    "identifier",
    "labeled",
    "math",
    "numeral",
    "operator",
    "row",
    "script",
    "total",
    "transposed",
    "words",
]


def math(*pieces: str, block: bool = False, spoken: str = "") -> str:
    """Return a formula; `block` sets it on a line of its own, `spoken` is what a screen reader says instead."""
    display = ' display="block"' if block else ""
    label = f' aria-label="{escape(spoken)}"' if spoken else ""
    return f"<math{display}{label}>{''.join(pieces)}</math>"


def identifier(name: str, *, upright: bool = False) -> str:
    """Return a name; a matrix is usually `upright` and set in bold by the style sheet."""
    kind = ' mathvariant="normal"' if upright else ""
    return f"<mi{kind}>{escape(name)}</mi>"


def numeral(text: str) -> str:
    """Return a number that is written already."""
    return f"<mn>{escape(text)}</mn>"


def operator(sign: str) -> str:
    """Return an operator, a relation or a bracket; a minus is set as such."""
    return f"<mo>{escape('−' if sign == '-' else sign)}</mo>"


def words(text: str) -> str:
    """Return words inside a formula."""
    return f"<mtext>{escape(text)}</mtext>"


def row(*pieces: str) -> str:
    """Return pieces side by side as one."""
    return f"<mrow>{''.join(pieces)}</mrow>"


def script(base: str, below: str = "", above: str = "") -> str:
    """Return a piece with an index below, an exponent above, or both."""
    if below and above:
        return f"<msubsup>{base}{below}{above}</msubsup>"
    if below:
        return f"<msub>{base}{below}</msub>"
    return f"<msup>{base}{above}</msup>" if above else base


def transposed(base: str) -> str:
    """Return a matrix with the sign of its transpose."""
    return script(base, above='<mi mathvariant="normal">⊤</mi>')


def fraction(above: str, below: str) -> str:
    """Return a fraction."""
    return f"<mfrac>{above}{below}</mfrac>"


def total(index: str, of: str = "") -> str:
    """Return the sign of a sum over an index, and what is summed."""
    return row(f"<munder><mo>∑</mo>{index}</munder>", of)


def labeled(base: str, label: str) -> str:
    """Return a piece with words under it, such as the shape of a matrix."""
    return f'<munder>{base}<mtext class="label">{escape(label)}</mtext></munder>'
