"""`Derivation`: shows its result at the prompt; can be evaluated, verified, and written in many formats."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .expression import PI, names, walk
from .formats import NumpyCode, as_fragment, as_html, as_json, as_latex, as_markdown, as_mathml, as_numpy, as_text
from .formats.text import cases_of
from .indices import for_reading
from .limits import DeriveError, bounded
from .printing import text
from .proving import Values, evaluate, evaluate_program, prove
from .ranges import Ranges, ranges_of
from .result import DerivationResult

__all__ = ["Derivation"]

Array = npt.NDArray[Any]


@dataclass(repr=False)
class Derivation(DerivationResult):
    """A derivative with its derivation step by step, as returned by `derive`.

    At the prompt it shows its result, in index notation and in matrix notation, and whether it is proved; `print` shows
    every line. A notebook shows every line as mathematics.

    Attributes
    ----------
    steps : list of DerivationStep
        Every line, in order: ``left``, ``expression``, ``rule`` and the ``error`` of its proof. At the prompt, each
        is a line.
    index_form : str
        The result in index notation.
    matrix_form : str or None
        The result in matrix notation, where it has one; `no_matrix` says why not.
    matrix_rules : list of str
        The rules that led from the index form to the matrix form.
    proved : bool
        Whether every line, the result and the matrix form hold on numbers; `verdict` says so in a sentence.
    """

    def verify(self, seed: int = 0) -> bool:
        """Check every line again on random numbers drawn with a seed; return whether all lines hold."""
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
            The result; `layout` names its axes.
        """
        functions = {name: _GivenFunction(value) for name, value in arrays.items() if isinstance(value, tuple)}
        given = {name: np.asarray(value) for name, value in arrays.items() if name not in functions}
        inputs = {
            n for d in self.full_program.definitions for n in names(d.value) if self.full_program.defined(n) is None
        }
        inputs |= set(self.extra_arrays())
        if any(PI in walk(d.value) for d in self.full_program.definitions):
            given.setdefault("pi", np.asarray(np.pi))
        ranges = ranges_of(self.full_program, self.assumptions)
        lengths = _lengths(given, ranges)
        for name, array, axis in self.program.lengths:
            if (root := ranges.root((array, axis))) in lengths:
                given.setdefault(name, np.asarray(lengths[root][0]))
        missing = sorted(n for n in inputs if n not in given and not n.startswith("1:"))
        if missing:
            raise DeriveError(f"{missing[0]} is missing, expected an array for each of {', '.join(sorted(inputs))}.")
        roots = {label: ranges.root(("range", label)) for label in self.program.labels}
        classes = {label: _classes(label, given[label], lengths.get(root)) for label, root in roots.items()}
        with np.errstate(all="ignore"):  # inf and nan are results, as in NumPy
            values = evaluate_program(self.full_program, Values(given, {}, functions, classes))
            sizes = {
                x: n for name, letters in self.cells() for x, n in zip(letters, values.arrays[name].shape, strict=True)
            }
            return evaluate(self.expression, Values(values.arrays, sizes, functions, classes), self.axes)

    def cases(self) -> dict[str, str]:
        """Return the result in each case of its Kronecker deltas: ``{"i = y": "p_y - 1", "i != y": "p_i"}``."""
        return {when: text(for_reading(value)) for when, value in cases_of(self.expression)}

    def numpy(self) -> NumpyCode:
        """Return the result as the source of a Python function, which can also be called."""
        return as_numpy(self)

    def latex(self, *, steps: bool = False) -> str:
        """Return the right side of the result (in matrix form where it has one), or every line, as LaTeX."""
        return as_latex(self, steps=steps)

    def mathml(self) -> str:
        """Return the right side of the result (in matrix form where it has one) as MathML."""
        return as_mathml(self)

    def html(self) -> str:
        """Return a whole page of HTML with every line; it opens from disk."""
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

    def __repr__(self) -> str:
        matrix = f"no matrix form: {self.no_matrix}"
        if self.matrix is not None:
            matrix = f"{self.matrix_name} = {self.matrix_form}"
        proof = "proved: every line and the result hold on random numbers" if self.proved else self.verdict
        return "\n".join(filter(None, [f"{self.name} = {self.index_form}", matrix, self.unused_note, proof]))

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return as_fragment(self)


Lengths = dict[Any, tuple[int, str]]
"""The length of each range, and the array that has it."""


def _lengths(given: Mapping[str, Array], ranges: Ranges) -> Lengths:
    """Read the length of each range off the arrays; refuse arrays that don't fit together."""
    found: Lengths = {}
    for name, array in given.items():
        count = ranges.arity.get(name, array.ndim)
        if array.ndim != count:
            raise DeriveError(f"{name} has {array.ndim} axes, expected {count}.")
        for axis, length in enumerate(array.shape):
            other, first = found.setdefault(ranges.root((name, axis)), (length, name))
            if length != other:
                what = f"{name} has the length {length} along axis {axis}"
                raise DeriveError(f"{what}, expected {other}, the length of {first} along the same index.")
    return found


def _classes(label: str, numbers: Array, length: tuple[int, str] | None) -> int:
    """Return the number of classes of a label; refuse what is no class number."""
    if not np.issubdtype(numbers.dtype, np.integer):
        what = f"{label} is of the type {numbers.dtype}"
        raise DeriveError(f"{what}, expected class numbers, which are whole numbers counted from 0.")
    smallest, largest = int(numbers.min(initial=0)), int(numbers.max(initial=0))
    count = largest + 1 if length is None else length[0]
    if smallest < 0 or largest >= count:
        what = f"{label} has the class {largest if largest >= count else smallest}"
        raise DeriveError(f"{what}, expected class numbers from 0 to {count - 1}.")
    return count


class _GivenFunction:
    """An open function given as callables, one for each order of derivative."""

    def __init__(self, functions: tuple[Any, ...]) -> None:
        self.functions = functions

    def __call__(self, x: Array, order: int) -> Array:
        if order >= len(self.functions):
            raise DeriveError(
                f"The derivative of order {order} of an unspecified function is needed, got {len(self.functions)} "
                "functions."
            )
        result: Array = self.functions[order](x)
        return result
