"""A trace as Markdown, with formulas in LaTeX between dollars."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from .numbers import grid, statistics
from .text import HEADINGS, heading_of, named_columns

if TYPE_CHECKING:
    from ..batch_trace import Trace

__all__ = ["as_markdown"]


def as_markdown(trace: Trace) -> str:
    """Write a trace as Markdown."""
    lines = [f"# {heading_of(trace)}", "", *(f"Note: {note}\n" for note in trace.notes)]
    stage = ""
    for entry in trace.steps:
        if entry.stage not in (stage, "given"):
            stage = entry.stage
            lines += [f"## {HEADINGS[stage]}", ""]
        lines += [f"### `{entry.name}`, {'shape ' + str(entry.shape) if entry.shape else 'a number'}", ""]
        for equation in entry.equations:
            lines += [f"$$ {equation.latex()} $$", ""] if equation.matrix is not None else []
            lines += [f"$$ {equation.latex(index=True)} $$", ""]
        lines += [entry.why, ""]
        lines += [f"Rule: {'; '.join(entry.rules)}.", ""] if entry.rules else []
        lines += _table(trace, entry.value)
        if named := named_columns(trace, entry):
            lines += [_escaped(" ".join(map(str.strip, named))), ""]
    return "\n".join(lines).rstrip() + "\n"


def _escaped(words: str) -> str:
    """Escape what Markdown or HTML would read as markup in names from data."""
    return re.sub(r"([\\`*_{}\[\]<>#|$&])", r"\\\1", words)


def _table(trace: Trace, value: object) -> list[str]:
    if value is None and trace.shown_jacobian is None:
        return ["Each Jacobian is too large to be shown.", ""]
    array = trace.shown_jacobian if value is None else np.asarray(value)
    assert array is not None
    shown = grid(array)
    lines = ["The Jacobian of the first row:", ""] if value is None else []
    lines += ["```text", *("  ".join(line) for line in shown.cells), "```", ""]
    if shown.hidden:
        lines += [f"{shown.hidden}; {statistics(array)!r}", ""]
    return lines
