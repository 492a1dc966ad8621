"""What depends on what: names that are functions of others though nothing defines them, letters for the same array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..formula import tree
from ..formula.tree import Name
from .definitions import Definitions
from .names import Names, walk
from .uses import quantities_of, uses_of
from .vocabulary import OPEN_LOSS, WEIGHTS

__all__ = ["ancestors", "connected", "open_functions", "open_loss", "stacked"]


def open_functions(trees: Iterable[object], names: Names, definitions: Definitions) -> dict[str, tuple[str, ...]]:
    """Names that nothing defines and that are differentiated: each an open function of what it is differentiated by.

    Of these only the ones that come last, those that no other depends on. And if nothing is said of a variable, as of x
    in ``dL/dx = dL/dy dy/dx`` with ``y = softmax(z)``, the one input z depends on it.
    """
    trees = list(trees)
    pairs = [(of, by) for of, by in _differentiated(trees, names, definitions) if of != by]
    by: dict[str, set[str]] = {}
    for of, variable in pairs:
        if definitions.of(of) is None:
            by.setdefault(of, set()).add(variable)
    found: dict[str, tuple[str, ...]] = {}
    for key, variables in by.items():
        variables = {one for one in variables if key not in ancestors(one, definitions, by)}
        if any(definitions.of(one) for one in variables):
            variables = {one for one in variables if definitions.of(one)}
        last = [one for one in variables if not any(one in ancestors(o, definitions, by) for o in variables - {one})]
        if last:
            found[key] = tuple(sorted({_in_last_layer(one, definitions) for one in last}))
    return found | _inputs_that_depend(pairs, found, definitions)


def open_loss(trees: Iterable[object], names: Names, definitions: Definitions) -> dict[str, tuple[str, ...]]:
    """The loss of names such as dZ, if nothing is known of it: an open function of the last of their arrays."""
    derived = definitions.derived
    if derived is None or derived.loss.base != OPEN_LOSS or derived.anchor is not None:
        return {}
    keys = {names.of(name).key for name, _ in quantities_of(trees)}
    arrays = {definitions.target(key) for key in keys if definitions.target(key) != key}
    last = [one for one in arrays if not any(one in ancestors(o, definitions, {}) for o in arrays - {one})]
    return {OPEN_LOSS: tuple(sorted({_in_last_layer(one, definitions) for one in last}))} if last else {}


def _differentiated(trees: Iterable[object], names: Names, definitions: Definitions) -> list[tuple[str, str]]:
    """Pairs of a name in something that is differentiated, and the variable."""
    found = []
    for node in trees:
        for part in walk(node):
            if isinstance(part, tree.Derivative):
                if isinstance(part.of, Name):  # not the label in its index
                    tops = [names.of(part.of).key]
                else:  # in the derivative of an expression, y_k is a constant
                    tops = [names.of(name).key for name, _ in quantities_of([part.of])]
                    tops = [top for top in tops if top.partition("^")[0] not in TARGETS]
                below = [names.of(one).key for one in part.by if isinstance(one, Name)]
                if not isinstance(part.of, Name) and set(below) & set(tops):
                    continue  # the expression has the variable itself: what else is in it is constant
                found += [(definitions.real(of), definitions.real(by)) for of in tops for by in below]
    return list(dict.fromkeys(found))


def _inputs_that_depend(
    pairs: Sequence[tuple[str, str]], found: dict[str, tuple[str, ...]], definitions: Definitions
) -> dict[str, tuple[str, ...]]:
    spoken = connected(definitions, found)
    more: dict[str, tuple[str, ...]] = {}
    for of, variable in pairs:
        if variable.partition("^")[0] in spoken or definitions.defines(variable):
            continue
        inputs = {one for one in ancestors(of, definitions, found) if definitions.of(one) is None and one not in found}
        inputs = {one for one in inputs if one.partition("^")[0] not in TARGETS and one != variable}
        if len(inputs) == 1:
            more[inputs.pop()] = (variable,)
    return more


TARGETS = frozenset({"y", "t", "Y", "T", "e", "pi", "i", "j", "k", "n", "N", "K"})
"""Names that depend on no other."""


def _in_last_layer(key: str, definitions: Definitions) -> str:
    """Return the same quantity of the last layer, if a general definition leads there: a loss depends on no other."""
    family, _, layer = key.partition("^")
    top = definitions.names.layers.get("L")
    if layer.isdigit() and isinstance(top, int) and int(layer) < top and definitions.of(f"{family}^{top}") is not None:
        return f"{family}^{top}"
    return key


def connected(definitions: Definitions, opened: dict[str, tuple[str, ...]]) -> frozenset[str]:
    """The families in the right sides of all definitions."""
    names = definitions.names
    values = [value for one in definitions.found.values() for value, _ in one.branches]
    values += [value for all_ in definitions.components.values() for one in all_.values() for value, _ in one.branches]
    values += [function.body for function in definitions.functions.values()]
    found = {names.of(name).family for name, _ in quantities_of(values)}
    found |= {names.of(name).family for function in definitions.functions.values() for name in function.parameters}
    found |= {key.partition("^")[0] for keys in opened.values() for key in keys}
    if definitions.derived is not None and definitions.derived.anchor is not None:
        found |= set(definitions.derived.targets.values())
    return frozenset(found)


def stacked(trees: Sequence[object], names: Names, definitions: Definitions) -> dict[str, tuple[Name, bool]]:
    """Letters that no definition has, where the other case of the letter is defined or used in a definition.

    X has the rows x_i; the columns of W are its w_k; y_ik is an entry of Y.
    """
    spoken = connected(definitions, {})
    uses = uses_of(trees, names)
    found: dict[str, tuple[Name, bool]] = {}
    for family, mine in uses.items():
        other = family.swapcase()
        known = other in spoken or definitions.defines(other)
        if len(family) != 1 or family in spoken or definitions.defines(family) or other not in uses or not known:
            continue
        theirs = uses[other]
        if mine.layered or theirs.layered:
            continue
        vectors = max(theirs.counts) == 1 and (theirs.turned or theirs.bold)
        if family.isupper() and max(mine.counts) == 0 and (max(theirs.counts) == 2 or vectors):
            found[family] = (Name(other), family in WEIGHTS and vectors)
        elif family.islower() and mine.counts == {2} and theirs.counts <= {0, 2}:
            found[family] = (Name(other), False)
    return found


def ancestors(key: str, definitions: Definitions, by: Mapping[str, Iterable[str]]) -> set[str]:
    """All names that a name depends on."""
    seen: set[str] = set()
    todo = [key]
    while todo:
        one = todo.pop()
        definition = definitions.of(one)
        below: set[str] = set(by.get(one, ())) if definition is None else set()
        for value, _ in definition.branches if definition else ():
            below |= {definition.names.of(name).key for name, _ in quantities_of([value])}  # type: ignore[union-attr]
        todo += [name for name in below if name not in seen]
        seen |= below
    return seen
