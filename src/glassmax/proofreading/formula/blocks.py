r"""What has parts of its own: sums, conditions, indicators, cases, arrays, norms."""

import re
from fractions import Fraction

from .derivatives import Derivatives
from .tokens import Token
from .tree import Cases, Condition, Indicator, Matrix, Name, Negative, Node, Number, Summation

__all__ = ["RELATIONS", "Blocks", "without_words"]

RELATIONS = {"=": "=", "≠": "!=", "<": "<", ">": ">", "≤": "<=", "≥": ">="}
PROSE = re.compile(
    r"\\(?:text|mathrm|textrm|textnormal|mbox|hbox|textit|rm)\s*\{([^{}]*)\}|\\(?:quad|qquad|;|,|:|!)(?![A-Za-z])|\$"
)
LEADING = re.compile(
    r"[\s,:(]*(?:if|when|whenever|where|for|all|any|every|in case|case|in the case|the case|with|and|that|also|only|"
    r"provided|case of|of|i\.e\.)(?![A-Za-z_^])",
    re.IGNORECASE,
)
UNEQUAL = re.compile(
    r"\b(?:is|are)?\s*(?:not equal to|different from|not the same as)|\bdiffers from|\bis not\b|\bnot equal\b"
)
EQUAL = re.compile(r"\b(?:is|are)?\s*(?:equal to|the same as)|\bequals\b|\bis\b")
OTHERWISE = re.compile(
    r"[\s,.;]*(?:otherwise|else|elsewhere|in all other cases|other ?wise|o\.?w\.?)[\s,.;]*$", re.IGNORECASE
)
LETTERED = {"∈", ":", "|"}


def without_words(text: str) -> str:
    """Return a condition without the words around it: "if k is not equal to y_i," becomes "k ≠ y_i"."""
    text = PROSE.sub(lambda found: f" {found.group(1) or ''} ", text)
    while found := LEADING.match(text):
        text = text[found.end() :]
    text = EQUAL.sub(" = ", UNEQUAL.sub(" ≠ ", text)) if re.search(r"[a-z]{2}", text) else text
    return text.strip().rstrip(".,;:").strip()


class Blocks(Derivatives):
    """Reads sums, conditions, indicators, cases and arrays."""

    def summation(self, kind: str) -> Node:
        """Read a sum or a product over letters; its sign has been taken."""
        sign = self.tokens[self.at - 1]
        if sign.typed == "Σ" and self.token.kind == "below" and re.fullmatch("[A-Z]", self.token.text):
            letter = self.take().text
            return Name(f"Sigma_{letter}", typed=f"Σ_{letter}")
        below = above = None
        while self.token.kind in ("below", "above"):
            if self.token.kind == "below":
                below = self.take()
            else:
                above = self.take()
        alone = not below and not self.starts_factor()
        if sign.typed in ("Σ", "Π") and (alone or (above and above.text.isdigit() and not below)):
            self.at -= 1 if above else 0  # the letter, whose power is read as that of any name
            return Name("Sigma" if kind == "sum" else "Pi", typed=sign.typed)
        letters, low, condition = self.bounds(below) if below else ((), None, None)
        high = self.exponent(above) if above else None
        if not self.starts_factor() and not self.next_is("-"):
            self.fail(f"expected what is summed, got {self.shown()}", None if self.token.kind != "end" else sign)
        body = Negative(self.term()) if self.next_is("-") and self.take() else self.term()
        return Summation(letters, body, low, high, condition, kind)

    def bounds(self, token: Token) -> tuple[tuple[str, ...], Node | None, Condition | None]:
        """Read what stands below a sum: k, k = 1, k ≠ i, i = 1 with j ≠ i, "i, j"."""
        inner = self.inside(token, index=True)
        assert isinstance(inner, Blocks)
        letters: list[str] = []
        low: Node | None = None
        conditions: list[Condition] = []
        while inner.token.kind != "end":
            if inner.next_is(",", ":", ";", "|"):
                inner.take()
                continue
            first = inner.element()
            relation = inner.token.text if inner.token.kind == "mark" else ""
            if relation == "∈":
                inner.take()
                self.add_letter(letters, first, token)
                while inner.token.kind != "end" and not inner.next_is(",", ":", ";"):
                    inner.take()
            elif relation in RELATIONS:
                inner.take()
                second = inner.element()
                if relation in ("<", "≤") and inner.next_is("<", "≤"):
                    self.fail("write the bounds of a sum as i = 1 below and n above", token)
                if relation == "=" and isinstance(second, Number) and not letters:
                    self.add_letter(letters, first, token)
                    low = second
                elif relation in ("=", "≠"):
                    if not letters:
                        self.add_letter(letters, first, token)
                    conditions.append(Condition(first, RELATIONS[relation], second))
                else:
                    self.fail("a sum over an inequality can't be read here", token)
            else:
                self.add_letter(letters, first, token)
        condition: Condition | None = None
        for one in reversed(conditions):
            condition = Condition(one.left, one.relation, one.right, condition)
        return tuple(letters), low, condition

    def add_letter(self, letters: list[str], node: Node, token: Token) -> None:
        """Add the letter of a sum."""
        if not isinstance(node, Name) or node.below or node.above:
            self.fail("expected a letter below the sum", token)
        letter = node.base + "'" * node.primes
        if letter not in letters:
            letters.append(letter)

    def condition(self) -> Condition:
        """Read comparisons: i = j, i = j and k ≠ n, i = j = k."""
        left = self.expression()
        found: list[Condition] = []
        while True:
            if self.token.kind != "mark" or self.token.text not in RELATIONS:
                self.fail(f"expected a comparison such as i = j, got {self.shown()}")
            while self.token.kind == "mark" and self.token.text in RELATIONS:
                relation = RELATIONS[self.take().text]
                right = self.expression()
                found.append(Condition(left, relation, right))
                left = right
            if self.next_is(",") and not self.compares_next():
                break
            if not (self.next_is(",", "∧") or (self.token.kind == "words" and self.token.text == "and")):
                break
            self.take()
            if self.token.kind == "words" and self.token.text in ("and", "if"):
                self.take()
            if self.token.kind == "end":
                break
            left = self.expression()
        condition: Condition | None = None
        for one in reversed(found):
            condition = Condition(one.left, one.relation, one.right, condition)
        assert condition is not None
        return condition

    def compares_next(self) -> bool:
        """Return whether a comparison follows a comma: "i = j, k = n", but not "i = j, 0 otherwise"."""
        for token in self.tokens[self.at + 1 :]:
            if token.kind == "mark" and token.text in RELATIONS:
                return True
            if token.kind == "words" or (token.kind == "mark" and token.text in (",", ";")):
                return token.kind == "words" and token.text in ("and", "if")
        return False

    def compares(self) -> bool:
        """Return whether the bracket at hand holds a comparison."""
        level = 0
        for token in self.tokens[self.at + 1 : self.partners[self.at]]:
            if token.kind == "mark":
                level += (token.text in ("(", "[", "{", "\\{")) - (token.text in (")", "]", "}", "\\}"))
                if token.text in RELATIONS and level == 0:
                    return True
        return False

    def indicator(self, typed: str) -> Node | None:
        """Read the condition of an indicator whose sign has been taken, or return None if none follows."""
        if self.token.kind == "below" and self.is_condition(self.token):
            token = self.take()
            inner = self.inside(token, index=True)
            assert isinstance(inner, Blocks)
            brackets = inner.next_is("[", "(", "\\{")
            if brackets:
                inner.take()
            condition = inner.index_condition()
            if brackets:
                inner.take()
            if inner.token.kind != "end":
                self.fail("expected one comparison below the sign of an indicator", token)
            return Indicator(condition, typed + "_")
        if self.next_is("(", "[", "\\{") and self.compares():
            opening = self.take()
            condition = self.condition()
            self.at += 1
            return Indicator(condition, typed + opening.text)
        return None

    def index_condition(self) -> Condition:
        """Read a comparison of indices."""
        left = self.element()
        if self.token.kind != "mark" or self.token.text not in RELATIONS:
            self.fail(f"expected a comparison such as i = j, got {self.shown()}")
        relation = RELATIONS[self.take().text]
        right = self.element()
        also = None
        if self.next_is(","):
            self.take()
            also = self.index_condition()
        return Condition(left, relation, right, also)

    def block(self, name: str) -> Node:
        """Read cases or an array; its begin has been taken."""
        if name.endswith("cases"):
            return self.cases()
        if name == "vmatrix":
            self.fail("a determinant can't be read here", self.tokens[self.at - 1])
        rows: list[list[Node]] = [[]]
        while not self.ends_block():
            if self.next_is("\\"):
                self.take()
                rows.append([])
            elif self.next_is("&"):
                self.take()
            else:
                rows[-1].append(self.expression())
        self.take()
        rows = [row for row in rows if row]
        if not rows or len({len(row) for row in rows}) > 1:
            self.fail("expected rows of equal length in the array", self.tokens[self.at - 1])
        return Matrix(tuple(map(tuple, rows)), typed=name)

    def ends_block(self) -> bool:
        """Return whether the array or the cases end here."""
        if self.token.kind == "end":
            self.fail("an environment is never ended")
        return self.token.kind == "command" and self.token.text == "end"

    def cases(self) -> Node:
        """Read the rows of cases: a value, and the condition for it in words or signs."""
        branches: list[tuple[Node, Condition | None]] = []
        while not self.ends_block():
            if self.next_is("\\", "&", ",", ";"):
                self.take()
                continue
            value = self.expression()
            start = self.token.start
            while not self.ends_block() and not self.next_is("\\"):
                self.take()
            words = self.text[start : self.token.start].strip(" &,;")
            branches.append((value, None if OTHERWISE.match(without_prose(words)) else self.case(words, start)))
        self.take()
        if not branches:
            self.fail("expected cases", self.tokens[self.at - 1])
        return Cases(tuple(branches))

    def case(self, words: str, place: int) -> Condition:
        """Read the condition of a case from its words."""
        text = without_words(words.replace("&", " "))
        if not text:
            self.fail("expected the condition of the case", Token("end", "", place, place))
        inner = type(self)(text, 0, len(text), self.known)
        condition = inner.condition()
        if inner.token.kind != "end":
            self.fail("expected the end of the condition of the case", Token("end", "", place, place))
        return condition

    def listed(self, opening: Token, first: Node) -> Node:
        """Read the rest of a list (z_1, z_2) or [a, b; c, d] whose first entry has been read."""
        rows = [[first]]
        while self.next_is(",", ";"):
            if self.take().text == ";":
                rows.append([])
            rows[-1].append(self.expression())
        if len({len(row) for row in rows}) > 1:
            self.fail("expected rows of equal length", opening)
        flat = rows[0]
        if len(rows) == 1 and all(isinstance(entry, Matrix) and len(entry.rows) == 1 for entry in flat):
            inner = [list(entry.rows[0]) for entry in flat if isinstance(entry, Matrix)]
            if len({len(row) for row in inner}) == 1:
                rows = inner
        return Matrix(tuple(map(tuple, rows)), typed=opening.text)

    def number(self, token: Token) -> Number:
        """Return the number of a token."""
        return Number(Fraction(token.text), token.typed)


def without_prose(text: str) -> str:
    """Return a text without the commands around its words."""
    return PROSE.sub(lambda found: f" {found.group(1) or ''} ", text)
