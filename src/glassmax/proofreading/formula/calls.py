"""Functions of their arguments, with and without brackets, and what stands after d/dx."""

from collections.abc import Sequence
from dataclasses import replace

from .blocks import Blocks
from .derivatives import is_constant
from .numpy_calls import PREFIX, numpy_call
from .scripts import Parts
from .signs import FUNCTIONS, WITHOUT_BRACKETS
from .tokens import Token
from .tree import Call, Derivative, Name, Negative, Node, Number, Power, Product, Transpose
from .walk import nodes_in

__all__ = ["BRACKETS", "SIGNS", "Calls"]

SIGNS = {"*": "*", "·": "cdot", "×": "times", "⊙": "odot", "∘": "odot", "@": "@", "⊗": "outer", ".": "."}
CALLED = ("f", "g", "sigma", "phi", "psi", "varphi", "rho", *FUNCTIONS)
NOT_CALLED = ("delta", "eta", "alpha", "lambda", "epsilon", "gamma", "beta", "mu")
BRACKETS = ("(", "[", "\\{")
PROBABILITIES = ("P", "p", "q", "Pr", "prob", "Prob")


def _has(node: Node, by: Sequence[Node]) -> bool:
    """Return whether a formula may depend on a variable: by its name, or by names that are longer than a letter."""
    names = {part.base for part in nodes_in(node) if isinstance(part, Name)}
    return not by or any(isinstance(one, Name) and one.base in names for one in by) or _is_open(node)


def _is_open(node: Node) -> bool:
    """Return whether something stands in a formula that other formulas define: a function, or an indexed name."""
    return any(isinstance(part, Call) or (isinstance(part, Name) and part.below) for part in nodes_in(node))


class Calls(Blocks):
    """Reads names and functions."""

    def name(self, token: Token, calls: bool) -> Node:
        """Read a name, and its arguments if it is a function."""
        if token.text in ("1", "I", "delta", "ones") and (found := self.indicator(token.typed)):
            return found
        if token.text == "1":
            token = replace(token, text="ones")
        if token.text == "delta" and (pair := self.pair()):
            return Name("delta", pair, typed=token.typed, typed_as="_")
        if token.text == "Delta" and self.token.kind == "name" and self.token.text not in WITHOUT_BRACKETS:
            following = self.take()  # Δw is one name
            typed = token.typed + " " * token.typed.startswith("\\") + following.typed
            token = replace(following, text="Delta_" + following.text, typed=typed)
        return self.applied(self.named(token), calls)

    def pair(self) -> tuple[Node, ...]:
        """Read the two indices of delta(i, j), or nothing."""
        inside = self.tokens[self.at + 1 : self.partners[self.at]] if self.next_is("(") else []
        if [token.kind for token in inside] != ["name", "mark", "name"] or inside[1].text != ",":
            return ()
        self.at += len(inside) + 2
        return tuple(Name(token.text, typed=token.typed) for token in (inside[0], inside[2]))

    def applied(self, parts: Parts, calls: bool) -> Node:
        """Return a name with its scripts, or a function of what follows."""
        name = parts.name
        if parts.done is not None:
            return parts.done
        if calls and self.next_is("(") and name.base in PROBABILITIES and self.is_event():
            parts.done = self.event(name)
        elif calls and self.next_is(*BRACKETS) and self.is_function(name):
            opening = self.take()
            bars, self.bars = self.bars, 0
            arguments = [self.expression()]
            while self.next_is(",", ";"):
                self.take()
                if self.next_is("…"):
                    arguments[-1] = self.dotted(arguments[-1])
                else:
                    arguments.append(self.expression())
            if self.next_is("=", "|"):
                self.fail(f"{self.shown()} inside the brackets of a function can't be read here")
            self.expect({"(": ")", "[": "]", "\\{": "\\}"}[opening.text])
            self.bars = bars
            parts.name = replace(name, typed_as=" ".join(parts.styles))
            style = "{" if opening.text == "\\{" else opening.text
            parts.done = numpy_call(Call(parts.name, tuple(arguments), style=style))
        elif name.base in WITHOUT_BRACKETS and not name.primes:
            function = replace(name, typed_as=" ".join(parts.styles))
            if self.next_is("{"):
                argument = self.braced()
                style = getattr(argument, "bracket", "")
                parts.done = Call(function, (replace(argument, bracket="") if style else argument,), style=style)
            elif self.starts_factor() or self.next_is("-"):
                parts.done = Call(function, (self.argument(),), style="")
            elif name.base not in ("softmax", "sigmoid", "relu", "ReLU", "diag", "tanh"):
                self.fail(f"expected what {name.base} is of, got {self.shown()}")
        if parts.done is None:
            return parts.finish()
        node: Node = parts.done
        for what, exponent, typed in parts.around:
            node = Transpose(node, typed) if what == "transpose" or exponent is None else Power(node, exponent)
        return node

    def is_event(self) -> bool:
        """Return whether the bracket at hand holds what a probability is of: Y = k | x."""
        place, marks = self.at + 1, []
        while place < self.partners[self.at]:
            if self.tokens[place].kind == "mark":
                marks.append(self.tokens[place].text)
            place = self.partners.get(place, place) + 1  # 1(k = j) inside p_k (...) is none
        return marks.count("|") == 1 or "=" in marks

    def event(self, name: Name) -> Name:
        """Read p(y | x) as the name of one quantity."""
        opening = self.at
        close = self.partners[opening]
        self.at = close + 1
        typed = "".join(
            {"below": f"_{token.text}", "above": f"^{token.text}"}.get(token.kind, token.text)
            for token in self.tokens[opening : close + 1]
        )
        base = f"{name.base}{typed}"
        return Name(base, name.below, name.above, typed=base, typed_as=name.typed_as)

    def dotted(self, first: Node) -> Node:
        r"""Read the dots of w_1, \dots, w_K, and return w, the array of all of them."""
        dots = self.take()
        if not self.next_is(","):
            self.fail("expected a comma after the dots", dots)
        self.take()
        last = self.expression()
        if not isinstance(first, Name) or not isinstance(last, Name) or first.base != last.base:
            self.fail("three dots leave out what can't be read here", dots)
        return replace(first, below=(), typed_as="")

    def is_function(self, name: Name) -> bool:
        """Return whether a name before a bracket is a function of what the bracket holds."""
        base = name.base
        inside = self.tokens[self.at + 1 : self.partners[self.at]]
        if not inside:
            return False
        if base in FUNCTIONS or name.typed.startswith(PREFIX):
            return True
        if any(
            part.kind == "name" and part.text == base and after.text not in (*BRACKETS, "'")
            for part, after in zip(inside, [*inside[1:], self.tokens[self.partners[self.at]]], strict=True)
        ):
            return False  # σ (1 - σ) is a product
        if base in self.known.functions:
            return True
        if self.next_is("\\{"):
            return False
        if name.below and base in ("y", "t", "w") and any(part.kind == "below" for part in inside):
            return False  # y_k (p_i) is a product
        alone = inside[0].kind == "name" and all(part.kind in ("below", "above") for part in inside[1:])
        if name.primes:
            return alone or not base[:1].isupper() or len(base) > 1
        if base in CALLED:
            return True
        if self.next_is("[") or base in NOT_CALLED:
            return False
        level = 0
        for part in inside:
            if part.kind == "mark":
                level += (part.text in BRACKETS) - (part.text in (")", "]", "\\}"))
                if part.text in (",", ";") and level == 0:
                    return True
        return alone

    def argument(self) -> Node:
        """Read the argument of a function written without brackets: log p_k, log 2 x, log sum_k ..."""
        if self.next_is("-"):
            self.take()
            return Negative(self.argument())
        first = self.token.kind
        factors = [self.factor()]
        while first in ("number", "name") and isinstance(factors[-1], Number | Name) and self.token.kind == "name":
            if self.token.text in WITHOUT_BRACKETS:
                break
            factors.append(self.factor())
        if len(factors) == 1:
            return factors[0]
        return Product(tuple(factors), ("",) * (len(factors) - 1))

    def operand(self, by: Sequence[Node] = ()) -> Node:
        """Read what a sign such as d/dx is put before: a bracket, if the variables `by` are in it."""
        bracketed = self.next_is(*BRACKETS)
        factors: list[Node] = [self.factor() if bracketed else self.divided()]
        signs: list[str] = []
        if bracketed and not is_constant(factors[0]) and (not self.starts_factor() or _has(factors[0], by)):
            if self.next_is("("):
                self.fail("expected brackets around all that is differentiated: d/dx [(x + 1) (x + 2)]")
            return factors[0]
        while True:
            if self.token.kind == "mark" and self.token.text in SIGNS and self.factor_follows():
                if self.tokens[self.at + 1].kind in ("d", "command"):
                    break
                signs.append(SIGNS[self.take().text])
            elif (
                not self.starts_factor()
                or self.token.kind == "d"
                or (self.token.kind == "command" and self.token.text == "frac" and self.is_next_derivative())
            ):
                break
            else:
                signs.append("")
            factors.append(self.divided())
        return factors[0] if len(factors) == 1 else Product(tuple(factors), tuple(signs))

    def is_next_derivative(self) -> bool:
        """Return whether the fraction at hand is a derivative."""
        self.at += 1
        found = self.next_is("{") and self.fraction_is_derivative()
        self.at -= 1
        return found

    def prefixed(self, token: Token) -> Node:
        """Read a name with a d before it, dZ."""
        return self.applied(self.named(replace(token, text="d" + token.text, typed="d" + token.typed)), False)

    def plain_name(self, token: Token) -> Node:
        """Read the name d."""
        return self.applied(self.named(token), False)

    def composition(self) -> Node | None:
        """Read (f ∘ g)(x) as f(g(x)), and (f ∘ g)'(x) as its derivative; None if the bracket is no such thing."""
        close = self.partners[self.at]
        inside = self.tokens[self.at + 1 : close]
        names = [token.text for token in inside[::2] if token.kind == "name"]
        circles = all(token.typed in ("∘", "\\circ") for token in inside[1::2])
        functions = {*"fghuv", *self.known.functions}
        if len(inside) < 3 or len(names) < (len(inside) + 1) / 2 or not circles or not functions.issuperset(names):
            return None
        place, primes = self.at, 0
        self.at = close + 1
        while self.next_is("'", "''"):
            primes += len(self.take().text)
        if not self.next_is("("):
            self.fail("a composition of functions without its argument can't be read here", self.tokens[place])
        self.take()
        node = argument = self.expression()
        self.expect(")")
        for name in reversed(names):
            node = Call(Name(name), (node,))
        if primes and not isinstance(argument, Name):
            self.fail("the derivative of a composition is read at a name only", self.tokens[place])
        return Derivative(node, (argument,) * primes, "d", before=True) if primes else node

    def braced(self) -> Node:
        """Read a formula in the braces of an argument."""
        bars, self.bars = self.bars, 0
        self.expect("{")
        node = self.expression()
        self.expect("}")
        self.bars = bars
        return node

    def factor_follows(self) -> bool:
        """Return whether a factor begins after the next token."""
        self.at += 1
        follows = self.starts_factor()
        self.at -= 1
        return follows
