"""Derivation: a derivative with the way that led to it, and all its dresses.

`derive` reads equations, walks the chain rule, finds the matrix form, and proves every line on numbers before it
returns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ExpressionError
from .chain import Cell, Chain, Claim, Line, apart, letters_for, shown
from .draw import run
from .evaluate import Values, evaluate
from .expression import PI, Definition, Delta, Expr, Label, Program, Tensor, for_reading, free_indices, names, walk
from .limits import DeriveError, bounded
from .matrices import Matrix, leaves
from .matrix_form import NoMatrixFormError, one_hot_name, shortest_matrix_form
from .printing import mathml, matrix_mathml, matrix_text, text
from .recognise import Assumption, written_sigmoids
from .writing import NumpyCode, as_html, as_json, as_latex, as_markdown, as_numpy, as_text

MOST_ORDERS = 4
"""As often something is differentiated."""
TOLERANCE = 1e-8
"""The largest relative difference that passes as a proof, in float64."""

__all__ = ["Derivation", "DeriveError", "derive_program"]

Array = npt.NDArray[Any]


@dataclass
class Derivation:
    """A derivative, step by step.

    Attributes
    ----------
    program : Program
        The equations as they were understood.
    claim : Claim
        What the result is the derivative of, in which equations.
    steps : list of Line
        Every line, in order.
    expression : Expr
        The result in index notation.
    matrix : Matrix or None
        The result in matrix notation, where it has one; `no_matrix` says why not.
    matrix_rules : list of str
        How it came from the index form.
    times : str or None
        The array that the result was multiplied by.
    axes : tuple of str
        The letters of the result: those of what is differentiated, then those of what it is differentiated by.
    error, matrix_error : float
        Of the result against the complex step, of the matrix form against the index form; NaN before the proof.
    """

    program: Program
    of: str
    wrt: tuple[Cell, ...]
    claim: Claim
    steps: list[Line]
    expression: Expr
    axes: tuple[str, ...]
    assumptions: tuple[Assumption, ...] = ()
    times: str | None = None
    named: tuple[Definition, ...] = ()
    matrix: Matrix | None = None
    matrix_rules: list[str] = field(default_factory=list)
    no_matrix: str | None = None
    error: float = float("nan")
    matrix_error: float = float("nan")

    tolerance = TOLERANCE

    @property
    def name(self) -> str:
        """What was derived: ``dL/dz_i``."""
        return self.steps[-1].left

    @property
    def matrix_name(self) -> str:
        """What was derived, without indices: ``dL/dz``."""
        if len(self.wrt) == 1:
            name = f"d{self.of}/d{self.wrt[0][0]}"
        else:
            name = f"d2{self.of}/(d{' d'.join(lower for lower, _ in self.wrt)})"
        return name if self.times is None else f"{name} times {self.times}"

    @property
    def layout(self) -> str:
        """What the axes of the result are: those of what is differentiated, then of what by."""
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
        """The result in matrix notation, as text; None where it has none."""
        return None if self.matrix is None else matrix_text(self.matrix)

    @property
    def full_program(self) -> Program:
        """The equations, with what was named on the way and first derivatives that are differentiated again."""
        known = self.claim.program.definitions
        return Program((*known, *(d for d in self.named if d not in known)), self.program.labels)

    @property
    def proved(self) -> bool:
        """Whether every line, the result and the matrix form have been measured and hold."""
        errors = [line.error for line in self.steps] + [self.error]
        errors += [self.matrix_error] if self.matrix is not None else []
        return all(error <= self.tolerance for error in errors)

    @property
    def verdict(self) -> str:
        """One sentence on the proof."""
        errors = [line.error for line in self.steps] + [self.error]
        errors += [self.matrix_error] if self.matrix is not None else []
        if any(error != error for error in errors):
            return "Not proved yet: call verify()."
        if not self.proved:
            return f"FAILED: a line disagrees with its proof by {max(errors):.0e}. Don't trust this; please report it."
        return (
            f"Proved: {len(self.steps)} lines and the result hold on random numbers of several sizes, "
            f"to {max(errors):.0e} (complex step)."
        )

    def verify(self, seed: int = 0) -> bool:
        """Measure every line on random numbers again; return whether all hold.

        Parameters
        ----------
        seed : int, default=0
            Of the numbers.

        Returns
        -------
        bool
        """
        from .proof import prove

        with bounded():
            return prove(self, seed)

    def evaluate(self, **arrays: Any) -> Array:
        """Return the result on arrays given by name: the inputs of the equations.

        Parameters
        ----------
        **arrays : array_like
            Every input. An open function f is a tuple of callables, f and its derivatives.

        Returns
        -------
        array
            Its axes as `layout` says.
        """
        functions = {name: _Given(value) for name, value in arrays.items() if isinstance(value, tuple)}
        given = {name: np.asarray(value) for name, value in arrays.items() if name not in functions}
        inputs = {
            n for d in self.full_program.definitions for n in names(d.value) if self.full_program.defined(n) is None
        }
        inputs |= set(self.extra_arrays())
        if any(PI in walk(d.value) for d in self.full_program.definitions):
            given.setdefault("pi", np.asarray(np.pi))
        missing = sorted(n for n in inputs if n not in given and not n.startswith("1:"))
        if missing:
            raise DeriveError(f"{missing[0]} is missing, expected an array for each of {', '.join(sorted(inputs))}.")
        ranges = {label: int(given[label].max()) + 1 for label in self.program.labels}
        values = run(self.full_program, Values(given, {}, functions, ranges))
        sizes = {
            x: n for name, letters in self.cells() for x, n in zip(letters, values.arrays[name].shape, strict=True)
        }
        return evaluate(self.expression, Values(values.arrays, sizes, functions, ranges), self.axes)

    def numpy(self) -> NumpyCode:
        """Return the result as the source of a Python function, which can also be called."""
        return as_numpy(self)

    def latex(self, *, steps: bool = False) -> str:
        """Return the result, or every line, as LaTeX."""
        return as_latex(self, steps=steps)

    def mathml(self) -> str:
        """Return the result as MathML."""
        return mathml(for_reading(self.expression)) if self.matrix is None else matrix_mathml(self.matrix)

    def html(self) -> str:
        """Return every line as HTML."""
        return as_html(self)

    def markdown(self) -> str:
        """Return every line as Markdown."""
        return as_markdown(self)

    def json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return as_json(self)

    def text(self, *, cases: bool = False) -> str:
        """Return every line as text; with `cases`, each Kronecker delta as its two cases."""
        return as_text(self, cases=cases)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def cells(self) -> tuple[Cell, ...]:
        """Return the arrays whose shapes give the sizes of the result's letters."""
        return (self.claim.upper, *self.wrt)

    def size_arrays(self) -> list[str]:
        """Return the arrays that the code of the result reads sizes from, where nothing else has them."""
        carried = set(free_indices(self.expression)) & {
            index for part in walk(self.expression) if isinstance(part, Tensor) for index in part.indices
        }
        return list(dict.fromkeys(name for name, letters in self.wrt if set(letters) & set(self.axes) - carried))

    def extra_arrays(self) -> dict[str, str]:
        """Return arrays that stand in no equation, each with the one whose shape it has."""
        return {} if self.times is None else {self.times: self.wrt[-1][0]}

    def one_hot(self) -> dict[str, str]:
        """Return the labels of the equations with the names of their one-hot matrices."""
        return {label: one_hot_name(Label(label, ())) for label in sorted(self.program.labels)}

    def one_hot_used(self) -> dict[str, str]:
        """Return those that stand in the matrix form."""
        shown = set() if self.matrix is None else {m.name for m in leaves(self.matrix)}
        return {label: name for label, name in self.one_hot().items() if name in shown}


class _Given:
    """An open function given as callables, one for each order of derivative."""

    def __init__(self, functions: tuple[Any, ...]) -> None:
        self.functions = functions

    def __call__(self, x: Array, order: int) -> Array:
        if order >= len(self.functions):
            raise DeriveError(
                f"The derivative of order {order} of an open function is needed, got {len(self.functions)} functions."
            )
        result: Array = self.functions[order](x)
        return result


def derive_program(
    program: Program,
    of: str | None,
    wrt: Sequence[tuple[str, tuple[str, ...] | None]],
    assumptions: Sequence[Assumption] = (),
    times: str | None = None,
    keep: frozenset[str] = frozenset(),
) -> Derivation:
    """Derive the derivative of `of` by one array after another; not yet proved.

    Parameters
    ----------
    program : Program
    of : str or None
        The name that is differentiated; None for the one that nothing else uses.
    wrt : sequence of (name, letters or None)
        One for a gradient or a Jacobian, two for a Hessian; letters of the cell, chosen where None.
    assumptions : sequence of (left, right)
    times : str, optional
        An array of the last array's shape, to multiply the result by.
    keep : frozenset of str
        Arrays whose derivative gets a name on the way; see `Chain`.

    Returns
    -------
    Derivation

    Raises
    ------
    DeriveError
        If a name is not in the equations, or `of` is needed and not given.
    """
    given = program
    program = Program(
        tuple(Definition(d.name, d.indices, written_sigmoids(d.value)) for d in given.definitions), given.labels
    )
    of = _of(program, of)
    _check(program, of, wrt, times)
    chain = Chain(program, tuple(assumptions), keep=keep)
    current, label, cells = of, of, list[Cell]()
    result: Expr | None = None
    for position, (name, letters) in enumerate(wrt):
        top = chain.program.defined(current)
        if top is None:
            raise DeriveError(f"{current} is not defined by an equation, expected one of {_defined(program)}.")
        at = _cell(chain.program, name, letters, set(top.indices))
        cells.append((name, at))
        claim = Claim(chain.program, (current, top.indices), (name, at))
        result = chain.recognise(chain.gradient(current, label, name, at))
        if position + 1 < len(wrt):
            left = chain.lines[-1].left
            current, label = f"{left}", f"({left})"
            definition = Definition(current, claim.axes, result)
            known = chain.program.definitions
            chain.program = Program((*known, *(d for d in chain.named if d not in known), definition), program.labels)
    assert result is not None
    axes = claim.axes
    if times is not None:
        result = chain.times(
            f"{chain.lines[-1].left} times {shown(times, cells[-1][1])}", result, cells[-1][1], times, claim
        )
        axes = axes[: len(axes) - len(cells[-1][1])]
    derivation = Derivation(
        given, of, tuple(cells), claim, chain.lines, result, axes, tuple(assumptions), times, tuple(chain.named)
    )
    if not any(isinstance(part, Tensor | Delta) and free_indices(part) for part in walk(result)):
        derivation.no_matrix = "it has no index: the index form says it all"
        return derivation
    derivation.no_matrix = _clash(given)
    if derivation.no_matrix is not None:
        return derivation
    try:
        forms = [result, *chain.forms(result)]
        derivation.matrix, derivation.matrix_rules = shortest_matrix_form(forms, axes)
    except NoMatrixFormError as error:
        derivation.no_matrix = str(error)
    return derivation


def _check(program: Program, of: str, wrt: Sequence[tuple[str, tuple[str, ...] | None]], times: str | None) -> None:
    """Refuse what has no derivation worth printing."""
    if not wrt:
        raise DeriveError("wrt is empty, expected the name of what to differentiate by.")
    if len(wrt) > MOST_ORDERS:
        raise DeriveError(f"wrt has {len(wrt)} names, expected at most {MOST_ORDERS}.")
    if any(name == of for name, _ in wrt):
        raise DeriveError(f"{of} can't be differentiated by itself. Name what to differentiate by, or use of=.")
    if times is None:
        return
    letters, like = letters_for(program, times, set()), letters_for(program, wrt[-1][0], set())
    if not times.replace("'", "").isidentifier():
        raise DeriveError(f"times is {times!r}, expected the name of an array.")
    if program.defined(times) is not None or (letters is not None and like is not None and len(letters) != len(like)):
        raise DeriveError(f"times is {times}, expected an array of the shape of {wrt[-1][0]} that no equation defines.")


def _clash(program: Program) -> str | None:
    """Say which one-hot matrix would go by the name of another array, if one would."""
    taken = {d.name for d in program.definitions} | {n for d in program.definitions for n in names(d.value)}
    for label in sorted(program.labels):
        name = one_hot_name(Label(label, ()))
        if name in taken:
            return f"the one-hot matrix of {label} would be called {name}, which is another array"
    return None


def _of(program: Program, of: str | None) -> str:
    if of is not None:
        if program.defined(of) is None:
            raise ExpressionError(f"no equation defines {of}, expected one of {_defined(program)}", of)
        return of
    used = {name for d in program.definitions for name in names(d.value)}
    last = [d.name for d in program.definitions if d.name not in used]
    if len(last) != 1:
        raise DeriveError(f"{len(last)} equations are used by no other ({', '.join(last)}): say which one, by of=.")
    return last[0]


def _cell(program: Program, name: str, given: tuple[str, ...] | None, taken: set[str]) -> tuple[str, ...]:
    own = letters_for(program, name, taken)
    if own is None:
        inputs = {part.name for d in program.definitions for part in walk(d.value) if isinstance(part, Tensor)}
        inputs |= {d.name for d in program.definitions}
        raise ExpressionError(f"there is no {name} in the equations, expected one of {', '.join(sorted(inputs))}", name)
    if given is None:
        return own
    if len(given) != len(own):
        raise ExpressionError(f"{name} has {len(own)} indices, got {len(given)}", shown(name, given))
    return apart(given, taken)


def _defined(program: Program) -> str:
    return ", ".join(d.name for d in program.definitions)
