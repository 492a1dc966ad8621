"""The derivation of a derivative by `glassmax.derive`, from the definitions of a document."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...calculus import derive
from ...calculus.derivation import Derivation
from ...errors import GlassmaxError
from ..formula import tree
from ..formula.tree import Name, Node
from .context import Context
from .definitions import Definition
from .entries import Entries
from .names import names_of
from .value import Fault, UnknownFault

__all__ = ["Ours", "definitions_between", "derived", "written_names"]

Ours = tuple[Derivation, dict[str, str]]
"""A derivation, and the names in it by the keys of the quantities: W2 for W^2."""


def derived(node: tree.Derivative, context: Context, *, single: bool = False) -> Ours | None:
    """Return the derivation of a derivative; None if the definitions have no form in index notation.

    Parameters
    ----------
    node : Derivative
        A derivative of a name by names, as the left side of a line.
    context : Context
        The reading of the document.
    single : bool, default=False
        Whether each name in the derivation is a single letter.

    Returns
    -------
    tuple of Derivation and dict, or None
        The derivation, proved, and the name that each quantity has in it.
    """
    try:
        entries, text = _equations(node, context, single)
        wrt = [entries.token(context.names.of(one).key) for one in node.by if isinstance(one, Name)]
        of = entries.token(context.names.of(node.of).key) if isinstance(node.of, Name) else None
        found = derive(text, wrt, of=of)
    except (Fault, GlassmaxError):
        return None
    return (found, entries.tokens) if found.proved else None


def written_names(context: Context) -> dict[str, Name]:
    """Return how the author writes each quantity, without its indices, by its key."""
    found: dict[str, Name] = {}
    for name in names_of([node for equation in context.equations for node in equation.nodes]):
        try:
            quantity = context.names.of(name)
        except Fault:
            continue
        below = tuple(one for one in name.below if one not in quantity.indices)
        above = tuple(one for one in name.above if one not in quantity.indices)
        found.setdefault(quantity.key, replace(name, below=below, above=above))
    return found


def _equations(node: tree.Derivative, context: Context, single: bool) -> tuple[Entries, str]:
    """Return the definitions between the variable and what is differentiated, as `derive` reads them."""
    if not isinstance(node.of, Name) or not all(isinstance(one, Name) for one in node.by):
        raise UnknownFault("it is no derivative of a name by a name")
    cuts = {context.names.of(one).key for one in node.by if isinstance(one, Name)}
    found = definitions_between(context.names.of(node.of).key, cuts, context)
    if not found:
        raise UnknownFault("no definition leads from one to the other")
    values = [value for definition in found.values() for value, _ in definition.branches]
    entries = Entries(context, frozenset(name.base for name in names_of(values)), single=single)
    return entries, "; ".join(entries.equation(key, definition) for key, definition in found.items())


def definitions_between(key: str, cuts: set[str], context: Context) -> dict[str, Definition]:
    """Return the definitions on the way from a quantity down to the variables, by their keys."""
    found: dict[str, Definition] = {}
    _collect(key, cuts, context, found, {})
    return found


def _collect(key: str, cuts: set[str], context: Context, found: dict[str, Definition], known: dict[str, bool]) -> bool:
    """Find the definitions on the way from a quantity to the variables; return whether it depends on them."""
    if key in cuts:
        return True
    if key in known:
        return known[key]
    known[key] = False
    definition = context.definitions.of(key)
    if definition is None:
        return False
    if key not in found:
        found[key] = definition
    values = [value for value, _ in definition.branches]
    depends = False
    for name in [*names_of(values), *_names_in_functions(values, context)]:
        try:
            below = definition.names.of(name).key
        except Fault:
            continue
        depends |= _collect(below, cuts, context, found, known)
    if not depends:
        del found[key]
    known[key] = depends
    return depends


def _names_in_functions(values: Sequence[Node], context: Context) -> Iterator[Name]:
    """Yield the names in the functions that are called, their parameters left out."""
    for called in {name.base for name in names_of(values)}:
        function = context.definitions.functions.get(called)
        if function is not None:
            parameters = {one.base for one in function.parameters}
            yield from (name for name in names_of([function.body]) if name.base not in parameters)
