"""The arrays that a variable leads to: itself, entries of its lists and dicts, attributes of its objects.

Only what can be read without running a line of anybody's code is followed: NumPy's own arrays, numbers, the built-in
containers, and the attributes of objects of the learner's classes as they are stored. This module refuses to change
anything, and to follow more than a bounded number of things.
"""

import collections
from abc import ABCMeta
from collections.abc import Callable, Iterable, Iterator, Set
from itertools import islice
from types import FunctionType, MemberDescriptorType, ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from ..functional.arrays import Array

__all__ = ["HEAP_TYPE", "NamedArray", "arrays_of", "memory_of", "same"]

DEEPEST = 4
MOST_ENTRIES = 200
MOST_NUMBERS = 10_000
MOST_STEPS = 40_000
SMALL = 1 << 16
ARRAYS = (np.ndarray, np.matrix)
DICTS = (dict, collections.OrderedDict, collections.defaultdict)
SEQUENCES = (list, tuple, collections.deque)
NUMBERS = frozenset({int, float} | {kind for kind in np.sctypeDict.values() if issubclass(kind, np.number)})
HEAP_TYPE = 1 << 9
"""The flag of a class that was made by a `class` statement."""

METACLASSES = (type, ABCMeta)


class NamedArray(NamedTuple):
    """A path from a variable, such as ``self.cache['A1']``, and the array there.

    `held` is the object itself if it is an array of NumPy's, None if `array` was made of numbers.
    """

    path: str
    array: Array
    held: Array | None


def arrays_of(path: str, value: object, is_own: Callable[[type], bool]) -> Iterable[NamedArray]:
    """Return the arrays that a variable leads to; `is_own` says which classes are the learner's.

    Examples
    --------
    >>> cache = {"A": [np.zeros(2), np.ones(3)], "n": 5}
    >>> [(path, array.shape) for path, array, _ in arrays_of("cache", cache, lambda cls: False)]
    [("cache['A'][0]", (2,)), ("cache['A'][1]", (3,)), ("cache['n']", ())]
    """
    kind = type(value)
    if kind is np.ndarray and value.dtype.kind in "biuf":  # type: ignore[attr-defined]
        return (NamedArray(path, value, value),)  # type: ignore[arg-type]
    if kind is FunctionType or kind is ModuleType or value is None:
        return ()
    return _found(path, value, _Bounds(is_own), 0, frozenset())


class _Bounds:
    """Which classes are the learner's, and how many things may yet be looked at."""

    def __init__(self, is_own: Callable[[type], bool]) -> None:
        self.is_own, self.left = is_own, MOST_STEPS


def _found(path: str, value: object, bounds: _Bounds, depth: int, above: Set[int]) -> Iterator[NamedArray]:
    kind = type(value)
    bounds.left -= 20
    if bounds.left < 0 or not any(type(kind) is metaclass for metaclass in METACLASSES):  # its == may be anybody's
        return
    if kind in ARRAYS:
        assert isinstance(value, np.ndarray)
        if value.dtype.kind in "biuf":
            yield NamedArray(path, value, value)
        elif value.dtype.kind == "O" and value.size <= MOST_ENTRIES and value.ndim == 1 and depth < DEEPEST:
            yield from _found(path, list(value), bounds, depth, above)
        return
    if kind in NUMBERS:
        number = _number(value)
        if number is not None:
            yield NamedArray(path, number, None)
        return
    if depth >= DEEPEST or id(value) in above:
        return
    if kind in SEQUENCES or _is_named_tuple(kind):
        numbers = _numbers(value, bounds)
        if numbers is not None:
            yield NamedArray(path, numbers, None)
        if numbers is not None and not _holds_arrays(value):
            return
    above = above | {id(value)}
    for inner, entry in _entries(path, value, kind, bounds.is_own):
        yield from _found(inner, entry, bounds, depth + 1, above)


def _number(value: Any) -> Array | None:
    try:
        number = np.asarray(value)
    except (OverflowError, ValueError):
        return None
    return number if number.dtype.kind in "iuf" else None


def _entries(path: str, value: Any, kind: type, is_own: Callable[[type], bool]) -> Iterator[tuple[str, object]]:
    if kind in DICTS:
        for key, entry in islice(dict.items(value), MOST_ENTRIES):
            if _is_plain(key):
                yield f"{path}[{key!r}]", entry
        return
    if kind in SEQUENCES or _is_named_tuple(kind):
        for number in range(min(len(value), MOST_ENTRIES)):
            yield f"{path}[{number}]", (tuple.__getitem__(value, number) if isinstance(value, tuple) else value[number])
        return
    if kind is SimpleNamespace or is_own(kind):
        yield from ((f"{path}.{name}", entry) for name, entry in _attributes(value, kind))


def _attributes(value: Any, kind: type) -> Iterator[tuple[str, object]]:
    try:
        stored = object.__getattribute__(value, "__dict__")
    except AttributeError:
        stored = {}
    if type(stored) is dict:
        for name, entry in islice(dict.items(stored), MOST_ENTRIES):
            if type(name) is str:
                yield name, entry
    for base in kind.__mro__:
        for name, member in tuple(vars(base).items()):
            if type(member) is MemberDescriptorType and base.__flags__ & HEAP_TYPE:
                try:
                    yield name, member.__get__(value)
                except (AttributeError, TypeError):
                    continue


def _is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and "_fields" in vars(kind)


def _is_plain(key: object) -> bool:
    if type(key) is tuple:
        return len(key) <= 4 and all(_is_plain(part) for part in key)
    return type(key) in (str, int, bool, float) and len(repr(key)) <= 80


def _holds_arrays(value: Any) -> bool:
    return any(type(entry) in ARRAYS for entry in value)


def _numbers(value: Any, bounds: _Bounds) -> Array | None:
    """A list of numbers, of lists of as many numbers each, or of vectors of the same length, as an array."""
    size = _size(value, 0)
    bounds.left -= min(size, MOST_NUMBERS)
    if not 0 < size <= MOST_NUMBERS:
        return None
    try:
        array = np.array(value)
    except (ValueError, OverflowError, TypeError):
        return None
    return array if array.dtype.kind in "biuf" else None


def _size(value: Any, depth: int) -> int:
    """How many numbers nested lists hold; more than any bound if they hold anything else."""
    kind = type(value)
    if not any(type(kind) is metaclass for metaclass in METACLASSES):
        return MOST_NUMBERS + 1
    if kind in ARRAYS:
        return value.size if value.ndim == 1 and value.dtype.kind in "biuf" else MOST_NUMBERS + 1
    if kind in NUMBERS:
        return 1
    if kind not in (list, tuple) or len(value) > MOST_NUMBERS or depth >= DEEPEST:
        return MOST_NUMBERS + 1
    total = 0
    for entry in value:
        total += _size(entry, depth + 1)
        if total > MOST_NUMBERS:
            break
    return total


def memory_of(array: Array) -> Array:
    """The array whose memory a view looks into, or the array itself."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def same(a: Array, b: Array) -> bool:
    """Whether two arrays have the same shape and, bit for bit, the same numbers."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.nbytes <= SMALL:
        return a.tobytes() == b.tobytes()
    if a.itemsize == 8 and a.flags.c_contiguous and b.flags.c_contiguous:
        return bool(np.array_equal(a.view(np.uint64), b.view(np.uint64)))
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
