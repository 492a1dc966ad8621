"""A PyTorch model, diagnosed: softmax applied twice, a missing logarithm, a sum for a mean, layers that don't learn.

Autograd differentiates the loss as it is written, so the mistake is in what is written. The layers and the loss are
read first. Then one batch is run through a copy of the model, and its gradients are compared with central differences;
a ``.grad`` that the model already has is compared with these gradients. `glassmax.diagnose` calls this module for a
torch module; nothing else imports torch.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ...functional.arrays import Array
from ...gradcheck import check_gradients
from ..telling.diagnosis import CORRECT, OTHERWISE_CORRECT, WRONG, Diagnosis, Finding
from .batch import BatchRun, run_batch, tensors_of, with_layer
from .layers import Criterion, ModuleLayer, Remark, criterion_of, layers_of, module_parameters, remarks_on, with_mean

__all__ = ["diagnose_module", "is_module"]

SAME = {2: 2e-2, 4: 1e-4, 8: 1e-7}
"""The relative error at which two gradients are the same, by the bytes of the narrower one's numbers."""


def is_module(thing: object) -> bool:
    """Return whether something is a torch module, without importing torch.

    Examples
    --------
    >>> is_module(lambda parameters, X, y: {})
    False
    """
    return any(kind.__module__ == "torch.nn.modules.module" for kind in type(thing).__mro__)


def diagnose_module(model: Any, X: Any, y: Any, *, loss: Any) -> Diagnosis:
    """Diagnose a PyTorch model with its loss on a batch; neither the model nor its ``.grad`` is changed.

    The verdict is "wrong" for layers that don't fit the loss, backpropagation that is cut off, and gradients of an
    earlier batch; it is "correct under another convention" for a sum instead of the mean and for frozen layers, which
    may be intended.
    """
    criterion = criterion_of(loss)
    X, y = tensors_of(X, y, criterion)
    layers = layers_of(model)
    batch = run_batch(model, criterion, X, y)
    remarks = remarks_on(layers if batch.X.ndim > 1 else [], criterion)
    findings = [_of_remark(remark, model, batch) for remark in remarks if remark.cause]
    conventions = [remark.says for remark in remarks if not remark.cause]
    if batch.error is not None and not (findings or batch.cut or batch.frozen):
        findings.append(_of_error(batch))
    findings += _unequal(batch) + _cut(batch)
    scaled: list[str] = []
    if batch.error is None:
        left_over, notes, scaled = _left_over(model, batch)
        findings += _measured(batch, layers) + left_over
        conventions += notes + scaled
    harmless, said = _of_convention(model, batch, criterion)
    verdict = WRONG if findings else OTHERWISE_CORRECT if harmless or scaled else CORRECT
    return Diagnosis(verdict, tuple(findings + harmless), conventions=tuple(conventions + said))


def _of_remark(remark: Remark, model: Any, batch: BatchRun) -> Finding:
    """Turn what the layers say into a finding, with the gradients as they are and as they would be."""
    evidence: dict[str, Any] = {}
    cell = ""
    names = tuple(name for name, gradient in batch.gradients.items() if gradient is not None)
    if remark.mended and names and batch.error is None:
        mended = run_batch(with_layer(model, *remark.mended), batch.criterion, batch.X, batch.y)
        last = names[-1]  # the mended model has the same parameters in the same order
        position = list(batch.gradients).index(last)
        here, there = batch.gradients[last], list(mended.gradients.values())[position]
        if here is not None and there is not None:
            name = list(mended.gradients)[position]
            point, given = {name: mended.parameters[name]}, {name: there}
            after = check_gradients(mended.loss, point, given, directions=3).error
            evidence = {"error_before": _error(here, there), "error_after": after}
            at = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.abs(here - there))), here.shape))
            index = ", ".join(map(str, at))
            cell = f"{last}.grad[{index}] is {_figure(here[at])}; corrected it is {_figure(there[at])}"
    if remark.bounded:
        k = _outputs(batch)
        if k > 1:
            floor = math.log1p((k - 1) / math.e)
            cell = f"{cell}. With {k} classes the loss can't fall below log(1 + {k - 1}/e) = {floor:.4f}".lstrip(". ")
    return Finding(remark.cause, remark.where, names, remark.says, evidence, remark.line, remark.reason, cell)


def _outputs(batch: BatchRun) -> int:
    import torch

    with torch.no_grad():
        shape = batch.model(batch.X).shape
    return int(shape[1]) if len(shape) > 1 else 1


def _of_error(batch: BatchRun) -> Finding:
    words = " ".join(str(batch.error).split())[:300].rstrip(".")
    says = (
        f"the model or its loss raises {type(batch.error).__name__}: {words}; "
        f"X is {tuple(batch.X.shape)}, y is {tuple(batch.y.shape)} of {batch.y.dtype}"
    )
    indices = batch.criterion.kind in ("CrossEntropyLoss", "NLLLoss") and batch.y.is_floating_point()
    line = "y.long(): class indices are whole numbers" if indices and batch.y.ndim == 1 else ""
    return Finding("raises", batch.criterion.kind, says=says, line=line)


def _unequal(batch: BatchRun) -> list[Finding]:
    """A target (n,) against an output (n, 1) is stretched to (n, n) without an error."""
    if batch.unequal is None or batch.error is not None:
        return []
    output, target = batch.unequal
    says = f"the model's output is {output} and y is {target}: they are broadcast against each other"
    line = f"y = y.reshape({', '.join(map(str, output))})"
    reason = "L = sum_ij (p_i - y_j)^2/n^2 instead of sum_i (p_i - y_i)^2/n: each output meets every target"
    return [Finding("wrong_shapes", batch.criterion.kind, says=says, line=line, reason=reason)]


def _cut(batch: BatchRun) -> list[Finding]:
    """Parameters that ask for a gradient and get none."""
    none = tuple(name for name, gradient in batch.gradients.items() if gradient is None and name not in batch.frozen)
    if not none or (batch.error is not None and batch.cut is None):
        return []
    where = str(batch.cut) if batch.cut else "forward()"
    says = f"after backward() the .grad of {_some(none)} is None: backpropagation ends in {where}, so they never learn"
    line = f"remove detach() or no_grad() from {where}"
    reason = "detach(), .data, .numpy(), torch.no_grad() and argmax stop backpropagation; so does a layer never called"
    return [Finding("detached", where, none, says, line=line, reason=reason)]


def _measured(batch: BatchRun, layers: list[ModuleLayer]) -> list[Finding]:
    """Compare what backward left with central differences: a backward of the user's own may be wrong."""
    given = {name: gradient for name, gradient in batch.gradients.items() if gradient is not None}
    if not given or not batch.exact:
        return []
    point = {name: batch.parameters[name] for name in given}
    if not np.isfinite(batch.loss(point)):
        says = "the loss on this batch is not a finite number, and neither are its gradients"
        return [Finding("not_finite", batch.criterion.kind, tuple(given), says)]
    report = check_gradients(batch.loss, point, given, directions=3)
    batch.loss(point)
    wrong = tuple(line.name for line in report if not line.correct and line.directions)
    if not wrong:
        return []
    own = ", ".join(str(layer) for layer in layers if layer.kind.startswith("your own")) or batch.criterion.kind
    error = max(line.error for line in report if line.name in wrong)
    says = (
        f"what backward() left for {_some(wrong)} is not the derivative of this loss, by central differences; "
        f"look at {own}: it may have a backward of its own, or detach a part of the computation"
    )
    return [Finding("not_in_catalogue", wrong[0], wrong, says, {"error_before": error})]


def _left_over(model: Any, batch: BatchRun) -> tuple[list[Finding], list[str], list[str]]:
    """Compare the .grad that the model already has with this batch's gradient.

    An integer multiple is a mistake. A fraction is what clipping leaves, a convention. Anything else may be the
    gradient of the last step, before the weights moved, as in every loop that first sets it to zero: that is a note,
    not a mistake.
    """
    found = {} if _differs_in_training(model) else _held_by(model, batch)
    odd = tuple(name for name, held in found.items() if held is not SAME_GRADIENT)
    if not odd:
        return [], [], []
    factors = {found[name].factor for name in odd}
    penalties = [held.penalty for held in found.values() if held.penalty]
    if penalties and all(held.factor == 1.0 for held in found.values()):
        return [], [], [f"right if your loss also has the penalty {penalties[0] / 2:.4g} W^2"]
    fresh = len(odd) < len(found) or (None not in factors and not penalties)
    if not fresh:
        return [], [STALE], []
    everywhere, common = len(odd) == len(found), factors.pop() if len(factors) == 1 else None
    if everywhere and common is not None and not (common >= 2 and common.is_integer()):
        return [], [], [f"right if .grad was multiplied by {common:g} afterwards, as gradient clipping does"]
    return [_accumulated(batch, odd, everywhere, common)], [], []


def _held_by(model: Any, batch: BatchRun) -> "dict[str, _Held]":
    """Each .grad that is there, as a multiple of this batch's gradient and a penalty."""
    found = {}
    for name, parameter in module_parameters(model).items():
        gradient = batch.gradients[name]
        if parameter.grad is not None and gradient is not None and bool((parameter.grad != 0).any()):
            there = parameter.grad.detach().cpu().double().numpy()
            tolerance = SAME.get(parameter.grad.element_size(), 1e-7) if batch.exact else 1e-3
            found[name] = _held(there, gradient, batch.parameters[name], tolerance)
    return found


STALE = (
    ".grad is not this batch's gradient at these weights: it may be that of another batch, or of the weights "
    "before the last step. Call optimizer.zero_grad() before the next backward()"
)


class _Held(NamedTuple):
    """.grad = factor * gradient + penalty * parameter; the factor is None where nothing fits."""

    factor: float | None
    penalty: float


SAME_GRADIENT = _Held(1.0, 0.0)


def _held(there: Array, gradient: Array, parameter: Array, tolerance: float) -> _Held:
    """Fit a .grad by this batch's gradient, and by a penalty on the parameter where that alone does not do."""
    size = float(np.linalg.norm(there))
    if np.isfinite(size) and np.linalg.norm(there - gradient) <= tolerance * size:
        return SAME_GRADIENT
    if not np.isfinite(size) or not gradient.any():
        return _Held(None, 0.0)
    for columns in (gradient[..., None], np.stack([gradient, parameter], axis=-1)):
        matrix = columns.reshape(there.size, -1)
        if matrix.shape[1] > 1 and matrix.shape[1] >= there.size:
            break  # two numbers fit any two
        fitted = np.linalg.lstsq(matrix, there.ravel(), rcond=None)[0]
        if np.linalg.norm(there.ravel() - matrix @ fitted) <= tolerance * size:
            factor, penalty = float(fitted[0]), float(fitted[1]) if len(fitted) > 1 else 0.0
            near = float(round(factor))
            factor = near if abs(factor - near) <= 10 * tolerance * abs(near) else float(f"{factor:.3g}")
            return _Held(factor, penalty)
    return _Held(None, 0.0)


def _differs_in_training(model: Any) -> bool:
    """Whether the model computes another function in training mode than in eval mode: dropout, batch statistics."""
    return any(
        part.training and ("BatchNorm" in type(part).__name__ or ("Dropout" in type(part).__name__ and part.p > 0))
        for part in model.modules()
    )


def _accumulated(batch: BatchRun, odd: tuple[str, ...], everywhere: bool, common: float | None) -> Finding:
    mend = "optimizer.zero_grad() before loss.backward()"
    n = batch.rows
    where = "every parameter" if everywhere else _some(odd)
    evidence = {} if common is None else {"factor": f"{common:g}"}
    if common == n and n > 1 and everywhere:
        says = f".grad holds {n} times the gradient of this loss, and the batch has {n} rows"
        reason = f"it was summed over the rows where the mean belongs, or backward() ran {n} times without zero_grad()"
        line = f'reduction="mean", or {mend}'
        return Finding("factor", where, odd, says, evidence, line, reason, indistinguishable=("accumulates",))
    if common is not None and common >= 2 and common.is_integer():
        says = f".grad holds {common:g} times this batch's gradient"
        reason = f"backward() adds to what is there, and ran {common:g} times since it was last zeroed"
        return Finding("accumulates", where, odd, says, evidence, mend, reason)
    says = f".grad of {_some(odd)} is not this batch's gradient, while that of the others is"
    reason = "backward() adds to what is there, and these were not set to zero: were they passed to the optimizer?"
    return Finding("accumulates", where, odd, says, evidence, mend, reason)


def _of_convention(model: Any, batch: BatchRun, criterion: Criterion) -> tuple[list[Finding], list[str]]:
    """Conventions that are right if they are intended: the sum over the rows, and frozen layers."""
    findings, said = [], []
    if criterion.reduction == "sum" and batch.error is None:
        times = _times_the_mean(model, batch, criterion)
        says = f"reduction='sum' makes every gradient {times:.6g} times that of the mean on this batch"
        reason = "L = sum_i L_i grows with the batch, and the learning rate has to shrink with it; the mean has 1/n"
        names, factor = tuple(batch.gradients), {"factor": f"{times:.6g}"}
        findings.append(Finding("factor", criterion.kind, names, says, factor, 'reduction="mean"', reason))
        said.append(f"right if your loss is the sum over the {batch.rows} samples; the mean needs 1/{times:.6g}")
    if criterion.reduction == "none":
        said.append("reduction='none' leaves a loss for each row; its mean was taken")
    if batch.frozen:
        some = _some(batch.frozen)
        says = f"requires_grad is False for {some}: backward() leaves their .grad None, and no optimizer updates them"
        line = "parameter.requires_grad_(True), unless this is intended"
        findings.append(Finding("frozen", some, batch.frozen, says, line=line))
        said.append(f"right if {some} are frozen on purpose")
    return findings, said


def _times_the_mean(model: Any, batch: BatchRun, criterion: Criterion) -> float:
    """Measure how many times the gradient of the mean this one is."""
    mean = run_batch(model, with_mean(criterion), batch.X, batch.y)
    pairs = [
        (here, there)
        for here, there in zip(batch.gradients.values(), mean.gradients.values(), strict=True)
        if here is not None and there is not None
    ]
    square = sum(float(np.sum(there * there)) for _, there in pairs)
    return sum(float(np.sum(here * there)) for here, there in pairs) / square if square else 1.0


def _figure(number: float) -> str:
    return f"{number:.4g}" if abs(number) > 1e-14 else "0"


def _error(here: Array, there: Array) -> float:
    scale = max(float(np.linalg.norm(here)), float(np.linalg.norm(there)), 1e-300)
    return float(np.linalg.norm(here - there)) / scale


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
