"""The functions and methods of NumPy in matrix notation, each with its axis, its ``keepdims`` and its default.

A function that needs no node of its own is written with others: ``log1p(x)`` as ``log(1 + x)``, a mean as a sum divided
by a length, a variance by its definition. Whatever has no index notation is refused by its name.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NoReturn

from ...errors import ExpressionError
from .functions import FUNCTIONS
from .matrix_tree import Node, is_letter
from .tokens import Token

__all__ = ["ATTRIBUTES", "NumpyFunctions", "is_function"]

Make = Callable[..., Node]

OF_NUMPY = re.compile(r"\b(np|numpy|torch)\.|\.[a-z]\w*\(")
"""What shows that a text is a program: there, a function without a library before it is Python's own."""

ENTRYWISE = {
    **{name: function for name, function in FUNCTIONS.items() if name != "max"},
    **{"absolute": "abs", "fabs": "abs", "expit": "sigmoid"},
}
PAIRS = {
    **{"add": "add", "multiply": "times", "mul": "times", "divide": "divide", "true_divide": "divide"},
    **{"power": "power", "pow": "power", "maximum": "max"},
    **{"matmul": "matmul", "mm": "matmul", "mv": "matmul", "dot": "dot", "outer": "outer"},
    **{"inner": "inner", "vdot": "vdot"},
}
MEANS = ("mean", "average", "var", "std")
ALONG = ("sum", *MEANS, "norm", "logsumexp", "softmax", "log_softmax", "max", "min", "amax", "amin")
COMPOSED = ("log1p", "expm1", "square", "reciprocal", "negative", "sinh", "cosh", "tan", "log2", "log10", "exp2")
TWO_COMPOSED = ("subtract", "sub", "minimum", "logaddexp", "xlogy", "clip")
SHAPES = ("trace", "tr", "Tr", "diag", "diagonal", "transpose", "t", "copy", "array", "asarray", "reshape", "squeeze")
MADE = ("eye", "identity", "ones", "ones_like", "einsum", "len", "expand_dims")
ATTRIBUTES = ("T", "mT", "shape", "size", "values")
KNOWN = frozenset({*ENTRYWISE, *PAIRS, *ALONG, *COMPOSED, *TWO_COMPOSED, *SHAPES, *MADE})

ADVICE = {
    "prod": "for positive entries it is exp(sum(log(x)))",
    "median": "it has no index notation",
    **dict.fromkeys(("argmax", "argmin", "argsort"), "it has no derivative"),
    **dict.fromkeys(("cumsum", "cumprod"), "it has no matrix notation here: write sum_j with delta in index notation"),
    **dict.fromkeys(("rowsum", "rowsums"), "write sum(X, axis=1, keepdims=True)"),
    **dict.fromkeys(("colsum", "colsums"), "write sum(X, axis=0)"),
    **dict.fromkeys(("flatten", "ravel", "view"), "leave it out of a sum over all entries, or write einsum"),
    "detach": "write the detached array as an array of its own, with another name",
    "where": "write a mask as an array of its own: M * a + (1 - M) * b",
    "cross_entropy": "write it out: -sum(Y * log_softmax(Z)) / N",
    "leaky_relu": "write it out: relu(x) - alpha * relu(-x)",
}
WEIGHING = {
    "weights": "write sum(w * x) / sum(w)",
    "weight": "write the weight as a factor of each entry",
    "where": "write a factor M, which is 1 where the entry counts and 0 elsewhere",
    "initial": "add the initial value to the result",
    "b": "write log(sum(b * exp(x)))",
    "label_smoothing": "write Y as the smoothed labels",
}
"""Options on which the value depends, and what to write for them."""
OF_MATRICES = ("inv", "pinv", "det", "logdet", "slogdet", "expm", "logm", "sqrtm", "cholesky", "rank", "eig", "svd")


def is_function(name: str) -> bool:
    """Tell whether a name is that of a function, however many letters it has."""
    return name in KNOWN or name in ADVICE or name in OF_MATRICES


class NumpyFunctions:
    """The trees of calls; `make` makes a node from its ``op``, its parts and their text."""

    def __init__(self, make: Make, text: str) -> None:
        self.make, self.text = make, text

    def fault(self, message: str, place: int) -> NoReturn:
        """Raise an ExpressionError at `place`."""
        raise ExpressionError(message, self.text, place)

    def number(self, value: int, place: int) -> Node:
        """Return the node of a number."""
        return self.make("number", text=str(value), place=place)

    def call(self, token: Token, args: Sequence[Node], options: Mapping[str, Node], library: str) -> Node:
        """Return the tree of a call; `library` is what stands before the dot: ``np``, ``torch``, "" or "method"."""
        name, place = token.text.rstrip("'"), token.start
        order = token.text[len(name) :]
        if order and name not in FUNCTIONS and not (is_letter(name) and not library):
            self.fault(f"{token.text} has no derivative here; write it out", place)
        if name == "max" and not library and len(args) == 2 and not options:
            return self.make("max", *args, place=place)
        if name in ALONG:
            return self.along(name, args, options, library, place)
        if name in (*SHAPES, *MADE) and (library or len(name) > 1):
            return self.shaped(name, args, options, place)
        if name not in KNOWN and (library or not is_letter(name)):
            self.unknown(name, library, place)
        for option in options:
            self.fault(_no_option(name, option), options[option].place)
        if name == "clip":
            return self.clipped(args, place)
        self.expect(2 if name in PAIRS or name in TWO_COMPOSED else 1, name, args, place)
        if name in PAIRS:
            return self.make(PAIRS[name], *args, text="**" if PAIRS[name] == "power" else "", place=place)
        if name in TWO_COMPOSED:
            return self.of_two(name, args[0], args[1], place)
        if name in COMPOSED:
            return self.of_one(name, args[0], place)
        return self.make("call", args[0], text=ENTRYWISE.get(name, name) + order, place=place)

    def unknown(self, name: str, library: str, place: int) -> NoReturn:
        """Refuse a function by its name, with what to write in its place."""
        if name in OF_MATRICES:
            self.fault(f"{name} of a matrix is not known here; other functions are applied entry by entry", place)
        own = "write it out, or give the array that it returns a name of its own"
        open_function = "a function that is not specified has one letter, f(x), and is applied entry by entry"
        advice = ADVICE.get(name, own if library else open_function)
        self.fault(f"{name} is not known here: {advice}", place)

    def expect(self, count: int, name: str, args: Sequence[Node], place: int) -> None:
        """Refuse another number of arguments."""
        if len(args) != count:
            words = "one argument" if count == 1 else "two arguments"
            self.fault(f"expected {words} of {name}, got {len(args)}", place)

    def entrywise(self, function: str, x: Node) -> Node:
        """Return a function of `x`, entry by entry."""
        return self.make("call", x, text=function, place=x.place)

    def minus(self, x: Node) -> Node:
        """Return minus `x`."""
        return self.make("negate", x, place=x.place)

    def of_one(self, name: str, x: Node, place: int) -> Node:
        """A function of one array, by those that are known."""
        one, two = self.number(1, place), self.number(2, place)
        exp, log = partial(self.entrywise, "exp"), partial(self.entrywise, "log")
        match name:
            case "log1p":
                return log(self.make("add", one, x, place=place))
            case "expm1":
                return self.make("add", exp(x), self.minus(one), place=place)
            case "square":
                return self.make("power", x, two, text="**", place=place)
            case "reciprocal":
                return self.make("divide", one, x, place=place)
            case "negative":
                return self.minus(x)
            case "sinh" | "cosh":
                other = exp(self.minus(x))
                both = self.make("add", exp(x), self.minus(other) if name == "sinh" else other, place=place)
                return self.make("divide", both, two, place=place)
            case "tan":
                return self.make("divide", self.entrywise("sin", x), self.entrywise("cos", x), place=place)
            case "exp2":
                return exp(self.make("times", x, log(two), place=place))
            case _:  # log2, log10
                return self.make("divide", log(x), log(self.number(int(name[3:]), place)), place=place)

    def of_two(self, name: str, a: Node, b: Node, place: int) -> Node:
        """A function of two arrays, by those that are known."""
        match name:
            case "minimum":
                a, b = (b, a) if a.size < b.size else (a, b)  # b is written twice
                above = self.make("add", b, self.minus(a), place=place)
                return self.make("add", b, self.minus(self.entrywise("relu", above)), place=place)
            case "logaddexp":
                both = self.make("add", self.entrywise("exp", a), self.entrywise("exp", b), place=place)
                return self.entrywise("log", both)
            case "xlogy":
                return self.make("times", a, self.entrywise("log", b), place=place)
            case _:  # subtract
                return self.make("add", a, self.minus(b), place=place)

    def clipped(self, args: Sequence[Node], place: int) -> Node:
        """Return a clip between two bounds."""
        if len(args) != 3 or any(arg.op == "constant" for arg in args):
            self.fault("expected clip(x, lowest, highest); for one bound write maximum or minimum", place)
        return self.of_two("minimum", self.make("max", args[0], args[1], place=place), args[2], place)

    # along an axis

    def along(self, name: str, args: Sequence[Node], options: Mapping[str, Node], library: str, place: int) -> Node:
        """A reduction, or a softmax, along an axis."""
        own = ["ord", "axis", "keepdims"] if name == "norm" else ["axis"]
        own += ["ddof"] if name in ("var", "std") else []
        torch = library == "torch" or "dim" in options or "keepdim" in options
        given: dict[str, Node] = {}
        positional = [*own[:2], "ddof"][: 2 if name == "norm" else 1]
        if not args or len(args) > 1 + len(positional):
            self.expect(1, name, args, place)
        given.update(zip(positional, args[1:], strict=False))
        for option, value in options.items():
            known = {"dim": "axis", "keepdim": "keepdims", "p": "ord"}.get(option, option)
            if known not in [*own, "keepdims"] or known in given:
                self.fault(_no_option(name, option), value.place)
            given[known] = value
        if torch and name in ("var", "std") and "ddof" not in given:
            self.fault(f"{name} divides by N - 1 in PyTorch, by N in NumPy: write axis= and ddof=", place)
        if library == "torch" and name == "max" and len(args) == 2:
            self.fault("expected maximum(a, b) entry by entry, or max with axis=", place)
        axis, keep = self.axis(given.get("axis")), self.flag(given.get("keepdims"), name)
        x = args[0]
        match name:
            case "mean" | "average":
                return self.mean(x, axis, keep, place)
            case "var" | "std":
                return self.variance(name, x, axis, keep, given.get("ddof"), place)
            case "norm":
                return self.reduced("norm", x, axis, keep, self.order(given.get("ord")), place)
            case "max" | "amax" | "min" | "amin":
                return self.reduced("extremum", x, axis, keep, name[-3:], place)
        whole = library in ("scipy", "special") and name in ("softmax", "log_softmax")
        builtin = name == "sum" and not library and not options and OF_NUMPY.search(self.text)
        return self.reduced(name, x, axis, keep, "all" if whole else "builtin" if builtin else "", place)

    def reduced(self, op: str, x: Node, axis: int | None, keep: bool, text: str, place: int) -> Node:
        """Return a node that works along an axis of `x`."""
        node = self.make(op, x, text=text, place=place)
        node.axis, node.keep = axis, keep
        return node

    def length(self, x: Node, axis: int, place: int) -> Node:
        """Return the node of the number of entries of `x` along an axis."""
        return self.reduced("length", x, axis, False, "", place)

    def mean(self, x: Node, axis: int | None, keep: bool, place: int, ddof: Node | None = None) -> Node:
        """The sum divided by the length of the axis, or by the number of all entries."""
        count = self.make("count", x, place=place) if axis is None else self.length(x, axis, place)
        if ddof is not None:
            count = self.make("add", count, self.minus(ddof), place=place)
        minus_one = self.number(-1, place)
        under = self.make("power", count, minus_one, text="**", place=place)
        return self.make("times", under, self.reduced("sum", x, axis, keep, "", place), place=place)

    def variance(self, name: str, x: Node, axis: int | None, keep: bool, ddof: Node | None, place: int) -> Node:
        """The mean of the squares of the distances from the mean; its root is the standard deviation."""
        away = self.make("add", x, self.minus(self.mean(x, axis, True, place)), place=place)
        square = self.make("power", away, self.number(2, place), text="**", place=place)
        if ddof is not None and (ddof.op != "number" or ddof.text not in ("0", "1")):
            self.fault("expected 0 or 1 as ddof", ddof.place)
        variance = self.mean(square, axis, keep, place, None if ddof is None or ddof.text == "0" else ddof)
        return self.entrywise("sqrt", variance) if name == "std" else variance

    def axis(self, value: Node | None) -> int | None:
        """Return an axis that was typed; None for all entries."""
        if value is None or (value.op == "constant" and value.text == "None"):
            return None
        typed = _typed(value)
        if typed not in ("0", "1", "-1", "-2"):
            got = f"'{typed}'" if typed else "something else; leave axis out for all entries"
            self.fault(f"expected an axis: 0, 1 or -1, got {got}", value.place)
        return int(typed)

    def flag(self, value: Node | None, name: str) -> bool:
        """Return the value of ``keepdims``."""
        if value is None:
            return False
        if value.op != "constant" or value.text not in ("True", "False"):
            self.fault(f"expected True or False as keepdims of {name}", value.place)
        return value.text == "True"

    def order(self, value: Node | None) -> str:
        """Return which norm: 1, 2, or the root of the sum of squares."""
        if value is None or value.text in ("fro", "F") or (value.op == "constant" and value.text == "None"):
            return ""
        if value.op != "number" or value.text not in ("1", "2"):
            self.fault("expected 1, 2 or 'fro' as the order of a norm", value.place)
        return value.text

    # shapes

    def shaped(self, name: str, args: Sequence[Node], options: Mapping[str, Node], place: int) -> Node:
        """What rearranges entries, or makes an array."""
        if options and (name != "expand_dims" or list(options) != ["axis"]):
            option = next(iter(options))
            self.fault(_no_option(name, option), options[option].place)
        match name:
            case "einsum":
                return self.einsum(args, place)
            case "reshape" | "expand_dims":
                return self.reshaped(name, args, options, place)
            case "ones":
                return self.ones(args, place)
        self.expect(1, name, args, place)
        match name:
            case "eye" | "identity":
                return self.make("eye", place=place)
            case "transpose" | "t":
                return self.make("transpose", args[0], text=".T", place=place)
            case "len":
                return self.length(args[0], 0, place)
            case "ones_like":
                return self.make("like", args[0], place=place)
            case "copy" | "array" | "asarray":
                return args[0]
        op = {"tr": "trace", "Tr": "trace", "diagonal": "diag"}.get(name, name)
        is_one = op == "diag" and args[0].op == "number" and args[0].text == "1"
        return self.make(op, self.make("ones", place=place) if is_one else args[0], place=place)

    def ones(self, args: Sequence[Node], place: int) -> Node:
        """``ones(n)`` is a column of ones, ``ones((n, k))`` a matrix; a length of 1 is an axis of length 1."""
        self.expect(1, "ones", args, place)
        lengths = args[0].args if args[0].op == "tuple" else args
        if len(lengths) > 2:
            self.fault("expected at most two axes of ones", place)
        vectors = [self.make("ones", place=place) for each in lengths if not (each.op == "number" and each.text == "1")]
        if len(vectors) == len(lengths) == 2:
            return self.make("outer", *vectors, place=place)
        if not vectors:
            self.fault("expected an axis longer than 1 of ones", place)
        if len(lengths) == 1:
            return vectors[0]
        first = lengths[0].op == "number" and lengths[0].text == "1"
        return self.reduced("expand", vectors[0], 0 if first else 1, False, "", place)

    def reshaped(self, name: str, args: Sequence[Node], options: Mapping[str, Node], place: int) -> Node:
        """Return a vector with one more axis, of length 1."""
        if name == "expand_dims":
            at = self.axis(options.get("axis", args[1] if len(args) == 2 else None))
            if at is None:
                self.fault("expected an axis of expand_dims: 0, 1 or -1", place)
            return self.reduced("expand", args[0], at, False, "", place)
        lengths = args[1].args if len(args) == 2 and args[1].op == "tuple" else args[1:]
        typed = [_typed(each) for each in lengths]
        if typed not in (["-1", "1"], ["1", "-1"]):
            self.fault("expected reshape(-1, 1) or reshape(1, -1) of a vector; other shapes are not known here", place)
        return self.reduced("column", args[0], typed.index("1"), False, "", place)

    def einsum(self, args: Sequence[Node], place: int) -> Node:
        """Return an einsum; its text holds the letters of each array and of the result, "-" for none."""
        if not args or args[0].op != "string":
            self.fault("expected the letters of einsum first, as in einsum('ij,jk->ik', A, B)", place)
        inputs, arrow, output = args[0].text.replace(" ", "").partition("->")
        operands = inputs.split(",")
        letters = "".join(operands)
        if not arrow:
            output = "".join(sorted(x for x in set(letters) if letters.count(x) == 1))
        if not (letters + output).isalpha() or not set(output) <= set(letters) or len(set(output)) < len(output):
            self.fault(f"expected letters such as 'ij,jk->ik' in einsum, got '{args[0].text}'", place)
        if len(operands) != len(args) - 1:
            self.fault(f"expected {len(operands)} arrays in einsum, got {len(args) - 1}", place)
        if max(map(len, (*operands, output))) > 2:
            self.fault("expected at most two axes of each array in einsum; write index notation for more", place)
        text = " ".join(each or "-" for each in (*operands, output))
        return self.make("einsum", *args[1:], text=text, place=place)


def _no_option(name: str, option: str) -> str:
    """The message for an option that is not supported: what to write if the value depends on it."""
    return f"{name} has no option {option} here; {WEIGHING.get(option, 'leave it out')}"


def _typed(value: Node) -> str:
    """Return a number as it was typed, with its sign; "" for anything else."""
    inner = value.args[0] if value.op == "negate" else value
    return ("-" if value.op == "negate" else "") + inner.text if inner.op == "number" else ""
