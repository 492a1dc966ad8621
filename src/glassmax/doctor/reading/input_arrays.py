"""The arguments, checked before use: arrays of finite numbers. An error names the array that isn't one."""

from typing import Any

import numpy as np

from ...errors import ShapeError
from ...functional.arrays import Array
from .nested import flattened, rebuilt, written

__all__ = ["as_numbers", "read_array", "read_parameters"]


def as_numbers(array: Array) -> Array | None:
    """Real numbers as an array, float64 if they were objects; None if not everything is a real number."""
    if array.dtype.kind in "iubf":
        return array
    if array.dtype == object and all(isinstance(value, int | float | np.number) for value in array.flat):
        try:
            return None if any(isinstance(value, complex) for value in array.flat) else array.astype(np.float64)
        except (ValueError, TypeError, OverflowError):
            return None
    return None


def read_array(name: str, values: Any) -> Array:
    """Return what was handed in as an array of finite numbers, or raise a ShapeError that calls it `name`."""
    try:
        array = values if isinstance(values, np.ndarray) else np.asarray(values)
    except ValueError:
        raise ShapeError(
            f"{name} has rows of different lengths, expected an array. Give every row the same number of values."
        ) from None
    if array.size == 0:
        if name in ("X", "y"):
            raise ShapeError(f"{name} is {array.shape}, expected at least one sample. Pass the rows of a batch.")
        raise ShapeError(f"{name} is {array.shape}, expected at least one number. Pass the array of the layer.")
    numbers = as_numbers(array)
    if numbers is None:
        raise ShapeError(f"{name} holds {array.dtype} values, expected numbers. Pass an array of floats.")
    bad = ~np.isfinite(numbers)
    if bad.any():
        first = np.unravel_index(int(bad.argmax()), bad.shape)
        cell = f"{name}[{', '.join(str(int(i)) for i in first)}]" if numbers.ndim else name
        raise ShapeError(
            f"{name} holds {int(bad.sum())} numbers that are not finite, the first {cell} = {numbers[first]}, "
            "expected finite numbers. Remove or replace them."
        )
    return numbers


def read_parameters(parameters: Any) -> Any:
    """Return the parameters in their nesting, each an array of finite numbers where it was an array of objects."""
    leaves = list(flattened(parameters))
    if not leaves:
        raise ShapeError("parameters hold no arrays, expected the weights and biases. Pass {'W1': W1, 'b1': b1, ...}.")
    arrays = [read_array(_called(written(path)), value) for path, value in leaves]
    objects = any(np.asarray(value).dtype.kind == "O" for _, value in leaves)
    return rebuilt(parameters, iter(arrays)) if objects else parameters


def _called(name: str) -> str:
    return name if name.startswith("parameters") else f"parameters' {name}"
