"""Sums as people type them: ``sum_{i,j}``, ``sum_{k=1}^K``, ``sum_{j != i}``.

A sum runs over the whole axis of its index. Bounds are read where they say just that, and a sum over all but one index
as the whole sum less that term; any other part of an axis is refused.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NoReturn

from ...errors import ExpressionError
from ..expression import MINUS_ONE, ONE, Add, Delta, Expr, Tensor, walk
from .parse_indices import IndexCursor
from .resolve import product
from .signs import CLASS_WORDS
from .tokens import Token

__all__ = ["SumCursor", "SumHead"]


@dataclass(frozen=True)
class Bound:
    """The number of values that the bounds of a sum give to an index, as it was typed, such as K."""

    letter: str
    count: str
    place: int


@dataclass
class SumHead:
    """What stands at a sum sign: its indices, their bounds, and the factors for the values that are left out."""

    letters: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    factors: list[Expr] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    lower: str = ""  # "0" or "1" where it was typed


class SumCursor(IndexCursor):
    """A place in a list of tokens, with the moves that read what stands at a sum sign."""

    def __init__(self, text: str, known: Collection[str] = ()) -> None:
        super().__init__(text, known)
        self.left: tuple[str, ...] = ()
        self.fixed: frozenset[str] = frozenset()  # letters that stand for one fixed index each
        self.bound: list[str] = []  # the indices of the sums around this place
        self.lengths: dict[tuple[str, int], Bound] = {}

    def scope(self) -> set[str]:
        """Return the letters that are indices at this place."""
        return {*self.left, *self.bound}

    def sum_head(self) -> SumHead:
        """Read the indices after a sum sign, with conditions and bounds."""
        head = SumHead()
        if not self.accept("_"):
            self.fault("expected an index after sum, as in sum_k")
        if not self.at("{", "("):
            head.letters, head.places = self.letters(self.token, "sum_"), [self.token.start]
            self.advance()
        else:
            close = {"{": "}", "(": ")"}[self.advance().text]
            while not self.at(close):
                self.sum_index(head, close)
                self.accept(",")
            if not head.letters:
                self.fault("expected an index after sum_")
            self.advance()
        if len(set(head.letters)) < len(head.letters):
            raise ExpressionError("expected distinct letters after sum_", self.text, head.places[-1])
        if self.accept("^"):
            self.upper_bound(head)
        return head

    def sum_index(self, head: SumHead, close: str) -> None:
        """Read one index below a sum sign: k, k=1, or j != i, where j was read before or is new."""
        token = self.token
        letters = self.letters(token, "sum_")
        self.advance()
        if self.at("<", ">", "≤", "≥", "∈"):
            self.part(token, close)
        if self.accept("≠"):
            self.all_but(head, letters, token)
            return
        head.places.append(token.start)
        head.letters += letters
        if self.accept("="):
            first = self.token
            self.advance()
            if first.text not in ("0", "1") or not self.at(",", close):
                self.part(token, close)
            head.lower = first.text

    def all_but(self, head: SumHead, letters: list[str], token: Token) -> None:
        """Read what follows ≠: the sum leaves out one value of its index, by the factor 1 - delta."""
        other, place = self.one_index("'≠'")
        outer = self.scope()
        if isinstance(other, str) and len(letters) == 1 and letters[0] in outer and other not in outer:
            letters, other = [other], letters[0]
        needed = {other} if isinstance(other, str) else set(other.indices)
        fixed = {"y", *CLASS_WORDS, *self.fixed} - set(letters)
        if len(letters) != 1 or not needed <= outer | set(head.letters) | fixed:
            message = "expected one index and another that is on the left or summed outside: "
            both = [*letters, *needed]
            message += f"a sum over both is sum_{{{','.join(both)}}} (1 - delta_{''.join(both)}) ..."
            raise ExpressionError(message, self.text, token.start)
        if letters[0] not in head.letters:
            head.letters += letters
            head.places.append(token.start)
        delta = self.places.note(Delta(letters[0], other), [token.start, place])
        head.factors.append(Add((ONE, product((MINUS_ONE, delta)))))

    def upper_bound(self, head: SumHead) -> None:
        """Read the bound above a sum sign; refuse one that leaves out a part of the axis."""
        start = self.index
        if self.at("{", "("):
            self.skip_group()
            inner = self.tokens[start + 1 : self.index - 1]
        else:
            inner = [self.advance()]
        if not inner:
            return
        words = [token.text for token in inner]
        typed = self.between(inner[0].start, inner[-1].end)
        place = self.tokens[start].start
        less_one = head.lower == "0" and words[-2:] == ["-", "1"]
        count = words[:-2] if less_one else words
        simple = all(
            token.kind in ("name", "number", "letters") or token.text in "_{}|" for token in inner[: len(count)]
        )
        index = len(words) == 1 and (words[0] in self.scope() | set(head.letters) or words[0] in ("i", "j"))
        if not count or index or not simple or typed == "0":
            self.refuse_part(head.letters[0], f"{head.letters[0]}≤{typed}", place)
        shown = "".join(count) + ("+1" if head.lower == "0" and not less_one else "")
        head.bounds = [Bound(letter, shown, place) for letter in head.letters]

    def part(self, token: Token, close: str) -> NoReturn:
        """Refuse the part of an axis that is given below a sum sign."""
        while not self.at(close, ",") and not self.at_end():
            self.advance()
        typed = self.between(token.start, self.tokens[self.index - 1].end)
        self.refuse_part(token.text, typed, token.start)

    def refuse_part(self, letter: str, part: str, place: int) -> NoReturn:
        """Raise for a sum over a part of an axis; the part may depend on other indices."""
        others = {
            each for each in re.findall(r"[A-Za-z]+", part) if each in {*self.scope(), "i", "j"} and each != letter
        }
        letters = "".join(sorted({letter, *others}))
        over = letter if others <= self.scope() else "{" + ",".join(letters) + "}"
        message = f"a sum runs over the whole axis of its index, not over the part {part}: write sum_{letter} for the "
        message += (
            f"whole axis, or sum_{over} M_{letters} x_{letter}, where M_{letters} is 1 in the part and 0 elsewhere"
        )
        raise ExpressionError(message, self.text, place)

    def check_lengths(self, bounds: list[Bound], body: Expr) -> None:
        """Refuse a sum whose bounds give an axis another length than an earlier sum did."""
        for bound in bounds:
            for part in walk(body):
                if not isinstance(part, Tensor):
                    continue
                for position, index in enumerate(part.indices):
                    if index != bound.letter:
                        continue
                    before = self.lengths.setdefault((part.name, position), bound)
                    if before.count != bound.count:
                        message = f"index {bound.letter} of {part.name} has {bound.count} values here, {before.count} "
                        message += "before: a sum over a part of an axis needs a factor that is 0 elsewhere"
                        raise ExpressionError(message, self.text, bound.place)

    def skip_group(self) -> None:
        """Pass over a group in brackets."""
        depth = 0
        while True:
            depth += self.at("{", "(", "[") - self.at("}", ")", "]")
            self.advance()
            if depth == 0:
                return
