"""Mistakes of sums: a stray or a lost one, a case counted twice, the square of a sum, the Jacobian summed up."""

from collections.abc import Iterator
from dataclasses import replace

from ..formula.tree import (
    Add,
    Call,
    Cases,
    Condition,
    Matrix,
    Name,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Summation,
    Transpose,
)
from ..formula.walk import free_letters, letter_of, rename_index
from .correction import Correction, Setting

__all__ = ["case_counted", "cases_exchanged", "jacobian_diagonal", "jacobian_summed", "lost_delta", "lost_sum"]
__all__ += ["of_the_sum", "row_summed", "stray_sum", "sum_ends_early"]

ONE = Number(1)  # type: ignore[arg-type]


def stray_sum(node: Node, setting: Setting) -> Iterator[Correction]:
    """A sum where one term belongs: [-sum_i y_i (1 - p_i)] for the case k = i."""
    if not isinstance(node, Summation) or node.kind != "sum":
        return
    which = ", ".join(node.letters)
    says = f"a stray sum over {which}: {setting.write(node.body)} is one term"
    yield Correction("stray_sum", node.body, says, 1.0)
    for mine in node.letters:
        for free in sorted(setting.left_letters - {mine}):
            if len(node.letters) == 1:
                yield Correction("stray_sum", rename_index(node.body, {mine: free}), says, 1.2)


def lost_sum(node: Node, setting: Setting) -> Iterator[Correction]:
    """A sum that was left out: p_i g_k for p_i sum_k g_k."""
    if isinstance(node, (Number, Negative)) or (isinstance(node, Name) and not node.below):
        return
    inside = free_letters(node) & set(setting.letters)
    for mine in sorted(inside - setting.bound):
        loose = mine not in setting.left_letters
        new = mine if loose else _new(setting, inside)
        if new is None:
            continue
        body = node if loose else rename_index(node, {mine: new})
        instead = Summation((new,), body)
        says = f"the sum over {new} is missing in front of {setting.write(body)}"
        yield Correction("sum_missing", instead, says, 1.0 if loose else 1.5)


def _new(setting: Setting, inside: frozenset[str] | set[str]) -> str | None:
    taken = setting.left_letters | setting.bound | inside
    return next((name for name in setting.letters if name not in taken), None)


def sum_ends_early(node: Node, setting: Setting) -> Iterator[Correction]:
    """A factor or a term beside a sum has its letter: (sum_k y_k) p_k, x_i sum_i (y_i - z_i)."""
    if not isinstance(node, (Product, Add)):
        return
    parts = node.factors if isinstance(node, Product) else node.terms
    for at, part in enumerate(parts):
        if not isinstance(part, Summation):
            continue
        moved = [n for n, one in enumerate(parts) if n != at and set(part.letters) & _free_outside(one, setting)]
        if not moved:
            continue
        which = ", ".join(part.letters)
        says = f"{setting.write(parts[moved[0]])} has the summed letter {which}, but stands outside of its sum"
        kept = [one for n, one in enumerate(parts) if n != at and n not in moved]
        inside = [*(parts[n] for n in moved if n < at), part.body, *(parts[n] for n in moved if n > at)]
        if isinstance(node, Add):
            whole: list[Node] = [*kept, replace(part, body=Add(tuple(inside)))]
            instead = Add(tuple(whole)) if kept else whole[0]
        else:
            body = Product(tuple(inside), ("",) * (len(inside) - 1))
            whole = [*kept, replace(part, body=body)]
            instead = Product(tuple(whole), ("",) * (len(whole) - 1)) if kept else whole[0]
        yield Correction("summed_letter_free", instead, says, 1.0)


def _free_outside(node: Node, setting: Setting) -> set[str]:
    return free_letters(node) - setting.left_letters - setting.bound


def case_counted(node: Node, setting: Setting) -> Iterator[Correction]:
    """A sum over all k beside the case k = i, or a sum without that case where it belongs to it."""
    if not isinstance(node, Summation) or len(node.letters) != 1:
        return
    mine = node.letters[0]
    if node.condition is not None:
        without = f"{setting.write(node.condition.left)} = {setting.write(node.condition.right)}"
        says = f"the case {without} is left out of the sum, and stands nowhere else"
        yield Correction("case_missing", replace(node, condition=None), says, 1.2)
        return
    for other in [*sorted(setting.left_letters), *sorted(setting.bound - {mine})]:
        if other != mine:
            instead = replace(node, condition=Condition(Name(mine), "!=", Name(other)))
            says = f"the case {mine} = {other} is counted twice: the sum has it too"
            yield Correction("case_counted_twice", instead, says, 1.1)


def of_the_sum(node: Node, setting: Setting) -> Iterator[Correction]:
    """A power, a function or a quotient of the terms for that of their sum: sum_k u_k^2 for (sum_k u_k)^2."""
    if isinstance(node, Summation):
        body = node.body
        if isinstance(body, Power):
            instead: Node = Power(replace(node, body=body.base), body.exponent)
            says = f"{setting.write(node)} is the sum of the powers; the power of the sum is {setting.write(instead)}"
            yield Correction("sum_of_squares", instead, says, 1.0)
        if isinstance(body, Power) and isinstance(body.exponent, Number) and body.exponent.value in (4, 6, 8):
            half = Number(body.exponent.value / 2)
            instead = Power(replace(node, body=Power(body.base, half)), Number(body.exponent.value / half.value))
            says = f"{setting.write(node)} is the sum of the squares; the square of the sum is {setting.write(instead)}"
            yield Correction("sum_of_squares", instead, says, 1.05)
        if isinstance(body, Call) and len(body.arguments) == 1:
            instead = Call(body.function, (replace(node, body=body.arguments[0]),))
            name = setting.write(body.function)
            says = f"{setting.write(node)} is the sum of {name}; {name} of the sum is {setting.write(instead)}"
            yield Correction("function_of_sum", instead, says, 1.1)
        if isinstance(body, Quotient):
            instead = Quotient(replace(node, body=body.above), replace(node, body=body.below), body.barred)
            says = f"{setting.write(node)} is a sum of quotients; the quotient of the sums is {setting.write(instead)}"
            yield Correction("function_of_sum", instead, says, 1.4)
    inner = node.base if isinstance(node, Power) else None
    if isinstance(node, Power) and isinstance(inner, Summation):
        instead = replace(inner, body=Power(inner.body, node.exponent))
        says = f"{setting.write(node)} is the power of the sum; the sum of the powers is {setting.write(instead)}"
        yield Correction("sum_of_squares", instead, says, 1.1)
    if isinstance(node, Call) and len(node.arguments) == 1 and isinstance(node.arguments[0], Summation):
        total = node.arguments[0]
        instead = replace(total, body=Call(node.function, (total.body,)))
        says = f"{setting.write(node)} is a function of the sum; the sum of the function is {setting.write(instead)}"
        yield Correction("function_of_sum", instead, says, 1.2)


def lost_delta(node: Node, setting: Setting) -> Iterator[Correction]:
    """A 1 where delta_ij belongs, or delta_ij where 1 does."""
    if node == ONE:
        letters = sorted(setting.left_letters | setting.bound)
        for at, first in enumerate(letters):
            for second in letters[at + 1 :]:
                instead = Name("delta", below=(Name(first), Name(second)), typed_as="_")
                says = f"1 stands where {setting.write(instead)} belongs: only the case {first} = {second} has the 1"
                yield Correction("delta_missing", instead, says, 1.2)
    if isinstance(node, Name) and node.base == "delta" and len(node.below) == 2:
        yield Correction("stray_delta", ONE, f"{setting.write(node)} stands where 1 belongs", 1.4)


def jacobian_diagonal(node: Node, setting: Setting) -> Iterator[Correction]:
    """Only the diagonal of softmax's Jacobian: p_i (1 - p_i) for p_i (delta_ij - p_j)."""
    if not isinstance(node, Product) or len(node.factors) != 2:
        return
    first, second = node.factors
    if not (isinstance(first, Name) and second == Add((ONE, Negative(first)))):
        return
    says = f"{setting.write(node)} is only the diagonal of the Jacobian"
    if not first.below and setting.axes(first) == 1:
        whole = Add((Call(Name("diag"), (first,)), Negative(Product((first, Transpose(first)), ("",)))))
        yield Correction("jacobian_diagonal_only", whole, says, 0.8)
    mine = letter_of(first.below[0]) if len(first.below) == 1 else ""
    for other in setting.letters if mine else ():
        if other != mine:
            delta = Name("delta", below=(Name(mine), Name(other)), typed_as="_")
            there = rename_index(first, {mine: other})
            instead: Node = Product((first, Add((delta, Negative(there)))), node.signs)
            yield Correction("jacobian_diagonal_only", instead, says, 0.8)


def jacobian_summed(node: Node, setting: Setting) -> Iterator[Correction]:
    """A column of sums for a matrix: the rows of the Jacobian were added up."""
    if not isinstance(node, Matrix):
        return
    entries = node.rows[0] if len(node.rows) == 1 else tuple(row[0] for row in node.rows if len(row) == 1)
    rows = tuple(entry.terms for entry in entries if isinstance(entry, Add))
    if len(entries) < 2 or len(rows) != max(len(node.rows), len(node.rows[0])) or len({len(row) for row in rows}) != 1:
        return
    says = "the rows of the Jacobian were summed: their terms are the entries of a matrix"
    yield Correction("jacobian_rows_summed", Matrix(rows), says, 0.7)
    turned = tuple(zip(*rows, strict=True))
    yield Correction("jacobian_rows_summed", Matrix(turned), says, 0.75)


def row_summed(node: Node, setting: Setting) -> Iterator[Correction]:
    """A row of the Jacobian added up for one of its entries: p_1 (1 - p_1) - p_1 p_2 - p_1 p_3."""
    if not isinstance(node, Add) or len(node.terms) < 3 or setting.variable is None or not setting.variable.below:
        return
    for term in node.terms:
        says = f"the entries of a row of the Jacobian were summed; this one is {setting.write(term)}"
        yield Correction("jacobian_rows_summed", term, says, 0.8)


def cases_exchanged(node: Node, setting: Setting) -> Iterator[Correction]:
    """Two cases have each other's value."""
    if not isinstance(node, Cases) or len(node.branches) < 2:
        return
    (first, one), (second, other), *rest = node.branches
    says = f"the values of the cases are exchanged: {setting.write(first)} and {setting.write(second)}"
    yield Correction("cases_exchanged", Cases(((second, one), (first, other), *rest)), says, 0.9)
