"""`contexts`: the readings of a document: labels, names for two things, names for derivatives, numbers of axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..formula import tree
from ..formula.tree import Condition, Name, Number
from .context import Context
from .definitions import Definition, Definitions, Equation, collect
from .dependence import ancestors, connected, open_functions, open_loss, stacked
from .derivative_names import readings_of_names
from .implied import imply
from .layers_by_letter import layers_by_letter
from .names import Names, names_of, parts_of, walk
from .names_of_code import letters_of_code
from .one_example import for_one_example
from .ranks import readings
from .renamed import renamed_letters
from .samples_in_columns import samples_of
from .silent_samples import own_parameters, silent_samples
from .uses import quantities_of
from .vocabulary import SCALARS

__all__ = ["contexts"]

MOST_READINGS = 6
FEWER_READINGS = 3
BY_LETTER = 0.3
"""What it costs that letters tell the layer, if that isn't sure."""
UNFIT = 2.5
"""A reading that costs so much leaves a definition with shapes that don't fit."""


def contexts(equations: Sequence[Equation]) -> list[Context]:
    """Return the readings of a document, the likeliest first: six at most for each reading of names such as dZ."""
    split = _split(equations)
    found = _read(equations, split)
    for base in sorted(_of_one_sample(equations) - split)[:3] if _cost(found) >= UNFIT else ():
        other = _read(equations, split | {base})
        if _cost(other) <= _cost(found) - 1.5:
            found, split = other, split | {base}
    if silent := silent_samples(equations):
        return [*_read(equations, split, silent=silent)[:FEWER_READINGS], *found[:FEWER_READINGS]]
    by_letter = layers_by_letter(equations)
    if by_letter is None:
        return found
    layered = _read([*equations, *by_letter.inputs], split, by_letter.levels)
    if by_letter.sure:
        return layered
    for context in layered[:FEWER_READINGS]:
        context.reading.cost += BY_LETTER
    return [*layered[:FEWER_READINGS], *found]


def _cost(found: Sequence[Context]) -> float:
    return min((context.reading.cost for context in found), default=0.0)


def _of_one_sample(equations: Sequence[Equation]) -> set[str]:
    """Names that may be of one sample where they stand alone, x, and of many with an index, ``sum_i x_i``."""
    nodes = [node for equation in equations for node in equation.nodes]
    names = [name for name, _ in quantities_of(nodes)]
    alone = {name.base for name in names if not name.below and not name.above and name.base.islower()}
    labels = {one.base for node in nodes for part in walk(node) for one in _label_names(part)}
    whole = {name.base for name in names if len(name.below) + len(name.above) > 1}  # y_hat is all of the y_hat_nk
    summed = {base for node in nodes for part in walk(node) for base in _summed_over(part)}
    return alone & (labels | (summed - whole))


def _label_names(part: object) -> list[Name]:
    """Class labels with the index of their sample that stand as an index: y_i of w_{y_i}."""
    below = part.below if isinstance(part, Name | tree.Entry) else ()
    return [one for one in below if isinstance(one, Name) and one.below]


def _read(
    equations: Sequence[Equation],
    split: set[str],
    levels: Mapping[str, int] | None = None,
    silent: Mapping[str, str] | None = None,
) -> list[Context]:
    trees = [node for equation in equations for node in equation.nodes]
    names = Names(trees, split, levels)
    names.silent = dict(silent or {})
    names.samples, names.letters = samples_of(equations), letters_of_code(equations) | renamed_letters(equations)
    labels = _labels(equations, names)
    kronecker = _is_kronecker(trees)
    defining = [e for e in equations if not e.replaced and not (kronecker and _defines_delta(e))]
    plain = collect(defining, names, labels)
    imply(plain, defining)
    for_one_example(plain, defining)
    own_parameters(plain)
    _primes(plain, trees)
    fixed = labels | _fixed(plain)
    found: list[Context] = []
    readings_of = readings_of_names(defining, names, plain)
    if all(name.startswith("delta") for one in readings_of for name in one.targets):
        found = _contexts(equations, trees, names, fixed, kronecker, plain, MOST_READINGS)
    for derived in readings_of:
        definitions = collect(defining, names, labels, derived)
        imply(definitions, defining)
        own_parameters(definitions)
        _primes(definitions, trees)
        found += _contexts(equations, trees, names, fixed, kronecker, definitions, FEWER_READINGS)
    return found


def _contexts(
    equations: Sequence[Equation],
    trees: Sequence[object],
    names: Names,
    labels: frozenset[str],
    kronecker: bool,
    definitions: Definitions,
    most: int,
) -> list[Context]:
    scalars = SCALARS | _counts(trees)
    zero = frozenset(
        names.of(name).family
        for name, _ in quantities_of(trees)
        if any(isinstance(one, Number) and one.value == 0 for one in name.below)
    )
    indexed = frozenset(
        names.of(name).family
        for name, _ in quantities_of(trees)
        if any(isinstance(one, Name) for one in names.of(name).indices)
    )
    definitions.stacked = stacked(trees, names, definitions)
    opened = open_functions(trees, names, definitions)
    opened |= open_loss(trees, names, definitions)
    spoken_of = connected(definitions, opened)
    found = readings(equations, names, definitions, labels, scalars, kronecker)
    return [
        Context(equations, names, definitions, labels, kronecker, one, opened, zero, indexed, spoken_of)
        for one in found[:most]
    ]


def _split(equations: Sequence[Equation]) -> set[str]:
    """Names that stand for two things: ``L = sum_i L_i`` and ``L_i = ...``."""
    whole: dict[str, Equation] = {}
    indexed: set[str] = set()
    for equation in equations:
        left = equation.sides[0]
        if isinstance(left, Name):
            (indexed.add(left.base) if left.below or left.above else whole.setdefault(left.base, equation))
    found = set()
    for base, equation in whole.items():
        inside = {base for side in equation.sides[1:] for part in walk(side) for base in _summed_over(part)}
        if base in inside or (base in indexed and base in SCALARS):
            found.add(base)
    return found | _of_one_and_of_all(equations)


def _of_one_and_of_all(equations: Sequence[Equation]) -> set[str]:
    """Names that are defined for one sample, ``y_k = ...``, and once more for all of them, ``y_nk = ...``.

    So are the names that both definitions use with as many indices, a_k and a_nk.
    """
    defined: dict[str, dict[int, Equation]] = {}
    for one in equations:
        left = one.sides[0]
        if isinstance(left, Name) and left.below and not left.above and _are_letters(left) and left.base != "delta":
            defined.setdefault(left.base, {}).setdefault(len(left.below), one)
    found: set[str] = set()
    for base, by_count in defined.items():
        if set(by_count) == {1, 2}:
            inside = [_with_count(by_count[n], n) for n in (1, 2)]
            found |= {base} | (inside[0] & inside[1])
    return found


def _with_count(equation: Equation, count: int) -> set[str]:
    return {name.base for name in names_of(equation.sides[1:]) if len(name.below) == count and _are_letters(name)}


def _are_letters(name: Name) -> bool:
    return all(isinstance(one, Name) and not one.below for one in name.below)


def _summed_over(part: object) -> set[str]:
    """The names in a sum that have its letter as an index."""
    if not isinstance(part, tree.Summation):
        return set()
    return {
        name.base
        for name in walk(part.body)
        if isinstance(name, Name)
        if {one.base for one in (*name.below, *name.above) if isinstance(one, Name)} & set(part.letters)
    }


def _primes(definitions: Definitions, trees: Sequence[object]) -> None:
    """Take f' for df/dx where f = u/v is defined and x is the one variable that it depends on."""
    for name in names_of(trees):
        if not name.primes or name.below or name.above or definitions.defines(f"{name.base}{PRIME * name.primes}"):
            continue
        inputs = [key for key in ancestors(name.base, definitions, {}) if not definitions.defines(key)]
        if definitions.defines(name.base) and len(inputs) == 1:
            value = tree.Derivative(Name(name.base), (Name(inputs[0]),) * name.primes)
            plain = Name(name.base, primes=name.primes)
            definition = Definition(plain, ((value, None),), definitions.names)
            definitions.found[f"{name.base}{PRIME * name.primes}"] = definition


PRIME = "'"


def _defines_delta(equation: Equation) -> bool:
    left = equation.sides[0]
    return isinstance(left, Name) and left.base == "delta" and len(left.below) == 2


def _is_kronecker(trees: Iterable[object]) -> bool:
    """Whether delta with two indices is Kronecker's: not if it has a layer, too."""
    uses = [name for name, _ in quantities_of(trees) if name.base == "delta" and len(name.below) == 2]
    return not any(name.above for name in uses)


def _labels(equations: Sequence[Equation], names: Names) -> frozenset[str]:
    """Names that stand as an index and have an index themselves (y_i in ``O[i, y_i]``, in ``k = y_i``)."""
    found: set[str] = set()
    for equation in equations:
        for node in equation.nodes:
            for part in walk(node):
                found |= _label_parts(part, names)
    return frozenset(found)


def _label_parts(part: object, names: Names) -> set[str]:
    inside: list[object] = []
    if isinstance(part, tree.Call) and part.function.base in ("one_hot", "at_labels"):
        return {names.of(one).family for one in part.arguments[1:] if isinstance(one, Name)}
    if isinstance(part, Name | tree.Entry):
        inside = list(part.below)
    elif isinstance(part, Condition):
        inside = [part.left, part.right] if _about_indices(part) else []
    return {names.of(one).family for one in inside if isinstance(one, Name) and one.below}


def _about_indices(condition: Condition) -> bool:
    """Whether a condition compares indices: one side is a letter alone, or a label has an index."""
    sides = (condition.left, condition.right)
    return any(isinstance(side, Name) and not side.below and len(side.base) == 1 for side in sides)


def _fixed(definitions: Definitions) -> frozenset[str]:
    """Letters that are on the right side of a definition alone: the class c in ``L = -log p_c``."""
    found: set[str] = set()
    for definition in definitions.found.values():
        if definition.name.below or definition.name.above:
            continue
        left = {part.base for part in walk(definition.name) if isinstance(part, Name)}
        for value, _ in definition.branches:
            found |= _free_letters(value, frozenset()) - left
    return frozenset(found)


def _free_letters(node: object, bound: frozenset[str]) -> set[str]:
    if isinstance(node, tree.Summation):
        bound = bound | set(node.letters)
    found: set[str] = set()
    if isinstance(node, tree.Call):
        for argument in node.arguments:
            found |= _free_letters(argument, bound)
        return found - bound
    if isinstance(node, Name):
        for one in (*node.below, *node.above):
            if isinstance(one, Name) and not one.below and one in node.below:
                found.add(one.base)
    for part in parts_of(node):
        found |= _free_letters(part, bound)
    return found - bound


def _counts(trees: Iterable[object]) -> frozenset[str]:
    return frozenset(
        part.high.base
        for tree_ in trees
        for part in walk(tree_)
        if isinstance(part, tree.Summation) and isinstance(part.high, Name)
    )
