"""Transposes in index notation, which has no sign for them: each is refused, with the sum that it stands for."""

from typing import NoReturn

from ...errors import ExpressionError, Setting
from ..indices import fresh
from .tokens import Token, index_letters

__all__ = ["inner_product", "primed_product", "refuse_transpose"]

Factor = tuple[str, list[str]]  # a name and its index letters


def refuse_transpose(tokens: list[Token], start: int, end: int, text: str, first: Factor | None) -> NoReturn:
    """Raise for the transpose of `first`, None for a bracket, that stands in `tokens` from `start` to `end`."""
    factors = _factors(tokens, end)
    typed = "^T" if any(token.text == "T" for token in tokens[start:end]) else "ᵀ"
    message = "index notation has no transpose: "
    if first and len(first[1]) == 2:
        message += f"the transpose of {_entry(*first)} is {_entry(first[0], first[1][::-1])}"
    elif first and factors:
        message += f"{_shown(first)}{typed} {' '.join(map(_shown, factors))} is "
        message += inner_product(first, factors, _letters(tokens))
    else:
        message += "w^T x is sum_d w_d x_d, and the transpose of A_ij is A_ji"
    if first and "T" in typed:
        message += f"; a power of T is {_shown(first)}^(T)"
    place = tokens[start].start
    if any(token.text in ("_", "[", "sum") for token in tokens):
        raise ExpressionError(message, text, place)
    raise ExpressionError((f"{message}; matrix notation is read with ", Setting("matrix", True)), text, place)


def _letters(tokens: list[Token]) -> set[str]:
    return {letter for token in tokens if token.kind in ("letters", "name") for letter in index_letters(token.text)}


def primed_product(tokens: list[Token], at: int, name: str) -> str:
    """Say that x' in a product may be a transpose; what follows it stands in `tokens` from `at`."""
    factors = _factors(tokens, at)
    first = (name.rstrip("'"), list[str]())
    sums = inner_product(first, factors, _letters(tokens)) if factors else "sum_d x_d y_d"
    message = f"{name} may be a transpose or another array: write a product of vectors as {sums}, "
    return message + "or take another name for an array"


def inner_product(first: Factor, others: list[Factor], taken: set[str]) -> str:
    """Write a product of a vector (or a transposed matrix), matrices and a vector as a sum over its components."""
    used = set(taken)

    def new() -> str:
        used.add(letter := next((each for each in "defg" if each not in used), "") or fresh(used, "h"))
        return letter

    name, letters = first
    summed = [new()]
    parts = [_entry(name, [summed[0], new()] if _is_matrix(first) else [*letters, summed[0]])]
    for position, (name, letters) in enumerate(others):
        row = summed[-1]
        if not _is_matrix((name, letters)):
            parts.append(_entry(name, [*letters, row]))
            break
        last = position == len(others) - 1
        column = new()
        parts.append(_entry(name, [row, column]))
        if not last:
            summed.append(column)
    over = summed[0] if len(summed) == 1 else "{" + ",".join(summed) + "}"
    return f"sum_{over} {' '.join(part for part in parts if not part.startswith('1_'))}"


def _factors(tokens: list[Token], at: int) -> list[Factor]:
    """Return the names that follow, with their letters, up to the first vector; at most three."""
    found: list[Factor] = []
    while at < len(tokens) and tokens[at].kind == "name" and tokens[at].text != "\\frac" and len(found) < 3:
        token = tokens[at]
        at += 1
        letters: list[str] = []
        if [each.text for each in tokens[at : at + 3]] in (["^", "{", "("], ["^", "{", "["]):
            letters, at = index_letters(tokens[at + 3].text), at + 6
        if tokens[at].text == "_":
            at += 1
            while tokens[at].kind in ("letters", "name") or tokens[at].text in ("{", ",", "}"):
                piece = tokens[at]
                letters += index_letters(piece.text) if piece.kind in ("letters", "name") else []
                at += 1
                if piece.kind == "letters" or piece.text == "}":
                    break
        found.append((token.text, letters))
        if not _is_matrix((token.text, letters)):
            break
    return found


def _is_matrix(factor: Factor) -> bool:
    return factor[0][0].isupper() and not factor[1]


def _entry(name: str, letters: list[str]) -> str:
    plain = all(len(letter) == 1 for letter in letters)
    return f"{name}_{''.join(letters)}" if plain else f"{name}[{', '.join(letters)}]"


def _shown(factor: Factor) -> str:
    return _entry(*factor) if factor[1] else factor[0]
