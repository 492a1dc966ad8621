"""The change of one statement, or of two, that makes the learner's program right: tried out on the program itself.

The statements that the wrong gradients depend on are found by disturbing the value of each: a mistake is in none of the
others. The families of changes are tried in the order in which they are likely.
"""

import ast
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .budget import Budget
from .changes import Change, Scope, value_of, values
from .hints import Ask
from .rerun import Key, Rerun, multiple_of
from .source import SEEN, Edit, Statement, Unit

__all__ = ["Repair", "Workshop"]

PATIENCE = 4
"""How many times longer than the computing the waiting may take, where other programs run at the same time."""
EXACT = 2
SMALLEST = 1e-9
"""A relative change of a gradient that is none."""


@dataclass(frozen=True)
class Repair:
    """A statement, the change that mends it, and the gradients that are right with it (and with those before it).

    `ask` is the mistake that was asked for; `exact` is False if anything is right up to a factor alone,
    `made` says whether the statement then makes the array that was asked for.
    """

    statement: Statement
    change: Change
    right: frozenset[Key]
    complete: bool
    ask: Ask | None = None
    exact: bool = True
    made: bool = False

    @property
    def lines(self) -> tuple[int, int]:
        """The first and the last line of the statement that are changed, in the learner's file."""
        unit, edits = self.statement.unit, self.change.edits
        first, last = min(edit.start for edit in edits), max(edit.end for edit in edits)
        if self.statement.line == self.statement.end_line:
            return self.statement.line, self.statement.line
        return unit.line_of(first), max(unit.line_of(first), unit.line_of(max(last - 1, first)))

    @property
    def texts(self) -> tuple[str, str]:
        """The statement as it is and as it should read; of a long statement, the lines that are changed."""
        unit, edits = self.statement.unit, self.change.edits
        start, end = unit.span(self.statement.node)
        if self.statement.line != self.statement.end_line:
            first, last = min(edit.start for edit in edits), max(edit.end for edit in edits)
            start = max(start, unit.source.rfind(b"\n", 0, first) + 1)
            stop = unit.source.find(b"\n", last)
            end = min(end, stop) if stop >= 0 else end
        now = unit.source[start:end]
        then = now
        for edit in sorted(edits, key=lambda edit: -edit.start):
            then = then[: edit.start - start] + edit.text.encode() + then[edit.end - start :]
        return now.decode().strip(), then.decode().strip()


class Workshop:
    """Where repairs are tried: the program on its probes, its units with what may be written there, and a budget."""

    def __init__(self, rerun: Rerun, units: Sequence[Unit], scopes: dict[Unit, Scope], budget: Budget) -> None:
        self.rerun, self.units, self.scopes = rerun, list(units), scopes
        self.last_run = rerun.runs + budget.calls
        self.end = time.thread_time() + budget.seconds
        self.end_of_wall = time.perf_counter() + PATIENCE * budget.seconds
        self.probe = self._quickest(budget)
        self.any_factor = False
        self._done: set[tuple[Statement, tuple[Edit, ...], int, bool]] = set()
        self._before: dict[int, dict[Key, np.ndarray] | None] = {}
        self._affected: dict[tuple[Statement, int], frozenset[Key] | None] = {}

    def _quickest(self, budget: Budget) -> int:
        """The probe on which changes are tried first: one of two rows if a call is long."""
        few = [probe for probe in self.rerun.order if self.rerun.passes[probe].n == 2]
        return few[0] if few and budget.long else self.rerun.order[0]

    def is_over(self) -> bool:
        """Whether the budget is spent; the limits of time are for programs that are slower than they look."""
        spent = self.rerun.runs >= self.last_run
        return spent or time.thread_time() > self.end or time.perf_counter() > self.end_of_wall

    def affected(self, statement: Statement, before: Sequence[tuple[Unit, Edit]]) -> frozenset[Key] | None:
        """The gradients that depend on the value of a statement; None if that could not be found out."""
        key = statement, len(before)
        if key not in self._affected:
            self._affected[key] = self._disturbed(statement, before)
        return self._affected[key]

    def _disturbed(self, statement: Statement, before: Sequence[tuple[Unit, Edit]]) -> frozenset[Key] | None:
        value = value_of(statement.node)
        if value is None or isinstance(statement.node, ast.For | ast.Return | ast.Expr):
            return None
        if len([*values(value)]) != 1 or isinstance(value, ast.Tuple | ast.Dict | ast.List):
            return None
        unit = statement.unit
        text = f"({unit.text(value)}) * 1.0009 + 0.0003"
        now, then = self._now(before), self._gradients([*before, (unit, unit.edit(value, text))])
        if now is None or then is None:
            return None
        changed = [key for key in self.rerun.keys if now[key].shape != then[key].shape or _differ(now[key], then[key])]
        return frozenset(changed)

    def _now(self, before: Sequence[tuple[Unit, Edit]]) -> dict[Key, np.ndarray] | None:
        if len(before) not in self._before:
            self._before[len(before)] = self._gradients(before)
        return self._before[len(before)]

    def _gradients(self, edits: Sequence[tuple[Unit, Edit]]) -> dict[Key, np.ndarray] | None:
        codes = self.rerun.codes(edits)
        return None if codes is None else self.rerun.gradients(codes, self.probe)

    def of(
        self,
        statement: Statement,
        changes: Iterable[Change],
        before: Sequence[tuple[Unit, Edit]],
        least: frozenset[Key],
        wanted: Sequence[str] = (),
    ) -> Iterator[Repair]:
        """Yield the changes of one statement after which more gradients are right than `least`.

        Those are yielded, too, after which the statement makes one of the arrays that are `wanted`, such as "dZ1".
        """
        for change in changes:
            if self.is_over():
                return
            tried = (statement, change.edits, len(before), bool(wanted))
            if tried in self._done or _overlap(change, statement.unit, before):
                continue
            self._done.add(tried)
            repair = self._tried(statement, change, before, least, wanted)
            if repair is not None:
                yield repair

    def _tried(
        self,
        statement: Statement,
        change: Change,
        before: Sequence[tuple[Unit, Edit]],
        least: frozenset[Key],
        wanted: Sequence[str],
    ) -> Repair | None:
        shown: list[Any] = []
        edits = _showing(statement, change) if wanted else change.edits
        codes = self.rerun.codes([*before, *((statement.unit, edit) for edit in edits)], _note(shown))
        if codes is None:
            return None
        right, _ = self.rerun.right(self.rerun.gradients(codes, self.probe), self.probe)
        makes = max((self._made(shown, name, self.probe) for name in wanted), default=0)
        if not right > least and not (makes and right >= least):
            return None
        right, exact = self.rerun.right_everywhere(codes, len(least))
        if right > least:
            complete = len(right) == len(self.rerun.keys)
            return Repair(statement, change, right, complete, exact=exact, made=makes == EXACT)
        if makes and self._makes_everywhere(codes, shown, wanted):
            return Repair(statement, change, least, False, exact=makes == EXACT, made=True)
        return None

    def _made(self, shown: Sequence[Any], name: str, probe: int) -> int:
        """How well a wanted array is made: `EXACT`, 1 for a multiple, 0 if it isn't."""
        p, loose = self.rerun.passes[probe], max(self.rerun.loose, 1e-6)
        factors = [multiple_of(value, name, p, loose, self.any_factor) for value in (*shown[-1:], *shown[:1])]
        found = [factor for factor in factors if factor is not None]
        return 0 if not found else EXACT if 1.0 in found else 1

    def _makes_everywhere(self, codes: Any, shown: list[Any], wanted: Sequence[str]) -> bool:
        for name in wanted:
            for probe in self.rerun.order[:2]:
                shown.clear()
                self.rerun.gradients(codes, probe)
                if not self._made(shown, name, probe):
                    break
            else:
                return True
        return False


def _note(shown: list[Any]) -> Callable[[Any], Any]:
    def note(value: Any) -> Any:
        shown.append(np.array(value) if isinstance(value, np.ndarray) else value)
        return value

    return note


def _showing(statement: Statement, change: Change) -> Sequence[Edit]:
    """The edits of a change, and those that show what the changed statement makes."""
    unit, node = statement.unit, statement.node
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    if isinstance(node, ast.Assign | ast.AugAssign) and isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        if isinstance(node, ast.AugAssign):
            while isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Constant | ast.Name):
                target = target.value
        end = unit.span(node)[1]
        return [Edit(end, end, f"; {SEEN!r}({unit.text(target)})"), *change.edits]
    value = value_of(node)
    for each in values(value) if value is not None else ():
        start, end = unit.span(each)
        if all(start <= edit.start and edit.end <= end for edit in change.edits):
            whole = [edit for edit in change.edits if (edit.start, edit.end) == (start, end)]
            if whole:
                return [Edit(start, end, f"{SEEN!r}({whole[0].text})")]
            return [Edit(start, start, f"{SEEN!r}("), Edit(end, end, ")"), *change.edits]
    return change.edits


def _differ(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.linalg.norm(a - b) > SMALLEST * max(float(np.linalg.norm(a)), float(np.linalg.norm(b)), 1e-300))


def _overlap(change: Change, unit: Unit, before: Sequence[tuple[Unit, Edit]]) -> bool:
    return any(
        other is unit and edit.start < old.end and old.start < edit.end
        for edit in change.edits
        for other, old in before
    )
