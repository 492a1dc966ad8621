"""The right formula for each array of the backward pass, and of the forward pass, in the learner's own names.

A line that is wrong beyond a small change is written anew from the names that are known to be right. Each formula is
written for samples in rows and for samples in columns, as the names stand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..exact_pass import Pass
from ..learners_activations import DERIVATIVES
from .known_names import KnownNames
from .recognise import Recognised
from .source import Unit

__all__ = ["RightLine", "right_lines"]


@dataclass(frozen=True)
class RightLine:
    """An expression for an array of the pass, such as "dW2"."""

    name: str
    text: str


@dataclass(frozen=True)
class _Name:
    """A learner's name with samples in columns, or weights the other way round, if it is `turned`."""

    text: str
    turned: bool
    row: bool

    def way(self, turned: bool) -> str:
        """The name, transposed if it doesn't stand that way."""
        return self.text if turned == self.turned or self.row else f"{self.text}.T"


def right_lines(
    known: KnownNames, unit: Unit, rows: Sequence[str], penalties: Sequence[str], numpy: str
) -> Iterator[RightLine]:
    """Yield the right formulas that can be written with the names of a unit."""
    p = known.p

    def get(name: str) -> list[_Name]:
        return [_Name(text, r.transposed, r.kind == "row") for text, r in known.named(unit, name)][:3]

    last = p.depth
    targets = [*get("Y"), *_one_hot(known, unit, numpy)]
    yield from _top(p, get("P"), targets, get("dP"), rows)
    yield from _of_samples(known, unit)
    for layer in range(last, 0, -1):
        below = get(f"A{layer - 1}") if layer > 1 else get("X")
        for D in get(f"dZ{layer}"):
            yield from _parameters(layer, below, D, rows, penalties, known, unit)
            if layer > 1:
                for W in get(f"W{layer}"):
                    yield from _down(p, layer, D, W, [*get(f"A{layer - 1}"), *get(f"Z{layer - 1}")])
        if layer < last:
            for E in get(f"dA{layer}"):
                for A in (*get(f"A{layer}"), *get(f"Z{layer}")):
                    if A.turned == E.turned:
                        yield RightLine(f"dZ{layer}", f"{E.text} * {_slope(p, layer, A.text)}")
        for A in below:
            for W in get(f"W{layer}"):
                product = f"{W.way(True)} @ {A.way(True)}" if A.turned else f"{A.way(False)} @ {W.way(False)}"
                biases = [f" + {b.text}" for b in get(f"b{layer}")] or [""]
                yield from (RightLine(f"Z{layer}", product + bias) for bias in biases)


def _slope(p: Pass, layer: int, text: str) -> str:
    return DERIVATIVES.get(p.f(layer), "1").format(A=text, Z=text)


def _one_hot(known: KnownNames, unit: Unit, numpy: str) -> list[_Name]:
    found = []
    for text, r in known.named(unit, "y"):
        if r.kind == "array":
            found.append(_Name(f"{numpy}.eye({known.p.k})[{text}]", False, False))
    return found


def _top(p: Pass, Ps: list[_Name], Ys: list[_Name], dPs: list[_Name], rows: Sequence[str]) -> Iterator[RightLine]:
    top, output, loss = f"dZ{p.depth}", p.architecture.output, p.architecture.loss
    fused = (output, loss) in {("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")}
    divisors = ["", *(f" / {n}" for n in rows)]
    for P in Ps:
        axis = 0 if P.turned else -1
        slope = DERIVATIVES.get(output, "1").format(A=P.text, Z=P.text)
        for Y in Ys:
            y = Y.way(P.turned)
            for divisor in divisors:
                if fused or output == "identity":
                    yield RightLine(top, f"({P.text} - {y}){divisor}" if divisor else f"{P.text} - {y}")
                if loss == "squared_error":
                    yield RightLine("dP", f"({P.text} - {y}){divisor}" if divisor else f"{P.text} - {y}")
                    if output not in ("softmax", "identity"):
                        yield RightLine(top, f"({P.text} - {y}) * {slope}{divisor}")
                if loss == "cross_entropy":
                    yield RightLine("dP", f"-{y} / {P.text}{divisor}")
        for g in dPs:
            if output == "softmax" and (g.turned == P.turned or g.row):
                inner = f"({g.text} * {P.text})"
                summed = f"{inner}.sum()" if P.row else f"{inner}.sum(axis={axis}, keepdims=True)"
                yield RightLine(top, f"{P.text} * ({g.text} - {summed})")
            elif output not in ("softmax", "identity"):
                yield RightLine(top, f"{g.text} * {slope}")


def _of_samples(known: KnownNames, unit: Unit) -> Iterator[RightLine]:
    """Softmax's Jacobian of one sample, and the Jacobian times dP of the sample."""
    for p, of in [*known.named(unit, "P"), *_entries(known, unit, "P")]:
        if of.kind == "row":
            diag = "diag" if len(known.shapes[unit].get(p, (1,))) < 2 else "diagflat"
            yield RightLine("the Jacobian of softmax", f"np.{diag}({p}) - np.outer({p}, {p})")
    for J, r in known.named(unit, "the Jacobian of softmax"):
        for g, of in [*known.named(unit, "dP"), *_entries(known, unit, "dP")]:
            if r.kind == "row" and of.kind == "row":
                yield RightLine(f"dZ{known.p.depth}", f"{J} @ {g}")


def _entries(known: KnownNames, unit: Unit, name: str) -> Iterator[tuple[str, Recognised]]:
    """Rows of an array as the learner writes them in a loop: ``dP[i]``."""
    for text, r in known.named(unit, name):
        if r.kind == "array":
            for index in ("i", "j", "n", "s", "k", "m", "b", "t", "idx", "sample"):
                if f"{text}[{index}]".encode() in unit.source or f"[{index}]".encode() in unit.source:
                    yield f"{text}[{index}]", replace(r, kind="row")


def _parameters(
    layer: int,
    below: list[_Name],
    D: _Name,
    rows: Sequence[str],
    penalties: Sequence[str],
    known: KnownNames,
    unit: Unit,
) -> Iterator[RightLine]:
    axis = 1 if D.turned else 0
    tails = ["", *(f" / {n}" for n in rows)]
    added = [""] + [f" + {penalty}" for penalty in penalties]
    transposed = any(r.transposed for _, r in known.named(unit, f"W{layer}"))
    for A in below:
        if A.row and D.row:
            left, right = (D.text, A.text) if transposed else (A.text, D.text)
            products = [f"np.outer({left}, {right})"]
        elif transposed:
            products = [f"{D.way(True)} @ {A.way(False)}"]
        else:
            products = [f"{A.way(True)} @ {D.way(False)}"]
        for product in products:
            yield from (RightLine(f"dW{layer}", f"{product}{tail}{more}") for tail in tails for more in added)
    if D.row:
        yield RightLine(f"db{layer}", D.text)
        return
    for summed in (f"{D.text}.sum(axis={axis})", f"{D.text}.sum(axis={axis}, keepdims=True)"):
        yield from (RightLine(f"db{layer}", summed + tail) for tail in tails)


def _down(p: Pass, layer: int, D: _Name, W: _Name, here: list[_Name]) -> Iterator[RightLine]:
    if D.row:
        product = f"{D.text} @ {W.way(True)}"
    elif D.turned:
        product = f"{W.way(False)} @ {D.text}"
    else:
        product = f"{D.text} @ {W.way(True)}"
    yield RightLine(f"dA{layer - 1}", product)
    for A in here:
        if A.turned == D.turned or A.row:
            slope = _slope(p, layer - 1, A.text)
            if slope != "1":
                yield RightLine(f"dZ{layer - 1}", f"({product}) * {slope}")
