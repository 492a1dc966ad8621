"""A derivation as HTML, with its formulas in MathML; every name that came from outside is escaped."""

from html import escape

from ..indices import for_reading
from ..printing import mathml, matrix_mathml
from ..result import DerivationResult

__all__ = ["as_html", "as_mathml"]


def as_mathml(d: DerivationResult) -> str:
    """Write the result as MathML."""
    return mathml(for_reading(d.expression)) if d.matrix is None else matrix_mathml(d.matrix)


def as_html(d: DerivationResult) -> str:
    """Write a derivation as HTML with MathML; every name that came from outside is escaped."""
    rows = []
    before = None
    for step in d.steps:
        left = escape(step.left) if step.left != before else ""
        before = step.left
        rows.append(
            f"<tr><td><code>{left}</code></td><td>=</td><td>{mathml(for_reading(step.expression))}</td>"
            f"<td>{escape(step.rule)}</td><td>{step.error:.0e}</td></tr>"
        )
    matrix = f"No matrix form: {escape(d.no_matrix or '')}"
    if d.matrix is not None:
        matrix = f"{escape(d.matrix_name)} = {matrix_mathml(d.matrix)}"
    return (
        f"<div class='glassmax-derivation'><table>{''.join(rows)}</table>"
        f"<p>{escape(d.name)} = {mathml(for_reading(d.expression))}</p><p>{matrix}</p>"
        f"<p>{escape(f'{d.unused_note} {d.verdict}'.strip())}</p></div>"
    )
