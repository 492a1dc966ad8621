"""From a tree of matrix notation to equations in index notation, in three steps.

Each node gets its axes, in `matrix_axes`. Parts that a person would name get a name (Z, A, P). Each tree is then
written with letters, from those of the result down to those of the arrays.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from ...errors import ExpressionError
from ..expression import Add, Call, Delta, Expr, Label, Mul, Num, Pow, Program, Sum, Tensor, names
from ..indices import fresh, ones, rename
from .carried_ones import UNKNOWN, lengths_of_ones, without_carried_ones
from .matrix_axes import Axes
from .matrix_tree import ONE_AXIS, Node
from .resolve import Equation, Places, check_depth, inverse, maximum, negate, number, product, separate, sorted_program
from .shifts import SHIFT, without_shifts

__all__ = ["to_program"]


def to_program(
    text: str,
    equations: Mapping[str, Node],
    declared: Mapping[str, tuple[str, ...]],
    used: set[str],
    arrays: frozenset[str] = frozenset(),
) -> Program:
    """Return equations in matrix notation in index notation.

    `declared` holds the axes of arrays, `used` all names, `arrays` the names that stand where only an array can.
    """
    axes = Axes(text, declared, equations, arrays)
    ordered = axes.in_order()
    naming = _Naming(used | {node.text for node, _ in axes.lengths}, equations)
    named = [(name, naming.hoist(node), node.place) for name, node in ordered]
    places = Places(text)
    writing = _Indexer(text, axes)
    complete = [*naming.finished(), *named]
    written = [writing.equation(name, node, place) for name, node, place in complete]
    there = set[str]().union(*(names(each.value) for each in written))
    for each in written:
        check_depth(each.value, places, each.place)
        if lengths_of_ones(each.value) - there:
            message = "the number of ones is not known, because no array has this length: write N in their place"
            raise ExpressionError(message, text, each.place)
    program = sorted_program(written, frozenset(axes.labels), places)
    own = {node.text: writing.holder(axis) for node, axis in axes.lengths}
    lengths = ((name, *at) for name, at in own.items() if at and (name not in used or name in equations))
    thin = frozenset(name for name, node, _ in complete if ONE_AXIS in node.axes)
    program = replace(program, lengths=tuple(lengths), thin=thin)
    return without_shifts(program, writing.shifts, text) if writing.shifts else program


class _Naming:
    """Parts that a person would name: the input of a nonlinearity (Z), its output before a product (A), P."""

    def __init__(self, taken: set[str], equations: Mapping[str, Node]) -> None:
        self.taken = taken
        self.given = {node.args[0]: name for name, node in equations.items()}
        self.made: dict[Node, tuple[str, Node, list[Node]]] = {}

    def hoist(self, node: Node, *, whole: bool = False) -> Node:
        """Return `node` with names in the place of what has got one."""
        if node.op in ("number", "name", "length"):
            return node
        args = [self.hoist(arg, whole=node.op == "whole") for arg in node.args]
        if node.op in ("call", "softmax", "log_softmax") and args[0].axes and _has_product(args[0]):
            args = [self.named("z", node.args[0], args[0])]
        if node.op == "matmul":
            pairs = zip(node.args, args, strict=True)
            plain = ("log", "exp", "abs", "sqrt", "sign")  # no activations
            args = [self.named("a", o, n) if n.op == "call" and n.text not in plain else n for o, n in pairs]
        new = replace(node, args=tuple(args))
        if node.op == "log_softmax":
            new.op = "softmax"
            p = self.named("p", replace(new, args=node.args), new)
            return Node("call", (p,), "log", place=node.place, axes=node.axes)
        return self.named("p", node, new) if node.op == "softmax" and not whole else new

    def named(self, stem: str, key: Node, value: Node) -> Node:
        """Return a name for `value`; it gets its text when all are known."""
        reference = Node("name", place=value.place, axes=value.axes, row=value.row)
        if key in self.given:  # an equation says the same already
            reference.text = self.given[key]
            return reference
        self.made.setdefault(key, (stem.upper() if len(value.axes) > 1 else stem, value, []))[2].append(reference)
        return reference

    def finished(self) -> list[tuple[str, Node, int]]:
        """Choose the names: a letter, or numbered letters if there are several."""
        stems = [stem for stem, _, _ in self.made.values()]
        several = any(stems.count(stem) > 1 for stem in "zaZA")
        out = []
        for stem, value, references in self.made.values():
            counted = (several and stem not in "pP") or stems.count(stem) > 1 or stem in self.taken
            name, at = stem, 0
            while name in self.taken or (counted and at == 0):
                at += 1
                name = f"{stem}{at}"
            self.taken.add(name)
            for reference in references:
                reference.text = name
            out.append((name, value, value.place))
        return out


def _has_product(node: Node) -> bool:
    return node.op in ("matmul", "outer", "einsum") or any(_has_product(arg) for arg in node.args)


class _Indexer:
    """A tree with the letters of its result, to an expression. An axis of length one has no letter."""

    def __init__(self, text: str, axes: Axes) -> None:
        self.text, self.axes = text, axes
        self.shifts: dict[str, int] = {}  # marks of maxima, and where each stands
        self.marks: dict[Node, str] = {}
        inputs = [name for name in axes.known if name not in axes.equations]
        self.holders: dict[str, tuple[str, int]] = {}
        for name in sorted(inputs, key=lambda name: name in axes.labels):
            own = (axis for axis in axes.known[name] if axis != ONE_AXIS)
            for at, axis in enumerate(own):
                self.holders.setdefault(axes.root(axis), (name, at))

    def holder(self, axis: str) -> tuple[str, int] | None:
        """Return an array that no equation defines and that has an axis, and which of its axes that is."""
        return self.holders.get(self.axes.root(axis))

    def equation(self, name: str, node: Node, place: int) -> Equation:
        """Return an equation with letters on its left side, without the ones that its arrays show."""
        letters, kept = self.new(node.axes, frozenset())
        value = without_carried_ones(self.write(node, letters, frozenset(kept)))
        return Equation(name, kept, separate(value, kept) if _has_labels(node) else value, place)

    def write(self, node: Node, letters: tuple[str, ...], taken: frozenset[str]) -> Expr:
        """Return a node in index notation; `letters` are those of its axes, `taken` those that sums around it bind."""

        def arg(at: int, letters: tuple[str, ...] = letters, taken: frozenset[str] = taken) -> Expr:
            return self.write(node.args[at], letters, taken)

        def part(at: int) -> Expr:
            """An operand of an elementwise operation takes the last letters, and none for an axis of length one."""
            axes = node.args[at].axes
            own = zip(axes, letters[len(letters) - len(axes) :], strict=True)
            return arg(at, tuple("" if axis == ONE_AXIS else letter for axis, letter in own))

        match node.op:
            case "number":
                return Num(Fraction(node.text))
            case "name" | "length":
                return Tensor(node.text, tuple(letter for letter in letters if letter))
            case "ones" | "like":
                return self.repeated(number(1), node, letters)
            case "count":
                return _flat(number(1), *(arg(at, ()) for at in range(len(node.args))))
            case "eye":
                return Delta(*letters)
            case "whole" if not node.args[0].axes:  # a number in each entry, where a shape is declared
                return self.repeated(arg(0, ()), node, letters)
            case "whole":
                return arg(0)
            case "add":
                return Add(tuple(part(at) for at in range(len(node.args))))
            case "negate":
                return negate(arg(0))
            case "times":
                return _flat(part(0), part(1))
            case "divide":
                return _flat(part(0), inverse(part(1), self.text, node.args[1].place))
            case "max":
                return maximum(part(0), part(1))
            case "power":
                base, exponent = node.args[0], part(1)
                is_square = base.op == "norm" and base.text != "1" and exponent == number(2)
                squares = replace(base, text="squares")
                return self.write(squares, letters, taken) if is_square else Pow(part(0), exponent)
            case "call":
                name = node.text.rstrip("'")
                if name == "sqrt":
                    return Pow(arg(0), Num(Fraction(1, 2)))
                return Call(name, arg(0), len(node.text) - len(name))
            case _:
                return self.rearranged(node, letters, taken)

    def rearranged(self, node: Node, letters: tuple[str, ...], taken: frozenset[str]) -> Expr:
        """What gives the letters of its parts other places, or sums over them."""

        def arg(at: int, letters: tuple[str, ...] = letters, taken: frozenset[str] = taken) -> Expr:
            return self.write(node.args[at], letters, taken)

        match node.op:
            case "transpose":
                return arg(0, letters[::-1])
            case "expand":
                at = node.axes.index(ONE_AXIS) if node.axis is None else node.axis % len(node.axes)
                return arg(0, letters[:at] + letters[at + 1 :])
            case "squeeze":
                given = iter(letters)
                return arg(0, tuple("" if axis == ONE_AXIS else next(given) for axis in node.args[0].axes))
            case "at":
                return self.picked(node, letters, taken)
            case "outer":
                return _flat(arg(0, letters[:1]), arg(1, letters[1:]))
            case "matmul":
                first = len(node.args[0].axes) - 1
                one, summed = self.new(node.args[0].axes[-1:], taken)
                inner = taken | set(summed)
                body = _flat(arg(0, (*letters[:first], *one), inner), arg(1, (*one, *letters[first:]), inner))
                return Sum(summed, body) if summed else body
            case "einsum":
                return self.einsum(node, letters, taken)
            case "trace":
                bound = fresh({*taken}, "i")
                return Sum((bound,), arg(0, (bound, bound), taken | {bound}))
            case "diag" if len(letters) == 2:
                return Mul((Delta(*letters), arg(0, letters[:1])))
            case "diag":
                return arg(0, letters * 2)
            case "softmax":
                bound = fresh({*taken}, "i")
                at = node.axis or 0
                total = Call("exp", arg(0, (*letters[:at], bound, *letters[at + 1 :]), taken | {bound}))
                return Mul((Call("exp", arg(0)), Pow(Sum((bound,), total), number(-1))))
            case "sum" | "norm" | "logsumexp":
                return self.reduction(node, letters, taken)
            case "extremum":
                name = self.marks.setdefault(node, f"{SHIFT}{len(self.marks)}")
                self.shifts[name] = node.place
                return Tensor(name, tuple(letter for letter in letters if letter))
            case _:
                raise TypeError(f"{node.op} is not part of a formula")

    def repeated(self, value: Expr, node: Node, letters: tuple[str, ...]) -> Expr:
        """A number times ones along the axes of a node, each by an array that has it."""
        factors = [value]
        for axis, letter in zip(node.axes, letters, strict=True):
            holder = self.holder(axis)
            if letter:
                factors.append(ones(*holder, letter) if holder else Tensor(UNKNOWN, (letter,)))
        return _flat(*factors)

    def reduction(self, node: Node, letters: tuple[str, ...], taken: frozenset[str]) -> Expr:
        """A sum along an axis or over all entries: of the entries, their squares, absolute values or exponentials."""
        axes = node.args[0].axes
        at = node.axis
        if at is None:
            inner, bound = self.new(axes, taken)
        else:
            one, bound = self.new(axes[at : at + 1], taken)
            inner = letters[:at] + one + letters[at + 1 if node.keep else at :]
        body = self.write(node.args[0], inner, taken | set(bound))
        if node.op == "norm":
            body = Call("abs", body) if node.text == "1" else Pow(body, number(2))
        body = Call("exp", body) if node.op == "logsumexp" else body
        total = Sum(bound, body) if bound else body
        if node.op == "norm" and node.text not in ("1", "squares"):
            return Pow(total, Num(Fraction(1, 2)))
        return Call("log", total) if node.op == "logsumexp" else total

    def picked(self, node: Node, letters: tuple[str, ...], taken: frozenset[str]) -> Expr:
        """The entries at class labels: written with letters of their own, which then become the labels."""
        left = iter(letters)
        labels = iter(node.args[1:])
        inner: list[str] = []
        new: dict[str, Label] = {}
        rows = ""
        items = node.text.split(",")
        for item in items + [":"] * (len(node.args[0].axes) - len(items)):
            if item == "label":
                label = next(labels)
                own = (rows,) if "rows" in items else (next(left),) if self.axes.known[label.text] else ()
                inner.append(fresh({*taken, *letters, *inner}, "c"))
                new[inner[-1]] = Label(label.text, own)
            else:
                inner.append(next(left))
                rows = inner[-1]
        value = self.write(node.args[0], tuple(inner), taken | set(inner))
        try:
            return rename(value, new)
        except ValueError:
            raise ExpressionError("an index can't be an index of an index", self.text, node.place) from None

    def einsum(self, node: Node, letters: tuple[str, ...], taken: frozenset[str]) -> Expr:
        """Return an einsum as a sum over the letters that its result lacks."""
        *inputs, output = node.text.split()
        given = dict(zip(output.strip("-"), letters, strict=True))
        bound: dict[str, str] = {}
        for letter in "".join(inputs).replace("-", ""):
            if letter not in given and letter not in bound:
                bound[letter] = fresh({*taken, *bound.values()}, "i")
        inner = taken | set(bound.values())
        places = {**given, **bound}
        parts = [
            self.write(arg, tuple(places[x] for x in own.strip("-")), inner)
            for arg, own in zip(node.args, inputs, strict=True)
        ]
        body = _flat(*parts)
        return Sum(tuple(bound.values()), body) if bound else body

    def new(self, axes: tuple[str, ...], taken: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return letters for axes, and the letters that have to be summed over."""
        letters: tuple[str, ...] = ()
        for axis in axes:
            letters += ("",) if axis == ONE_AXIS else (fresh({*taken, *letters}, "i"),)
        return letters, tuple(letter for letter in letters if letter)


def _has_labels(node: Node) -> bool:
    return node.op == "at" or any(_has_labels(arg) for arg in node.args)


def _flat(*factors: Expr) -> Expr:
    """A product in one level."""
    return product([each for factor in factors for each in (factor.factors if isinstance(factor, Mul) else (factor,))])
