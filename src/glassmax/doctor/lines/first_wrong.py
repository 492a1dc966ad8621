"""The first line of a learner's program that leaves the truth, and what it should read.

The suspects are the statements that the wrong gradients depend on. Those whose array is nothing that the exact pass
knows come first, in the order in which they ran; a statement whose array is right comes last. A suspect is guilty if
the program is right once it is changed. Of two faults, the change of the first makes more of the gradients right.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from .budget import Budget
from .changes import Change, Scope, inside, value_of, values
from .families import FAMILIES
from .hints import Ask
from .known_names import KnownNames, Rank
from .repairs import Repair, Workshop
from .rerun import Key, Rerun
from .right_lines import right_lines
from .source import Edit, Statement, Unit

__all__ = ["Before", "FirstWrong", "Observe"]

MOST_REPAIRS = 6
ORDER = tuple(FAMILIES)
WRITTEN_ANEW = "written anew"
ANEW = "anew"
"""The family of lines that are written from the names that are known."""
ARGUMENTS = "arguments"
"""The family of other operands where one of the learner's own functions is called."""
SMALL = 14
"""How many families are small changes, which are tried before a line is written anew."""
ANYTHING = Ask((*ORDER[:SMALL], ANEW, *ORDER[SMALL:]))

Before = tuple[tuple[Unit, Edit], ...]
Observe = Callable[[Before], KnownNames | None]
"""What the names of the program stand for after some edits."""


class Reached(Iterable[Statement]):
    """The statements on which wrong gradients depend, some of them or (`whole`) all, each found out when it is due."""

    def __init__(
        self, workshop: Workshop, statements: Sequence[Statement], before: Before, wrong: frozenset[Key], whole: bool
    ) -> None:
        self.workshop, self.statements, self.before, self.wrong, self.whole = workshop, statements, before, wrong, whole

    def __iter__(self) -> Iterator[Statement]:
        for statement in self.statements:
            if self.workshop.is_over():
                return
            affected = self.workshop.affected(statement, self.before)
            if affected is None or (self.wrong <= affected if self.whole else self.wrong & affected):
                yield statement


class FirstWrong:
    """The search for the repairs of one program."""

    def __init__(self, rerun: Rerun, known: KnownNames, budget: Budget, observe: Observe) -> None:
        self.known, self.rerun, self.observe = known, rerun, observe
        self.scopes = {unit: known.scope(unit) for unit in known.units}
        self.workshop = Workshop(rerun, known.units, self.scopes, budget)
        self.right_before: frozenset[Key] = frozenset()

    def repairs(self, asks: Sequence[Ask]) -> list[Repair]:
        """The repairs, in the order in which they were found; the last is complete, if all is right with them."""
        gradients = self.rerun.gradients((), self.workshop.probe)
        if gradients is None:
            return []
        right, _ = self.rerun.right(gradients, self.workshop.probe)
        self.right_before = right
        found: list[Repair] = []
        before: Before = ()
        waiting = list(asks)
        while len(found) < MOST_REPAIRS and not self.workshop.is_over():
            repair = self._next(right, before, waiting)
            if repair is None:
                break
            found.append(repair)
            if repair.complete:
                break
            right = repair.right
            before = (*before, *((repair.statement.unit, edit) for edit in repair.change.edits))
            again = self.observe(before)
            if again is not None:
                self._know(again)
        return found

    def _know(self, known: KnownNames) -> None:
        """Go on with what the names stand for in the mended program."""
        self.known = known
        self.scopes.update((unit, known.scope(unit)) for unit in known.units)

    def suspect(self, repairs: Sequence[Repair]) -> Statement | None:
        """The first statement whose array is unknown, in the order in which they ran, among those not mended."""
        right = repairs[-1].right if repairs else self.right_before
        before = tuple((repair.statement.unit, edit) for repair in repairs for edit in repair.change.edits)
        wrong = frozenset(self.rerun.keys) - right
        mended = {repair.statement for repair in repairs}
        every = self._by_rank([s for unit in self.known.units for s in unit.statements])
        for statement in every:
            affected = self.workshop.affected(statement, before)
            if affected is not None and not affected & wrong:
                continue
            odd = self.known.rank(statement) in (Rank.UNKNOWN, Rank.ODD)
            if odd and statement not in mended and not isinstance(statement.node, ast.For | ast.Return):
                return statement
        return None

    def _next(self, right: frozenset[Key], before: Before, waiting: list[Ask]) -> Repair | None:
        """A repair that makes all right, or failing that the one that makes most right.

        Of several mistakes (`waiting`) that of the first is looked for, and taken from the list.
        """
        wrong = frozenset(self.rerun.keys) - right
        every = self._by_rank([s for unit in self.known.units for s in unit.statements])
        suspects = [s for s in every if self._rank(s) < Rank.UNSEEN]
        rest = [s for s in every if s not in suspects]
        reach = partial(self._reached, before=before, wrong=wrong)
        for ask in [*waiting] if len(waiting) > 1 else ():
            self.workshop.any_factor = not ask.of_factor and any(other.of_factor for other in waiting)
            some = chain(reach(suspects), reach(rest))
            repair = self._first_of(self._likely([*some], before, right, ask, ask.wanted), _of_layer(ask) & wrong)
            if repair is not None:
                waiting.remove(ask)
                return replace(repair, ask=ask)
        for ask in waiting:
            repair = self._best_of(
                *(self._likely(reach(some, whole=whole), before, right, ask)
                  for whole in (True, False) for some in (suspects, rest))
            )  # fmt: skip
            if repair is not None:
                return replace(repair, ask=ask)
        return self._best_of(
            *(
                self._tried(reach(some, whole=whole), before, right)
                for whole in (True, False)
                for some in (suspects, rest)
            )
        )

    def _reached(
        self, statements: Sequence[Statement], before: Before, wrong: frozenset[Key], whole: bool = False
    ) -> "Reached":
        """The statements on which some of the wrong gradients depend, or all of them (`whole`), found on demand."""
        return Reached(self.workshop, statements, before, wrong, whole)

    def _first_of(self, tries: Iterator[Repair], layer: frozenset[Key]) -> Repair | None:
        """The first repair that is exact, or failing that the first.

        A repair that mends one of the wrong gradients of the mistake's `layer` must mend the other, too, or make the
        array that is asked for.
        """
        first: Repair | None = None
        for repair in tries:
            if repair.exact and (repair.made or layer <= repair.right or not layer & repair.right):
                return repair
            first = first or repair
        return first

    def _best_of(self, *tries: Iterator[Repair]) -> Repair | None:
        """The first complete repair, or the first of those that make most right, of the first tries that have any."""
        for each in tries:
            best: Repair | None = None
            for repair in each:
                if repair.complete and repair.exact:
                    return repair
                guess = repair.change.family == WRITTEN_ANEW and repair.statement.loops and not repair.complete
                if not guess and (best is None or len(repair.right) > len(best.right)):
                    best = repair
            if best is not None:
                return best
        return None

    def _by_rank(self, statements: Sequence[Statement]) -> list[Statement]:
        """The suspects in the order in which they ran; of what is right, first what only renames, then the last."""
        late = len(self.known.seen)

        def place(statement: Statement) -> tuple[int, bool, int]:
            rank, seen = self._rank(statement), self.known.first_seen.get(statement, late)
            return (rank, not _only_names(statement), -seen) if rank == Rank.RIGHT else (rank, False, seen)

        return sorted(statements, key=place)

    def _rank(self, statement: Statement) -> int:
        """How suspect a statement is; one that only returns several names is not."""
        rank, value = self.known.rank(statement), value_of(statement.node)
        gathers = isinstance(statement.node, ast.Return) and value is not None and value not in values(value)
        if gathers and _only_names(statement):
            return Rank.RIGHT + 1
        return Rank.UNKNOWN if rank in (Rank.ODD, Rank.NUMBER) else rank

    def _likely(
        self,
        statements: Iterable[Statement],
        before: Before,
        right: frozenset[Key],
        ask: Ask,
        wanted: Sequence[str] = (),
    ) -> Iterator[Repair]:
        """Try the families of changes that are asked for on all statements."""
        for family in ask.families:
            calling = family == ARGUMENTS or (family == "operands" and ask.of_argument)
            for statement in sorted(statements, key=self._calls_none) if calling else statements:
                if family == ARGUMENTS and self._calls_none(statement):
                    break
                changes = self._changes(family, statement, ask.wanted)
                yield from self.workshop.of(statement, changes, before, right, wanted)

    def _tried(self, statements: Iterable[Statement], before: Before, right: frozenset[Key]) -> Iterator[Repair]:
        """Try all changes of each suspect, then of the other statements."""
        statements = [*statements]
        if all(self._rank(statement) < Rank.UNSEEN for statement in statements):
            for statement in statements:
                yield from self._likely([statement], before, right, ANYTHING)
        else:
            yield from self._likely(statements, before, right, ANYTHING)

    def _calls_none(self, statement: Statement) -> bool:
        """Whether a statement calls none of the learner's own functions."""
        value = value_of(statement.node)
        return value is None or not any(self._passes_on(node) for node in inside(value))

    def _passes_on(self, value: ast.AST) -> bool:
        """Whether a value is what one of the learner's own functions returns: a mistake is in the function then."""
        called = value.func if isinstance(value, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return name in self.known.own_names

    def _fits(self, name: str, shape: tuple[int, ...] | None, statement: Statement) -> bool:
        """Whether an array of the pass, or a row of it if a statement runs for each sample, has a shape."""
        p = self.rerun.passes[0]
        layer = p.depth if name in ("P", "dP") else int(name.lstrip("dZAP"))
        width = p.architecture.sizes[layer]
        sizes = [size for size in shape or () if size != 1]
        whole = shape is None or sizes in ([p.n, width], [width, p.n]) or width == 1 or p.n == 1
        return whole or (sizes == [width] and len(self.known.by_statement[statement]) > 1)

    def _changes(self, family: str, statement: Statement, wanted: Sequence[str]) -> Iterator[Change]:
        if family == ANEW:
            return self._written_anew(statement, wanted)
        scope = replace(self.scopes[statement.unit], target=self.known.shape_of(statement))
        if family == ARGUMENTS:  # of arrays alone: of single numbers there are too many
            arrays = tuple(name for name in scope.operands if scope.shapes.get(name))
            return FAMILIES["operands"](statement, replace(scope, operands=arrays))
        return FAMILIES[family](statement, scope)

    def _written_anew(self, statement: Statement, wanted: Sequence[str]) -> Iterator[Change]:
        value = value_of(statement.node)
        if value is None or isinstance(statement.node, ast.For) or self._passes_on(value):
            return
        unit, shape = statement.unit, self.known.shape_of(statement)
        scope: Scope = self.scopes[unit]
        kinds = {name.rstrip("0123456789") for name in wanted}
        for line in right_lines(self.known, unit, scope.rows, scope.penalties, scope.numpy):
            kind = line.name.rstrip("0123456789")
            if wanted and kind in ("dW", "db", "dA", "dZ", "dP", "Z", "A") and kind not in kinds:
                continue
            if kind in ("dA", "dZ", "dP", "Z", "A", "P") and not self._fits(line.name, shape, statement):
                continue
            for node in values(value):
                if node is not value and isinstance(node, ast.Name):
                    continue
                yield Change(WRITTEN_ANEW, (unit.edit(node, line.text),), node, line.name)


def _of_layer(ask: Ask) -> frozenset[Key]:
    """The gradients of the layer whose dZ or dA a mistake makes wrong; none if it is a mistake of a gradient's own."""
    layers = {int(name[2:]) for name in ask.wanted if name[:2] in ("dZ", "dA")}
    return frozenset((kind, layer) for layer in layers for kind in "Wb")


def _only_names(statement: Statement) -> bool:
    """Whether a statement computes nothing, but gives names, or returns what has names."""
    value = value_of(statement.node)
    each = [] if value is None else [*values(value)]
    return bool(each) and all(isinstance(one, ast.Name | ast.Attribute | ast.Subscript) for one in each)
