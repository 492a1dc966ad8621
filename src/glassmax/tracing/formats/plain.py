"""A trace as plain data: dictionaries, lists, text and numbers, for JSON and for the page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ...functional.arrays import Array
from ..arrays import logits_name
from ..cells import Cell
from ..entry import Entry
from ..equations import Equation
from ..naive import NaiveView
from ..recipes import recipe
from .numbers import json_ready, statistics
from .text import HEADINGS, heading_of

if TYPE_CHECKING:
    from ..batch_trace import Trace
    from ..nudges import Nudge

__all__ = ["MOST_CELLS", "as_json", "plain_array", "plain_cell", "plain_part", "plain_trace"]

MOST_CELLS = 2_500
"""The cells of an array that are written out; of a larger array, its corners."""
MOST_IN_JACOBIANS = 20_000
"""The cells of all Jacobians together."""
EDGE = 12
MOST_TERMS = 1_000


def plain_trace(trace: Trace) -> dict[str, Any]:
    """Return a trace as plain data.

    Returns
    -------
    dict
        ``"title"``: one line. ``"loss"``: L. ``"notes"``: sentences. ``"rows"``: row numbers. ``"classes"`` and
        ``"columns"``: names or None, not escaped. ``"network"``: layer_sizes, activations, output, loss, l2, dtype,
        embedding (bool), dropout (bool), weighted (bool). ``"stages"``: [{"name", "title"}].

        ``"steps"``: one dictionary for each array, in order:

        - ``"name"``, ``"stage"``, ``"shape"``, ``"why"``, ``"meaning"`` (the equation in words where the calculus
          has none);
        - ``"equations"``: the one that cells are taken apart by first, the shortest last. Each has ``"index"`` and
          ``"matrix"`` (or None), with ``"text"``, ``"latex"``, ``"mathml"``; ``"with_shapes"``: text with the shape of
          each array; ``"letters"``: the indices on the left; ``"rules"``; ``"proved"``; ``"no_matrix"``; ``"uses"``:
          the arrays on its right side, with the letters of each; ``"recipe"``: see `glassmax.tracing.recipes`;
        - ``"array"``: see `plain_array`; None for the Jacobians.

        ``"jacobians"``: {position of the row: (k, k) list}, for the first rows, as many as make at most 20,000 cells,
        and at most 50; none of more than 50 classes, and softmax alone.
        ``"naive"``: name, of, formula, right_formula, value (or None), right, why, of the first row and the layers.

        Numbers that JSON has no word for are the texts "nan", "inf" and "-inf".
    """
    network = trace.network
    n, k = trace.arrays["P"].shape
    softmax = network.head.output == "softmax"
    jacobians = min(n, 50, MOST_IN_JACOBIANS // k**2) if softmax and k <= 50 else 0
    return {
        "title": heading_of(trace),
        "loss": json_ready(trace.loss),
        "notes": list(trace.notes),
        "rows": [int(row) for row in trace.rows],
        "classes": trace.classes,
        "columns": trace.columns,
        "network": {
            "layer_sizes": list(network.layer_sizes),
            "activations": list(network.activations),
            "output": network.head.output,
            "loss": network.head.loss,
            "logits": logits_name(network),
            "l2": network.l2,
            "dtype": str(network.theta.dtype),
            "embedding": network.embedding is not None,
            "dropout": "D1" in trace,
            "weighted": "w" in trace,
        },
        "stages": [{"name": name, "title": title} for name, title in HEADINGS.items()],
        "steps": [plain_entry(entry) for entry in trace.steps],
        "jacobians": {str(i): _list(trace.jacobian(i)) for i in range(jacobians)},
        "naive": [plain_view(view) for view in trace.naive(0)],
    }


def as_json(trace: Trace) -> str:
    """Return the plain data as JSON, on one line."""
    return json.dumps(plain_trace(trace), allow_nan=False)


def plain_cell(cell: Cell) -> dict[str, Any]:
    """Return a cell as plain data: its parts, each with its products and their factors."""
    parts = [
        {
            "formula": part.formula,
            "letters": list(part.letters),
            "products": len(part),
            "sum": json_ready(part.sum),
            "terms": [
                {
                    "at": term.at,
                    "factors": [[name, json_ready(value)] for name, value in term.factors],
                    "value": json_ready(term.value),
                }
                for term in part.largest(MOST_TERMS)
            ],
        }
        for part in cell.parts
    ]
    return {
        "name": cell.name,
        "index": list(cell.index),
        "label": cell.label,
        "value": json_ready(cell.value),
        "sum": json_ready(cell.sum),
        "equation": None if cell.equation is None else cell.equation.index_form,
        "parts": parts,
        "note": cell.note,
    }


def plain_part(trace: Trace, part: Entry | Cell | NaiveView | Nudge) -> dict[str, Any]:
    """Return an array, a cell, a naive view or a nudge as plain data.

    The entry of the Jacobians has ``"jacobian"``, that of the first row as `plain_array` returns it, or None if it is
    too large to be shown.
    """
    if isinstance(part, Entry):
        if part.value is not None:
            return plain_entry(part)
        J = trace.shown_jacobian
        return plain_entry(part) | {"jacobian": None if J is None else plain_array(J)}
    return plain_view(part) if isinstance(part, NaiveView) else part.to_dict()


def plain_array(value: Array) -> dict[str, Any]:
    """Return an array as plain data.

    Returns
    -------
    dict
        ``"complete"``: whether every cell is there. ``"cells"``: nested lists; a number for shape (). Of a larger
        array, ``"row_numbers"`` and ``"column_numbers"`` are the rows and columns that ``"cells"`` holds, all others
        are left out. ``"statistics"``: minimum, maximum, mean, norm, zeros, not_finite, of the whole array.
    """
    said = statistics(value)
    facts = {name: json_ready(number) if isinstance(number, float) else number for name, number in vars(said).items()}
    if value.size <= MOST_CELLS:
        return {"complete": True, "cells": _list(value), "statistics": facts}
    table = value if value.ndim == 2 else value.reshape(-1, value.shape[-1])
    rows, columns = _edges(table.shape[0]), _edges(table.shape[1])
    if value.ndim == 1:
        table, rows, columns = value[None], [0], _edges(len(value), 200)
    return {
        "complete": False,
        "cells": _list(table[np.ix_(rows, columns)]),
        "row_numbers": rows,
        "column_numbers": columns,
        "statistics": facts,
    }


def _edges(size: int, edge: int = EDGE) -> list[int]:
    return list(range(size)) if size <= 2 * edge else [*range(edge), *range(size - edge, size)]


def plain_entry(entry: Entry) -> dict[str, Any]:
    """Return one array as plain data."""
    return {
        "name": entry.name,
        "stage": entry.stage,
        "shape": list(entry.shape),
        "why": entry.why,
        "meaning": entry.meaning,
        "equations": [_equation(equation, entry) for equation in entry.equations],
        "array": None if entry.value is None else plain_array(entry.value),
    }


def _equation(equation: Equation, entry: Entry) -> dict[str, Any]:
    matrix = None
    if equation.matrix is not None:
        matrix = {"text": equation.matrix_form, "latex": equation.latex(), "mathml": equation.mathml()}
    index = {
        "text": equation.index_form,
        "latex": equation.latex(index=True),
        "mathml": equation.mathml(index=True),
    }
    return {
        "index": index,
        "matrix": matrix,
        "with_shapes": equation.with_shapes(entry.shapes),
        "letters": list(equation.letters),
        "rules": list(equation.rules),
        "proved": equation.proved,
        "no_matrix": equation.no_matrix,
        **recipe(equation),
    }


def plain_view(view: NaiveView) -> dict[str, Any]:
    """Return a wrong way beside the right one as plain data."""
    return {
        "name": view.name,
        "of": view.of,
        "formula": view.formula,
        "right_formula": view.right_formula,
        "value": None if view.value is None else plain_array(view.value),
        "right": plain_array(view.right),
        "why": view.why,
    }


def _list(value: Array) -> Any:
    cells = value.tolist()
    return cells if np.isfinite(value).all() else _named(cells)


def _named(cells: Any) -> Any:
    return [_named(cell) for cell in cells] if isinstance(cells, list) else json_ready(cells)
