"""`Draw`: sizes that are all different, and random numbers for what a document leaves open."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from ..formula.tree import Node
from .names import Quantity
from .shapes import Dims
from .value import Array, UnknownFault, Value

if TYPE_CHECKING:
    from .context import Context

__all__ = ["Adjustment", "Draw"]

MOST_ENTRIES = 300_000
SIZES = (3, 4, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13)
SPANS = ((-0.9, 0.9), (0.3, 1.5), (0.05, 0.3))
"""Spans to draw from, in turn, until every definition is finite: logarithms and roots need positive numbers."""

IDENTITIES = frozenset({"I", "mathbb_I", "Id"})

Adjustment = tuple[str, str]
"""What a draw satisfies besides: ("sum to one", "y"), ("one-hot", "y"), ("symmetric", "M"), ("one", "N"),
("all sizes equal", ""), ("positive", ""), ("size one", axis), ("size two", axis)."""


@dataclass
class Draw:
    """Sizes of the axes and numbers of the inputs; the same `turn` gives the same numbers."""

    context: Context
    dims: Dims
    turn: int
    adjusted: frozenset[Adjustment] = frozenset()
    span: int = 0
    sizes: dict[object, int] = field(default_factory=dict)
    derivatives: dict[object, Value] = field(default_factory=dict)
    arrays: dict[str, Value] = field(default_factory=dict)
    values: dict[tuple[object, ...], tuple[Node, Value]] = field(default_factory=dict)  # of parts of formulas
    sizes_found: dict[int, tuple[object, dict[str, int], list[tuple[object, object, dict[str, int]]]]] = field(
        default_factory=dict
    )  # the sizes of the letters in parts of formulas, and what ties letters

    def size(self, dim: object) -> int:
        """Return the size of an axis: literal, or different from all others."""
        root = self.dims.find(dim)
        if root not in self.sizes:
            literal = self.dims.literal.get(root)
            taken = set(self.sizes.values()) | set(self.dims.literal.values())
            order = SIZES[self.turn % 3 :] + SIZES[: self.turn % 3]
            if literal is None and ("all sizes equal", "") in self.adjusted:
                literal = 3 + self.turn % 2
            for n, what in enumerate(("size one", "size two"), start=1):
                if literal is None and (what, str(root)) in self.adjusted:
                    literal = n
            least = max((n for dim, n in self.dims.least.items() if self.dims.find(dim) == root), default=0)
            self.sizes[root] = literal or next((n for n in order if n not in taken and n >= least), least or 3)
        return self.sizes[root]

    def shape(self, quantity: Quantity) -> tuple[int, ...]:
        """Sizes of the axes of an array."""
        if quantity.key in self.context.definitions.stacked:
            single, turned = self.context.definitions.stacked[quantity.key]
            shape = self.shape(self.context.names.of(single))
            return shape[::-1] if turned else shape
        key = self.context.definitions.target(quantity.key)
        rank = self.context.rank(key.partition("^")[0])
        return tuple(self.size(("axis", key, n)) for n in range(rank or 0))

    def classes(self, label: str) -> int:
        """How many classes a label has."""
        return self.size(("classes", label))

    def count(self, key: str) -> int | None:
        """Return the size that a name such as N stands for, or None."""
        dim = ("count", key)
        return self.size(dim) if dim in self.dims.parent else None

    def numbers(self, quantity: Quantity) -> Array:
        """Random numbers for an array that nothing defines."""
        family, key = quantity.family, quantity.key
        shape = self.shape(quantity)
        rng = np.random.default_rng([self.turn, crc32(key.encode())])
        if self.context.is_label(family):
            classes = self.classes(family)
            return rng.integers(0, classes, shape)
        count = self.count(key)
        if count is not None and not shape:
            return np.asarray(float(count))
        if family in IDENTITIES and len(shape) == 2 and shape[0] == shape[1]:
            return np.eye(shape[0])
        if family == "ones":
            return np.ones(shape)
        if prod(shape) > MOST_ENTRIES:
            raise UnknownFault(f"{family} has too many entries")
        low, high = SPANS[self.span]
        array: Array = rng.uniform(low, high, shape) if shape or self.span else rng.uniform(0.3, 1.5, shape)
        if self.turn and not shape and not self.span and self.context.has_kinks:
            array = array * rng.choice((-2.0, -1.0, 1.0, 2.0))  # each side of a kink is seen
        return self._adjust(array, family, rng)

    def _classes_axis(self, family: str) -> int:
        """The axis of the classes: the one that a softmax of the document runs along, or the last."""
        roots = {self.dims.find(dim) for dim in self.context.class_axes()}
        for n in range(self.context.rank(family) or 0):
            if self.dims.find(("axis", family, n)) in roots:
                return n
        return -1

    def _adjust(self, array: Array, family: str, rng: np.random.Generator) -> Array:
        for what, name in self.adjusted:
            if name != family:
                continue
            if what == "sum to one" and array.ndim:
                share = np.abs(array) + 0.1
                array = share / share.sum(axis=self._classes_axis(family), keepdims=True)
            elif what == "one-hot" and array.ndim:
                moved = np.moveaxis(array, self._classes_axis(family), -1)
                moved = np.eye(moved.shape[-1])[rng.integers(0, moved.shape[-1], moved.shape[:-1])]
                array = np.moveaxis(moved, -1, self._classes_axis(family))
            elif what == "symmetric" and array.ndim == 2 and array.shape[0] == array.shape[1]:
                array = (array + array.T) / 2
            elif what == "one":
                array = np.ones_like(array)
            elif what not in ("sum to one", "one-hot", "symmetric", "one"):
                raise UnknownFault(f"there is no adjustment {what}")
        return array
