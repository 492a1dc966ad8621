"""`judge`: the statements of a derivation in, a verdict for each out."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from ..checked import FOLLOWS, GIVEN, INDICES, NOT_READ, WRONG, CheckedLine
from ..document import Statement
from ..formula.tree import Derivative, Node, Number
from ..formula.write import write
from ..mistakes.effort import Effort
from ..numbers import Context
from .assumptions import is_assumption, stated_assumptions, usual_assumptions
from .chains import Step, steps_of
from .definitions import faulty_definition
from .document import Document, known_names
from .lines import Line, lines_of
from .notes import notes_of
from .programs import as_code, remarks_of
from .readings import best_reading
from .reasons import reason_of
from .scopes import scopes_of
from .updates import update_of
from .verdict import Verdict, verdict_of

__all__ = ["Judgement", "judge"]

STEPS = 60_000
"""The steps of all searches of one set of definitions: two to three seconds of processor time."""
STEPS_A_LINE = 16_000
"""The most steps for one line."""
STEPS_KEPT = 1_000
"""The steps that are kept for each line that is still to come."""


class Judgement(NamedTuple):
    """The lines with their verdicts, how the document was read, in sentences, and the reading itself."""

    lines: list[CheckedLine]
    notes: tuple[str, ...] = ()
    context: Context | None = None


def judge(statements: Sequence[Statement]) -> Judgement:
    """Judge each statement of a derivation.

    Parameters
    ----------
    statements : sequence of Statement
        What `document.statements_of` found.

    Returns
    -------
    Judgement
        A line for each statement, in their order, and how the document was read.
    """
    scopes = scopes_of(statements)
    judged = [_judged(visible) for visible, _ in scopes]
    lines = [line for one, (_, earlier) in zip(judged, scopes, strict=True) for line in one.lines[earlier:]]
    notes = tuple(dict.fromkeys(note for one in judged for note in one.notes))
    return Judgement(lines, notes, judged[-1].context)


def _judged(statements: Sequence[Statement]) -> Judgement:
    """Judge statements with one set of definitions."""
    lines, context = best_reading(lines_of(statements))
    if context is None:
        return Judgement([_unread(line, line.fault) for line in lines])
    effort = Effort(STEPS)
    equations = [line.equation for line in lines if line.equation is not None]
    formulas = tuple(side for equation in equations for side in equation.sides if side is not None)
    document = Document(
        context,
        tuple(equations),
        formulas,
        stated_assumptions(equations, context),
        usual_assumptions(formulas, context),
        known_names(equations, context),
    )
    remarks = _remarks(lines)
    wrong: dict[int, int] = {}
    checked = []
    for at, (line, steps) in enumerate(zip(lines, steps_of(lines, context), strict=True)):
        if line.equation is None:
            checked.append(_unread(line, line.fault))
            continue
        kept = STEPS_KEPT * (len(lines) - at - 1)
        part = effort.share(min(STEPS_A_LINE, max(STEPS_KEPT, effort.left - kept)))
        found, step = _worst(line, steps, document, wrong, part)
        effort.give_back(part)
        found = _with_remark(found, remarks.get(at))
        if found.verdict == WRONG or (found.verdict == FOLLOWS and "which is wrong" in found.says):
            wrong[at] = line.statement.line
        checked.append(_checked(line, found, step))
    return Judgement(checked, notes_of(formulas, context), context)


def _worst(
    line: Line, steps: Sequence[Step], document: Document, wrong: dict[int, int], effort: Effort
) -> tuple[Verdict, Step | None]:
    """Judge the steps of a line up to the first that is wrong."""
    assert line.equation is not None
    if is_assumption(line.equation) and not _holds(steps, line, document):
        return Verdict(GIVEN), None
    if not steps:
        return Verdict(NOT_READ, says="no line with a left side stands before it"), None
    worst: Verdict | None = None
    place = steps[0]
    for at, step in enumerate(steps):
        if at == 0 and document.context.is_given(line.equation):
            faulty = faulty_definition(step.left, step.right, document)
            if faulty is not None:
                return faulty, step
            worst = Verdict(GIVEN)
            continue
        if at and isinstance(step.left, Derivative) and step.right == Number(Fraction(0)):
            continue  # the gradient is set to zero: a condition, no claim
        condition, before = line.equation.condition, wrong.get(step.before_line, 0)
        found = update_of(step.left, step.right, document) if step.own_left else None
        found = found or verdict_of(step, condition, document, before)
        if found is None:
            found = reason_of(step, condition, document, effort)
            if before:
                follows = document.agrees(step.before, step.right, condition)
                found = replace(found, follows_before=follows)
        if found.verdict == WRONG:
            return found, step
        if worst is None or RANK.index(found.verdict) > RANK.index(worst.verdict):
            worst, place = found, step
    assert worst is not None
    return worst, place


def _remarks(lines: Sequence[Line]) -> dict[int, tuple[str, str]]:
    """Return the mistakes of memory and order in the lines of code, by the position of the line."""
    code = [at for at, line in enumerate(lines) if line.statement.code]
    found = remarks_of([lines[at].statement.source for at in code])
    return {code[at]: remark for at, remark in found.items()}


def _with_remark(found: Verdict, remark: tuple[str, str] | None) -> Verdict:
    """Return the verdict of a line of code, with what its formula does not show."""
    if remark is None or found.verdict == WRONG:
        return found
    cause, says = remark
    if cause == "in_place":
        return replace(found, cause=cause, says=f"{found.says}; {says}" if found.says else says)
    return Verdict(WRONG, cause, says)


RANK = (GIVEN, FOLLOWS, "follows, if", "right by luck", INDICES, NOT_READ, WRONG)


def _holds(steps: Sequence[Step], line: Line, document: Document) -> bool:
    assert line.equation is not None
    return all(document.agrees(step.left, step.right, line.equation.condition) for step in steps)


def _unread(line: Line, reason: str) -> CheckedLine:
    statement = line.statement
    return CheckedLine(statement.line, statement.source, " ".join(statement.source.split()), NOT_READ, says=reason)


def _checked(line: Line, found: Verdict, step: Step | None) -> CheckedLine:
    assert line.equation is not None
    sides, source, code = line.equation.sides, line.statement.source, line.statement.code
    corrected: tuple[Node | None, ...] = ()
    if found.equation is not None and step is not None:
        corrected = (found.equation.left if step.own_left else None, found.equation.right)
    return CheckedLine(
        number=line.statement.line,
        source=source,
        formula=source if code else _written(line.sides or sides, latex=False),
        verdict=found.verdict,
        cause=found.cause,
        says=found.says,
        write=_written_code(corrected) if code else _written(corrected, latex=False),
        write_latex="" if code else _written(corrected, latex=True),
        proved=bool(corrected) and found.proved,
        follows_before=found.follows_before,
        notation=found.notation,
        sides=line.sides or sides,
        write_sides=corrected,
        condition=line.equation.condition,
    )


def _written(sides: Sequence[Node | None], *, latex: bool) -> str:
    return " = ".join("" if side is None else write(side, latex=latex) for side in sides).strip()


def _written_code(sides: Sequence[Node | None]) -> str:
    return " = ".join("" if side is None else as_code(side) for side in sides)
