"""The wrong lines of the learner's own program, told in the findings: the line, what it should read, what was right.

Whatever is shown here is in the learner's names, layout and style.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from textwrap import dedent

from ..lines.hints import Ask, ask
from ..lines.program import WrongLine
from ..reading.layout import Layout
from .diagnosis import Diagnosis, Finding
from .memory_lines import CAUSES_OF_MEMORY

__all__ = ["asks_of", "with_lines"]

MOST_NAMES = 6


def asks_of(findings: Sequence[Finding], layout: Layout) -> list[Ask]:
    """What to ask the learner's program for, one question for each finding."""
    keys = {role.name: f"d{role.kind}{role.layer}" for role in layout.roles}
    asks = []
    for finding in findings:
        nodes = [finding.where] if re.fullmatch(r"d[ZA]\d+", finding.where) else []
        nodes += [keys[name] for name in finding.parameters if name in keys] if not nodes else []
        asks.append(ask(finding.cause, nodes))
    return asks


def with_lines(
    diagnosis: Diagnosis, asks: Sequence[Ask], lines: Sequence[WrongLine], layout: Layout, n: int
) -> Diagnosis:
    """Give each finding the line where its mistake is made.

    `asks` are the questions of the findings, in their order, and `n` is the number of samples.
    """
    names = {(role.kind, role.layer): role.name for role in layout.roles}
    findings = list(diagnosis.findings)
    told: dict[int, list[WrongLine]] = {}
    for line in lines:
        mended = {names[key] for key in line.mended if key in names}
        of_ask = next((at for at, ask in enumerate(asks) if ask is line.ask), None)
        at = _finding_of(findings, mended, told) if of_ask is None else of_ask
        if at is not None:
            told.setdefault(at, []).append(line)
    for at, of_finding in told.items():
        if of_finding[0].write or findings[at].cause not in CAUSES_OF_MEMORY:
            findings[at] = _told(findings[at], of_finding, layout, n)
    return replace(diagnosis, findings=tuple(findings))


def _finding_of(findings: Sequence[Finding], mended: set[str], told: Mapping[int, Sequence[WrongLine]]) -> int | None:
    """The finding whose gradients a line mends: the first that has no line yet, or else the first."""
    fitting = [at for at, finding in enumerate(findings) if mended & {*finding.parameters}]
    free = [at for at in fitting if at not in told]
    return next(iter(free or fitting), None)


def _told(finding: Finding, lines: Sequence[WrongLine], layout: Layout, n: int) -> Finding:
    first = lines[0]
    known = [(name, told, at) for name, told, at in first.names if told != name]
    return replace(
        finding,
        line_number=first.line,
        statement=_unindented(first.statement),
        write=_unindented(first.write),
        cell=finding.cell if layout.columns else _in_own_names(finding.cell, first, n),
        right_so_far=tuple(f"{name} is {told} (line {at})" for name, told, at in known[:MOST_NAMES]),
        other_lines=tuple((line.line, _unindented(line.statement), _unindented(line.write)) for line in lines[1:]),
    )


def _unindented(text: str) -> str:
    """A statement of several lines, each as far to the left as the first."""
    first, newline, rest = text.partition("\n")
    return first + newline + dedent(rest) if newline else first


def _in_own_names(cell: str, line: WrongLine, n: int) -> str:
    """The cell's terms in the learner's names: A1[i, 7] is O_1[i, 7], dZ2[i, 0] is dL_by_dS[i, 0] / 5."""
    for name, told, _ in line.names:
        if re.fullmatch(r"A\d+|X", told):
            cell = re.sub(rf"\b{told}\[", lambda _, name=name: f"{name}[", cell)  # type: ignore[misc]
        multiple = re.fullmatch(r"(?:([\d.]+) )?(dZ\d+)", told)
        if multiple:
            divisor = f" / {multiple[1]}" if multiple[1] else ""
            cell = re.sub(rf"\b{multiple[2]}(\[[^\]]*\])", lambda m, name=name, d=divisor: f"{name}{m[1]}{d}", cell)  # type: ignore[misc]
    return cell
