"""A derivation as HTML, with its formulas in MathML; every name that came from outside is escaped."""

from collections.abc import Iterator
from html import escape

from ...pages import fragment, mathematics, packaged, page
from ..expression import Definition, Tensor
from ..indices import for_reading
from ..printing import mathml, matrix_mathml
from ..result import DerivationResult
from ..steps import DerivationStep
from .left_side import left_side
from .text import matrices_of

__all__ = ["as_fragment", "as_html", "as_mathml", "derivation_body"]

EQUALS = mathematics.math(mathematics.operator("="))


def as_mathml(d: DerivationResult) -> str:
    """Write the result as MathML."""
    return mathml(for_reading(d.expression)) if d.matrix is None else matrix_mathml(d.matrix)


def as_html(*derivations: DerivationResult) -> str:
    """Write derivations as one HTML page that opens from disk; every name that came from outside is escaped."""
    title = f"Derivation of {', '.join(d.name for d in derivations)}"
    if len(derivations) == 1:
        heading, parts = f"Derivation of {_left(derivations[0].name)}", derivation_body(derivations[0])
    else:
        heading = "Derivations"
        parts = "".join(f"<section><h2>{_left(d.name)}</h2>{derivation_body(d)}</section>" for d in derivations)
    lead = "Each line follows from the line before by the rule beside it, and was checked on random numbers."
    header = f'<header><h1>{heading}</h1><p class="lead">{lead}</p></header>'
    return page(title, f"{header}<main>{parts}</main><footer>Derived by glassmax.</footer>", style=_style())


def as_fragment(d: DerivationResult) -> str:
    """Write a derivation for a notebook; every name that came from outside is escaped."""
    return fragment(derivation_body(d), style=_style())


def _style() -> str:
    return packaged(__package__, "derivation.css")


def derivation_body(d: DerivationResult) -> str:
    """Write a derivation as part of a page that has the style sheet ``derivation.css``."""
    return (
        f'<div class="derivation"><p class="part">Understood as</p>{_given(d)}'
        f'<p class="part">Line by line</p>{_lines(d)}'
        f'<p class="part">Result, {escape(d.layout)}</p>{_result(d)}'
        f'<p class="{"good" if d.proved else "bad"}">{escape(d.verdict)}</p></div>'
    )


def _given(d: DerivationResult) -> str:
    """Write the equations as they were understood, and what was assumed."""
    lines = [_equation(definition) for definition in d.program.definitions]
    for left, right in d.assumptions:
        lines.append((mathml(for_reading(left)), mathml(for_reading(right)), "assumed"))
    unused = f'<p class="quiet">{escape(d.unused_note)}</p>' if d.unused else ""
    return f"{_table(lines)}{unused}"


def _lines(d: DerivationResult) -> str:
    """Write every line: its left side where that is new, its right side, its rule, its check."""
    groups: list[list[DerivationStep]] = []
    for step in d.steps:
        if groups and groups[-1][0].left == step.left:
            groups[-1].append(step)
        else:
            groups.append([step])
    bodies = ["".join(_line(d, step, step is group[0]) for step in group) for group in groups]
    return f'<table class="lines">{"".join(f"<tbody>{body}</tbody>" for body in bodies)}</table>'


def _line(d: DerivationResult, step: DerivationStep, first: bool) -> str:
    holds = step.error <= d.tolerance
    word = "proved" if holds else "FAILED" if step.error == step.error else "not proved yet"
    return (
        f'<tr><td class="left">{_left(step.left) if first else ""}</td><td class="equals">{EQUALS}</td>'
        f'<td class="right">{mathml(for_reading(step.expression))}</td>'
        f'<td class="rule">{escape(step.rule or "by definition")}</td>'
        f'<td class="check {"good" if holds else "bad"}">{word} <span class="number">{step.error:.0e}</span></td></tr>'
    )


def _result(d: DerivationResult) -> str:
    """Write the result in index and in matrix notation, with the parts that were given names."""
    index = [(_left(d.name), mathml(for_reading(d.expression)), ""), *map(_equation, d.named)]
    parts = [f"<div><p>Index form</p>{_table(index)}</div>"]
    if d.matrix is None:
        return f'<div class="result">{parts[0]}</div><p>No matrix form: {escape(d.no_matrix or "")}</p>'
    matrix = [(_left(d.matrix_name), matrix_mathml(d.matrix), "")]
    matrix += [(mathml(Tensor(n.name)), matrix_mathml(m), "") for n in d.named for m in matrices_of(n)]
    notes = [*d.matrix_rules]
    notes += [f"{name} is one-hot: {name}[i, c] = delta[{label}_i, c]" for label, name in d.one_hot_used().items()]
    listed = "".join(f'<p class="quiet small">{escape(note)}</p>' for note in notes)
    parts.append(f"<div><p>Matrix form</p>{_table(matrix)}{listed}</div>")
    return f'<div class="result">{"".join(parts)}</div>'


def _equation(definition: Definition) -> tuple[str, str, str]:
    return mathml(Tensor(definition.name, definition.indices)), mathml(for_reading(definition.value)), ""


def _table(lines: list[tuple[str, str, str]]) -> str:
    """Align equations at their equals signs; a note may follow."""
    rows = "".join(
        f'<tr><td class="left">{left}</td><td class="equals">{EQUALS}</td><td class="right">{right}</td>'
        f'<td class="rule">{note}</td></tr>'
        for left, right, note in lines
    )
    return f'<table class="equations">{rows}</table>'


def _left(left: str) -> str:
    """Write the left side of a line as a fraction."""
    return mathematics.math(*_derivative(left))


def _derivative(left: str) -> Iterator[str]:
    parts = left_side(left)
    if parts is None:
        yield mathematics.words(left)
        return
    partial = mathematics.operator("∂")
    below = mathematics.row(*(partial + _indexed(name) for name in parts.below.split(", ")))
    if parts.summed:
        yield mathematics.total(mathematics.identifier(parts.summed))
    yield mathematics.fraction(partial if parts.nested else mathematics.row(partial, _indexed(parts.above)), below)
    if parts.nested:
        yield mathematics.row(mathematics.operator("("), *_derivative(parts.above), mathematics.operator(")"))
    if parts.rest:
        yield _indexed(parts.rest) if parts.summed else mathematics.words(f"\N{NO-BREAK SPACE}{parts.rest}")


def _indexed(name: str) -> str:
    """Write a name with its indices as the right sides have it."""
    word, _, letters = name.partition("_")
    return _inside(mathml(Tensor(word, tuple(letters))))


def _inside(formula: str) -> str:
    """Return a formula without its ``<math>`` element."""
    return formula[formula.index(">") + 1 : formula.rindex("<")]
