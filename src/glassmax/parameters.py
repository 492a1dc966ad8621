"""Parameters: all weights and biases as named views of one flat vector.

Optimizers need one vector theta, people read ``W1`` and ``b1``. Both are views of the same memory, so a change to one
is a change to the other. Gradients have the same form: ``gradients["W1"]`` is dL/dW1 and ``gradients.flat`` is
dL/dtheta. Nothing is computed here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ShapeError
from .functional.arrays import Array, as_floating

__all__ = ["Parameters", "count", "sizes_of"]


def count(layer_sizes: Sequence[int]) -> int:
    """Return the number of parameters of a dense network: sum of (h_{l-1} + 1) h_l."""
    return sum((d + 1) * h for d, h in pairwise(layer_sizes))


class Parameters(Mapping[str, Array]):
    """W1, b1, W2, b2, ... as views of one vector, in this order.

    Parameters
    ----------
    layer_sizes : sequence of int
        Units of each layer, inputs and outputs included: d, h_1, ..., k.
    flat : (p,) array, optional
        The vector, which is not copied; by default a new one of zeros.
    dtype : dtype, default=float64
        The dtype of a new vector.
    embedding_shapes : mapping of str to tuple of int, optional
        The shapes of an embedding's parameters, which follow the weights and biases: `Embedding.shapes`.
    frozen : sequence of str, optional
        Names of the parameters that training doesn't change.

    Attributes
    ----------
    flat : (p,) array
        All parameters in one vector.
    W, b : dict of int to array
        Views of the weights and biases, by layer number from 1: ``W[l]`` is (h_{l-1}, h_l), ``b[l]`` is (h_l,).
    frozen : tuple of str
        Names of the frozen parameters, in the order of the parameters.
    penalized : dict of str to array
        The views that an L2 penalty and weight decay refer to: all W_l, and V, E1, E2, ... of an embedding, without
        those that are frozen.

    Examples
    --------
    >>> parameters = Parameters([2, 3])
    >>> parameters["W1"][0, 0] = 5.0
    >>> parameters.flat
    array([5., 0., 0., 0., 0., 0., 0., 0., 0.])
    >>> parameters
    Parameters(W1: (2, 3), b1: (3,))
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        flat: Array | None = None,
        dtype: npt.DTypeLike = np.float64,
        embedding_shapes: Mapping[str, tuple[int, ...]] | None = None,
        frozen: Sequence[str] = (),
    ) -> None:
        self.layer_sizes = tuple(int(size) for size in layer_sizes)
        self.embedding_shapes = dict(embedding_shapes or {})
        p = count(self.layer_sizes) + sum(math.prod(shape) for shape in self.embedding_shapes.values())
        self.flat: Array = np.zeros(p, dtype) if flat is None else flat
        if self.flat.shape != (p,):
            raise ShapeError(f"The vector of parameters is {self.flat.shape}, expected ({p},) for {self.layer_sizes}.")
        self.W: dict[int, Array] = {}
        self.b: dict[int, Array] = {}
        start = 0
        for layer, (d, h) in enumerate(pairwise(self.layer_sizes), start=1):
            self.W[layer] = self.flat[start : start + d * h].reshape(d, h)
            start += d * h
            self.b[layer] = self.flat[start : start + h]
            start += h
        self._views: dict[str, Array] = {}
        for layer in self.W:
            self._views |= {f"W{layer}": self.W[layer], f"b{layer}": self.b[layer]}
        for name, shape in self.embedding_shapes.items():
            self._views[name] = self.flat[start : start + math.prod(shape)].reshape(shape)
            start += math.prod(shape)
        self.frozen = tuple(name for name in self._views if name in frozen)
        learned = {name: view for name, view in self._views.items() if name not in self.frozen}
        self.penalized = {name: view for name, view in learned.items() if name[0] in "WVE"}

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __setitem__(self, name: str, values: npt.ArrayLike) -> None:
        """Copy `values`, which must have the same shape, into the view called `name`."""
        if name not in self._views:
            raise KeyError(f"{name!r}; there are {', '.join(self)}")
        array = as_floating(values, name)
        if array.shape != self[name].shape:
            raise ShapeError(f"{name} is {array.shape}, expected {self[name].shape}.")
        self._views[name][...] = array

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __repr__(self) -> str:
        return f"Parameters({', '.join(f'{name}: {view.shape}' for name, view in self.items())})"

    def __reduce__(self) -> tuple[type[Parameters], tuple[Any, ...]]:
        """Pickle and copy as sizes and one vector, so that the views stay views."""
        return Parameters, (self.layer_sizes, self.flat, self.flat.dtype, self.embedding_shapes, self.frozen)

    def copy(self) -> Parameters:
        """Return a copy that shares no memory with this object."""
        return self.of(self.flat.copy())

    def of(self, flat: Array) -> Parameters:
        """Return views, as many and of the same shapes, of another vector, which is not copied."""
        return Parameters(self.layer_sizes, flat, embedding_shapes=self.embedding_shapes, frozen=self.frozen)

    def like(self, gradients: Mapping[str, npt.ArrayLike]) -> Parameters:
        """Copy one array for each parameter, by its name, into one vector."""
        if set(gradients) != set(self):
            raise ShapeError(f"The gradients are called {', '.join(gradients)}, expected {', '.join(self)}.")
        parameters = self.of(np.zeros_like(self.flat))
        for name, values in gradients.items():
            parameters[name] = values
        return parameters

    @classmethod
    def from_mapping(
        cls,
        arrays: Mapping[str, npt.ArrayLike],
        dtype: npt.DTypeLike | None = None,
        embedding_shapes: Mapping[str, tuple[int, ...]] | None = None,
    ) -> Parameters:
        """Copy arrays called W1, b1, W2, ... into one vector, after checking that they fit together.

        Parameters
        ----------
        arrays : mapping of str to array
            W_l of shape (h_{l-1}, h_l) and b_l of shape (h_l,), for l from 1 without a gap.
        dtype : dtype, optional
            By default the widest dtype among the arrays; integers count as float64.
        embedding_shapes : mapping of str to tuple of int, optional
            The shapes of an embedding's parameters, which `arrays` holds too.

        Returns
        -------
        parameters : Parameters

        Raises
        ------
        ShapeError
            If an array is missing, unknown, or doesn't fit the arrays next to it.
        """
        given = {name: as_floating(values, name) for name, values in arrays.items()}
        dtype = np.result_type(*given.values()) if dtype is None and given else dtype
        shapes = embedding_shapes or {}
        if missing := [name for name in shapes if name not in given]:
            raise ShapeError(
                f"The parameters are called {', '.join(arrays)}, and the embedding's {missing[0]} is missing."
            )
        layers = {name: values for name, values in given.items() if name not in shapes}
        parameters = cls(sizes_of(layers), dtype=dtype or np.float64, embedding_shapes=shapes)
        for name, values in given.items():
            parameters[name] = values
        return parameters


def sizes_of(arrays: Mapping[str, Array]) -> tuple[int, ...]:
    """Return the layer sizes of arrays called W1, b1, W2, ..., after checking that each fits the next.

    Parameters
    ----------
    arrays : mapping of str to array
        The weights and biases.

    Returns
    -------
    tuple of int
        d, h_1, ..., k.

    Raises
    ------
    ShapeError
        Naming the first array at fault.
    """
    depth = sum(name.startswith("W") for name in arrays)
    expected = [f"{letter}{layer}" for layer in range(1, depth + 1) for letter in "Wb"]
    unknown, missing = [n for n in arrays if n not in expected], [n for n in expected if n not in arrays]
    if unknown or missing or not depth:
        raise ShapeError(
            f"The parameters are called {', '.join(arrays) or 'nothing'}, expected W1, b1, W2, b2, ... without a gap"
            + (f": {missing[0]} is missing. A layer without biases takes zeros." if missing else ".")
        )
    sizes: list[int] = []
    for layer in range(1, depth + 1):
        W, b = arrays[f"W{layer}"], arrays[f"b{layer}"]
        if W.ndim != 2 or 0 in W.shape:
            raise ShapeError(f"W{layer} is {W.shape}, expected two axes, (inputs, outputs), neither empty.")
        if sizes and W.shape[0] != sizes[-1]:
            turned = f" W{layer}.T would fit." if W.shape[1] == sizes[-1] else ""
            raise ShapeError(
                f"W{layer} is {W.shape}, expected {sizes[-1]} rows: W{layer - 1} has {sizes[-1]} columns.{turned}"
            )
        sizes = [*(sizes or [W.shape[0]]), W.shape[1]]
        if b.shape != (sizes[-1],):
            raise ShapeError(f"b{layer} is {b.shape}, expected ({sizes[-1]},): one for each column of W{layer}.")
    return tuple(sizes)


def __dir__() -> list[str]:
    return __all__
