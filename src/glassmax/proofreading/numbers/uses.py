"""How each name of a document is used: with how many indices, whole, transposed, in bold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..formula import tree
from ..formula.tree import Name, Number
from .names import Names, parts_of, walk
from .value import Fault

__all__ = ["Uses", "quantities_of", "uses_of"]


@dataclass
class Uses:
    """How a name is used: numbers of indices, whole, transposed, with a layer."""

    counts: set[int] = field(default_factory=set)
    turned: bool = False
    layered: bool = False
    bold: bool = False
    by_numbers: bool = False
    sampled: bool = False  # a small letter stands for a column: a^{(i)} of A


def quantities_of(trees: Iterable[object]) -> Iterable[tuple[Name, bool]]:
    """Yield each name that is no function, and whether a transpose or a norm is taken of it."""
    for one in trees:
        stack: list[tuple[object, bool]] = [(one, False)]
        while stack:
            node, turned = stack.pop()
            if isinstance(node, Name):
                yield node, turned
            inner = isinstance(node, tree.Transpose | tree.Norm)
            stack += [(part, inner) for part in _parts(node)]


def _parts(node: object) -> list[object]:
    if isinstance(node, tree.Call):
        return [*node.arguments, *_parts(node.function)]
    if isinstance(node, Name):
        return _labels_in((*node.below, *node.above))
    if isinstance(node, tree.Entry):
        return [node.of, *_labels_in(node.below)]
    return list(parts_of(node))


def _labels_in(indices: Iterable[object]) -> list[object]:
    return [part for one in indices for part in walk(one) if isinstance(part, Name) and part.below]


def uses_of(trees: Sequence[object], names: Names) -> dict[str, Uses]:
    """Collect how each name is used."""
    found: dict[str, Uses] = {}
    for name, turned in quantities_of(trees):
        if name.base == "delta" and len(name.below) == 2:
            continue
        try:
            quantity = names.of(name)
        except Fault:
            continue
        uses = found.setdefault(quantity.family, Uses())
        uses.counts.add(len(quantity.indices))
        uses.turned |= turned
        uses.sampled |= name.base in names.samples and quantity.samples == 1
        uses.layered |= quantity.key != quantity.family
        uses.bold |= "bf" in name.typed or "bold" in name.typed
        uses.by_numbers |= any(isinstance(one, Number) for one in quantity.indices)
    return found
