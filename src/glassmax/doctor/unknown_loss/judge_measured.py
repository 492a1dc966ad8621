"""The verdict on gradients of a loss that none of the known networks has."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import OptionError
from ...functional.arrays import Array
from ..reading.answers import Answer
from ..reading.function import Learner, described_error, quietly, read_call
from ..reading.nested import rebuilt
from ..reading.problem import Given
from ..telling.diagnosis import CORRECT, WRONG, Diagnosis, Finding, ParameterCheck
from .simple_mistakes import named, not_measured, of_another_shape, partly_measured, throughout
from .slopes import errors_of, measure
from .wrong_layer import in_layers

__all__ = ["judge_measured"]

MEASURED = (
    "your loss is none of the known ones: its gradient was measured by central differences, "
    "so only simple mistakes are named"
)


def judge_measured(handed_in: Any, given: Given) -> Diagnosis:
    """Judge gradients by central differences of the learner's own loss."""
    names, arrays = [name for name, _ in given.named], [np.asarray(array, np.float64) for _, array in given.named]
    if callable(handed_in):
        call = Learner(handed_in, given.parameters, names).call(arrays, given.X, given.y)
    else:
        call = read_call(handed_in, names, arrays, given.X)
    if call.answer is None:
        return Diagnosis(WRONG, (Finding(call.cause, "", says=call.message),))
    loss, gradients = _loss_at(given), _in_shape(call.answer, arrays)
    measured = {
        name: measure(loss, arrays, position, name, gradients[position])
        for position, name in enumerate(names)
        if gradients[position].shape == arrays[position].shape
    }
    judged = dict(zip(measured, errors_of(list(measured.values()), call.answer.single_precision), strict=True))
    findings, lines = [], []
    for name, W, G in zip(names, arrays, gradients, strict=True):
        error, right = judged.get(name, (float("inf"), False))
        lines.append(ParameterCheck(name, W.shape, error, right, name not in measured or measured[name].is_measured))
        if name not in measured:
            findings.append(of_another_shape(name, W, G))
        elif lines[-1].measured and not right:
            findings.append(named(measured[name], error))
    found, first, unmeasured = (
        throughout(findings),
        None,
        [line.name for line in lines if not line.measured],
    )
    if not unmeasured:  # the first wrong layer is known only if all layers were judged
        found, first = in_layers(given, found, list(measured.values()))
    first = first or _last(found, names)
    found += [not_measured(name) for name in unmeasured]
    changed = [name for name in call.wrote if name in names]
    found += [Finding("writes_inputs", name, (name,), f"the function changes its argument {name}") for name in changed]
    partly = [partly_measured(slopes) for slopes in measured.values() if slopes.is_measured and slopes.left_out]
    return Diagnosis(WRONG if found else CORRECT, tuple(found), first, (MEASURED, *partly), tuple(lines))


def _in_shape(answer: Answer, arrays: list[Array]) -> list[Array]:
    """The learner's gradients; an axis of length 1 more or less than in the parameter is no mistake."""
    return [_reshaped(G, W).astype(np.float64) for G, W in zip(answer.arrays, arrays, strict=True)]


def _reshaped(G: Array, W: Array) -> Array:
    same = G.ndim != W.ndim and np.squeeze(G).shape == np.squeeze(W).shape
    return G.reshape(W.shape) if same else G


def _last(findings: list[Finding], names: list[str]) -> str | None:
    """The gradient by the last of the learner's parameters that is wrong: the first of a backward pass."""
    places = [names.index(finding.where) for finding in findings if finding.where in names]
    return f"d{names[max(places)]}" if places else None


def _loss_at(given: Given) -> Callable[[list[Array]], Any]:
    loss = given.loss
    assert loss is not None  # with a network and no loss there is a reading, or an error

    def at(arrays: list[Array]) -> Any:
        value = quietly(lambda: loss(rebuilt(given.parameters, iter(arrays)), given.X.copy(), np.array(given.y)))
        return np.asarray(value).reshape(())[()]  # float32 stays float32: its rounding is larger

    try:
        here = float(at([np.asarray(array, np.float64) for _, array in given.named]))
    except (Exception, SystemExit) as error:
        raise OptionError(f"loss raises {described_error(error)}. It is called as loss(parameters, X, y).") from error
    if not np.isfinite(here):
        raise OptionError(f"loss returned {here} at the parameters, expected a finite number.")
    return at
