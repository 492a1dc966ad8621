"""A loss that none of the known networks has: its gradient is measured, and only simple mistakes can be named.

The gradient is measured by central differences of the learner's own loss: for each cell of a small parameter, along
random directions for a large one. They show a factor, a sign, a transpose, a missing penalty, and the parameter.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import OptionError
from ..functional.arrays import Array
from .constants import recognise
from .mistakes.causes import CAUSES, FACTORS, PENALTY
from .reading.function import Learner, described_error, quietly, read_call
from .reading.layout import gradient_of
from .reading.nested import rebuilt
from .reading.problem import Given
from .telling.diagnosis import CORRECT, WRONG, Diagnosis, Finding, ParameterCheck

__all__ = ["judge_measured"]

CELLS = 600
TOLERANCE = 2e-5


def judge_measured(handed_in: Any, given: Given) -> Diagnosis:
    """Judge gradients by central differences of the learner's own loss."""
    named = given.named
    names, arrays = [name for name, _ in named], [np.asarray(array, np.float64) for _, array in named]
    if callable(handed_in):
        call = Learner(handed_in, given.parameters, names).call(arrays, given.X, given.y)
    else:
        call = read_call(handed_in, names, arrays, given.X)
    if call.answer is None:
        return Diagnosis(WRONG, (Finding(call.cause, "", says=call.message),))
    changed = [name for name in call.wrote if name in names]
    wrote = [Finding("writes_inputs", name, (name,), f"the function changes its argument {name}") for name in changed]
    loss = _loss_at(given)
    findings, lines = [], []
    for position, name in enumerate(names):
        finding, line = _judge_one(loss, arrays, position, name, call.answer.arrays[position].astype(np.float64))
        lines.append(line)
        findings += [finding] if finding else []
    findings = _throughout(findings) + wrote
    said = (
        "your loss is none of the known ones: its gradient was measured by central differences, "
        "so only simple mistakes are named",
    )
    first = _first(findings, names)
    return Diagnosis(WRONG if findings else CORRECT, tuple(findings), first, said, tuple(lines))


def _first(findings: list[Finding], names: list[str]) -> str | None:
    places = [
        names.index(finding.parameters[0])
        for finding in findings
        if finding.parameters and finding.parameters[0] in names
    ]
    return f"d{names[max(places)]}" if places else None


def _loss_at(given: Given) -> Callable[[list[Array]], float]:
    loss = given.loss
    assert loss is not None  # with a network and no loss there is a reading, or an error

    def at(arrays: list[Array]) -> float:
        value = quietly(lambda: loss(rebuilt(given.parameters, iter(arrays)), given.X.copy(), np.array(given.y)))
        return float(np.asarray(value).reshape(()))

    try:
        here = at([np.asarray(array, np.float64) for _, array in given.named])
    except (Exception, SystemExit) as error:
        raise OptionError(f"loss raises {described_error(error)}. It is called as loss(parameters, X, y).") from error
    if not np.isfinite(here):
        raise OptionError(f"loss returned {here} at the parameters, expected a finite number.")
    return at


def _judge_one(
    loss: Callable[[list[Array]], float], arrays: list[Array], position: int, name: str, G: Array
) -> tuple[Finding | None, ParameterCheck]:
    W = arrays[position]
    if G.shape != W.shape:
        turned = W.ndim == 2 and G.shape == W.T.shape
        says = f"the gradient of {name} has shape {G.shape}, expected {W.shape}"
        cause = "transposed" if turned else "wrong_shapes"
        line = f"d{name} = d{name}.T" if turned else f"assert d{name}.shape == {name}.shape"
        return Finding(cause, name, (name,), says, line=line), ParameterCheck(name, W.shape, float("inf"), False)
    directions = _directions(W)
    slopes = np.array([_slope(loss, arrays, position, v) for v in directions])
    claims = np.array([float(np.vdot(v, G)) for v in directions])
    scale = max(float(np.linalg.norm(slopes)), 1e-300)
    error = float(np.linalg.norm(claims - slopes)) / max(scale, 1e-8)
    if error <= TOLERANCE:
        return None, ParameterCheck(name, W.shape, error, True)
    return _named(name, W, G, directions, slopes, claims, error), ParameterCheck(name, W.shape, error, False)


def _directions(W: Array) -> list[Array]:
    if W.size <= CELLS // 4:
        return [np.eye(W.size)[cell].reshape(W.shape) for cell in range(W.size)]
    draw = np.random.default_rng(0)
    return [draw.standard_normal(W.shape) / np.sqrt(W.size) for _ in range(8)]


def _slope(loss: Callable[[list[Array]], float], arrays: list[Array], position: int, v: Array) -> float:
    """The derivative along v by central differences with two step lengths, combined so that the h² term cancels."""

    def central(h: float) -> float:
        up, down = list(arrays), list(arrays)
        up[position], down[position] = arrays[position] + h * v, arrays[position] - h * v
        return (loss(up) - loss(down)) / (2 * h)

    return (4 * central(5e-5) - central(1e-4)) / 3


def _named(
    name: str, W: Array, G: Array, directions: list[Array], slopes: Array, claims: Array, error: float
) -> Finding:
    def left(difference: Array) -> float:
        return float(np.linalg.norm(difference)) / max(float(np.linalg.norm(slopes)), 1e-300)

    evidence: dict[str, object] = {"error_before": error}
    c = float(claims @ slopes) / max(float(slopes @ slopes), 1e-300)
    if len(slopes) > 1 and abs(c) > 1e-6 and left(claims - c * slopes) <= TOLERANCE * max(abs(c), 1):
        return _factor(name, c, evidence | {"error_after": left(claims - c * slopes)})
    along_W = np.array([float(np.vdot(v, W)) for v in directions])
    rest = slopes - claims
    r = float(rest @ along_W) / max(float(along_W @ along_W), 1e-300)
    if len(slopes) > 2 and left(rest - r * along_W) <= TOLERANCE:
        return _penalty(name, r, evidence | {"error_after": left(rest - r * along_W), "coefficient": f"{r:.4g}"})
    if W.ndim == 2 and W.shape[0] == W.shape[1]:
        turned = np.array([float(np.vdot(v, G.T)) for v in directions])
        if left(turned - slopes) <= TOLERANCE:
            evidence["error_after"] = left(turned - slopes)
            says, line = f"the gradient of {name} is transposed", f"d{name} = d{name}.T"
            return Finding("transposed", name, (name,), says, evidence, line)
    unexplained = "wrong, and no factor, penalty or transpose explains it"
    says = f"the gradient of {name} is {unexplained if G.any() else '0 in every cell'}"
    return Finding("not_in_catalogue", name, (name,), says, evidence, cell=_cell(name, W, slopes, claims))


def _cell(name: str, W: Array, slopes: Array, claims: Array) -> str:
    """The place where the gradient is farthest off, in numbers: a cell, or a direction if there are many cells."""
    worst = int(np.abs(claims - slopes).argmax())
    numbers = f"yours is {claims[worst]:.4g}, central differences of your loss give {slopes[worst]:.4g}"
    if len(slopes) < W.size:
        return f"along a random direction: {numbers}"
    index = ", ".join(str(int(i)) for i in np.unravel_index(worst, W.shape))
    return f"{gradient_of(name)}[{index}]: {numbers}"


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


def _throughout(findings: list[Finding]) -> list[Finding]:
    """The same factor in several parameters is one finding."""
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
