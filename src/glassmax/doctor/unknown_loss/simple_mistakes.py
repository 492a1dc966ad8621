"""The mistakes that slopes alone can show: a factor, a sign, a missing penalty, a transpose, a wrong shape."""

import numpy as np

from ...functional.arrays import Array
from ..constants import recognise
from ..mistakes.causes import CAUSES, FACTORS, NOT_IN_CATALOGUE, PENALTY
from ..reading.layout import gradient_of
from ..telling.diagnosis import Finding
from .slopes import TOLERANCE, Slopes

__all__ = ["named", "not_measured", "of_another_shape", "partly_measured", "throughout"]


def of_another_shape(name: str, W: Array, G: Array) -> Finding:
    """A gradient that has not the shape of its parameter."""
    turned = W.ndim == 2 and G.shape == W.T.shape
    says = f"the gradient of {name} has shape {G.shape}, expected {W.shape}"
    cause = "transposed" if turned else "wrong_shapes"
    line = f"d{name} = d{name}.T" if turned else f"assert d{name}.shape == {name}.shape"
    return Finding(cause, name, (name,), says, line=line)


def not_measured(name: str) -> Finding:
    """A gradient that can't be judged, because the loss has no slope that can be measured."""
    says = f"the derivative by {name} could not be measured, because the loss is not finite beside {name}: "
    says += f"call diagnose at other values of {name}"
    return Finding("not_measured", name, (name,), says)


def partly_measured(slopes: Slopes) -> str:
    """Say how many slopes of a parameter could not be measured, where others could."""
    count, tried = slopes.left_out, slopes.left_out + len(slopes.measured)
    unit = "cells" if tried == slopes.W.size else "random directions"
    return (
        f"{slopes.name}: {count} of {tried} {unit} could not be measured, because the loss is not finite beside "
        f"{slopes.name}; only the other {tried - count} were compared with your gradient"
    )


def named(wrong: Slopes, error: float) -> Finding:
    """The finding of a gradient that is wrong."""
    name, W, G, slopes, claims = wrong.name, wrong.W, wrong.G, wrong.measured, wrong.claimed
    size = float(np.linalg.norm(claims if wrong.is_zero else slopes))

    def left(difference: Array) -> float:
        return float(np.linalg.norm(difference)) / max(size, 1e-300)

    evidence: dict[str, object] = {"error_before": error}
    c = float(claims @ slopes) / max(float(slopes @ slopes), 1e-300)
    several = np.count_nonzero(np.abs(slopes) > 1e-3 * np.abs(slopes).max(initial=0)) > 1  # any factor fits one number
    if not wrong.is_zero and several and abs(c) > 1e-6:
        after = left(claims - c * slopes)
        if after <= TOLERANCE * max(abs(c), 1):
            return _factor(name, c, evidence | {"error_after": after})
    along_W = np.array([float(np.vdot(v, W)) for v in wrong.directions])
    rest = slopes - claims
    r = float(rest @ along_W) / max(float(along_W @ along_W), 1e-300)
    if len(slopes) > 2 and left(rest - r * along_W) <= TOLERANCE:
        found = {"error_after": left(rest - r * along_W), "coefficient": f"{r:.4g}"}
        return _penalty(name, r, evidence | found)
    if not wrong.is_zero and W.ndim == 2 and W.shape[0] == W.shape[1]:
        turned = np.array([float(np.vdot(v, G.T)) for v in wrong.directions])
        if left(turned - slopes) <= TOLERANCE:
            evidence["error_after"] = left(turned - slopes)
            says, line = f"the gradient of {name} is transposed", f"d{name} = d{name}.T"
            return Finding("transposed", name, (name,), says, evidence, line)
    return Finding(NOT_IN_CATALOGUE, name, (name,), _unexplained(wrong), evidence, cell=_cell(wrong))


def _unexplained(wrong: Slopes) -> str:
    if not wrong.G.any():
        return f"the gradient of {wrong.name} is 0 in every cell"
    if wrong.is_zero:
        return f"your loss does not change with {wrong.name}, so the gradient of {wrong.name} should be 0, but is not"
    return f"the gradient of {wrong.name} is wrong, and no factor, penalty or transpose explains it"


def _cell(wrong: Slopes) -> str:
    """The place where the gradient is farthest off, in numbers: a cell, or a direction if there are many cells."""
    worst = int(np.abs(wrong.claimed - wrong.measured).argmax())
    measured = 0.0 if wrong.is_zero else wrong.measured[worst]
    numbers = f"yours is {wrong.claimed[worst]:.4g}, central differences of your loss give {measured:.4g}"
    v = wrong.directions[worst]
    if np.count_nonzero(v) > 1 or not v.ndim:
        return f"along a random direction: {numbers}" if v.ndim else f"{gradient_of(wrong.name)}: {numbers}"
    index = ", ".join(str(int(i)) for i in np.unravel_index(int(v.argmax()), v.shape))
    return f"{gradient_of(wrong.name)}[{index}]: {numbers}"


def _factor(name: str, c: float, evidence: dict[str, object]) -> Finding:
    if abs(c + 1) < 1e-4:
        says = f"the gradient of {name} has the wrong sign"
        return Finding("sign", name, (name,), says, evidence, f"d{name} = -d{name}")
    constant = recognise([c], [1], 1, 1e-4)
    written_as = constant.name if constant else f"{c:.4g}"
    says = f"the gradient of {name} is {written_as} times what it should be"
    return Finding("factor", name, (name,), says, evidence | {"factor": written_as}, f"d{name} /= {c:.6g}")


def _penalty(name: str, r: float, evidence: dict[str, object]) -> Finding:
    says = f"{r:.4g} {name} is missing from the gradient of {name}: the derivative of a penalty"
    line = f"d{name} += {r:.4g} * {name}"
    reason = "d/dW_jk of l2/2 sum_jk W_jk^2 = l2 W_jk, added to the derivative of the loss without the penalty"
    also = ("regulariser_factor",)
    return Finding("regulariser_missing", name, (name,), says, evidence, line, reason, indistinguishable=also)


def throughout(findings: list[Finding]) -> list[Finding]:
    """Merge the same factor, or the same penalty, of several parameters into one finding."""
    grouped: dict[tuple[str, object], list[Finding]] = {}
    for finding in findings:
        fitted = finding.evidence.get("factor", finding.evidence.get("coefficient", finding.cause))
        grouped.setdefault((finding.cause, fitted), []).append(finding)
    merged = []
    for group in grouped.values():
        first = group[0]
        if len(group) == 1 or CAUSES[first.cause].group not in (FACTORS, PENALTY):
            merged += group
            continue
        parameters = tuple(name for finding in group for name in finding.parameters)
        says = first.says.replace(f"of {first.where}", f"of {', '.join(parameters)}")
        merged.append(Finding(first.cause, first.where, parameters, says, first.evidence, first.line, first.reason))
    return merged
