"""The axes that the name of an array stands for, and the uses in which a name may be a number, too.

A capital letter is a matrix, a small one a vector, and a few names are numbers. Where a guess decides what a formula
means, as in ``Z / T``, the name has to be declared.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn

from ...errors import ExpressionError, Setting
from ..greek import GREEK
from .matrix_tree import NUMBERS, Node, is_letter, names_in

__all__ = ["GuessedAxes", "Lengths"]

Lengths = tuple[str, ...]

LENGTHS = ("N", "n", "m", "d", "k")
"""Names of lengths, which nobody adds to an array."""
SCALARS = ("T", "K", "C", "M", "c", "s", "t")
"""Names of counts, temperatures and scales, which are arrays as well."""

CONSTANTS = ("a", "c", "g", "l", "q", "r", "s", "t")
"""Small letters of constants, levels and thresholds, which are arrays as well."""
INTERCEPTS = ("b", "b0", "c", "a")
"""Names of what is added to a linear model."""
REDUCTIONS = ("sum", "norm", "softmax", "log_softmax", "logsumexp", "extremum", "length", "count", "diag")
FORMULA = ("name", "number", "negate", "add", "times", "divide", "power")


class GuessedAxes:
    """The axes that are known, and those that are guessed."""

    def __init__(
        self, text: str, declared: Mapping[str, Lengths], equations: Mapping[str, Node], arrays: frozenset[str]
    ) -> None:
        self.text, self.declared, self.equations, self.arrays = text, declared, equations, arrays
        self.known = dict(declared)
        self.count = 0
        self.uses = Counter(name.text for node in equations.values() for name in _each_name(node))
        self.shown = set[str]().union(*(_shown_arrays(node) for node in equations.values()))
        self.levels = _levels(equations.values())

    def new(self) -> str:
        """Return an axis of a length that isn't known yet."""
        self.count += 1
        return f"?{self.count}"

    def guess(self, node: Node) -> Lengths:
        """The axes that a name stands for: a capital is a matrix, a small letter a vector."""
        if node.text in self.known:
            return ()
        name = node.text
        for accent in ("hat", "bar", "tilde"):
            name = name.rstrip("'0123456789").removesuffix(accent)
        name = name.rstrip("'0123456789")
        array = node.text in self.arrays
        if name in NUMBERS and not array:
            return ()
        letter = name[1:] if len(name) == 2 and name[0] == "d" else name
        if array and name[:1].isupper():
            return (self.new(), self.new())
        if not is_letter(letter):
            what = f"the shape of {node.text} isn't known; declare it: "
            raise ExpressionError((what, Setting("shapes", f"{node.text}: n,d")), self.text, node.place)
        if letter in GREEK and letter[0].islower() and not array:
            what = f"{node.text} may be a number or a vector; declare it: "
            number, vector = Setting("shapes", f"{node.text}: "), Setting("shapes", f"{node.text}: d")
            raise ExpressionError((what, number, " or ", vector), self.text, node.place)
        return (self.new(), self.new()) if letter[0].isupper() else (self.new(),)

    def is_guess(self, node: Node) -> bool:
        """Tell whether a node is a name, with or without a sign, of which nothing but the letter says what it is."""
        name = node.args[0] if node.op == "negate" else node
        known = name.text in self.declared or name.text in self.equations or name.text in self.arrays
        return name.op == "name" and not known

    def check_guess(self, arg: Node, node: Node) -> None:
        """Refuse a name whose guessed axes alone make an array of a number: c in xᵀ A x + c may be a number, too."""
        self.check_below(arg, node)
        self.check_intercept(arg, node)
        self.check_constant(arg, node)
        bare = arg.args[0] if arg.op == "negate" else arg
        again = self.uses[bare.text] > 1
        if not self.is_guess(arg) or (again and bare.text in self.shown):
            return
        others = [other for other in node.args if other is not arg]
        others = [other for other in others if not self.is_guess(other)] or others
        widest = max(len(other.axes) for other in others)
        length = not bare.axes and node.op == "add" and widest > 0 and bare.text in LENGTHS  # d - o, two vectors?
        scaled = node.op == "times" and bare is node.args[1] and bare.text[0].islower()  # (xᵀy) p, the number first
        made = (
            bare.axes
            and widest == 0
            and not scaled
            and any(self.known.get(name) for other in others for name in names_in(other))
        )
        below = node.op == "divide" and bare is node.args[1] and 0 < widest < len(bare.axes)
        if made or (not again and (length or below)):
            self.refuse_guess(bare)

    def check_below(self, arg: Node, node: Node) -> None:
        """Refuse a number or an array below a line, as an exponent, or across a matrix: Z / T, X / (1 - p), c * X."""
        below = node.op in ("divide", "power") and arg is node.args[1]
        across = len(arg.axes) == 1 and any(len(other.axes) == 2 for other in node.args)
        found = list(_each_name(arg))
        if not arg.axes or (node.op == "power" and not (self.is_guess(arg) and node.args[0].axes)):
            return
        if not (below or (across and self.is_guess(arg))) or len({name.text for name in found}) != 1:
            return
        name = found[0]
        once = self.uses[name.text] == 1 and below and (across or node.op == "power")
        if self.is_guess(name) and name.axes and (name.text in SCALARS or once):
            self.refuse_guess(name)

    def check_intercept(self, arg: Node, node: Node) -> None:
        """Refuse the b of X @ w + b, which is one number for all samples more often than one for each."""
        fits = (other for other in node.args if other.op == "matmul" and len(other.axes) == 1)
        samples = any(fit.args[0].op == "name" and fit.args[0].text.startswith("X") for fit in fits)
        if node.op == "add" and samples and self.is_guess(arg) and arg.axes and arg.text in INTERCEPTS:
            self.refuse_guess(arg)

    def check_constant(self, arg: Node, node: Node) -> None:
        """Refuse a letter that is used several times as a constant is: c in sqrt(x**2 + c**2) - c, q in (q - 1) * r."""
        if any(part.op not in FORMULA for part in _each(arg)) or len(names_in(arg)) != 1:
            return
        name = next(_each_name(arg))
        several = self.is_guess(name) and name.axes and self.uses[name.text] > 1 and name.text not in self.shown
        beside = any(other is not arg and other.op != "number" for other in node.args)
        if several and beside and name.text in {*CONSTANTS, *self.levels}:
            self.refuse_guess(name)

    def check_scale(self, node: Node) -> None:
        """Refuse y * w @ x, where a number y and a vector y have the same gradient by w, and other values."""
        left = node.args[0]
        if left.op == "times" and node.op == "matmul" and self.is_guess(left.args[0]):
            name = left.args[0].args[0] if left.args[0].op == "negate" else left.args[0]
            if name.axes and self.uses[name.text] == 1:
                self.refuse_guess(name)

    def refuse_guess(self, name: Node) -> NoReturn:
        """Raise: a name may be a number or an array."""
        one, many = Setting("shapes", f"{name.text}: "), Setting("shapes", f"{name.text}: n")
        what = f"{name.text} may be a number or an array; declare it: "
        raise ExpressionError((what, one, " or ", many), self.text, name.place)


def _shown_arrays(node: Node) -> set[str]:
    """Return the names that a sum, a norm or a softmax of nothing else shows to be arrays: norm(a), sum(q * log(q))."""
    found = set[str]().union(*(_shown_arrays(arg) for arg in node.args))
    inside = names_in(node) if node.op in REDUCTIONS else set()
    return found | inside if len(inside) == 1 else found


def _levels(equations: Iterable[Node]) -> set[str]:
    """Return the names that weigh the same part as themselves and less 1: q * r and (q - 1) * r."""
    parts = [part for node in equations for part in _each(node) if part.op == "times"]
    pairs = [(a, b) for part in parts for a, b in (part.args, part.args[::-1])]
    pairs = [(a.args[0] if a.op == "negate" else a, b) for a, b in pairs]
    plain = {(a.text, b) for a, b in pairs if a.op == "name"}
    shifted = {(name, b) for a, b in pairs if a.op == "add" and len(names := names_in(a)) == 1 for name in names}
    return {name for name, _ in plain & shifted}


def _each(node: Node) -> Iterator[Node]:
    """Yield a node and all of its parts."""
    yield node
    for arg in node.args:
        yield from _each(arg)


def _each_name(node: Node) -> Iterator[Node]:
    """Yield each place where a name stands."""
    return (part for part in _each(node) if part.op == "name")
