"""Names that are derivatives by their spelling: dW2, dL_by_dS, grad_W, dZ^{[l]}, and the error delta of a layer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..formula import tree
from ..formula.tree import Name
from .definitions import Definition, Definitions, Equation
from .dependence import ancestors
from .names import Names, names_of, walk
from .vocabulary import LOSSES, OPEN_LOSS

__all__ = ["Derived", "loss_of", "targets_of"]

_SPELLED = (
    re.compile(r"^d(?:[LJCE]|loss|cost)_?(?:by_?|over_?)?d_?(?P<x>[A-Za-z].*)$"),
    re.compile(r"^(?:grad|gradient|d)_?(?P<x>[A-Za-z].*)$"),
    re.compile(r"^(?P<x>[A-Za-z].*?)_grad$"),
)
PREACTIVATIONS = ("z", "Z", "s", "S", "net", "logits", "u")
"""What the error delta is the derivative by."""
COUNTS = ("m", "N", "n", "M", "B", "batch_size", "num_samples")


@dataclass(frozen=True)
class Derived:
    """Names that stand for derivatives of the loss: name to array; with `samples`, times that count for activations."""

    loss: Name
    targets: dict[str, str]
    samples: Name | None = None
    anchor: Equation | None = None  # the line that the loss is known from, if nothing defines the loss

    def definition(self, family: str, layer: str, definitions: Definitions) -> Definition:
        """Return what a name for a derivative stands for."""
        above = (tree.Number(Fraction(layer)),) if layer else ()
        target = Name(self.targets[family], above=above)
        value: tree.Node = tree.Derivative(self.loss, (target,))
        if self.samples is not None and definitions.defines(definitions.names.of(target).key):
            value = tree.Product((self.samples, value), ("",))
        return Definition(Name(family, above=above), ((value, None),), definitions.names)


def targets_of(equations: Sequence[Equation], names: Names) -> dict[str, str]:
    """Return the names that are derivatives by their spelling, with the name of the array."""
    lefts = {names.of(e.sides[0]).family for e in equations if isinstance(e.sides[0], Name)}
    families = {names.of(name).family for e in equations for name in names_of(e.nodes)}
    found: dict[str, str] = {}
    for family in sorted(lefts):
        if family == "delta" or family.startswith("delta_"):
            suffix = family.removeprefix("delta")
            arrays = [base + suffix for base in PREACTIVATIONS if base + suffix in families]
            if arrays:
                found[family] = arrays[0]
            continue
        for pattern in _SPELLED:
            match = pattern.match(family)
            if match and match["x"] in families and match["x"] != family:
                found[family] = match["x"]
                break
    for equation in equations:
        left, right = equation.sides[0], equation.sides[-1]
        if isinstance(left, Name) and isinstance(right, tree.Derivative):
            found.pop(names.of(left).family, None)
    return found


def loss_of(equations: Sequence[Equation], names: Names, definitions: Definitions) -> Name | None:
    """Return the name of the loss: what is differentiated most, or a usual name that no other equation uses."""
    differentiated: Counter[str] = Counter()
    defined: list[str] = []
    for equation in equations:
        for node in equation.nodes:
            for part in walk(node):
                if _is_loss(part):
                    differentiated[names.of(part.of).family] += 1  # type: ignore[union-attr, arg-type]
        left = equation.sides[0]
        if isinstance(left, Name) and _named_loss(left):
            defined.append(names.of(left).family)
    used = {names.of(name).family for equation in equations for name in names_of(equation.sides[1:])}
    found = [family for family, _ in differentiated.most_common(1)]
    found += [family for family in defined if family not in used] + defined
    found += [key for key in definitions.found if key in LOSSES - {"N", "M"}]
    return Name(found[0]) if found else None


def _named_loss(name: Name) -> bool:
    return not name.below and (name.base in LOSSES - {"N", "M"} or bool(re.search("(loss|cost)$", name.base)))


def _is_loss(part: object) -> bool:
    of = part.of if isinstance(part, tree.Derivative) else None
    return isinstance(of, Name) and of.base in LOSSES and not of.below and not of.above


def anchor_of(equations: Sequence[Equation], names: Names, targets: dict[str, str]) -> Equation | None:
    """Return the first line for a derivative that holds no other derivative: it tells what the loss is."""
    for equation in equations:
        left, right = equation.sides[0], equation.sides[-1]
        if not isinstance(left, Name) or names.of(left).family not in targets or right is None:
            continue
        inside = {names.of(name).family for name in names_of([right])}
        if not inside & set(targets) and not any(isinstance(part, tree.Derivative) for part in walk(right)):
            return equation
    return None


def count_of(equations: Sequence[Equation], names: Names) -> Name | None:
    """Return the name for the number of samples: the first usual one that something is divided by."""
    for equation in equations:
        for node in equation.nodes:
            for part in walk(node):
                if isinstance(part, tree.Quotient):
                    for name in names_of([part.below]):
                        if name.base in COUNTS and not name.below:
                            return name
    return None


def readings_of_names(equations: Sequence[Equation], names: Names, definitions: Definitions) -> list[Derived]:
    """Return how the names for derivatives may be read: of the loss, or of the loss of each sample."""
    targets = targets_of(equations, names)
    sure = {name: array for name, array in targets.items() if not name.startswith("delta")}
    return [
        one
        for some in dict.fromkeys(map(_hashed, (sure, targets)))
        for one in _read(dict(some), equations, names, definitions)
    ]


def _hashed(targets: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(targets.items())


def _read(
    targets: dict[str, str], equations: Sequence[Equation], names: Names, definitions: Definitions
) -> list[Derived]:
    if not targets:
        return []
    loss = loss_of(equations, names, definitions)
    anchor = None
    known = loss is not None and definitions.defines(names.of(loss).key)
    if known and loss is not None and anchor_of(equations, names, targets) is not None:
        reached = {key.partition("^")[0] for key in ancestors(names.of(loss).key, definitions, {})}
        if not reached & set(targets.values()):  # the loss is of other letters: a^{(i)} of A
            known, loss = False, Name(OPEN_LOSS)
    if not known:
        anchor = anchor_of(equations, names, targets)
    loss = loss or Name(OPEN_LOSS)
    samples = count_of(equations, names) or Name("~samples")
    return [Derived(loss, targets, None, anchor), Derived(loss, targets, samples, anchor)]
