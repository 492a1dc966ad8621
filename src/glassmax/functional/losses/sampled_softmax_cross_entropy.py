"""Sampled softmax: an approximation of the cross-entropy of an affine layer from a few classes drawn at random."""

from __future__ import annotations  # help() shows these names instead of what they stand for

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ShapeError
from ..arrays import Array
from ..proposals import Drawn, draw_classes
from ..softmax import exponentials
from ..targets import Reduction
from .class_chunks import Layer
from .layer_arguments import Rows, read_layer
from .softmax_cross_entropy import softmax_cross_entropy_dZ, softmax_cross_entropy_rows

__all__ = ["sampled_softmax_cross_entropy", "sampled_softmax_cross_entropy_vjp"]


def sampled_softmax_cross_entropy(
    A: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike | None,
    target: npt.ArrayLike,
    *,
    samples: int,
    proposal: str | npt.ArrayLike = "log_uniform",
    seed: int = 0,
    step: int = 0,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Estimate the cross-entropy of softmax of an affine layer from the true class and some classes drawn at random.

    ::

        Z = A W + b
        L_i = log(exp(Z_iy) + sum_{c drawn, c != y} n_c / (s Q_c) exp(Z_ic)) - Z_iy

    where y is the class of row i, s the number of draws, ``n_c`` the number of times that c was drawn, and ``Q_c`` the
    probability of c in one draw. All rows share the drawn classes.

    Parameters
    ----------
    A : (..., d) array
        The inputs of the layer; rows are samples.
    W : (d, k) array
        Weights: one column for each class.
    b : (k,) array or None
        Biases; None for a layer without.
    target : (...,) array
        Class indices 0..k-1.
    samples : int
        >= 1: the number of draws s, with replacement.
    proposal : "log_uniform" or (k,) array, default="log_uniform"
        How often each class is drawn: "log_uniform" for classes that are numbered by falling frequency, or a frequency
        > 0 for each class. The bias is smallest if classes are drawn in proportion to their probability; see Notes.
    seed, step : int, default=0
        In [0, 2^64): the draws are a function of both. Pass the number of the training step as `step`, so that each
        step has its own draws.
    sample_weight, reduction
        As for `linear_softmax_cross_entropy`.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0. On average below the exact loss; see Notes.

    Raises
    ------
    ShapeError
        If the shapes don't fit, or the target holds rows.
    LabelError
        If a target, a weight or a frequency is out of range.
    OptionError
        If an option is out of range.

    See Also
    --------
    linear_softmax_cross_entropy : The exact loss.

    Notes
    -----
    **Bias.** The estimate of the sum over the classes has no bias: the true class is counted exactly, and left out of
    the drawn ones. Its logarithm has a bias: by Jensen's inequality, the loss is too small on average. With many draws,
    the bias of loss and gradient is in proportion to 1/s; the wider the logits spread, the more draws are needed. This
    was measured for 64 rows, d = 8, 200 classes whose frequencies follow Zipf's law, and the log-uniform proposal. If
    the logits have a standard deviation of 0.6, the average gradient of W is off by 5, 1.5 and 0.4 % of its length
    with 16, 64 and 256 draws; if it is 1.7, by 34, 25 and 15 %. A single gradient is off by more, because it is
    random. Compute the loss of a trained network with `linear_softmax_cross_entropy`.

    Cost: 2 (n s + n) d flops instead of 2 n d k.
    Source: Bengio & Senécal, "Adaptive importance sampling to accelerate training of a neural probabilistic language
    model" (2008); Jean et al., "On using very large target vocabulary for neural machine translation" (2015), section
    3.2; the correction of the logits of drawn classes alone: Rawat et al., "Sampled softmax with random Fourier
    features" (2019), equations 5 and 6.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> A, W, y = draw.standard_normal((4, 3)), draw.standard_normal((3, 1000)), [0, 2, 5, 100]
    >>> estimates = [sampled_softmax_cross_entropy(A, W, None, y, samples=200, step=step) for step in range(3)]
    >>> [round(float(estimate), 2) for estimate in estimates]
    [7.43, 7.67, 7.49]
    """
    layer, rows = _read(A, W, b, target, sample_weight, reduction)
    V, _ = _logits(layer, draw_classes(layer.k, samples, proposal, seed, step))
    return rows.reduced(softmax_cross_entropy_rows(exponentials(V), np.zeros(len(V), np.intp)))


def sampled_softmax_cross_entropy_vjp(
    dL: npt.ArrayLike,
    A: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike | None,
    target: npt.ArrayLike,
    *,
    samples: int,
    proposal: str | npt.ArrayLike = "log_uniform",
    seed: int = 0,
    step: int = 0,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> tuple[Array, Any, Array | None]:
    """Pull dL back through the sampled softmax: the exact derivative of the estimate.

    ::

        dZ_ic = R_ic - delta_cy  (times dL w_i / sum w)        R: softmax over the true and the drawn classes
        dA = dZ Wᵀ            dW = Aᵀ dZ            db = column sums of dZ

    Parameters
    ----------
    dL
        As for `cross_entropy_vjp`.
    A, W, b, target, samples, proposal, seed, step, sample_weight, reduction
        As for `sampled_softmax_cross_entropy`. The same seed and step draw the same classes.

    Returns
    -------
    dA : (..., d) array
        dL/dA; 0 in rows of weight 0.
    dW : (d, k) SciPy csc_array
        dL/dW, with entries only in the columns of true and of drawn classes; filling a dense array with zeros would
        take longer than the rest. In float32 if W is float16, which SciPy doesn't support.
    db : (k,) array or None
        dL/db; None if b is None.

    Notes
    -----
    As an estimate of the gradient of the exact loss it has a bias in proportion to 1/s; see
    `sampled_softmax_cross_entropy`.

    Cost: 6 (n s + n) d flops.
    Source: as for the loss.

    Examples
    --------
    >>> A, W = np.ones((1, 2)), np.zeros((2, 1000))
    >>> dA, dW, _ = sampled_softmax_cross_entropy_vjp(1.0, A, W, None, [3], samples=4)
    >>> dW.shape, np.unique(dW.indices.size // 2)    # the true class and four drawn ones
    ((2, 1000), array([5]))
    """
    from scipy import sparse  # late: nothing else here needs it

    layer, rows = _read(A, W, b, target, sample_weight, reduction)
    V, classes = _logits(layer, draw_classes(layer.k, samples, proposal, seed, step))
    dV = softmax_cross_entropy_dZ(exponentials(V), np.zeros(len(V), np.intp)) * rows.factors(dL, layer.dtype)
    dA = dV[:, :1] * layer.W[:, layer.T].T + dV[:, 1:] @ layer.W[:, classes].T
    n, d = layer.A.shape
    touched, place = np.unique(np.concatenate([layer.T, classes]), return_inverse=True)
    columns, sums = np.zeros((len(touched), d), layer.dtype), np.zeros(len(touched), layer.dtype)
    np.add.at(columns, place[:n], dV[:, :1] * layer.A)
    np.add.at(sums, place[:n], dV[:, 0])
    columns[place[n:]] += dV[:, 1:].T @ layer.A
    sums[place[n:]] += dV[:, 1:].sum(axis=0)
    lengths = np.zeros(layer.k + 1, np.int64)
    lengths[touched + 1] = d
    if layer.W.dtype == np.float16:
        columns = columns.astype(np.float32)
    else:
        columns = layer.narrowed(columns, layer.W)
    entries = columns.ravel(), np.tile(np.arange(d), len(touched)), np.cumsum(lengths)
    dW, db = sparse.csc_array(entries, shape=layer.W.shape), None
    if layer.b is not None:
        db = layer.narrowed(np.zeros(layer.k, layer.dtype), layer.b)
        db[touched] = layer.narrowed(sums, layer.b)
    return rows.spread(layer.narrowed(dA, layer.A)), dW, db


def _read(
    A: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike | None,
    target: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None,
    reduction: Reduction,
) -> tuple[Layer, Rows]:
    layer, rows = read_layer(A, W, b, target, sample_weight, None, reduction)
    if layer.T.ndim > 1:
        raise ShapeError(f"target is {np.shape(target)}, expected {rows.axes} class indices: one class for each row.")
    return layer, rows


def _logits(layer: Layer, drawn: Drawn) -> tuple[Array, Array]:
    """Return the logits of the true class, then of the drawn classes, (n, 1 + c), and the drawn classes.

    If the true class of a row was drawn too, its logit among the drawn ones is -inf.
    """
    A, classes = layer.A.astype(layer.dtype, copy=False), drawn.classes
    of_true, of_drawn = layer.W[:, layer.T].astype(layer.dtype), layer.W[:, classes].astype(layer.dtype)
    V = np.empty((len(A), 1 + len(classes)), layer.dtype)
    V[:, 0], V[:, 1:] = np.einsum("ij,ji->i", A, of_true), A @ of_drawn
    if layer.b is not None:
        V[:, 0] += layer.b[layer.T]
        V[:, 1:] += layer.b[classes]
    V[:, 1:] += drawn.correction
    V[:, 1:][layer.T[:, None] == classes] = -np.inf
    return V, classes
