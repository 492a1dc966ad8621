"""The result of a derivation, as data: the derivative, the lines that led to it, and how far each is proved."""

from dataclasses import dataclass, field, replace

from .cells import Cell
from .expression import Assumption, Definition, Expr, Program
from .indices import for_reading
from .matrix import Matrix, one_hot_name
from .matrix.nodes import leaves
from .printing import equality, matrix_text, text
from .steps import Claim, Steps

__all__ = ["DerivationResult"]

TOLERANCE = 1e-8
"""The largest relative difference that passes as a proof, in float64."""


@dataclass(repr=False)
class DerivationResult:
    """A derivative, with the lines that led to it."""

    program: Program  # the equations as they were understood
    of: str  # the array that is differentiated
    wrt: tuple[Cell, ...]  # the arrays to differentiate with respect to, in this order
    claim: Claim  # the derivative that the result is claimed to equal
    steps: Steps
    expression: Expr
    axes: tuple[str, ...]  # the letters of `of`, then those of each array in `wrt`
    assumptions: tuple[Assumption, ...] = ()
    times: str | None = None  # the array that the result is multiplied by
    named: tuple[Definition, ...] = ()  # parts that were given a name: dZ1, or a softmax that no equation names
    matrix: Matrix | None = None
    matrix_rules: list[str] = field(default_factory=list)
    no_matrix: str | None = None  # why there is no matrix form
    unused: tuple[Assumption, ...] = ()  # assumptions that no line makes use of
    error: float = float("nan")  # relative difference from the complex step; NaN before the proof
    matrix_error: float = float("nan")  # of the matrix form from the index form

    tolerance = TOLERANCE

    @property
    def name(self) -> str:
        """The derivative with its indices: ``dL/dz_i``."""
        return self.steps[-1].left

    @property
    def matrix_name(self) -> str:
        """The derivative without indices: ``dL/dz``."""
        if len(self.wrt) == 1:
            name = f"d{self.of}/d{self.wrt[0][0]}"
        else:
            name = f"d2{self.of}/(d{' d'.join(lower for lower, _ in self.wrt)})"
        return name if self.times is None else f"{name} times {self.times}"

    @property
    def layout(self) -> str:
        """The axes of the result: first of the differentiated array, then of the arrays in the denominator."""
        lower = [name for name, _ in self.wrt[: len(self.wrt) - (self.times is not None)]]
        top = self.program.defined(self.of)
        names_of = ([self.of] if top is not None and top.indices else []) + lower
        return f"of the shape of {', then '.join(names_of)}" if names_of else "a number"

    @property
    def index_form(self) -> str:
        """The result in index notation, as text."""
        return text(for_reading(self.expression))

    @property
    def matrix_form(self) -> str | None:
        """The result in matrix notation, as text; None if there is no matrix form."""
        return None if self.matrix is None else matrix_text(self.matrix)

    @property
    def full_program(self) -> Program:
        """The equations, with what was named on the way and first derivatives that were differentiated again."""
        known = self.claim.program.definitions
        return replace(self.program, definitions=(*known, *(d for d in self.named if d not in known)))

    @property
    def proved(self) -> bool:
        """Whether every line, the result and the matrix form have been measured and hold."""
        errors = [step.error for step in self.steps] + [self.error]
        errors += [self.matrix_error] if self.matrix is not None else []
        return all(error <= self.tolerance for error in errors)

    @property
    def verdict(self) -> str:
        """One sentence on the proof."""
        errors = [step.error for step in self.steps] + [self.error]
        errors += [self.matrix_error] if self.matrix is not None else []
        if any(error != error for error in errors):
            return "Not proved yet: call verify()."
        if not self.proved:
            return f"FAILED: a line disagrees with its proof by {max(errors):.0e}. Don't trust this; please report it."
        return (
            f"Proved: {len(self.steps)} lines and the result hold on random numbers of several sizes, "
            f"to {max(errors):.0e} (complex step)."
        )

    @property
    def unused_note(self) -> str:
        """A sentence on assumptions that no line makes use of; empty if there are none."""
        return f"Assumed, but not used: {'; '.join(map(equality, self.unused))}." if self.unused else ""

    def cells(self) -> tuple[Cell, ...]:
        """Return the arrays whose shapes give the sizes of the letters of the result."""
        return (self.claim.upper, *self.wrt)

    def extra_arrays(self) -> dict[str, str]:
        """Return arrays that are in no equation, each with the array whose shape it has."""
        return {} if self.times is None else {self.times: self.wrt[-1][0]}

    def one_hot(self) -> dict[str, str]:
        """Return the labels of the equations with the names of their one-hot matrices; a fixed one has a vector."""
        fixed = self.program.fixed()
        return {label: one_hot_name(label, fixed=label in fixed) for label in sorted(self.program.labels)}

    def one_hot_used(self) -> dict[str, str]:
        """Return the one-hot matrices and vectors that occur in the matrix form."""
        shown = set() if self.matrix is None else {m.name for m in leaves(self.matrix)}
        return {label: name for label, name in self.one_hot().items() if name in shown}
