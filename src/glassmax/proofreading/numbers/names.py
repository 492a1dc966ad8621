"""What a written name stands for: which digits belong to it, which superscripts are layers, which are samples.

The key of a quantity is its name with its digits and its layer: ``W_1`` is "W_1" and ``a^{l-1}`` is "a^2" if the layer
l is 3. Its indices are what is left: samples above come first, then the letters below.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction

from ..formula import tree
from ..formula.tree import Add, Condition, Name, Negative, Node, Number, Summation
from ..formula.walk import map_children
from .value import UnknownFault

__all__ = ["LAYERS", "Names", "Quantity", "names_of", "parts_of", "standing", "walk"]

LAYERS = frozenset({"l", "L", "ell"})
"""Letters of layers, where they stand above."""


@dataclass(frozen=True)
class Quantity:
    """What a name stands for: `family` is its name without the layer, `key` with it."""

    family: str
    key: str
    indices: tuple[Node, ...]
    samples: int = 0  # how many of the indices, the first ones, stand above: x^{(i)}


def parts_of(node: object) -> list[Node | Condition]:
    """Return the parts right below a node, those in its indices, bounds and conditions included."""
    kind = type(node)
    attributes = _ATTRIBUTES.get(kind)
    if attributes is None:
        attributes = _ATTRIBUTES[kind] = tuple(
            one.name
            for one in fields(node)  # type: ignore[arg-type]
            if str(one.type).strip('"') not in _PLAIN
        )
    found: list[Node | Condition] = []
    for attribute in attributes:
        _append(getattr(node, attribute), found)
    return found


def _append(value: object, found: list[Node | Condition]) -> None:
    if isinstance(value, tuple):
        for part in value:
            _append(part, found)
    elif value is not None and not isinstance(value, str):
        found.append(value)  # type: ignore[arg-type]


_PLAIN = frozenset(
    {"str", "int", "bool", "Fraction", "tuple[str, ...]"}
    | {str(kind) for kind in (str, int, bool, Fraction, tuple[str, ...])}
)
"""Types of fields that hold no part of a formula."""
_ATTRIBUTES: dict[type, tuple[str, ...]] = {}


def walk(node: object) -> Iterator[Node | Condition]:
    """Yield a node and everything in it."""
    yield node  # type: ignore[misc]
    for part in parts_of(node):
        yield from walk(part)


def names_of(nodes: Iterable[object]) -> Iterator[Name]:
    """Yield each name in trees; letters that serve as an index are names, too."""
    for node in nodes:
        for part in walk(node):
            if isinstance(part, Name):
                yield part


def standing(node: object) -> Iterator[Name]:
    """Yield each name that stands for a quantity: not a letter that is an index."""
    if isinstance(node, Name):
        yield node
        for index in (*node.below, *node.above):
            yield from (one for one in names_of([index]) if one.below)
        return
    for part in parts_of(node):
        yield from standing(part)


class Names:
    """How this document uses digits and superscripts; `layers` are the numbers that stand for l and L."""

    def __init__(
        self, trees: Iterable[object], split: Iterable[str] = (), by_letter: Mapping[str, int] | None = None
    ) -> None:
        trees = list(trees)
        self.by_letter = dict(by_letter or {})  # the layer of each letter, if letters tell the layer
        self.silent: dict[str, str] = {}  # the letter of the samples, for names that have it though it isn't written
        self.split = frozenset(split)  # names such as L that stand for two things: L, and L_i of one sample
        self.samples: dict[str, str] = {}  # the matrix of all samples: A of a^{(i)}
        self.letters: dict[str, str] = {}  # of names of a program: lambda of lam
        self._known: dict[int, tuple[Name, Quantity]] = {}
        self.layers = {"L": 3, "l": 2, "ell": 2} if self.by_letter else _layers(trees)
        self.summed = {
            letter for tree in trees for part in walk(tree) if isinstance(part, Summation) for letter in part.letters
        }
        self._marks = _marks(trees, self.summed)
        self._numbered = _numbered([_without_marks(tree, self._marks) for tree in trees])
        self.times = _times(trees) - self.summed
        self._layered = {name.base for name in names_of(trees) if any(self._is_layer(name, one) for one in name.above)}

    def _is_layer(self, name: Name, above: Node) -> bool:
        letters = {part.base for part in walk(above) if isinstance(part, Name)}
        if isinstance(above, Number) or not letters & self.summed:
            return isinstance(above, Number) or bool(letters & LAYERS) or name.typed_as == "^["
        return bool(letters & LAYERS)

    def of(self, name: Name) -> Quantity:
        """Return what a name stands for."""
        known = self._known.get(id(name))
        if known is None or known[0] is not name:
            known = self._known[id(name)] = (name, self._of(name))
        return known[1]

    def _of(self, name: Name) -> Quantity:
        if name.base in self.samples and not all(self._is_layer(name, one) for one in name.above):
            name = replace(name, base=self.samples[name.base])
        if name.base in self.letters:
            name = replace(name, base=self.letters[name.base])
        family, below = name.base, name.below
        if name.base in self._marks and below:
            letters = [one.base for one in below if isinstance(one, Name)]
            if letters and letters[0] in self._marks[name.base]:
                family, below = f"{family}_{letters[0]}", below[1:]
        stem, _, digits = family.rpartition("_")
        if digits.isdigit() and stem in self._layered:  # W2 of a program is W^{[2]}
            return Quantity(stem, f"{stem}^{digits}", below)
        if below and isinstance(below[0], Number) and name.base in self._numbered:
            family, below = f"{name.base}_{below[0].value}", below[1:]
        if name.primes:
            family += "'" * name.primes
        key, samples = family, []
        if (level := self._level(name)) is not None:
            key += f"^{self.layers['l'] + level}"
        if self.times:
            steps = [one for one in below if self._is_time(one)]
            if steps:
                key += f"^{self.layer(steps[0])}"
                below = tuple(one for one in below if one is not steps[0])
        for above in name.above:
            if self._is_layer(name, above):
                key += f"^{self.layer(above)}"
            elif isinstance(above, Name) and not above.below and above.base in ("star", "*"):
                family, key = family + "*", key + "*"
            else:
                samples.append(above)
        if key == family and family in self._layered and self.layers:
            key = f"{family}^{self.layers['L']}"
        if name.base in self.silent:
            samples.insert(0, Name(self.silent[name.base]))
        indices = (*samples, *below)
        if indices and name.base in self.split:
            kind = "samples" if samples else len(indices)  # x^{(i)} and its x_j^{(i)} are of one array
            return Quantity(f"{family}[{kind}]", f"{key}[{kind}]", indices, len(samples))
        return Quantity(family, key, indices, len(samples))

    def _level(self, name: Name) -> int | None:
        """Return the layer that the letters of a name tell, the upper one of two."""
        letters = [one.base for one in name.below if isinstance(one, Name) and not one.below and not one.above]
        delta = name.base == "delta" and len(letters) == 2
        if not letters or len(letters) < len(name.below) or delta or not set(letters) <= set(self.by_letter):
            return None
        return max(self.by_letter[letter] for letter in letters)

    def _is_time(self, index: Node) -> bool:
        if isinstance(index, tree.Add):
            index = index.terms[0]
        return isinstance(index, Name) and not index.below and index.base in self.times

    def shift(self, name: Name) -> int | None:
        """Return -1 for a name with the layer l - 1, or the time t - 1; 0 for l; None for one without either."""
        if self.by_letter:
            return self._level(name)
        general = (LAYERS - {"L"}) | self.times
        for index in (*name.above, *(one for one in name.below if self._is_time(one))):
            match index:
                case Name(base) if base in general:
                    return 0
                case tree.Add((Name(base), Number(value))) if base in general:
                    return int(value)
                case tree.Add((Name(base), Negative(Number(value)))) if base in general:
                    return -int(value)
        return None

    def layer(self, node: Node) -> int | str:
        """Return the number of a layer: 2 for ``l - 1`` if l is 3."""
        match node:
            case Number(value):
                return int(value)
            case Name(base) if base in self.times:
                return self.layers["l"]
            case Name(base):
                return self.layers.get(base, base)
            case Add(terms):
                return sum(_whole(self.layer(term)) for term in terms)
            case Negative(of):
                return -_whole(self.layer(of))
        raise UnknownFault("a superscript is neither a layer nor a power")

    def at(self, layer: int) -> "Names":
        """Return the same with another number for the layer l."""
        other = object.__new__(Names)
        other.__dict__.update(self.__dict__)
        other._known = {}
        other.layers = {**self.layers, "l": layer, "ell": layer}
        return other


def _whole(value: int | str) -> int:
    if isinstance(value, str):
        raise UnknownFault(f"the superscript {value} is neither a layer nor a power")
    return value


def _layers(trees: list[object]) -> dict[str, int]:
    """Choose numbers for the letters of layers so that l - 2, l + 1 and L are different."""
    used = {
        part.base for name in names_of(trees) for above in name.above for part in walk(above) if isinstance(part, Name)
    }
    digits = [int(above.value) for name in names_of(trees) for above in name.above if isinstance(above, Number)]
    later = any(
        isinstance(above, Add) and any(isinstance(term, Number) for term in above.terms)
        for name in names_of(trees)
        for above in name.above
    )
    last = max(4 if later else 3, *digits, 3)
    both = "L" in used and ("l" in used or "ell" in used)
    if both or later:
        return {"L": last, "l": 2, "ell": 2}
    return {"L": last, "l": last, "ell": last}


def _marks(trees: list[object], summed: set[str]) -> dict[str, set[str]]:
    """Letters that are no indices but a part of a name: ``E_n`` alone, ``out_o`` and ``net_o`` beside ``out_1``.

    Those below words, and the one letter below a loss that nothing else has; never one that a sum runs over.
    """
    found: dict[str, set[str]] = {}
    others: dict[str, set[str]] = {}
    for name in names_of(trees):
        letters = {one.base for one in name.below if isinstance(one, Name) and not one.below}
        word = len(name.base) > 2 and name.base.islower() and name.base not in NO_WORDS and "_" not in name.base
        if len(name.below) == 1 and letters and (word or name.base in ("E", "L", "C", "J")):
            found.setdefault(name.base, set()).update(letters)
        for letter in letters:
            others.setdefault(letter, set()).add(name.base)
    compared = {
        part.base for tree_ in trees for one in walk(tree_) if isinstance(one, Condition) for part in names_of([one])
    }
    alone = _alone(trees, summed | compared)
    found |= alone
    gates = _gates(trees, summed | compared)
    words = set(found)
    return gates | {
        base: letters
        for base, letters in found.items()
        if not letters & (summed | compared)
        if base in alone or all(others[letter] <= words for letter in letters)
        if base not in ("E", "L", "C", "J") or len(letters) == 1
    }


def _alone(trees: list[object], indices: set[str]) -> dict[str, set[str]]:
    """The letter of a vector that has no other index, and that no other name has: v_c of the center word c."""
    below: dict[str, set[tuple[str, ...]]] = {}
    bases: dict[str, set[str]] = {}
    for name in names_of(trees):
        letters = tuple(one.base if isinstance(one, Name) and not one.below else "" for one in name.below)
        below.setdefault(name.base, set()).add(letters)
        for letter in letters:
            bases.setdefault(letter, set()).add(name.base)
    turned = {
        part.of.base
        for one in trees
        for part in walk(one)
        if isinstance(part, tree.Transpose)
        if isinstance(part.of, Name)
    }
    inner = {
        factor.base
        for one in trees
        for part in walk(one)
        if isinstance(part, tree.Product) and isinstance(part.factors[0], tree.Transpose)
        for factor in part.factors[1:2]
        if isinstance(factor, Name)
    }
    return {
        base: set(*letters)
        for base, letters in below.items()
        if len(letters) == 1 and base in turned | inner and base.islower()
        for (only,) in (letters,)
        if len(only) == 1 and only[0] and only[0] not in indices | set("ijklmn") and bases[only[0]] == {base}
    }


def _gates(trees: list[object], indices: set[str]) -> dict[str, set[str]]:
    """Letters below capital letters that tell several matrices apart, ``W_f x + U_f h + b_f``: none is an index."""
    below: dict[str, set[str]] = {}
    several: set[str] = set()
    for name in names_of(trees):
        letters = {one.base for one in name.below if isinstance(one, Name) and not one.below}
        if letters:
            below.setdefault(name.base, set()).update(letters)
        if len(name.below) > 1 or len(letters) != len(name.below):
            several.add(name.base)
    marks = set().union(*(letters for base, letters in below.items() if base.isupper() and base not in several))
    bases = {base for base, letters in below.items() if letters & marks}
    split = any(not below[base] <= marks or base in several for base in bases)
    if len(marks) < 2 or marks & indices or split or not any(base.islower() for base in bases):
        return {}
    return {base: below[base] for base in bases}


NO_WORDS = frozenset(
    {"theta", "beta", "delta", "sigma", "phi", "psi", "omega", "zeta", "alpha", "gamma", "lambda", "epsilon"}
)
NO_WORDS |= {"eta", "chi", "rho", "tau", "softmax", "log", "exp"}


def _without_marks(node: object, marks: dict[str, set[str]]) -> object:
    if not marks:
        return node
    if isinstance(node, Name):
        below = tuple(one for one in node.below if not (isinstance(one, Name) and one.base in marks.get(node.base, ())))
        return node if below == node.below else replace(node, base=f"{node.base}_", below=below)
    return map_children(node, lambda part: _without_marks(part, marks))


def _times(trees: list[object]) -> set[str]:
    """Letters of time steps: those below that are shifted, as in ``h_{t-1}``."""
    found = set()
    for name in names_of(trees):
        for index in name.below:
            match index:
                case Add((Name(base, ()), Number() | Negative(Number()))):
                    found.add(base)
    return found & {"t"}


def _numbered(trees: list[object]) -> set[str]:
    """Names whose digit is a part of them: ``W_1``, ``O_2[i,k]``; not those that have letters or stand whole, too.

    Nor those whose digits are components, as a sum shows: ``y_1 log p_1 + y_2 log p_2``.
    """
    found: dict[str, list[bool]] = {}
    whole: set[str] = set()
    for name in names_of(trees):
        if name.below:
            found.setdefault(name.base, []).append(isinstance(name.below[0], Number))
        else:
            whole.add(name.base)
    counted = {base for one in trees for part in walk(one) if isinstance(part, Add) for base in _counted(part)}
    return {base for base, digits in found.items() if all(digits) and base not in whole | counted}


def _counted(node: Add) -> set[str]:
    """The names with digits in terms that differ by their digits only."""
    found: set[str] = set()
    without = [(_without_digits(term), term) for term in node.terms]
    for n, (one, first) in enumerate(without):
        for other, second in without[n + 1 :]:
            if one == other and first != second:
                names = [name for name in names_of([first]) if name.below and isinstance(name.below[0], Number)]
                found |= {name.base for name in names if name.base.islower()}
    if any(isinstance(part, tree.Norm | tree.Transpose) for part in walk(node)):
        return set()
    return found


def _without_digits(node: Node) -> Node:
    """The tree with 0 for each digit below a name."""

    def replaced(part: Node) -> Node:
        if isinstance(part, Name):
            below = tuple(Number(Fraction(0)) if isinstance(one, Number) else one for one in part.below)
            return replace(part, below=below)
        return map_children(part, replaced)

    return replaced(node)
