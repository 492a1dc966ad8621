"""The first line of a learner's program that leaves the truth, and what it should read.

The suspects are the statements that the wrong gradients depend on. Those whose array is nothing that the exact pass
knows come first, in the order in which they ran; a statement whose array is right comes last. A suspect is guilty if
the program is right once it is changed. Of two faults, the change of the first makes more of the gradients right.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...learner.recording import Recording
from ..exact_pass import Pass
from ..reading.function import Learner
from ..reading.probes import Arguments
from ..reading.problem import Problem
from .changes import FAMILIES, Change, Scope, value_of, values
from .known_names import KnownNames, Rank
from .observed import observed
from .recognise import Recognition
from .repairs import Repair, Workshop
from .rerun import Key, Rerun
from .right_lines import right_lines
from .source import Edit, Statement, Unit, units_of

__all__ = ["Program", "WrongLine"]

MOST_REPAIRS = 6
ORDER = tuple(FAMILIES)
QUICK = ("signs", "factors", "axes", "transposes", "operators", "groups", "sums", "accumulations", "droppings")

Before = tuple[tuple[Unit, Edit], ...]


class FirstWrong:
    """The search for the repairs of one program."""

    def __init__(self, rerun: Rerun, known: KnownNames, seconds: float) -> None:
        self.known, self.rerun = known, rerun
        self.scopes = {unit: known.scope(unit) for unit in known.units}
        self.workshop = Workshop(rerun, known.units, self.scopes, seconds)
        self._right: frozenset[Key] = frozenset()

    def repairs(self, hints: Sequence[str]) -> list[Repair]:
        """The repairs, in the order in which they were found; the last is complete, if there is any."""
        gradients = self.rerun.gradients((), self.workshop.probe)
        if gradients is None:
            return []
        right, _ = self.rerun.right(gradients, self.workshop.probe)
        self._right = right
        found: list[Repair] = []
        before: Before = ()
        while len(found) < MOST_REPAIRS and not self.workshop.out_of_time():
            repair = self._next(right, before, hints)
            if repair is None:
                break
            found.append(repair)
            if repair.complete:
                break
            right = repair.right
            before = (*before, *((repair.statement.unit, edit) for edit in repair.change.edits))
        return found

    def suspect(self, repairs: Sequence[Repair]) -> Statement | None:
        """The first statement whose array is unknown though what it reads is not, after some repairs."""
        right = repairs[-1].right if repairs else self._right
        before = tuple((repair.statement.unit, edit) for repair in repairs for edit in repair.change.edits)
        wrong = frozenset(self.rerun.keys) - right
        for statement in self._by_rank(self.workshop.statements(wrong, before, whole=True)):
            if self.known.rank(statement) == Rank.UNKNOWN and not isinstance(statement.node, ast.For):
                return statement
        return None

    def _next(self, right: frozenset[Key], before: Before, hints: Sequence[str]) -> Repair | None:
        """A repair that makes all right, or failing that the one that makes most right."""
        wrong = frozenset(self.rerun.keys) - right
        suspects = self._by_rank(self.workshop.statements(wrong, before, whole=True))
        best: Repair | None = None
        for repair in self._tried(suspects, before, right, hints):
            if repair.complete:
                return repair
            if best is None or len(repair.right) > len(best.right):
                best = repair
        if best is not None or self.workshop.out_of_time():
            return best
        others = [s for s in self._by_rank(self.workshop.statements(wrong, before, whole=False)) if s not in suspects]
        for repair in self._tried(others, before, right, hints):
            if best is None or len(repair.right) > len(best.right):
                best = repair
        return best

    def _by_rank(self, statements: Sequence[Statement]) -> list[Statement]:
        """The suspects in the order in which they ran; of what is right, first what only renames, then the last."""
        late = len(self.known.seen)

        def place(statement: Statement) -> tuple[int, bool, int]:
            rank, seen = self.known.rank(statement), self.known.first_seen.get(statement, late)
            value = value_of(statement.node)
            renames = isinstance(value, ast.Name | ast.Attribute) and not isinstance(statement.node, ast.Return)
            gathers = value is not None and all(isinstance(each, ast.Name) for each in values(value)) and not renames
            return (rank + gathers, not renames, -seen) if rank == Rank.RIGHT else (rank, False, seen)

        return sorted(statements, key=place)

    def _tried(
        self, statements: Sequence[Statement], before: Before, right: frozenset[Key], hints: Sequence[str]
    ) -> Iterator[Repair]:
        """Try the likely changes of all suspects, then all changes of each."""
        workshop = self.workshop
        suspect = [s for s in statements if self.known.rank(s) < Rank.RIGHT]
        if hints:
            yield from workshop.repairs(suspect, hints, before, right)
        for statement in suspect:
            yield from workshop.repairs([statement], ORDER, before, right)
            yield from workshop.of(statement, self._written_anew(statement), before, right)
        rest = [s for s in statements if s not in suspect]
        yield from workshop.repairs(rest, [*hints, *QUICK], before, right)
        for statement in rest:
            yield from workshop.of(statement, self._written_anew(statement), before, right)
        yield from workshop.repairs(rest, ORDER, before, right)

    def _written_anew(self, statement: Statement) -> Iterator[Change]:
        value = value_of(statement.node)
        if value is None:
            return
        unit = statement.unit
        scope: Scope = self.scopes[unit]
        for line in right_lines(self.known, unit, scope.rows, scope.penalties, scope.numpy):
            for node in values(value):
                yield Change("written anew", (unit.edit(node, line.text),), node, line.name)


@dataclass(frozen=True)
class WrongLine:
    """A wrong line of the learner's program.

    Attributes
    ----------
    line, end_line : int
        The lines of the statement in the learner's file, from 1.
    statement : str
        The statement as it is.
    write : str
        The statement as it should read; "" if no change was found that makes it right.
    family : str
        The kind of change.
    mended : frozenset
        The gradients that the change makes right.
    names : tuple of (str, str, int)
        What the names in the statement stand for: a name, the array of the pass, the line where the name got it.
    """

    line: int
    end_line: int
    statement: str
    write: str
    family: str
    mended: frozenset[Key]
    names: tuple[tuple[str, str, int], ...]


class Program:
    """A learner's function with what it did on each probe.

    `arguments` are what it was given, `recordings` what was recorded; both in the order of `passes`, the learner's own
    data first.
    """

    def __init__(
        self,
        learner: Learner,
        problem: Problem,
        passes: Sequence[Pass],
        arguments: Sequence[Arguments],
        recordings: Sequence[Recording | None],
        single_precision: bool,
    ) -> None:
        self.passes, self.single_precision = passes, single_precision
        self.recordings = recordings
        loose = 1e-3 if single_precision else 1e-7
        self.rerun = Rerun(learner, problem.layout, passes, arguments, not problem.given.declared, loose)
        self.columns = problem.layout.columns

    @cached_property
    def known(self) -> KnownNames | None:
        """What the names stand for; None if the program can't be read."""
        units = units_of(self.rerun.learner.function)
        watched = [i for i, each in enumerate(self.recordings) if each is not None and each.events]
        if not units or not watched or watched[0] != 0:
            return None
        other = [i for i in watched[1:] if self.passes[i].n != self.passes[0].n and self.passes[i].n > 2][:1]
        chosen = [0, *watched[1:2], *(i for i in other if i != watched[1])] if len(watched) > 1 else [0]
        recognition = Recognition([self.passes[i] for i in chosen], self.single_precision)
        recordings = [each for i in chosen if (each := self.recordings[i]) is not None]
        return KnownNames(observed(recognition, recordings), units, self.passes[0], self.columns)

    def wrong_lines(self, hints: Sequence[str], seconds: float) -> list[WrongLine]:
        """The wrong lines, the first one first; empty if none was found."""
        known = self.known
        if known is None:
            return []
        search = FirstWrong(self.rerun, known, seconds)
        repairs = search.repairs(hints)
        done: frozenset[Key] = frozenset()
        found = []
        for repair in repairs:
            found.append(self._told(repair.statement, repair.written, repair.change.family, repair.right - done))
            done = repair.right
        if not repairs or not repairs[-1].complete:
            suspect = search.suspect(repairs)
            if suspect is not None:
                found.append(self._told(suspect, "", "", frozenset(self.rerun.keys) - done))
        return found

    def _told(self, statement: Statement, write: str, family: str, mended: frozenset[Key]) -> WrongLine:
        assert self.known is not None
        names = tuple(self.known.read_by(statement))
        return WrongLine(statement.line, statement.end_line, statement.text, write, family, mended, names)
