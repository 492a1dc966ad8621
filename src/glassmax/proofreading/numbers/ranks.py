"""The readings of a document: how many axes each name may have, and which choices fit the equations best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..formula import tree
from ..formula.tree import Name, Node, Number
from .definition_order import functions_first
from .definitions import Definitions, Equation
from .names import Names, walk
from .shapes import Dims, Form, Inference
from .uses import Uses, quantities_of, uses_of
from .value import Fault
from .vocabulary import COUNTED, GREEK, LONG_SCALAR, LOSSES, NEVER_ARRAYS, SCALARS, WEIGHTS

__all__ = ["Reading", "readings"]

BEAM = 16
MOST_READINGS = 6
FARTHEST = 3.0
"""A reading that costs so much more than the best is left out."""


@dataclass
class Reading:
    """One way to read a document: the number of axes of each name, and which axes have the same size."""

    cost: float
    ranks: dict[str, int]
    dims: Dims
    columns: bool
    scalars: bool = False  # whether every name without an index is a number
    letters: dict[str, object] = field(default_factory=dict)  # the axis that each letter mostly runs over


def _cheapest(options: Sequence[Sequence[tuple[int, float]]]) -> list[tuple[tuple[int, float], ...]]:
    """Return the 30 cheapest ways to choose one of each, the cheapest first."""
    found: list[tuple[tuple[int, float], ...]] = [()]
    for one in options:
        longer = [(*choice, option) for choice in found for option in one]
        found = sorted(longer, key=lambda choice: sum(cost for _, cost in choice))[:30]
    return found


def is_scalar(family: str, scalars: frozenset[str]) -> bool:
    """Whether a name is one of the usual numbers, with a word below it or not: L, L_CE, E_total."""
    base, _, word = family.partition("_")
    return family in scalars or (base in scalars and len(word) > 1 and word.isalpha())


def candidates(family: str, uses: Uses, scalar: bool, scalars: bool = False) -> list[tuple[int, float]]:
    """Numbers of axes that a name may have, with what each costs; with `scalars` all without an index are numbers."""
    base = family.split("_")[0]
    most = max(uses.counts)
    if scalars and not most:
        return [(0, 2.0 * (uses.turned + uses.bold) + (not scalar and base[:1].isupper()))]
    if most:
        whole = 0 in uses.counts and base in WEIGHTS and uses.layered
        vector = uses.turned or uses.bold  # w_k^T: each w_k is a vector
        if uses.turned and most == 1 and 0 in uses.counts and base.islower() and base not in WEIGHTS and not uses.bold:
            return [(1, 0.0), (2, 0.5)]  # v^T H v beside v_i
        more = 0.0 if whole or vector or uses.sampled else 2.0
        return [(most, 0.5 * vector), (most + 1, more)] if most == 1 else [(most, 0.0)]
    if LONG_SCALAR.match(family):
        return [(0, 0.0)]
    if scalar:
        return _scalar(base)
    if len(base) > 2 and "_" not in family[:2] and base not in GREEK:
        return [(1, 0.0), (2, 0.3), (0, 0.5)]  # a word
    if uses.turned and not (uses.layered and base in WEIGHTS):
        return [(2, 0.0), (1, 0.5)] if base[:1].isupper() else [(1, 0.0), (2, 0.3 if base in WEIGHTS else 1.0)]
    if base in WEIGHTS and not base[:1].isupper():
        matrix = 0.0 if uses.layered or base != family else 0.5
        return [(2, matrix), (1, 0.2), (0, 1.0 + uses.layered)]
    if base[:1].isupper():
        return [(2, 0.0), (1, 1.5), (0, 2.5)]
    if base in ("b", "c"):
        return [(1, 0.0), (0, 0.5)]
    return [(1, 0.0), (0, 1.0), (2, 1.5)]


def _scalar(base: str) -> list[tuple[int, float]]:
    if base in NEVER_ARRAYS:
        return [(0, 0.0)]
    if base in LOSSES:
        return [(0, 0.0), (2, 2.5)] if base in ("J", "C", "E") else [(0, 0.0)]
    return [(0, 0.0), (2, 1.5)] if base[:1].isupper() else [(0, 0.0), (1, 0.6)]


def votes_for_columns(trees: Iterable[object]) -> int:
    """Count products of weights by data less those of data by weights."""
    votes = 0
    for one in trees:
        for part in walk(one):
            if not isinstance(part, tree.Product):
                continue
            for left, right in zip(part.factors, part.factors[1:], strict=False):
                if isinstance(left, tree.Transpose):
                    left = left.of
                    votes += _is_weight(left)
                elif isinstance(left, Name) and isinstance(right, Name) and left.base not in SCALARS:
                    before = _is_weight(right) and not (left.base[0].isupper() and right.base[0].islower())
                    votes += _is_weight(left) - before
    return votes


def _is_weight(node: Node) -> bool:
    return isinstance(node, Name) and node.base.split("_")[0] in WEIGHTS


@dataclass
class Search:
    """Goes through the equations and keeps the best readings."""

    names: Names
    uses: dict[str, Uses]
    definitions: Definitions
    labels: frozenset[str]
    scalars: frozenset[str]
    kronecker: bool
    in_code: frozenset[str] = frozenset()  # programs have samples, so that small letters are matrices, too

    def start(self, trees: Sequence[object]) -> list[Reading]:
        """Return the first readings: vectors are columns, or rows."""
        votes = votes_for_columns(trees)
        known = {label: max(self.uses[label].counts) for label in self.labels if label in self.uses}
        for one in trees:
            for part in walk(one):
                if isinstance(part, tree.Call) and part.function.base in ("one_hot", "at_labels"):
                    known |= {name.base: 1 for name in part.arguments[1:] if isinstance(name, Name)}
        vectors = [
            Reading(0.0 if (votes >= 0) == columns else 1.5, dict(known), Dims(), columns) for columns in (True, False)
        ]
        written = any(max(uses.counts) for uses in self.uses.values())
        return [*vectors, Reading(0.8 if written else 0.3, dict(known), Dims(), True, scalars=True)]

    def inference(self, reading: Reading) -> Inference:
        """Return what goes through trees under a reading."""
        return Inference(
            self.names, reading.ranks, reading.dims, self.labels, self.definitions, reading.columns, self.kronecker
        )

    def extend(self, states: list[Reading], equation: Equation, left: Node | None, given: bool) -> list[Reading]:
        """Return the best readings after one more equation."""
        nodes = [one for one in (left if equation.sides[0] is None else None, *equation.sides) if one is not None]
        if given and isinstance(nodes[0], tree.Call) and len(nodes) > 1:  # f(x) = ...: what it is, its right side says
            quantity = nodes[0].function
            nodes = [Name(quantity.base), *nodes[1:]] if self._is_known(quantity.base) else nodes[1:]
        families = self._families([*nodes, equation.condition] if equation.condition else nodes)
        found: list[Reading] = []
        best = min(state.cost for state in states)
        for state in states:
            fresh = [family for family in families if family not in state.ranks]
            options = [self._options(family, state) for family in fresh]
            for choice in _cheapest(options):
                ranks = {**state.ranks, **{family: rank for family, (rank, _) in zip(fresh, choice, strict=True)}}
                cost = state.cost + sum(cost for _, cost in choice)
                if cost > best + FARTHEST:
                    break
                there = replace(state, cost=cost, ranks=ranks, dims=state.dims.copy())
                found.append(self._try(there, state, nodes, equation, given))
        found.sort(key=lambda state: state.cost)
        return [state for state in _different(found)[:BEAM] if state.cost <= found[0].cost + FARTHEST]

    def _is_known(self, function: str) -> bool:
        """Whether a function stands for a quantity, too: J of ``J(w) = ...``."""
        return function in self.uses or function in LOSSES & set(self.definitions.found)

    def _is_argument(self, family: str) -> bool:
        """Whether a loss is written as a function of a name."""
        functions = (self.definitions.functions.get(name) for name in LOSSES & set(self.definitions.found))
        return any(family == one.base for function in functions if function for one in function.parameters)

    def _options(self, family: str, state: Reading) -> list[tuple[int, float]]:
        definition = self.definitions.of(family)
        value = definition.branches[0][0] if definition is not None else None
        if isinstance(value, tree.Matrix):
            return [(2 if min(len(value.rows), len(value.rows[0])) > 1 else 1, 0.0)]
        found = candidates(family, self.uses[family], is_scalar(family, self.scalars), state.scalars)
        uses = self.uses[family]
        if self._is_argument(family) and uses.counts == {0} and not uses.turned:  # a and y of L(a, y), one sample
            return [(rank, cost if rank else 0.0) for rank, cost in found]
        if not state.scalars and family in self.in_code:
            return [(rank, min(cost, 0.3) if rank == 2 else cost) for rank, cost in found]
        return found

    def _families(self, nodes: Sequence[object]) -> list[str]:
        found = []
        for name, _ in quantities_of(nodes):
            try:
                family = self.names.of(name).family
            except Fault:
                continue
            family = self.definitions.target(family)
            if family in self.uses:
                found.append(family)
        return list(dict.fromkeys(found))

    def _try(self, state: Reading, before: Reading, nodes: Sequence[Node], equation: Equation, given: bool) -> Reading:
        inference = self.inference(state)
        fresh = len(state.ranks) > len(before.ranks)
        letters: dict[str, object] = {}
        cost = 0.0
        try:
            inference.condition(equation.condition, letters)
            forms = [inference.of(node, letters) for node in nodes]
            inference.condition(equation.condition, letters)
            number = isinstance(nodes[-1], Number) or (bool(self.names.samples) and not forms[0].dims)
            unlike = _unlike(forms, inference, number)
            cost += unlike + inference.odd if given else 0.1 * unlike
        except Fault:
            cost += 4.0 if given else 0.5
            state = replace(state, dims=before.dims.copy())
        else:
            if not given and not fresh:
                state = replace(state, dims=before.dims.copy())
        return replace(state, cost=state.cost + cost)


def _unlike(forms: Sequence[Form], inference: Inference, number: bool = False) -> float:
    """Tie the axes of the sides of an equation; return what their difference in shape costs."""
    first = forms[0]
    cost = 0.0
    for form in forms[1:]:
        if len(form.dims) == len(first.dims):
            for one, other in zip(first.dims, form.dims, strict=True):
                inference.dims.same(one, other)
        else:
            cost += 0.7 if number else 3.0
    return cost


def _different(states: list[Reading]) -> list[Reading]:
    seen: list[tuple[dict[str, int], bool]] = []
    kept = []
    for state in states:
        if (state.ranks, state.columns) not in seen:
            seen.append((state.ranks, state.columns))
            kept.append(state)
    return kept


def readings(
    equations: Sequence[Equation],
    names: Names,
    definitions: Definitions,
    labels: frozenset[str],
    scalars: frozenset[str],
    kronecker: bool,
) -> list[Reading]:
    """Return up to six readings, the likeliest first."""
    trees = [node for equation in equations for node in equation.nodes]
    code = [equation for equation in equations if equation.code]
    in_code = frozenset(names.of(name).family for name, _ in quantities_of([n for e in code for n in e.nodes]))
    used = uses_of(trees, names)
    search = Search(names, used, definitions, labels, scalars, kronecker, in_code | _of_a_batch(used))
    states = search.start(trees)
    for given in (True, False):
        left: Node | None = None
        for equation in functions_first(equations) if given else equations:
            left = equation.sides[0] if equation.sides[0] is not None else left
            if (id(equation) in definitions.given) == given:
                states = search.extend(states, equation, left, given)
    states = states[:MOST_READINGS]
    for state in states:
        _other_layers(search, state)
        for family, uses in search.uses.items():
            state.ranks.setdefault(family, candidates(family, uses, is_scalar(family, scalars), state.scalars)[0][0])
        for family in definitions.derived.targets if definitions.derived else ():
            state.ranks[family] = state.ranks.get(definitions.target(family), 0)
        _components(trees, names, state)
        state.letters = _usual_letters(trees, names, state)
        _count_names(equations, names, state)
    return states


def _of_a_batch(uses: dict[str, Uses]) -> frozenset[str]:
    """The small letters of a text that computes with all samples at once: it has X, and y_hat beside y_hat_nk."""
    if "X" not in uses or uses["X"].counts != {0}:
        return frozenset()
    if not any(one.counts == {0, 2} and family[:1].islower() for family, one in uses.items()):
        return frozenset()
    small = {family for family, one in uses.items() if family[:1].islower() and one.counts == {0}}
    return frozenset(family for family in small if family.split("_")[0] not in ("b", "c", *SCALARS))


def _count_names(equations: Sequence[Equation], names: Names, state: Reading) -> None:
    """Take N for the number of samples where ``sum_n 1 = N`` is said, or a sum over n has no bound."""
    pairs: list[tuple[Name, str]] = []
    for equation in equations:
        left, right = equation.sides[0], equation.sides[-1]
        if isinstance(left, tree.Summation) and isinstance(left.body, Number) and isinstance(right, Name):
            pairs += [(right, letter) for letter in left.letters]
    pairs += _means(equations)
    scalars = {family for family, rank in state.ranks.items() if rank == 0 and len(family) == 1 and family.isupper()}
    pairs += [(Name(letter.upper()), letter) for letter in state.letters if letter.upper() in scalars & COUNTED]
    for name, letter in pairs:
        if letter in state.letters and ("count", names.of(name).key) not in state.dims.parent:
            state.dims.same(("count", names.of(name).key), state.letters[letter])


def _means(equations: Sequence[Equation]) -> list[tuple[Name, str]]:
    """Return n with i for each ``1/n sum_i`` whose sum has no bounds: a mean is over as many as it divides by."""
    found: list[tuple[Name, str]] = []
    for node in (part for equation in equations for side in equation.nodes for part in walk(side)):
        if not isinstance(node, tree.Product):
            continue
        below = [part for one in node.factors if isinstance(one, tree.Quotient) for part in walk(one.below)]
        counts = [one for one in below if isinstance(one, Name) and one.base in ("n", "N", "m", "M") and not one.below]
        sums = [one for one in node.factors if isinstance(one, tree.Summation) and one.high is None]
        found += [(count, one.letters[0]) for count in counts[:1] for one in sums[:1] if len(one.letters) == 1]
    return found


def _components(trees: Sequence[object], names: Names, state: Reading) -> None:
    """Fix the sizes of arrays that are written out: y1, y2, y3 has three entries if no letter or a matrix says so."""
    most: dict[tuple[str, int], int] = {}
    general: set[str] = set()
    for name, _ in quantities_of(trees):
        quantity = names.of(name)
        for position, index in enumerate(quantity.indices):
            if isinstance(index, Number) and index.value.denominator == 1:
                at = (quantity.key, position)
                most[at] = max(most.get(at, 0), int(index.value))
            elif isinstance(index, Name):
                general.add(quantity.key)
    written = any(isinstance(part, tree.Matrix) for one in trees for part in walk(one))
    for (key, position), count in most.items():
        dim = ("axis", key, position)
        if count > 1 and (written or key not in general):
            with suppress(Fault):
                state.dims.fix(dim, count)
        else:
            state.dims.least[dim] = count


def _usual_letters(trees: Sequence[object], names: Names, state: Reading) -> dict[str, object]:
    counted: Counter[tuple[str, object]] = Counter()
    for name, _ in quantities_of(trees):
        quantity = names.of(name)
        for position, index in enumerate(quantity.indices):
            if isinstance(index, Name) and not index.below and not index.above:
                counted[index.base, state.dims.find(("axis", quantity.key, position))] += 1
    return {letter: dim for (letter, dim), _ in reversed(counted.most_common())}


def _other_layers(search: Search, state: Reading) -> None:
    """Tie the axes of the layers that only a general definition speaks of."""
    for layered in search.definitions.layered.values():
        for layer in range(int(search.names.layers["L"]) + 1):
            for definition in layered:
                inference = replace(search.inference(state), names=definition.names.at(layer))
                letters: dict[str, object] = {}
                try:
                    forms = [inference.of(node, letters) for node in (definition.name, definition.branches[0][0])]
                    _unlike(forms, inference)
                except Fault:
                    continue
