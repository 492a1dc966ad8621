"""A derivation as the source of a NumPy function, which can be called as well."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..expression import (
    KNOWN_FUNCTIONS,
    PI,
    Call,
    Definition,
    Expr,
    Label,
    Tensor,
    indices_of,
    map_children,
    names,
    walk,
)
from ..indices import for_reading, is_ones
from ..limits import DeriveError
from ..matrix import NoMatrixFormError, matrix_form
from ..printing import function_name, matrix_numpy, needed_helpers, numpy_expression, python_name
from ..ranges import ranges_of
from ..result import DerivationResult
from ..softmaxes import softmax_of

__all__ = ["NumpyCode", "as_numpy", "known_sizes"]


SOFTMAX = """\
def softmax(z, axis=-1):
    powers = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)
"""
MAY_WARN = r"np\.(?:exp|log|sqrt)\(|\*\* (?!\d)|/ (?!(?:{scalars})\b)"
"""Code that gives inf or nan with a warning for some entries of arrays; it is told to give them without."""


UNKNOWN = "length_of_axis"
"""What stands for a length that no input has, until it is known whether the code needs the length."""


class NumpyCode(str):
    r"""Source of one Python function, and the function itself: print it, or call it with the arrays by name.

    Examples
    --------
    >>> code = NumpyCode("def f(x):\n    return 2 * x\n")
    >>> code(x=3)
    6
    """

    def __call__(self, **arrays: Any) -> Any:
        """Run the function on arrays given by name."""
        scope: dict[str, Any] = {}
        exec(str(self), scope)  # our own source, made from checked names
        last = re.findall(r"^def (\w+)\(", self, re.M)[-1]
        lists = {name: np.asarray(a) for name, a in arrays.items() if isinstance(a, list | tuple)}
        return scope[last](**arrays | lists)

    def __repr__(self) -> str:
        return str(self)


def as_numpy(d: DerivationResult) -> NumpyCode:
    """Write the result as a Python function of the equations' inputs."""
    needed = names(d.expression)
    definitions: list[Definition] = []
    for definition in reversed(d.full_program.definitions):
        if definition.name in needed:
            definitions.insert(0, definition)
            needed |= names(definition.value)
    bodies = [d.expression, *(x.value for x in definitions)]
    constants = {"pi"} if any(PI in walk(e) for e in bodies) else set()
    lengths = [length for length in d.program.lengths if length[0] in needed]
    made = {*(x.name for x in definitions), *constants, *(name for name, _, _ in lengths)}
    given = sorted(n for n in needed if not _is_along(n) and n not in made)
    sizes = _Sizes(d, given)
    lines = ["    pi = np.pi"] if constants else []
    lines += [f"    {python_name(name)} = {sizes.of(array, axis)}" for name, array, axis in lengths]
    along = sorted({n for e in bodies for n in names(e) if _is_along(n)})
    lines += [f"    {_ones_name(n)} = np.ones({sizes.along(n)})" for n in along]
    lines += [f"    {python_name(x.name)} = {_definition_code(x, sizes)}" for x in definitions]
    if not d.program.fixed():
        lines += [f"    {name} = np.eye({sizes.classes(label)})[{label}]" for label, name in d.one_hot_used().items()]
    lines.append(f"    return {_result_code(d, sizes.of_letters())}")
    opened = sorted({function_name(f, o) for e in bodies for f, o in _open_functions(e)})
    _refuse(lines, given, opened)
    measured = [n for n in sizes.inputs if any(re.search(rf"\b{python_name(n)}\.shape", line) for line in lines)]
    parameters = [*map(python_name, dict.fromkeys([*given, *measured])), *opened]
    softmaxes = [SOFTMAX] if any("= softmax(" in line for line in lines) else []
    helpers = "\n".join(dict.fromkeys([*softmaxes, *filter(None, (needed_helpers(for_reading(e)) for e in bodies))]))
    function = re.sub(r"\W", "_", f"d{d.of}_d{'_d'.join(name for name, _ in d.wrt)}")
    head = ["import numpy as np", "", *([helpers.rstrip(), ""] if helpers else []), ""]
    scalars = [python_name(n) for n, count in sizes.ranges.arity.items() if not count]
    warns = re.search(MAY_WARN.format(scalars="|".join([r"\d+", *map(re.escape, scalars)])), "\n".join(lines))
    head += ['@np.errstate(all="ignore")'] if warns else []
    head += [f"def {function}({', '.join(parameters)}):", f'    """{d.name}, {d.layout}."""']
    return NumpyCode("\n".join([*head, *lines]) + "\n")


def _refuse(lines: Sequence[str], given: Sequence[str], opened: Sequence[str]) -> None:
    """Refuse code that could not run: a length is unknown, or two arguments would have the same name."""
    for line in lines:
        if found := re.search(rf"{UNKNOWN}\((\d+), ([^)]*)\)", line):
            axis, name = found.groups()
            what = f"There is no NumPy code: the length of axis {axis} of {name} can't be read off an input"
            raise DeriveError(f"{what}, because only deltas have its index. Write a sum or a product with an array.")
    for name in given:
        if python_name(name) in opened:
            what = f"There is no NumPy code: {python_name(name)} would be the name of an array and of a function"
            raise DeriveError(f"{what}. Give the array another name.")


class _Sizes:
    """Code for the lengths of axes, read off inputs of the equations, first off those that the code takes anyway."""

    def __init__(self, d: DerivationResult, given: Sequence[str]) -> None:
        self.d, self.ranges = d, ranges_of(d.full_program, d.assumptions)
        inputs = sorted(n for n in self.ranges.arity if d.full_program.defined(n) is None and not _is_along(n))
        self.inputs = [*given, *(n for n in inputs if n not in given)]

    def of(self, name: str, axis: int) -> str:
        """Return code for the length of an axis of an array, which may be defined by an equation."""
        return self._length((name, axis)) or f"{UNKNOWN}({axis}, {name})"

    def of_letters(self) -> dict[str, str]:
        """Return code for the sizes of the letters of the result."""
        return {letter: self.of(name, axis) for name, letters in self.d.cells() for axis, letter in enumerate(letters)}

    def along(self, ones: str) -> str:
        """Return code for the length of a vector of ones."""
        _, array, axis = ones.split(":")
        return self.of(array, int(axis))

    def classes(self, label: str) -> str:
        """Return code for the number of classes of a label: the largest class may be missing from the labels."""
        return self._length(("range", label)) or f"int({label}.max()) + 1"

    def _length(self, place: tuple[str, int | str]) -> str | None:
        """Return code for the length of a range, if an input has it."""
        for array in self.inputs:
            for axis in range(self.ranges.arity.get(array, 0)):
                if self.ranges.root((array, axis)) == self.ranges.root(place):
                    return f"{python_name(array)}.shape[{axis}]"
        return None


def _is_along(name: str) -> bool:
    """Whether an array is a vector of ones along an axis of another."""
    return name.startswith("1:")


def known_sizes(d: DerivationResult) -> dict[str, str]:
    """Return code for the sizes of the letters of the result, read off the inputs of the equations."""
    return _Sizes(d, sorted(names(d.expression))).of_letters()


def _result_code(d: DerivationResult, sizes: dict[str, str]) -> str:
    if d.matrix is not None and not d.program.fixed():  # one entry of an array needs no vector of zeros and a one
        try:
            return matrix_numpy(d.matrix, sizes)
        except ValueError:
            pass
    return numpy_expression(_with_ones_named(d.expression), d.axes, sizes)


def _ones_name(name: str) -> str:
    _, array, position = name.split(":")
    return f"ones_{python_name(array)}_{position}"


def _with_ones_named(e: Expr) -> Expr:
    if is_ones(e) and isinstance(e, Tensor):
        return Tensor(_ones_name(e.name), e.indices)
    return map_children(e, _with_ones_named)


def _definition_code(definition: Definition, sizes: "_Sizes") -> str:
    """Write the right side of an equation; a softmax in a form that doesn't overflow."""
    axes = definition.indices
    known = {letter: sizes.of(definition.name, at) for at, letter in enumerate(axes)}
    softmax = softmax_of(definition.value)
    if softmax is None:
        return _code(definition.value, axes, known)
    argument, axis = softmax
    where = "" if axis == axes[-1] else f", axis={axes.index(axis)}"
    return f"softmax({_code(argument, axes, known)}{where})"


def _code(e: Expr, axes: tuple[str, ...], sizes: dict[str, str]) -> str:
    """Write a definition's right side, in matrix notation where it has one and needs no one-hot matrix."""
    labels = any(isinstance(index, Label) for part in walk(e) for index in indices_of(part))
    if len(axes) <= 2 and not labels:
        try:
            return matrix_numpy(matrix_form(e, axes, []), sizes)
        except (NoMatrixFormError, ValueError):
            pass
    return numpy_expression(_with_ones_named(e), axes, sizes)


def _open_functions(e: Expr) -> Iterator[tuple[str, int]]:
    for part in walk(e):
        if isinstance(part, Call) and part.function not in KNOWN_FUNCTIONS:
            yield part.function, part.order
