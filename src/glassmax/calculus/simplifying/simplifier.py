"""The short form of an expression, with the lines that lead to it: an expression and the rule that made it."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

from ..expression import ONE, Assumption, Definition, Expr, Program, Tensor
from ..indices import is_ones, ones
from ..limits import TooManyTermsError
from ..ranges import Ranges, ranges_of
from .brackets import Brackets
from .collect import Style, collect, size
from .expand import combine, expand
from .recognise import Fact, assume, cancel_sums, fold, sums_of
from .shorten import weight
from .term import Term, from_terms

__all__ = ["Simplifier"]

Stage = tuple[Callable[[list[Term]], list[Term]], str]
"""A change of terms that may apply, and the name of its rule."""
Lines = list[tuple[Expr, str]]
Form = TypeVar("Form")


class Simplifier:
    """Bring expressions to their short form; `used` collects the assumptions that have changed something."""

    def __init__(self, program: Program, assumptions: tuple[Assumption, ...]) -> None:
        self.program = program
        self.assumptions = assumptions
        self.used: set[Assumption] = set()

    def lines(self, start: Expr, known: Definition | None = None) -> Lines:
        """Return the lines from `start` to its short form, in which the right side of `known` gets its name."""
        stages = self._stages(known)
        opened, in_opened = self.attempt(lambda: self._opened(start, stages))
        whole, in_whole = self.attempt(lambda: self._with_brackets(start, stages))
        if opened is None and whole is None:
            raise TooManyTermsError
        more = in_opened > in_whole  # what is assumed is meant to be used
        if whole is not None and (opened is None or (not more and weight(whole) < weight(opened[-1][0]))):
            self.used |= in_whole
            return [(whole, "deltas contracted, brackets kept")]
        assert opened is not None
        self.used |= in_opened
        return opened

    def attempt(self, form: Callable[[], Form]) -> tuple[Form | None, set[Assumption]]:
        """Return a form, None if it has too many terms, and the assumptions in it, which don't count as used yet."""
        before, self.used = self.used, set()
        try:
            return form(), self.used
        except TooManyTermsError:
            return None, set()
        finally:
            self.used = before

    def _opened(self, start: Expr, stages: Sequence[Stage]) -> Lines:
        """Multiply out, use what is known, and take common factors out again."""
        terms = self._terms(start)
        lines = [(from_terms(terms), "multiplied out, deltas contracted")]
        for stage, rule in stages:
            changed = stage(terms)
            if changed != terms:
                terms = changed
                lines.append((from_terms(terms), rule))
        result = self.collected(terms)
        return lines if size(result) > size(lines[-1][0]) else [*lines, (result, "common factors taken out")]

    def _with_brackets(self, start: Expr, stages: Sequence[Stage]) -> Expr | None:
        """Return the short form that is found without opening brackets, if there are any."""
        brackets = Brackets()
        return brackets.open(self.collected(self._terms(brackets.close(start), stages)))

    def short(self, e: Expr) -> Expr:
        """Return the shorter of the two forms, with brackets opened and with brackets kept."""
        stages = self._stages(None)
        whole, used = self.attempt(lambda: self._with_brackets(e, stages))
        before = set(self.used)
        opened = self.collected(self._terms(e, stages))
        if whole is None or weight(opened) <= weight(whole):
            return opened
        self.used = before | used
        return whole

    def forms(self, e: Expr) -> list[Expr]:
        """Return other ways to write a result: multiplied out, and with common factors taken out of that."""
        try:
            terms = combine(expand(e))
        except TooManyTermsError:
            return []
        return [from_terms(terms), self.collected(terms)]

    def collected(self, terms: Sequence[Term]) -> Expr:
        """Write terms as one expression, common factors taken out, in the style of the program."""
        return collect(terms, self._style)

    def _terms(self, e: Expr, stages: Sequence[Stage] = ()) -> list[Term]:
        terms = self._one_name_for_ones(combine(expand(e)))
        for stage, _ in stages:
            terms = stage(terms)
        return terms

    def _one_name_for_ones(self, terms: list[Term]) -> list[Term]:
        """Give vectors of ones with the same range the same name, so that sums of them are alike."""

        def named(atom: Expr) -> Expr:
            if not isinstance(atom, Tensor) or not is_ones(atom):
                return atom
            _, name, position = atom.name.split(":")
            place = (name, int(position))
            return ones(*self._first_of_range.get(self._ranges.root(place), place), str(atom.indices[0]))

        return combine([Term(t.coefficient, t.bound, tuple((named(a), e) for a, e in t.factors)) for t in terms])

    def _stages(self, known: Definition | None) -> list[Stage]:
        """Return the simplifications to try on terms, in order, each with the name of its rule."""
        stages: list[Stage] = []
        if known is not None:
            stages.append((lambda t: combine(fold(t, known)), f"recognized {known.name}"))
        stages.append((cancel_sums, "a sum cancels against its own inverse"))
        return stages + [(self._use(fact), rule) for fact, rule in self._facts]

    @cached_property
    def _facts(self) -> list[tuple[Fact, str]]:
        """Facts that may be used: a softmax sums to one, then the assumptions."""
        facts: list[tuple[Fact, str]] = []
        for definition in self.program.definitions:
            facts += [
                (fact, f"{definition.name} sums to {1 if fact[0][1] == ONE else 0}")
                for fact in sums_of(definition, self.program, self.assumptions)
            ]
        return facts + [((assumption, [assumption]), "assumption used") for assumption in self.assumptions]

    def _use(self, fact: Fact) -> Callable[[list[Term]], list[Term]]:
        equation, needed = fact

        def stage(terms: list[Term]) -> list[Term]:
            changed = assume(terms, equation)
            if changed != terms:
                self.used.update(needed)
            return changed

        return stage

    @cached_property
    def _ranges(self) -> Ranges:
        return ranges_of(self.program, self.assumptions)

    @cached_property
    def _first_of_range(self) -> dict[object, tuple[str, int]]:
        """For each range, the first position that runs over it."""
        first: dict[object, tuple[str, int]] = {}
        for name, count in sorted(self._ranges.arity.items()):
            for position in range(count):
                first.setdefault(self._ranges.root((name, position)), (name, position))
        return first

    @cached_property
    def _style(self) -> Style:
        defined = frozenset(d.name for d in self.program.definitions)
        return Style(defined, lambda name, position: self._ranges.root((name, position)))
