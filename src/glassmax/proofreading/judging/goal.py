"""What is missing to the goal: the chain rule from what the derivation has to the derivative that is wanted.

The derivative of the goal is taken apart at the definitions between its variable and what is differentiated. A
derivative that a right line of the text states is the end of the way; each step before it is one missing line, in the
notation of the text, compared with the exact derivative.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ...calculus import derive
from ...errors import GlassmaxError, OptionError
from ..checked import ASSUMED, FOLLOWS, INDICES, CheckedLine
from ..formula.parse import parse
from ..formula.tree import Call, Derivative, Name, Node, Product, Summation
from ..formula.walk import map_children, nodes_in
from ..formula.write import write
from ..numbers import Context, Fault
from ..numbers.definitions import Definition
from ..numbers.entries import Entries
from ..numbers.names import names_of
from ..numbers.ours import definitions_between, derived, written_names

__all__ = ["Missing", "missing_lines"]


class Missing(NamedTuple):
    """The lines that are missing to a goal, and a sentence about the goal."""

    lines: tuple[CheckedLine, ...] = ()
    says: str = ""


EXPECTED = "the derivative of a quantity by another one of the text, such as dL/dW_1"


def missing_lines(goal: str, lines: Sequence[CheckedLine], context: Context | None) -> Missing:
    """Return the lines between a derivation and its goal, and what is said of them.

    Parameters
    ----------
    goal : str
        A derivative: ``dL/dW_1``.
    lines : sequence of CheckedLine
        The judged lines of the derivation.
    context : Context or None
        The reading of the document; None if it has no equation.

    Returns
    -------
    Missing
        The lines in the order in which they would be written, their number 0, and a sentence.

    Raises
    ------
    OptionError
        If the goal can't be read, or names what the document does not have.
    """
    of, by = _keys(goal, context)
    assert context is not None
    stated = dict(_stated(lines, of, context))
    if by in stated:
        return Missing((), f"{goal} is stated in line {stated[by]}")
    between = definitions_between(of, {by}, context)
    if not between:
        return Missing((), f"{goal} can't be derived: no definition of the text leads from one to the other")
    if context.rank(of.partition("^")[0]):
        found = tuple(filter(None, [_Step(context, of, by, {}).line()]))
    else:
        found = tuple(_Way(context, of, between, set(stated)).to(by))
    if not found:
        return Missing((), f"{goal} could not be derived from the definitions of the text")
    return Missing(found, f"{goal} needs {len(found)} more line{'s' * (len(found) != 1)}")


def _keys(goal: str, context: Context | None) -> tuple[str, str]:
    """Return the keys of the two quantities of a goal; raise an OptionError if it is no derivative of the document."""
    node: Node | None = None
    with suppress(GlassmaxError):
        node = parse(goal)
    keys = []
    if context is not None and isinstance(node, Derivative) and len(node.by) == 1:
        written = written_names(context)
        for name in (node.of, *node.by):
            with suppress(Fault):
                keys += [context.names.of(name).key] if isinstance(name, Name) else []
        keys = [key for key in keys if key in written]
    if len(keys) != 2:
        raise OptionError(parameter="goal", came=repr(goal), expected=EXPECTED)
    return keys[0], keys[1]


def _stated(lines: Sequence[CheckedLine], of: str, context: Context) -> Iterator[tuple[str, int]]:
    """Yield the variables by which right lines state the derivative of a quantity, each with the number of the line.

    A chain rule does not state a derivative: it is not worked out yet.
    """
    left: Node | None = None
    for line in lines:
        left = line.sides[0] if line.sides and line.sides[0] is not None else left
        if line.verdict not in (FOLLOWS, ASSUMED, INDICES) or "which is wrong" in line.says:
            continue
        if not isinstance(left, Derivative) or len(left.by) != 1 or _has_derivative(line.sides[-1]):
            continue
        if isinstance(left.of, Name) and isinstance(left.by[0], Name):
            with suppress(Fault):
                if context.names.of(left.of).key == of:
                    yield context.names.of(left.by[0]).key, line.number


def _has_derivative(node: Node | None) -> bool:
    return node is None or any(isinstance(part, Derivative) for part in nodes_in(node))


@dataclass
class _Way:
    """The definitions between the variable of the goal and what is differentiated; `known` are stated derivatives."""

    context: Context
    of: str
    between: Mapping[str, Definition]
    known: set[str] = field(default_factory=set)

    def to(self, key: str) -> Iterator[CheckedLine]:
        """Yield the missing lines down to the derivative by a quantity."""
        if key in self.known or key == self.of:
            return
        users = [user for user in self.between if key in self._used(user)]
        for user in users:
            yield from self.to(user)
        self.known.add(key)
        line = _Step(self.context, self.of, key, {user: self.between[user] for user in users}).line()
        if line is not None:
            yield line

    def _used(self, user: str) -> set[str]:
        definition, found = self.between[user], set()
        for name in names_of([value for value, _ in definition.branches]):
            try:
                found.add(definition.names.of(name).key)
            except Fault:
                continue
        return found


@dataclass
class _Step:
    """The derivative by one quantity, from the derivatives by what is computed from it."""

    context: Context
    of: str
    key: str
    users: Mapping[str, Definition]
    written: dict[str, Name] = field(default_factory=dict)
    upstream: dict[str, str] = field(default_factory=dict)  # the derivative by a user: its name for `derive`
    names: dict[str, str] = field(default_factory=dict)  # the key of each name for `derive`

    def line(self) -> CheckedLine | None:
        """Return the missing line; None if it could not be derived."""
        self.written = written_names(self.context)
        try:
            sides = self._sides() if self.users else self._derived()
        except (Fault, GlassmaxError):
            return None
        mark = next((one.mark for one in self._derivatives()), "partial")
        sides = tuple(_marked(side, mark) for side in sides)
        like = [side for equation in self.context.equations for side in equation.sides if side is not None]
        formula, latex = (" = ".join(write(side, latex=one, like=like) for side in sides) for one in (False, True))
        return CheckedLine(0, latex, formula, FOLLOWS, write_latex=latex, proved=True, sides=sides)

    def _derivatives(self) -> Iterator[Derivative]:
        for equation in self.context.equations:
            for side in equation.sides:
                if side is not None:
                    yield from (part for part in nodes_in(side) if isinstance(part, Derivative))

    def _sides(self) -> tuple[Node, ...]:
        entries, text = self._text()
        found = derive(text, entries.tokens[self.key], of="Q")
        self.names = {token: key for key, token in entries.tokens.items()}
        functions = {token: name for name, token in entries.functions.items()}
        letters = tuple(map(Name, found.wrt[0][1]))
        whole = self.key.partition("^")[0] not in self.context.indexed and bool(letters)
        forms = [(found.matrix_form, ())] if whole else []
        for form, below in [*forms, (found.index_form, letters)]:
            if form is None or (whole and not below and ("1ᵀ" in form or " 1" in form)):
                continue
            right = self._ours(parse(form, functions=frozenset(functions)), functions)
            left = Derivative(self.written[self.of], (self._with(self.key, below),))
            if self.context.compare(left, right, None) == "same":
                return (left, *self._chain(below), right)
        raise Fault("no form of it could be proved")

    def _derived(self) -> tuple[Node, ...]:
        """Return the derivative of an array as a whole, which is derived in one."""
        ours = derived(Derivative(self.written[self.of], (self.written[self.key],)), self.context, single=True)
        if ours is None:
            raise Fault("the definitions have no form in index notation")
        derivation, tokens = ours
        self.names = {token: key for key, token in tokens.items()}
        left, right = (self._ours(parse(text), {}) for text in (derivation.name, derivation.index_form))
        if self.context.compare(left, right, None) != "same":
            raise Fault("no form of it could be proved")
        return left, right

    def _text(self) -> tuple[Entries, str]:
        """Return ``Q = sum_m G_m u_m`` and the definitions of each u, whose derivatives G are known."""
        definitions = self.users.values()
        values = [value for definition in definitions for value, _ in definition.branches]
        entries = Entries(self.context, frozenset(name.base for name in names_of(values)), single=True)
        entries.tokens["Q"] = "Q"
        terms, lines = [], []
        for user, definition in self.users.items():
            if user == self.of:
                entries.count = 0
                terms.append(entries.part(definition.branches[0][0], definition.names, {}).entry(()))
                continue
            lines.append(entries.equation(user, definition))
            left = lines[-1].partition(" = ")[0]
            token, _, at = left.partition("[")
            letters = at.rstrip("]").split(", ") if at else []
            self.upstream[entries.token(f"~{user}")] = user
            sums = "".join(f"sum_{letter} " for letter in letters)
            terms.append(f"({sums}({entries.token(f'~{user}')}{left[len(token) :]} * {left}))")
        return entries, "; ".join([f"Q = {' + '.join(terms)}", *lines])

    def _chain(self, below: tuple[Name, ...]) -> tuple[Node, ...]:
        """Return the chain rule with its indices, if the quantity is used in one place."""
        users = [user for user in self.users if user != self.of]
        as_arrays = not below and self.context.rank(self.key.partition("^")[0])
        if len(users) != 1 or self.of in self.users or as_arrays:
            return ()
        free = [letter for letter in "ikjmnpqrs" if letter not in {name.base for name in below}]
        rank = self.context.rank(users[0].partition("^")[0]) or 0
        letters = tuple(map(Name, free[:rank]))
        user, mine = self._with(users[0], letters), self._with(self.key, below)
        product = Product((Derivative(self.written[self.of], (user,)), Derivative(user, (mine,))), ("",))
        chain: Node = Summation(tuple(letter.base for letter in letters), product) if letters else product
        left = Derivative(self.written[self.of], (mine,))
        return (chain,) if self.context.compare(left, chain, None) == "same" else ()

    def _ours(self, node: Node, functions: Mapping[str, str]) -> Node:
        """Return a formula of `derive` with the names of the document."""
        if isinstance(node, Call) and node.function.base in functions:
            inner = map_children(node, lambda child: self._ours(child, functions))
            name = Name(functions[node.function.base], primes=node.function.primes)
            return replace(inner, function=name)
        if isinstance(node, Name):
            below = tuple(self._ours(one, functions) for one in node.below)
            if node.base in self.upstream:
                return Derivative(self.written[self.of], (self._with(self.upstream[node.base], below),))
            if node.base in self.names:
                return self._with(self.names[node.base], below)
            return replace(node, below=below)
        return map_children(node, lambda child: self._ours(child, functions))

    def _with(self, key: str, below: tuple[Node, ...]) -> Name:
        """Return a quantity as its author writes it, with indices as the author sets them."""
        name = self.written.get(key)
        if name is None:
            raise Fault(f"{key} is not written in the text")
        if not below:
            return name
        ways = self._ways()
        way = ways.get(key) or next(iter(ways.values()), "_")
        if way == "[" and len(name.below) == 1:  # O_1 with its indices is O_1[i, k]
            number = write(name.below[0])
            name = replace(name, base=f"{name.base}_{number}", typed=f"{name.typed}_{number}", below=())
        return replace(name, below=(*name.below, *below), typed_as=way)

    def _ways(self) -> dict[str, str]:
        """Return how the author sets the indices of each quantity."""
        found: dict[str, str] = {}
        for name in names_of([node for equation in self.context.equations for node in equation.nodes]):
            with suppress(Fault):
                quantity = self.context.names.of(name)
                if quantity.indices and name.below:
                    found.setdefault(quantity.key, name.typed_as)
        return found


def _marked(node: Node, mark: str) -> Node:
    """Return a formula whose derivatives have the sign that the author uses."""
    node = map_children(node, lambda child: _marked(child, mark))
    return replace(node, mark=mark) if isinstance(node, Derivative) else node
