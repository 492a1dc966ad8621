"""Uses of names that are read in two ways by different people: each is refused, with both ways to write it."""

from collections.abc import Collection

from ...errors import ExpressionError, Setting
from ..expression import Expr, Index, Sum, Tensor, walk
from ..greek import GREEK
from ..indices import free_indices
from .functions import ARRAYS_TOO, FUNCTIONS, REFUSED, SOFTMAXES, WRITTEN_OUT, which_sigma
from .parse_sums import SumCursor
from .tokens import Token
from .transposes import inner_product, primed_product

__all__ = ["AmbiguityCursor"]

COUNTS = ("n", "m", "d", "k", "c")
"""Small letters that are numbers rather than vectors beside a dot."""
NUMBERS = ("alpha", "beta", "eta", "lambda", "epsilon", "tau", "mu", "kappa")
"""Greek letters that are numbers rather than functions before a bracket."""
LETTERS = "abckmnwxyz"
"""Latin letters that are rather numbers before a bracket that holds a sum."""
MATRICES = "WXAUVQ"
"""Capitals that are matrices rather than numbers where no name of the text has an index."""
WORDS = ("cdot", "times", "odot", "frac", "left", "right", "text", "if", "else", "for", "where", "and", "or")
"""Words that are hardly the name of an array."""
ENTRYWISE = ("⊙", "\\odot", "∘", "\\circ", "⊘", "\\oslash", "^∘")
DOTS = ("·", "⋅", "\\cdot")
NORM = "a norm has no sign in index notation: ‖x‖^2 is sum_i x_i^2, ‖x‖ is sqrt(sum_i x_i^2), ‖x‖_1 is sum_i |x_i|"
BRACKET = "an inner product has no sign in index notation: <x, y> is sum_d x_d y_d"


class AmbiguityCursor(SumCursor):
    """A place in a list of tokens, with the checks of how a name is used."""

    def __init__(self, text: str, known: Collection[str] = ()) -> None:
        super().__init__(text, known)
        self.arguments: dict[str, list[str]] = {}  # L(w) on a left side: L, and what is in the brackets
        self.fonts: dict[str, str] = {}

    def typed(self, token: Token) -> str:
        """Return a token as it was typed."""
        return self.between(token.start, token.end)

    def check_notation(self) -> None:
        """Refuse matrix notation where index notation is expected: not one index, but a matrix or ⊙."""
        if any(token.text in ("_", "[", "sum") and token.kind != "number" for token in self.tokens):
            return
        defined = {a.text for a, b in zip(self.tokens, self.tokens[1:], strict=False) if b.text == "="}
        for at, token in enumerate(self.tokens[:-1]):
            after = self.tokens[at + 1]
            after = self.tokens[at + 2] if after.text == "*" else after
            matrix = (
                token.kind == "name" and token.text[0] in MATRICES and token.text[1:].isdigit() | (not token.text[1:])
            )
            if self.typed(token) in ENTRYWISE or (matrix and token.text not in defined and after.kind == "name"):
                what = f"'{self.typed(token)}' belongs to matrix notation, and no array has an index: "
                what += "write indices, as in sum_k W_jk x_k, or read the equations with "
                raise ExpressionError((what, Setting("matrix", True)), self.text, token.start)

    def check_name(self, token: Token) -> None:
        """Refuse a name that stands for more than a function of one number, and sigma as a function."""
        if token.text in self.known:
            return
        if token.text in WORDS:
            message = f"'{token.text}' can't be the name of an array: write a LaTeX command with its backslash, "
            message += "or take another name"
            raise ExpressionError(message, self.text, token.start)
        called = self.at("(") and not self.token.spaced
        command = self.typed(token).startswith("\\") or token.text in ("prod", "argmax", "argmin", "lg")
        expectation = token.text == "E" and (token.font == "blackboard" or (self.at("[") and not self.is_index()))
        if expectation:
            message = "an expectation has no sign in index notation: the mean of x_i over n samples is 1/n sum_i x_i"
            raise ExpressionError(message, self.text, token.start)
        if token.text in REFUSED and (called or command or (self.at("_") and self.reduces())):
            message = f"{token.text} is not supported in index notation: {REFUSED[token.text]}"
            raise ExpressionError(message, self.text, token.start)
        if token.text.rstrip("'") == "sigma" and called:
            raise ExpressionError(which_sigma(token.text), self.text, token.start)

    def is_index(self) -> bool:
        """Whether the brackets here hold indices rather than a formula: E[i, j], not E[x^2]."""
        inner = self.tokens[self.index + 1 : self.group_close()]
        return all(token.kind != "mark" or token.text in (",", "_", "{", "}", "[", "]") for token in inner)

    def is_written_out(self, name: str) -> bool:
        """Whether a name here is that of a function that is made of known ones."""
        return name in WRITTEN_OUT and name not in self.known and (name not in ARRAYS_TOO or self.at("("))

    def reduces(self) -> bool:
        """Whether an index and then a bracket follow: mean_i(...)."""
        at = self.index
        while self.tokens[at].kind in ("letters", "name") or self.tokens[at].text in ("_", "{", "}", ","):
            at += 1
        return self.tokens[at].text == "(" and not self.tokens[at].spaced

    def check_use(self, token: Token, indices: tuple[Index, ...]) -> None:
        """Refuse an array whose use may mean something else; called when its indices are read."""
        name = token.text
        font = token.font.replace("upright", "")
        if indices and self.at("[") and not self.token.spaced:
            read, more = self.between(token.start, self.token.start), self.tokens[self.index + 1].text
            message = f"{read}[...] may be an entry or a product: write an entry with all its indices in one group, as "
            message += f"in {name}[{', '.join(map(str, indices))}, {more}], and a product with a space or a *"
            raise ExpressionError(message, self.text, token.start)
        if self.fonts.setdefault(name, font) != font:
            message = f"{name} is typed in two fonts, and would be read as one array: take another name for one of them"
            raise ExpressionError(message, self.text, token.start)
        if not indices and name in self.scope():
            message = f"{name} is an index here, and can't be a number too: take another letter for one of them"
            raise ExpressionError(message, self.text, token.start)
        before = self.tokens[self.index - 2]
        beside = self.token.kind == "name" or self.at("*", "(") or before.kind in ("name", "letters")
        if "'" in name and not indices and name not in self.known and (beside or before.text in ("*", ")")):
            raise ExpressionError(primed_product(self.tokens, self.index, name), self.text, token.start)
        if name in self.arguments and self.at("(") and not self.token.spaced:
            self.skip_arguments(token)
        elif (indices or name in self.known) and self.at("(") and not self.token.spaced and self.is_argument():
            typed = self.between(token.start, self.token.start)
            message = f"{typed}(...) may be a function or a product: write a product as {typed} * (...), "
            message += "and a function that is not specified as f(...), without an index"
            raise ExpressionError(message, self.text, token.start)

    def check_quotient(self, below: Token) -> None:
        """Refuse x/2s, which may be x/(2 s) or (x/2) s; called after the number below the line."""
        after = self.token
        joined = self.tokens[self.index - 1] is below and after.kind == "name" and not after.spaced
        if below.kind == "number" and joined and after.text not in (*FUNCTIONS, *WRITTEN_OUT, *SOFTMAXES, "sum"):
            quotient, name = f"/{below.text}", self.typed(after)
            message = f"{quotient}{name} may be /({below.text} {name}) or a factor {name} after the quotient: write "
            message += f"brackets, or a space where the quotient ends, {quotient} {name}"
            raise ExpressionError(message, self.text, below.start)

    def check_contracted(self, e: Expr, place: int) -> None:
        """Refuse an index that is summed because it occurs twice, and is a number too."""
        for total in (part for part in walk(e) if isinstance(part, Sum)):
            for inner in walk(total):
                if isinstance(inner, Tensor) and not inner.indices and inner.name in total.indices:
                    message = f"{inner.name} is an index here, and can't be a number too"
                    raise ExpressionError(f"{message}: take another letter for one of them", self.text, place)

    def is_argument(self) -> bool:
        """Whether the bracket here holds one name, with or without indices."""
        inner = self.tokens[self.index + 1 : self.group_close()]
        below = inner[1:] and inner[1].text == "_" and not any(token.text in ("+", "-", "(") for token in inner)
        after = inner[5:] if len(inner) > 2 and inner[2].text == "{" else inner[3:]
        return bool(inner) and inner[0].kind == "name" and (len(inner) == 1 or (bool(below) and not after))

    def group_close(self) -> int:
        """Return where the bracket here is closed."""
        depth = 0
        for at in range(self.index, len(self.tokens)):
            depth += (self.tokens[at].text in ("(", "[", "{")) - (self.tokens[at].text in (")", "]", "}"))
            if depth == 0:
                return at
        return self.index

    def skip_arguments(self, token: Token) -> None:
        """Pass over the brackets that stand after a name on its left side too: L(w)."""
        close = self.group_close()
        given = [each.text for each in self.tokens[self.index + 1 : close]]
        if given != self.arguments[token.text]:
            message = f"{token.text} is defined for ({''.join(self.arguments[token.text])}), and used for "
            message += f"({''.join(given)}): write two equations with different names"
            raise ExpressionError(message, self.text, token.start)
        self.index = close + 1

    def check_power(self) -> None:
        """Refuse an index as a power: y^i."""
        bracket = self.at("{", "(")
        inner, *after = self.tokens[self.index + bracket : self.index + bracket + 2]
        single = after and (after[0].text in ("}", ")") if bracket else after[0].text not in ("_", "("))
        if inner.kind == "name" and single and inner.text in self.scope():
            message = (
                f"{inner.text} is an index here, and can't be a power: write an index below the line, x_{inner.text}"
            )
            raise ExpressionError(message, self.text, inner.start)

    def check_dot(self, mark: Token, left: Expr, right: Expr) -> None:
        """Refuse a dot between two vectors: w_k · x."""
        if self.typed(mark) not in DOTS or not isinstance(left, Tensor) or not isinstance(right, Tensor):
            return
        bold = self.fonts.get(left.name) == self.fonts.get(right.name) == "bold"
        if not bold:
            letters = [set(free_indices(each)) for each in (left, right)]
            for each, own in zip((left, right), letters, strict=True):
                if each.name[0].isupper() or each.name in GREEK or (each.name in COUNTS and not own):
                    return
            if letters[0] & letters[1] or not letters[0] | letters[1]:
                return
        factors = [(each.name, list(free_indices(each))) for each in (left, right)]
        taken = {letter for factor in factors for letter in (factor[0], *factor[1])} | self.scope()
        shown = [each + (f"_{''.join(letters)}" if letters else "") for each, letters in factors]
        message = f"{shown[0]} · {shown[1]} may be an inner product of vectors or a product of numbers: write "
        message += f"{inner_product(factors[0], factors[1:], taken)} or {shown[0]} * {shown[1]}"
        raise ExpressionError(message, self.text, mark.start)

    def check_call(self, token: Token) -> None:
        """Refuse λ(x - 1) and a(x + 1), which may be products, p(y|x), and δ(i, j), whose indices stand below."""
        inner = [each.text for each in self.tokens[self.index + 1 : self.group_close()]]
        formula = "+" in inner or "-" in inner[1:]
        if token.text in NUMBERS or (token.text in LETTERS and formula):
            typed = self.typed(token)
            message = (
                f"{typed}(...) may be a function or a product: write a product as {typed} * (...), and a function "
            )
            raise ExpressionError(f"{message}that is not specified as f(...)", self.text, token.start)
        if "|" in inner[1:] and inner.count("|") == 1:
            message = (
                f"a condition is not supported in {self.typed(token)}(...): write the probability as an array, p_k"
            )
            raise ExpressionError(message, self.text, token.start)
        if token.text == "delta" and len(inner) == 3 and inner[1] == ",":
            typed = self.typed(token)
            message = f"{typed}({inner[0]}, {inner[2]}) has its indices in brackets: write delta_{inner[0]}{inner[2]}"
            raise ExpressionError(message, self.text, token.start)

    def known_function(self) -> str:
        """What to write for an equation that gives a known function: softmax(z)_i = ..."""
        called = self.tokens[self.index + 1].text == "("
        if self.token.kind == "name" and called and self.token.text in (*FUNCTIONS, *SOFTMAXES):
            return f"; {self.token.text} is built in, so leave this equation out, or give its value a name: p_i = ..."
        return ""

    def what_follows(self) -> str:
        """What to write where an equation goes on: a comma before the next one, or the positive part."""
        before = self.tokens[self.index - 1].text
        if self.at(","):
            return " (';' is what separates equations)"
        if self.at("_") and before in ("]", ")"):
            after = self.tokens[self.index + 1].text
            return " (the positive part of x is max(0, x))" if after in ("+", "{") else " (indices follow a name: x_i)"
        return ""

    def softmax_form(self, name: str, argument: Expr) -> str:
        """How to write a softmax of an array that has no index here: softmax(z)_i."""
        after = self.tokens[self.index + 1].text if self.at("_") else "j"
        letter = after if after.isalpha() and len(after) == 1 else "j"
        inside = f"{argument.name}_{letter}" if isinstance(argument, Tensor) and not argument.indices else "..."
        return f"{name}_{letter}({inside})"

    def vector_sign(self) -> None:
        """Refuse the signs of vectors that index notation lacks."""
        if self.at("‖"):
            self.fault(NORM)
        if self.at("⟨", "<"):
            self.fault(BRACKET)

    def dimension(self, token: Token) -> str:
        """Read d_k under a root as the number d_k of attention, where k is no index; return its name."""
        at = self.index - 1
        under = self.tokens[at - 1].text in ("(", "{") and self.tokens[at - 2].text == "sqrt"
        if token.text != "d" or not under or not self.at("_"):
            return ""
        letters = [t for t in self.tokens[self.index + 1 : self.index + 4] if t.kind in ("letters", "name")][:1]
        if not letters or self.scope() & set(letters[0].text):
            return ""
        self.index += 4 if self.tokens[self.index + 1].text == "{" else 2
        return f"d{letters[0].text}"
