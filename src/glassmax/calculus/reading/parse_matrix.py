"""Matrix notation, as in NumPy or in a textbook, to the same program as index notation.

The text becomes a tree here; `numpy_functions` knows the functions and methods of NumPy. `matrix_to_index` finds the
axes of each part, names what a person would name, and writes the tree with indices. A vector is a column: ``p pᵀ`` is
an outer product, ``pᵀ p`` a number, and so is NumPy's ``p @ p``. What is not understood as NumPy, or a textbook, means
it is refused.
"""

import re
from collections.abc import Mapping

from ...errors import ExpressionError, Setting
from ..expression import Program
from .functions import FUNCTIONS, SOFTMAXES, which_sigma
from .matrix_names import NameCursor
from .matrix_to_index import to_program
from .matrix_tree import NUMBERS, ONE_AXIS, Node
from .numpy_functions import ATTRIBUTES, NumpyFunctions, is_function
from .tokens import MAX_DEPTH, MAX_LENGTH, TOO_DEEP, Token

__all__ = ["parse_matrix"]

Shapes = Mapping[str, tuple[str, ...] | str] | str

LIBRARY = re.compile(r"([A-Za-z]+)(?:\.[A-Za-z]+)*\.$")
RESERVED = (*FUNCTIONS, *SOFTMAXES, "sum", "\\frac")
KEYWORDS = ("if", "else", "for", "in", "not", "and", "or", "return", "def", "import", "from", "while", "assert")
CONSTANTS = ("True", "False", "None", "newaxis", "inf", "nan")


def parse_matrix(text: str, shapes: Shapes | None = None) -> Program:
    """Read equations in matrix notation, and return them in index notation; i is the index of rows.

    ``@`` or nothing is the matrix product, ``*`` and ``⊙`` elementwise; ``.T``, ``ᵀ``, ``^T`` transpose; a dot between
    two vectors is their inner product. Functions and methods of NumPy take ``axis=`` and ``keepdims=True``; ``softmax``
    runs along the last axis. A 1 beside an array is the vector of ones, and I the identity. `shapes` names the axes of
    arrays: ``{"X": "nd", "b": ("k",), "t": ""}`` or ``"X: n,d; b: k"``. An array without a declared shape is a matrix
    if its name is a capital letter, a vector if it is a small one; n, N, d, k, m, eps, alpha, epsilon, eta, lambda, rho
    and tau are numbers, unless they stand beside ``@``. An ExpressionError is raised if the text can't be read, or the
    axes of arrays don't fit together.

    Examples
    --------
    >>> program = parse_matrix("L = -sum(Y * log(softmax(X @ W + b))) / N")
    >>> [(d.name, d.indices) for d in program.definitions]
    [('Z', ('i', 'j')), ('P', ('i', 'j')), ('L', ())]
    """
    declared = _listed(shapes or {})
    parser = _MatrixParser(text, set(declared))
    equations = parser.equations()
    for name in declared.keys() - parser.names.keys() - parser.lengths:
        raise ExpressionError(f"shapes declare {name}, which the formula doesn't have")
    arrays = frozenset(parser.arrays - declared.keys())
    return to_program(text, equations, declared, set(parser.names), arrays)


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


class _MatrixParser(NameCursor):
    """The grammar: the same levels as index notation, without indices."""

    def __init__(self, text: str, declared: set[str]) -> None:
        super().__init__(text, declared)
        self.names: dict[str, Node] = {}
        self.lengths: set[str] = set()  # names in arange(N), which are no part of an equation
        self.inside_norm = False
        self.functions = NumpyFunctions(self.node, text)

    def node(self, op: str, *args: Node, text: str = "", place: int | None = None) -> Node:
        """Make a node; refuse one so deep or so large that walking along it could overflow the stack, or not end."""
        depth = 1 + max((arg.depth for arg in args), default=0)
        size = 1 + sum(arg.size for arg in args)
        start = args[0].place if place is None else place
        if depth > MAX_DEPTH:
            raise ExpressionError(TOO_DEEP, self.text, start)
        if size > 2 * MAX_LENGTH:
            raise ExpressionError("too long once every mean and variance is written out", self.text, start)
        return Node(op, args, text, place=start, depth=depth, size=size)

    def equations(self) -> dict[str, Node]:
        """Read all equations, each with its tree."""
        out: dict[str, Node] = {}
        self.skip_breaks()
        while self.token.kind != "end":
            token = self.token
            if self.tokens[self.index + 1].text == "_":
                self.advance()
                self.refuse_underscore()
            if token.text in KEYWORDS:
                raise ExpressionError(f"expected equations, got Python's word {token.text}", self.text, token.start)
            if token.kind != "name" or token.text in RESERVED:
                self.fault("expected a name on the left side, like L = ...")
            if token.text in out:
                raise ExpressionError(f"{token.text} is defined twice", self.text, token.start)
            self.advance()
            if self.at("+", "-", "*", "/", "[") and self.changes_in_place():
                self.fault("expected a new name for a new value, as in Z2 = Z - b: an array can't be changed in place")
            if self.at(","):
                self.fault("expected one name on the left side, as in N = X.shape[0]")
            self.skip_arguments(token)
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
                typed = self.text[mark.start : mark.end]
                op = DOTS.get(typed) or {"*": "times", "/": "divide", "@": "matmul"}[mark.text]
                below = self.token
                result = self.node(op, result, self.signed(), place=mark.start)
                joined = self.tokens[self.index - 1] is below and self.token.kind == "name" and not self.token.spaced
                if op == "divide" and below.kind == "number" and joined:
                    self.fault(f"expected 1/({below.text} {self.token.text}), or a space where the quotient ends")
            elif self.token.kind in ("number", "name") or self.at("(", "[", "{") or self.opens_norm():
                place = self.token.start
                is_one = self.token.text == "1"
                right = self.signed()
                if is_one and right.op == "number":
                    right = self.node("ones", place=place)
                result = self.node("beside", result, right, place=place)
            elif self.at("_"):
                self.refuse_underscore()
            else:
                return result

    def opens_norm(self) -> bool:
        """Tell whether a norm begins here."""
        return self.at("‖") and not self.inside_norm

    def opens_index(self) -> bool:
        """Tell whether a bracket holds an index: it stands right after an array, or holds one name or number."""
        alone = self.tokens[self.index + 1].kind in ("name", "number") and self.tokens[self.index + 2].text == "]"
        return alone or self.token.start == self.tokens[self.index - 1].end

    def signed(self) -> Node:
        """Read an operand with the signs before it and all that follows it: transposes, methods, powers, indices."""
        if sign := self.accept("-"):
            self.deeper()
            result = self.node("negate", self.signed(), place=sign.start)
            self.depth -= 1
            return result
        base = self.operand()
        while True:
            if self.accept("ᵀ"):
                base = self.transposed(base)
            elif self.at("."):
                base = self.attribute(base)
            elif power := self.accept("^"):
                base = self.power(base, power)
            elif self.at("[") and self.opens_index():
                base = self.indexed(base)
            else:
                return base

    def transposed(self, base: Node) -> Node:
        """A transpose as in a textbook; 1ᵀ is a row of ones."""
        if base.op == "number" and base.text == "1":
            base = self.node("ones", place=base.place)
        return self.node("transpose", base, text="ᵀ")

    def attribute(self, base: Node) -> Node:
        """What follows a dot: T, a length, or a method, which is the function of its name."""
        self.advance()
        token = self.token
        name = token.text
        if token.kind == "name" and self.tokens[self.index + 1].text == "(":
            self.advance()
            self.advance()
            args, options = self.arguments()
            return self.functions.call(token, [base, *args], options, "method")
        if token.text in ("^", "*", "/"):
            what = f"'.{token.text}' is MATLAB's: write *, / and ** entry by entry, and @ for the matrix product"
            raise ExpressionError(what, self.text, token.start - 1)
        if name not in ATTRIBUTES:
            self.fault("expected T after '.'")
        self.advance()
        if name == "values":
            return base if base.op == "extremum" else self.fault("expected values after a maximum along an axis")
        if name == "size":
            return self.node("count", base, place=token.start)
        if name == "shape":
            self.expect("[", " after shape: shape[0] is the number of rows")
            axis = self.expression()
            self.expect("]", " after the number of the axis")
            return self.functions.length(base, self.functions.axis(axis) or 0, token.start)
        return self.node("transpose", base, text=".T")

    def indexed(self, base: Node) -> Node:
        """X[...]: whole axes, new axes, all rows, or class labels."""
        place = self.advance().start
        items: list[str] = []
        labels: list[Node] = []
        while not self.at("]"):
            items.append(self.item(labels))
            if not self.accept(",") and not self.at("]"):
                self.fault("expected ',' or ']'")
        self.advance()
        if "new" in items:
            if labels or items.count("new") > 1 or "rows" in items:
                raise ExpressionError("expected one new axis, as in x[:, None]", self.text, place)
            node = self.node("expand", base, text=str(len(items)), place=place)
            node.axis = items.index("new")
            return node
        if not items or ("rows" in items and items != ["rows", "label"]):
            raise ExpressionError("expected an index, as in P[np.arange(N), y] or X[y]", self.text, place)
        return self.node("at", base, *labels, text=",".join(items), place=place)

    def item(self, labels: list[Node]) -> str:
        """Read one item of an index, and return which kind it is; a label is put into `labels`."""
        token = self.token
        if self.accept(":"):
            if not self.at(",", "]"):
                self.fault("expected all of an axis, ':', because a part of it has no matrix notation here")
            return ":"
        if token.text in ("arange", "range") and self.tokens[self.index + 1].text == "(":
            self.advance()
            start = self.advance().end
            before = dict(self.names)
            value = self.expression()
            if value.op not in ("name", "length", "count"):
                raise ExpressionError("expected the number of all rows, as in arange(N)", self.text, start)
            self.lengths |= self.names.keys() - before.keys()
            self.names = before
            self.expect(")", " after the number of rows")
            return "rows"
        if token.kind != "name" or token.text in ("True", "False"):
            self.fault(
                "expected ':', None, arange(N) or the name of an array of indices, because an entry or a part "
                "of an array has no matrix notation here"
            )
        self.advance()
        if token.text in ("None", "newaxis"):
            return "new"
        labels.append(self.node("name", text=token.text, place=token.start))
        self.names.setdefault(token.text, labels[-1])
        return "label"

    def power(self, base: Node, mark: Token) -> Node:
        """Read what follows a power sign: a transpose, or an exponent."""
        words = [token.text for token in self.tokens[self.index : self.index + 3]]
        transposed = 3 if words in (["{", "T", "}"], ["{", "ᵀ", "}"]) else 1 if words[0] in ("T", "ᵀ") else 0
        if transposed and "T" not in self.declared | self.defined:
            self.index += transposed
            return self.transposed(base)
        self.deeper()
        typed = self.text[mark.start : mark.end]
        if self.at("{") and self.tokens[self.index + 1].text == "*":  # ^{\\circ 2}, entry by entry
            self.index += 2
            typed, exponent = "^∘", self.expression()
            self.expect("}", " after the exponent")
        else:
            exponent = self.signed()
        self.depth -= 1
        if base.op == "name" and base.text == "e" and "e" not in self.declared | self.defined:
            return self.node("call", exponent, text="exp", place=base.place)
        return self.node("power", base, exponent, text="**" if typed in ("**", "^∘") else "^", place=mark.start)

    def operand(self) -> Node:
        self.deeper()
        token = self.token
        if token.kind == "number":
            self.advance()
            result = self.node("number", text=token.text, place=token.start)
        elif token.kind == "string":
            self.advance()
            result = self.node("string", text=token.text, place=token.start)
        elif self.at("(", "[", "{"):
            result = self.group()
        elif self.opens_norm():
            result = self.norm()
        elif token.kind == "name":
            self.advance()
            result = self.named(token)
        else:
            self.fault("expected an expression")
        self.depth -= 1
        return result

    def norm(self) -> Node:
        """‖x‖: the root of the sum of squares; below the line 1 is the sum of absolute values, F that of a matrix."""
        start = self.advance().start
        self.inside_norm = True
        inner = self.expression()
        self.inside_norm = False
        self.expect("‖", " to close the norm")
        which = ""
        if self.accept("_"):
            which = self.text[self.token.start : self.token.end].strip("{}")
            if self.accept("{"):
                which = self.advance().text
                self.expect("}", " after the kind of a norm")
            else:
                self.advance()
            if which not in ("1", "2", "F"):
                raise ExpressionError(f"expected ‖x‖, ‖x‖_1, ‖x‖_2 or ‖A‖_F, got the norm {which}", self.text, start)
        return self.node("norm", inner, text=which.replace("F", ""), place=start)

    def group(self) -> Node:
        """An expression in brackets, or a list."""
        opening = self.advance()
        close = {"(": ")", "[": "]", "{": "}"}[opening.text]
        before, self.inside_norm = self.inside_norm, False
        items = [self.expression()]
        while self.at(","):
            self.advance()
            if not self.at(close):
                items.append(self.expression())
            elif len(items) == 1:
                return self.closed(close, before, self.node("tuple", *items, place=opening.start))
        result = items[0] if len(items) == 1 else self.node("tuple", *items, place=opening.start)
        return self.closed(close, before, result)

    def closed(self, close: str, before: bool, result: Node) -> Node:
        """Take the bracket that closes a group, and return the group."""
        self.expect(close)
        self.inside_norm = before
        return result

    def named(self, token: Token) -> Node:
        """Read what a name begins: an array, a constant, a fraction or a function."""
        name = token.text.rstrip("'")
        own = token.text in self.declared | self.defined
        if token.text == "\\frac" and self.at("{"):
            top = self.group()
            return self.node("divide", top, self.group() if self.at("{") else self.fault("expected '{'"))
        if token.text in KEYWORDS and not own:
            raise ExpressionError(f"expected equations, got Python's word {token.text}", self.text, token.start)
        if token.text in CONSTANTS:
            return self.node("constant", text=token.text, place=token.start)
        library = LIBRARY.search(self.text[: token.start])
        if library and token.text == "e" and not self.at("^"):
            return self.node("call", self.node("number", text="1", place=token.start), text="exp")
        function = is_function(name) and not own and len(name) > 1
        if name in RESERVED or function or (library and name not in ("e", "pi")):
            if self.at("_"):
                self.refuse_underscore()
            if not self.at("(", "[", "{"):
                self.fault(f"expected '(' after {token.text}")
            return self.call(token, library.group(1) if library else "")
        if name == "sigma" and self.at("(") and not own:
            raise ExpressionError(which_sigma(token.text), self.text, token.start)
        if self.at("(") and not self.token.spaced:
            if is_function(name) and own and len(name) > 1:
                self.fault(f"{name} is an array here: write np.{name}(...) for the function, got")
            unseen = token.text not in self.operands
            if unseen and name not in NUMBERS and not (len(name) == 1 and name.isupper()):
                return self.call(token, "")
            if unseen:
                self.fault(f"expected f(x) for a function, {token.text} @ (x) or {token.text} * (x) for a product")
        if token.text != name and not own:
            what = f"{token.text} may be the transpose, {name}ᵀ, or an array of its own; for that declare its shape: "
            raise ExpressionError((what, Setting("shapes", f"{token.text}: n,d")), self.text, token.start)
        if token.text == "I" and not own:
            return self.node("eye", place=token.start)
        return self.names.setdefault(token.text, Node("name", text=token.text, place=token.start))

    def call(self, token: Token, library: str) -> Node:
        """Read the arguments of a function, and return its tree."""
        self.advance()
        args, options = self.arguments()
        return self.functions.call(token, args, options, library)

    def arguments(self) -> tuple[list[Node], dict[str, Node]]:
        """The arguments of a call, by position and by name, up to the bracket that closes it."""
        close = {"(": ")", "[": "]", "{": "}"}[self.tokens[self.index - 1].text]
        before, self.inside_norm = self.inside_norm, False
        args: list[Node] = []
        options: dict[str, Node] = {}
        while not self.at(close):
            if self.token.kind == "name" and self.tokens[self.index + 1].text == "=":
                option = self.advance().text
                self.advance()
                options[option] = self.expression()
            elif options:
                self.fault("expected an option by its name, as in axis=1")
            else:
                args.append(self.expression())
            if not self.accept(",") and not self.at(close):
                self.fault(f"expected ',' or '{close}'")
        self.advance()
        self.inside_norm = before
        return args, options


DOTS = {"·": "cdot", "⋅": "cdot", "\\cdot": "cdot", "×": "cross", "\\times": "cross"}
"""Signs of products that mean one thing between vectors and another between numbers."""
