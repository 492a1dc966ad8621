"""The lines of a derivation, and the derivative with which each of them is compared."""

from dataclasses import dataclass

from .cells import Cell, shown
from .expression import Expr, Program
from .indices import for_reading
from .printing import text

__all__ = ["Claim", "DerivationStep", "Steps"]


@dataclass(frozen=True, repr=False)
class Claim:
    """The derivative of one array by another in a program; lines with the same left side are all equal to it.

    The lower array is taken as given, even if the program defines it.
    """

    program: Program
    upper: Cell  # for dL/dz_j: ("L", ())
    lower: Cell  # ("z", ("j",))

    @property
    def axes(self) -> tuple[str, ...]:
        """The letters of the result."""
        return (*self.upper[1], *self.lower[1])

    def step(self, left: str, expression: Expr, rule: str) -> "DerivationStep":
        """Return a line that can be measured against this claim."""
        return DerivationStep(left, expression, rule, self.axes, (self.upper, self.lower), self)

    def __repr__(self) -> str:
        return f"d{shown(*self.upper)}/d{shown(*self.lower)}"


@dataclass(repr=False)
class DerivationStep:
    """One line of a derivation: ``left = expression``, and the rule that made it from the line before.

    Consecutive lines with the same `left` are equal. `error` is the largest relative difference from the line before
    and from the claim; it is NaN before the proof.
    """

    left: str
    expression: Expr
    rule: str
    axes: tuple[str, ...]  # the letters of the left side
    cells: tuple[Cell, ...]  # arrays whose shape gives the sizes of those letters
    claim: Claim | None = None
    error: float = float("nan")

    def __str__(self) -> str:
        return f"{self.left} = {text(for_reading(self.expression))}"

    def __repr__(self) -> str:
        return f"{self}  ({self.rule})"


class Steps(list[DerivationStep]):
    """The lines of a derivation; at the prompt, each is a line."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))
