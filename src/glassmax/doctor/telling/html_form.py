"""A diagnosis as HTML for a notebook; every word is escaped."""

from html import escape
from typing import TYPE_CHECKING

from ...pages import fragment, packaged

if TYPE_CHECKING:
    from .diagnosis import Diagnosis, Finding, ParameterCheck

__all__ = ["html_form"]


def html_form(diagnosis: "Diagnosis") -> str:
    """Write a diagnosis: the verdict, the findings, the assumptions, the error of each parameter's gradient."""
    kind = "good" if diagnosis.correct else "bad"
    first = f": the first error is in <code>{escape(diagnosis.first_wrong)}</code>" if diagnosis.first_wrong else ""
    parts = [f'<p class="verdict {kind}"><b>{escape(diagnosis.verdict)}</b>{first}</p>']
    if diagnosis.findings:
        parts.append("<ol>" + "".join(map(_finding, diagnosis.findings)) + "</ol>")
    if diagnosis.conventions:
        parts.append("<ul>" + "".join(f"<li>{escape(words)}</li>" for words in diagnosis.conventions) + "</ul>")
    shown = diagnosis.shown()
    if shown:
        parts.append(_checks(shown, len(diagnosis.lines) - len(shown)))
    return fragment(f'<div class="diagnosis">{"".join(parts)}</div>', style=packaged(__package__, "diagnosis.css"))


def _finding(finding: "Finding") -> str:
    where = f" at <code>{escape(finding.where)}</code>" if finding.where else ""
    rows = "".join(f"<dt>{escape(heading)}</dt><dd>{_words(heading, words)}</dd>" for heading, words in finding.rows())
    return (
        f"<li><p><b>{escape(finding.cause)}</b>{where}: {escape(finding.sentence())}</p>"
        f"{f'<dl>{rows}</dl>' if rows else ''}</li>"
    )


def _words(heading: str, words: str) -> str:
    return f"<pre>{escape(words)}</pre>" if heading == "write" or heading.startswith("line ") else escape(words)


def _checks(shown: "list[ParameterCheck]", others: int) -> str:
    rows = "".join(
        f'<tr><td><code>{escape(check.name)}</code></td><td class="number quiet">{escape(str(check.shape))}</td>'
        f'<td class="{"good" if check.correct else "bad"}">{check.verdict}</td>'
        f'<td class="number">{escape(check.size())}</td></tr>'
        for check in shown
    )
    more = f'<p class="quiet">and {others} more</p>' if others else ""
    head = '<tr><th>gradient of</th><th class="number">shape</th><th></th><th class="number">relative error</th></tr>'
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>{more}'
