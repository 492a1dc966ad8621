r"""Derivatives as they are written: \frac{\partial L}{\partial z_i}, dL/dW, d/dx (...), \nabla_W L, \partial_z L."""

from collections.abc import Sequence
from dataclasses import replace

from .scripts import TRANSPOSED, Scripts
from .tokens import Token
from .tree import Call, Derivative, Name, Negative, Node, Number, Power, Quotient

__all__ = ["UNSAID", "Derivatives"]


def with_layer(node: Node) -> Node:
    """Return the variable W^2 with 2 as its layer, because nothing is differentiated by a power."""
    if not isinstance(node, Power) or not isinstance(node.base, Name) or not isinstance(node.exponent, Number | Name):
        return node
    styles = f"{node.base.typed_as} ^".strip()
    return replace(node.base, above=(*node.base.above, node.exponent), typed_as=styles)


UNSAID = Name("?")
"""The variable of ∇² f, which doesn't say by what; that of ∇f has no entry in `by`."""


def is_constant(node: Node) -> bool:
    """Return whether a node is a number or a fraction of numbers: what is differentiated goes on after it."""
    if isinstance(node, Quotient):
        return is_constant(node.above) and is_constant(node.below)
    return isinstance(node, Number) or (isinstance(node, Negative) and is_constant(node.of))


class Derivatives(Scripts):
    """Reads derivatives."""

    def starts_factor(self) -> bool:
        """Return whether a factor can begin with the next token."""
        raise NotImplementedError

    def fraction_is_derivative(self) -> bool:
        r"""Return whether the \frac at hand is a derivative: a d or ∂ begins both of its parts."""
        second = self.partners[self.at] + 1
        return (
            self.tokens[self.at + 1].kind == "d"
            and self.tokens[second].kind == "mark"
            and self.tokens[second].text == "{"
            and self.tokens[second + 1].kind == "d"
        )

    def derivative_fraction(self) -> Node:
        r"""Read a derivative set as a fraction; \frac has been taken."""
        self.expect("{")
        start = self.token
        mark, order = self.mark_and_order()
        of = None if self.next_is("}") else self.expression()
        self.expect("}")
        self.expect("{")
        by: list[Node] = []
        while not self.next_is("}"):
            by += self.variable(order - len(by))
            if self.next_is("*", "·", ","):
                self.take()
        self.expect("}")
        if len(by) != order:
            self.fail(f"expected as many variables as the order of the derivative, {order}, got {len(by)}", start)
        return self.derivative(of, by, mark, barred=True)

    def derivative(self, of: Node | None, by: list[Node], mark: str, *, barred: bool) -> Node:
        """Return a derivative; without a function it is that of what follows."""
        if of is not None:
            return Derivative(of, tuple(by), mark, barred)
        if self.next_is("-") and self.tokens[self.at + 1].text in ("(", "["):  # d/da -[y log a + ...]
            self.take()
            return Negative(Derivative(self.operand(by), tuple(by), mark, barred, before=True))
        if not self.starts_factor():
            self.fail(f"expected what is differentiated, got {self.shown()}")
        return Derivative(self.operand(by), tuple(by), mark, barred, before=True)

    def operand(self, by: Sequence[Node] = ()) -> Node:
        """Read what a sign such as d/dx is put before: a bracket, or the product that follows."""
        raise NotImplementedError

    def mark_and_order(self) -> tuple[str, int]:
        """Read d, ∂ or ∂²."""
        mark = {"d": "d", "δ": "delta"}.get(self.take().text, "partial")
        if self.token.kind == "above" and self.token.text.strip() in ("2", "3"):
            return mark, int(self.take().text)
        return mark, 1

    def variable(self, missing: int) -> list[Node]:
        """Read ∂z_i below a fraction, or dx^2 where two are missing."""
        if self.token.kind != "d":
            self.fail(f"expected d or ∂ and a variable, got {self.shown()}")
        self.take()
        if self.token.kind == "d":
            self.fail("expected a variable")
        node = self.factor(calls=False)
        if isinstance(node, Power) and isinstance(node.exponent, Number) and node.exponent.value == missing > 1:
            return [node.base] * missing
        return [with_layer(node)]

    def differential(self) -> Node:
        """Read what begins with d or ∂: a derivative on one line, dL/dz, or a name such as dZ."""
        start, first = self.at, self.token
        if self.tokens[start + 1].kind == "below" and first.text == "∂":
            return self.by_index()
        mark, order = self.mark_and_order()
        slash = self.next_is("/") and self.opens_variable(self.at + 1)
        of = None
        if not slash and start not in self.plain and self.starts_factor():
            of = self.factor()
            slash = self.next_is("/") and self.opens_variable(self.at + 1)
        if slash:
            self.take()
            closing = self.next_is("(", "{")
            if closing:
                self.take()
            by: list[Node] = []
            while len(by) < order:
                by += self.variable(order - len(by))
            if closing:
                self.at += 1
            return self.derivative(of, by, mark, barred=False)
        if first.text == "∂":
            self.fail("expected a derivative such as ∂L/∂z_i", first)
        self.plain.add(start)
        self.at = start + 1
        following = self.token
        if following.kind == "name" and not following.spaced and following.start == first.end:
            self.take()
            return self.prefixed(following)
        return self.plain_name(first)

    def opens_variable(self, place: int) -> bool:
        """Return whether the variables of a derivative begin at a token."""
        token = self.tokens[place]
        if token.kind == "mark" and token.text in ("(", "{"):
            return self.tokens[place + 1].kind == "d"
        return token.kind == "d"

    def prefixed(self, token: Token) -> Node:
        """Read a name with a d before it, dZ."""
        raise NotImplementedError

    def plain_name(self, token: Token) -> Node:
        """Read a name."""
        raise NotImplementedError

    def by_index(self) -> Node:
        r"""Read \partial_{z_i} L."""
        self.take()
        by = self.elements(self.take())
        if len(by) != 1 or not self.starts_factor():
            self.fail("expected one variable below ∂ and a function after it")
        return Derivative(self.factor(), by, "partial", barred=False)

    def nabla(self, second: bool = False) -> Node:
        """Read ∇_W L; of ∇f(x) the variable is x. The `second` of ∇_w ∇_wᵀ L may be transposed."""
        start = self.take()
        order = 1
        while self.next_is("∇") and order < 3:
            self.take()
            order += 1
        if self.token.kind == "above" and self.token.text.strip() == "2":
            self.take()
            order = 2
        by: tuple[Node, ...] = ()
        if self.token.kind == "below":
            token = self.take()
            inner = self.inside(token)
            by = (with_layer(inner.factor(calls=False)),)
            if inner.token.kind != "end":
                inner.fail("expected one variable below ∇")
        if self.token.kind == "above" and self.token.text.strip() == "2":
            self.take()
            order = 2
        if (second or order > 1) and self.token.kind == "above" and TRANSPOSED.match(self.token.text.strip()):
            self.take()
        if not self.starts_factor():
            self.fail("expected what ∇ is the derivative of")
        place = self.at
        if self.next_is("∇"):  # ∇_w ∇_wᵀ L
            again = self.nabla(second=True)
            if not isinstance(again, Derivative):
                self.fail("expected what ∇ is the derivative of")
            return replace(
                again, by=(*by, *again.by) if by and again.by else (UNSAID,) * (1 + len(again.by or (UNSAID,)))
            )
        of = self.factor()
        if is_constant(of) and (self.starts_factor() or self.next_is("/")):
            self.at = place
            of = self.operand()
        if not by and isinstance(of, Call) and len(of.arguments) == 1 and isinstance(of.arguments[0], Name):
            by = of.arguments
        if not by and not isinstance(of, Name | Call):
            self.fail("expected the variable of ∇, as in ∇_W L", start)
        return Derivative(of, by * order if by or order == 1 else (UNSAID,) * order, "nabla", barred=False)
