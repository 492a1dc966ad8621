"""`parse` and `parse_condition`: one side of an equation, or a condition, as people type it, to its tree."""

import re
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from ...errors import ExpressionError
from .blocks import without_words
from .calls import BRACKETS, SIGNS, Calls
from .cursor import MAX_DEPTH, Known
from .scanner import MAX_LENGTH
from .scripts import TRANSPOSED
from .tokens import Token
from .tree import (
    Absolute,
    Add,
    Call,
    Cases,
    Condition,
    Derivative,
    Entry,
    Indicator,
    Matrix,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Power,
    Product,
    Quotient,
    Summation,
    Transpose,
)
from .walk import depth

__all__ = ["parse", "parse_condition"]

AT_END = re.compile(r"(?:log|ln)\s*\(?\s*[A-Za-z]\S{0,8}!$")
"""The logarithm of a factorial: the one use of it that likelihoods have."""


def parse(text: str, *, functions: Iterable[str] = (), layers: Iterable[str] = (), latex: bool | None = None) -> Node:
    r"""Read one side of an equation.

    Parameters
    ----------
    text : str
        LaTeX, Unicode or what is typed on a keyboard, without an equals sign.
    functions : iterable of str
        Bases of names that are functions in this document: f if it defines f(x).
    layers : iterable of str
        Bases of names whose numbers above are layers: W if the document writes W^1 x. Of other names W^2 is a square.
    latex : bool, optional
        Whether an unbraced script is one sign long, as in LaTeX. By default a backslash says so.

    Returns
    -------
    Node
        The tree, exactly as written.

    Raises
    ------
    ExpressionError
        If the text can't be read; a caret shows the place.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> parse(r"\frac{\partial L}{\partial z_i}") == parse("dL/dz_i")
    True
    >>> parse("p_i (y_i") # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    glassmax.errors.ExpressionError: '(' is never closed
    """
    reader = _reader(text, functions, layers, latex)
    node = reader.whole()
    if depth(node) > 3 * MAX_DEPTH:
        raise ExpressionError(f"too deep: more than {MAX_DEPTH} levels of nesting", text, 0)
    return node


def parse_condition(
    text: str, *, functions: Iterable[str] = (), layers: Iterable[str] = (), latex: bool | None = None
) -> Condition:
    """Read a condition: "k = y_i", "if i ≠ j", "i = j and k = n"; the parameters are those of `parse`.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse_condition
    >>> parse_condition("for i ≠ j").relation
    '!='
    """
    reader = _reader(without_words(text), functions, layers, latex)
    condition = reader.condition()
    reader.finish()
    return condition


def _reader(text: str, functions: Iterable[str], layers: Iterable[str], latex: bool | None) -> "_Reader":
    if not text.strip():
        raise ExpressionError("expected a formula, got nothing")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"too long: {len(text)} characters, at most {MAX_LENGTH}", text, MAX_LENGTH)
    if latex is None:
        latex = "\\" in text
    return _Reader(text, 0, len(text), Known(frozenset(functions), frozenset(layers), latex))


class _Reader(Calls):
    """Reads sums, products and factors."""

    def whole(self) -> Node:
        """Read all of the text."""
        node = self.expression()
        if self.token.kind == "words" and self.token.text in ("if", "when"):
            node = self.ternary(node)
        self.finish()
        return node

    def finish(self) -> None:
        """Check that only the punctuation of a sentence is left."""
        while self.next_is(".", ",", ";", ":"):
            self.take()
        if self.token.kind != "end":
            if self.next_is("="):
                self.fail("expected one side of an equation, got '='")
            if self.next_is("…"):
                self.fail("three dots leave out what can't be read here: write a sum")
            self.fail(f"expected an operator or the end, got {self.shown()}")

    def ternary(self, value: Node) -> Node:
        """Read the rest of "1 if i = j else 0" or "1 if i = j; 0 otherwise"."""
        self.take()
        branches: list[tuple[Node, Condition | None]] = [(value, self.condition())]
        while self.next_is(";") or (self.next_is(",") and self.factor_follows()):
            self.take()
            value = self.expression()
            if self.token.kind != "words":
                self.fail("expected 'if' or 'otherwise'")
            branches.append((value, self.condition() if self.take().text in ("if", "when", "for") else None))
        if self.token.kind == "words" and self.token.text == "else":
            self.take()
            branches.append((self.expression(), None))
        return Cases(tuple(branches))

    def expression(self) -> Node:
        """Read a sum of terms."""
        self.deeper()
        terms = [self.signed_term()]
        while self.next_is("+", "-"):
            terms.append(self.signed_term())
        self.known.depth -= 1
        return terms[0] if len(terms) == 1 else Add(tuple(terms))

    def signed_term(self) -> Node:
        """Read a term with the signs before it."""
        minus = 0
        while self.next_is("+", "-"):
            minus += self.take().text == "-"
        node = self.term()
        if minus > 5:
            self.fail("too many signs in a row")
        for _ in range(minus):
            node = Negative(node)
        return node

    def term(self) -> Node:
        """Read a product."""
        factors, signs = [self.divided()], []
        while True:
            if self.token.kind == "mark" and self.token.text in SIGNS:
                if self.token.text == "." and not self.factor_follows():
                    break
                signs.append(SIGNS[self.take().text])
                minus = 0
                while self.next_is("-", "+"):
                    minus += self.take().text == "-"
                factor = self.divided()
                factors.append(Negative(factor) if minus % 2 else factor)
            elif self.starts_factor():
                signs.append("")
                factors.append(self.divided())
            else:
                break
        first = factors[0]
        if len(factors) > 1 and not any(signs) and isinstance(first, Quotient) and self.is_one(first):
            return Quotient(first.above, Product((first.below, *factors[1:]), tuple(signs), "("))
        return factors[0] if len(factors) == 1 else Product(tuple(factors), tuple(signs))

    @staticmethod
    def is_one(node: Quotient) -> bool:
        """Return whether a fraction on one line is 1 as it stands: exp(Z) / exp(Z) 1 1ᵀ divides by all that follows."""
        return not node.barred and not node.bracket and node.above == node.below

    def divided(self) -> Node:
        """Read a factor and what it is divided by."""
        node = self.factor()
        slashes = 0
        while self.next_is("/"):
            self.take()
            slashes += 1
            if slashes > 20:
                self.fail("too many divisions in a row")
            minus = self.next_is("-") and bool(self.take())
            start = self.token
            below = self.factor()
            if start.kind == "number" and self.token.kind == "name" and not self.token.spaced:
                below = Product((below, self.factor()), ("",))  # 1/2m
            node = Quotient(node, Negative(below) if minus else below)
        return node

    def starts_factor(self) -> bool:
        """Return whether a factor can begin with the next token."""
        token = self.token
        if token.kind == "mark":
            if token.text == "|":
                return not self.bars and self.bar_closes("|")
            if token.text == "‖":
                return not self.bars and self.bar_closes("‖")
            return token.text in (*BRACKETS, "∇", "⟨")
        return token.kind in ("number", "name", "d") or (token.kind == "command" and token.text not in ("end", "over"))

    def bar_closes(self, bar: str) -> bool:
        """Return whether the bar at hand has a partner further on."""
        return self.last_bar[bar] > self.at

    def factor(self, *, calls: bool = True) -> Node:
        """Read a factor with its scripts."""
        self.deeper()
        node = self.scripted(self.primary(calls), calls)
        self.known.depth -= 1
        return node

    def primary(self, calls: bool) -> Node:
        """Read what a factor begins with."""
        token = self.token
        if token.kind == "d":
            return self.differential()
        if token.kind == "number":
            self.take()
            found = self.indicator("1") if token.text == "1" else None
            return found or self.number(token)
        if token.kind == "name":
            self.take()
            return self.name(token, calls)
        if token.kind == "command":
            return self.commanded(self.take())
        if token.kind == "mark":
            if token.text == "∇":
                return self.nabla()
            if token.text in BRACKETS:
                return self.bracket()
            if token.text in ("|", "‖"):
                return self.barred()
            if token.text == "⟨":
                self.fail("an inner product in angle brackets can't be read here: write x^T y")
            if token.text == "…":
                self.fail("three dots leave out what can't be read here: write a sum")
        raise self.error(f"expected a number, a name or a bracket, got {self.shown()}")

    def commanded(self, token: Token) -> Node:
        """Read a fraction, a root, a sum or an array."""
        if token.text in ("sum", "prod"):
            return self.summation(token.text)
        if token.text == "begin":
            return self.block(token.typed)
        if token.text == "sqrt":
            if self.next_is("["):
                self.fail("a root of a higher order can't be read here: write a power")
            return Call(Name("sqrt", typed=token.typed), (self.braced(),), style="{")
        if token.text == "frac":
            if not self.next_is("{"):
                self.fail("expected two parts of a fraction", token)
            if self.fraction_is_derivative():
                return self.derivative_fraction()
            above = self.braced()
            return Quotient(above, self.braced(), barred=True)
        raise self.error(f"expected a formula, got {token.typed!r}", token)

    def bracket(self) -> Node:
        """Read a bracket: of a part, of a list, of a comparison."""
        double = self.next_is("(") and any(
            token.typed == "==" for token in self.tokens[self.at : self.partners[self.at]]
        )
        before = self.tokens[self.at - 1] if self.at else None
        apart = before is None or before.kind not in ("name", "below", "above")
        found = self.indicator("") if self.next_is("[") or (double and apart) else self.composition()
        if found:
            return found
        bars, self.bars = self.bars, 0
        opening = self.take()
        node = self.expression()
        if self.next_is(",", ";"):
            node = self.listed(opening, node)
        elif self.token.kind == "words" and self.token.text == "if":
            node = self.ternary(node)
        if self.next_is("=", "≠", "|"):
            self.fail(f"{self.shown()} inside brackets can't be read here")
        self.expect({"(": ")", "[": "]", "\\{": "\\}"}[opening.text])
        self.bars = bars
        if isinstance(node, Matrix) and node.typed == opening.text:
            return node
        return replace(node, bracket="{" if opening.text == "\\{" else opening.text)

    def barred(self) -> Node:
        """Read |x| or ‖x‖."""
        bar = self.take()
        self.bars += 1
        node = self.expression()
        self.expect(bar.text)
        self.bars -= 1
        if bar.text == "|":
            return Absolute(node)
        if self.token.kind == "above" and self.tokens[self.at + 1].kind == "below":
            power = self.take()
            return self.raised(Norm(node, self.take().text.strip()), power)  # the order after the power
        order = self.take().text.strip() if self.token.kind == "below" else ""
        return Norm(node, order)

    def scripted(self, node: Node, calls: bool) -> Node:
        """Read the scripts of what is no name: of a bracket, a call, a fraction."""
        if not getattr(node, "bracket", "") and (
            isinstance(node, Summation) or (isinstance(node, Derivative) and node.before)
        ):
            return node
        count = 0
        while True:
            token, count = self.token, count + 1
            if count > 20:
                self.fail("too many scripts")
            if token.kind == "above":
                self.take()
                node = self.raised(node, token)
            elif token.kind == "mark" and token.text == "ᵀ":
                self.take()
                node = Transpose(node, "ᵀ" if token.typed == "ᵀ" else "T")
            elif token.kind == "mark" and token.text == "!" and self.is_factorial():
                self.take()
                node = Call(Name("factorial", typed="!"), (node,))
            elif token.kind == "mark" and token.text in ("'", "''") and not isinstance(node, Number):
                self.take()
                node = Transpose(node, "'")
            elif token.kind == "below" and (
                bool(getattr(node, "bracket", "")) or not isinstance(node, Number | Name | Indicator)
            ):
                self.take()
                node = Entry(node, self.elements(token))
            elif (
                token.kind == "mark"
                and token.text == "["
                and not token.spaced
                and calls
                and isinstance(node, Call | Transpose | Add | Product | Entry)
                and (indices := self.indices_in_brackets()) is not None
            ):
                node = Entry(node, indices)
            else:
                return node

    def is_factorial(self) -> bool:
        """Return whether the ! at hand is a sign of the formula: at its end it may be one of the sentence."""
        return self.tokens[self.at + 1].kind != "end" or bool(AT_END.search(self.text[: self.token.end]))

    def raised(self, node: Node, token: Token) -> Node:
        """Return a node with what stands above it: a transpose or a power."""
        content = token.text.strip()
        if TRANSPOSED.match(content):
            node = Transpose(node, content.lstrip("- "))
            return Power(node, Negative(Number(Fraction(1)))) if content.startswith("-") else node
        if self.is_label(content) or content in ("l", "L"):
            self.fail("expected a power above a bracket, got an index", token)
        return Power(node, self.exponent(token))
