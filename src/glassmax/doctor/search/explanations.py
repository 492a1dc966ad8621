"""The search for the steps of the backward pass that, done wrong, give exactly what the learner got.

From the top down, a layer at a time. The learner's dW and db of a layer depend on their own dZ of that layer alone, so
each candidate for dZ is judged by those two, and what is judged right carries its wrong dZ on to the layer below: the
consequences of a mistake explain themselves. Several mistakes, one above or beside the other, need no search of their
own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from ...functional.arrays import Array
from ..mistakes.causes import CAUSES, NOT_IN_CATALOGUE, PENALTY
from ..mistakes.placed import PlacedMistake
from .candidates import Candidate, head_candidates, hidden_candidates, same
from .evidence import Evidence
from .layer_evidence import LayerEvidence
from .one_layer import Choice, judge_layer

__all__ = ["Explanation", "conventional", "distinct", "explain"]

BEAM = 24
AGAIN = 0.1
"""The cost of the same mistake at one more layer."""
DEAREST = 6.0
WORK = 10_000_000
"""The maximum number of cells of dZ simulated for two mistakes at one node: the same on any machine."""


def distinct(mistakes: Iterable[PlacedMistake]) -> list[list[PlacedMistake]]:
    """Group what is one mistake, made at several nodes, in the order in which each is first met."""
    groups: dict[tuple[str, str, str], list[PlacedMistake]] = {}
    for mistake in mistakes:
        groups.setdefault(mistake.signature, []).append(mistake)
    return list(groups.values())


def cost_of(mistakes: Iterable[PlacedMistake]) -> float:
    """Sum the costs; the same mistake once more is cheap."""
    return sum(max(mistake.cost for mistake in group) + AGAIN * (len(group) - 1) for group in distinct(mistakes))


@dataclass(frozen=True)
class Explanation:
    """Mistakes, from the top down, that give the learner's gradients; `residual` is what the worst fit leaves."""

    mistakes: tuple[PlacedMistake, ...]
    residual: float = 0.0

    @property
    def cost(self) -> float:
        """The cost of the mistakes together."""
        return cost_of(self.mistakes)

    @property
    def complete(self) -> bool:
        """Whether no mistake is unknown."""
        return all(mistake.cause != NOT_IN_CATALOGUE for mistake in self.mistakes)


@dataclass(frozen=True)
class _State:
    """The layers above, explained: the learner's own dZ and dA of the last of them, on every probe."""

    mistakes: tuple[PlacedMistake, ...]
    D: tuple[Array, ...]
    before: tuple[Array | None, ...]
    totals: tuple[float, ...]
    ended: bool = False
    residual: float = 0.0


def explain(evidence: Evidence, declared: bool) -> list[Explanation]:
    """Find the mistakes that explain the learner's gradients, the likeliest first; right gradients have none.

    `declared` says whether the loss is the learner's own word: then a factor throughout is a mistake, too.
    """
    passes = evidence.passes
    top = _State((), (), tuple(p.scale * p.dP for p in passes), (1.0,) * len(passes))
    states = [top]
    for layer in range(evidence.depth, 0, -1):
        states = _one_layer_down(evidence, states, layer, declared)
    explanations = [Explanation(state.mistakes, state.residual) for state in states]
    last = None if declared else f"dZ{evidence.depth}"
    return sorted(
        explanations, key=lambda explanation: (not conventional(explanation.mistakes, last), explanation.cost)
    )


def conventional(mistakes: Sequence[PlacedMistake], top: str | None) -> bool:
    """Whether there is no mistake, but at most a factor throughout; none is a convention where `top` is None.

    Only what was fitted as a factor is one: a sign that is wrong inside of a formula, as in P + Y, has no constant.
    """
    return all(
        mistake.node == top and mistake.cause in ("factor", "sign") and mistake.constant is not None
        for mistake in mistakes
    )


def _one_layer_down(evidence: Evidence, states: Sequence[_State], layer: int, declared: bool) -> list[_State]:
    found: list[_State] = [state for state in states if state.ended]
    going = [state for state in states if not state.ended]
    for pairs in (False, True) if evidence.thorough else (False,):
        for state in going[: 4 if pairs else BEAM]:
            found += _down(evidence, state, layer, declared, pairs)
        if any(Explanation(state.mistakes).complete for state in found):
            break
    for state in going[:4]:
        found += _unknown(evidence, state, layer)
    return _cheapest(found, None if declared else f"dZ{evidence.depth}")


def _candidates(evidence: Evidence, state: _State, layer: int, pairs: bool) -> Iterable[Candidate]:
    if layer == evidence.depth:
        return head_candidates(evidence.passes, pairs)
    gradient = evidence.gradient_of_weights(layer + 1)
    return hidden_candidates(evidence.passes, layer, state.D, state.before, gradient, pairs)


def _down(evidence: Evidence, state: _State, layer: int, declared: bool, pairs: bool) -> list[_State]:
    found: list[_State] = []
    right = next(iter(_candidates(evidence, state, layer, False))).make(0) if pairs else None
    p = evidence.passes[0]
    most = WORK // (p.n * (p.W[layer].shape[1] + 1)) if pairs else None
    explained = LayerEvidence(evidence, layer, state.totals, declared)
    for candidate in islice(_candidates(evidence, state, layer, pairs), most):
        if not candidate.mistakes:
            right = candidate.make(0)
        elif candidate.along is None and candidate.end is None and _unchanged(candidate.make(0), right):
            continue
        before = _before(evidence, state, candidate, layer)
        for choice in judge_layer(explained, candidate, before):
            mistakes, residual = state.mistakes + choice.mistakes, max(state.residual, choice.residual)
            found.append(_State(mistakes, choice.D, _scaled(before, choice), choice.totals, residual=residual))
        if not candidate.mistakes and any(
            _settled(each.mistakes[len(state.mistakes) :], evidence.architecture.biases[layer - 1]) for each in found
        ):
            return found
    return found


def _settled(mistakes: Sequence[PlacedMistake], has_bias: bool) -> bool:
    """Whether the right dZ explains dW, or db, without a mistake of its own: then no wrong one does."""
    own = {mistake.kind for mistake in mistakes if CAUSES[mistake.cause].group != PENALTY}
    unknown = any(mistake.cause == NOT_IN_CATALOGUE for mistake in mistakes)
    return not unknown and (not own or (has_bias and own in ({"dW"}, {"db"})))


def _unchanged(wrong: Array | None, right: Array | None) -> bool:
    """Whether a mistake makes no difference, as relu' of A instead of Z."""
    return wrong is not None and right is not None and same(wrong, right)


def _before(evidence: Evidence, state: _State, candidate: Candidate, layer: int) -> tuple[Array | None, ...]:
    if layer == evidence.depth or candidate.error is None:
        return state.before
    return tuple(candidate.error(probe) for probe in range(len(evidence.passes)))


def _scaled(before: Sequence[Array | None], choice: Choice) -> tuple[Array | None, ...]:
    return tuple(None if E is None else E * c for E, c in zip(before, choice.scales, strict=True))


def _unknown(evidence: Evidence, state: _State, layer: int) -> list[_State]:
    """A layer where nothing in the catalogue fits: its dZ is solved for if that can be done, or the search ends."""
    mistake = PlacedMistake(NOT_IN_CATALOGUE, f"dZ{layer}", "", 4.0 + 0.05 * layer)
    solved = evidence.solved_dZ(layer)
    if solved is None:
        return [_State((*state.mistakes, mistake), state.D, state.before, state.totals, ended=True)]
    return [_State((*state.mistakes, mistake), solved, (None,) * len(evidence.passes), state.totals)]


def _cheapest(states: Sequence[_State], top: str | None) -> list[_State]:
    ranked = sorted(states, key=lambda state: (not conventional(state.mistakes, top), cost_of(state.mistakes)))
    kept: list[_State] = []
    seen: set[tuple[PlacedMistake, ...]] = set()
    for state in ranked:
        if state.mistakes not in seen and (cost_of(state.mistakes) <= DEAREST or not kept):
            seen.add(state.mistakes)
            kept.append(state)
    return kept[:BEAM]
