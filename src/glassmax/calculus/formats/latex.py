"""A derivation as LaTeX: its result, or all its lines, aligned at their equals signs."""

import re

from ..indices import for_reading
from ..printing import latex, matrix_latex
from ..result import DerivationResult

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
    """Write the left side of a line, dL/dz_i, as a fraction."""
    above, _, below = left.partition("/d")
    if not below:
        return f"\\text{{{_tex(left)}}}"

    def indexed(name: str) -> str:
        word, _, letters = name.partition("_")
        return f"{word}_{{{letters}}}" if letters else word

    return f"\\frac{{\\partial {indexed(above.removeprefix('d'))}}}{{\\partial {indexed(below)}}}"


def _tex(words: str) -> str:
    return re.sub(r"([_^&%#$])", r"\\\1", words)
