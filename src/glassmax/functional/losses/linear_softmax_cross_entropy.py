"""An affine layer, softmax and cross-entropy in one function: the loss of many classes without all their logits."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy.typing as npt

from ..arrays import Array
from ..targets import Reduction
from .class_chunks import gradients_of, loss_of, row_sums
from .layer_arguments import read_layer

__all__ = ["linear_softmax_cross_entropy", "linear_softmax_cross_entropy_vjp"]


def linear_softmax_cross_entropy(
    A: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike | None,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    temperature: float = 1.0,
    ignore_index: int | None = None,
    reduction: Reduction = "mean",
    chunk: int = 8192,
) -> Array:
    """Compute the cross-entropy of softmax of an affine layer, by chunks of classes.

    ::

        Z = A W + b            U = softcap tanh(Z / (temperature softcap))
        L_i = - sum_c Y_ic log softmax(U_i)_c + z_loss (log sum_c exp U_ic)^2

    Without a softcap, ``U = Z / temperature``.

    Parameters
    ----------
    A : (..., d) array
        The inputs of the layer; rows are samples.
    W : (d, k) array
        Weights: one column for each class.
    b : (k,) array or None
        Biases; None for a layer without.
    target : (...,) or (..., k) array
        Class indices 0..k-1, or rows of numbers >= 0 with any row sum. For A of shape (n, d), the rows may be a SciPy
        sparse matrix (n, k), which stays sparse.
    sample_weight : (...,) array, optional
        One number >= 0 for each row. A row of weight 0 is left out, whatever it holds.
    label_smoothing : float, default=0.0
        In [0, 1]: the share of each row of the target that is spread evenly over the k classes.
    z_loss : float, default=0.0
        >= 0: factor of the squared log-sum-exp of the logits, a penalty that keeps them from drifting.
    softcap : float, optional
        > 0: the logits are bounded to [-softcap, softcap]; unbounded by default.
    temperature : float, default=1.0
        > 0: divides the logits, before the softcap.
    ignore_index : int, optional
        Rows with this label have weight 0; only for a target of class indices. It need not be a class, as in PyTorch,
        where it is -100.
    reduction : {"mean", "sum", "none"}
        As for `cross_entropy`: the mean is the sum of ``w_i L_i`` divided by the sum of the weights.
    chunk : int, default=8192
        >= 1: number of classes whose logits are in memory at a time. Another value changes only the rounding.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0; in float64 for any dtype of A and W. The mean is NaN if there are no rows or all are ignored, as in NumPy
        and PyTorch.

    Raises
    ------
    ShapeError
        If the shapes don't fit.
    LabelError
        If a target or a weight is out of range.
    OptionError
        If an option is out of range, or `ignore_index` is given for a target of rows.

    See Also
    --------
    softmax_cross_entropy : The same loss, computed from logits.
    sampled_softmax_cross_entropy, adaptive_softmax_cross_entropy : Faster approximations.

    Notes
    -----
    Cost: 2 n d k flops, and about 6 flops and an exponential for each logit. Memory: the logits of 128 rows and one
    chunk, and up to ten arrays of that size, which are 100 MB at most with the default chunk; d x chunk numbers of W in
    float64; and 6 numbers for each row. No (n, k) array and no copy of W is made. All is computed in float64 (or
    wider). Every term of the loss is >= 0, as in `softmax_cross_entropy`: if a later chunk has a larger logit than all
    chunks before, the sums are scaled to it.
    Source: Milakov & Gimelshein, "Online normalizer calculation for softmax" (2018); Wijmans et al., "Cut your losses
    in large-vocabulary language models" (2025); for the z-loss Chowdhery et al., "PaLM" (2022), section 5; for the
    softcap Gemma Team, "Gemma 2" (2024), section 2.

    Examples
    --------
    >>> import numpy as np
    >>> A, W = [[1.0], [2.0]], [[0.0, np.log(3.0)]]
    >>> linear_softmax_cross_entropy(A, W, None, [1, 1], reduction="none").round(6)    # log 4/3, log 10/9
    array([0.287682, 0.105361])
    >>> float(linear_softmax_cross_entropy(A, W, [0.0, 0.0], [1, -100], ignore_index=-100).round(6))
    0.287682
    """
    options = label_smoothing, z_loss, softcap, temperature, chunk
    layer, rows = read_layer(A, W, b, target, sample_weight, ignore_index, reduction, *options)
    return rows.reduced(loss_of(layer, row_sums(layer)))


def linear_softmax_cross_entropy_vjp(
    dL: npt.ArrayLike,
    A: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike | None,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    temperature: float = 1.0,
    ignore_index: int | None = None,
    reduction: Reduction = "mean",
    chunk: int = 8192,
) -> tuple[Array, Array, Array | None]:
    """Pull dL back through an affine layer, softmax and cross-entropy together, by chunks of classes.

    ::

        dU = P rowsum(Y) - Y + 2 z_loss log(sum_c exp U_ic) P      (times dL w_i / sum w)
        dZ = dU (1 - (U / softcap)^2) / temperature
        dA = dZ Wᵀ            dW = Aᵀ dZ            db = column sums of dZ

    Parameters
    ----------
    dL
        As for `cross_entropy_vjp`.
    A, W, b, target, sample_weight, label_smoothing, z_loss, softcap, temperature, ignore_index, reduction, chunk
        As for `linear_softmax_cross_entropy`.

    Returns
    -------
    dA : (..., d) array
        dL/dA; 0 in rows of weight 0. The three gradients have the dtypes of A, W and b.
    dW : (d, k) array
        dL/dW.
    db : (k,) array or None
        dL/db; None if b is None.

    Notes
    -----
    Cost: 8 n d k flops and two exponentials for each logit. Of these flops, 2 n d k are for the sums of the loss, and
    another 2 n d k for computing the logits a second time. Memory: that of the loss, the results, and dA in float64. If
    all rows have weight 0 or are ignored, the gradients are 0, as in PyTorch.
    Source: Bishop (2006), equation 4.109, with the chain rule for the affine layer; for the rest the sources of the
    loss.

    Examples
    --------
    >>> import numpy as np
    >>> A, W = [[1.0], [2.0]], [[0.0, np.log(3.0)]]
    >>> dA, dW, db = linear_softmax_cross_entropy_vjp(1.0, A, W, [0.0, 0.0], [1, 1])
    >>> dW, db    # P - Y is (0.25, -0.25) and (0.1, -0.1)
    (array([[ 0.225, -0.225]]), array([ 0.175, -0.175]))

    In a language model, one matrix E may hold both the embeddings of the inputs and those of the classes. W is then Eᵀ,
    the rows of A are rows of E, and the gradient of E is the sum of both:

    >>> E = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])    # 3 words, 2 numbers each
    >>> word, next_word = np.array([0, 1, 1]), np.array([1, 2, 0])
    >>> dA, dW, _ = linear_softmax_cross_entropy_vjp(1.0, E[word], E.T, None, next_word)
    >>> dE = dW.T.copy()
    >>> np.add.at(dE, word, dA)
    >>> h = 1e-6 * np.eye(3, 2)
    >>> loss_at = lambda E: linear_softmax_cross_entropy(E[word], E.T, None, next_word)
    >>> bool(abs((loss_at(E + h) - loss_at(E - h)) / 2 - (dE * h).sum()) < 1e-12)
    True
    """
    options = label_smoothing, z_loss, softcap, temperature, chunk
    layer, rows = read_layer(A, W, b, target, sample_weight, ignore_index, reduction, *options)
    factors = rows.factors(dL, layer.dtype)
    dA, dW, db = gradients_of(layer, row_sums(layer), factors)
    return rows.spread(dA), dW, None if b is None else db
