"""How dW or db of a layer follows from its dZ: as it should, or with a mistake of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...functional.arrays import Array
from ..constants import Constant
from ..mistakes.biases import BIASES_OF_OTHER_SHAPE, biases
from ..mistakes.factors import factors, forgiven
from ..mistakes.mistake import Mistake
from ..mistakes.penalties import penalties
from ..mistakes.placed import PlacedMistake
from ..mistakes.site import Site
from ..mistakes.weights import TRANSPOSED, WEIGHTS_OF_OTHER_SHAPE, weights
from .applied_mistakes import Applied
from .candidates import same
from .layer_evidence import LayerEvidence
from .matching import Match, Target

__all__ = ["Own", "own_mistakes", "without_mistake"]

RIGHT: dict[str, Callable[[Site], Array]] = {"W": lambda s: s.input.T @ s.dZ, "b": lambda s: s.dZ.sum(axis=0)}


@dataclass(frozen=True)
class Own:
    """How one parameter's gradient follows from dZ: with a factor, and mistakes such as a penalty that is missing.

    `residual` is what the fit leaves, relative; `silent` says that the data's part is 0, so that any factor fits.
    """

    scale: Constant
    mistakes: tuple[PlacedMistake, ...]
    residual: float
    silent: bool


def without_mistake(layer: LayerEvidence, kind: str, D: Sequence[Array], any_scale: bool) -> list[Own]:
    """How dW or db follows with at most a factor and a mistake in the penalty."""
    if not layer.fits_shape[kind]:
        return []
    arrays = [layer.follows(kind, probe, d) for probe, d in enumerate(D)]
    found = []
    for match in layer.matches(kind, arrays, lone=True):
        scale = forgiven(match.scale) if any_scale else match.scale
        mistakes = _transposed(layer, kind) + _penalties(layer, kind, match)
        found.append(Own(scale, mistakes, match.residual, match.silent))
    return found


def own_mistakes(
    layer: LayerEvidence, kind: str, D: Sequence[Array], before: Sequence[Array | None]
) -> list[tuple[PlacedMistake, ...]]:
    """The mistakes that make the learner's dW or db from a dZ."""
    sites = layer.sites(D, before)
    right = [RIGHT[kind](s) for s in sites]
    made = Applied(sites, _catalogue(kind, sites[0], layer.fits_shape[kind]), RIGHT[kind])
    node, targets = f"d{kind}{layer.number}", layer.targets(kind)
    found: list[tuple[PlacedMistake, ...]] = []
    for mistake in made.possible():
        arrays = _everywhere(layer, kind, made, mistake)
        if arrays is None or all(same(array, T) for array, T in zip(arrays, right, strict=True)):
            continue
        if mistake.cause != "upstream_dropped" and _vanish(arrays, targets):
            continue
        for match in layer.matches(kind, arrays):
            scale = forgiven(match.scale) if mistake.any_scale else match.scale
            placed = mistake.at(node, sites[0].names)
            mistakes = _transposed(layer, kind) + (placed,) + factors(node, scale, 1.0) + _penalties(layer, kind, match)
            if scale.known or targets[0].G.size > 2:
                found.append(mistakes)
    return found


def _catalogue(kind: str, s: Site, fits_shape: bool) -> list[Mistake[Site]]:
    if kind == "W":
        return list(weights(s) if fits_shape else WEIGHTS_OF_OTHER_SHAPE)
    return list(biases(s) if fits_shape else BIASES_OF_OTHER_SHAPE)


def _everywhere(layer: LayerEvidence, kind: str, made: Applied[Site], mistake: Mistake[Site]) -> list[Array] | None:
    """The arrays that a mistake gives on every probe; None if it doesn't fit the first."""
    arrays: list[Array] = []
    for probe, target in enumerate(layer.targets(kind)):
        array = made.make(mistake, probe)
        if array is None or array.shape != target.G.shape:
            return None
        arrays.append(array)
        if probe == 0 and not layer.matches(kind, arrays):
            return None
    return arrays


def _vanish(arrays: Sequence[Array], targets: Sequence[Target]) -> bool:
    """Whether arrays are 0 to rounding: many a mistake makes a 0, so that a 0 is evidence of none."""
    return all(np.linalg.norm(a) <= target.floor for a, target in zip(arrays, targets, strict=True))


def _transposed(layer: LayerEvidence, kind: str) -> tuple[PlacedMistake, ...]:
    if kind == "b" or not layer.evidence.is_transposed(layer.number):
        return ()
    return (TRANSPOSED.at(f"dW{layer.number}", {"l": layer.number}),)


def _penalties(layer: LayerEvidence, kind: str, match: Match) -> tuple[PlacedMistake, ...]:
    return penalties(layer.evidence.passes[0], kind, layer.number, match.penalty, match.added)
