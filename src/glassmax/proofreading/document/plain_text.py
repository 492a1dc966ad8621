r"""Words and formulas that share a line without a mark between them: a line of text, the words of ``\text{...}``."""

import re
from collections.abc import Iterator

from .pieces import Piece

__all__ = ["SHORT", "STOP", "is_word", "split_words", "variables"]

TOKEN = re.compile(r"\S+")
WORD = re.compile(r"[(\[“\"'*_]*([A-Za-z][a-z]+(?:[-'’][A-Za-z]?[a-z]+)*)[)\]”\"'*_]*[.,:;!?]*")
_SHORT = "is as if in of to we so by be at it on or an no do us up my go he me the and for"
SHORT = {*_SHORT.split()}
"""Words of two letters; other pairs of letters are mathematics, as dz or wx."""

_FUNCTIONS = """
    sum prod exp log ln sqrt max min tanh sin cos tan sigma sigmoid softmax relu diag partial nabla grad dot outer
    alpha beta gamma delta epsilon eps eta theta kappa lambda mu nu xi pi rho tau phi chi psi omega logsumexp
    trace tr det argmax softplus logistic transpose inf abs norm mean
"""
FUNCTIONS = {*_FUNCTIONS.split()}
"""Words that are mathematics if mathematics stands beside them."""

_ARTICLES = "the a an of our this that by with its each in is are"
ARTICLES = {*_ARTICLES.split()}
OPERATOR = re.compile(r"[=+\-−*/·×⊙^≠≡≈≜≔←<>|:]+|!=|:=")
SIGN = re.compile(r"[=+\-−*/·×]")
NAMED = re.compile(r"(?:^|[\s(,:])([A-Za-z][a-z]{2,})[ \t]*(?::=|=|≡)", re.MULTILINE)
_STOP = """
    the and that this then thus hence gives get yields where with since because let for all are which becomes
    also therefore finally so now both equals means makes have has
"""
STOP = {*_STOP.split()}
"""Words that stand before an equals sign and name nothing."""


def variables(text: str) -> frozenset[str]:
    """Return the words that a text uses as names of quantities: those before an equals sign, as in ``net = w x``."""
    return frozenset(match[1] for match in NAMED.finditer(text) if match[1].lower() not in STOP)


def is_word(token: str, names: frozenset[str] = frozenset()) -> bool:
    """Return whether a token is a word of a sentence, and not a part of a formula."""
    match = WORD.fullmatch(token)
    if match is None or match[1] in names:
        return False
    word = match[1].lower()
    return word in SHORT if len(word) == 2 else word not in FUNCTIONS


def split_words(text: str, start: int = 0, names: frozenset[str] = frozenset()) -> Iterator[Piece]:
    """Yield the words and the formulas of a line in order, each with its place; `start` is that of the line."""
    tokens = [*TOKEN.finditer(text)]
    kinds = _kinds([token.group() for token in tokens], names)
    first = 0
    for i in range(1, len(tokens) + 1):
        if i == len(tokens) or kinds[i] != kinds[first]:
            begin, end = tokens[first].start(), tokens[i - 1].end()
            yield Piece("formula" if kinds[first] else "words", text[begin:end], start + begin)
            first = i


def _kinds(tokens: list[str], names: frozenset[str]) -> list[bool]:
    """Return which tokens are mathematics; a single letter or the name of a function takes after what is beside it."""
    kinds: list[bool | None] = []
    equals = False
    for token in tokens:
        equals |= "=" in token
        bare = token.strip(".,:;!?()").lower()
        if is_word(token, names):
            kinds.append(equals and _is_operand(tokens, len(kinds)))
        elif "://" in token:
            kinds.append(False)
        elif bare in FUNCTIONS or token.strip(",:.;") in names or token in ("a", "A", "I", "-", "—", "–", "--"):
            kinds.append(None)
        else:
            kinds.append(True)
    return [_beside(tokens, kinds, i) if kind is None else kind for i, kind in enumerate(kinds)]


def _is_operand(tokens: list[str], i: int) -> bool:
    """Return whether a word after an equals sign is the name of a quantity, as in ``= target - out``."""
    before = tokens[i - 1] if i else ""
    after = tokens[i + 1] if i + 1 < len(tokens) else ""
    signs = (bool(SIGN.fullmatch(before)), bool(SIGN.fullmatch(after)))
    return any(signs) and not (is_word(before) or is_word(after)) and tokens[i].strip("()").islower()


def _beside(tokens: list[str], kinds: list[bool | None], i: int) -> bool:
    """Decide about a token that may be a word or mathematics."""
    before = kinds[i - 1] if i else None
    after = kinds[i + 1] if i + 1 < len(kinds) else None
    if tokens[i] in ("-", "—", "–", "--"):
        return before is not False and after is not False
    if i + 1 < len(tokens) and OPERATOR.match(tokens[i + 1]):
        return True
    if i and OPERATOR.fullmatch(tokens[i - 1]):
        return True
    article = i > 0 and tokens[i - 1].lower() in ARTICLES
    if tokens[i] in ("a", "A", "I"):
        return before is True and after is not False
    return not article and after is not False and (before is True or after is True or before is None)
