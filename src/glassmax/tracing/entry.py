"""One array of a trace, with its equations, its value and the reason for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..functional.arrays import Array
from .equations import Equation

__all__ = ["STAGES", "Entry"]

STAGES = ("given", "forward", "loss", "backward", "update")
"""The parts of a trace, in their order."""


class Entry:
    """One array of a trace: what it is called, what it is made of, its value and why.

    Attributes
    ----------
    name : str
        ``"dW2"``; dV is always the derivative of the loss L with respect to V.
    stage : {"given", "forward", "loss", "backward", "update"}
    value : array or None
        None for the Jacobians alone, of which `Trace.jacobian` computes one at a time.
    shape : tuple of int
    why : str
        One sentence or two: where the sum, the transpose, the 1/n come from.
    meaning : str
        The equation in words where the calculus has none; empty otherwise.
    """

    def __init__(
        self,
        name: str,
        stage: str,
        value: Array | None,
        why: str,
        write: tuple[Callable[[], Equation], ...] = (),
        *,
        meaning: str = "",
        shapes: Mapping[str, tuple[int, ...]],
    ) -> None:
        self.name, self.stage, self.value, self.why, self.meaning = name, stage, value, why, meaning
        self.shape: tuple[int, ...] = shapes[name]
        self._write, self.shapes = write, shapes

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """Every equation of the array: the one that a cell is taken apart by first, the shortest last."""
        return tuple(write() for write in self._write)

    @property
    def equation(self) -> Equation | None:
        """The shortest equation; None for what is given."""
        return self.equations[-1] if self.equations else None

    @property
    def index_form(self) -> str | None:
        """The shortest equation in index notation: ``dW2_kj = sum_i dZ2_ij A1_ik``."""
        return None if self.equation is None else self.equation.index_form

    @property
    def matrix_form(self) -> str | None:
        """The shortest equation in matrix notation: ``dW2 = A1ᵀdZ2``; None where there is none."""
        return None if self.equation is None else self.equation.matrix_form

    @property
    def with_shapes(self) -> str | None:
        """The matrix notation with the shape of each array: ``dW2 (10,3) = A1ᵀ (10,5) · dZ2 (5,3)``."""
        return None if self.equation is None else self.equation.with_shapes(self.shapes)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules of the calculus that led to the shortest equation."""
        return () if self.equation is None else self.equation.rules

    def latex(self, *, index: bool = False) -> str | None:
        """Return the shortest equation as LaTeX, in matrix notation or in index notation."""
        return None if self.equation is None else self.equation.latex(index=index)

    def mathml(self, *, index: bool = False) -> str | None:
        """Return the shortest equation as MathML, in matrix notation or in index notation."""
        return None if self.equation is None else self.equation.mathml(index=index)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        if self.value is None:
            raise DataError(
                f"{self.name} has the shape {self.shape}, and is never formed whole. Pass one row: trace.jacobian(0)."
            )
        return np.array(self.value, dtype=dtype) if copy else np.asarray(self.value, dtype=dtype)

    def __getitem__(self, index: Any) -> Any:
        return np.asarray(self)[index]

    def __len__(self) -> int:
        return len(np.asarray(self))

    def __repr__(self) -> str:
        from .formats.text import entry_text  # late: the formats read entries

        return entry_text(self)


def __dir__() -> list[str]:
    return __all__
