"""A checked derivation as HTML: each line typeset and marked; a click opens the reason. Every word is escaped."""

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ...pages import fragment, packaged, page
from ..checked import ASSUMED, FOLLOWS, GIVEN, INDICES, LUCK, NOT_READ, WRONG, CheckedLine
from .mathml import equation_mathml, formula_mathml
from .prose import Paragraph, prose
from .wording import reason, shown, verdict_in_words

if TYPE_CHECKING:
    from .checked_derivation import Checked

__all__ = ["as_fragment", "as_html"]

MARKS = {FOLLOWS: "good", ASSUMED: "good", WRONG: "bad", LUCK: "chance", INDICES: "chance"}
MARKS |= {NOT_READ: "quiet", GIVEN: "quiet"}
LONGEST_BESIDE = 34
"""How long a verdict may be to stand whole beside its formula."""
SIGNS = {FOLLOWS: "✓", ASSUMED: "✓", WRONG: "✗", LUCK: "!", INDICES: "!", NOT_READ: "?", GIVEN: ""}


def as_html(checked: "Checked") -> str:
    """Write a page that opens from disk and runs no script."""
    lead = "Each formula was compared with the exact derivative on random numbers. Open a line for its reason."
    header = f'<header><h1>A derivation, checked</h1><p class="lead">{lead}</p></header>'
    body = f"{header}<main>{_body(checked)}</main><footer>Checked by glassmax.</footer>"
    return page("A derivation, checked", body, style=_style())


def as_fragment(checked: "Checked") -> str:
    """Write a checked derivation for a notebook."""
    return fragment(_body(checked), style=_style())


def _style() -> str:
    ours = packaged("glassmax.calculus.formats", "derivation.css")
    return ours + packaged(__package__, "checked_derivation.css")


def _body(checked: "Checked") -> str:
    """Write the count, the lines with the words between them, what is missing to the goal, and how it was read."""
    lines = checked.lines
    wrong = next((line for line in lines if line.verdict == WRONG), None)
    count = escape(checked.summary)
    if wrong is not None:
        count = count.replace(f"line {wrong.number}.", f'<a href="#first-wrong">line {wrong.number}</a>.')
    parts = [f'<p class="count">{count}</p>']
    shown = [(line.number, _line(line, ' id="first-wrong"' if line is wrong else "")) for line in lines]
    between = [(paragraph.number, _paragraph(paragraph)) for paragraph in prose(checked.source)] if lines else []
    inside = sorted([*between, *shown], key=lambda part: part[0])  # words before the formulas of the same line
    parts.append(f"<ol>{''.join(html for _, html in inside)}</ol>")
    if checked.goal:
        parts.append(f'<p class="part">Goal</p><p>{escape(_sentence(checked.goal))}</p>')
    if checked.missing:
        listed = "".join(f"<li>{_typeset(line.sides, line.formula)}</li>" for line in checked.missing)
        parts.append(f'<ul class="missing">{listed}</ul>')
    if checked.notes:
        listed = "".join(f"<li>{escape(note)}</li>" for note in checked.notes)
        parts.append(f'<p class="part">How the text was read</p><ul class="notes">{listed}</ul>')
    return f'<div class="checked">{"".join(parts)}</div>'


def _paragraph(paragraph: Paragraph) -> str:
    tag = "h3" if paragraph.is_heading else "p"
    return f'<li class="words"><{tag}>{escape(paragraph.words)}</{tag}></li>'


def _line(line: CheckedLine, place: str) -> str:
    kind, more = MARKS[line.verdict], _more(line)
    said = verdict_in_words(line)
    beside = said if len(said) <= LONGEST_BESIDE else line.verdict
    continued = " continued" if line.formula.startswith("=") else ""
    shown = (
        f'<span class="place">{line.number}</span><span class="formula{continued}">{_formula(line)}</span>'
        f'<span class="verdict {kind}"><span class="sign">{SIGNS[line.verdict]}</span>{escape(beside)}</span>'
    )
    if not more:
        return f'<li class="is-{kind}"{place}><div class="row">{shown}</div></li>'
    is_open = " open" if MARKS[line.verdict] in ("bad", "chance") else ""
    return (
        f'<li class="is-{kind}"{place}><details{is_open}><summary class="row">{shown}</summary>'
        f'<div class="more">{more}</div></details></li>'
    )


def _formula(line: CheckedLine) -> str:
    when = "" if line.condition is None else f'<span class="when">if {formula_mathml(line.condition)}</span>'
    return _typeset(line.sides, shown(line)) + when


def _typeset(sides: Sequence[object], text: str) -> str:
    if sides:
        return equation_mathml(sides)  # type: ignore[arg-type]
    return f"<code>{escape(text)}</code>"


def _more(line: CheckedLine) -> str:
    """Write what a click opens: the reason, the line as it should read, our derivation."""
    said, parts = reason(line), []
    if len(verdict_in_words(line)) > LONGEST_BESIDE:
        parts.append(f"<p>{escape(_sentence(said))}</p>")
    if line.write:
        proof = ' <span class="good">proved</span>' if line.proved else ""
        formula = _typeset(line.write_sides, line.write)
        parts.append(f'<p class="write"><span class="label">write</span> {formula}{proof}</p>')
    if line.ours:
        parts.append(f'<details class="ours"><summary>How glassmax derives it</summary>{line.ours}</details>')
    return "".join(parts)


def _sentence(said: str) -> str:
    """Begin with a capital unless the first word is a formula, whose letters keep their case; end with a full stop."""
    word = re.match(r"[a-z]{2,}(?![^\s,:])|a (?!is |has |must |stands |was )", said)
    return f"{said[0].upper() if word else said[:1]}{said[1:]}."
