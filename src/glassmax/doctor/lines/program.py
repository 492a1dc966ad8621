"""A learner's program with what it did on each probe, and its wrong lines with what they should read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ...learner.recording import Recording
from ..exact_pass import Pass
from ..reading.function import Learner
from ..reading.probes import Arguments
from ..reading.problem import Problem
from .budget import Budget, call_length
from .first_wrong import Before, FirstWrong
from .hints import Ask
from .known_names import KnownNames
from .named_causes import cause_of
from .observed import observed
from .recognise import Recognition
from .rerun import Key, Rerun
from .source import Unit, forget_mended, mended_codes, replaced, units_of

__all__ = ["Program", "WrongLine"]


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
    ask : Ask, optional
        The mistake that was asked for and is made here.
    cause : str
        The cause that the change itself says; "" if it doesn't.
    complete : bool
        Whether the program is right with this change and those before it.
    names : tuple of (str, str, int)
        What the names in the statement stand for: a name, the array of the pass, the line where the name got it.
    """

    line: int
    end_line: int
    statement: str
    write: str
    family: str
    mended: frozenset[Key]
    ask: Ask | None
    cause: str
    complete: bool
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
        if not units:
            return None
        recordings = [self.recordings[i] for i in self.chosen]
        return self._named(units, [each for each in recordings if each is not None])

    @cached_property
    def chosen(self) -> list[int]:
        """The probes on which arrays are recognized."""
        watched = [i for i, each in enumerate(self.recordings) if each is not None and each.events]
        if not watched or watched[0] != 0:
            return []
        other = [i for i in watched[1:] if self.passes[i].n != self.passes[0].n and self.passes[i].n > 2][:1]
        return [0, *watched[1:2], *(i for i in other if i != watched[1])] if len(watched) > 1 else [0]

    @cached_property
    def _recognition(self) -> Recognition:
        return Recognition([self.passes[i] for i in self.chosen], self.single_precision)

    def _named(self, units: Sequence[Unit], recordings: Sequence[Recording]) -> KnownNames | None:
        if not recordings or len(recordings) < len(self.chosen):
            return None
        return KnownNames(observed(self._recognition, recordings), units, self.passes[0], self.columns)

    def mended(self, before: Before) -> KnownNames | None:
        """What the names stand for after some edits."""
        assert self.known is not None
        units = self.known.units
        try:
            with replaced(mended_codes(units, before)):
                calls = [self.rerun.learner.call(*self.rerun.arguments[i], watched=True) for i in self.chosen]
        except (SyntaxError, ValueError, TypeError):
            return None
        finally:
            forget_mended(units)
        return self._named(units, [call.recording for call in calls if call.recording is not None])

    def wrong_lines(self, asks: Sequence[Ask], seconds: float) -> list[WrongLine]:
        """The wrong lines, the first one first; empty if none was found.

        `seconds` is a limit of computing time far above what the search needs.
        """
        known = self.known
        if known is None:
            return []
        recording = self.recordings[0]
        assert recording is not None  # or nothing would be known
        budget = Budget.of(call_length(recording, self.passes[0]), seconds)
        search = FirstWrong(self.rerun, known, budget, self.mended)
        repairs = search.repairs(asks)
        done = search.right_before
        found = []
        for repair in repairs:
            names = tuple(known.read_by(repair.statement))
            family, mended = repair.change.family, repair.right - done
            cause = cause_of(repair, known, mended) if mended else ""
            found.append(
                WrongLine(*repair.lines, *repair.texts, family, mended, repair.ask, cause, repair.complete, names)
            )
            done = repair.right
        if not repairs or not repairs[-1].complete:
            suspect = search.suspect(repairs)
            if suspect is not None:
                left, names = frozenset(self.rerun.keys) - done, tuple(known.read_by(suspect))
                found.append(
                    WrongLine(suspect.line, suspect.end_line, suspect.text, "", "", left, None, "", False, names)
                )
        return found
