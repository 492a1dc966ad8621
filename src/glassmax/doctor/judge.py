"""The verdict: from the learner's gradients and a reading of the problem to a diagnosis.

Tolerances come from what is measured: first rounding in float64; then, if nothing explains the rest, what a shorter
precision, finite differences or an epsilon in a logarithm leave. A fault that explains the numbers to rounding wins
over a tolerance that would swallow it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .case import FINE, Case, Errors, relative_errors
from .exact_pass import Pass
from .findings import NEVER_FILLED, finding_of_forward, finding_of_mistake, finding_of_no_gradients, located, order_of
from .learners_activations import KINKED
from .lines.named_causes import node_of
from .lines.program import Program, WrongLine
from .mistakes.causes import BIASES, CAUSES, FUNCTION, NOT_IN_CATALOGUE, PENALTY, PRODUCTS
from .mistakes.forward_pass import other_forward
from .mistakes.placed import PlacedMistake
from .mistakes.shapes import misshapen
from .mistakes.update import returned_parameters
from .search.evidence import Evidence
from .search.explanations import Explanation, conventional, distinct, explain
from .telling.conventions import conventions_of, said_factor
from .telling.diagnosis import CORRECT, OTHERWISE_CORRECT, WRONG, Diagnosis, Finding, ParameterCheck

__all__ = ["UNREADABLE", "Judgement", "judge", "named_by_lines", "with_findings"]

COARSE, SINGLE = 3e-5, 1e-3
"""The relative errors that are no fault in float64 and in float32."""
FAR_BETTER = 30
"""How many times closer an explanation must be that is judged by a tolerance above `FINE`."""
NEAR = 0.25
"""The additional cost up to which an explanation is reported as indistinguishable."""
PLAIN, UNREADABLE = 1.5, 9.0
"""The costs of a diagnosis without a search: of arrays that are no gradients, and of no arrays at all."""


@dataclass(frozen=True)
class Judgement:
    """A diagnosis, what its explanation costs, and how far right gradients are from the exact ones.

    `program` is the learner's function with what its lines did, if there is one, and `case` what was judged.
    """

    diagnosis: Diagnosis
    cost: float
    deviation: float = 0.0
    program: Program | None = None
    case: Case | None = None


def judge(case: Case) -> Judgement:
    """Judge the learner's gradients.

    The order of the questions matters: each is asked only where all before it were answered with no.
    """
    own, *others = (max(errors.values()) for errors in case.judged)
    worst = max([own, *others])
    largest = SINGLE if case.single_precision else COARSE

    # Exact?
    if worst <= FINE / 10:
        return _right(case, worst)
    # Exact but for a derivative at 0, where another convention holds?
    kink = _errors_at_kink(case)
    if kink is not None and max([*kink.values(), *others]) <= COARSE:
        return _right(case, worst, _kink(case))
    # No gradients? The search would explain the parameters themselves by a pair of mistakes.
    if worst > COARSE and (says := returned_parameters(case.passes, case.gradients)):
        return _plainly_wrong(case, finding_of_no_gradients(case, says))

    small = not case.single_precision and worst <= COARSE
    tolerances = [SINGLE] if case.single_precision else [FINE, COARSE]
    for tolerance in tolerances:
        # Within what this tolerance forgives? FINE is also that of the search, so it forgives a tenth of it.
        if worst <= (tolerance if tolerance > FINE else tolerance / 10):
            return _right(case, worst)
        thorough = tolerance == tolerances[0] and worst > COARSE and not misshapen(case.passes[0], case.gradients[0])
        explanations = _explanations(case, tolerance, thorough, small)
        best = explanations[0]
        far_better = best.complete and best.residual < worst / FAR_BETTER
        # Nothing wrong but what the search forgives, or a small deviation that is no penalty's?
        if not best.mistakes or (small and not (far_better and _of_the_penalty(best))):
            return _right(case, worst)
        # Explained: to rounding, or far better than the deviation is large?
        if far_better or (best.complete and tolerance == FINE):
            return _wrong(case, explanations)
        # The exact gradients of another forward pass?
        if not best.complete and worst > COARSE:
            forward = other_forward(case.passes, case.gradients, tolerance)
            if forward is not None:
                return _plainly_wrong(case, finding_of_forward(case, forward))
    # Unexplained, and right on the learner's own data?
    if own <= largest:
        return _right(case, own)
    # Unexplained, and right on all other data, while theirs are so near to a kink that a step leads across it?
    nearest = min(_distances_to_kink(case.passes[0]).values(), default=np.inf)
    if others and nearest < 1e-3 and max(others) <= COARSE:
        return _right(case, worst, _kink(case))
    return _wrong(case, explanations)


def _of_the_penalty(explanation: Explanation) -> bool:
    """Whether all is about the penalty, which alone may be so small: a wrong step makes no deviation of 1e-5."""
    return all(CAUSES[mistake.cause].group == PENALTY for mistake in explanation.mistakes)


def _explanations(case: Case, tolerance: float, thorough: bool, small: bool) -> list[Explanation]:
    """Explain all probes; failing that those with the learner's number of rows; failing that their own data."""
    own = [0]
    same = [i for i, same in enumerate(case.same_rows) if same]
    everything = list(range(len(case.passes)))
    tried: list[list[Explanation]] = []
    asked: list[list[int]] = []
    choices = [everything] if small else [everything, same, own] if tolerance == FINE else [everything, own]
    for chosen in choices:
        if chosen in asked:
            continue
        asked.append(chosen)
        order = sorted(chosen, key=lambda i: _telling(case.passes[i]), reverse=True)
        evidence = Evidence([case.passes[i] for i in order], [case.gradients[i] for i in order], tolerance)
        evidence.thorough = thorough and (not tried or tried[0][0].complete)
        found = explain(evidence, case.problem.given.declared)
        sure = len(chosen) > 1 or len(everything) == 1 or found[0].cost < 2.5
        if found[0].complete and sure and not (chosen is everything and _written_out(found[0], case.passes[0].n)):
            return found
        tried.append(found)
    return min(tried, key=lambda found: found[0].cost)


def _written_out(explanation: Explanation, n: int) -> bool:
    """Whether a factor is 1 for the learner's own number of rows: they wrote that number into their code."""
    constants = [mistake.constant for mistake in explanation.mistakes if mistake.constant and mistake.constant.power]
    return any(abs(constant.multiple * n**constant.power - 1) < 1e-6 for constant in constants)


def _telling(p: Pass) -> tuple[bool, int]:
    """Few rows are quick, but not so few that mistakes coincide."""
    return (p.n >= 3, -p.n if p.n >= 3 else p.n)


# correct


def _right(case: Case, worst: float, *findings: Finding) -> Judgement:
    deviation = worst if not findings and worst > FINE / 10 else 0.0
    if deviation and case.single_precision:
        findings = (_single_precision(worst),)
    said = conventions_of(case.problem)
    return Judgement(Diagnosis(CORRECT, findings, None, said, _lines(case, everything=True)), 0.0, deviation)


def _single_precision(worst: float) -> Finding:
    says = f"the gradients are float32 and differ from the exact ones by {worst:.0e}: that is rounding, not a mistake"
    return Finding("float32", "", says=says, evidence={"error_before": worst})


def _distances_to_kink(p: Pass) -> dict[int, float]:
    """The smallest |Z| of each layer whose activation has a kink at 0."""
    return {layer: float(np.abs(p.Z[layer]).min()) for layer in range(1, p.depth) if p.f(layer) in KINKED}


def _errors_at_kink(case: Case) -> Errors | None:
    """The errors under another convention at a kink, if some Z is exactly 0."""
    if 0 not in _distances_to_kink(case.passes[0]).values():
        return None
    tried = [relative_errors(case.problem.own_pass(at_kink), case.gradients[0]) for at_kink in (1.0, 0.5)]
    return min(tried, key=lambda errors: max(errors.values()))


def _kink(case: Case) -> Finding:
    p = case.passes[0]
    distances = _distances_to_kink(p)
    layer = min(distances, key=lambda layer: distances[layer])
    cell = tuple(int(i) for i in np.unravel_index(int(np.abs(p.Z[layer]).argmin()), p.Z[layer].shape))
    says = (
        f"Z{layer}[{cell[0]}, {cell[1]}] is {p.Z[layer][cell]:.1e}, at the kink of {p.f(layer)}, "
        "where the derivative from either side is a valid choice: this is not a mistake"
    )
    return Finding("kink", f"dZ{layer}", says=says)


def _lines(case: Case, everything: bool = False) -> tuple[ParameterCheck, ...]:
    limit = SINGLE if case.single_precision else COARSE
    errors = [(role, case.errors[0][role.kind, role.layer]) for role in case.problem.layout.roles]
    return tuple(ParameterCheck(role.name, role.shape, error, everything or error <= limit) for role, error in errors)


# wrong


def _wrong(case: Case, explanations: Sequence[Explanation]) -> Judgement:
    best = explanations[0]
    mistakes = list(best.mistakes)
    said = list(conventions_of(case.problem))
    if not case.problem.given.declared:
        whole = [mistake for mistake in mistakes if conventional([mistake], f"dZ{case.passes[0].depth}")]
        mistakes = [mistake for mistake in mistakes if mistake not in whole]
        if whole:
            said.append(said_factor(whole, case.passes[0]))
    if not mistakes:
        lines = _lines(case, everything=True)
        return Judgement(Diagnosis(OTHERWISE_CORRECT, (), None, tuple(said), lines), best.cost)
    groups = sorted(distinct(mistakes), key=lambda group: order_of(group[0]))
    if len(groups) > 1 and case.all_zero(case.passes[0].architecture.parameters):
        # many pairs of mistakes give 0, so 0 is evidence of none
        return _plainly_wrong(case, finding_of_no_gradients(case, NEVER_FILLED))
    alternatives = _alternatives(explanations, best)
    used: set[str] = {group[0].cause for group in groups}
    findings = []
    for group in groups:
        others = [cause for cause in (*group[0].also, *alternatives.get(group[0].node, ())) if cause not in used]
        findings.append(finding_of_mistake(case, group, best.residual, tuple(dict.fromkeys(others))))
    first = located(case, min(mistakes, key=order_of))
    return Judgement(Diagnosis(WRONG, tuple(findings), first.node, tuple(said), _lines(case)), best.cost)


def _plainly_wrong(case: Case, finding: Finding) -> Judgement:
    """The judgement of gradients that need no search."""
    top, said = f"dZ{case.passes[0].depth}", conventions_of(case.problem)
    return Judgement(Diagnosis(WRONG, (finding,), top, said, _lines(case)), PLAIN)


def _alternatives(explanations: Sequence[Explanation], best: Explanation) -> dict[str, list[str]]:
    """The causes of explanations that fit as well with as many mistakes, by the node of the mistake they replace."""
    found: dict[str, list[str]] = {}
    mine = {(mistake.cause, mistake.node) for mistake in best.mistakes}
    number = len(distinct(best.mistakes))
    for other in explanations[1:]:
        if not other.complete or other.cost > best.cost + NEAR or len(distinct(other.mistakes)) != number:
            continue
        theirs = {(mistake.cause, mistake.node) for mistake in other.mistakes}
        replaced = sorted(mine - theirs, key=lambda pair: pair[1])
        for cause, _ in theirs - mine:
            for _, node in replaced[:1]:
                found.setdefault(node, []).append(cause)
    return found


VAGUE = (NOT_IN_CATALOGUE, "batch_coupling", "wrong_shapes")
"""Causes that name no step, which a line that mends the program does."""


def named_by_lines(judgement: Judgement, case: Case, lines: Sequence[WrongLine]) -> Judgement:
    """Name the mistakes that the learner's mended lines show, where the gradients alone did not tell them.

    The lines must make the program right, and each must name its cause.
    """
    d = judgement.diagnosis
    steps = [finding for finding in d.findings if CAUSES[finding.cause].group != FUNCTION or finding.cause in VAGUE]
    told = bool(lines) and lines[-1].complete and all(line.cause and line.mended for line in lines)
    coupled = any(finding.cause == "batch_coupling" for finding in steps) and not all(map(_of_softmax, lines))
    vague = any(finding.cause in VAGUE for finding in steps) or len(lines) == 1 < len(steps)
    vague = vague or (any(finding.cause == "in_place" for finding in steps) and not any(map(_of_memory, lines)))
    gradients = all(finding.where for finding in steps)  # what has no place is no gradient at all
    gradients = gradients and not any(case.all_zero([*line.mended]) for line in lines)  # 0 is evidence of no mistake
    shape = any(finding.cause == "wrong_shapes" for finding in steps)
    if not told or not vague or coupled or not gradients or (shape and not all(map(_of_shape_alone, lines))):
        return judgement
    findings: dict[str, Finding] = {}
    for line in lines:
        placed = PlacedMistake(line.cause, node_of(line.mended, case.passes[0].depth), _said(line.cause))
        if line.cause not in findings:
            findings[line.cause] = finding_of_mistake(case, [placed], 0.0, ())
    others = [finding for finding in d.findings if finding not in steps]
    return replace(judgement, diagnosis=replace(d, findings=(*findings.values(), *others)))


def _of_softmax(line: WrongLine) -> bool:
    """Whether a line takes a sum over the wrong axis, which is another mistake than to take a mean over the samples."""
    return line.cause.startswith("softmax_") and "mean" not in line.statement


def _of_memory(line: WrongLine) -> bool:
    """Whether a line's mistake may be that of an array with two names: all but a wrong number or sign."""
    return line.family not in ("number", "factor", "sign")


def _of_shape_alone(line: WrongLine) -> bool:
    """Whether a line's mistake is one that changes the shape of a gradient."""
    return CAUSES[line.cause].group in (BIASES, PRODUCTS)


def _said(cause: str) -> str:
    """The meaning of a cause as the end of a sentence."""
    means = CAUSES[cause].means.rstrip(".")
    return means[0].lower() + means[1:]


def with_findings(judgement: Judgement, extra: Sequence[Finding], first: bool) -> Judgement:
    """Add findings about the function itself; they are faults."""
    if not extra:
        return judgement
    d = judgement.diagnosis
    kept = d.findings if d.verdict == WRONG else ()
    findings = (*extra, *kept) if first else (*kept, *extra)
    return replace(judgement, diagnosis=replace(d, verdict=WRONG, findings=findings), cost=judgement.cost + 1)
