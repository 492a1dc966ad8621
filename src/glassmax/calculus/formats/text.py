"""A derivation as text, for a terminal."""

from collections.abc import Iterator
from itertools import product

from ..expression import ONE, ZERO, Definition, Delta, Expr, Index, map_children, walk
from ..indices import for_reading, free_indices, letters, rename
from ..matrix import Matrix, NoMatrixFormError, matrix_form
from ..printing import bracketed, equality, equation_left, matrix_text, numpy_expression, text
from ..result import DerivationResult
from ..simplifying import simplified
from .numpy import known_sizes

__all__ = ["as_text", "cases_of", "matrices_of"]


def as_text(d: DerivationResult, *, cases: bool = False) -> str:
    """Write a derivation for a terminal."""
    lines = ["Understood as"]
    lines += [f"  {equation_left(definition)} = {bracketed(definition.value)}" for definition in d.program.definitions]
    lines += [f"  assuming {equality(pair)}{' (not used)' * (pair in d.unused)}" for pair in d.assumptions]
    before = None
    for step, following in zip(d.steps, [*d.steps[1:], None], strict=True):
        if step.left != before:
            lines += ["", step.left]
            before = step.left
        verdict = "proved" if step.error <= d.tolerance else "FAILED" if step.error == step.error else "not proved yet"
        lines.append(f"  = {text(for_reading(step.expression))}")
        lines.append(f"      {step.rule or 'by definition'}; {verdict} ({step.error:.0e})")
        if cases and (following is None or following.left != step.left):
            lines += [f"      {when}: {text(value)}" for when, value in cases_of(step.expression)]
    lines += ["", f"Result, {d.layout}"]
    lines.append(f"  index form   {d.name} = {d.index_form}")
    lines += [f"    with       {equation_left(n)} = {text(for_reading(n.value))}" for n in d.named]
    if d.matrix is not None:
        lines.append(f"  matrix form  {d.matrix_name} = {d.matrix_form}")
        lines += [f"    with       {n.name} = {matrix_text(m)}" for n in d.named for m in matrices_of(n)]
        lines += [f"    {rule}" for rule in d.matrix_rules]
        lines += [
            f"    {name} is one-hot: {name}[i, c] = delta[{label}_i, c]" for label, name in d.one_hot_used().items()
        ]
    else:
        lines.append(f"  matrix form  none: {d.no_matrix}")
        if len(d.axes) > 2:
            lines.append(f"  NumPy        {numpy_expression(for_reading(d.expression), d.axes, known_sizes(d))}")
    lines += ["", d.verdict]
    return "\n".join(lines)


def matrices_of(definition: Definition) -> list[Matrix]:
    """Return the matrix form of an equation in a list, which is empty if there is none."""
    try:
        return [matrix_form(definition.value, definition.indices, [])]
    except NoMatrixFormError:
        return []


def cases_of(e: Expr) -> Iterator[tuple[str, Expr]]:
    """Yield the cases of the Kronecker deltas of free indices, ``"i = j"`` and ``"i != j"``, with the value in each."""
    free = set(free_indices(e))
    deltas = list(
        dict.fromkeys(
            part for part in walk(e) if isinstance(part, Delta) and {*letters(part.i), *letters(part.j)} <= free
        )
    )
    if not deltas or len(deltas) > 2:
        return
    for choice in product((True, False), repeat=len(deltas)):
        value, when = e, []
        for delta, equal in zip(deltas, choice, strict=True):
            when.append(f"{_index(delta.i)} {'=' if equal else '!='} {_index(delta.j)}")
            value = _put_delta(value, delta, equal)
            if equal and isinstance(delta.i, str) and isinstance(delta.j, str):
                value = rename(value, {delta.j: delta.i})
        yield ", ".join(when), simplified(value)


def _put_delta(e: Expr, delta: Delta, equal: bool) -> Expr:
    if e == delta:
        return ONE if equal else ZERO
    return map_children(e, lambda child: _put_delta(child, delta, equal))


def _index(index: Index) -> str:
    return index if isinstance(index, str) else f"{index.name}_{''.join(index.indices)}"
