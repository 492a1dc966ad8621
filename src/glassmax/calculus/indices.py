"""The index letters of expressions: which are free, which are taken, how to rename them; vectors of ones."""

from collections.abc import Iterator, Mapping

from .expression import (
    ONE,
    Delta,
    Expr,
    Index,
    Label,
    Mul,
    Sum,
    Tensor,
    children,
    indices_of,
    map_children,
    product_of,
    walk,
)

__all__ = ["all_indices", "delta_of", "for_reading", "free_indices", "fresh", "is_ones", "letters", "ones"]
__all__ += ["positions", "range_of", "rename"]


def letters(index: Index) -> tuple[str, ...]:
    """Return the letters that an index depends on: the index itself, or the letters of the label."""
    return index.indices if isinstance(index, Label) else (index,)


def _name(index: Index) -> tuple[str, ...]:
    """Return the name of a fixed index, which no letter may have."""
    return (index.name,) if isinstance(index, Label) and not index.indices else ()


def delta_of(i: Index, j: Index) -> Delta:
    """Return Kronecker's delta; a fixed index stands second, as in delta_iy."""
    return Delta(j, i) if _name(i) and not _name(j) else Delta(i, j)


def free_indices(e: Expr) -> tuple[str, ...]:
    """Return the letters that are not summed over, each once, in the order of their first place."""
    found: dict[str, None] = {}
    for index in indices_of(e):
        found |= dict.fromkeys(letters(index))
    for child in children(e):
        found |= dict.fromkeys(free_indices(child))
    if isinstance(e, Sum):
        for index in e.indices:
            found.pop(index, None)
    return tuple(found)


def all_indices(e: Expr) -> set[str]:
    """Return every letter in `e`, bound and fixed ones included."""
    found = {letter for part in walk(e) for index in indices_of(part) for letter in letters(index) or _name(index)}
    return found | {index for part in walk(e) if isinstance(part, Sum) for index in part.indices}


def positions(e: Expr) -> Iterator[tuple[str, int, Index]]:
    """Yield each index of each array in `e`, with the name of the array and the position of the index."""
    for part in walk(e):
        if isinstance(part, Tensor):
            yield from ((part.name, position, index) for position, index in enumerate(part.indices))


def fresh(taken: set[str], like: str = "k") -> str:
    """Return a letter that is not taken, close to `like`."""
    for candidate in (like, *"ijklmnopqrstuvwabcdefgh"):
        if candidate not in taken:
            return candidate
    number = 1
    while f"{like}{number}" in taken:
        number += 1
    return f"{like}{number}"


def rename(e: Expr, new: Mapping[str, Index]) -> Expr:
    """Return `e` with free indices replaced; a bound index that would capture a new letter is renamed."""
    if not new:
        return e

    def of(index: Index) -> Index:
        """Return an index with its letters replaced; a letter inside a label stays a letter."""
        if isinstance(index, Label):
            inner = tuple(new.get(letter, letter) for letter in index.indices)
            if any(isinstance(letter, Label) for letter in inner):
                raise ValueError("a label can't be the index of a label")
            return Label(index.name, tuple(str(letter) for letter in inner))
        return new.get(index, index)

    match e:
        case Tensor(name, indices):
            return Tensor(name, tuple(of(index) for index in indices))
        case Delta(i, j):
            return delta_of(of(i), of(j))
        case Sum(indices, body):
            inner = {old: index for old, index in new.items() if old not in indices}
            arriving = {letter for index in inner.values() for letter in letters(index)}
            aside: dict[str, Index] = {}
            kept: list[str] = []
            for bound in indices:
                letter = bound
                if bound in arriving:
                    letter = fresh(all_indices(body) | arriving | set(indices) | set(kept) | set(inner), bound)
                    aside[bound] = letter
                kept.append(letter)
            return Sum(tuple(kept), rename(rename(body, aside), inner))
        case _:
            return map_children(e, lambda child: rename(child, new))


def ones(array: str, position: int, letter: str) -> Tensor:
    """Return the vector of ones along a position of an array: it keeps the range of a sum that has no other array."""
    return Tensor(f"1:{array}:{position}", (letter,))


def is_ones(e: Expr) -> bool:
    """Whether an expression is a vector of `ones`."""
    return isinstance(e, Tensor) and e.name.startswith("1:")


def range_of(letter: str, e: Expr) -> Tensor | None:
    """Return ones with the range of a letter in `e`, read off the first array that the letter indexes."""
    for part in walk(e):
        if isinstance(part, Tensor) and letter in part.indices:
            return part if is_ones(part) else ones(part.name, part.indices.index(letter), letter)
    return None


def for_reading(e: Expr) -> Expr:
    """Return `e` without the vectors of ones that only keep a range."""
    if is_ones(e):
        return ONE
    if isinstance(e, Mul):
        return product_of([for_reading(f) for f in e.factors if not is_ones(f)])
    return map_children(e, for_reading)
