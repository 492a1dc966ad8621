"""Keys: a text for an expression that is the same whatever the bound indices of the expression are called."""

from collections.abc import Callable, Iterable, Sequence
from itertools import permutations, product
from math import factorial, prod

from ..expression import Add, Call, Delta, Expr, Index, Label, Mul, Num, Pow, Sum, Tensor
from ..limits import MOST_TERMS, spend

__all__ = ["key", "orders"]


def key(e: Expr, names: dict[str, str] | None = None, depth: int = 0) -> str:
    """Return a text that is the same for expressions that differ in the names of bound indices alone."""
    names = names or {}
    spend()

    def of(index: Index) -> str:
        if isinstance(index, Label):
            return f"{index.name}<{','.join(names.get(i, i) for i in index.indices)}>"
        return names.get(index, index)

    match e:
        case Num(value):
            return str(value)
        case Tensor(name, indices):
            return f"{name}[{','.join(map(of, indices))}]"
        case Delta(i, j):
            return f"D[{','.join(sorted((of(i), of(j))))}]"
        case Add(terms):
            return f"({'+'.join(sorted(key(t, names, depth) for t in terms))})"
        case Mul(factors):
            return f"({'*'.join(sorted(key(t, names, depth) for t in factors))})"
        case Pow(base, exponent):
            return f"{key(base, names, depth)}^{key(exponent, names, depth)}"
        case Call(function, argument, order):
            return f"{function}{order}({key(argument, names, depth)})"
        case Sum(indices, body):
            tried = (
                key(body, names | {old: f"#{depth}.{n}" for n, old in enumerate(order)}, depth + 1)
                for order in orders(indices, lambda looks: key(body, names | looks, depth + 1))
            )
            return f"S{len(indices)}{min(tried)}"


def orders(bound: Sequence[str], look: Callable[[dict[str, str]], str]) -> Iterable[Sequence[str]]:
    """Yield the orders of bound indices that can give the smallest key; `look` gives the key under a naming."""
    if len(bound) < 2:
        yield bound
        return
    groups: dict[str, list[str]] = {}
    for index in bound:
        groups.setdefault(look(dict.fromkeys(bound, "#") | {index: "@"}), []).append(index)
    ordered = [groups[seen] for seen in sorted(groups)]
    if prod(factorial(len(group)) for group in ordered) > MOST_TERMS:
        yield [index for group in ordered for index in group]
        return  # so many that look alike are alike, nearly always; where they are not, terms stay apart
    for choice in product(*(permutations(group) for group in ordered)):
        yield [index for group in choice for index in group]
