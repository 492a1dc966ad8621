"""A candidate simulated: the learner's dZ on every probe, if dW or db follows from it on the first."""

from dataclasses import replace

import numpy as np

from ...functional.arrays import Array
from ..constants import Constant, recognise
from ..mistakes.placed import PlacedMistake
from ..mistakes.smoothing import filled_in, share_of
from .candidates import Candidate, Maker
from .layer_evidence import LayerEvidence
from .matching import along_first, find_matches

__all__ = ["says_something", "simulate"]

Simulated = tuple[tuple[PlacedMistake, ...], tuple[Array, ...]]


def simulate(layer: LayerEvidence, candidate: Candidate) -> Simulated | None:
    """Return the candidate's mistakes and its dZ on every probe.

    A learning rate of the candidate is fitted first. The result is None if the candidate can't be made, or if neither
    dW nor db follows on the first probe.
    """
    first = candidate.make(0)
    width = layer.evidence.architecture.sizes[layer.number]
    if first is None or first.shape != (layer.evidence.passes[0].n, width) or not np.isfinite(first).all():
        return None
    if candidate.along is not None:
        return _with_rate(layer, candidate)
    if candidate.end is not None:
        return _with_share(layer, candidate, candidate.end)
    if candidate.mistakes and not _promises(layer, first):
        return None
    arrays = [first]
    for probe, p in enumerate(layer.evidence.passes[1:], 1):
        D = candidate.make(probe)
        if D is None or D.shape != (p.n, width):
            return None
        arrays.append(D)
    return candidate.mistakes, tuple(arrays)


def says_something(scale: Constant, D: Array) -> bool:
    """Whether a fit of db says anything: a single number fits any other up to a factor."""
    return D.shape[1] > 1 or scale.is_one


def _promises(layer: LayerEvidence, D: Array) -> bool:
    """Whether dW or db follows on the first probe."""
    W, b = layer.fits_shape["W"], layer.fits_shape["b"]
    of_b = layer.matches("b", [D.sum(axis=0)]) if b and (D.shape[1] > 1 or not W) else []
    if any(says_something(match.scale, D) for match in of_b):
        return True
    if not W:
        return not b
    sketch = layer.evidence.sketch(layer.number)
    if sketch is not None:
        target, inputs = sketch
        if not find_matches([target], [inputs @ D], layer.totals[:1], 10 * layer.evidence.tolerance):
            return False
    return bool(layer.matches("W", [layer.follows("W", 0, D)]))


def _with_rate(layer: LayerEvidence, candidate: Candidate) -> Simulated | None:
    """Fit the learning rate that was used: dZ is `make` less a multiple of `along`."""
    probes, tolerance = range(len(layer.evidence.passes)), layer.evidence.tolerance
    for kind in ("b", "W"):
        if not layer.fits_shape[kind]:
            continue
        fitted = [_rated(layer, candidate, kind, probe) for probe in probes]
        pairs = [pair for pair in fitted if pair is not None]
        if len(pairs) < len(fitted) or not _promises(layer, pairs[0][1]):
            continue
        rates = [rate for rate, _ in pairs]
        constant = recognise(rates, [1] * len(rates), 1, max(1e-5, 1e3 * tolerance))
        if constant is None or abs(rates[0]) < 1e-12:
            continue
        updated, *others = candidate.mistakes
        return (replace(updated, constant=constant), *others), tuple(D for _, D in pairs)
    return None


def _rated(layer: LayerEvidence, candidate: Candidate, kind: str, probe: int) -> tuple[float, Array] | None:
    """The learning rate on one probe, by dW or db, and dZ with it; a penalty's part is fitted beside it."""
    D = candidate.make(probe)
    E = None if candidate.along is None else candidate.along(probe)
    if D is None or E is None:
        return None
    sketch = layer.evidence.sketch(layer.number) if kind == "W" and probe == 0 else None
    if sketch is not None:
        target, inputs = sketch
        H, step = inputs @ D, inputs @ E
    else:
        target = layer.targets(kind)[probe]
        H, step = layer.follows(kind, probe, D), layer.follows(kind, probe, E)
    rest = H + target.coefficient * target.parameter - target.G
    rate = along_first(step, target.parameter if target.coefficient and step.size > 3 else None, rest)
    return None if rate is None else (rate, D - rate * E)


def _with_share(layer: LayerEvidence, candidate: Candidate, end: Maker) -> Simulated | None:
    """Fit the share of the way from `make` to `end`, whatever the factor that all of dZ has."""
    kind = "W" if layer.fits_shape["W"] else "b"
    if not layer.fits_shape[kind]:
        return None
    pairs = [(candidate.make(probe), end(probe)) for probe in range(len(layer.evidence.passes))]
    shares = [_share(layer, kind, probe, a, b) for probe, (a, b) in enumerate(pairs) if a is not None and b is not None]
    telling = [share for share in shares if share is not None]
    if len(shares) < len(pairs) or not telling:
        return None
    constant = recognise(telling, [1] * len(telling), 1, max(1e-5, 1e3 * layer.evidence.tolerance))
    if constant is None or not 1e-6 < constant.multiple < 0.999:
        return None
    share = float(f"{constant.multiple:.10g}")
    arrays = tuple(a + share * (b - a) for a, b in pairs if a is not None and b is not None)
    (mistake,) = candidate.mistakes
    p = layer.evidence.passes[0]
    odd = 0.0 if abs(share - (share_of(p.Y) or share)) < 1e-6 else 0.1  # the loss's own share was meant
    says = filled_in(mistake.says, constant.name, share, p.k)
    named = replace(mistake, says=says, constant=constant, cost=mistake.cost + odd)
    return ((named,), arrays) if _promises(layer, arrays[0]) else None


def _share(layer: LayerEvidence, kind: str, probe: int, start: Array, end: Array) -> float | None:
    """The share on one probe; None where start and end give the same gradients up to a factor."""
    target = layer.targets(kind)[probe]
    H, F = (layer.follows(kind, probe, D).ravel() for D in (start, end))
    basis = np.stack([H, F - H], axis=1)
    G = (target.G - target.coefficient * target.parameter).ravel()
    (factor, product), _, rank, _ = np.linalg.lstsq(basis, G, rcond=1e-9)
    return float(product / factor) if rank == 2 and abs(factor) > 1e-7 else None
