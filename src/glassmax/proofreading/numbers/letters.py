"""Index letters: the size of each, the value of an index, and where a condition holds."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..formula import tree
from ..formula.tree import Condition, Name, Node, Number
from .names import parts_of
from .value import CountFault, ShapeFault, UnknownFault, Value, elementwise

if TYPE_CHECKING:
    from .scene import Scene

__all__ = ["index_value", "mask_of", "sizes_of_letters"]

_COMPARED = {
    "=": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def index_value(node: Node, scene: "Scene", family: str = "", counted: int = 0) -> Value:
    """Return the value of an index, counted from 0 (or `counted`): a letter along its own axis, a label, a number."""
    match node:
        case Number(value):
            return Value(np.asarray(int(value) - scene.context.first_index(family)))
        case Name(base, below, above) if base in scene.letters and not below and not above:
            return Value(np.arange(scene.letters[base]) + counted, (base,))
        case Name(base, below, above) if not below and not above and not scene.context.is_label(base):
            if base in scene.usual:
                return Value(np.arange(scene.usual[base]) + counted, (base,))
            raise CountFault(f"no array here tells what the index {base} runs over")
        case Name():
            quantity = scene.names.of(node)
            if not scene.context.is_label(quantity.family):
                raise UnknownFault(f"{node.base} is an array here and an index there")
            from .evaluate import pick

            return pick(scene.array(quantity), [index_value(one, scene) for one in quantity.indices])
        case tree.Add(terms):
            total = index_value(terms[0], scene, family)
            for term in terms[1:]:
                total = elementwise(total, _shift(term, scene), np.add)
            return total
    raise UnknownFault("an index is neither a letter nor a label nor a number")


def _shift(node: Node, scene: "Scene") -> Value:
    match node:
        case Number(value):
            return Value(np.asarray(int(value)))
        case tree.Negative(Number(value)):
            return Value(np.asarray(-int(value)))
    return index_value(node, scene)


def mask_of(condition: Condition, scene: "Scene") -> Value:
    """Return where a condition holds, over its letters."""
    left, right = (_compared(side, scene) for side in (condition.left, condition.right))
    compare = _COMPARED[condition.relation]
    mask = elementwise(left, right, lambda a, b: compare(np.real(a), np.real(b)))
    if condition.also is not None:
        mask = elementwise(mask, mask_of(condition.also, scene), np.logical_and)
    return mask


def _compared(node: Node, scene: "Scene") -> Value:
    """A side of a condition: an index if it is one, otherwise a quantity."""
    from .evaluate import evaluate

    if isinstance(node, Name):
        quantity = scene.names.of(node)
        index = not node.below and (node.base in scene.letters or node.base in scene.usual)
        if index or scene.context.is_label(quantity.family):
            return index_value(node, scene, counted=0)
    if isinstance(node, Number):
        return Value(np.asarray(float(node.value)))
    return evaluate(node, scene)


def sizes_of_letters(
    nodes: Iterable[object],
    scene: "Scene",
    wanted: Sequence[str] | None = None,
    known: dict[int, dict[str, int]] | None = None,
) -> dict[str, int]:
    """Read the size of every free letter off the arrays that it indexes, then off deltas and conditions.

    `known` holds what was found in the bodies of sums, which may be nested, by their identity.
    """
    found: dict[str, int] = {}
    ties: list[_Tie] = []
    known = {} if known is None else known
    for node in nodes:
        _collect(node, scene, {}, found, ties, known)
    for one, other, bound in ties * 2:
        for letter, source in ((one, other), (other, one)):
            if not isinstance(letter, Name) or letter.below or letter.base in found or letter.base in bound:
                continue
            size = _size_of(source, scene, {**found, **bound})
            if size and not scene.context.is_label(letter.base):
                found[letter.base] = size
    return found if wanted is None else {letter: found[letter] for letter in wanted if letter in found}


def _size_of(node: object, scene: "Scene", found: dict[str, int]) -> int:
    if not isinstance(node, Name):
        return 0
    if not node.below and node.base in found:
        return found[node.base]
    if not node.below and node.base in scene.letters:
        return scene.letters[node.base]
    family = scene.names.of(node).family
    return scene.classes(family) if scene.context.is_label(family) else 0


_Tie = tuple[object, object, dict[str, int]]
MOST_KEPT = 20_000
"""Most parts of formulas whose letters are kept with a draw."""


def _collect(
    node: object,
    scene: "Scene",
    bound: dict[str, int],
    found: dict[str, int],
    ties: list[_Tie],
    known: dict[int, dict[str, int]],
) -> None:
    """Note the sizes of the free letters in a node, and what ties letters; `bound` letters belong to a sum."""
    if bound or scene.depth or scene.moved or scene.letters:
        _collect_parts(node, scene, bound, found, ties, known)
        return
    kept = scene.draw.sizes_found
    if id(node) not in kept:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        mine: dict[str, int] = {}
        tied: list[_Tie] = []
        _collect_parts(node, scene, bound, mine, tied, known)
        kept[id(node)] = (node, mine, tied)  # the node is kept, so that no other has its identity
    for letter, size in kept[id(node)][1].items():
        if found.setdefault(letter, size) != size:
            raise _different(letter, size, found[letter])
    ties += kept[id(node)][2]


def _collect_parts(
    node: object,
    scene: "Scene",
    bound: dict[str, int],
    found: dict[str, int],
    ties: list[_Tie],
    known: dict[int, dict[str, int]],
) -> None:
    if isinstance(node, tree.Summation):
        if id(node.body) not in known:
            known[id(node.body)] = sizes_of_letters([node.body], scene, known=known)
        inside = known[id(node.body)]
        bound = bound | {letter: inside.get(letter, 0) for letter in node.letters}
    if isinstance(node, Name):
        if node.base == "delta" and len(node.below) == 2 and scene.context.is_kronecker:
            ties.append((*node.below, bound))
        else:
            _indexed(node, scene, bound, found)
    if isinstance(node, Condition):
        ties.append((node.left, node.right, bound))
    if isinstance(node, tree.Entry):
        _entry(node, scene, bound, found)
    for part in parts_of(node):
        _collect(part, scene, bound, found, ties, known)


def _indexed(name: Name, scene: "Scene", bound: dict[str, int], found: dict[str, int]) -> None:
    quantity = scene.names.of(name)
    if not quantity.indices or scene.is_function(quantity.family):
        return
    shape = scene.shape(quantity)
    if scene.context.samples_last(quantity) and len(shape) == 2:
        shape = shape[::-1]
    for position, index in enumerate(quantity.indices[: len(shape)]):
        _note(index, shape[position], scene, bound, found)


def _entry(node: tree.Entry, scene: "Scene", bound: dict[str, int], found: dict[str, int]) -> None:
    from .evaluate import evaluate
    from .value import Fault

    try:
        shape = evaluate(node.of, scene).shape
    except Fault:
        return
    for index, size in zip(node.below, shape, strict=False):
        _note(index, size, scene, bound, found)


def _note(index: Node, size: int, scene: "Scene", bound: dict[str, int], found: dict[str, int]) -> None:
    if isinstance(index, tree.Add):
        index = index.terms[0]
    if not isinstance(index, Name) or index.below or index.base in bound or scene.context.is_label(index.base):
        return
    if found.setdefault(index.base, size) != size:
        raise _different(index.base, size, found[index.base])


def _different(letter: str, size: int, other: int) -> ShapeFault:
    return ShapeFault(f"{letter} runs over {size} in one place and over {other} in another")
