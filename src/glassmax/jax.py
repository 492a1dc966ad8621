"""A softmax layer with very many classes as the last layer of a JAX network, on the CPU, without an (n, k) array.

This module needs JAX: ``pip install 'glassmax[jax]'``. No other module of glassmax imports it.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .engine import best_engine
from .engine.softmax_layer import GRADIENTS
from .errors import OptionError, ShapeError, one_of
from .functional.losses.layer_arguments import check_layer_options
from .functional.targets import Reduction

try:
    import jax
    import jax.numpy as jnp
    from jax.experimental.buffer_callback import buffer_callback
except ImportError as error:
    message = (
        "glassmax.jax needs JAX 0.6 or newer, which is not installed. Install it with: pip install 'glassmax[jax]'"
    )
    raise ImportError(message, name="jax") from error

__all__ = ["linear_softmax_cross_entropy"]


class _Options(NamedTuple):
    """The options, which are fixed when a call is traced."""

    label_smoothing: float
    z_loss: float
    softcap: float | None
    temperature: float
    ignore_index: int | None
    reduction: Reduction
    memory_limit: int
    n_threads: int | None

    def of_engine(self) -> dict[str, Any]:
        """Return the keyword arguments for the call of an engine."""
        return {name: value for name, value in self._asdict().items() if name not in ("memory_limit", "n_threads")}


def linear_softmax_cross_entropy(
    A: "jax.Array",
    W: "jax.Array",
    b: "jax.Array | None",
    target: "jax.Array",
    *,
    sample_weight: "jax.Array | None" = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    temperature: float = 1.0,
    reduction: Reduction = "mean",
    memory_limit: int = 128_000_000,
    n_threads: int | None = None,
) -> "jax.Array":
    """Return the cross-entropy of a linear layer's softmax, without the logits of all classes in memory.

    ::

        Z = A W + b        U = softcap tanh(Z / (temperature softcap))
        L_i = - log softmax(U_i)_y + z_loss (log sum_c exp U_ic)^2

    where y is the class of row i. Without a softcap, ``U = Z / temperature``.

    It works under `jax.jit` and `jax.grad`, and under `jax.vmap`, which calls it once for each entry of the batch. CPU
    only.

    Parameters
    ----------
    A : (..., d) array of float32 or float64
        The output of the network below.
    W : (d, k) array
        Weights, in the dtype of A.
    b : (k,) array or None
        Biases, in the dtype of A; None for a layer without.
    target : (...) array of class indices
    sample_weight : (...) array, optional
        >= 0: the weight of each row. Differentiating by it raises an error.
    ignore_index : int, optional
        Rows with this label are left out: their losses and gradients are 0.
    label_smoothing : float, default=0.0
        In [0, 1]: the share of each label that is spread evenly over all classes.
    z_loss : float, default=0.0
        >= 0: factor of the squared log-sum-exp of a row's logits, which is added to the loss of the row.
    softcap : float, optional
        > 0: bounds the logits to [-softcap, softcap]; unbounded by default.
    temperature : float, default=1.0
        > 0: divides the logits, before the softcap.
    reduction : {"mean", "sum", "none"}, default="mean"
        "mean" divides by the sum of the rows' weights. If every row is ignored, the mean is NaN and the gradients are
        0.
    memory_limit : int, default=128_000_000
        Bytes, >= 16,000,000: about the maximum that a call allocates beyond arrays and gradients.
    n_threads : int, optional
        >= 1; by default the number of processors.

    Returns
    -------
    loss : scalar array, or (...) array for ``reduction="none"``
        In the dtype of A.

    Raises
    ------
    OptionError, ShapeError
        If an array has another dtype than A, if the shapes don't fit together, or if an option is out of range.
    jax.errors.JaxRuntimeError
        If a label or a weight is out of range, which is found only when the traced program runs. The message contains
        that of the `LabelError`.

    Notes
    -----
    The function is a `jax.custom_vjp` around a callback that works on JAX's own buffers; only the labels are copied.
    The options are fixed when a function is traced.

    **When gradients are computed.** With "mean" and "sum", the gradients are computed in the forward pass, and the
    backward pass multiplies them by the derivative of the loss. With "none", they are computed in the backward pass.
    Only the gradients that JAX asks for are computed. For second derivatives and forward mode (`jax.jvp`), JAX raises
    an error.

    **Cost.** 2 n d k flops for the loss alone; with gradients about 6 n d k, and up to 8 n d k if the exponentials of a
    few hundred rows exceed `memory_limit`. The result has the same bits for any number of threads and any
    `memory_limit`.

    Source: Wijmans et al., "Cut your losses in large-vocabulary language models" (2025), and the sources of
    `glassmax.functional.linear_softmax_cross_entropy`.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from glassmax.jax import linear_softmax_cross_entropy
    >>> A, W, b, y = jnp.ones((4, 8)), jnp.zeros((8, 1000)), jnp.zeros(1000), jnp.array([3, 1, 4, 1])
    >>> loss, (dW, db) = jax.value_and_grad(linear_softmax_cross_entropy, argnums=(1, 2))(A, W, b, y)
    >>> round(float(loss), 4), dW.shape, db.shape
    (6.9078, (8, 1000), (1000,))
    """
    one_of("reduction", reduction, ("mean", "sum", "none"))
    check_layer_options(label_smoothing, z_loss, softcap, temperature, ignore_index)
    A, W, target = jnp.asarray(A), jnp.asarray(W), jnp.asarray(target)
    b = None if b is None else jnp.asarray(b)
    _check(A, W, b, target)
    rows = A.shape[:-1]
    weight = None if sample_weight is None else jnp.asarray(sample_weight)
    if weight is not None and weight.shape != rows:
        raise ShapeError(f"sample_weight has shape {weight.shape}, expected {rows}: one number a row.")
    options = _Options(label_smoothing, z_loss, softcap, temperature, ignore_index, reduction, memory_limit, n_threads)
    flat = A.reshape(-1, A.shape[-1]), W, b, target.reshape(-1), None if weight is None else weight.reshape(-1)
    loss = _loss(options, *flat)
    return loss.reshape(rows) if reduction == "none" else loss


def _check(A: Any, W: Any, b: Any, target: Any) -> None:
    for name, array in {"A": A, "W": W, "b": b}.items():
        if array is not None and array.dtype not in (jnp.float32, jnp.float64):
            raise OptionError(parameter=name, came=str(array.dtype), expected="float32 or float64")
        if array is not None and array.dtype != A.dtype:
            raise OptionError(parameter=name, came=str(array.dtype), expected=f"{A.dtype}, as A is")
    if not jnp.issubdtype(target.dtype, jnp.integer):
        raise OptionError(parameter="target", came=str(target.dtype), expected="an array of class indices")
    if W.ndim != 2 or A.ndim == 0 or A.shape[-1] != W.shape[0]:
        raise ShapeError(f"A is {A.shape} and W {W.shape}, expected (..., d) and (d, k).")
    if b is not None and b.shape != W.shape[1:]:
        raise ShapeError(f"b is {b.shape}, expected {W.shape[1:]}: one number for each class.")
    if target.shape != A.shape[:-1]:
        raise ShapeError(f"target is {target.shape}, expected {A.shape[:-1]}: one class index for each row.")


def _run(
    options: _Options, arrays: tuple[Any, ...], wanted: tuple[str, ...], dL: Any = None
) -> tuple[Any, dict[str, Any]]:
    """Return the loss and the requested gradients, as arrays that the engine fills when the program runs."""
    A = arrays[0]
    shape = (len(A),) if options.reduction == "none" else ()
    found = {name: like for name, like in zip(GRADIENTS, arrays, strict=False) if name in wanted and like is not None}
    results = [
        jax.ShapeDtypeStruct(shape, A.dtype),
        {name: jax.ShapeDtypeStruct(a.shape, a.dtype) for name, a in found.items()},
    ]

    def fill(_: Any, out: Any, arrays: Any, dL: Any) -> None:
        A, W, b, target, weight = (None if array is None else np.asarray(array) for array in arrays)
        assert A is not None
        assert W is not None
        loss, gradients = np.asarray(out[0]), {name: np.asarray(buffer) for name, buffer in out[1].items()}
        engine = best_engine(options.n_threads, options.memory_limit)
        result = engine.linear_softmax_cross_entropy(
            A, W, b, target, sample_weight=weight, dL=None if dL is None else np.asarray(dL), gradients=gradients,
            **options.of_engine(),
        )  # fmt: skip
        loss[...] = result.loss

    loss, gradients = buffer_callback(fill, results, vmap_method="sequential")(arrays, dL)
    return loss, gradients


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _loss(options: _Options, *arrays: Any) -> Any:
    return _run(options, arrays, ())[0]


def _forward(options: _Options, *primals: Any) -> tuple[Any, Any]:
    arrays = tuple(None if primal is None else primal.value for primal in primals)
    if primals[4] is not None and primals[4].perturbed:
        raise OptionError(parameter="sample_weight", came="differentiated", expected="a constant")
    wanted = tuple(name for name, p in zip(GRADIENTS, primals, strict=False) if p is not None and p.perturbed)
    if options.reduction == "none":
        return _run(options, arrays, ())[0], (arrays, dict.fromkeys(wanted))
    return _run(options, arrays, wanted)


def _backward(options: _Options, kept: Any, dL: Any) -> tuple[Any, ...]:
    if options.reduction == "none":
        arrays, wanted = kept
        found = _run(options, arrays, tuple(wanted), dL)[1]
    else:
        found = {name: dL * gradient for name, gradient in kept.items()}
    return *(found.get(name) for name in GRADIENTS), None, None


_loss.defvjp(_forward, _backward, symbolic_zeros=True)


def __dir__() -> list[str]:
    return __all__
