"""Findings: a mistake in the gradients, with its place, its size, the right line and the reason."""

from collections.abc import Sequence
from dataclasses import replace

from .case import FINE, Case
from .mistakes.causes import CAUSES, JACOBIAN, NOT_IN_CATALOGUE
from .mistakes.forward_pass import Forward
from .mistakes.placed import PlacedMistake
from .mistakes.shapes import misshapen, named_by_shape
from .telling.conventions import rows_total
from .telling.correction import CorrectionWriter
from .telling.diagnosis import Finding
from .telling.error_pattern import pattern

__all__ = ["NEVER_FILLED", "finding_of_forward", "finding_of_mistake", "finding_of_no_gradients", "located", "order_of"]

Key = tuple[str, int]
NEVER_FILLED = "all zero: were they ever filled?"
FORWARD = "the chain rule starts from the forward pass: L is a function of the Z and the A that it computed"


def order_of(mistake: PlacedMistake) -> tuple[int, int]:
    """The place of a node in the backward pass."""
    return -mistake.layer, ("dA", "dZ", "dW", "db").index(mistake.kind)


def finding_of_mistake(
    case: Case, group: list[PlacedMistake], residual: float, indistinguishable: tuple[str, ...]
) -> Finding:
    """Return the finding of a mistake, which may be made at several nodes (`group`).

    `residual` is the error that is left once the mistake is made in the exact pass; `indistinguishable` are the causes
    that give the same numbers.
    """
    mistake, writer = min(group, key=order_of), _writer(case)
    affected = case.off([key for key in case.passes[0].architecture.parameters if _reaches(group, key)])
    evidence: dict[str, object] = {"error_before": case.worst(affected)}
    never_filled = f"; {NEVER_FILLED}" if case.all_zero(affected) else ""
    if mistake.cause == NOT_IN_CATALOGUE:
        shapeless = _shapeless(case, mistake)
        if shapeless:
            return _of_shape(case, located(case, mistake), shapeless, affected, writer)
        seen = pattern(case.passes, case.gradients, mistake, affected)
        says = f"{mistake.node} is the first wrong array, and no mistake of the catalogue explains it"
        says += f"; {seen}" if seen else ""
        indistinguishable = ()
        shown = affected[0] if affected else None
    else:
        evidence["error_after"] = residual
        fitted = CAUSES[mistake.cause].fitted
        if mistake.constant is not None and fitted:
            evidence[fitted] = mistake.constant.name
        also = ", ".join(other.node for other in group[1:])
        says = group[0].says + (f" (also at {also})" if also else "")
        shown = max(affected, key=lambda key: case.errors[0][key], default=None)
    return Finding(
        mistake.cause,
        writer.where(mistake),
        tuple(writer.name(*key) for key in affected),
        says + never_filled,
        evidence,
        writer.line(mistake),
        writer.reason(mistake),
        writer.cell(*shown, case.gradients[0][shown]) if shown else "",
        indistinguishable,
    )


def finding_of_no_gradients(case: Case, says: str) -> Finding:
    """Return the finding of arrays that are no gradients at all."""
    writer, off, shown = _writer(case), *_off_on_own_data(case)
    mistake = PlacedMistake(NOT_IN_CATALOGUE, f"d{shown[0]}{shown[1]}", "")
    return Finding(
        mistake.cause,
        "",
        tuple(writer.name(*key) for key in off),
        says,
        {"error_before": case.errors[0][shown]},
        writer.line(mistake),
        writer.reason(mistake),
        writer.cell(*shown, case.gradients[0][shown]),
    )


def finding_of_forward(case: Case, forward: Forward) -> Finding:
    """Return the finding of gradients that are exact, of another forward pass."""
    writer, off, shown = _writer(case), *_off_on_own_data(case)
    return Finding(
        forward.cause,
        forward.where,
        tuple(writer.name(*key) for key in off),
        forward.says,
        {"error_before": case.errors[0][shown], "error_after": forward.residual},
        forward.line,
        FORWARD,
        writer.cell(*shown, case.gradients[0][shown]),
        other_network=forward.other_network,
    )


def _off_on_own_data(case: Case) -> tuple[list[Key], Key]:
    """The gradients that are off on the learner's own data, and the one that is farthest off."""
    errors = case.errors[0]
    off = [key for key in case.passes[0].architecture.parameters if errors[key] > FINE / 10]
    return off, max(off, key=lambda key: errors[key], default=("W", 1))


def _reaches(group: list[PlacedMistake], key: Key) -> bool:
    """Whether a mistake is in the way to a gradient."""
    kind, layer = key
    return any(
        (mistake.kind == f"d{kind}" and mistake.layer == layer)
        or (mistake.kind in ("dA", "dZ") and mistake.layer >= layer)
        for mistake in group
    )


def located(case: Case, mistake: PlacedMistake) -> PlacedMistake:
    """Locate an unknown mistake of dZ at the gradient of the wrong shape, which alone is known to be wrong."""
    for key in _shapeless(case, mistake):
        cause, *_ = named_by_shape(case.passes[0], key, case.gradients[0][key], "")
        return mistake if CAUSES[cause].group == JACOBIAN else replace(mistake, node=f"d{key[0]}{key[1]}")
    return mistake


def _shapeless(case: Case, mistake: PlacedMistake) -> list[Key]:
    """The gradients of the wrong shape that an unknown mistake makes wrong in its own layer."""
    wrong = misshapen(case.passes[0], case.gradients[0]) if mistake.cause == NOT_IN_CATALOGUE else []
    return [key for key in wrong if key[1] == mistake.layer and mistake.kind in ("dZ", f"d{key[0]}")]


def _of_shape(
    case: Case, mistake: PlacedMistake, keys: list[Key], affected: Sequence[Key], writer: CorrectionWriter
) -> Finding:
    """A gradient that no mistake of the catalogue explains, but whose shape is wrong."""
    key = keys[0]
    cause, says, also = named_by_shape(case.passes[0], key, case.gradients[0][key], writer.name(*key))
    others = [writer.name(*other) for other in keys[1:]]
    says += f"; the shape of the gradient of {', '.join(others)} is wrong too" if others else ""
    shown = tuple(writer.name(*other) for other in affected or keys)
    cell, where = writer.cell(*key, case.gradients[0][key]), writer.where(mistake)
    return Finding(cause, where, shown, says, line=writer.line(mistake), cell=cell, indistinguishable=also)


def _writer(case: Case) -> CorrectionWriter:
    p, problem = case.passes[0], case.problem
    convention, targets = problem.convention, problem.targets
    total = rows_total(convention, p.n, p.k)
    scale, share = convention.scale / total, convention.smoothing
    if abs(scale - 1) < 1e-6:
        divisor = ""
    elif abs(scale * p.n - 1) < 1e-6:
        divisor = " / n"
    else:
        divisor = f" * {scale:.4g}"
    labels = "y"
    if targets.form == "index":
        labels = f"np.eye({p.k})[y{' - 1' if targets.start else ''}]" + (".T" if problem.layout.columns else "")
    smoothing = (total * (1 - share), total * share)
    return CorrectionWriter(p, problem.layout, divisor, f"{convention.l2:.4g}", smoothing, labels)
