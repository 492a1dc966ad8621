"""The mistake that explains a wrong line: each is undone at each place, one at first, then two at once.

A correction counts only if the line is right on all numbers with it; of several that are, the cheapest is taken: the
most specific mistake. The search is bounded in steps, which are counted, so that the same text has the same answer on
any machine; it says nothing rather than something that was not measured.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from math import inf

from ..formula.tree import Node, Summation
from ..formula.walk import free_letters, nodes_in
from ..formula.write import write
from . import brackets, chains, indices, products, quantities, rules, sums
from .correction import Correction, Equation, Setting
from .effort import Effort
from .places import Place, places, with_part

__all__ = ["Explanation", "explanation"]

Mistake = Callable[[Node, Setting], Iterator[Correction]]

MISTAKES: tuple[Mistake, ...] = (
    indices.letters_exchanged,
    indices.sums_letter,
    indices.summed_letter_as_free,
    indices.index_left_out,
    indices.index_too_many,
    sums.stray_sum,
    sums.lost_sum,
    sums.sum_ends_early,
    sums.case_counted,
    sums.cases_exchanged,
    sums.of_the_sum,
    sums.lost_delta,
    sums.jacobian_diagonal,
    sums.jacobian_summed,
    sums.row_summed,
    chains.inner_derivative,
    chains.penalty_missing,
    brackets.power_of_sum,
    brackets.power_of_product,
    brackets.brackets_of_product,
    rules.logarithm,
    rules.quotient_rule,
    rules.exponent,
    rules.function_or_derivative,
    rules.activation_missing,
    rules.of_another_variable,
    products.factors_reordered,
    products.transposed,
    products.turned_pair,
    products.other_product,
    quantities.minus,
    quantities.constant,
    quantities.factor_too_many,
    quantities.factor_missing,
    quantities.term_too_many,
    quantities.term_missing,
    quantities.term_of_before,
    quantities.other_quantity,
    quantities.other_everywhere,
    quantities.other_layer,
)
FIRST: dict[str, tuple[Mistake, ...]] = {
    "letters": MISTAKES[:12],
    "bare": (indices.index_left_out, indices.index_too_many),
    "shapes": (
        products.turned_pair,
        products.factors_reordered,
        products.transposed,
        products.other_product,
        quantities.other_layer,
        indices.index_left_out,
        indices.index_too_many,
    ),
}
"""The mistakes that are tried first if a line has no value, by the reason."""
COMPARED, MADE = 8, 1
"""The steps that it takes to compare an equation, and to make one, if its formulas are short."""
COMPARED_PARTS, MADE_PARTS = 20, 100
"""How many parts of the formulas take a step more to be compared, and to be made."""
ON_THE_LEFT: tuple[Mistake, ...] = (indices.letters_exchanged, rules.of_another_variable)
LEFT_COST = 0.25
"""What a correction of the left side costs more: an author knows better what is derived than what it is."""
OF_COST = 0.05
"""What it costs more to change what is differentiated than what it is differentiated by."""
PAIRED_COST = 1.25
"""The dearest mistake that is tried together with a second one."""
DEEP = 0.01
"""What a place costs for each level below the root: a mistake of the whole comes before one of a part."""


@dataclass(frozen=True)
class Explanation:
    """Why a line is wrong: the cause, the mistakes in words, and the equation as it should read."""

    cause: str
    says: str
    equation: Equation
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Origin:
    """Where a correction comes from, so that its sentence is only written if it is the right one."""

    mistake: Mistake
    node: Node
    setting: Setting
    number: int

    def says(self) -> str:
        corrections = self.mistake(self.node, replace(self.setting, write=write))
        return next(islice(corrections, self.number, None)).says


@dataclass(eq=False)
class _Attempt:
    """An equation with something else at one place; it is only built if it is tried."""

    cost: float
    before: Equation
    path: tuple[int, ...]
    instead: Node
    on_left: bool
    causes: tuple[str, ...]
    origins: tuple[_Origin, ...]

    @cached_property
    def equation(self) -> Equation:
        left, right = self.before.left, self.before.right
        if self.on_left:
            return Equation(with_part(left, self.path, self.instead), right)
        return Equation(left, with_part(right, self.path, self.instead))


@dataclass(frozen=True)
class _Search:
    """A line whose mistake is sought: what stands around it, whether an equation is right, and the steps."""

    setting: Setting
    holds: Callable[[Equation], bool]
    left_is_written: bool
    effort: Effort
    parts: int

    def first(self, attempts: Iterable[_Attempt]) -> _Attempt | None:
        """Return the first attempt that is right."""
        steps = COMPARED + self.parts // COMPARED_PARTS
        seen: set[Equation] = set()
        for attempt in attempts:
            equation = attempt.equation
            if not _letters_fit(equation, self.setting) or equation in seen or equation.left == equation.right:
                continue
            seen.add(equation)
            if not self.effort.spend(steps):
                return None
            if self.holds(equation):
                return attempt
        return None

    def attempts(
        self, equation: Equation, mistakes: Collection[Mistake] = MISTAKES, dearest: float = inf
    ) -> Iterator[_Attempt]:
        """Yield the equation with each correction at each place, as long as there are steps left."""
        steps = MADE + self.parts // MADE_PARTS
        setting = replace(self.setting, dearest=dearest)
        for attempt in _attempts(equation, setting, self.left_is_written, mistakes):
            if not self.effort.spend(steps):
                return
            if attempt.cost <= dearest:
                yield attempt

    def pairs(self, single: Iterable[_Attempt], mistakes: Collection[Mistake]) -> Iterator[_Attempt]:
        """Yield pairs of cheap corrections, those first whose first one makes the letters fit."""
        ordered = sorted(single, key=lambda one: (not _letters_fit(one.equation, self.setting), one.cost))
        for first in ordered:
            seconds = sorted(self.attempts(first.equation, mistakes, PAIRED_COST), key=lambda attempt: attempt.cost)
            for second in seconds:
                second.cost += first.cost
                second.causes = first.causes + second.causes
                second.origins = first.origins + second.origins
                yield second


def explanation(
    equation: Equation,
    setting: Setting,
    holds: Callable[[Equation], bool],
    effort: Effort,
    *,
    fault: str = "",
    left_is_written: bool = True,
) -> Explanation | None:
    """Return the cheapest mistake, or pair of mistakes, whose correction makes the equation right.

    Parameters
    ----------
    equation : Equation
        The wrong line, with the left side of its chain.
    setting : Setting
        The letters, quantities and sizes of the document.
    holds : callable
        Whether an equation is right on all draws. It must answer False for what has no value.
    effort : Effort
        The steps that the search may take; those that it took are subtracted.
    fault : {"", "shapes", "letters", "bare"}
        Why the line as it stands has no value, if it has none: the mistakes of products, of letters and sums, or of
        left out letters, are then the first of two.
    left_is_written : bool, default True
        Whether the line has a left side of its own, which may be what is wrong.

    Returns
    -------
    Explanation or None
        None if no correction makes the line right, or no steps are left.
    """
    search = _Search(replace(setting, write=_unwritten), holds, left_is_written, effort, _parts_of(equation))
    single = sorted(search.attempts(equation), key=lambda attempt: attempt.cost)
    found = search.first(single)
    if found is not None and found.causes[0] == "chain_rule":
        found = _simpler(found, single, holds)
    if found is None:
        first = FIRST.get(fault, MISTAKES)
        cheap = [attempt for attempt in single if attempt.cost <= PAIRED_COST and attempt.origins[0].mistake in first]
        for second in (first, MISTAKES) if fault in ("shapes", "bare") else (MISTAKES,):
            found = found or search.first(search.pairs(cheap, second))
    return _told(found) if found else None


def _unwritten(node: Node) -> str:
    """Spell nothing: most sentences are never read."""
    return ""


def _parts_of(equation: Equation) -> int:
    return sum(1 for side in (equation.left, equation.right) for _ in nodes_in(side))


def _simpler(found: _Attempt, single: Sequence[_Attempt], holds: Callable[[Equation], bool]) -> _Attempt:
    """Return an attempt with a quantity of the document as the missing factor, if there is one: x_n for d(w x_n)/dw."""
    for attempt in single:
        if attempt.causes[0] == "factor_missing" and holds(attempt.equation):
            attempt.causes, attempt.origins = found.causes, found.origins
            return attempt
    return found


def _letters_fit(equation: Equation, setting: Setting) -> bool:
    """Return whether the right side has no free letter that the left side lacks; a whole array has no letters."""
    left = free_letters(equation.left)
    return not left or free_letters(equation.right) - setting.fixed <= left


def _attempts(
    equation: Equation, setting: Setting, left_is_written: bool, mistakes: Collection[Mistake]
) -> Iterator[_Attempt]:
    """Yield the equation with each correction at each place."""
    left, right = frozenset(free_letters(equation.left)), frozenset(free_letters(equation.right))
    twice = frozenset(letter for letter in left if indices.count_of(equation.left, letter) > 1)
    setting = replace(setting, left_letters=left, right_letters=right, left_twice=twice, right=equation.right)
    for place in places(equation.right):
        here = replace(setting, bound=place.bound, unused=_unused(place))
        for correction, origin in _corrections(place.node, here, mistakes):
            cost = correction.cost + DEEP * len(place.path)
            yield _Attempt(cost, equation, place.path, correction.instead, False, (correction.cause,), (origin,))
    for place in places(equation.left) if left_is_written else ():
        here = replace(setting, bound=place.bound, on_left=True)
        for correction, origin in _corrections(place.node, here, [one for one in ON_THE_LEFT if one in mistakes]):
            cost = correction.cost + LEFT_COST * (correction.cause != "index_on_one_side")
            cost += OF_COST * (place.path[-1:] == (0,))
            yield _Attempt(cost, equation, place.path, correction.instead, True, (correction.cause,), (origin,))


def _corrections(node: Node, setting: Setting, mistakes: Collection[Mistake]) -> Iterator[tuple[Correction, _Origin]]:
    for mistake in mistakes:
        for number, correction in enumerate(mistake(node, setting)):
            yield correction, _Origin(mistake, node, setting, number)


def _unused(place: Place) -> frozenset[str]:
    """Return the letters of the sums around a place that no term of their sum has."""
    sums_around = [node for node in place.parents if isinstance(node, Summation)]
    return frozenset(name for node in sums_around for name in node.letters if name not in free_letters(node.body))


def _told(attempt: _Attempt) -> Explanation:
    says = list(dict.fromkeys(origin.says() for origin in attempt.origins))
    return Explanation(attempt.causes[0], "; ".join(says), attempt.equation, attempt.causes)
