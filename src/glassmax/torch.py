"""A softmax layer with very many classes as the last layer of a PyTorch network, on the CPU, without an (n, k) array.

This module needs PyTorch: ``pip install 'glassmax[torch]'``. No other module of glassmax imports it.
"""

from typing import Any

import numpy as np

from .engine import Engine, LayerResult, best_engine
from .engine.softmax_layer import Gradients
from .errors import OptionError, ShapeError, one_of
from .functional.arrays import Array
from .functional.targets import Reduction

try:
    import torch
except ImportError as error:
    message = "glassmax.torch needs PyTorch, which is not installed. Install it with: pip install 'glassmax[torch]'"
    raise ImportError(message, name="torch") from error

__all__ = ["linear_softmax_cross_entropy"]


def linear_softmax_cross_entropy(
    input: "torch.Tensor",
    weight: "torch.Tensor",
    target: Any,
    *,
    bias: "torch.Tensor | None" = None,
    class_weight: "torch.Tensor | None" = None,
    sample_weight: "torch.Tensor | None" = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    temperature: float = 1.0,
    reduction: Reduction = "mean",
    memory_limit: int = 128_000_000,
) -> "torch.Tensor":
    """Return the cross-entropy of a linear layer's softmax, without the logits of all classes in memory.

    ::

        Z = input weight^T + bias        U = softcap tanh(Z / (temperature softcap))
        L_i = - sum_c Y_ic log softmax(U_i)_c + z_loss (log sum_c exp U_ic)^2

    A replacement for `torch.nn.functional.linear_cross_entropy`, and for ``cross_entropy(linear(input, weight, bias),
    target)``, where the classes are so many that their logits fill the memory. CPU only.

    Parameters
    ----------
    input : (..., d) tensor of float32 or float64
        The output of the network below.
    weight : (k, d) tensor
        Weight of a `torch.nn.Linear` or a `torch.nn.Embedding`, in the dtype of `input`. The embedding may be that of
        the network's inputs too.
    target : (...) tensor of class indices, or (n, k) SciPy CSR matrix of soft labels
        If it is a CSR matrix, `input` must be (n, d).
    bias : (k,) tensor, optional
        In the dtype of `input`; none by default.
    class_weight : (k,) tensor, optional
        >= 0: the weight of each class. The loss of a row is multiplied by the weight of its class.
    sample_weight : (...) tensor, optional
        >= 0: the weight of each row. If `class_weight` is given too, both are multiplied.
    ignore_index : int, default=-100
        Rows with this label are left out: their losses and gradients are 0.
    label_smoothing : float, default=0.0
        In [0, 1]: the share of each label that is spread evenly over all classes. Not allowed with `class_weight`.
    z_loss : float, default=0.0
        >= 0: factor of the squared log-sum-exp of a row's logits, which is added to the loss of the row.
    softcap : float, optional
        > 0: bounds the logits to [-softcap, softcap]; unbounded by default.
    temperature : float, default=1.0
        > 0: divides the logits, before the softcap.
    reduction : {"mean", "sum", "none"}, default="mean"
        "mean" divides by the sum of the rows' weights. If every row is ignored, the mean is NaN and the gradients are
        0, as in PyTorch.
    memory_limit : int, default=128_000_000
        Bytes, >= 16,000,000: about the maximum that a call allocates beyond tensors and gradients.

    Returns
    -------
    loss : scalar tensor, or (...) tensor for ``reduction="none"``
        In the dtype of `input`.

    Raises
    ------
    OptionError
        If a tensor is not on the CPU, or has another dtype than `input`; if an option is out of range.
    ShapeError, LabelError
        If the shapes don't fit together, or a label is out of range.

    Notes
    -----
    **When gradients are computed.** With "mean" and "sum", the gradients are computed in the forward pass, and the
    backward pass multiplies them by the gradient of the loss. With "none", they are computed in the backward pass. A
    tensor without ``requires_grad`` costs no gradient. A second backward pass through the same loss
    (``retain_graph=True``) computes the gradients again. Second derivatives raise an error.

    **Copies.** Contiguous tensors and transposes of contiguous tensors are read without a copy, and gradients are
    returned without one.

    **Cost.** 2 n d k flops for the loss alone; with gradients about 6 n d k, and up to 8 n d k if the exponentials of a
    few hundred rows exceed `memory_limit`. The number of threads is that of `torch.get_num_threads`. The result has the
    same bits for any number of threads and any `memory_limit`.

    `torch.compile` ends the compiled graph before this function and begins another one after it. `torch.func` doesn't
    support it.

    Source: Wijmans et al., "Cut your losses in large-vocabulary language models" (2025), and the sources of
    `glassmax.functional.linear_softmax_cross_entropy`.

    Examples
    --------
    >>> import torch
    >>> from glassmax.torch import linear_softmax_cross_entropy
    >>> weight = torch.nn.Parameter(torch.zeros(1000, 8))
    >>> loss = linear_softmax_cross_entropy(torch.ones(4, 8), weight, torch.tensor([3, 1, 4, 1]))
    >>> loss.backward()
    >>> round(loss.item(), 4), tuple(weight.grad.shape)
    (6.9078, (1000, 8))
    """
    one_of("reduction", reduction, ("mean", "sum", "none"))
    _check_tensors({"input": input, "weight": weight, "bias": bias}, input)
    if weight.ndim != 2 or input.ndim == 0 or input.shape[-1] != weight.shape[1]:
        shapes = f"input is {tuple(input.shape)} and weight {tuple(weight.shape)}"
        raise ShapeError(f"{shapes}, expected (..., d) and (k, d): weight is as torch.nn.Linear has it.")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(f"bias is {tuple(bias.shape)}, expected ({len(weight)},): one number for each class.")
    rows = input.shape[:-1]
    labels = target if hasattr(target, "tocsr") else _labels(target, rows)
    options = {
        "sample_weight": _row_weights(labels, class_weight, sample_weight, len(weight), label_smoothing),
        "ignore_index": None if hasattr(target, "tocsr") else ignore_index,
        "label_smoothing": label_smoothing,
        "z_loss": z_loss,
        "softcap": softcap,
        "temperature": temperature,
        "reduction": reduction,
    }
    engine = best_engine(torch.get_num_threads(), memory_limit)
    call = _Call(engine, labels, options, torch.is_grad_enabled())
    loss = _LinearSoftmaxCrossEntropy.apply(input.reshape(-1, input.shape[-1]), weight, bias, call)
    return loss.reshape(rows) if reduction == "none" else loss


class _Call:
    """The arguments of a call other than its tensors."""

    def __init__(self, engine: Engine, labels: Any, options: dict[str, Any], graph: bool) -> None:
        self.engine, self.labels, self.options, self.graph = engine, labels, options, graph

    def run(self, tensors: Any, gradients: Gradients, dL: Any = None) -> LayerResult:
        """Compute the loss and the gradients, reading the memory of the tensors without a copy where possible."""
        input, weight, bias = tensors
        by_class = weight.is_contiguous() or not weight.t().is_contiguous()
        A = input.detach().contiguous().numpy()
        W = (weight if by_class else weight.t()).detach().contiguous().numpy()
        b = None if bias is None else bias.detach().contiguous().numpy()
        result = self.engine.linear_softmax_cross_entropy(
            A, W, b, self.labels, **self.options, dL=dL, transposed=by_class, gradients=gradients
        )
        return result if by_class or result.dW is None else result._replace(dW=result.dW.T)


class _LinearSoftmaxCrossEntropy(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, input: Any, weight: Any, bias: Any, call: _Call) -> Any:
        later = call.options["reduction"] == "none" or not call.graph
        result = call.run((input, weight, bias), () if later else _needed(ctx))
        ctx.call, ctx.found = call, None if later else result[1:]
        ctx.save_for_backward(input, weight, bias)
        return torch.as_tensor(result.loss, dtype=input.dtype)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> Any:
        tensors = ctx.saved_tensors  # an error in a second pass without retain_graph
        (found, ctx.found), factor = (ctx.found, None), 1.0
        if found is None:
            found = ctx.call.run(tensors, _needed(ctx), dL.detach().double().numpy())[1:]
        else:
            factor = dL.item()
        gradients = [None if gradient is None else torch.from_numpy(gradient) for gradient in found]
        for gradient in gradients:
            if gradient is not None and factor != 1:
                gradient *= factor
        if torch.is_grad_enabled():  # create_graph=True
            gradients = [None if g is None else _Once.apply(g, dL, *tensors) for g in gradients]
        return *gradients, None


class _Once(torch.autograd.Function):  # type: ignore[misc]
    """A gradient as a function without a derivative: a second derivative raises an error and is never silently 0."""

    @staticmethod
    def forward(ctx: Any, gradient: Any, *tensors: Any) -> Any:
        return gradient.view_as(gradient)

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise RuntimeError(
            "linear_softmax_cross_entropy has no second derivative. Where one is needed, use "
            "torch.nn.functional.cross_entropy(torch.nn.functional.linear(input, weight, bias), target)."
        )


def _needed(ctx: Any) -> tuple[str, ...]:
    return tuple(name for name, needed in zip(("dA", "dW", "db"), ctx.needs_input_grad, strict=False) if needed)


def _check_tensors(tensors: dict[str, Any], like: Any) -> None:
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        if not isinstance(tensor, torch.Tensor):
            raise OptionError(parameter=name, came=f"a {type(tensor).__name__}", expected="a tensor")
        if tensor.device.type != "cpu":
            remedy = f"Move it: {name}.cpu()."
            raise OptionError(parameter=name, came=f"on {tensor.device}", expected="on the CPU", remedy=remedy)
        if tensor.layout != torch.strided:
            raise OptionError(parameter=name, came=str(tensor.layout), expected="a dense tensor")
        if tensor.dtype not in (torch.float32, torch.float64):
            remedy = f"Convert it: {name}.float()."
            expected = "torch.float32 or torch.float64"
            raise OptionError(parameter=name, came=str(tensor.dtype), expected=expected, remedy=remedy)
        if tensor.dtype != like.dtype:
            raise OptionError(parameter=name, came=str(tensor.dtype), expected=f"{like.dtype}, as input is")


def _labels(target: Any, rows: tuple[int, ...]) -> Array:
    if not isinstance(target, torch.Tensor):
        raise OptionError(parameter="target", came=f"a {type(target).__name__}", expected="a tensor or a CSR matrix")
    if target.device.type != "cpu":
        raise OptionError(
            parameter="target", came=f"on {target.device}", expected="on the CPU", remedy="Move it: target.cpu()."
        )
    if target.dtype.is_floating_point or target.dtype.is_complex or target.dtype == torch.bool:
        expected = "a tensor of class indices, torch.int64"
        raise OptionError(
            parameter="target", came=str(target.dtype), expected=expected,
            remedy="Pass soft labels as a SciPy CSR matrix.",
        )  # fmt: skip
    if target.shape != rows:
        raise ShapeError(f"target is {tuple(target.shape)}, expected {tuple(rows)}: one class index for each row.")
    labels: Array = target.detach().reshape(-1).to(torch.int64).numpy()
    return labels


def _row_weights(labels: Any, class_weight: Any, sample_weight: Any, k: int, label_smoothing: float) -> Array | None:
    """Return the weight of each row, or None if every weight is 1."""
    weights = {"class_weight": class_weight, "sample_weight": sample_weight}
    for name, tensor in weights.items():
        if tensor is None:
            continue
        if not isinstance(tensor, torch.Tensor) or tensor.device.type != "cpu":
            raise OptionError(parameter=name, came=repr(tensor), expected="a tensor on the CPU")
        if tensor.requires_grad:
            expected = "a tensor that needs no gradient"
            raise OptionError(parameter=name, came="a tensor with requires_grad=True", expected=expected)
    of_rows: Array | None = None if sample_weight is None else sample_weight.double().reshape(-1).numpy()
    if class_weight is None:
        return of_rows
    if label_smoothing:
        raise OptionError(
            "class_weight and label_smoothing can't be combined: PyTorch weights each class over which a label is "
            "spread, but this function weights whole rows. To weight whole rows, pass "
            "sample_weight=class_weight[target].",
            parameter="class_weight",
        )
    if hasattr(labels, "tocsr"):
        raise OptionError(parameter="class_weight", came="given", expected="None for soft labels: pass sample_weight")
    if class_weight.shape != (k,):
        raise ShapeError(f"class_weight is {tuple(class_weight.shape)}, expected ({k},): one weight for each class.")
    of_classes = np.take(class_weight.double().numpy(), labels, mode="clip")  # a label out of range is an error later
    return of_classes if of_rows is None else of_classes * of_rows


def __dir__() -> list[str]:
    return __all__
