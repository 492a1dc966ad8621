"""Equations of a trace: read or derived by the calculus, and given the names of the arrays that they are about.

An equation is read once with neutral names (``Z = A W + b``), or derived once from such equations and proved, and is
then written with the names of a layer (``Z2 = A1 W2 + b2``). Nothing is derived, simplified or printed here that
`glassmax.calculus` doesn't derive, simplify or print.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ..calculus import derive
from ..calculus.expression import Expr, Tensor, map_children
from ..calculus.indices import for_reading
from ..calculus.matrix import Diag, Leaf, Matrix, NoMatrixFormError, Ones, Power, Product, Transpose, matrix_form
from ..calculus.matrix.nodes import map_matrix, matrix_children
from ..calculus.printing import latex, mathml, matrix_latex, matrix_mathml, matrix_text, text
from ..calculus.proving import Values, evaluate
from ..calculus.proving.evaluate_matrix import evaluate_matrix
from ..calculus.reading import parse
from ..functional.arrays import Array

__all__ = ["Equation", "defined", "derived"]

ROW_LOSSES = "L_i"
ARITHMETIC = {
    "",
    "the derivative of a sum is the sum of the derivatives",
    "multiplied out, deltas contracted",
    "common factors taken out",
}
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, repr=False)
class Equation:
    """One equation of an array, in index notation and, where it has one, in matrix notation.

    Attributes
    ----------
    name : str
        The array on the left: ``"dW2"``.
    letters : tuple of str
        Its indices: ``("k", "j")``.
    expression : Expr
        The right side in index notation, of `glassmax.calculus`.
    matrix : Matrix or None
        The right side in matrix notation.
    no_matrix : str
        Why there is no matrix notation; empty if there is.
    rules : tuple of str
        The rules of the calculus that led to it.
    proved : bool
        Whether the calculus derived it and proved every line; False for a definition.
    """

    name: str
    letters: tuple[str, ...]
    expression: Expr
    matrix: Matrix | None
    no_matrix: str
    rules: tuple[str, ...]
    proved: bool

    @property
    def index_form(self) -> str:
        """The equation in index notation: ``dW2_kj = sum_i dZ2_ij A1_ik``."""
        return f"{text(self._left)} = {text(_shown(self.expression))}"

    @property
    def matrix_form(self) -> str | None:
        """The equation in matrix notation: ``dW2 = A1ᵀdZ2``; None if there is none."""
        return None if self.matrix is None else f"{self.name} = {matrix_text(self.matrix)}"

    def latex(self, *, index: bool = False) -> str:
        """Return the equation as LaTeX: in matrix notation where it has one, or in index notation."""
        if index or self.matrix is None:
            return f"{latex(self._left)} = {latex(_shown(self.expression))}"
        written = f"{matrix_latex(Leaf(self.name, self.letters))} = {matrix_latex(self.matrix)}"
        return written.replace(r"\mathrm{L\_i}", "L_i")

    def mathml(self, *, index: bool = False) -> str:
        """Return the equation as one ``<math>`` element: in matrix notation where it has one, or in index notation."""
        if index or self.matrix is None:
            left, right = mathml(self._left), mathml(_shown(self.expression))
        else:
            left, right = matrix_mathml(Leaf(self.name, self.letters)), matrix_mathml(self.matrix)
        head, _, body = left.removesuffix("</math>").partition(">")
        written = f"{head}><mrow>{body}<mo>=</mo>{right.partition('>')[2].removesuffix('</math>')}</mrow></math>"
        return written.replace(f"<mi>{ROW_LOSSES}</mi>", "<msub><mi>L</mi><mi>i</mi></msub>")

    def with_shapes(self, shapes: Shapes) -> str | None:
        """Return the matrix notation with the shape of each factor: ``dW2 (10,3) = A1ᵀ (10,5) · dZ2 (5,3)``.

        In a product, a vector is written as the column or row that it is.
        """
        if self.matrix is None:
            return None
        left = f"{self.name} {_shape(shapes[self.name])}" if shapes[self.name] else self.name
        return f"{left} = {matrix_text(_sized(self.matrix, shapes, self._sizes(shapes)))}"

    def evaluate(self, arrays: Mapping[str, Array]) -> Array:
        """Return the right side in index notation on numbers, by its definition."""
        sizes = self._sizes({name: np.shape(array) for name, array in arrays.items()})
        return evaluate(self.expression, Values(arrays, sizes, {}), self.letters)

    def evaluate_matrix(self, arrays: Mapping[str, Array]) -> Array:
        """Return the right side in matrix notation on numbers: ``@`` for a product, ``*`` for a Hadamard product."""
        if self.matrix is None:
            raise ValueError(self.no_matrix)
        sizes = self._sizes({name: np.shape(array) for name, array in arrays.items()})
        return evaluate_matrix(self.matrix, Values(arrays, sizes, {}), sizes)

    @property
    def _left(self) -> Tensor:
        return Tensor("L" if self.name == ROW_LOSSES else self.name, self.letters)

    def _sizes(self, shapes: Shapes) -> dict[str, int]:
        """The sizes of the letters on the left."""
        return dict(zip(self.letters, shapes[self.name], strict=True)) if self.name in shapes else {}

    def renamed(self, names: Mapping[str, str]) -> Equation:
        """Return the equation about other arrays."""
        matrix = None if self.matrix is None else _with_leaves(self.matrix, names)
        rules = tuple(re.sub(r"[A-Za-z]\w*", lambda word: names.get(word[0], word[0]), rule) for rule in self.rules)
        renamed = replace(self, expression=_with_names(self.expression, names), matrix=matrix, rules=rules)
        return replace(renamed, name=names.get(self.name, self.name))


def defined(equation: str, names: Mapping[str, str]) -> Equation:
    """Return an equation of the forward pass, a definition, with the names of its arrays replaced.

    Examples
    --------
    >>> defined("Z_ij = sum_k A_ik W_kj + b_j", {"Z": "Z2", "A": "A1", "W": "W2", "b": "b2"}).matrix_form
    'Z2 = A1 W2 + 1 b2ᵀ'
    """
    return _read(equation).renamed(names)


def derived(equations: str, wrt: str, name: str, names: Mapping[str, str], assume: tuple[str, ...] = ()) -> Equation:
    """Return a derivative of the loss as an equation, derived and proved by the calculus, with names replaced.

    Examples
    --------
    >>> layer = "Z_ij = sum_k A_ik W_kj + b_j; L = sum_{i,j} dZ_ij Z_ij"
    >>> derived(layer, "W", "dW2", {"A": "A1", "dZ": "dZ2"}).matrix_form
    'dW2 = A1ᵀdZ2'
    """
    return replace(_derive(equations, wrt, assume).renamed(names), name=name)


@cache
def _read(equation: str) -> Equation:
    definition = parse(equation).definitions[-1]
    rules: list[str] = []
    matrix, why = None, ""
    try:
        matrix = matrix_form(definition.value, definition.indices, rules)
    except NoMatrixFormError as error:
        why = str(error)
    return Equation(definition.name, definition.indices, definition.value, matrix, why, tuple(rules), proved=False)


@cache
def _derive(equations: str, wrt: str, assume: tuple[str, ...]) -> Equation:
    derivation = derive(equations, wrt, assume=assume)
    rules = dict.fromkeys(piece for step in derivation.steps for piece in step.rule.split("; ") if _tells(piece))
    rules |= dict.fromkeys(derivation.matrix_rules)
    said = (rule.replace("assumption used", f"{' and '.join(assume)} used") for rule in rules)
    return Equation(
        f"d{wrt}",
        derivation.axes,
        derivation.expression,
        derivation.matrix,
        derivation.no_matrix or "",
        tuple(said),
        derivation.proved,
    )


def _tells(rule: str) -> bool:
    """Whether a rule says something about this equation; arithmetic and the first line of every derivation don't."""
    return rule not in ARITHMETIC and not rule.startswith("derivative by an entry of the same array")


def _with_names(e: Expr, names: Mapping[str, str]) -> Expr:
    if isinstance(e, Tensor):
        kind, _, rest = e.name.partition(":")  # ones along an array: 1:W:0
        if kind == "1" and rest:
            array, _, position = rest.partition(":")
            return Tensor(f"1:{names.get(array, array)}:{position}", e.indices)
        return Tensor(names.get(e.name, e.name), e.indices)
    return map_children(e, lambda child: _with_names(child, names))


def _with_leaves(m: Matrix, names: Mapping[str, str]) -> Matrix:
    if isinstance(m, Leaf):
        return Leaf(names.get(m.name, m.name), m.axes)
    if isinstance(m, Ones) and m.along:
        _, array, position = m.along.split(":")
        return replace(m, along=f"1:{names.get(array, array)}:{position}")
    return map_matrix(m, lambda part: _with_leaves(part, names), m.axes)


def _shown(e: Expr) -> Expr:
    """An expression as it is printed: the losses of the rows are L_i, and L has no index."""
    return _with_names(for_reading(e), {ROW_LOSSES: "L"})


def _sized(m: Matrix, shapes: Shapes, sizes: Mapping[str, int], *, column: bool = False, dot: bool = False) -> Matrix:
    """Write the shape behind each array, and a dot between the factors of a product."""
    mark = " ·" if dot else ""
    match m:
        case Leaf(name, axes) if axes:
            return Leaf(f"{name} {_shape(_as_column(shapes[name], column))}{mark}", axes)
        case Ones(axes):
            known = {**sizes, **({m.axes[0]: _along(m.along, shapes)} if m.along else {})}
            size = tuple(known[axis] for axis in axes) if all(axis in known for axis in axes) else ()
            return Leaf(f"1 {_shape(_as_column(size, column))}{mark}" if size else f"1{mark}", axes)
        case Diag(of, axes):
            length = _sizes_in(m, shapes).get(axes[0])
            return Leaf(f"diag({matrix_text(of)}) {_shape((length, length))}{mark}", axes) if length else m
        case Transpose(Leaf(name, _), axes):
            return Leaf(f"{name}ᵀ {_shape(_as_column(shapes[name], True)[::-1])}{mark}", axes)
        case Power(Leaf(name, inner), exponent, axes) if inner and exponent > 0:
            return Leaf(f"{matrix_text(m)} {_shape(_as_column(shapes[name], column))}{mark}", axes)
        case Transpose(Ones(inner) as ones, axes):
            known = {**sizes, **({inner[0]: _along(ones.along, shapes)} if ones.along else {})}
            return Leaf(f"1ᵀ {_shape((1, known[inner[0]]))}{mark}" if inner[0] in known else f"1ᵀ{mark}", axes)
        case Product(factors, axes):
            known = {**sizes, **{k: v for f in factors for k, v in _sizes_in(f, shapes).items()}}
            last = len(factors) - 1
            several = sum(bool(f.axes) for f in factors) > 1  # a number times a vector leaves the vector as it is
            parts = (_sized(f, shapes, known, column=column or several, dot=n < last) for n, f in enumerate(factors))
            return Product(tuple(parts), axes)
        case _:
            return map_matrix(m, lambda part: _sized(part, shapes, sizes, column=column), m.axes)


def _sizes_in(m: Matrix, shapes: Shapes) -> dict[str, int]:
    """The sizes of the axes of a matrix, read off its arrays."""
    if isinstance(m, Leaf):
        return dict(zip(m.axes, shapes[m.name], strict=True)) if m.axes else {}
    if isinstance(m, Diag):
        return dict.fromkeys(m.axes, next(iter(_sizes_in(m.of, shapes).values()), 0))
    found = {axis: size for part in matrix_children(m) for axis, size in _sizes_in(part, shapes).items()}
    return {axis: size for axis, size in found.items() if axis in m.axes}


def _along(along: str, shapes: Shapes) -> int:
    _, array, position = along.split(":")
    return shapes[array][int(position)]


def _as_column(shape: tuple[int, ...], column: bool) -> tuple[int, ...]:
    return (*shape, 1) if column and len(shape) == 1 else shape


def _shape(shape: tuple[int, ...]) -> str:
    return f"({','.join(map(str, shape))}{',' * (len(shape) == 1)})"


def __dir__() -> list[str]:
    return __all__
