"""From parsed equations to a program: everything that needs a whole equation, or all of them, to be known.

Repeated indices are summed (``einstein``), free indices are compared with the left side, softmaxes become equations of
their own, bound indices become distinct, each name is held to one use, and the equations are put in order. Places in
the text are known here for the caret of an error; the text itself is read in `parse`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from itertools import islice

from ...errors import ExpressionError, Setting, Text
from ..expression import (
    ZERO,
    Add,
    Call,
    Definition,
    Delta,
    Expr,
    Index,
    Label,
    Mul,
    Num,
    Pow,
    Program,
    Sum,
    Tensor,
    children,
    map_children,
    names,
    walk,
)
from ..indices import all_indices, free_indices, fresh, rename
from .tokens import MAX_DEPTH, MAX_LENGTH, TOO_DEEP

__all__ = ["Equation", "Places", "Softmax", "Use", "build_program", "check_depth", "check_free", "check_left"]
__all__ += ["check_uses"]
__all__ += ["contract", "in_order", "inline_softmaxes", "inverse", "maximum", "negate", "number", "product"]
__all__ += ["separate", "sorted_program"]


@dataclass(frozen=True)
class Use:
    """One appearance of a name, as a tensor, a label or a function, and its number of indices."""

    name: str
    kind: str
    count: int
    place: int

    @property
    def what(self) -> str:
        """Description of the name in words."""
        array = "an array" if self.count else "a number"
        return {"label": "a class label (an index)", "function": "a function"}.get(self.kind, array)


@dataclass(frozen=True)
class Softmax:
    """A softmax met inside an expression, for which the tensor `mark` stands."""

    mark: Tensor
    axis: str
    argument: Expr

    @property
    def letters(self) -> tuple[str, ...]:
        """The indices of the mark."""
        return tuple(index for index in self.mark.indices if isinstance(index, str))

    def value(self, avoid: Sequence[str] = ()) -> Expr:
        """Return exp(argument) / sum exp(argument)."""
        bound = fresh(all_indices(self.argument) | set(avoid), "k")
        total = Sum((bound,), Call("exp", rename(self.argument, {self.axis: bound})))
        return Mul((Call("exp", self.argument), Pow(total, number(-1))))


@dataclass(frozen=True)
class Equation:
    """An equation with the place of its left side."""

    name: str
    indices: tuple[str, ...]
    value: Expr
    place: int


@dataclass
class Places:
    """Where in the text the indices of a tensor or delta stand. Nodes have no places, so they are kept by identity."""

    text: str
    _of: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _alive: list[Expr] = field(default_factory=list)

    def note(self, e: Expr, places: Sequence[int]) -> Expr:
        """Remember where the indices of `e` stand, and return it."""
        self._of[id(e)] = tuple(places)
        self._alive.append(e)
        return e

    def unbound(self, e: Expr, *, labels: bool = True) -> Iterator[tuple[str, int]]:
        """Yield each letter that is not summed over, with its place; those inside a label only if asked for."""
        if isinstance(e, Tensor | Delta):
            indices = e.indices if isinstance(e, Tensor) else (e.i, e.j)
            for index, place in zip(indices, self._of.get(id(e), (0,) * len(indices)), strict=True):
                if not isinstance(index, Label):
                    yield index, place
                elif labels:
                    yield from ((letter, place) for letter in index.indices)
        bound = e.indices if isinstance(e, Sum) else ()
        for child in children(e):
            yield from (found for found in self.unbound(child, labels=labels) if found[0] not in bound)

    def fault(self, message: str | Text, place: int) -> ExpressionError:
        """Return the error with a caret at `place`."""
        return ExpressionError(message, self.text, place)


def number(value: int) -> Num:
    """Return a whole number."""
    return Num(Fraction(value))


def inverse(e: Expr, text: str, place: int) -> Expr:
    """Return 1 / e, a number as a number."""
    if not isinstance(e, Num):
        return Pow(e, number(-1))
    if e.value == 0:
        raise ExpressionError("division by zero", text, place)
    return Num(1 / e.value)


def negate(e: Expr) -> Expr:
    """Return minus `e`."""
    return product((number(-1), *(e.factors if isinstance(e, Mul) else (e,))))


def maximum(a: Expr, b: Expr) -> Expr:
    """Return max(a, b) as b + relu(a - b), or relu(a) if b is 0."""
    # b is written twice: with the smaller one, nested maxima can't grow without bounds
    if a == ZERO or _size(b) > _size(a):
        a, b = b, a
    return Call("relu", a) if b == ZERO else Add((b, Call("relu", Add((a, negate(b))))))


def _size(e: Expr) -> int:
    """The number of nodes, up to a bound: an expression that is written twice at each level has 2^depth of them."""
    return sum(1 for _ in islice(walk(e), 2 * MAX_LENGTH))


def product(factors: Sequence[Expr]) -> Expr:
    """Return the product as it was typed, flat; numbers in front are multiplied, and a 1 is left out."""
    out = list(factors)
    while len(out) > 1 and isinstance(out[0], Num):
        if out[0].value == 1:
            del out[0]
        elif isinstance(out[1], Num) and out[0].value.numerator.bit_length() < 999:
            out[:2] = [Num(out[0].value * out[1].value)]
        else:
            break
    return out[0] if len(out) == 1 else Mul(tuple(out))


def check_depth(e: Expr, places: Places, place: int) -> None:
    """Refuse an expression so deep or large that a recursive walk of it could overflow the stack, or not end."""
    level: list[Expr] = [e]
    size = 0
    for _ in range(MAX_DEPTH + 1):
        level = [child for parent in level for child in children(parent)]
        size += len(level)
        if not level:
            return
        if size > 2 * MAX_LENGTH:
            raise places.fault("too long once every softmax, max and function like silu is written out", place)
    raise places.fault(TOO_DEEP, place)


def contract(e: Expr, kept: frozenset[str], places: Places) -> Expr:
    """Sum over each index that occurs twice in a product and is not `kept`; refuse one that occurs three times."""
    match e:
        case Add(terms):
            return Add(tuple(contract(term, kept, places) for term in terms))
        case Sum(indices, body):
            return Sum(indices, contract(body, kept | set(indices), places))
    factors = e.factors if isinstance(e, Mul) else (e,)
    total: Counter[str] = Counter()
    inside: set[str] = set()  # both inside one compound factor, exp(a_i b_i): the sum belongs in there
    for factor in factors:
        found = _occurrences(factor)
        total.update(found)
        if not isinstance(factor, Tensor | Delta):
            inside |= {letter for letter, times in found.items() if times == 2}
    for letter, times in total.items():
        if times > 2 and letter not in kept:
            third = [place for name, place in places.unbound(e, labels=False) if name == letter][2]
            raise places.fault(f"index {letter} occurs {times} times in one product; write its sum", third)
    paired = [letter for letter, times in total.items() if times == 2 and letter not in kept | inside]
    inner = kept | set(paired)
    done = []
    for factor in factors:
        if isinstance(factor, Call | Pow):
            done.append(map_children(factor, lambda child: contract(child, inner, places)))
        else:
            done.append(factor if isinstance(factor, Num | Tensor | Delta) else contract(factor, inner, places))
    body = Mul(tuple(done)) if isinstance(e, Mul) else done[0]
    return Sum(tuple(paired), body) if paired else body


def _occurrences(e: Expr) -> Counter[str]:
    """Count the letters of a factor. Terms of a sum are alternatives; a label's letters don't count."""
    match e:
        case Tensor(_, indices):
            return Counter(index for index in indices if isinstance(index, str))
        case Delta(i, j):
            return Counter(index for index in (i, j) if isinstance(index, str))
    found: Counter[str] = Counter()
    for child in children(e):
        for letter, times in _occurrences(child).items():
            found[letter] = max(found[letter], times) if isinstance(e, Add) else found[letter] + times
    for letter in e.indices if isinstance(e, Sum) else ():
        del found[letter]
    return found


def check_free(e: Expr, left: Sequence[str], places: Places, *, einstein: bool, program: bool = True) -> None:
    """Refuse an index of the right side that is neither summed over nor on the left; in a program it may be fixed."""
    for letter, place in places.unbound(e):
        if letter not in left:
            what = f"index {letter} of the right side is not on the left"
            if letter not in {other for other, _ in places.unbound(e, labels=False)}:
                once = f"write sum_{letter}, or, for a single sample, the class label without the index {letter}"
                raise places.fault(f"{what}; {once}", place)
            one = (f"; if {letter} is one fixed index, use ", Setting("fixed", letter)) if program else ()
            if einstein:
                raise places.fault((f"{what} and occurs once; write sum_{letter}", *one), place)
            raise places.fault((f"{what}; write sum_{letter}, or use ", Setting("einstein", True), *one), place)


def check_left(equation: Equation, places: Places) -> None:
    """Refuse an index of the left side that the right side lacks."""
    for letter in equation.indices:
        if letter not in free_indices(equation.value):
            what = f"index {letter} of the left side is not on the right"
            raise places.fault(f"{what}; write {equation.name} without {letter} in every equation", equation.place)


def separate(e: Expr, left: Sequence[str]) -> Expr:
    """Rename bound indices whose letters are taken by the left side or by an enclosing sum."""
    every = all_indices(e) | set(left)

    def visit(e: Expr, taken: frozenset[str], new: dict[str, Index]) -> Expr:
        if isinstance(e, Tensor | Delta):
            return rename(e, new)
        if isinstance(e, Sum):
            indices = []
            for letter in e.indices:
                indices.append(fresh(every, letter) if letter in taken else letter)
                every.add(indices[-1])
            new = new | dict(zip(e.indices, indices, strict=True))
            return Sum(tuple(indices), visit(e.body, taken | set(indices), new))
        return map_children(e, lambda child: visit(child, taken, new))

    return visit(e, frozenset(left), {})


def check_uses(uses: Sequence[Use], places: Places) -> None:
    """Refuse a name that is used in two ways, or with two numbers of indices."""
    first: dict[str, Use] = {}
    for use in sorted(uses, key=lambda use: use.place):
        before = first.setdefault(use.name, use)
        if use.kind != before.kind:
            raise places.fault(f"{use.name} is {use.what} here, {before.what} before", use.place)
        if use.count != before.count:
            plural = "index" if use.count == 1 else "indices"
            raise places.fault(f"{use.name} has {use.count} {plural} here, {before.count} before", use.place)


def inline_softmaxes(e: Expr, softmaxes: Sequence[Softmax], places: Places) -> Expr:
    """Return `e` with each softmax replaced by its formula."""
    written: dict[str, Expr] = {}
    for each in softmaxes:
        written[each.mark.name] = replace(each, argument=_put(each.argument, written)).value()
        check_depth(written[each.mark.name], places, 0)  # each softmax writes its argument twice
    return _put(e, written)


def _put(e: Expr, values: dict[str, Expr]) -> Expr:
    """Return `e` with values in the place of softmax marks."""
    if isinstance(e, Tensor):
        return values.get(e.name, e)
    return map_children(e, lambda child: _put(child, values)) if values else e


def build_program(
    equations: Sequence[Equation], softmaxes: Sequence[Softmax], uses: Sequence[Use], places: Places
) -> Program:
    """Check the equations against each other and return them in order, softmaxes named."""
    seen: dict[str, int] = {}
    for equation in equations:
        count = len(equation.indices)
        if seen.get(equation.name, count) != count:
            what = f"{equation.name} is defined twice, with different numbers of indices"
            raise places.fault(f"{what}; take another name for one of them", equation.place)
        if equation.name in seen:
            raise places.fault(f"{equation.name} is defined twice", equation.place)
        seen[equation.name] = count
    check_uses(uses, places)
    labels = frozenset(use.name for use in uses if use.kind == "label")
    complete = _name_softmaxes(equations, softmaxes, {use.name for use in uses})
    complete = [replace(each, value=separate(each.value, each.indices)) for each in complete]
    return sorted_program(complete, labels, places)


def _name_softmaxes(equations: Sequence[Equation], softmaxes: Sequence[Softmax], taken: set[str]) -> list[Equation]:
    """Give each softmax its equation: the one whose right side it is, or a new one; equal ones share it."""
    whole = {each.value.name: each for each in equations if isinstance(each.value, Tensor)}
    first: dict[Expr, str] = {}  # the first mark of those that are equal up to the letters
    same: dict[str, str] = {}
    name_of: dict[str, str] = {}
    for each in softmaxes:
        order = {letter: str(at) for at, letter in enumerate(each.letters)}
        form = Mul((Tensor(order[each.axis]), rename(_with_names(each.argument, same), order)))
        same[each.mark.name] = first.setdefault(form, each.mark.name)
        equation = whole.get(each.mark.name)
        if equation is not None and equation.indices == each.letters:
            name_of.setdefault(same[each.mark.name], equation.name)
    new: list[Softmax] = []
    for each in softmaxes:
        if each.mark.name not in whole and same[each.mark.name] not in name_of:
            name = _new_name("p" if len(each.letters) == 1 else "P", taken | set(name_of.values()))
            name_of[same[each.mark.name]] = name
            new.append(each)
    final = {mark: name_of[other] for mark, other in same.items() if other in name_of}
    written = {each.mark.name: replace(each, argument=_with_names(each.argument, final)) for each in softmaxes}

    out = [Equation(final[each.mark.name], each.letters, written[each.mark.name].value(), 0) for each in new]
    for equation in equations:
        mark = equation.value.name if isinstance(equation.value, Tensor) else ""
        value = written[mark].value(equation.indices) if mark in written else _with_names(equation.value, final)
        out.append(replace(equation, value=value))
    return out


def _with_names(e: Expr, new: dict[str, str]) -> Expr:
    """Return `e` with tensors renamed."""
    if isinstance(e, Tensor):
        return Tensor(new[e.name], e.indices) if e.name in new else e
    return map_children(e, lambda child: _with_names(child, new)) if new else e


def _new_name(name: str, taken: set[str]) -> str:
    at = 0
    while name in taken:
        at += 1
        name = f"softmax{at}"
    return name


def sorted_program(equations: Sequence[Equation], labels: frozenset[str], places: Places) -> Program:
    """Return the equations in an order in which each uses only earlier ones, or raise, naming the cycle."""
    by_name = {each.name: each for each in equations}
    graph = {each.name: names(each.value) for each in equations}
    order = in_order(graph, {each.name: each.place for each in equations}, places.text)
    return Program(tuple(Definition(n, by_name[n].indices, by_name[n].value) for n in order), labels)


def in_order(uses: Mapping[str, set[str]], place_of: Mapping[str, int], text: str) -> list[str]:
    """Return the names in an order in which each uses only earlier names; a cycle raises an error."""
    try:
        return list(TopologicalSorter({n: sorted(used & uses.keys()) for n, used in uses.items()}).static_order())
    except CycleError as error:
        cycle = error.args[1][:0:-1]  # graphlib goes from the used to the user
        start = min(range(len(cycle)), key=lambda at: place_of[cycle[at]])
        around = [*cycle[start:], *cycle[: start + 1]]
        shown = around if len(around) <= 6 else [*around[:4], "...", around[-1]]
        raise ExpressionError(f"equations in a cycle: {' -> '.join(shown)}", text, place_of[around[0]]) from None
