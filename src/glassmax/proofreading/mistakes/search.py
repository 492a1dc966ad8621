"""The mistake that explains a wrong line: each is undone at each place, one at first, then two at once.

A correction counts only if the line is right on all numbers with it; of several that are, the cheapest is taken: the
most specific mistake. The search is bounded in time, and says nothing rather than something that was not measured.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import thread_time

from ..formula.tree import Node, Summation
from ..formula.walk import free_letters
from . import chains, indices, products, quantities, rules, sums
from .correction import Correction, Equation, Setting
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
MOST_ATTEMPTS = 2000
"""How many equations are compared for one line: of one mistake, and of two."""
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
class _Attempt:
    cost: float
    equation: Equation
    corrections: tuple[Correction, ...]
    mistakes: tuple[Mistake, ...]


def explanation(
    equation: Equation,
    setting: Setting,
    holds: Callable[[Equation], bool],
    *,
    fault: str = "",
    seconds: float = 1.0,
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
    fault : {"", "shapes", "letters", "bare"}
        Why the line as it stands has no value, if it has none: the mistakes of products, of letters and sums, or of
        left out letters, are then the first of two.
    seconds : float, default 1.0
        The processor time for the whole search.
    left_is_written : bool, default True
        Whether the line has a left side of its own, which may be what is wrong.

    Returns
    -------
    Explanation or None
        None if no correction makes the line right, or the time is over.
    """
    if seconds <= 0:
        return None
    end = thread_time() + seconds
    single = sorted(_in_time(_attempts(equation, setting, left_is_written), end), key=lambda attempt: attempt.cost)
    found = _first(single, setting, holds, end)
    if found is not None and found.corrections[0].cause == "chain_rule":
        found = _simpler(found, single, holds)
    if found is None:
        first = FIRST.get(fault, MISTAKES)
        cheap = [attempt for attempt in single if attempt.cost <= PAIRED_COST and attempt.mistakes[0] in first]
        for seconds_of in (first, MISTAKES) if fault in ("shapes", "bare") else (MISTAKES,):
            pairs = _pairs(cheap, setting, left_is_written, seconds_of, end)
            found = found or _first(pairs, setting, holds, end)
    return _told(found) if found else None


def _first(
    attempts: Iterable[_Attempt], setting: Setting, holds: Callable[[Equation], bool], end: float
) -> _Attempt | None:
    """Return the first attempt that is right, among the first `MOST_ATTEMPTS`."""
    seen: set[Equation] = set()
    for attempt in attempts:
        if len(seen) >= MOST_ATTEMPTS or thread_time() > end:
            return None
        if attempt.equation in seen or not _letters_fit(attempt.equation, setting):
            continue
        if attempt.equation.left == attempt.equation.right:
            continue
        seen.add(attempt.equation)
        if holds(attempt.equation):
            return attempt
    return None


def _in_time(attempts: Iterator[_Attempt], end: float) -> Iterator[_Attempt]:
    """Yield attempts until the time is over."""
    for attempt in attempts:
        yield attempt
        if thread_time() > end:
            return


def _simpler(found: _Attempt, single: Sequence[_Attempt], holds: Callable[[Equation], bool]) -> _Attempt:
    """Return an attempt with a quantity of the document as the missing factor, if there is one: x_n for d(w x_n)/dw."""
    for attempt in single:
        if attempt.corrections[0].cause == "factor_missing" and holds(attempt.equation):
            return replace(found, equation=attempt.equation)
    return found


def _letters_fit(equation: Equation, setting: Setting) -> bool:
    """Return whether the right side has no free letter that the left side lacks; a whole array has no letters."""
    left = free_letters(equation.left)
    return not left or free_letters(equation.right) - setting.fixed <= left


def _attempts(
    equation: Equation, setting: Setting, left_is_written: bool, mistakes: Collection[Mistake] = MISTAKES
) -> Iterator[_Attempt]:
    """Yield the equation with each correction at each place."""
    left, right = frozenset(free_letters(equation.left)), frozenset(free_letters(equation.right))
    twice = frozenset(letter for letter in left if indices.count_of(equation.left, letter) > 1)
    setting = replace(setting, left_letters=left, right_letters=right, left_twice=twice)
    for place in places(equation.right):
        here = replace(setting, bound=place.bound, unused=_unused(place))
        for mistake in mistakes:
            for correction in mistake(place.node, here):
                changed = with_part(equation.right, place.path, correction.instead)
                cost = correction.cost + DEEP * len(place.path)
                yield _Attempt(cost, replace(equation, right=changed), (correction,), (mistake,))
    for place in places(equation.left) if left_is_written else ():
        here = replace(setting, bound=place.bound, on_left=True)
        for mistake in [one for one in ON_THE_LEFT if one in mistakes]:
            for correction in mistake(place.node, here):
                changed = with_part(equation.left, place.path, correction.instead)
                cost = correction.cost + LEFT_COST * (correction.cause != "index_on_one_side")
                cost += OF_COST * (place.path[-1:] == (0,))
                yield _Attempt(cost, replace(equation, left=changed), (correction,), (mistake,))


def _unused(place: Place) -> frozenset[str]:
    """Return the letters of the sums around a place that no term of their sum has."""
    sums_around = [node for node in place.parents if isinstance(node, Summation)]
    return frozenset(name for node in sums_around for name in node.letters if name not in free_letters(node.body))


def _pairs(
    single: Sequence[_Attempt], setting: Setting, left_is_written: bool, mistakes: Collection[Mistake], end: float
) -> Iterator[_Attempt]:
    """Yield pairs of cheap corrections, those first whose first one makes the letters fit."""
    for first in sorted(single, key=lambda attempt: (not _letters_fit(attempt.equation, setting), attempt.cost)):
        pairs = [
            replace(second, cost=first.cost + second.cost, corrections=(*first.corrections, *second.corrections))
            for second in _in_time(_attempts(first.equation, setting, left_is_written, mistakes), end)
            if second.cost <= PAIRED_COST
        ]
        yield from sorted(pairs, key=lambda attempt: attempt.cost)


def _told(attempt: _Attempt) -> Explanation:
    says = list(dict.fromkeys(correction.says for correction in attempt.corrections))
    causes = tuple(correction.cause for correction in attempt.corrections)
    return Explanation(attempt.corrections[0].cause, "; ".join(says), attempt.equation, causes)
