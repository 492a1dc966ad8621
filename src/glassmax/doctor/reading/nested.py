"""Parameters nested in mappings and sequences, walked down to their arrays and put together again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["flattened", "rebuilt", "written"]

Path = tuple[Any, ...]


def flattened(nested: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Walk mappings and sequences down to arrays; a path is the keys and positions that lead to each."""
    if isinstance(nested, Mapping):
        for key in nested:
            yield from flattened(nested[key], (*path, key))
    elif isinstance(nested, list | tuple) and not _is_row_of_numbers(nested):
        for position, inner in enumerate(nested):
            yield from flattened(inner, (*path, position))
    elif nested is not None:
        yield path, nested


def _is_row_of_numbers(nested: Sequence[Any]) -> bool:
    """Whether a list holds only numbers, or only rows of equal length: an array written out."""
    return _written_out_shape(nested) is not None


def _written_out_shape(nested: Any) -> tuple[int, ...] | None:
    """The shape of an array written as lists of numbers; None if it isn't one."""
    if not isinstance(nested, list | tuple):
        return () if isinstance(nested, int | float | np.number) else None
    inner = {_written_out_shape(item) for item in nested}
    shape = inner.pop() if len(inner) == 1 else None
    return None if shape is None else (len(nested), *shape)


def rebuilt(nested: Any, arrays: Iterator[Any]) -> Any:
    """Put arrays, in the order of `flattened`, into the same nesting."""
    if isinstance(nested, Mapping):
        return {key: rebuilt(nested[key], arrays) for key in nested}
    if isinstance(nested, list | tuple) and not _is_row_of_numbers(nested):
        return type(nested)([rebuilt(inner, arrays) for inner in nested])
    return None if nested is None else next(arrays)


def written(path: Path) -> str:
    """A path as the learner would write it: W[0], layer1.b."""
    if not path:
        return "parameters"
    first, *rest = path
    text = first if isinstance(first, str) else f"parameters[{first}]"
    return text + "".join(f".{key}" if isinstance(key, str) else f"[{key}]" for key in rest)
