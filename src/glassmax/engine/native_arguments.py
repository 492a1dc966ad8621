"""The arguments of the compiled calls: rows, targets, shapes and options, checked, in the dtype and layout of C++."""

from functools import lru_cache
from typing import Any

import numpy as np

from ..embedding import Embedding
from ..errors import OptionError, ShapeError
from ..functional.arrays import Array, as_inputs
from ..functional.heads import LOSSES
from ..functional.targets import check_target, check_weights, is_sparse
from ..network import Network
from . import _native
from .batches import Data, Regularization

__all__ = ["DTYPES", "FLOAT64", "INT64", "inputs_of", "labels_named", "numbers_of", "readable", "rows_of", "spec_of"]
__all__ += ["spec_of_shape", "targets_of", "writable"]

FLOAT64, INT64 = np.dtype(np.float64), np.dtype(np.int64)
DTYPES = (np.dtype(np.float32), FLOAT64)
ACTIVATION, OUTPUT, LOSS = (
    {name: number for number, name in enumerate(names)}
    for names in (_native.ACTIVATIONS, _native.OUTPUTS, _native.LOSSES)
)


def rows_of(network: Network, data: Data) -> tuple[Any, ...]:
    """Return the shape, rows, targets and weights that the compiled calls take, checked as `Network` does."""
    y, n, k = data.y, data.n_rows, network.layer_sizes[-1]
    meaning = LOSSES[network.head.loss].meaning
    of_classes = k > 1 or meaning in ("classes", "candidates")
    if not (y.ndim == 1 and y.dtype == np.int64 and of_classes):  # or C++ checks their range
        y = check_target(y, (n, k), meaning)
    weight = data.weight if data.weight is None else check_weights(data.weight, (n,))
    return (
        spec_of(network),
        *inputs_of(network, data.X),
        *targets_of(y),
        None if weight is None else readable(weight, FLOAT64),
        1.0 if weight is None else data.mean_weight,
    )


def targets_of(y: Any) -> tuple[Any, Any, Any]:
    """Return the targets as labels, as rows or as sparse rows, and None for the other two."""
    if is_sparse(y):
        return None, None, _sparse_numbers(y, FLOAT64)
    return (readable(y, INT64), None, None) if y.ndim == 1 else (None, readable(y, FLOAT64), None)


class labels_named:  # noqa: N801 - a context manager, faster than a generator
    """Raise an error that names the invalid label if the compiled call has found one."""

    def __init__(self, network: Network, data: Data) -> None:
        self.network, self.data = network, data

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is ValueError:
            head, k = self.network.head, self.network.layer_sizes[-1]
            check_target(self.data.y, (self.data.n_rows, k), LOSSES[head.loss].meaning)


def spec_of(network: Network) -> Any:
    """Return the description of the network that the compiled module takes."""
    if network.theta.dtype not in DTYPES:
        raise OptionError(
            f"The network is {network.theta.dtype}, and the native engine computes in float32 and float64. "
            "Take glassmax.engine.ReferenceEngine() for another dtype.",
            parameter="network",
        )
    head = network.head
    frozen = tuple(int(name in network.frozen) for name in network.parameters) if network.frozen else ()
    options = head.softcap or 0.0, head.z_loss, head.temperature
    return spec_of_shape(
        network.layer_sizes, network.activations, head.output, head.loss, network.embedding, options, frozen
    )


@lru_cache(maxsize=64)
def spec_of_shape(
    sizes: tuple[int, ...],
    activations: tuple[str, ...],
    output: str,
    loss: str,
    embedding: Embedding | None = None,
    options: tuple[float, float, float] = (0.0, 0.0, 1.0),
    frozen: tuple[int, ...] = (),
) -> Any:
    """Return the description of an architecture; equal architectures share one object."""
    unknown = [name for name in activations if name not in ACTIVATION]
    if unknown or output not in OUTPUT or loss not in LOSS:
        name = [*unknown, *({output} - OUTPUT.keys()), *({loss} - LOSS.keys())][0]
        message = f"The native engine knows no {name!r}. Take glassmax.engine.ReferenceEngine() for it."
        raise OptionError(message, parameter="network")
    numbers = [ACTIVATION[name] for name in activations], OUTPUT[output], LOSS[loss]
    embedded = None if embedding is None else _embedding_numbers(embedding)
    return _native.Spec(list(sizes), *numbers, embedded, *options, list(frozen))


def _embedding_numbers(embedding: Embedding) -> tuple[Any, ...]:
    """Return what `Spec` takes of an embedding: columns, periodic ones and their sizes, edges, blocks."""
    edges = [(j, t.tolist()) for j, t in embedding.edges.items()]
    sizes = embedding.frequencies, embedding.size
    return embedding.d, list(embedding.periodic), *sizes, edges, list(embedding.blocks)


def inputs_of(network: Network, X: Any) -> tuple[Array | None, ...]:
    """Return X itself, or the values, columns and row starts of a sparse X."""
    dtype = network.theta.dtype
    if not isinstance(X, np.ndarray) or X.dtype != dtype:
        X = as_inputs(X, "X")
    if X.ndim != 2 or X.shape[1] != network.n_inputs:
        raise ShapeError(f"X is {X.shape}, expected (n, {network.n_inputs}): rows are samples.")
    if isinstance(X, np.ndarray):
        return readable(X, dtype), None, None, None
    return None, *_sparse_numbers(X, dtype)


def _sparse_numbers(X: Any, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
    """Return the values, columns and row starts of a CSR matrix."""
    narrow = X.indices.dtype == X.indptr.dtype == np.int32
    index = np.dtype(np.int32 if narrow else np.int64)
    return readable(X.data, dtype), readable(X.indices, index), readable(X.indptr, index)


def readable(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return the array itself if the engine can read its memory, otherwise a copy."""
    flags = array.flags
    if array.dtype == dtype and flags.c_contiguous and flags.aligned:  # and so in native byte order
        return array
    return np.array(array, dtype, order="C")


def writable(array: Array, name: str) -> Array:
    """Return the array, or raise an error if it is read-only."""
    if not array.flags.writeable:
        raise ShapeError(f"{name} is read-only, and an epoch moves it in place: pass a copy.")
    return array


def numbers_of(regularization: Regularization) -> tuple[Any, ...]:
    """Return the numbers of a regularization in the order that the compiled module expects."""
    alpha, label_smoothing, dropout, seed, clip_norm, weight_decay, mixup, mixup_share = regularization
    dropped, clip = list(dropout) if any(dropout) else [], 0.0 if clip_norm is None else float(clip_norm)
    return alpha, label_smoothing, dropped, int(seed), clip, weight_decay, mixup, mixup_share
