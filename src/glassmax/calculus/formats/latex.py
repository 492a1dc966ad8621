"""A derivation as LaTeX: its result, or all its lines, aligned at their equals signs."""

import re

from ..indices import for_reading
from ..printing import latex, matrix_latex
from ..result import DerivationResult
from .left_side import left_side

__all__ = ["as_latex", "latex_left"]


def as_latex(d: DerivationResult, *, steps: bool = False) -> str:
    """Write the result, or every line, as LaTeX."""
    if not steps:
        return matrix_latex(d.matrix) if d.matrix is not None else latex(for_reading(d.expression))
    rows = [
        f"{latex_left(s.left)} &= {latex(for_reading(s.expression))} && \\text{{{_tex(s.rule)}}} \\\\" for s in d.steps
    ]
    return "\\begin{aligned}\n" + "\n".join(rows) + "\n\\end{aligned}"


def latex_left(left: str) -> str:
    """Write the left side of a line as a fraction: dL/dz_i, d(dL/dz_i)/dz_j, sum_j d(dL/dz_i)/dz_j v_j."""
    parts = left_side(left)
    if parts is None:
        return f"\\text{{{_tex(left)}}}"

    def indexed(name: str) -> str:
        word, _, letters = name.partition("_")
        return f"{word}_{{{letters}}}" if letters else word

    above = "" if parts.nested else f" {indexed(parts.above)}"
    fraction = f"\\frac{{\\partial{above}}}{{\\partial {indexed(parts.below)}}}"
    total = f"\\sum_{{{parts.summed}}} " if parts.summed else ""
    after = rf" \left({latex_left(parts.above)}\right)" if parts.nested else ""
    factor = f" {indexed(parts.rest)}" if parts.summed else f"\\text{{ {parts.rest}}}" if parts.rest else ""
    return f"{total}{fraction}{after}{factor}"


def _tex(words: str) -> str:
    return re.sub(r"([_^&%#$])", r"\\\1", words)
