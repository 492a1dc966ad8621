"""A derivation as plain data, for JSON."""

from typing import Any

from ..indices import for_reading
from ..printing import equality, equation_left, text
from ..result import DerivationResult
from .latex import as_latex
from .numpy import as_numpy

__all__ = ["as_json"]


def as_json(d: DerivationResult) -> dict[str, Any]:
    """Return a derivation as plain data."""
    return {
        "of": d.of,
        "wrt": [name for name, _ in d.wrt],
        "layout": d.layout,
        "equations": [f"{equation_left(n)} = {text(n.value)}" for n in d.program.definitions],
        "assumptions": [equality(pair) for pair in d.assumptions],
        "unused_assumptions": [equality(pair) for pair in d.unused],
        "steps": [
            {"left": s.left, "right": text(for_reading(s.expression)), "rule": s.rule, "error": s.error}
            for s in d.steps
        ],
        "index_form": d.index_form,
        "matrix_form": d.matrix_form,
        "matrix_rules": d.matrix_rules,
        "no_matrix_form": d.no_matrix,
        "numpy": str(as_numpy(d)),
        "latex": as_latex(d),
        "proved": d.proved,
    }
