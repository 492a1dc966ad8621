"""A trace as plain text for a terminal: each array with its equation, its shapes, its value and the reason."""

from __future__ import annotations

import re
from itertools import starmap
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from .numbers import grid, plain_number, statistics

if TYPE_CHECKING:
    from ..batch_trace import Trace
    from ..cells import Cell, Part
    from ..entry import Entry
    from ..naive import NaiveView

__all__ = [
    "HEADINGS",
    "as_text",
    "cell_text",
    "entry_text",
    "heading_of",
    "jacobian_lines",
    "named_columns",
    "view_text",
    "words_of",
]

WIDTH = 100
NUMBER = re.compile(r"-?\d+(?:/\d+)?")
MOST_NAMES = 40
"""The names of columns that are shown."""
MOST_TERMS = 12
"""The products of a cell that are shown; of more, the largest."""
HEADINGS = {
    "given": "Given",
    "forward": "Forward: from the rows to the outputs",
    "loss": "The loss",
    "backward": "Backward: from the loss to every parameter",
    "update": "The update",
}


def as_text(trace: Trace) -> str:
    """Write a trace for a terminal."""
    lines = [heading_of(trace), *(line for note in trace.notes for line in _wrapped("Note: ", note))]
    stage = ""
    for entry in trace.steps:
        if entry.stage != stage and entry.stage != "given":
            stage = entry.stage
            lines += ["", HEADINGS[stage], "=" * len(HEADINGS[stage])]
        lines += ["", *entry_lines(entry), *named_columns(trace, entry)]
        if entry.value is None:
            lines += jacobian_lines(trace)
    return "\n".join(lines)


def named_columns(trace: Trace, entry: Entry, width: int = WIDTH) -> list[str]:
    """Name the columns of X and of Y, where they have names."""
    names = {"X": trace.columns, "Y": trace.classes}.get(entry.name)
    if not names:
        return []
    shown = ", ".join(names[:MOST_NAMES])
    more = f", and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return _wrapped("  Columns: ", f"{shown}{more}.", width)


def jacobian_lines(trace: Trace) -> list[str]:
    """Write the Jacobian of the first row, or that it is too large."""
    J = trace.shown_jacobian
    if J is None:
        return ["  Each Jacobian is too large to be shown: trace.jacobian(i) forms that of row i of the batch."]
    return _grid_lines(J, "The Jacobian of the first row; trace.jacobian(i) returns that of row i of the batch:")


def heading_of(trace: Trace) -> str:
    """Say in a line what is traced."""
    network = trace.network
    sizes = "-".join(map(str, network.layer_sizes))
    hidden = f", {', '.join(dict.fromkeys(network.activations))}" if network.activations else ""
    n = len(trace.rows)
    rows = f"{n} row{'s' * (n != 1)}"
    return (
        f"{rows} through {sizes}{hidden}, {network.head.output} output, {network.head.loss} loss: L = {trace.loss:.6g}"
    )


def entry_text(entry: Entry) -> str:
    """Write one array."""
    return "\n".join(entry_lines(entry))


def entry_lines(entry: Entry) -> list[str]:
    """Write one array: its equations, the reason, the rules, the numbers."""
    return words_of(entry) + ([] if entry.value is None else _grid_lines(entry.value))


def words_of(entry: Entry, width: int = WIDTH) -> list[str]:
    """Write what is said of one array, without its numbers."""
    lines = [_head(entry)]
    for equation in entry.equations:
        lines += [f"  {written}" for written in (equation.with_shapes(entry.shapes), equation.index_form) if written]
    lines += [f"  {entry.meaning}"] if entry.meaning else []
    lines += _wrapped("  ", entry.why, width)
    if entry.rules:
        lines += _wrapped("  Rule: ", "; ".join(entry.rules) + ".", width)
    return lines


def cell_text(cell: Cell) -> str:
    """Write a cell as the sum of its products."""
    if not cell.parts:
        return f"{cell.label} = {plain_number(cell.value)}\n{cell.note}"
    formula = " + ".join(part.formula for part in cell.parts).replace("+ -", "- ")
    lines = [f"{cell.label} = {formula}"]
    for part in cell.parts:
        lines += _part_lines(part)
    if len(cell.parts) > 1 or len(cell.parts[0]) > 1:
        lines.append(f"sum  {plain_number(cell.sum)}")
    if not np.isclose(cell.sum, cell.value, rtol=1e-5, atol=1e-300, equal_nan=True):
        lines.append(f"The network computes {plain_number(cell.value)}, in a form that keeps its digits.")
    return "\n".join(lines)


def _part_lines(part: Part) -> list[str]:
    shown = part.largest(MOST_TERMS) if len(part) > MOST_TERMS else list(part.terms())
    rows = [
        [
            *(f"{letter} = {i}" for letter, i in term.at.items()),
            *starmap(_factor, term.factors),
            plain_number(term.value + 0.0),  # without the sign of -0
        ]
        for term in shown
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  " + "   ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    if len(part) > len(shown):
        rest = part.sum - sum(term.value for term in shown)
        lines.append(
            f"  The {len(part) - len(shown)} smaller products are not shown; their sum is {plain_number(rest)}."
        )
    return lines


def _factor(name: str, value: float) -> str:
    return name if NUMBER.fullmatch(name) else f"{name} = {plain_number(value)}"


def view_text(view: NaiveView) -> str:
    """Write one wrong way beside the right one."""
    wrong = [f"  {view.formula} can't be computed: the shapes don't fit"]
    if view.value is not None:
        wrong = [f"  {view.formula} gives", *_grid_lines(view.value)]
    right = [f"  right: {view.right_formula} gives", *_grid_lines(view.right)]
    return "\n".join([f"{view.of}: {view.name}", *wrong, *right, *_wrapped("  ", view.why)])


def _head(entry: Entry) -> str:
    shape = f"  shape {entry.shape}" if entry.shape else "  a number"
    return f"{entry.name}{shape}"


def _grid_lines(value: np.ndarray, caption: str = "") -> list[str]:
    shown = grid(value)
    lines = [f"  {caption}"] if caption else []
    open_, close = ("[", "]") if value.ndim else ("", "")
    lines += [f"    {open_}{'  '.join(line)}{close}" if i is not None else f"    {'  '.join(line)}"
              for i, line in zip(shown.rows, shown.cells, strict=True)]  # fmt: skip
    if shown.hidden:
        lines.append(f"    {shown.hidden}; {statistics(value)!r}")
    return lines


def _wrapped(head: str, words: str, width: int = WIDTH) -> list[str]:
    return wrap(words, width, initial_indent=head, subsequent_indent=" " * len(head)) or [head]
