"""Matrix notation, as in NumPy or in a textbook, to the same program as index notation.

The text becomes a tree here; `matrix_to_index` finds the axes of each part, names what a person would name, and writes
the tree with indices. A vector is a column: ``p pᵀ`` is an outer product, ``pᵀ p`` a number, and so is NumPy's ``p @
p``. What has no index notation, such as an inverse, is refused.
"""

import re
from collections.abc import Mapping

from ...errors import ExpressionError
from ..expression import Program
from .cursor import Cursor
from .matrix_to_index import ONE_AXIS, Node, to_program
from .parse import FUNCTIONS, SOFTMAXES
from .tokens import MAX_DEPTH, TOO_DEEP, Token

__all__ = ["parse_matrix"]

Shapes = Mapping[str, tuple[str, ...] | str] | str

OF_MATRICES = ("inv", "pinv", "det", "logdet", "slogdet", "expm", "logm", "sqrtm", "cholesky", "rank", "eig", "svd")
SPECIAL = (*SOFTMAXES, "sum", "mean", "trace", "tr", "diag", "norm", "outer", "dot", "matmul", "transpose", "square")


def parse_matrix(text: str, shapes: Shapes | None = None) -> Program:
    """Read equations in matrix notation, and return them in index notation; i is the index of rows.

    ``@`` or nothing is the matrix product, ``*`` and ``⊙`` elementwise; ``.T``, ``ᵀ``, ``^T`` transpose; ``sum`` and
    ``mean`` take ``axis=`` and ``keepdims=True``; ``softmax`` runs along the last axis. `shapes` names the axes of
    arrays: ``{"X": "nd", "b": ("k",), "t": ""}`` or ``"X: n,d; b: k"``. An array without a declared shape is a matrix
    if its name is a capital letter, a vector if it is a small one; n, N, d, k, m and Greek letters are numbers. An
    ExpressionError is raised if the text can't be read, or the axes of arrays don't fit together.

    Examples
    --------
    >>> program = parse_matrix("L = -sum(Y * log(softmax(X @ W + b))) / N")
    >>> [(d.name, d.indices) for d in program.definitions]
    [('Z', ('i', 'j')), ('P', ('i', 'j')), ('L', ())]
    """
    declared = _listed(shapes or {})
    parser = _MatrixParser(text, set(declared))
    equations = parser.equations()
    for name in declared.keys() - parser.names.keys():
        raise ExpressionError(f"shapes declare {name}, which the formula doesn't have")
    return to_program(text, equations, declared, set(parser.names))


def _listed(shapes: Shapes) -> dict[str, tuple[str, ...]]:
    """Read the declared shapes."""
    if isinstance(shapes, str):
        parts = [part.partition(":") for part in re.split(r"[;\n]", shapes) if part.strip()]
        shapes = {name.strip(): axes for name, _, axes in parts}
    out = {}
    for name, axes in shapes.items():
        listed = re.findall(r"[A-Za-z][0-9]*|[0-9]+", axes) if isinstance(axes, str) else [str(axis) for axis in axes]
        if ONE_AXIS in listed:
            raise ExpressionError(f"the shape of {name} has an axis of length 1; declare it without that axis")
        if len(listed) > 2:
            raise ExpressionError(f"expected at most two axes of {name}, got {len(listed)}")
        out[name] = tuple(listed)
    return out


class _MatrixParser(Cursor):
    """The grammar: the same levels as index notation, without indices."""

    def __init__(self, text: str, declared: set[str]) -> None:
        super().__init__(text, matrix=True)
        self.names: dict[str, Node] = {}
        self.inside_norm = False
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        whole = declared | {token.text for token, after in pairs if after.text == "="}
        self.tokens = [piece for token in self.tokens for piece in self.pieces(token, whole)]

    def pieces(self, token: Token, whole: set[str]) -> list[Token]:
        """Split Xw into X w: a capital and one more letter are a product, unless they are known as a name."""
        found = re.fullmatch(r"([A-Z][0-9]*)([A-Za-z][0-9]*'*)", token.text)
        known = token.text in whole or self.text[token.end : token.end + 1] == "("
        if token.kind != "name" or not found or known or token.end - token.start != len(token.text):
            return [token]
        first, second = found.groups()
        cut = token.start + len(first)
        return [Token("name", first, token.start, cut, token.spaced), Token("name", second, cut, token.end)]

    def node(self, op: str, *args: Node, text: str = "", place: int | None = None) -> Node:
        depth = 1 + max((arg.depth for arg in args), default=0)
        start = args[0].place if place is None else place
        if depth > MAX_DEPTH:
            raise ExpressionError(TOO_DEEP, self.text, start)
        return Node(op, args, text, place=start, depth=depth)

    def equations(self) -> dict[str, Node]:
        out: dict[str, Node] = {}
        self.skip_breaks()
        while self.token.kind != "end":
            token = self.token
            if token.kind != "name" or token.text in (*FUNCTIONS, *SPECIAL):
                self.fault("expected a name on the left side, like L = ...")
            if token.text in out:
                raise ExpressionError(f"{token.text} is defined twice", self.text, token.start)
            self.advance()
            self.expect("=", " after the left side")
            value = self.expression()
            if not self.at_end():
                self.fault("expected an operator or the end of the equation")
            out[token.text] = self.node("whole", value, place=token.start)
            self.names.setdefault(token.text, Node("name", text=token.text, place=token.start))
            self.skip_breaks()
        if not out:
            self.fault("expected an equation, like L = sum(x ** 2)")
        return out

    def expression(self) -> Node:
        self.accept("+")
        terms = [self.product()]
        while sign := self.accept("+", "-"):
            term = self.product()
            terms.append(self.node("negate", term, place=sign.start) if sign.text == "-" else term)
        return self.node("add", *terms) if len(terms) > 1 else terms[0]

    def product(self) -> Node:
        result = self.signed()
        while True:
            if mark := self.accept("*", "/", "@"):
                op = {"*": "times", "/": "divide", "@": "matmul"}[mark.text]
                result = self.node(op, result, self.signed(), place=mark.start)
            elif self.token.kind in ("number", "name") or self.at("(", "[", "{") or self.opens_norm():
                place = self.token.start
                result = self.node("beside", result, self.signed(), place=place)
            elif self.at("_"):
                self.fault("expected matrix notation, which has no indices and no underscore in a name")
            else:
                return result

    def opens_norm(self) -> bool:
        return self.at("‖") and not self.inside_norm

    def signed(self) -> Node:
        if sign := self.accept("-"):
            self.deeper()
            result = self.node("negate", self.signed(), place=sign.start)
            self.depth -= 1
            return result
        base = self.operand()
        while True:
            if self.accept("ᵀ"):
                base = self.node("transpose", base, text="ᵀ")
            elif self.accept("."):
                if self.token.text != "T":
                    self.fault("expected T after '.'")
                self.advance()
                base = self.node("transpose", base, text=".T")
            elif power := self.accept("^"):
                base = self.power(base, power)
            else:
                return base

    def power(self, base: Node, mark: Token) -> Node:
        words = [token.text for token in self.tokens[self.index : self.index + 3]]
        transposed = 3 if words in (["{", "T", "}"], ["{", "ᵀ", "}"]) else 1 if words[0] in ("T", "ᵀ") else 0
        if transposed and "T" not in self.names:
            self.index += transposed
            return self.node("transpose", base, text="ᵀ")
        self.deeper()
        exponent = self.signed()
        self.depth -= 1
        return self.node("power", base, exponent, text=self.text[mark.start : mark.end], place=mark.start)

    def operand(self) -> Node:
        self.deeper()
        token = self.token
        if token.kind == "number":
            self.advance()
            result = self.node("number", text=token.text, place=token.start)
        elif self.at("(", "[", "{"):
            result = self.group()
        elif self.opens_norm():
            self.advance()
            self.inside_norm = True
            result = self.node("norm", self.expression(), place=token.start)
            self.inside_norm = False
            self.expect("‖", " to close the norm")
            if self.accept("_"):
                self.advance()  # which norm: the sum of squares is the only one that is known
        elif token.kind == "name":
            self.advance()
            result = self.named(token)
        else:
            self.fault("expected an expression")
        self.depth -= 1
        return result

    def group(self) -> Node:
        close = {"(": ")", "[": "]", "{": "}"}[self.advance().text]
        result = self.expression()
        self.expect(close)
        return result

    def named(self, token: Token) -> Node:
        name = token.text.rstrip("'")
        if token.text == "\\frac" and self.at("{"):
            top = self.group()
            return self.node("divide", top, self.group() if self.at("{") else self.fault("expected '{'"))
        if name in FUNCTIONS or name in SPECIAL:
            if not self.at("(", "[", "{"):
                self.fault(f"expected '(' after {token.text}")
            return self.call(token, name)
        if self.at("(") and not self.token.spaced and token.text not in self.names:
            if name in OF_MATRICES:
                message = f"{name} of a matrix is not known here; an open function is applied entry by entry"
                raise ExpressionError(message, self.text, token.start)
            return self.call(token, name)
        return self.names.setdefault(token.text, Node("name", text=token.text, place=token.start))

    def call(self, token: Token, name: str) -> Node:
        close = {"(": ")", "[": "]", "{": "}"}[self.advance().text]
        args = [self.expression()]
        axis, keep = None, False
        while self.accept(","):
            if self.token.text not in ("axis", "keepdims", "dim", "keepdim"):
                args.append(self.expression())
                continue
            option = self.advance().text
            self.expect("=", f" after {option}")
            if option.startswith("keep"):
                keep = self.token.text == "True"
            else:
                minus = self.accept("-")
                if self.token.text not in ("0", "1"):
                    self.fault("expected an axis: 0, 1 or -1")
                axis = -int(self.token.text) if minus else int(self.token.text)
            self.advance()
        self.expect(close, f" after the argument of {token.text}")
        expected = 2 if name in ("max", "outer", "dot", "matmul") else 1
        if len(args) != expected:
            count = "one argument" if expected == 1 else "two arguments"
            raise ExpressionError(f"expected {count} of {token.text}, got {len(args)}", self.text, token.start)
        op = {"tr": "trace", "dot": "matmul"}.get(name, name)
        if op == "transpose":
            return self.node(op, *args, text=".T", place=token.start)
        if op == "square":
            return self.node("power", *args, self.node("number", text="2", place=token.start), place=token.start)
        if op not in SPECIAL and op != "max":
            op = "call"
        made = self.node(op, *args, text=FUNCTIONS.get(name, name) + token.text[len(name) :], place=token.start)
        made.axis, made.keep = axis, keep
        return made
