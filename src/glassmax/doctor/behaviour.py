"""The behavior of the learner's function: a second call, changes of its arguments, and the loss that it returns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..functional.arrays import Array
from .reading.answers import Answer
from .reading.function import FunctionCall, Learner
from .reading.layout import gradient_of
from .reading.problem import Problem
from .telling.diagnosis import Finding

__all__ = ["Behaviour", "watch"]


@dataclass(frozen=True)
class Behaviour:
    """Everything that the function does besides returning gradients.

    `first` is its answer to the learner's own data, `wrote` are the arguments that it changed, and `usable` says
    whether its gradients can be judged further.
    """

    first: Answer | None
    wrote: tuple[str, ...]
    findings: tuple[Finding, ...]
    usable: bool


def watch(problem: Problem, learner: Learner) -> Behaviour:
    """Call the function twice on the learner's own data."""
    given = problem.given
    call = learner.call(problem.arrays, given.X, given.y)
    wrote = _wrote(call)
    if call.answer is None:
        failed = Finding(call.cause, "", says=call.message)
        return Behaviour(None, call.wrote, (*wrote, failed), usable=False)
    not_finite = _not_finite(call.answer, learner)
    if not_finite:
        return Behaviour(call.answer, call.wrote, (*wrote, *not_finite), usable=False)
    findings = [*wrote, *_of_returned_loss(problem, call.answer)]
    again = learner.call(problem.arrays, given.X, given.y)
    if again.answer is None:
        says = f"the first call returned gradients, the second call with the same arguments did not: {again.message}"
        once = Finding("nondeterministic", "", says=says)
        return Behaviour(call.answer, call.wrote, (*findings, once), usable=True)
    second = _second_call(problem, learner, call.answer, again.answer)
    random = any(finding.cause == "nondeterministic" for finding in second)
    return Behaviour(call.answer, call.wrote, (*findings, *second), usable=not random)


def _wrote(call: FunctionCall) -> tuple[Finding, ...]:
    if not call.wrote:
        return ()
    names = ", ".join(call.wrote[:5])
    says = f"the function changes its arguments: {names} had other values after the call"
    line = "\n".join(f"{name} = {name}.copy()    # before anything is written into it" for name in call.wrote[:2])
    return (Finding("writes_inputs", names, call.wrote, says, line=line),)


def _not_finite(answer: Answer, learner: Learner) -> tuple[Finding, ...]:
    bad = [(name, a) for name, a in zip(learner.names, answer.arrays, strict=True) if not np.isfinite(a).all()]
    if not bad:
        return ()
    name, array = bad[0]
    where = np.argwhere(~np.isfinite(array))[0]
    cell = f"[{', '.join(str(int(i)) for i in where)}]" if array.ndim else ""
    value = array[tuple(where)] if array.ndim else array
    says = (
        f"{int((~np.isfinite(array)).sum())} of {array.size} cells of the gradient of {name} are not finite, "
        f"the first {name}{cell} = {value}"
    )
    reason = "exp overflows above 709 and log(0) is -inf: subtract the row's maximum before exp, or use P - Y itself"
    return (Finding("not_finite", name, tuple(n for n, _ in bad), says, {}, "", reason),)


def _of_returned_loss(problem: Problem, answer: Answer) -> tuple[Finding, ...]:
    """A loss that is returned with right gradients, but computed from a P that had become P - Y."""
    if answer.loss is None:
        return ()
    p = problem.own_pass()
    true = float(p.scale * p.rows.sum())
    with np.errstate(all="ignore"):
        spoilt = [p.P - p.Y, (p.P - p.Y) / p.n]
        losses = [-np.log((D * p.Y).sum(axis=1)).mean() for D in spoilt]
        losses += [0.5 * ((D - p.Y) ** 2).sum(axis=1).mean() * factor for D in spoilt for factor in (1, 2)]
    nan = np.isnan(answer.loss) and np.isfinite(true)
    same = any(np.isclose(answer.loss, loss, rtol=1e-9) for loss in losses if np.isfinite(loss))
    if not nan and not (same and not np.isclose(answer.loss, true, rtol=1e-6)):
        return ()
    return (_changed_in_place(p.P, p.Y, f"the loss that is returned is {answer.loss:.4g}, not {true:.4g}"),)


def _changed_in_place(P: Array, Y: Array, seen: str) -> Finding:
    says = "dZ = P does not copy P, so subtracting 1 from dZ changes P, which is used again afterwards"
    cell = f"P[0] is {np.array2string(P[0], precision=3)} and sums to 1; after the change it is "
    cell += f"{np.array2string(P[0] - Y[0], precision=3)} and sums to 0; {seen}"
    reason = "dz_i = p_i - y_i needs an array of its own: the loss and a second backward pass still use p_i"
    return Finding("in_place", "P", (), says, {}, "dZ = P.copy()\ndZ[np.arange(n), y] -= 1", reason, cell)


def _second_call(problem: Problem, learner: Learner, first: Answer, second: Answer) -> Sequence[Finding]:
    if any(a.shape != b.shape for a, b in zip(first.arrays, second.arrays, strict=True)):
        return (
            Finding(
                "nondeterministic", "", says="two calls with the same arguments returned arrays of different shapes"
            ),
        )
    rounding = 1e-14 * max(float(np.linalg.norm(a)) for a in first.arrays)  # all that there is of a gradient of 0
    differing = [
        (name, a, b)
        for name, a, b in zip(learner.names, first.arrays, second.arrays, strict=True)
        if np.linalg.norm(a - b) > max(1e-9 * float(np.linalg.norm(a)), rounding)
    ]
    if not differing:
        return ()
    names = tuple(name for name, _, _ in differing)
    if all(_adds(a, b) for _, a, b in differing):
        learner.accumulates = True
        a, b = differing[0][1].ravel(), differing[0][2].ravel()
        cell = int(np.abs(a).argmax())
        says = "a second call with the same arguments adds its gradients to those of the first call"
        shown = f"{gradient_of(names[0])}: {a[cell]:.4g} after the first call, {b[cell]:.4g} after the second"
        line = f"{gradient_of(names[0])} = np.zeros_like({names[0]})    # anew in every call"
        reason = "a gradient belongs to one point and one batch: a sum that outlives the call mixes several"
        return (Finding("accumulates", names[0], names, says, {"factor": "2"}, line, reason, shown),)
    if _subtracted_again(problem, first, second):
        p = problem.own_pass()
        return (_changed_in_place(p.P, p.Y, "a second call subtracts Y again"),)
    shown = ", ".join(names[:4])
    says = f"two calls with the same arguments returned different gradients of {shown}: "
    says += "the function uses random numbers, or keeps something from call to call"
    return (Finding("nondeterministic", "", names, says),)


def _adds(a: Array, b: Array) -> bool:
    """Whether the second is the first plus a share of it."""
    share = float(np.vdot(a, b - a)) / max(float(np.vdot(a, a)), 1e-300)
    return 1e-3 < share < 1.0 + 1e-6 and bool(np.linalg.norm(b - (1 + share) * a) <= 1e-8 * np.linalg.norm(b))


def _subtracted_again(problem: Problem, first: Answer, second: Answer) -> bool:
    p = problem.own_pass()
    key = ("W", p.depth)
    a, b = first.ours(problem.layout)[key], second.ours(problem.layout)[key]
    again = p.A[p.depth - 1].T @ p.Y
    if a.shape != again.shape:
        return False
    change = b - a
    share = float(np.vdot(again, change)) / max(float(np.vdot(again, again)), 1e-300)
    return share < 0 and bool(np.linalg.norm(change - share * again) <= 1e-8 * np.linalg.norm(change))
