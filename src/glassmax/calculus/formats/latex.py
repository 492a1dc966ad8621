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
    """Write the left side of a line as a fraction: dL/dz_i, d(dL/dz_i)/dz_j, sum_j d(dL/dz_i)/dz_j v_j."""
    found = re.fullmatch(r"(?:sum_(\{.*?\}|\S+) )?d(.+)/d([^/ ]+(?:, [^/ ]+)*)(?: (.+))?", left)
    if found is None:
        return f"\\text{{{_tex(left)}}}"
    summed, above, below, rest = found.groups()

    def indexed(name: str) -> str:
        word, _, letters = name.partition("_")
        return f"{word}_{{{letters}}}" if letters else word

    nested = above.startswith("(")
    fraction = f"\\frac{{\\partial{'' if nested else f' {indexed(above)}'}}}{{\\partial {indexed(below)}}}"
    total = f"\\sum_{{{summed.strip('{}')}}} " if summed else ""
    after = rf" \left({latex_left(above[1:-1])}\right)" if nested else ""
    factor = f" {indexed(rest)}" if summed else f"\\text{{ {rest}}}" if rest else ""
    return f"{total}{fraction}{after}{factor}"


def _tex(words: str) -> str:
    return re.sub(r"([_^&%#$])", r"\\\1", words)
