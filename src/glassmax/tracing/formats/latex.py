"""A trace as LaTeX for amsmath: equations, and arrays as matrices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ...calculus.matrix import Leaf
from ...calculus.printing import matrix_latex
from .numbers import ELLIPSIS, grid, statistics
from .text import HEADINGS, heading_of

if TYPE_CHECKING:
    from ..batch_trace import Trace

__all__ = ["as_latex"]

ESCAPED = {c: f"\\{c}" for c in "#$%&_{}"} | {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}


def as_latex(trace: Trace) -> str:
    r"""Write a trace as LaTeX, with ``\setcounter{MaxMatrixCols}{20}`` for matrices of more than ten columns."""
    lines = [f"% {heading_of(trace)}", r"\setcounter{MaxMatrixCols}{20}"]
    lines += [f"{_tex(note)}\n" for note in trace.notes]
    stage = ""
    for entry in trace.steps:
        if entry.stage not in (stage, "given"):
            stage = entry.stage
            lines += ["", rf"\section*{{{_tex(HEADINGS[stage])}}}"]
        rows = [equation.latex() for equation in entry.equations if equation.matrix is not None]
        rows += [equation.latex(index=True) for equation in entry.equations]
        lines += ["", rf"\paragraph{{{_tex(entry.name)}}} {_tex(entry.why)}"]
        lines += [rf"\[ {row} \]" for row in rows]
        lines += _matrix(trace, entry.name, entry.value)
    return "\n".join(lines) + "\n"


def _matrix(trace: Trace, name: str, value: object) -> list[str]:
    if value is None and trace.shown_jacobian is None:
        return ["Each Jacobian is too large to be shown."]
    array = trace.shown_jacobian if value is None else np.asarray(value)
    assert array is not None
    shown = grid(array)
    left = "J_0" if value is None else matrix_latex(Leaf(name, ()))
    if not array.ndim:
        return [rf"\[ {left} = {shown.cells[0][0]} \]"]
    cells = [
        " & ".join(r"\cdots" if cell.strip() == ELLIPSIS else _number(cell) for cell in line) for line in shown.cells
    ]
    body = " \\\\\n".join(cells)
    lines = [f"\\[ {left} = \\begin{{bmatrix}}\n{body}\n\\end{{bmatrix}} \\]"]
    return [*lines, f"{_tex(shown.hidden)}; {_tex(repr(statistics(array)))}."] if shown.hidden else lines


def _number(cell: str) -> str:
    return re.sub(r"e([+-]?)0*(\d+)$", lambda m: rf" \cdot 10^{{{m[1].strip('+')}{m[2]}}}", cell.strip())


def _tex(words: str) -> str:
    return "".join(ESCAPED.get(c, c) for c in words)
