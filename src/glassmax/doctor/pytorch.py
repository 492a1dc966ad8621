"""A PyTorch model, diagnosed: softmax twice, a logarithm that is missing, a sum for a mean, layers that don't learn.

Autograd's gradient is that of the loss as it is written; what goes wrong is what is written. So the layers and the
loss are read first, then one batch is run through a copy and its gradients are held against central differences, and
then the ``.grad`` that the model has already is held against those. `glassmax.diagnose` comes here when it is handed a
torch module; nothing else imports torch.
"""

import math
from typing import Any

import numpy as np

from ..errors import OptionError
from ..functional.arrays import Array
from ..gradcheck import check_gradients
from .pytorch_layers import Criterion, Layer, Remark, criterion_of, layers_of, remarks_on
from .pytorch_run import Run, run, tensors_of, without_layers
from .report import Diagnosis, Finding

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
    """Diagnose a PyTorch model with its loss on a batch.

    Parameters
    ----------
    model : torch.nn.Module
        Best a Sequential, whose layers can be read; neither it nor its ``.grad`` is changed.
    X, y : tensor or array
        A batch, as the training hands it to the model and the loss.
    loss : callable
        The criterion, as ``nn.CrossEntropyLoss()``, or a function ``loss(output, target)``.

    Returns
    -------
    Diagnosis
        "wrong" for layers that don't fit the loss, a way back that is cut, gradients that are left over; "correct under
        another convention" for a sum in place of the mean and for layers that are frozen, which may be meant.

    Raises
    ------
    OptionError
        If the data or the loss are missing.
    """
    criterion = criterion_of(loss)
    X, y = tensors_of(X, y, criterion)
    layers = layers_of(model)
    batch = run(model, criterion, X, y)
    remarks = remarks_on(layers, criterion)
    findings = [_of_remark(remark, model, batch) for remark in remarks if remark.cause]
    conventions = [remark.reason for remark in remarks if not remark.cause]
    if batch.error is not None and not (findings or batch.cut or batch.frozen):
        findings.append(_of_error(batch, layers))
    findings += _unequal(batch) + _cut(batch)
    if batch.error is None:
        findings += _measured(batch) + _left_over(model, batch)
    harmless, said = _of_convention(batch, criterion, layers)
    wrong = bool(findings)
    verdict = "wrong" if wrong else "correct under another convention" if harmless else "correct"
    return Diagnosis(
        verdict=verdict,
        findings=tuple(findings + harmless),
        first_wrong=None,
        conventions=tuple(conventions + said),
    )


def _of_remark(remark: Remark, model: Any, batch: Run) -> Finding:
    """Turn what the layers say into a finding, with the gradients as they are and as they would be."""
    evidence: dict[str, Any] = {}
    cell = ""
    names = [name for name, gradient in batch.gradients.items() if gradient is not None]
    if remark.without and names and batch.error is None:
        other = run(without_layers(model, remark.without), batch.criterion, batch.X, batch.y)
        last = names[-1] if batch.gradients[names[-1]] is not None else names[0]
        here, there = batch.gradients[last], other.gradients[last]
        if here is not None and there is not None:
            evidence = {"error before": _error(here, there), "error after": 0.0}
            at = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.abs(here - there))), here.shape))
            index = ", ".join(map(str, at))
            cell = f"{last}.grad[{index}] is {here[at]:.4g}; without {remark.where} it is {there[at]:.4g}"
    if remark.cause == "softmax_twice" and batch.criterion.kind in ("CrossEntropyLoss", "NLLLoss"):
        k = _outputs(batch)
        if k > 1:
            floor = math.log1p((k - 1) / math.e)
            cell = f"{cell}. With {k} classes the loss can't fall below log(1 + {k - 1}/e) = {floor:.4f}".lstrip(". ")
    return _finding(remark.cause, remark.where, tuple(names), evidence, remark.line, remark.reason, cell)


def _outputs(batch: Run) -> int:
    import torch

    with torch.no_grad():
        shape = batch.model(batch.X).shape
    return int(shape[1]) if len(shape) > 1 else 1


def _of_error(batch: Run, layers: list[Layer]) -> Finding:
    words = " ".join(str(batch.error).split())[:300]
    shapes = f"X is {tuple(batch.X.shape)}, y is {tuple(batch.y.shape)} of {batch.y.dtype}."
    reason = f"The model or its loss raises {type(batch.error).__name__}: {words}. {shapes}"
    return _finding("raises", batch.criterion.kind, (), {}, "", reason)


def _unequal(batch: Run) -> list[Finding]:
    """A target (n,) against an output (n, 1) is stretched to (n, n) without an error."""
    if batch.unequal is None or batch.error is not None:
        return []
    output, target = batch.unequal
    return [
        _finding(
            "wrong_shapes",
            batch.criterion.kind,
            (),
            {},
            f"pass y of shape {output}, as y.reshape({', '.join(map(str, output))})",
            f"The model's output is {output} and y is {target}: they are stretched against one another, so every "
            "output is compared with every target.",
        )
    ]


def _cut(batch: Run) -> list[Finding]:
    """Parameters that ask for a gradient and get none."""
    none = tuple(
        name for name, gradient in batch.gradients.items() if gradient is None and name not in batch.frozen
    )
    if not none or (batch.error is not None and batch.cut is None):
        return []
    where = str(batch.cut) if batch.cut else "the forward pass"
    reason = (
        f"After backward() the .grad of {_some(none)} is None: nothing is recorded behind {where}, so what lies "
        "below never learns. detach(), .data, .numpy(), torch.no_grad() and argmax cut the way back."
    )
    return [_finding("detached", where, none, {}, f"take the detach() or no_grad() out of {where}", reason)]


def _measured(batch: Run) -> list[Finding]:
    """Hold what backward left against central differences: a backward of the user's own may be wrong."""
    given = {name: gradient for name, gradient in batch.gradients.items() if gradient is not None}
    if not given:
        return []
    point = {name: batch.parameters[name] for name in given}
    if not np.isfinite(batch.loss(point)):
        reason = "The loss on this batch is not a finite number, and neither are its gradients."
        return [_finding("not_finite", batch.criterion.kind, tuple(given), {}, "", reason)]
    report = check_gradients(batch.loss, point, given, directions=3)
    batch.loss(point)
    wrong = tuple(line.name for line in report if not line.correct and line.directions)
    if not wrong:
        return []
    error = max(line.error for line in report if line.name in wrong)
    reason = (
        f"What backward() left for {_some(wrong)} is not the derivative of this loss: central differences disagree. "
        "A layer or a loss with a backward of its own, or with detach() on a part of the way, is the place to look."
    )
    return [_finding("not_in_catalogue", wrong[0], wrong, {"error before": error}, "", reason)]


def _left_over(model: Any, batch: Run) -> list[Finding]:
    """Hold the .grad that the model came with against this batch's gradient."""
    found: dict[str, float | None] = {}
    tolerance = 1e-7
    for name, parameter in model.named_parameters():
        gradient = batch.gradients[name]
        if parameter.grad is None or gradient is None or not bool((parameter.grad != 0).any()):
            continue
        there = parameter.grad.detach().cpu().double().numpy()
        tolerance = SAME.get(parameter.grad.element_size(), 1e-7)
        found[name] = _multiple(there, gradient, tolerance)
    odd = tuple(name for name, factor in found.items() if factor is None or abs(factor - 1) > tolerance)
    if not odd:
        return []
    factors = {factor for name in odd if (factor := found[name]) is not None}
    common = sum(factors) / len(factors) if factors and all(found[name] is not None for name in odd) else None
    if common is not None and max(factors) - min(factors) > 2 * tolerance * abs(common):
        common = None
    return [_accumulated(batch, odd, found, common)]


def _accumulated(batch: Run, odd: tuple[str, ...], found: dict[str, float | None], common: float | None) -> Finding:
    mend = "optimizer.zero_grad() before loss.backward()"
    n, everywhere = len(batch.X), len(odd) == len(found)
    if common is not None and everywhere and abs(common - n) < 1e-3 * n and n > 1:
        reason = (
            f".grad holds {n} times the gradient of this loss, and the batch has {n} rows: either it was summed over "
            f"the rows where the mean belongs, or backward() ran {n} times without zero_grad()."
        )
        evidence = {"fitted factor": common, "error after": 0.0}
        return _finding("factor", "every parameter", odd, evidence, 'reduction="mean"', reason, other=("accumulates",))
    if common is not None and common > 1.5 and abs(common - round(common)) < 1e-3 * common:
        times = round(common)
        reason = (
            f".grad holds {times} times this batch's gradient: backward() adds to what is there, and ran {times} times "
            "since it was last zeroed."
        )
        return _finding("accumulates", _some(odd), odd, {"fitted factor": common, "error after": 0.0}, mend, reason)
    if common is not None and everywhere:
        reason = f".grad is {common:.6g} times the gradient of this loss, for every parameter: a scaled loss, or clipping."
        return _finding("factor", "every parameter", odd, {"fitted factor": common, "error after": 0.0}, mend, reason)
    reason = (
        f".grad of {_some(odd)} holds something else than this batch's gradient at these weights: that of another batch, "
        "of earlier weights, or the sum of several. The next backward() adds to it."
    )
    return _finding("accumulates", _some(odd), odd, {}, mend, reason)


def _of_convention(batch: Run, criterion: Criterion, layers: list[Layer]) -> tuple[list[Finding], list[str]]:
    """What is right if it is meant: the sum over the rows, and layers that stay as they are."""
    findings, said = [], []
    n = len(batch.X)
    if criterion.reduction == "sum" and n > 1:
        reason = (
            f"reduction='sum' adds the losses of the rows: every gradient is {n} times that of the mean on this batch, "
            "and grows with the batch. The learning rate has to shrink with it."
        )
        names = tuple(batch.gradients)
        findings.append(
            _finding("factor", criterion.kind, names, {"fitted factor": float(n)}, 'reduction="mean"', reason)
        )
        said.append(f"right if your loss is the sum over the {n} samples; the mean needs 1/{n}")
    if criterion.reduction == "none":
        said.append("reduction='none' leaves a loss for each row; its mean was taken")
    if batch.frozen:
        reason = (
            f"requires_grad is False for {_some(batch.frozen)}: backward() leaves their .grad None and no optimizer "
            "moves them."
        )
        line = "parameter.requires_grad_(True), unless this is meant"
        findings.append(_finding("frozen", _some(batch.frozen), batch.frozen, {}, line, reason))
        said.append(f"right if {_some(batch.frozen)} are frozen on purpose and stay as they are")
    return findings, said


def _finding(
    cause: str,
    where: str,
    parameters: tuple[str, ...],
    evidence: dict[str, Any],
    line: str,
    reason: str,
    cell: str = "",
    other: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        cause=cause,
        where=where,
        parameters=parameters,
        evidence=evidence,
        line=line,
        reason=reason,
        cell=cell,
        indistinguishable=other,
    )


def _multiple(there: Array, gradient: Array, tolerance: float) -> float | None:
    """Return c if there = c gradient, else None."""
    square = float(np.sum(gradient * gradient))
    if square == 0 or not np.isfinite(there).all():
        return None
    factor = float(np.sum(there * gradient)) / square
    left = float(np.linalg.norm(there - factor * gradient))
    return factor if left <= tolerance * max(float(np.linalg.norm(there)), 1e-300) else None


def _error(here: Array, there: Array) -> float:
    scale = max(float(np.linalg.norm(here)), float(np.linalg.norm(there)), 1e-300)
    return float(np.linalg.norm(here - there)) / scale


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
