"""The first line of a learner's program that leaves the truth, and what it should read."""

import ast
import time
from collections.abc import Iterator, Sequence

import numpy as np

from ..learners_activations import DERIVATIVES
from .changes import FAMILIES, Scope
from .repairs import Repair, Workshop
from .rerun import Key, Rerun
from .source import Edit, Statement, Unit, units_of

__all__ = ["first_wrong_lines"]

MOST_OPERANDS = 30
ORDER = tuple(FAMILIES)


def first_wrong_lines(rerun: Rerun, hints: Sequence[str], seconds: float) -> list[Repair]:
    """Find the changes, one or two, that make a program right; the first wrong line first, none if nothing was found.

    `hints` are families of changes that are tried first.
    """
    started = time.perf_counter()
    units = units_of(rerun.learner.function)
    if not units:
        return []
    workshop = Workshop(rerun, units, {unit: scope_of(unit, units, rerun) for unit in units}, seconds)
    gradients = rerun.gradients((), workshop.probe)
    if gradients is None:
        return []
    right, _ = rerun.right(gradients, workshop.probe)
    wrong = frozenset(rerun.keys) - right
    families = [*hints, *(family for family in ORDER if family not in hints)]
    partial: list[Repair] = []
    for repair in workshop.repairs(workshop.statements(wrong, (), whole=True), families, (), right):
        if repair.complete:
            return [repair]
        partial.append(repair)
    return []


def scope_of(unit: Unit, units: Sequence[Unit], rerun: Rerun) -> Scope:
    """What may be written into a unit."""
    texts: dict[str, None] = {}
    rows: dict[str, None] = {}
    called = {id(node.func) for node in ast.walk(unit.tree) if isinstance(node, ast.Call)}
    modules = {name for name, value in unit.function.__globals__.items() if type(value).__name__ == "module"}
    arguments = getattr(unit.tree, "args", None)
    for argument in arguments.args if arguments else ():
        texts[argument.arg] = None
    for node in ast.walk(unit.tree):
        if id(node) in called or not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            continue
        text = unit.text(node)
        if len(text) > 40 or text in modules or "\n" in text:
            continue
        if isinstance(node, ast.Call):
            if text.startswith("len("):
                rows[text] = None
        elif text.endswith((".shape[0]", ".shape[1]")):
            rows[text] = None
        elif isinstance(node, ast.Attribute) and (node.attr in ("T", "shape", "size") or text.split(".")[0] in modules):
            continue
        else:
            texts[text] = None
    for name in ("n", "N", "m", "n_samples", "num_examples", "batch", "batch_size", "B", "M"):
        if name in texts:
            rows[name] = None
    p = rerun.passes[0]
    names = [text for text in texts][:MOST_OPERANDS]
    slopes: dict[str, None] = {}
    for f in dict.fromkeys(p.architecture.activations):
        template = DERIVATIVES.get(f, "")
        for text in names:
            if template:
                slopes[template.format(A=text, Z=text)] = None
    weights = [name for name in names if name[-1:].isdigit() or "W" in name or "w" in name]
    l2s = [f"{p.l2:.4g}", *(name for name in names if name.lower() in ("reg", "l2", "lam", "lambd", "lmbda", "decay"))]
    penalties = [f"{l2} * {W}" for l2 in l2s for W in weights] if p.l2 else []
    numpy = next((name for name, value in unit.function.__globals__.items() if value is np), "np")
    first = [name for name in names if name.isidentifier()]
    return Scope(
        operands=tuple(names),
        rows=tuple(rows)[:5],
        slopes=tuple(slopes),
        penalties=tuple(penalties)[:8],
        predictions=tuple(first)[:10],
        targets=tuple(first)[:10],
        biases=tuple(name for name in names if "b" in name.lower())[:6],
        numpy=numpy,
        columns=rerun.layout.columns,
    )
