"""The verdict: from the learner's gradients and a reading of the problem to a diagnosis.

Tolerances come from what is measured: first rounding in float64; then, if nothing explains the rest, what a shorter
precision, finite differences or an epsilon in a logarithm leave. A fault that explains the numbers to rounding wins
over a tolerance that would swallow it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..functional.arrays import Array
from .exact_pass import KINKED, Pass
from .mistakes.forward_pass import Forward, other_forward
from .mistakes.not_gradients import NEVER_FILLED, all_zero, not_gradients
from .mistakes.shapes import misshapen, named_by_shape
from .reading.problem import Problem
from .search.evidence import Evidence
from .search.explanations import Explanation, conventional, explain
from .search.steps import Step, distinct_steps
from .telling.conventions import conventions_of, said_factor
from .telling.correction import CorrectionWriter
from .telling.diagnosis import CORRECT, OTHERWISE_CORRECT, WRONG, Diagnosis, Finding, ParameterCheck
from .telling.error_pattern import pattern

__all__ = ["Case", "Judgement", "judge"]

FINE, COARSE, SINGLE = 1e-8, 3e-5, 1e-3
FORWARD = "the chain rule starts from what the forward pass computed: L is a function of this Z and this A, of no other"
NEAR = 0.25
"""How much dearer an explanation may be and still be told as indistinguishable."""

Gradients = dict[tuple[str, int], Array]


@dataclass(frozen=True)
class Case:
    """A reading of the problem with the learner's gradients on every probe.

    Attributes
    ----------
    problem : Problem
    passes : list of Pass
        The learner's own data first.
    gradients : list of dict
    same_rows : list of bool
        Whether a probe has the learner's number of rows.
    single_precision : bool
        Whether anything was float32.
    """

    problem: Problem
    passes: list[Pass]
    gradients: list[Gradients]
    same_rows: list[bool]
    single_precision: bool


@dataclass(frozen=True)
class Judgement:
    """A diagnosis, how dear its explanation is, and how far right gradients are from the exact ones."""

    diagnosis: Diagnosis
    cost: float
    deviation: float = 0.0


def judge(case: Case) -> Judgement:
    """Judge the learner's gradients.

    Parameters
    ----------
    case : Case

    Returns
    -------
    Judgement
    """
    single = case.single_precision
    errors = [_errors(p, g, single) for p, g in zip(case.passes, case.gradients, strict=True)]
    judged = [error for error, same in zip(errors, case.same_rows, strict=True) if same]
    worst = max(max(error.values()) for error in judged)
    if worst <= FINE / 10:
        return _right(case, errors[0], worst, ())
    kink = _kink(case)
    if kink is not None and max(max(error.values()) for error in [kink, *judged[1:]]) <= COARSE:
        return _right(case, errors[0], worst, (_kink_finding(case),))
    said = not_gradients(case.passes, case.gradients) if worst > COARSE else ""
    if said:
        return _no_gradients(case, said, errors)
    tolerances = [SINGLE] if case.single_precision else [FINE, COARSE]
    own_fine = max(judged[0].values()) <= (SINGLE if case.single_precision else COARSE)
    for tolerance in tolerances:
        if worst <= tolerance / 10 or (tolerance > FINE and worst <= tolerance):
            return _right(case, errors[0], worst, ())
        thorough = tolerance == tolerances[0] and worst > COARSE and not misshapen(case.passes[0], case.gradients[0])
        small = not case.single_precision and worst <= COARSE
        explanations = _explanations(case, tolerance, thorough, small)
        best = explanations[0]
        if not best.steps:
            return _right(case, errors[0], worst, ())
        if small and not (best.complete and best.residual < worst / 30 and _of_the_penalty(best)):
            return _right(case, errors[0], worst, ())
        if best.complete and (tolerance == FINE or best.residual < worst / 30):
            return _wrong(case, explanations, errors, tolerance)
        forward = None if best.complete or worst <= COARSE else other_forward(case.passes, case.gradients, tolerance)
        if forward is not None:
            return _wrong_forward(case, forward, errors)
        if tolerance == tolerances[-1] and own_fine:
            return _right(case, errors[0], max(judged[0].values()), ())
    near_kink = _near_kink(case)
    if near_kink and len(judged) > 1 and max(max(error.values()) for error in judged[1:]) <= COARSE:
        return _right(case, errors[0], worst, (_kink_finding(case),))
    return _wrong(case, explanations, errors, tolerances[0])


def _errors(p: Pass, gradients: Gradients, single_precision: bool = False) -> dict[tuple[str, int], float]:
    """The relative error of each gradient; a difference that is rounding of large terms is none."""
    found = {}
    for key, T in p.truth.items():
        G = gradients[key]
        if G.shape != T.shape or not np.isfinite(G).all():
            found[key] = float("inf")
            continue
        rounding = (
            (1e-4 if single_precision else 1e-10) * abs(p.scale) * p.n
        )  # of P itself, which is near 0 or 1 at worst
        size = max(float(np.linalg.norm(T)), 1e-5 * p.size[key], rounding, 1e-300)
        found[key] = float(np.linalg.norm(G - T)) / size
    return found


def _of_the_penalty(explanation: Explanation) -> bool:
    """Whether all is about the penalty, which alone may be so small: a wrong step makes no deviation of 1e-5."""
    return all(step.cause.startswith("regulariser") for step in explanation.steps)


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
    constants = [step.constant for step in explanation.steps if step.constant and step.constant.power]
    return any(abs(constant.multiple * n**constant.power - 1) < 1e-6 for constant in constants)


def _telling(p: Pass) -> tuple[bool, int]:
    """Few rows are quick, but not so few that mistakes coincide."""
    return (p.n >= 3, -p.n if p.n >= 3 else p.n)


# correct


def _right(case: Case, errors: dict[tuple[str, int], float], worst: float, findings: tuple[Finding, ...]) -> Judgement:
    deviation = worst if not findings and worst > FINE / 10 else 0.0
    if deviation and case.single_precision:
        findings = (_single_precision(worst),)
    said = conventions_of(case.problem)
    return Judgement(Diagnosis(CORRECT, findings, None, said, _lines(case, errors, everything=True)), 0.0, deviation)


def _single_precision(worst: float) -> Finding:
    says = (
        f"the numbers are float32: they differ from the exact ones by {worst:.0e}, which is its rounding and no fault"
    )
    return Finding("float32", "", says=says, evidence={"error_before": worst})


def _kinked_layers(p: Pass) -> list[int]:
    return [layer for layer in range(1, p.depth) if p.f(layer) in KINKED]


def _kink(case: Case) -> dict[tuple[str, int], float] | None:
    """The errors under another convention at a kink, if some Z is exactly 0."""
    p = case.passes[0]
    if not any((p.Z[layer] == 0).any() for layer in _kinked_layers(p)):
        return None
    tried = [_errors(case.problem.own_pass(at_kink), case.gradients[0]) for at_kink in (1.0, 0.5)]
    return min(tried, key=lambda errors: max(errors.values()))


def _near_kink(case: Case) -> bool:
    p = case.passes[0]
    return any(float(np.abs(p.Z[layer]).min()) < 1e-3 for layer in _kinked_layers(p))


def _kink_finding(case: Case) -> Finding:
    p = case.passes[0]
    layer = min(_kinked_layers(p), key=lambda layer: float(np.abs(p.Z[layer]).min()))
    cell = tuple(int(i) for i in np.unravel_index(int(np.abs(p.Z[layer]).argmin()), p.Z[layer].shape))
    says = (
        f"Z{layer}[{cell[0]}, {cell[1]}] is {p.Z[layer][cell]:.1e}, at the kink of {p.f(layer)}, "
        "where its derivative may be taken from either side: no fault"
    )
    return Finding("kink", f"dZ{layer}", says=says)


def _lines(case: Case, errors: dict[tuple[str, int], float], everything: bool = False) -> tuple[ParameterCheck, ...]:
    limit = SINGLE if case.single_precision else COARSE
    return tuple(
        ParameterCheck(
            role.name, role.shape, errors[role.kind, role.layer], everything or errors[role.kind, role.layer] <= limit
        )
        for role in case.problem.layout.roles
    )


# wrong


def _wrong(
    case: Case, explanations: Sequence[Explanation], errors: list[dict[tuple[str, int], float]], tolerance: float
) -> Judgement:
    best = explanations[0]
    steps = list(best.steps)
    said = list(conventions_of(case.problem))
    if not case.problem.given.declared:
        whole = [step for step in steps if conventional([step], f"dZ{case.passes[0].depth}")]
        steps = [step for step in steps if step not in whole]
        if whole:
            said.append(said_factor(whole, case.passes[0]))
    if not steps:
        lines = _lines(case, errors[0], everything=True)
        return Judgement(Diagnosis(OTHERWISE_CORRECT, (), None, tuple(said), lines), best.cost)
    alternatives = _alternatives(explanations, best)
    if len(distinct_steps(steps)) > 1 and all_zero(case.gradients, case.passes[0].architecture.parameters):
        return _no_gradients(case, NEVER_FILLED, errors)  # 0 follows from many a pair of mistakes, and tells none
    groups = sorted(distinct_steps(steps), key=lambda group: order_of(group[0]))
    used: set[str] = {group[0].cause for group in groups}
    findings = []
    for group in groups:
        others = [cause for cause in (*group[0].also, *alternatives.get(group[0].node, ())) if cause not in used]
        findings.append(_finding(case, group, errors, best, tuple(dict.fromkeys(others))))
    first = min(steps, key=order_of)
    lines = _lines(case, errors[0])
    return Judgement(Diagnosis(WRONG, tuple(findings), first.node, tuple(said), lines), best.cost)


def _no_gradients(case: Case, says: str, errors: list[dict[tuple[str, int], float]]) -> Judgement:
    """What came is no gradient at all."""
    writer, p = _writer(case), case.passes[0]
    top = Step("not_in_catalogue", f"dZ{p.depth}", "")
    off = [key for key in p.architecture.parameters if errors[0][key] > FINE / 10]
    names = tuple(writer.name(*key) for key in off)
    shown = max(off, key=lambda key: errors[0][key], default=("W", 1))
    cell = writer.cell(*shown, case.gradients[0][shown])
    evidence: dict[str, object] = {"error_before": errors[0][shown]}
    line = writer.line(Step(top.cause, f"d{shown[0]}{shown[1]}", ""))
    finding = Finding(top.cause, "", names, says, evidence, line, writer.reason(top), cell)
    lines, said = _lines(case, errors[0]), conventions_of(case.problem)
    return Judgement(Diagnosis(WRONG, (finding,), top.node, said, lines), 1.5)


def _wrong_forward(case: Case, forward: Forward, errors: list[dict[tuple[str, int], float]]) -> Judgement:
    """The learner's gradients are exact, of another forward pass."""
    writer, p = _writer(case), case.passes[0]
    off = [key for key in p.architecture.parameters if errors[0][key] > FINE / 10]
    shown = max(off, key=lambda key: errors[0][key], default=("W", 1))
    finding = Finding(
        forward.cause,
        forward.where,
        tuple(writer.name(*key) for key in off),
        forward.says,
        {"error_before": errors[0][shown], "error_after": forward.residual},
        forward.line,
        FORWARD,
        writer.cell(*shown, case.gradients[0][shown]),
    )
    said = conventions_of(case.problem)
    return Judgement(Diagnosis(WRONG, (finding,), f"dZ{p.depth}", said, _lines(case, errors[0])), 1.5)


def order_of(step: Step) -> tuple[int, int]:
    """The place of a node in the backward pass."""
    return -step.layer, ("dA", "dZ", "dW", "db").index(step.kind)


def _alternatives(explanations: Sequence[Explanation], best: Explanation) -> dict[str, list[str]]:
    """The causes of explanations that fit as well with as many mistakes, by the node of the mistake they replace."""
    found: dict[str, list[str]] = {}
    mine = {(step.cause, step.node) for step in best.steps}
    number = len(distinct_steps(best.steps))
    for other in explanations[1:]:
        if not other.complete or other.cost > best.cost + NEAR or len(distinct_steps(other.steps)) != number:
            continue
        theirs = {(step.cause, step.node) for step in other.steps}
        replaced = sorted(mine - theirs, key=lambda pair: pair[1])
        for cause, _ in theirs - mine:
            for _, node in replaced[:1]:
                found.setdefault(node, []).append(cause)
    return found


def _finding(
    case: Case,
    group: list[Step],
    errors: list[dict[tuple[str, int], float]],
    best: Explanation,
    indistinguishable: tuple[str, ...],
) -> Finding:
    step = min(group, key=order_of)
    writer = _writer(case)
    affected = _affected(case, group, errors)
    worst = _worst(case, affected, errors)
    evidence: dict[str, object] = {"error_before": worst}
    if step.cause == "not_in_catalogue":
        return _not_in_catalogue(case, step, affected, evidence, writer)
    evidence["error_after"] = best.residual
    if step.constant is not None and step.cause != "regulariser_missing":
        named = "learning rate" if step.cause == "updated_weights" else "factor"
        evidence[named] = step.constant.name
    shown = max(affected, key=lambda key: errors[0][key], default=None)
    return Finding(
        step.cause,
        writer.where(step),
        tuple(writer.name(*key) for key in affected),
        _says(group) + _if_zero(case, affected),
        evidence,
        writer.line(step),
        writer.reason(step),
        writer.cell(*shown, case.gradients[0][shown]) if shown else "",
        indistinguishable,
    )


def _if_zero(case: Case, affected: list[tuple[str, int]]) -> str:
    return f"; {NEVER_FILLED}" if all_zero(case.gradients, affected) else ""


def _worst(case: Case, affected: list[tuple[str, int]], errors: list[dict[tuple[str, int], float]]) -> float:
    """The largest of the errors; infinite is only that of another shape, not that of an overflow on other data."""
    if not affected or any(np.isinf(errors[0][key]) for key in affected):
        return float("inf")
    return max(error for probe in _judged(case) for key in affected if np.isfinite(error := errors[probe][key]))


def _says(group: list[Step]) -> str:
    places = [step.node for step in group]
    return group[0].says + (f" (and likewise at {', '.join(places[1:])})" if len(places) > 1 else "")


def _judged(case: Case) -> list[int]:
    return [probe for probe, same in enumerate(case.same_rows) if same]


def _affected(case: Case, group: list[Step], errors: list[dict[tuple[str, int], float]]) -> list[tuple[str, int]]:
    """The parameters whose gradients a mistake reaches and that are indeed off."""
    reached: list[tuple[str, int]] = []
    for key in case.passes[0].architecture.parameters:
        kind, layer = key
        local = any(step.kind == f"d{kind}" and step.layer == layer for step in group)
        below = any(step.kind in ("dA", "dZ") and step.layer >= layer for step in group)
        off = any(errors[probe][key] > FINE / 10 for probe in _judged(case))
        if (local or below) and off:
            reached.append(key)
    return reached


def _not_in_catalogue(
    case: Case, step: Step, affected: list[tuple[str, int]], evidence: dict[str, object], writer: CorrectionWriter
) -> Finding:
    shapeless = [key for key in misshapen(case.passes[0], case.gradients[0]) if _at(step, key)]
    if shapeless:
        return _misshapen(case, step, shapeless, affected, writer)
    seen = pattern(case.passes, case.gradients, step, affected)
    says = f"{step.node} is the first array that is wrong, by no mistake of the catalogue"
    shown = affected[0] if affected else None
    return Finding(
        "not_in_catalogue",
        writer.where(step),
        tuple(writer.name(*key) for key in affected),
        says + (f"; {seen}" if seen else "") + _if_zero(case, affected),
        evidence,
        writer.line(step),
        writer.reason(step),
        writer.cell(*shown, case.gradients[0][shown]) if shown else "",
    )


def _at(step: Step, key: tuple[str, int]) -> bool:
    return key[1] == step.layer and (step.kind == "dZ" or step.kind == f"d{key[0]}")


def _misshapen(
    case: Case, step: Step, keys: list[tuple[str, int]], affected: list[tuple[str, int]], writer: CorrectionWriter
) -> Finding:
    """A gradient that nothing in the catalogue explains, but whose shape tells something."""
    key = keys[0]
    cause, says, reason, also = named_by_shape(case.passes[0], key, case.gradients[0][key], writer.name(*key))
    others = [writer.name(*other) for other in keys[1:]]
    says += f" (and that of {', '.join(others)} likewise)" if others else ""
    shown = tuple(writer.name(*other) for other in affected or keys)
    where = writer.name(*key) if step.kind == "dZ" and cause != "jacobian_not_contracted" else writer.where(step)
    cell = writer.cell(*key, case.gradients[0][key])
    return Finding(cause, where, shown, says, {}, writer.line(step), reason, cell, also)


def _writer(case: Case) -> CorrectionWriter:
    p, convention = case.passes[0], case.problem.convention
    n = p.n
    divisor = (
        " / n"
        if abs(convention.scale * n - 1) < 1e-6
        else ""
        if abs(convention.scale - 1) < 1e-6
        else f" * {convention.scale:.4g}"
    )
    if n == 1 and abs(convention.scale - 1) < 1e-6:
        divisor = ""
    return CorrectionWriter(p, case.problem.layout, divisor, f"{convention.l2:.4g}")


def with_findings(judgement: Judgement, extra: Sequence[Finding], first: bool) -> Judgement:
    """Add findings about the function itself; they are faults."""
    if not extra:
        return judgement
    d = judgement.diagnosis
    kept = d.findings if d.verdict == WRONG else ()
    findings = (*extra, *kept) if first else (*kept, *extra)
    return Judgement(replace(d, verdict=WRONG, findings=findings), judgement.cost + 1)
