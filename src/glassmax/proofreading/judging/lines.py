"""Statements to equations: each side is parsed, with the functions and the layers that the document has."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...errors import GlassmaxError
from ..document import Statement
from ..formula.conventions import conventions_of
from ..formula.parse import parse, parse_condition
from ..formula.signs import FUNCTIONS
from ..formula.tree import Call, Derivative, Entry, Name, Node, Number, Power
from ..formula.walk import free_letters, nodes_in, widened
from ..numbers import Equation, program_equations

__all__ = ["Line", "lines_of"]

DECLARED = re.compile(r"^\s*(.+?)\s*(?:\\left)?\(([^()=]*?)(?:\\right)?\)\s*$", re.DOTALL)
"""A left side such as f(x), sigma(z_i), L(y, p)."""
INDEXED = re.compile(r"_[a-z]|=[a-z]\b")
"""An index among what a probability is of: y_i = k."""
LAYERED = ("W", "w", "a", "b", "z", "h", "x", "A", "Z", "X", "H", "delta", "Theta")
"""Names that have a layer above, if the document numbers its layers: W^1, z^2."""


@dataclass(frozen=True)
class Line:
    """A statement and the equation that was read in it; `fault` says why there is none."""

    statement: Statement
    equation: Equation | None = None
    fault: str = ""
    sides: tuple[Node | None, ...] = ()  # all sides, if the equation goes without one of them


@dataclass(frozen=True)
class Spelling:
    """What the document as a whole says about its formulas: its functions, and its names with numbered layers."""

    functions: frozenset[str]
    layers: frozenset[str]


def lines_of(statements: Sequence[Statement]) -> list[Line]:
    """Read each statement; one that can't be read keeps the reason."""
    lefts = [one.sides[0] for one in statements if len(one.sides) > 1]
    functions = frozenset(name for left in lefts if (name := _declared(left)))
    spelling = Spelling(functions, _layers(lefts, functions))
    program = iter(program_equations((one.line, one.source) for one in statements if one.code))
    lines = [_program_line(one, next(program)) if one.code else _line(one, spelling) for one in statements]
    return _as_meant(_without_named_values(_without_events(lines)))


def _without_events(lines: list[Line]) -> list[Line]:
    """Leave out of each chain the sides with a probability that has a name only: P(y = k | x) in p_k = P(y = k | x).

    One without an index that is the first side of an equation is a quantity that the equation defines.
    """
    firsts = {first.base for line in lines if line.equation if isinstance(first := line.equation.sides[0], Name)}
    for place, line in enumerate(lines):
        if line.equation is None or line.statement.code:
            continue
        sides = line.equation.sides
        kept = tuple(side for side in sides if side is None or not _unsaid_event(side, firsts))
        if kept == sides:
            continue
        if len(kept) < 2:
            lines[place] = Line(line.statement, fault="a probability is given by its name only")
        else:
            lines[place] = replace(line, equation=replace(line.equation, sides=kept), sides=sides)
    return lines


def _without_named_values(lines: list[Line]) -> list[Line]:
    """Leave out the middle side of p_i = f(z)_i = e^{z_i} / ..., where f is an array and no other formula has it."""
    parts = [node for line in lines if line.equation for side in line.equation.sides if side for node in nodes_in(side)]
    uses = Counter(part.function.base for part in parts if isinstance(part, Call))
    uses.update({part.of.base for part in parts if isinstance(part, Derivative) and isinstance(part.of, Name)})
    for place, line in enumerate(lines):
        sides = line.equation.sides if line.equation else ()
        if len(sides) != 3 or line.statement.code or not isinstance(sides[1], Entry):
            continue
        call = sides[1].of
        if isinstance(call, Call) and call.function.base not in FUNCTIONS and uses[call.function.base] == 1:
            assert line.equation is not None
            lines[place] = replace(line, equation=replace(line.equation, sides=(sides[0], sides[2])), sides=sides)
    return lines


def _unsaid_event(side: Node, firsts: set[str]) -> bool:
    events = {part.base for part in nodes_in(side) if isinstance(part, Name) and "(" in part.base}
    return any(one not in firsts or INDEXED.search(one) for one in events)


def _as_meant(lines: list[Line]) -> list[Line]:
    """Read each formula by the conventions of the document; a sum takes in the terms after it that have its letter."""
    meant = conventions_of(line.equation.sides for line in lines if line.equation)
    letters: set[str] = set()
    for place, line in enumerate(lines):
        if line.equation is None or line.statement.code:
            continue
        first, *rest = (side and meant(side) for side in line.equation.sides)
        letters = letters if first is None else free_letters(first)
        sides = (first, *(side and widened(side, letters) for side in rest))
        lines[place] = replace(line, equation=replace(line.equation, sides=sides))
    return lines


def _program_line(statement: Statement, read: Equation | str) -> Line:
    return Line(statement, fault=read) if isinstance(read, str) else Line(statement, read)


def _declared(left: str) -> str:
    """Return the function that a left side declares, or ""."""
    match = DECLARED.match(left)
    if match is None:
        return ""
    head, *arguments = [_read(part) for part in (match[1], *match[2].split(","))]
    named = isinstance(head, Name) and not head.primes and all(isinstance(one, Name) for one in arguments)
    return head.base if named and isinstance(head, Name) else ""


def _read(text: str) -> Node | None:
    try:
        return parse(text)
    except GlassmaxError:
        return None


def _layers(lefts: Iterable[str], functions: frozenset[str]) -> frozenset[str]:
    """Return the names with a number above that is a layer: a left side that is a power is none."""
    found = set()
    nodes = [_read(left) for left in lefts]
    plain = {node.base for node in nodes if isinstance(node, Name) and not node.below and not node.above}
    for node in nodes:
        parts = [node, *node.by, node.of] if isinstance(node, Derivative) else [node]
        powers = [part for part in parts if isinstance(part, Power) and isinstance(part.exponent, Number)]
        found |= {part.base.base for part in powers if isinstance(part.base, Name)} - plain  # r^2 of r = ...
        named = (part for part in parts if isinstance(part, Name) and "^" in part.typed_as.split())
        found |= {part.base for part in named if any(isinstance(one, Number) for one in part.above)}
    return frozenset(found | set(LAYERED)) - functions if found else frozenset()


def _line(statement: Statement, spelling: Spelling) -> Line:
    if statement.skipped or statement.code or len(statement.sides) < 2:
        return Line(statement, fault=statement.skipped or "no equation stands here")
    known = {"functions": spelling.functions, "layers": spelling.layers, "latex": statement.latex or None}
    try:
        sides = tuple(parse(side, **known) if side.strip() else None for side in statement.sides)  # type: ignore[arg-type]
        condition = parse_condition(statement.condition, **known) if statement.condition else None  # type: ignore[arg-type]
    except GlassmaxError as error:
        return Line(statement, fault=" ".join(str(error).split("\n")[:1]))
    if any(side is None for side in sides[1:]):
        return Line(statement, fault="nothing stands on one side of the equals sign")
    return Line(statement, Equation(sides, condition, statement.cue, statement.line))
