"""Which equations of a document define a name, for the whole document: by its layer, its cases, its components."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..formula import tree
from ..formula.tree import Condition, Name, Node, Number
from .names import Names, names_of, parts_of, standing, walk
from .value import Fault
from .vocabulary import LOSSES

if TYPE_CHECKING:
    from .derivative_names import Derived

__all__ = ["Definition", "Definitions", "Equation", "Function"]


@dataclass(frozen=True)
class Equation:
    """An equation as it was read: `sides[0]` is None if it continues the equation before it."""

    sides: tuple[Node | None, ...]
    condition: Condition | None = None
    cue: str = ""
    line: int = 0
    code: bool = False  # a line of a program
    replaced: bool = False  # in a program: the name is assigned again in a later line

    @property
    def nodes(self) -> tuple[object, ...]:
        """The trees in it."""
        found: list[object] = [side for side in self.sides if side is not None]
        return tuple(found if self.condition is None else [*found, self.condition])


@dataclass(frozen=True)
class Definition:
    """A name and its value, by cases if there are several branches."""

    name: Name
    branches: tuple[tuple[Node, Condition | None], ...]
    names: Names
    equations: tuple[Equation, ...] = ()


@dataclass(frozen=True)
class Function:
    """A function with its parameters: names, with letters if they are written with an index."""

    name: str
    parameters: tuple[Name, ...]
    body: Node
    equation: Equation | None = None


@dataclass
class Definitions:
    """All definitions of a document, and the equations that they come from."""

    names: Names
    found: dict[str, Definition] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    layered: dict[str, list[Definition]] = field(default_factory=dict)
    components: dict[str, dict[tuple[int, ...], Definition]] = field(default_factory=dict)
    given: set[int] = field(default_factory=set)  # id() of the equations that define something
    derived: Derived | None = None
    one_example: str = ""  # the letter of a sum over examples that is left out, since the text goes on for one
    solved: Sequence[Equation] = ()  # equations that solve one that was set to zero
    solutions: dict[str, Definition] = field(default_factory=dict)  # of an equation that was set to zero
    stacked: dict[str, tuple[Name, bool]] = field(default_factory=dict)  # X of the x_i; whether they are its columns

    def defines(self, key: str) -> bool:
        """Whether a key is defined."""
        return key in self.components or self.of(key) is not None

    def real(self, key: str) -> str:
        """Return the array that a key is another letter for; any other key itself."""
        return self.names.of(self.stacked[key][0]).key if key in self.stacked else key

    def target(self, key: str) -> str:
        """Return the array that a name for a derivative belongs to; any other key itself."""
        family, layered, layer = key.partition("^")
        if self.derived is None or family not in self.derived.targets:
            return key
        return self.derived.targets[family] + layered + layer

    def of(self, key: str) -> Definition | None:
        """Return the definition of a key; one for a general layer serves for each layer from 1 on."""
        family, _, layer = key.partition("^")
        if self.derived is not None and family in self.derived.targets:
            return self.derived.definition(family, layer, self)
        if key in self.found:
            return self.found[key]
        if not layer.isdigit() or int(layer) < 1 or (self.names.by_letter and int(layer) > self.names.layers["L"]):
            return None
        if self.names.times and int(layer) < self.names.layers["l"]:
            return None  # one step of a recurrent network: what an earlier step gave is an input
        for definition in self.layered.get(family, ()):
            shift = self.names.shift(definition.name)
            if shift is not None:
                return Definition(definition.name, definition.branches, self.names.at(int(layer) - shift))
        return None

    def add(self, equation: Equation, labels: Iterable[str]) -> bool:
        """Take an equation for a definition if it is one, and return whether it was."""
        left = equation.sides[0]
        if len(equation.sides) < 2 or left is None:
            return False
        right = equation.sides[1]
        assert right is not None
        if isinstance(left, tree.Call):
            return self._add_function(equation, left, right)
        if not isinstance(left, Name) or left.primes:
            return False
        quantity = self.names.of(left)
        if self.derived is not None and quantity.family in self.derived.targets:
            if equation is self.derived.anchor:
                self.given.add(id(equation))
            return False
        if quantity.key in {self.names.of(part).key for part in standing(right)}:
            if isinstance(right, tree.Matrix) and not quantity.indices:
                self.given.add(id(equation))  # it names its components
            return False
        if quantity.indices and all(isinstance(one, Number) for one in quantity.indices):
            return self._add_component(equation, left, right)
        letters = [one.base for one in quantity.indices if isinstance(one, Name) and not one.below]
        if len(letters) != len(quantity.indices) or len(set(letters)) != len(letters):
            return False
        if self._circular(quantity.key, right):
            return False
        if equation in self.solved and quantity.key not in self.found:
            self.solutions[quantity.key] = Definition(left, ((right, None),), self.names, (equation,))
            self.given.add(id(equation))
            return True
        before = self.found.get(quantity.key)
        if before is not None:
            if equation.condition is None or before.branches[-1][1] is None or before.name != left:
                return False
            branches = (*before.branches, (right, equation.condition))
            self.found[quantity.key] = Definition(left, branches, self.names, (*before.equations, equation))
        else:
            definition = Definition(left, ((right, equation.condition),), self.names, (equation,))
            general = self.of(quantity.key)
            if general is not None and (self.names.shift(left) is not None or _is_derivative(general)):
                return False
            self.found[quantity.key] = definition
            shift = self.names.shift(left)
            if shift == 0 or (shift is not None and not self.names.by_letter):
                self.layered.setdefault(quantity.family, []).append(definition)
        self.given.add(id(equation))
        return True

    def _add_component(self, equation: Equation, left: Name, right: Node) -> bool:
        """Take ``p_1 = ...`` for the definition of a component, unless the whole is defined."""
        quantity = self.names.of(left)
        at = tuple(int(one.value) for one in quantity.indices if isinstance(one, Number))
        if self.of(quantity.key) is not None or at in self.components.get(quantity.key, {}):
            return False
        if equation.condition is not None:
            return False
        definition = Definition(left, ((right, None),), self.names, (equation,))
        self.components.setdefault(quantity.key, {})[at] = definition
        self.given.add(id(equation))
        return True

    def _add_function(self, equation: Equation, left: tree.Call, right: Node) -> bool:
        name = left.function
        if name.primes or name.base in self.functions:
            return False
        parameters = tuple(one for one in left.arguments if isinstance(one, Name))
        if len(parameters) != len(left.arguments):
            return False
        if any(isinstance(part, tree.Call) and part.function.base == name.base for part in walk(right)):
            return False
        self.functions[name.base] = Function(name.base, parameters, right, equation)
        self.given.add(id(equation))
        return True

    def _circular(self, key: str, right: Node) -> bool:
        """Whether the right side depends on the name itself, through other definitions."""
        seen: set[str] = set()
        stack: list[tuple[Node, Names]] = [(right, self.names)]
        while stack:
            node, names = stack.pop()
            for part in standing(node):
                try:
                    found = names.of(part).key
                except Fault:
                    continue
                if found == key:
                    return True
                if found in seen:
                    continue
                seen.add(found)
                definition = self.of(found)
                if definition is not None:
                    stack += [(value, definition.names) for value, _ in definition.branches]
        return False


def collect(
    equations: Sequence[Equation], names: Names, labels: Iterable[str], derived: Derived | None = None
) -> Definitions:
    """Find the definitions of a document: those that name a derivative first, then as they come."""
    there, solved = _set_to_zero(equations)
    definitions = Definitions(names, derived=derived, solved=solved)
    definitions.given |= {id(equation) for equation in there}
    labels = frozenset(labels)

    def rank(equation: Equation) -> int:
        if len(equation.sides) > 1 and isinstance(equation.sides[1], tree.Derivative):
            return 0
        return 1 if equation.cue == "define" else 2

    for equation in sorted(equations, key=rank):
        if equation.replaced or (equation.cue == "assume" and not _plain(equation)):
            continue
        definitions.add(equation, labels)
    for equation in equations:  # y_hat = a = f(z) defines a, too
        for n in range(1, len(equation.sides) - 1):
            side = equation.sides[n]
            if isinstance(side, Name) and not equation.replaced and not definitions.defines(names.of(side).key):
                definitions.add(Equation(equation.sides[n:], equation.condition), labels)
            elif (inside := _inside(side, equation.sides[n + 1])) and not definitions.defines(names.of(inside[0]).key):
                definitions.add(Equation(inside, equation.condition), labels)
    for key, definition in definitions.found.items():
        definitions.found[key] = _where_it_holds(definition, frozenset(labels))
    whole = {name.base for equation in equations for name in bare_names(equation.nodes)}
    if any(isinstance(one.sides[0], Name) and one.sides[0].base[:1] == "d" != one.sides[0].base for one in equations):
        whole |= _losses(definitions, equations)  # dz is the derivative of L
    if derived is not None and derived.anchor is not None:
        key = names.of(derived.loss).key
        branches: tuple[tuple[Node, Condition | None], ...] = ((tree.Call(Name("~anchored"), ()), None),)
        definitions.found[key] = Definition(derived.loss, branches, names)
    for name, function in definitions.functions.items():
        if name in whole and name not in definitions.found and function.equation is not None:
            branches = ((function.body, None),)
            definitions.found[name] = Definition(Name(name), branches, names, (function.equation,))
    return definitions


def _is_derivative(definition: Definition) -> bool:
    """Whether a name is a derivative: what is said of it for one layer, delta^L = ..., is a claim."""
    return any(isinstance(value, tree.Derivative) for value, _ in definition.branches)


def _inside(one: Node | None, other: Node | None) -> tuple[Name, Node] | None:
    """Return net and the sum of ``o = phi(net) = phi(sum_i w_i x_i)``, which defines net; so with sums over i."""
    if isinstance(one, tree.Summation) and isinstance(other, tree.Summation) and one.letters == other.letters:
        return (one.body, other.body) if isinstance(one.body, Name) else None
    if not isinstance(one, tree.Call) or not isinstance(other, tree.Call) or one.function != other.function:
        return None
    if len(one.arguments) != 1 or len(other.arguments) != 1 or not isinstance(one.arguments[0], Name):
        return None
    return one.arguments[0], other.arguments[0]


def _losses(definitions: Definitions, equations: Sequence[Equation]) -> set[str]:
    """The losses that are written with what they depend on, ``L(a, y) = ...``, and never called with anything else."""
    called = {
        part.function.base
        for equation in equations
        for side in equation.sides[1:]
        for part in walk(side)
        if isinstance(part, tree.Call)
    }
    known = set(definitions.found)
    return {
        name
        for name, function in definitions.functions.items()
        if name in LOSSES - called and known & {one.base for one in names_of([*function.parameters, function.body])}
    }


def _where_it_holds(definition: Definition, labels: frozenset[str]) -> Definition:
    """Leave out the condition of a definition that has no other case, ``L = r^2 / 2`` for ``|r| < delta``."""
    (_, condition), *others = definition.branches
    if condition is None or others:
        return definition
    indices = {name.base for name in names_of((*definition.name.below, *definition.name.above))} | labels
    if indices & {name.base for name in names_of([condition])}:
        return definition
    return replace(definition, branches=((definition.branches[0][0], None),))


def bare_names(nodes: Iterable[object]) -> Iterator[Name]:
    """Yield names without an index that stand for a quantity, and functions that are differentiated: ``dJ(w)/dw``."""
    for node in nodes:
        for part in walk(node):
            if isinstance(part, tree.Call):
                continue
            for one in parts_of(part):
                if isinstance(one, Name) and not one.below and not one.above:
                    yield one
                if isinstance(part, tree.Derivative) and one is part.of and isinstance(one, tree.Call):
                    yield one.function


def _set_to_zero(equations: Sequence[Equation]) -> tuple[list[Equation], list[Equation]]:
    """Find ``X^T (X w - y) = 0`` and what follows from it at that one point: the last list has ``w = ...`` alone."""
    variables = {
        name.base
        for equation in equations
        for node in equation.nodes
        for part in walk(node)
        if isinstance(part, tree.Derivative)
        for name in names_of(part.by)
    }
    at_zero: set[str] = set()
    there: list[Equation] = []
    solved: list[Equation] = []
    for equation in equations:
        left, right = equation.sides[0], equation.sides[-1]
        parts = [part for node in equation.nodes for part in walk(node)]
        inside = {part.base for part in parts if isinstance(part, Name)} & variables
        derivative = any(isinstance(part, tree.Derivative) for part in parts)
        if isinstance(left, Name) and left.base in at_zero:
            solved.append(equation)
        elif derivative or not inside or left is None or isinstance(left, Name):
            continue
        elif isinstance(right, Number) and right.value == 0:
            at_zero |= inside
            there.append(equation)
        elif inside & at_zero:
            there.append(equation)
    return there, solved


def _plain(equation: Equation) -> bool:
    """Whether an equation after "since" repeats a definition: a name on the left, more than a number on the right."""
    return isinstance(equation.sides[0], Name | tree.Call) and not isinstance(equation.sides[-1], Number)
