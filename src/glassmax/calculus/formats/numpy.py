"""A derivation as the source of a NumPy function, which can be called as well."""

import re
from collections.abc import Collection, Iterator
from typing import Any

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
from ..indices import for_reading, is_ones, positions
from ..matrix import NoMatrixFormError, matrix_form
from ..printing import function_name, matrix_numpy, needed_helpers, numpy_expression, python_name
from ..ranges import ranges_of
from ..result import DerivationResult

__all__ = ["NumpyCode", "as_numpy", "known_sizes"]


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
        return scope[last](**arrays)

    def __repr__(self) -> str:
        return str(self)


def as_numpy(d: DerivationResult) -> NumpyCode:
    """Write the result as a Python function of the equations' inputs."""
    needed = names(d.expression)
    definitions: list[Definition] = []
    for definition in reversed(d.full_program.definitions):
        if definition.name in needed and "/" not in definition.name:
            definitions.insert(0, definition)
            needed |= names(definition.value)
    bodies = [d.expression, *(x.value for x in definitions)]
    constants = {"pi"} if any(PI in walk(e) for e in bodies) else set()
    parameters = sorted(
        n for n in needed if not n.startswith("1:") and n not in {x.name for x in definitions} and n not in constants
    )
    needed_for_size = [n for n in d.size_arrays() if n not in parameters and n not in {x.name for x in definitions}]
    there = {*parameters, *needed_for_size, *(x.name for x in definitions)}
    parameters = [python_name(n) for n in [*parameters, *needed_for_size]]
    opened = sorted({function_name(f, o) for e in bodies for f, o in _open_functions(e)})
    lines = ["import numpy as np", ""]
    helpers = "\n".join(dict.fromkeys(h for e in bodies for h in [needed_helpers(for_reading(e))] if h))
    if helpers:
        lines += [helpers.rstrip(), ""]
    function = re.sub(r"\W", "_", f"d{d.of}_d{'_d'.join(name for name, _ in d.wrt)}")
    lines += ["", f"def {function}({', '.join([*parameters, *opened])}):", f'    """{d.name}, {d.layout}."""']
    lines += ["    pi = np.pi"] if constants else []
    lines += [f"    {python_name(x.name)} = {_code(x.value, x.indices, {})}" for x in definitions]
    if not d.program.fixed():
        lines += [f"    {name} = np.eye({_classes(d, label)})[{label}]" for label, name in d.one_hot_used().items()]
    along = sorted({n for e in bodies for n in names(e) if n.startswith("1:")})
    lines += [f"    {_ones_name(n)} = np.ones({_ones_size(n)})" for n in along]
    lines.append(f"    return {_result_code(d, there)}")
    return NumpyCode("\n".join(lines) + "\n")


def _result_code(d: DerivationResult, there: Collection[str]) -> str:
    sizes = known_sizes(d, there)
    if d.matrix is not None and not d.program.fixed():  # one entry of an array needs no vector of zeros and a one
        try:
            return matrix_numpy(d.matrix, sizes)
        except ValueError:
            pass
    return numpy_expression(_with_ones_named(d.expression), d.axes, sizes)


def _ones_name(name: str) -> str:
    _, array, position = name.split(":")
    return f"ones_{python_name(array)}_{position}"


def _ones_size(name: str) -> str:
    _, array, position = name.split(":")
    return f"{python_name(array)}.shape[{position}]"


def _with_ones_named(e: Expr) -> Expr:
    if is_ones(e) and isinstance(e, Tensor):
        return Tensor(_ones_name(e.name), e.indices)
    return map_children(e, _with_ones_named)


def _code(e: Expr, axes: tuple[str, ...], sizes: dict[str, str]) -> str:
    """Write a definition's right side, in matrix notation where it has one and needs no one-hot matrix."""
    labels = any(isinstance(index, Label) for part in walk(e) for index in indices_of(part))
    if len(axes) <= 2 and not labels:
        try:
            return matrix_numpy(matrix_form(e, axes, []), sizes)
        except (NoMatrixFormError, ValueError):
            pass
    return numpy_expression(e, axes, sizes)


def known_sizes(d: DerivationResult, there: Collection[str] | None = None) -> dict[str, str]:
    """Return code for the sizes of the letters of the result, read off the arrays in `there` (by default, all)."""
    ranges = ranges_of(d.full_program, d.assumptions)
    found: dict[str, str] = {}
    for name, letters in d.cells():
        for position, letter in enumerate(letters):
            root, where = ranges.root((name, position)), (name, position)
            if there is not None and name not in there:
                others = ((n, p) for n in sorted(there) for p in range(ranges.arity.get(n, 0)))
                where = next((other for other in others if ranges.root(other) == root), where)
            found[letter] = f"{python_name(where[0])}.shape[{where[1]}]"
    return found


def _classes(d: DerivationResult, label: str) -> str:
    for definition in d.full_program.definitions:
        for name, position, index in positions(definition.value):
            if isinstance(index, Label) and index.name == label:
                return f"{python_name(name)}.shape[{position}]"
    return "int(" + label + ".max()) + 1"


def _open_functions(e: Expr) -> Iterator[tuple[str, int]]:
    for part in walk(e):
        if isinstance(part, Call) and part.function not in KNOWN_FUNCTIONS:
            yield part.function, part.order
