"""Does a simulated array fit the learner's, up to a factor and a penalty? The constants are fitted, then recognized.

A fit counts only if what is left is rounding: relative to the array itself, or to the terms that it sums.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...functional.arrays import Array
from ..constants import ONE, Constant, recognise

__all__ = ["Match", "Target", "along_first", "find_matches"]


@dataclass(frozen=True)
class Target:
    """The learner's gradient by one parameter on one probe, in our orientation.

    `coefficient` is what the penalty should add for each unit of the parameter, `floor` the norm below which a
    difference is rounding.
    """

    G: Array
    parameter: Array
    coefficient: float
    floor: float
    n: int
    k: int

    @cached_property
    def square(self) -> float:
        """The square of the parameter's norm."""
        return float(np.vdot(self.parameter, self.parameter))


@dataclass(frozen=True)
class Match:
    """The constants that make a simulated array the learner's: `scale`, a factor, and the penalty's part.

    `penalty` is the penalty's coefficient over the right coefficient, None if it is right, and `added` the
    coefficient as fitted on the first probe. `residual` is what is left on the worst probe. `silent` says that the
    data's part is 0 on every probe, as below a dead relu: then any factor fits.
    """

    scale: Constant
    penalty: Constant | None
    added: float
    residual: float
    silent: bool = False


def _norm(a: Array) -> float:
    return math.sqrt(float(np.vdot(a, a)))


def _left(R: Array, G: Array, H: Array, target: Target, tolerance: float) -> float | None:
    """The rest, relative to the array or to the terms it sums; None if the rest is more than rounding."""
    here = _norm(G)
    size = max(here, min(_norm(H), 1e6 * here)) + target.floor / tolerance
    left = _norm(R)
    if not math.isfinite(left) or not math.isfinite(size):
        return None
    return left / max(size, 1e-300) if left <= tolerance * size else None


def _ratio(G: Array, H: Array) -> float | None:
    square = float(np.vdot(H, H))
    return None if square < 1e-200 else float(np.vdot(H, G)) / square


Coefficients = tuple[float, float, float]  # the data's factor, what is added a unit of the parameter, what is left


def _hopeless(target: Target, H: Array) -> bool:
    """Whether G is far from the plane of H and the parameter: no constants can help, and none need be fitted."""
    if H.size < 4:
        return False
    G, W = target.G, target.parameter
    gg, hh, ww = float(np.vdot(G, G)), float(np.vdot(H, H)), target.square
    gh, gw, hw = float(np.vdot(G, H)), float(np.vdot(G, W)), float(np.vdot(H, W))
    determinant = hh * ww - hw * hw
    if not determinant > 1e-9 * hh * ww:
        return False
    inside = (gh * gh * ww - 2 * gh * gw * hw + gw * gw * hh) / determinant
    return gg - inside > 1e-4 * gg + 4 * target.floor**2


def _forms(target: Target, H: Array, total: float, tolerance: float) -> dict[str, Coefficients]:
    """Each form that fits this probe, from the simplest, with its constants."""
    G, W, right = target.G, target.parameter, target.coefficient
    found: dict[str, Coefficients] = {}
    if G.shape != H.shape or not np.isfinite(H).all() or _hopeless(target, H):
        return found

    def put(form: str, c: float, r: float) -> bool:
        left = _left(G - c * H - r * W, G, c * H, target, tolerance)
        if left is not None:
            found[form] = (c, r, left)
        return left is not None

    if put("plain", 1.0, right) or put("plain, penalty scaled", 1.0, right * total):
        return found
    r = _ratio(G - H, W)
    if W.size > 1 and r is not None:
        put("penalty", 1.0, r)
    for form, base, added in (("scaled with its penalty", H + right * W, None), ("scaled", H, right)):
        c = _ratio(G if added is None else G - added * W, base)
        if c is None or abs(c) < 1e-7:
            continue
        if put(form, c, c * right if added is None else added) and not right:
            break
    if not found and G.size > 3 and np.linalg.norm(W) > 0:
        basis = np.stack([H.ravel(), W.ravel()], axis=1)
        (c, r), *_ = np.linalg.lstsq(basis, G.ravel(), rcond=None)
        if abs(c) > 1e-7:
            put("both", float(c), float(r))
    return found


def find_matches(
    targets: Sequence[Target],
    arrays: Sequence[Array],
    totals: Sequence[float],
    tolerance: float,
    lone: bool = False,
) -> list[Match]:
    """Fit a simulated array to the learner's on every probe, with the same constants; the simplest match comes first.

    `totals` are the factors that the simulation holds already: the penalty may have them too. With `lone`, a factor
    without a name is taken from a single number, which any factor fits.
    """
    each: list[dict[str, Coefficients]] = []
    for target, H, total in zip(targets, arrays, totals, strict=True):
        here = _forms(target, H, total, tolerance)
        if not here:
            return []
        if not target.coefficient and _norm(H) <= target.floor:  # any factor fits
            here = {form: (math.nan, r, left) for form, (_, r, left) in here.items()}
        each.append(here)
    first = next((here for here in each if not any(math.isnan(c) for c, _, _ in here.values())), each[0])
    fits = []
    for form in first:
        pairs = [here[form] if here is first else _within(form, here) for here in each]
        known = [pair for pair in pairs if pair is not None]
        found = _recognized(form, known, targets, tolerance, lone) if len(known) == len(pairs) else None
        fits += [found] if found else []
    return fits


def _within(form: str, here: dict[str, Coefficients]) -> Coefficients | None:
    """The constants of a form on a probe where it, or a special case of it, fits: there 1/n may be 1."""
    for name, constants in here.items():
        if name == form or form == "both" or (name.startswith("plain") and form != "both"):
            return constants
    return None


def along_first(a: Array, b: Array | None, rest: Array) -> float | None:
    """Return the coefficient of a if a, and b if there is one, are fitted to the rest; None if a is 0."""
    aa = float(np.vdot(a, a))
    if b is None:
        return float(np.vdot(a, rest)) / aa if aa > 1e-200 else None
    ab, bb = float(np.vdot(a, b)), float(np.vdot(b, b))
    determinant = aa * bb - ab * ab
    if not determinant > 1e-12 * aa * bb or not aa > 1e-200:
        return along_first(a, None, rest)
    return (bb * float(np.vdot(a, rest)) - ab * float(np.vdot(b, rest))) / determinant


def _scale(values: Sequence[float], rows: Sequence[int], k: int, tolerance: float) -> Constant | None:
    """Recognize a factor by the probes that have one; the other probes say nothing."""
    telling = [(value, n) for value, n in zip(values, rows, strict=True) if not math.isnan(value)]
    if not telling:
        return replace(ONE, values=(1.0,) * len(rows))
    found = recognise([value for value, _ in telling], [n for _, n in telling], k, tolerance)
    return found and replace(found, values=tuple(found.multiple * n**found.power for n in rows))


def _recognized(
    form: str, pairs: list[Coefficients], targets: Sequence[Target], tolerance: float, lone: bool
) -> Match | None:
    rows, k = [target.n for target in targets], targets[0].k
    loose = max(1e-6, 100 * tolerance)
    scale = _scale([c for c, _, _ in pairs], rows, k, loose)
    if scale is None or (not lone and not scale.known and targets[0].G.size < 2 and len(targets) < 2):
        return None
    left = max(left for _, _, left in pairs)
    if form.startswith("plain") or form in ("scaled with its penalty", "scaled"):
        return Match(scale, None, pairs[0][1], left, silent=all(math.isnan(c) for c, _, _ in pairs))
    ratios = []
    for (_, r, _), target in zip(pairs, targets, strict=True):
        ratios.append(r / target.coefficient if target.coefficient else r)
    if all(abs(ratio) < 1e-7 for ratio in ratios) and not any(target.coefficient for target in targets):
        return None
    if all(abs(ratio) < 1e-7 for ratio in ratios):
        missing = Constant(tuple(ratios), 0, 0.0, "0", 0.0)
        return Match(scale, missing, pairs[0][1], left)
    penalty = recognise(ratios, rows, k, loose)
    return None if penalty is None else Match(scale, penalty, pairs[0][1], left)
