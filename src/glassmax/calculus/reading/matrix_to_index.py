"""From a tree of matrix notation to equations in index notation, in three steps.

Each node gets its axes, from declared shapes or from the names (a capital letter is a matrix, a small one a vector).
Parts that a person would name get a name (Z, A, P). Each tree is then written with letters, from those of the result
down to those of the arrays.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NoReturn

from ...errors import ExpressionError, Setting
from ..expression import Add, Call, Delta, Expr, Mul, Num, Pow, Program, Sum, Tensor
from ..greek import GREEK
from ..indices import fresh
from .resolve import Equation, Places, check_depth, in_order, inverse, maximum, negate, number, product, sorted_program

__all__ = ["ONE_AXIS", "Node", "to_program"]

SCALARS = frozenset({"N", "n", "m", "d", "k", "eps", *(name for name in GREEK if name[0].islower())})
ONE_AXIS = "1"


@dataclass(eq=True, unsafe_hash=True)
class Node:
    """A piece of a formula."""

    op: str  # number name add negate times divide matmul beside power transpose call max softmax sum ...
    args: "tuple[Node, ...]" = ()
    text: str = ""  # a number, a name or the name of a function
    axis: int | None = None  # of a reduction or a softmax
    keep: bool = False  # whether a reduced axis stays, with length one
    place: int = field(default=0, compare=False)
    axes: tuple[str, ...] = field(default=(), compare=False)  # once known; "1" is an axis of length one
    row: bool = field(default=False, compare=False)  # whether it is a row vector, xᵀ
    depth: int = field(default=1, compare=False)


def to_program(
    text: str, equations: Mapping[str, Node], declared: Mapping[str, tuple[str, ...]], used: set[str]
) -> Program:
    """Return equations in matrix notation in index notation; `declared` holds the axes of arrays, `used` all names."""
    axes = _Axes(text, declared, equations)
    ordered = axes.in_order()
    naming = _Naming(used | {node.text for node, _ in axes.means}, equations)
    named = [(name, naming.hoist(node), node.place) for name, node in ordered]
    places = Places(text)
    written = [_equation(name, node, place, text) for name, node, place in [*naming.finished(), *named]]
    for each in written:
        check_depth(each.value, places, each.place)
    lengths = {node.text: axes.holder(axis) for node, axis in axes.means if node.text not in used}
    return replace(sorted_program(written, frozenset(), places), lengths=tuple((n, *at) for n, at in lengths.items()))


class _Axes:
    """The axes of every node; two axes that have to be equal become one."""

    def __init__(self, text: str, declared: Mapping[str, tuple[str, ...]], equations: Mapping[str, Node]) -> None:
        self.text, self.declared, self.equations = text, declared, equations
        self.parent: dict[str, str] = {}
        self.known = dict(declared)
        self.count = 0
        self.means: list[tuple[Node, str]] = []

    def in_order(self) -> list[tuple[str, Node]]:
        uses = {name: _names(node) for name, node in self.equations.items()}
        order = in_order(uses, {name: node.place for name, node in self.equations.items()}, self.text)
        for name in order:
            node = self.equations[name]
            self.infer(node)
            given = self.declared.get(name, node.axes)
            if len(given) != len(node.axes):
                self.fault(f"{name} is declared with {len(given)} axes, and has {len(node.axes)}", node)
            self.same(given, node.axes, node)
            self.known[name] = node.axes
        self.name_lengths()
        return [(name, self.equations[name]) for name in order]

    def name_lengths(self) -> None:
        """Give the divisor of each mean a name, one for each length: as declared, or N for rows, D for columns."""
        chosen: dict[str, str] = {}
        for node, axis in self.means:
            root = self.root(axis)
            stem = root if not root.startswith("?") else "D" if node.axis else "N"
            name, at = stem, 1
            while root not in chosen and (name in chosen.values() or self.known.get(name)):
                at += 1
                name = f"{stem}{at}"
            node.text = chosen.setdefault(root, name)

    def holder(self, axis: str) -> tuple[str, int]:
        """Return an array that has an axis, and which of its axes that is."""
        for name, axes in self.known.items():
            roots = [self.root(own) for own in axes if own != ONE_AXIS]
            if self.root(axis) in roots:
                return name, roots.index(self.root(axis))
        raise KeyError(axis)

    def fault(self, message: str, node: Node) -> NoReturn:
        """Raise, naming the arrays whose shapes were only guessed."""
        guessed = sorted(_names(node) - self.declared.keys() - self.equations.keys())
        advice = f"; if {' or '.join(guessed[:3])} is something else, declare its shape" if guessed else ""
        raise ExpressionError(message + advice, self.text, node.place)

    def new(self) -> str:
        self.count += 1
        return f"?{self.count}"

    def root(self, axis: str) -> str:
        while axis in self.parent:
            axis = self.parent[axis]
        return axis

    def same(self, a: Sequence[str], b: Sequence[str], node: Node) -> None:
        """Identify axes, pair by pair; axes that were declared different raise an error."""
        for first, second in zip(map(self.root, a), map(self.root, b), strict=True):
            if first == second or ONE_AXIS in (first, second):
                continue
            if not first.startswith("?") and not second.startswith("?"):
                self.fault(f"expected axes of the same length, got {first} and {second}", node)
            old, kept = (first, second) if first.startswith("?") else (second, first)
            self.parent[old] = kept

    def infer(self, node: Node) -> None:
        for arg in node.args:
            self.infer(arg)
        node.row = len(node.args) > 0 and any(arg.row for arg in node.args)
        node.axes = self.axes_of(node, *(arg.axes for arg in node.args))
        node.row = node.row and len(node.axes) == 1

    def axes_of(self, node: Node, *axes: tuple[str, ...]) -> tuple[str, ...]:
        match node.op:
            case "number" | "norm":
                return ()
            case "name":
                return self.known.setdefault(node.text, self.guess(node))
            case "power" if len(axes[0]) == 2 and node.text != "**" and _is_negative(node.args[1]):
                self.fault("a matrix inverse has no index notation; ** -1 is elementwise", node)
            case "add" | "times" | "divide" | "max" | "power":
                result = axes[0]
                for other in axes[1:]:
                    result = self.broadcast(result, other, node)
                return result
            case "matmul" | "beside" | "outer":
                return self.matmul(node, *axes)
            case "transpose":
                node.row = len(axes[0]) == 1 and (not node.args[0].row if node.text == "ᵀ" else node.args[0].row)
                return axes[0][::-1]
            case "trace":
                if len(axes[0]) != 2:
                    self.fault(f"expected a matrix in trace, got {_kind(axes[0])}", node)
                self.same(axes[0][:1], axes[0][1:], node)
                return ()
            case "diag":
                if len(axes[0]) == 2:
                    self.same(axes[0][:1], axes[0][1:], node)
                    return axes[0][:1]
                if len(axes[0]) != 1:
                    self.fault("expected a vector in diag, got a number", node)
                return axes[0] * 2
            case "softmax" | "log_softmax" | "logsumexp" | "sum" | "mean":
                return self.along(node, axes[0])
        return axes[0]

    def guess(self, node: Node) -> tuple[str, ...]:
        """The axes that a name stands for: a capital is a matrix, a small letter a vector."""
        if node.text in self.known:
            return ()
        name = re.sub(r"('|[0-9]|hat$|bar$|tilde$)+$", "", node.text)
        if name in SCALARS:
            return ()
        letter = name[1:] if len(name) == 2 and name[0] == "d" else name
        if len(letter) != 1 and letter not in GREEK:
            what = f"the shape of {node.text} isn't known; declare it: "
            raise ExpressionError((what, Setting("shapes", f"{node.text}: n,d")), self.text, node.place)
        return (self.new(), self.new()) if letter[0].isupper() else (self.new(),)

    def broadcast(self, a: tuple[str, ...], b: tuple[str, ...], node: Node) -> tuple[str, ...]:
        """The axes of an elementwise operation; a vector goes along the last axis of a matrix."""
        longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
        tail = longer[len(longer) - len(shorter) :]
        vector = len(longer) == 2 and len(shorter) == 1
        if vector and self.root(shorter[0]) == self.root(longer[0]) != self.root(longer[1]):
            self.fault("expected a vector along the last axis, got one along the rows; keepdims=True keeps it", node)
        self.same(tail, shorter, node)
        joined = tuple(y if x == ONE_AXIS else x for x, y in zip(tail, shorter, strict=True))
        return longer[: len(longer) - len(shorter)] + joined

    def matmul(self, node: Node, a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
        left, right = node.args
        if node.op == "beside" and (not a or not b):
            node.op = "times"
            return a or b
        if not a or not b:
            self.fault("expected arrays on both sides of a matrix product, got a number", node)
        lying = right.row and not left.row and len(a) == len(b) == 1
        if node.op == "outer" or lying:
            if len(a) != 1 or len(b) != 1:
                self.fault(f"expected two vectors in outer, got {_kind(a)} and {_kind(b)}", node)
            node.op = "outer"
            return a + b
        if len(a) == 2 and len(b) == 1 and right.row:
            self.fault("expected a column after a matrix, got a transposed vector", node)
        node.op = "matmul"
        node.row = len(b) == 2 and left.row
        self.same(a[-1:], b[:1], node)
        return a[:-1] + b[1:]

    def along(self, node: Node, axes: tuple[str, ...]) -> tuple[str, ...]:
        """The axes left by a reduction; the axis is counted from the front from here on."""
        if not axes and node.op not in ("sum", "mean"):
            self.fault(f"expected an array in {node.op}, got a number", node)
        if node.axis is None and node.op in ("softmax", "log_softmax", "logsumexp", "mean"):
            if node.op == "mean" and len(axes) > 1:
                self.fault("expected an axis of mean, or a vector: write sum(...) / N", node)
            node.axis = len(axes) - 1 if axes else None
        if node.axis is None:
            return (ONE_AXIS,) * len(axes) if node.keep else ()
        if not -len(axes) <= node.axis < len(axes):
            self.fault(f"expected an axis of {_kind(axes)}, got axis={node.axis}", node)
        node.axis %= len(axes)
        if node.op == "mean":
            self.means.append((node, axes[node.axis]))
        if node.op in ("softmax", "log_softmax"):
            return axes
        return axes[: node.axis] + ((ONE_AXIS,) if node.keep else ()) + axes[node.axis + 1 :]


def _is_negative(node: Node) -> bool:
    return node.op == "negate" or (node.op == "number" and node.text.startswith("-"))


def _kind(axes: tuple[str, ...]) -> str:
    return ("a number", "a vector", "a matrix")[min(len(axes), 2)]


def _names(node: Node) -> set[str]:
    found = {node.text} if node.op == "name" else set()
    return found.union(*(_names(arg) for arg in node.args))


class _Naming:
    """Parts that a person would name: the input of a nonlinearity (Z), its output before a product (A), P."""

    def __init__(self, taken: set[str], equations: Mapping[str, Node]) -> None:
        self.taken = taken
        self.given = {node.args[0]: name for name, node in equations.items()}
        self.made: dict[Node, tuple[str, Node, list[Node]]] = {}

    def hoist(self, node: Node, *, whole: bool = False) -> Node:
        """Return `node` with names in the place of what has got one."""
        if node.op in ("number", "name"):
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
    return node.op in ("matmul", "outer") or any(_has_product(arg) for arg in node.args)


def _equation(name: str, node: Node, place: int, text: str) -> Equation:
    indexer = _Indexer(text)
    letters, kept = indexer.new(node.axes, frozenset())
    return Equation(name, kept, indexer.write(node, letters, frozenset(kept)), place)


class _Indexer:
    """A tree with the letters of its result, to an expression. An axis of length one has no letter."""

    def __init__(self, text: str) -> None:
        self.text = text

    def write(self, node: Node, letters: tuple[str, ...], taken: frozenset[str]) -> Expr:
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
            case "name":
                return Tensor(node.text, tuple(letter for letter in letters if letter))
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
                is_square = base.op == "norm" and exponent == number(2)
                return self.squares(base, taken) if is_square else Pow(part(0), exponent)
            case "transpose":
                return arg(0, letters[::-1])
            case "outer":
                return _flat(arg(0, letters[:1]), arg(1, letters[1:]))
            case "matmul":
                bound = fresh({*taken}, "i")
                first = len(node.args[0].axes) - 1
                left, right = (*letters[:first], bound), (bound, *letters[first:])
                return Sum((bound,), _flat(arg(0, left, taken | {bound}), arg(1, right, taken | {bound})))
            case "trace":
                bound = fresh({*taken}, "i")
                return Sum((bound,), arg(0, (bound, bound), taken | {bound}))
            case "diag" if len(letters) == 2:
                return Mul((Delta(*letters), arg(0, letters[:1])))
            case "diag":
                return arg(0, letters * 2)
            case "norm":
                return Pow(self.squares(node, taken), Num(Fraction(1, 2)))
            case "softmax":
                bound = fresh({*taken}, "i")
                at = node.axis or 0
                total = Call("exp", arg(0, (*letters[:at], bound, *letters[at + 1 :]), taken | {bound}))
                return Mul((Call("exp", arg(0)), Pow(Sum((bound,), total), number(-1))))
            case "sum" | "mean" | "logsumexp":
                return self.reduction(node, letters, taken)
            case _:
                name = node.text.rstrip("'")
                if name == "sqrt":
                    return Pow(arg(0), Num(Fraction(1, 2)))
                return Call(name, arg(0), len(node.text) - len(name))

    def squares(self, node: Node, taken: frozenset[str]) -> Expr:
        """The sum of squares in a norm."""
        letters, bound = self.new(node.args[0].axes, taken)
        body = Pow(self.write(node.args[0], letters, taken | set(bound)), number(2))
        return Sum(bound, body) if bound else body

    def reduction(self, node: Node, letters: tuple[str, ...], taken: frozenset[str]) -> Expr:
        axes = node.args[0].axes
        at = node.axis
        if at is None:
            inner, bound = self.new(axes, taken)
        else:
            one, bound = self.new(axes[at : at + 1], taken)
            inner = letters[:at] + one + letters[at + 1 if node.keep else at :]
        body = self.write(node.args[0], inner, taken | set(bound))
        body = Call("exp", body) if node.op == "logsumexp" else body
        total = Sum(bound, body) if bound else body
        if node.op == "mean":
            return _flat(Pow(Tensor(node.text), number(-1)), total)
        return Call("log", total) if node.op == "logsumexp" else total

    def new(self, axes: tuple[str, ...], taken: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return letters for axes, and the letters that have to be summed over."""
        letters: tuple[str, ...] = ()
        for axis in axes:
            letters += ("",) if axis == ONE_AXIS else (fresh({*taken, *letters}, "i"),)
        return letters, tuple(letter for letter in letters if letter)


def _flat(*factors: Expr) -> Expr:
    """A product in one level."""
    return product([each for factor in factors for each in (factor.factors if isinstance(factor, Mul) else (factor,))])
