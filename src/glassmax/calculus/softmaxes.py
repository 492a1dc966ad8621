"""A softmax that is written out, ``exp(z_i) / sum_k exp(z_k)``: recognized where large numbers must not overflow."""

from .expression import MINUS_ONE, Call, Expr, Mul, Pow, Sum
from .indices import free_indices, rename

__all__ = ["softmax_of"]


def softmax_of(e: Expr) -> tuple[Expr, str] | None:
    """Return the argument of a softmax and the letter that the softmax runs over; None for any other expression."""
    match e:
        case Mul((Call("exp", argument, 0), Pow(Sum((bound,), Call("exp", below, 0)), power))) if power == MINUS_ONE:
            axes = [letter for letter in free_indices(argument) if letter not in free_indices(e.factors[1])]
            return (argument, axes[0]) if len(axes) == 1 and rename(argument, {axes[0]: bound}) == below else None
        case _:
            return None
