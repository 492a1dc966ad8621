"""A tree as one entry of it, typed in the index notation that `glassmax.derive` reads.

``W a + b`` of a matrix and columns becomes ``sum_n W_mn a_n + b_m``. What has no such form raises a `Fault`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from ..formula import tree
from ..formula.tree import Condition, Name, Node, Number
from .context import Context
from .definitions import Definition
from .names import Names
from .value import UnknownFault

__all__ = ["Entries"]

ELEMENTWISE = {
    "exp",
    "log",
    "ln",
    "abs",
    "sin",
    "cos",
    "tan",
    "tanh",
    "sinh",
    "cosh",
    "sqrt",
    "sigmoid",
    "relu",
    "ReLU",
}
LETTERS = "mnqrstuvwhgabcdxo"
"""Letters for indices that the author left out."""
SINGLE = "GHKVMNTUABCDFJLPRSWXYZ"
"""Letters for quantities whose names are longer."""
FUNCTIONS = "fghu"
"""Letters for functions that the author did not define."""


@dataclass(frozen=True)
class Part:
    """A part of a formula: how many axes without a letter it has, how a vector lies, and the text of one entry."""

    rank: int
    entry: Callable[[tuple[str, ...]], str]
    turned: str = ""


def _scalar(text: str) -> Part:
    return Part(0, lambda _: text)


@dataclass
class Entries:
    """Writes the trees of one document; `tokens` are the names in the text, by the keys of the quantities."""

    context: Context
    taken: frozenset[str] = frozenset()
    tokens: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    count: int = 0
    single: bool = False  # whether each name in the text is a single letter

    def token(self, key: str) -> str:
        """Return the name of a quantity in the text: z for z^l, z2 for a second layer of it, W2 for W_2."""
        if key not in self.tokens:
            family, _, layer = key.partition("^")
            base = "".join(c for c in family.replace("delta", "D") if c.isascii() and c.isalnum()) or "q"
            reserved = {"e", "E", "sum", "exp", "log", "pi", *self.tokens.values(), *self.functions.values()}
            if self.single and (len(base) > 1 or base in reserved or key.startswith("~")):
                base = next((letter for letter in SINGLE if letter not in reserved | self.taken), base)
            token = f"{base}{layer}" if base in reserved else base
            while token in reserved:
                token += "1"
            self.tokens[key] = token
        return self.tokens[key]

    def equation(self, key: str, definition: Definition) -> str:
        """Return a definition as an equation between entries."""
        if len(definition.branches) != 1 or definition.branches[0][1] is not None:
            raise UnknownFault("a definition by cases")
        quantity = definition.names.of(definition.name)
        own = tuple(one.base for one in quantity.indices if isinstance(one, Name))
        self.count, token = 0, self.token(key)
        at = self.letters((self.context.rank(quantity.family) or 0) - len(own))
        part = self.part(definition.branches[0][0], definition.names, {})
        left = token + (f"[{', '.join((*own, *at))}]" if own or at else "")
        return f"{left} = {part.entry(at if part.rank else ())}"

    def letters(self, count: int) -> tuple[str, ...]:
        """Return letters that nothing else uses."""
        free = [letter for letter in LETTERS if letter not in self.taken]
        if self.count + count > len(free):
            raise UnknownFault("the formula needs more letters than there are")
        self.count += count
        return tuple(free[self.count - count : self.count])

    def part(self, node: Node, names: Names, known: Mapping[str, Part]) -> Part:
        """Return a part of a formula; `known` are the arguments of a function by the keys of its parameters."""
        match node:
            case Number(value):
                return _scalar(str(value.numerator) if value.denominator == 1 else f"({value})")
            case Name():
                return self._name(node, names, known)
            case tree.Add(terms):
                return self._alike([self.part(term, names, known) for term in terms], " + ")
            case tree.Negative(of):
                inner = self.part(of, names, known)
                return Part(inner.rank, lambda at: f"(-{inner.entry(at)})", inner.turned)
            case tree.Product(factors, signs):
                return self._product([self.part(factor, names, known) for factor in factors], signs)
            case tree.Quotient(above, below):
                return self._alike([self.part(above, names, known), self.part(below, names, known)], " / ")
            case tree.Power(base, exponent):
                return self._power(base, exponent, names, known)
            case tree.Summation():
                return self._summation(node, names, known)
            case tree.Call():
                return self._call(node, names, known)
            case tree.Transpose(of):
                return self._transposed(self.part(of, names, known))
            case tree.Entry(of, below):
                inner, at = self.part(of, names, known), tuple(self._index(one, names) for one in below)
                return Part(inner.rank - len(at), lambda rest: inner.entry((*at, *rest)))
            case tree.Indicator(Condition(left, "=", right, None)):
                return _scalar(f"delta[{self._index(left, names)}, {self._index(right, names)}]")
        raise UnknownFault(f"{type(node).__name__} has no form in index notation")

    def _name(self, name: Name, names: Names, known: Mapping[str, Part]) -> Part:
        if name.base == "delta" and len(name.below) == 2 and self.context.is_kronecker:
            return _scalar(f"delta[{', '.join(self._index(one, names) for one in name.below)}]")
        quantity = names.of(name)
        own = tuple(self._index(one, names) for one in quantity.indices)
        if quantity.key in known:
            inner = known[quantity.key]
            return Part(inner.rank - len(own), lambda at: inner.entry((*own, *at)), inner.turned)
        rank = (self.context.rank(quantity.family) or 0) - len(own)
        token = self.token(quantity.key)
        usual = "column" if self.context.columns or own else "row"
        return Part(rank, lambda at: f"{token}[{', '.join((*own, *at))}]" if own or at else token, usual)

    def _index(self, index: Node, names: Names) -> str:
        if not isinstance(index, Name) or index.above or index.primes:
            raise UnknownFault("an index is no letter")
        if index.below:
            return f"{index.base}_{''.join(self._index(one, names) for one in index.below)}"
        if len(index.base) != 1 or not index.base.isascii():
            raise UnknownFault(f"the index {index.base} is no letter")
        return index.base

    def _alike(self, parts: list[Part], sign: str) -> Part:
        """Join parts entry by entry: a number goes with all, a vector is spread over a matrix."""
        rank = max(part.rank for part in parts)
        if rank == 2 and any(part.rank == 1 for part in parts):
            axis = 0 if self.context.columns else 1
            parts = [part if part.rank != 1 else _spread(part, axis) for part in parts]

        def entry(at: tuple[str, ...]) -> str:
            return "(" + sign.join(part.entry(at if part.rank else ()) for part in parts) + ")"

        return Part(rank, entry, next((part.turned for part in parts if part.rank == rank and part.turned), ""))

    def _product(self, parts: list[Part], signs: tuple[str, ...]) -> Part:
        for weak in ("outer", "odot"):
            if weak in signs:
                at = len(signs) - 1 - signs[::-1].index(weak)
                left, right = (
                    self._product(parts[: at + 1], signs[:at]),
                    self._product(parts[at + 1 :], signs[at + 1 :]),
                )
                return self._times(left, right, weak)
        total = parts[0]
        for part, sign in zip(parts[1:], signs, strict=True):
            total = self._times(total, part, sign)
        return total

    def _times(self, a: Part, b: Part, sign: str) -> Part:
        if sign == "outer" or (a.rank == b.rank == 1 and b.turned == "row" != a.turned):
            return Part(a.rank + b.rank, lambda at: f"{a.entry(at[: a.rank])} * {b.entry(at[a.rank :])}")
        if sign == "odot" or not a.rank or not b.rank:
            return self._alike([a, b], " * ")
        if a.rank == b.rank == 1 and sign not in ("@", "cdot", "inner") and (a.turned != "row" or b.turned == "row"):
            return self._alike([a, b], " * ")
        (letter,) = self.letters(1)
        free = a.rank - 1

        def entry(at: tuple[str, ...]) -> str:
            return f"(sum_{letter} ({a.entry((*at[:free], letter))} * {b.entry((letter, *at[free:]))}))"

        rank = a.rank + b.rank - 2
        return Part(rank, entry, (b.turned if b.rank == 1 else a.turned) if rank == 1 else "")

    def _transposed(self, part: Part) -> Part:
        if part.rank == 1:
            return Part(1, part.entry, "row" if part.turned == "column" else "column")
        return Part(part.rank, lambda at: part.entry(at[::-1]))

    def _power(self, base: Node, exponent: Node, names: Names, known: Mapping[str, Part]) -> Part:
        if isinstance(base, tree.Norm):
            inner = self.part(base.of, names, known)
            if exponent != Number(Fraction(2)) or base.order not in ("", "2", "F"):
                raise UnknownFault("only the square of a norm has a form in index notation")
            at = self.letters(inner.rank)
            sums = " ".join(f"sum_{letter}" for letter in at)
            return _scalar(f"({sums} ({inner.entry(at)})^2)" if at else f"({inner.entry(())})^2")
        inner, power = self.part(base, names, known), self.part(exponent, names, known)
        if power.rank:
            raise UnknownFault("an exponent is no number")
        return Part(inner.rank, lambda at: f"({inner.entry(at)})^({power.entry(())})", inner.turned)

    def _summation(self, node: tree.Summation, names: Names, known: Mapping[str, Part]) -> Part:
        whole = node.low is None or node.low in (Number(Fraction(1)), Number(Fraction(0)))
        plain = isinstance(node.high, Number | None) or (isinstance(node.high, Name) and not node.high.below)
        if node.kind != "sum" or not node.letters or not whole or not plain:
            raise UnknownFault("a sum over a part of an axis")
        body = self.part(node.body, names, known)
        sums = "".join(f"sum_{letter} " for letter in node.letters)
        if node.condition is not None:
            left, right = self._index(node.condition.left, names), self._index(node.condition.right, names)
            if len(node.letters) != 1 or node.condition.relation != "!=" or node.condition.also:
                raise UnknownFault("a sum over a part of an axis")
            sums = f"sum_{{{left} != {right}}} "
        return Part(body.rank, lambda at: f"({sums}({body.entry(at)}))", body.turned)

    def _call(self, node: tree.Call, names: Names, known: Mapping[str, Part]) -> Part:
        name, arguments = node.function.base, [self.part(one, names, known) for one in node.arguments]
        if node.function.primes or len(arguments) != 1:
            raise UnknownFault(f"{name} has no form in index notation")
        argument, below = arguments[0], tuple(self._index(one, names) for one in node.function.below)
        if name == "softmax" and argument.rank:
            axis = 0 if self.context.columns else argument.rank - 1
            softmax = Part(argument.rank, lambda at: f"softmax_{at[axis]}({argument.entry(at)})", argument.turned)
            return Part(softmax.rank - len(below), lambda at: softmax.entry((*below, *at)), softmax.turned)
        if below:
            raise UnknownFault(f"{name} has an index")
        if name in ("sum", "mean") and argument.rank:
            if name == "mean":
                raise UnknownFault("a mean")
            at = self.letters(argument.rank)
            return _scalar(f"({' '.join(f'sum_{letter}' for letter in at)} ({argument.entry(at)}))")
        function = self.context.definitions.functions.get(name)
        if function is not None:
            parameters = [names.of(one) for one in function.parameters]
            if len(parameters) != 1 or parameters[0].indices or self.context.rank(parameters[0].family):
                raise UnknownFault(f"{name} is a function of an array")
            return Part(
                argument.rank,
                lambda at: self._body(function.body, parameters[0].key, argument.entry(at)),
                argument.turned,
            )
        typed = name if name in ELEMENTWISE else self._open(name)
        return Part(
            argument.rank, lambda at: f"{typed}({argument.entry(at if argument.rank else ())})", argument.turned
        )

    def _body(self, body: Node, parameter: str, argument: str) -> str:
        """Return the value of a function of one number, at an argument that is written already."""
        inner = self.part(body, self.context.names, {parameter: _scalar(f"({argument})")})
        if inner.rank:
            raise UnknownFault("a function of a number has an array for its value")
        return inner.entry(())

    def _open(self, name: str) -> str:
        if name not in self.functions:
            free = [letter for letter in FUNCTIONS if letter not in {*self.functions.values(), *self.tokens.values()}]
            if not free or self.context.rank(name) is not None or name in ("max", "min", "diag", "tr", "det"):
                raise UnknownFault(f"{name} has no form in index notation")
            self.functions[name] = free[0]
        return self.functions[name]


def _spread(part: Part, axis: int) -> Part:
    return Part(2, lambda at: part.entry((at[axis],)))
