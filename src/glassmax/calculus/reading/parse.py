"""Index notation as people type it, to expressions.

::

    equations   equation { (";" | newline) equation }
    equation    name [indices] "=" expression
    expression  product { ("+" | "-") product }
    product     signed { ("*" | "/" | nothing) signed }           left to right: 1/N x is (1/N) x
    signed      { "-" } operand [ "^" signed ]
    operand     number | name [indices] | "(" expression ")" | "|" expression "|"
              | "sum" indices product                             reaches to the next + or - of its level
              | function ["^" number] ("(" expression ")" | operand)
              | ("softmax" | "log_softmax" | "logsumexp") [index] "(" expression ")"
    indices     "_" letters | "_{" index { [","] index } "}" | "[" index { "," index } "]"
    index       letter [digits] | name indices                    the latter is a label: P[i, y_i]

One method for each rule. The rules of indices are in `parse_indices`, those of sum signs in `parse_sums`; what needs a
whole equation to be known is in `resolve`.
"""

from collections.abc import Collection
from fractions import Fraction

from ...errors import ExpressionError
from ..expression import Add, Call, Delta, Expr, Index, Label, Num, Pow, Program, Sum, Tensor
from ..indices import free_indices
from .fixed_indices import fixed_indices, with_labels
from .functions import FUNCTIONS, SOFTMAXES, WRITTEN_OUT
from .left_sides import DERIVATIVE, LeftSideCursor
from .resolve import (
    Equation,
    Softmax,
    Use,
    build_program,
    check_depth,
    check_free,
    check_left,
    check_uses,
    contract,
    inline_softmaxes,
    inverse,
    maximum,
    negate,
    number,
    product,
    separate,
)
from .tokens import Token

__all__ = ["parse", "parse_equation_pair", "parse_expression", "parse_index_reference"]


def parse(text: str, *, einstein: bool = False, fixed: Collection[str] = ()) -> Program:
    """Read equations in index notation: at most 10,000 characters, nested at most 100 deep, with Unicode and LaTeX.

    With `einstein`, an index that occurs twice in a product and not on the left side is summed. `fixed` holds letters
    that stand for one fixed index each, besides those that `fixed_indices` recognizes: y in ``L = -log p_y``. A softmax
    inside an expression becomes an equation of its own, p or P. An ExpressionError is raised if the text can't be read,
    an index is on one side only, a name is used in two ways or defined twice, or equations form a cycle.

    Examples
    --------
    >>> program = parse("L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)")
    >>> [(d.name, d.indices) for d in program.definitions]
    [('p', ('i',)), ('L', ())]
    """
    parser = _IndexParser(text, einstein=einstein, fixed=fixed)
    equations = parser.equations()
    return build_program(equations, parser.softmaxes, parser.uses, parser.places)


def parse_expression(text: str, *, einstein: bool = False, known: Collection[str] = ()) -> Expr:
    """Read one expression without ``=``, softmaxes written out; a name in `known` is an array, not a function."""
    parser = _IndexParser(text, einstein=einstein, known=known)
    value = parser.side()
    parser.close("expected one expression")
    return parser.finished(value)


def parse_equation_pair(text: str, einstein: bool = False) -> tuple[Expr, Expr]:
    """Read an assumption, such as ``sum_k y_k = 1`` or ``A_ij = A_ji``: its left and its right side."""
    parser = _IndexParser(text, einstein=einstein)
    left = parser.side()
    parser.expect("=", " between the two sides")
    right = parser.side()
    parser.close("expected one equation")
    if not set(free_indices(left)) <= set(free_indices(right)):
        check_free(right, free_indices(left), parser.places, einstein=einstein, program=False)
    return parser.finished(left), parser.finished(right)


def parse_index_reference(text: str) -> tuple[str, tuple[Index, ...]]:
    """Read a name with or without indices, such as W2[m,n]: the name, and its indices (none for the whole array)."""
    parser = _IndexParser(text)
    if parser.token.kind != "name":
        parser.fault("expected a name, like z or W2[m,n]")
    name = parser.advance().text
    indices, _ = parser.indices(name)
    power, end = parser.power_of(0)
    if power:  # sigma^2 of a left side is an array of its own
        name, parser.index = name + power, end
    parser.close("expected one name with indices, like z or W2[m,n]")
    return name, indices


class _IndexParser(LeftSideCursor):
    def __init__(
        self, text: str, *, einstein: bool = False, known: Collection[str] = (), fixed: Collection[str] = ()
    ) -> None:
        super().__init__(text, known)
        self.fixed = frozenset(fixed)
        self.einstein = einstein
        self.softmaxes: list[Softmax] = []
        self.inside_bars = False

    # equations

    def equations(self) -> list[Equation]:
        """All left sides are read first: whether e or f(x) is a name or a function depends on them."""
        heads: list[tuple[Token, tuple[str, ...], int]] = []
        self.name_powers()
        self.check_notation()
        self.skip_breaks()
        while self.token.kind != "end":
            token, indices = self.left_side()
            heads.append((token, indices, self.index))
            self.known.add(token.text)
            self.skip_equation()
            self.skip_breaks()
        if not heads:
            self.fault("expected an equation, like L = sum_k y_k")
        equations = []
        for token, indices, start in heads:
            self.index, self.left = start, indices
            value = self.side()
            self.skip_punctuation()
            if not self.at_end():
                self.fault("expected an operator or the end of the equation" + self.what_follows())
            equations.append(Equation(token.text, indices, value, token.start))
        fixed = fixed_indices(equations, self.softmaxes, self.fixed, self.places)
        for each in equations:
            check_free(each.value, (*each.indices, *fixed), self.places, einstein=self.einstein)
            check_left(each, self.places)
        if fixed:
            equations, self.softmaxes, uses = with_labels(equations, self.softmaxes, fixed, self.places)
            self.uses += uses
        return equations

    def left_side(self) -> tuple[Token, tuple[str, ...]]:
        """Read a left side up to its equals sign; return its name and its letters."""
        token = self.token
        if token.kind != "name" or token.text in (*FUNCTIONS, *SOFTMAXES, "sum", "\\frac"):
            self.fault("expected a name on the left side, like L = ... or p_i = ..." + self.known_function())
        self.advance()
        indices, places = self.indices(token.text)
        if self.at("("):
            self.read_arguments(token)
            indices, places = (indices, places) if indices else self.indices(token.text)
        letters = tuple(index for index in indices if isinstance(index, str))
        if len(set(letters)) < len(indices):
            twice = next(i for i, index in enumerate(indices) if isinstance(index, Label) or index in indices[:i])
            raise ExpressionError("expected distinct letters as the indices of a left side", self.text, places[twice])
        if token.text == "delta" and len(letters) == 2:
            raise ExpressionError("delta_ij is Kronecker's delta; take another name", self.text, token.start)
        if self.at("/") and token.text.startswith("d"):
            raise ExpressionError(DERIVATIVE, self.text, token.start)
        self.expect("=", " after the left side")
        self.fonts[token.text] = token.font.replace("upright", "")
        self.uses.append(Use(token.text, "tensor", len(letters), token.start))
        return token, letters

    def side(self) -> Expr:
        """One side of an equation, with repeated indices summed where that is wanted."""
        start = self.token.start
        value = self.expression()
        check_depth(value, self.places, start)
        if not self.einstein:
            return value
        value = contract(value, self.fixed.union(self.left), self.places)
        self.check_contracted(value, start)
        return value

    def close(self, expected: str) -> None:
        """Refuse what follows the end, and a name that is used in two ways."""
        if self.token.kind != "end":
            self.fault(expected)
        check_uses(self.uses, self.places)

    def finished(self, value: Expr) -> Expr:
        """Return an expression with its softmaxes written out and its bound indices distinct."""
        return separate(inline_softmaxes(value, self.softmaxes, self.places), free_indices(value))

    # the levels of precedence

    def expression(self) -> Expr:
        self.accept("+")
        terms = [product(self.product())]
        while sign := self.accept("+", "-"):
            term = product(self.product())
            terms.append(negate(term) if sign.text == "-" else term)
        return Add(tuple(terms)) if len(terms) > 1 else terms[0]

    def product(self) -> list[Expr]:
        factors = self.signed()
        while True:
            if mark := self.accept("*"):
                left = factors[-1]
                factors += self.signed()
                self.check_dot(mark, left, factors[-1])
            elif self.accept("/"):
                below = self.token
                factors.append(inverse(product(self.signed()), self.text, below.start))
                self.check_quotient(below)
            elif self.starts_operand():
                factors += self.signed()
            elif self.at("@") or (self.at(".") and self.tokens[self.index + 1].kind == "name"):
                self.fault("expected index notation: a matrix product is sum_k A_ik B_kj, a transpose A_ji")
            elif self.at("‖", "⟨"):
                self.vector_sign()
            else:
                return factors

    def signed(self) -> list[Expr]:
        """A power, with the signs before it as a factor -1."""
        minus = False
        while sign := self.accept("-", "+"):
            minus ^= sign.text == "-"
        base = self.operand()
        if self.accept("^"):
            self.deeper()
            self.check_power()
            base = Pow(base, product(self.signed()))
            self.depth -= 1
        return [number(-1), base] if minus else [base]

    def starts_operand(self) -> bool:
        if self.at("|"):
            return not self.inside_bars
        return self.token.kind in ("number", "name") or self.at("(", "[", "{")

    def operand(self) -> Expr:
        self.deeper()
        token = self.token
        if self.opens_indicator():
            result: Expr = self.indicator()
        elif token.kind == "number" and token.font:
            self.fault("a vector of ones is left out in index notation: the sum of x is sum_i x_i")
        elif token.kind == "number":
            result = Num(Fraction(self.advance().text))
        elif self.at("(", "[", "{"):
            result = self.group()
        elif self.at("|"):
            self.advance()
            before, self.inside_bars = self.inside_bars, True
            result = Call("abs", self.expression())
            self.expect("|", " to close the absolute value")
            self.inside_bars = before
        elif token.kind == "name":
            self.advance()
            result = self.named(token)
        else:
            self.vector_sign()
            self.fault("expected an expression")
        self.depth -= 1
        return result

    def group(self, function: str = "") -> Expr:
        """An expression in brackets, or the argument of a function that is not specified."""
        opening = self.advance().text
        before, self.inside_bars = self.inside_bars, False
        result = self.expression()
        if function and self.at(",", "|", "‖"):
            self.fault(f"{function}(...) is a function of one number, write its formula: expected ')'")
        self.expect({"(": ")", "[": "]", "{": "}"}[opening])
        self.inside_bars = before
        return result

    # names

    def named(self, token: Token) -> Expr:
        """Read what a name begins: an array, a sum, a fraction or a function."""
        name = token.text.rstrip("'")
        order = len(token.text) - len(name)
        if token.text == "sum":
            return self.sum()
        if token.text == "\\frac":
            return self.fraction()
        if token.text in SOFTMAXES:
            return self.softmax(token)
        if name in FUNCTIONS or name == "min" or self.is_written_out(name):
            return self.function(token, name, order)
        if token.text == "e" and self.at("^") and "e" not in self.known:
            self.advance()
            return Call("exp", product(self.signed()))
        self.check_name(token)
        if self.at("(") and not self.token.spaced and token.text not in self.known:
            self.uses.append(Use(name, "function", 1, token.start))
            self.check_call(token)
            return Call(name, self.group(name), order)
        if dimension := self.dimension(token):
            self.uses.append(Use(dimension, "tensor", 0, token.start))
            return Tensor(dimension)
        indices, places = self.indices(token.text)
        if token.text == "delta" and len(indices) > 1:
            if len(indices) > 2:
                raise ExpressionError("expected two indices of delta, got more", self.text, places[2])
            return self.places.note(Delta(*indices), places)
        self.check_use(token, indices)
        self.uses.append(Use(token.text, "tensor", len(indices), token.start))
        return self.places.note(Tensor(token.text, indices), places)

    def fraction(self) -> Expr:
        """Read a fraction of LaTeX, in its two braces."""
        parts = []
        for place in ("\\frac", "its numerator"):
            start = self.token.start
            parts.append(self.group() if self.at("{") else self.fault(f"expected '{{' after {place}"))
        return product((parts[0], inverse(parts[1], self.text, start)))

    def function(self, token: Token, name: str, order: int) -> Expr:
        """A known function. Without a bracket it takes what follows up to the next operator: log p_k."""
        power = None
        if name == "log" and self.at("_"):
            name = self.base()
        if self.accept("^"):  # tanh^2(z)
            inner = self.tokens[self.index : self.index + 3]
            braces = inner[1].kind == "number" and inner[2].text == "}" and self.accept("{")
            if self.token.kind != "number":
                self.fault(f"expected a number as the power of {token.text} (-1 above a function is its inverse)")
            power = Num(Fraction(self.advance().text))
            if braces:
                self.expect("}", " after the power")
        if name in ("max", "min") and self.at("_"):
            self.fault(f"{name} over an index is not supported, {name}(a, b) takes two numbers: expected '('")
        if not self.starts_operand():
            self.fault(f"expected '(' after {token.text}")
        if name in ("max", "min"):
            result = self.larger(name)
        elif name == "sqrt" and self.at("[") and self.tokens[self.group_close() + 1].text == "{":
            place = self.token.start  # \sqrt[3]{x}
            degree = inverse(self.group(), self.text, place)
            result = Pow(self.group(), degree)
        else:
            argument = self.group() if self.at("(", "[", "{") else self.bare_argument(token)
            if name in WRITTEN_OUT:
                result = WRITTEN_OUT[name](argument)
            else:
                half = Num(Fraction(1, 2))
                result = Pow(argument, half) if name == "sqrt" else Call(FUNCTIONS[name], argument, order)
        if order and name in ("sqrt", "max", "min", *WRITTEN_OUT):
            raise ExpressionError(f"{name} has no derivative here; write it out", self.text, token.start)
        if name in ("max", "min", *WRITTEN_OUT):  # each may write its argument twice, so nested ones double each time
            check_depth(result, self.places, token.start)
        return result if power is None else Pow(result, power)

    def bare_argument(self, token: Token) -> Expr:
        """Read an argument without brackets, which is one operand: log p_k; refuse log 2 pi, where it may be more."""
        argument = self.signed()[0]
        if self.starts_operand() and self.token.text not in (*FUNCTIONS, *WRITTEN_OUT, "sum"):
            read, more = self.between(token.end, self.token.start), self.typed(self.token)
            more = more + "...)" if more == "(" else more
            name = self.typed(token)
            message = f"{name} {read} {more} may be {name}({read} {more}) or {name}({read}) {more}: write brackets"
            raise ExpressionError(message, self.text, token.start)
        return argument

    def base(self) -> str:
        """Read the base of a logarithm, and return the name of the function."""
        self.advance()
        braces = self.accept("{")
        base = self.advance().text
        if base not in ("2", "10", "e"):
            self.index -= 1
            self.fault("expected a logarithm to base 2, 10 or e; write another as log(x)/log(a)")
        if braces:
            self.expect("}")
        return "log" if base == "e" else f"log{base}"

    def larger(self, name: str) -> Expr:
        """The larger or the smaller of two numbers."""
        self.expect("(", f" after {name}")
        a = self.expression()
        self.expect(",", f" between the two arguments of {name}")
        b = self.expression()
        self.expect(")", f" after the second argument of {name}")
        return maximum(a, b) if name == "max" else negate(maximum(negate(a), negate(b)))

    # sums

    def sum(self) -> Expr:
        """Read a sum sign with its indices, its bounds and its body."""
        head = self.sum_head()
        if not (self.starts_operand() or self.at("-", "+", "‖", "⟨")):
            self.fault("expected an expression after sum_" + "".join(head.letters))
        self.bound += head.letters
        place = self.token.start
        body = product([*head.factors, *self.product()])
        del self.bound[len(self.bound) - len(head.letters) :]
        check_depth(body, self.places, place)
        self.check_lengths(head.bounds, body)
        return Sum(tuple(head.letters), body)

    # softmax, log_softmax and logsumexp

    def softmax(self, token: Token) -> Expr:
        """Read a softmax along an index, for which a tensor stands until all equations are known."""
        name, axis = token.text, ""
        if self.at("_"):
            given, places = self.indices(name)
            axis = given[0] if len(given) == 1 and isinstance(given[0], str) else ""
            if not axis:
                raise ExpressionError(f"expected one index after {name}_", self.text, places[0])
        if not self.at("(", "[", "{"):
            self.fault(f"expected '(' after {name}")
        place = self.token.start
        argument = self.group()
        check_depth(argument, self.places, place)
        if self.einstein:
            argument = contract(argument, self.fixed.union(self.left, [axis]), self.places)
        letters = free_indices(argument)
        if not axis and len(letters) == 1:
            axis = letters[0]
        if axis not in letters:
            none = f"got none; write {self.softmax_form(name, argument)}"
            got = f"the argument has no index {axis}" if axis else none
            raise ExpressionError(f"expected {name} to run over an index of its argument, {got}", self.text, place)
        if name == "logsumexp":
            return Call("log", Sum((axis,), Call("exp", argument)))
        # a tensor stands for the softmax until all names are known; no name that people type has this mark
        mark = Tensor(f"?softmax{len(self.softmaxes)}", letters)
        self.softmaxes.append(Softmax(mark, axis, argument))
        self.places.note(mark, [token.start] * len(letters))
        return Call("log", mark) if name == "log_softmax" else mark
