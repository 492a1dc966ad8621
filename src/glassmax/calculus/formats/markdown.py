"""A derivation as Markdown."""

from ..indices import for_reading
from ..printing import latex, matrix_latex
from ..result import DerivationResult
from .latex import latex_left

__all__ = ["as_markdown"]


def as_markdown(d: DerivationResult) -> str:
    """Write a derivation as Markdown, with formulas in LaTeX between dollars."""
    lines = [f"**{d.name}**, {d.layout}", ""]
    lines += [
        f"- $\\displaystyle {latex_left(step.left)} = {latex(for_reading(step.expression))}$ ({step.rule})"
        for step in d.steps
    ]
    lines += ["", f"Index form: ${latex(for_reading(d.expression))}$", ""]
    if d.matrix is not None:
        lines += [f"Matrix form: ${matrix_latex(d.matrix)}$", ""]
    return "\n".join([*lines, f"{d.unused_note} {d.verdict}".strip()])
