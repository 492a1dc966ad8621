"""`Value`: numbers with named axes (index letters) and positional axes (of whole arrays), and their arithmetic.

``p_i`` has the axis i; ``p`` has one positional axis; ``w_k`` in ``w_k^T x`` has the axis k and one positional axis.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Array",
    "Axis",
    "CountFault",
    "Fault",
    "ShapeFault",
    "UnknownFault",
    "Value",
    "elementwise",
    "over",
    "times",
]

Array = npt.NDArray[Any]


class Fault(Exception):  # noqa: N818 (a fault of the formula, not of the program)
    """A tree has no value: its message, in words, says why."""


class ShapeFault(Fault):
    """Shapes don't fit together."""


class CountFault(Fault):
    """A letter or an array has a number of indices that doesn't fit, or a sum has no range."""


class UnknownFault(Fault):
    """A name, a function or a construct that numbers can't be found for: the line can't be read."""


@dataclass(frozen=True)
class Axis:
    """A positional axis; in a derivative, which array it belongs to: `side` is "of" or "by", otherwise ""."""

    side: str = ""
    array: str = ""
    position: int = 0


@dataclass(frozen=True)
class Value:
    """Numbers; the axes of `letters` come first, then the positional `axes`.

    `turned` tells how a vector lies: "column", "row", or "" for either (a derivative, a scalar, a matrix).
    """

    array: Array
    letters: tuple[str, ...] = ()
    axes: tuple[Axis, ...] = ()
    turned: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the positional axes."""
        return self.array.shape[len(self.letters) :]

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes of the named axes."""
        return dict(zip(self.letters, self.array.shape, strict=False))


def over(value: Value, letters: tuple[str, ...]) -> Array:
    """Return the numbers with the named axes in the order of `letters`, of length 1 where the value lacks one."""
    if not set(value.letters) <= set(letters):
        raise ShapeFault("the value of a function has an index too many")
    order = sorted(range(len(value.letters)), key=lambda n: letters.index(value.letters[n]))
    rest = range(len(value.letters), value.array.ndim)
    turned = value.array.transpose([*order, *rest])
    present = {value.letters[n]: value.array.shape[n] for n in order}
    return turned.reshape([present.get(letter, 1) for letter in letters] + list(value.shape))


def _joined(a: Value, b: Value) -> tuple[str, ...]:
    for letter, size in a.sizes.items():
        if b.sizes.get(letter, size) != size:
            raise ShapeFault(f"{letter} runs over {size} in one place and over {b.sizes[letter]} in another")
    return tuple(dict.fromkeys(a.letters + b.letters))


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1"


def elementwise(a: Value, b: Value, operation: Callable[..., Any], columns: bool = True) -> Value:
    """Apply an operation entry by entry; a vector is spread over a matrix (a bias added to each sample)."""
    letters = _joined(a, b)
    left, right = over(a, letters), over(b, letters)
    ranks = len(a.axes), len(b.axes)
    if min(ranks) == 0:
        left = left.reshape(left.shape + (1,) * len(b.axes)) if ranks[0] == 0 else left
        right = right.reshape(right.shape + (1,) * len(a.axes)) if ranks[1] == 0 else right
    elif ranks[0] == ranks[1]:
        if a.shape != b.shape:
            raise ShapeFault(f"shapes {_shown(a.shape)} and {_shown(b.shape)} don't fit entry by entry")
        if {a.turned, b.turned} == {"row", "column"}:
            raise ShapeFault("a row and a column don't fit entry by entry")
    elif sorted(ranks) == [1, 2]:
        small, large = (a, b) if ranks[0] == 1 else (b, a)
        fits = [n for n in ((0, 1) if columns else (1, 0)) if small.shape[0] == large.shape[n]]
        if not fits:
            raise ShapeFault(f"shapes {_shown(a.shape)} and {_shown(b.shape)} don't fit entry by entry")
        spread = (1, small.shape[0]) if fits[0] == 1 else (small.shape[0], 1)
        if ranks[0] == 1:
            left = left.reshape(left.shape[:-1] + spread)
        else:
            right = right.reshape(right.shape[:-1] + spread)
    else:
        raise ShapeFault(f"shapes {_shown(a.shape)} and {_shown(b.shape)} don't fit entry by entry")
    shaped = a if ranks[0] >= ranks[1] else b
    turned = (a.turned or b.turned) if ranks[0] == ranks[1] else shaped.turned
    return Value(operation(left, right), letters, shaped.axes, turned)


def _contract(a: Value, b: Value, pairs: list[tuple[int, int]], turned: str = "") -> Value:
    """Sum the products over pairs of positional axes (position in a, position in b)."""
    for one, other in pairs:
        if a.shape[one] != b.shape[other]:
            raise ShapeFault(f"shapes {_shown(a.shape)} and {_shown(b.shape)} have no matrix product")
    letters = _joined(a, b)
    marks = {letter: n for n, letter in enumerate(letters)}
    left = [marks[letter] for letter in a.letters] + [100 + n for n in range(len(a.axes))]
    right = [marks[letter] for letter in b.letters] + [200 + n for n in range(len(b.axes))]
    left, right = _small(left, right, {200 + other: 100 + one for one, other in pairs})
    kept_a = [n for n in range(len(a.axes)) if n not in {one for one, _ in pairs}]
    kept_b = [n for n in range(len(b.axes)) if n not in {other for _, other in pairs}]
    out = list(range(len(letters)))
    out += [left[len(a.letters) + n] for n in kept_a] + [right[len(b.letters) + n] for n in kept_b]
    array = np.einsum(a.array, left, b.array, right, out)
    axes = tuple(a.axes[n] for n in kept_a) + tuple(b.axes[n] for n in kept_b)
    return Value(array, letters, axes, turned if len(axes) == 1 else "")


def _small(left: list[int], right: list[int], same: dict[int, int]) -> tuple[list[int], list[int]]:
    """Number the axes for einsum, which takes numbers below 52."""
    right = [same.get(n, n) for n in right]
    numbers = {n: n if n < 100 else 20 + place for place, n in enumerate(dict.fromkeys(left + right))}
    return [numbers[n] for n in left], [numbers[n] for n in right]


def times(a: Value, b: Value, sign: str = "", columns: bool = True) -> Value:
    """Multiply as written: by a scalar, a derivative by a derivative (chain rule), matrices, vectors, entry by entry.

    `columns` tells whether vectors are columns in this document.
    """
    if sign == "odot" and len(a.axes) == len(b.axes) == 1:
        b = replace(b, turned=a.turned)  # the sign says that the entries are meant, however the vectors lie
    if sign == "odot" or not a.axes or not b.axes:
        return elementwise(a, b, np.multiply, columns)
    if sign == "outer":
        return _contract(a, b, [])
    chained = _chained(a, b)
    if chained:
        return _contract(a, b, chained)
    ranks = len(a.axes), len(b.axes)
    if ranks == (1, 1):
        return _vectors(a, b, sign, columns)
    if ranks == (2, 1) and b.turned == "row":
        raise ShapeFault("a matrix times a row has no product")
    if ranks == (1, 2) and a.turned == "column":
        raise ShapeFault("a column times a matrix has no product")
    last = len(a.axes) - 1
    if a.shape[last] == b.shape[0]:
        turned = {(2, 1): b.turned, (1, 2): a.turned}.get(ranks, "")
        return _contract(a, b, [(last, 0)], turned)
    if a.shape == b.shape and sign in ("*", "cdot", "times", "."):
        return elementwise(a, b, np.multiply, columns)
    raise ShapeFault(f"shapes {_shown(a.shape)} and {_shown(b.shape)} have no matrix product")


def _chained(a: Value, b: Value) -> list[tuple[int, int]]:
    """The pairs of axes that the chain rule sums over: by an array in one derivative, of it in the other."""
    opposite = {"of": "by", "by": "of"}
    pairs = []
    for n, axis in enumerate(a.axes):
        if axis.side:
            partner = replace(axis, side=opposite[axis.side])
            pairs += [(n, m) for m, other in enumerate(b.axes) if other == partner]
    return pairs


def _vectors(a: Value, b: Value, sign: str, columns: bool) -> Value:
    """Inner, outer or entrywise product of vectors; a derivative lies as vectors do in this document."""
    usual = "column" if columns else "row"
    first, second = a.turned or usual, b.turned or usual
    if sign in ("@", "inner") or (first, second) == ("row", "column"):
        return _contract(a, b, [(0, 0)])
    if (first, second) == ("column", "row"):
        return _contract(a, b, [])
    if a.shape != b.shape:
        raise ShapeFault(f"two vectors of {a.shape[0]} and {b.shape[0]} entries have no product")
    return elementwise(replace(a, turned=""), replace(b, turned=""), np.multiply)
