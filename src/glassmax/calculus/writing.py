"""How a derivation looks: text, Markdown, LaTeX, HTML with MathML, JSON, NumPy source."""

import re
from collections.abc import Collection, Iterator
from html import escape
from itertools import product
from typing import TYPE_CHECKING, Any

from .draw import tie_program
from .evaluate import KNOWN_FUNCTIONS
from .expression import (
    ONE,
    PI,
    ZERO,
    Call,
    Definition,
    Delta,
    Expr,
    Label,
    Tensor,
    for_reading,
    free_indices,
    is_ones,
    map_children,
    names,
    rename,
    walk,
)
from .matrix_form import NoMatrixFormError, matrix_form
from .printing import bracketed, latex, mathml, matrix_latex, matrix_mathml, matrix_text, text
from .printing.numpy_code import matrix_numpy, needed_helpers, numpy_expression, python_name
from .printing.numpy_pieces import function_name
from .terms import simplified

if TYPE_CHECKING:
    from .derivation import Derivation
    from .matrices import Matrix

__all__ = ["NumpyCode", "as_html", "as_json", "as_latex", "as_markdown", "as_numpy", "as_text", "cases_of"]


class NumpyCode(str):
    r"""Source of one Python function, and the function itself: print it, or call it with the arrays by name.

    Examples
    --------
    >>> code = NumpyCode("def f(x):\n    return 2 * x\n")
    >>> code(x=3)
    6
    """

    def __call__(self, **arrays: Any) -> Any:
        """Run the function on arrays given by name."""
        scope: dict[str, Any] = {}
        exec(str(self), scope)  # our own source, made from checked names
        last = re.findall(r"^def (\w+)\(", self, re.M)[-1]
        return scope[last](**arrays)


def as_text(d: "Derivation", *, cases: bool = False) -> str:
    """Write a derivation for a terminal."""
    lines = ["Understood as"]
    lines += [f"  {_left(definition)} = {bracketed(definition.value)}" for definition in d.program.definitions]
    lines += [f"  assuming {text(left)} = {text(right)}" for left, right in d.assumptions]
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
    lines += [f"    with       {_left(n)} = {text(for_reading(n.value))}" for n in d.named]
    if d.matrix is not None:
        lines.append(f"  matrix form  {d.matrix_name} = {d.matrix_form}")
        lines += [f"    with       {n.name} = {matrix_text(m)}" for n in d.named for m in _matrix_of(n)]
        lines += [f"    {rule}" for rule in d.matrix_rules]
        lines += [
            f"    {name} is one-hot: {name}[i, c] = delta[{label}_i, c]" for label, name in d.one_hot_used().items()
        ]
    else:
        lines.append(f"  matrix form  none: {d.no_matrix}")
        if len(d.axes) > 2:
            lines.append(f"  NumPy        {numpy_expression(for_reading(d.expression), d.axes, _known_sizes(d))}")
    lines += ["", d.verdict]
    return "\n".join(lines)


def _matrix_of(definition: Definition) -> "list[Matrix]":
    try:
        return [matrix_form(definition.value, definition.indices, [])]
    except NoMatrixFormError:
        return []


def cases_of(e: Expr) -> Iterator[tuple[str, Expr]]:
    """Yield the cases of the Kronecker deltas of free indices: equal, and not equal.

    Parameters
    ----------
    e : Expr

    Yields
    ------
    when : str
        ``"i = j"``, ``"i != j"``.
    value : Expr
        What `e` is then.
    """
    free = set(free_indices(e))
    deltas = list(dict.fromkeys(part for part in walk(e) if isinstance(part, Delta) and set(_letters(part)) <= free))
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


def _letters(delta: Delta) -> tuple[str, ...]:
    return tuple(x for index in (delta.i, delta.j) for x in (index.indices if isinstance(index, Label) else (index,)))


def _index(index: "str | Label") -> str:
    return index if isinstance(index, str) else f"{index.name}_{''.join(index.indices)}"


def _left(definition: Definition) -> str:
    return text(Tensor(definition.name, definition.indices))


def as_markdown(d: "Derivation") -> str:
    """Write a derivation as Markdown, with formulas in LaTeX between dollars."""
    lines = [f"**{d.name}**, {d.layout}", ""]
    lines += [
        f"- $\\displaystyle {_latex_left(step.left)} = {latex(for_reading(step.expression))}$ ({step.rule})"
        for step in d.steps
    ]
    lines += ["", f"Index form: ${latex(for_reading(d.expression))}$", ""]
    if d.matrix is not None:
        lines += [f"Matrix form: ${matrix_latex(d.matrix)}$", ""]
    return "\n".join([*lines, d.verdict])


def as_latex(d: "Derivation", *, steps: bool = False) -> str:
    """Write the result, or every line, as LaTeX."""
    if not steps:
        return matrix_latex(d.matrix) if d.matrix is not None else latex(for_reading(d.expression))
    rows = [
        f"{_latex_left(s.left)} &= {latex(for_reading(s.expression))} && \\text{{{_tex(s.rule)}}} \\\\" for s in d.steps
    ]
    return "\\begin{aligned}\n" + "\n".join(rows) + "\n\\end{aligned}"


def _latex_left(left: str) -> str:
    """Write dL/dz_i as a fraction."""
    above, _, below = left.partition("/d")
    if not below:
        return f"\\text{{{_tex(left)}}}"

    def indexed(name: str) -> str:
        word, _, letters = name.partition("_")
        return f"{word}_{{{letters}}}" if letters else word

    return f"\\frac{{\\partial {indexed(above.removeprefix('d'))}}}{{\\partial {indexed(below)}}}"


def _tex(words: str) -> str:
    return re.sub(r"([_^&%#$])", r"\\\1", words)


def as_html(d: "Derivation") -> str:
    """Write a derivation as HTML with MathML; every name that came from outside is escaped."""
    rows = []
    before = None
    for step in d.steps:
        left = escape(step.left) if step.left != before else ""
        before = step.left
        rows.append(
            f"<tr><td><code>{left}</code></td><td>=</td><td>{mathml(for_reading(step.expression))}</td>"
            f"<td>{escape(step.rule)}</td><td>{step.error:.0e}</td></tr>"
        )
    shown = matrix_mathml(d.matrix) if d.matrix is not None else escape(d.no_matrix or "")
    return (
        f"<div class='glassmax-derivation'><table>{''.join(rows)}</table>"
        f"<p>{escape(d.name)} = {mathml(for_reading(d.expression))}</p><p>{escape(d.matrix_name)} = {shown}</p>"
        f"<p>{escape(d.verdict)}</p></div>"
    )


def as_json(d: "Derivation") -> dict[str, Any]:
    """Return a derivation as plain data."""
    return {
        "of": d.of,
        "wrt": [name for name, _ in d.wrt],
        "layout": d.layout,
        "equations": [f"{_left(n)} = {text(n.value)}" for n in d.program.definitions],
        "assumptions": [f"{text(left)} = {text(right)}" for left, right in d.assumptions],
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


def as_numpy(d: "Derivation") -> NumpyCode:
    """Write the result as a Python function of the equations' inputs."""
    needed = names(d.expression)
    definitions: list[Definition] = []
    for definition in reversed(d.full_program.definitions):
        if definition.name in needed and "/" not in definition.name:
            definitions.insert(0, definition)
            needed |= names(definition.value)
    bodies = [d.expression, *(x.value for x in definitions)]
    constants = {"pi"} if any(PI in walk(e) for e in bodies) else set()
    parameters = sorted(
        n for n in needed if not n.startswith("1:") and n not in {x.name for x in definitions} and n not in constants
    )
    needed_for_size = [n for n in d.size_arrays() if n not in parameters and n not in {x.name for x in definitions}]
    there = {*parameters, *needed_for_size, *(x.name for x in definitions)}
    parameters = [python_name(n) for n in [*parameters, *needed_for_size]]
    opened = sorted({function_name(f, o) for e in bodies for f, o in _open_functions(e)})
    lines = ["import numpy as np", ""]
    helpers = "\n".join(dict.fromkeys(h for e in bodies for h in [needed_helpers(for_reading(e))] if h))
    if helpers:
        lines += [helpers.rstrip(), ""]
    function = re.sub(r"\W", "_", f"d{d.of}_d{'_d'.join(name for name, _ in d.wrt)}")
    lines += ["", f"def {function}({', '.join([*parameters, *opened])}):", f'    """{d.name}, {d.layout}."""']
    lines += ["    pi = np.pi"] if constants else []
    lines += [f"    {python_name(x.name)} = {_code(x.value, x.indices, {})}" for x in definitions]
    lines += [f"    {name} = np.eye({_classes(d, label)})[{label}]" for label, name in d.one_hot_used().items()]
    along = sorted({n for e in bodies for n in names(e) if n.startswith("1:")})
    lines += [f"    {_ones_name(n)} = np.ones({_ones_size(n)})" for n in along]
    lines.append(f"    return {_result_code(d, there)}")
    return NumpyCode("\n".join(lines) + "\n")


def _result_code(d: "Derivation", there: Collection[str]) -> str:
    sizes = _known_sizes(d, there)
    if d.matrix is not None:
        try:
            return matrix_numpy(d.matrix, sizes)
        except ValueError:
            pass
    return numpy_expression(_with_ones_named(d.expression), d.axes, sizes)


def _ones_name(name: str) -> str:
    _, array, position = name.split(":")
    return f"ones_{python_name(array)}_{position}"


def _ones_size(name: str) -> str:
    _, array, position = name.split(":")
    return f"{python_name(array)}.shape[{position}]"


def _with_ones_named(e: Expr) -> Expr:
    if is_ones(e) and isinstance(e, Tensor):
        return Tensor(_ones_name(e.name), e.indices)
    return map_children(e, _with_ones_named)


def _code(e: Expr, axes: tuple[str, ...], sizes: dict[str, str]) -> str:
    """Write a definition's right side, in matrix notation where it has one."""
    if len(axes) <= 2:
        try:
            return matrix_numpy(matrix_form(e, axes, []), sizes)
        except (NoMatrixFormError, ValueError):
            pass
    return numpy_expression(e, axes, sizes)


def _known_sizes(d: "Derivation", there: Collection[str] | None = None) -> dict[str, str]:
    """Return code for the sizes of the result's letters, read off arrays that are `there` (all, by default)."""
    places, arity = tie_program(d.full_program, [side for pair in d.assumptions for side in pair])
    found: dict[str, str] = {}
    for name, letters in d.cells():
        for position, letter in enumerate(letters):
            root, where = places.root((name, position)), (name, position)
            if there is not None and name not in there:
                others = ((n, p) for n in sorted(there) for p in range(arity.get(n, 0)))
                where = next((other for other in others if places.root(other) == root), where)
            found[letter] = f"{python_name(where[0])}.shape[{where[1]}]"
    return found


def _classes(d: "Derivation", label: str) -> str:
    for definition in d.full_program.definitions:
        for part in walk(definition.value):
            if isinstance(part, Tensor):
                for position, index in enumerate(part.indices):
                    if isinstance(index, Label) and index.name == label:
                        return f"{python_name(part.name)}.shape[{position}]"
    return "int(" + label + ".max()) + 1"


def _open_functions(e: Expr) -> Iterator[tuple[str, int]]:
    for part in walk(e):
        if isinstance(part, Call) and part.function not in KNOWN_FUNCTIONS:
            yield part.function, part.order
