"""A trace as a page that one can walk through, and as a ledger for a notebook; every name from data is escaped."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ...functional.arrays import Array
from ...pages import aligned, fragment, packaged, page, strength
from .numbers import grid, statistics
from .plain import MOST_CELLS, plain_trace
from .text import HEADINGS, heading_of

if TYPE_CHECKING:
    from ..batch_trace import Trace
    from ..entry import Entry

__all__ = ["as_fragment", "as_html"]

SCRIPTS = ("arrays", "recipes", "again", "terms", "chain", "detail", "cell", "nudge", "naive", "walk")
NAMESPACE = "http://www.w3.org/1998/Math/MathML"
THUMBNAIL = 64
"""The most rows and columns of the picture of a large array."""
INTRODUCTION = (
    "Every array of one batch: what is given, the forward pass, the loss, the backward pass and the update. "
    "Each derivative stands below its array, and has the same shape as the array. Choose a block, or walk through the "
    "blocks with the slider or the arrow keys. Then point at a cell to see how it is computed."
)
SHORTCUTS = (
    "Softmax has a matrix of derivatives for each sample, and the gradient of every layer has a transpose. These are "
    "the usual ways to lose the matrix or the transpose, shown on the first sample of this batch."
)


def as_html(trace: Trace) -> str:
    """Write a trace as one HTML file that opens from disk: the chain, each array, cells, naive views, nudges."""
    title = heading_of(trace)
    notes = "".join(f'<p class="quiet small">{escape(note)}</p>' for note in trace.notes)
    body = f"""<header><h1>The glass box</h1><p>{escape(title)}</p><p class="lead">{INTRODUCTION}</p>{notes}</header>
<main>
<div id="chain" class="chain" role="group" aria-label="The arrays of the batch"></div>
<p class="small quiet">{_legend(trace)}</p>
{_CONTROLS}
<div id="detail"></div>
<section aria-labelledby="shortcuts"><h2 id="shortcuts">Shortcuts that fail</h2><p>{SHORTCUTS}</p>
<div id="naive" class="naives"></div></section>
<details class="ledger"><summary>The whole ledger</summary>{_ledger(trace)}</details>
</main>
<footer>Made by glassmax. This file asks the network for nothing.</footer>"""
    style = packaged(__package__, "page/trace.css", "page/ledger.css")
    scripts = [packaged(__package__, f"page/{name}.js") for name in SCRIPTS]
    return page(f"Glass box: {title}", body, style=style, scripts=scripts, data={"trace": _data(trace)})


def as_fragment(trace: Trace) -> str:
    """Write the ledger of a trace for a notebook."""
    heading = f"<p><b>{escape(heading_of(trace))}</b></p>"
    return fragment(heading + _ledger(trace), style=packaged(__package__, "page/ledger.css"))


_CONTROLS = """<div class="walk no-print">
<button type="button" id="back" aria-label="One step back">←</button>
<input type="range" id="walk" min="0" value="0" aria-label="Step">
<button type="button" id="on" aria-label="One step on">→</button>
<span class="where"><b id="stage"></b> <span id="count"></span></span>
<span class="segmented" role="group" aria-label="Notation"><button type="button" data-notation="matrix">Matrix</button>
<button type="button" data-notation="index">Index</button></span>
</div>"""


def _legend(trace: Trace) -> str:
    said = "Blue cells are above zero, orange cells below, each array on its own scale."
    if any(_is_large(entry.value) for entry in trace.steps):
        said += (
            f" Arrays of more than {MOST_CELLS:,} cells are drawn from evenly spaced rows and columns; their tables "
            "show the corners, with the extent and the statistics of all cells."
        )
    return said


def _data(trace: Trace) -> dict[str, Any]:
    """Return what the scripts read: the plain trace without LaTeX, and pictures of the large arrays."""
    data = plain_trace(trace)
    for step in data["steps"]:
        for equation in step["equations"]:
            for form in (equation["index"], equation["matrix"]):
                if form is not None:
                    del form["latex"]
                    form["mathml"] = _in_html(form["mathml"])
    data["thumbnails"] = {
        entry.name: _thumbnail(entry.value)
        for entry in trace.steps
        if entry.value is not None and _is_large(entry.value)
    }
    return data


def _in_html(mathml: str) -> str:
    """Leave out the namespace, which HTML knows."""
    return mathml.replace(f' xmlns="{NAMESPACE}"', "")


def _is_large(value: Array | None) -> bool:
    return value is not None and value.size > MOST_CELLS


def _thumbnail(value: Array) -> dict[str, Any]:
    """Return evenly spaced cells as bytes: 127 is zero, 254 the largest absolute value."""
    table = np.atleast_2d(value).reshape(-1, value.shape[-1])
    rows, columns = (np.linspace(0, size - 1, min(size, THUMBNAIL)).astype(int) for size in table.shape)
    extent = float(np.abs(value[np.isfinite(value)]).max(initial=0.0)) or 1.0
    cells = np.clip(np.nan_to_num(table[np.ix_(rows, columns)].astype(float) / extent), -1, 1)
    levels = np.rint(cells * 127 + 127).astype(np.uint8)
    return {"rows": len(rows), "columns": len(columns), "cells": b64encode(levels.tobytes()).decode()}


def _ledger(trace: Trace) -> str:
    """Write every array in order: name, equation, shapes, cells, reason."""
    parts, stage = [], ""
    for entry in trace.steps:
        if entry.stage != stage and entry.stage != "given":
            stage = entry.stage
            parts.append(f'<p class="stage">{escape(HEADINGS[stage])}</p>')
        parts.append(_entry(trace, entry))
    return f'<div class="entries">{"".join(parts)}</div>'


def _entry(trace: Trace, entry: Entry) -> str:
    shape = f"({', '.join(map(str, entry.shape))}{',' * (len(entry.shape) == 1)})" if entry.shape else ""
    equation = _in_html(entry.mathml() or escape(entry.meaning))
    sizes = f'<p class="quiet small">{escape(entry.with_shapes)}</p>' if entry.with_shapes and entry.shape else ""
    value, caption = entry.value, ""
    if value is None:
        value, caption = trace.shown_jacobian, f"The Jacobian of row {trace.rows[0]}."
    cells = (
        '<p class="quiet small">A Jacobian is too large to be shown.</p>' if value is None else _cells(value, caption)
    )
    return (
        f'<div class="entry"><p><b>{escape(entry.name)}</b> <span class="quiet">{shape}</span></p>'
        f'<div class="scroll">{equation}</div>{sizes}<p>{escape(entry.why)}</p>{cells}</div>'
    )


def _cells(value: Array, caption: str) -> str:
    """Write an array as a colored table: whole if it is small, otherwise its corners and statistics."""
    shown, facts = grid(value), statistics(value)
    known = [cell for line in shown.values for cell in line if cell is not None]
    texts = iter(aligned(known))
    extent = max(abs(facts.minimum), abs(facts.maximum))
    lines = [
        "".join("<td>…</td>" if cell is None else _cell(cell, next(texts), extent) for cell in line)
        for line in shown.values
    ]
    said = f"{caption} {shown.hidden}: {facts}.".strip() if shown.hidden else caption
    note = f'<p class="quiet small">{escape(said)}</p>' if said else ""
    rows = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="scroll"><table class="cells"><tbody>{rows}</tbody></table></div>{note}'


def _cell(value: float, text: str, extent: float) -> str:
    side = "above" if value > 0 else "below"
    return f'<td class="number {side}" style="--s:{strength(value, extent):.0f}">{text}</td>'
