"""Pieces of NumPy source: code with the axes it has, put together so that brackets and broadcasting come out right."""

import keyword
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..expression import Call, Expr, walk
from ..matrix import Apply, Matrix
from ..matrix.nodes import matrix_children
from .parts import with_signs

__all__ = ["Piece", "added", "aligned", "applied", "needed_helpers", "python_name", "union", "wrapped"]

SUM, PRODUCT, MINUS, POWER, ATOM = range(1, 6)


@dataclass(frozen=True)
class Piece:
    """Source code, how tightly it binds, and the letter of each of its axes."""

    code: str
    level: int
    axes: tuple[str, ...] = ()


NUMPY = {
    "exp": "np.exp",
    "log": "np.log",
    "abs": "np.abs",
    "sign": "np.sign",
    "sin": "np.sin",
    "cos": "np.cos",
    "tanh": "np.tanh",
    "sqrt": "np.sqrt",
}

HELPERS = {
    "sigmoid": "def sigmoid(z):\n    return np.exp(-np.logaddexp(0.0, -z))\n",
    "relu": "def relu(z):\n    return np.maximum(z, 0.0)\n",
    "step": "def step(z):\n    return np.heaviside(z, 0.0)\n",
    "softplus": "def softplus(z):\n    return np.logaddexp(0.0, z)\n",
    "erf": "from scipy.special import erf\n",
}
"""Known functions that NumPy lacks, in forms that neither overflow nor lose digits."""

DERIVATIVES = {
    ("exp", 1): "np.exp(z)",
    ("log", 1): "1 / z",
    ("abs", 1): "np.sign(z)",
    ("sign", 1): "np.zeros_like(z)",
    ("sin", 1): "np.cos(z)",
    ("cos", 1): "-np.sin(z)",
    ("tanh", 1): "4 * np.exp(-np.logaddexp(0.0, 2 * z) - np.logaddexp(0.0, -2 * z))",
    ("sigmoid", 1): "np.exp(-np.logaddexp(0.0, z) - np.logaddexp(0.0, -z))",
    ("relu", 1): "np.heaviside(z, 0.0)",
    ("step", 1): "np.zeros_like(z)",
    ("softplus", 1): "np.exp(-np.logaddexp(0.0, -z))",
    ("erf", 1): "2 / np.sqrt(np.pi) * np.exp(-(z**2))",
    ("exp", 2): "np.exp(z)",
    ("log", 2): "-1 / z**2",
    ("abs", 2): "np.zeros_like(z)",
    ("sign", 2): "np.zeros_like(z)",
    ("sin", 2): "-np.sin(z)",
    ("cos", 2): "-np.cos(z)",
    ("tanh", 2): "-8 * np.tanh(z) * np.exp(-np.logaddexp(0.0, 2 * z) - np.logaddexp(0.0, -2 * z))",
    ("sigmoid", 2): "-np.tanh(z / 2) * np.exp(-np.logaddexp(0.0, z) - np.logaddexp(0.0, -z))",
    ("relu", 2): "np.zeros_like(z)",
    ("step", 2): "np.zeros_like(z)",
    ("softplus", 2): "np.exp(-np.logaddexp(0.0, z) - np.logaddexp(0.0, -z))",
    ("erf", 2): "-4 / np.sqrt(np.pi) * z * np.exp(-(z**2))",
}

TAKEN = {"np", "len", "softmax", *HELPERS}


def python_name(name: str) -> str:
    """Return the Python name for an array: W' is W_prime, and a word that is taken gets an underscore: lambda_."""
    spelled = re.sub(r"\W", "_", unicodedata.normalize("NFKC", name.replace("'", "_prime")))
    spelled = f"_{spelled}" if spelled[:1].isdigit() or not spelled else spelled
    return f"{spelled}_" if keyword.iskeyword(spelled) or spelled in TAKEN else spelled


def function_name(function: str, order: int) -> str:
    """Return the Python name of a function or of its derivative: f, df, d2f."""
    if not order:
        return NUMPY.get(function) or (function if function in HELPERS else python_name(function))
    return f"d{'' if order == 1 else order}{function if function in HELPERS else python_name(function)}"


def needed_helpers(e: Expr | Matrix) -> str:
    """Return the source of the functions that the NumPy code of `e` calls and NumPy lacks.

    Open functions are for the reader to define. A known function's derivative of order 3 or more raises a ValueError.
    """
    sources: dict[str, str] = {}
    for function, order in _functions(e):
        if order == 0 and function in HELPERS:
            sources[function] = HELPERS[function]
        elif order and function in {known for known, _ in DERIVATIVES}:
            if (function, order) not in DERIVATIVES:
                raise ValueError(f"No NumPy code is known for the derivative of order {order} of {function}.")
            name = function_name(function, order)
            sources[name] = f"def {name}(z):\n    return {DERIVATIVES[function, order]}\n"
    return "\n\n".join(sources[name] for name in sorted(sources, key=lambda n: (not sources[n].startswith("from"), n)))


def _functions(e: Expr | Matrix) -> Iterable[tuple[str, int]]:
    if isinstance(e, Expr):
        yield from ((node.function, node.order) for node in walk(e) if isinstance(node, Call))
        return
    if isinstance(e, Apply):
        yield e.function, e.order
    for part in matrix_children(e):
        yield from _functions(part)


def wrapped(piece: Piece, level: int) -> str:
    """Return the code, in brackets if it binds less tightly than `level`."""
    return piece.code if piece.level >= level else f"({piece.code})"


def applied(function: str, *arguments: str) -> str:
    """Return the code of a call."""
    return f"{function}({', '.join(arguments)})"


def added(minus: Sequence[bool], pieces: Sequence[Piece], axes: tuple[str, ...]) -> Piece:
    """Return the sum of `pieces`, which broadcast to `axes`; those marked in `minus` are subtracted."""
    parts = (wrapped(aligned(piece, axes), PRODUCT) for piece in pieces)
    return Piece(with_signs(zip(minus, parts, strict=True)), SUM, axes)


def union(pieces: Sequence[Piece], order: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the axes that all `pieces` broadcast to; the axes of the widest piece if it has them all."""
    letters = list(dict.fromkeys(axis for piece in pieces for axis in piece.axes))
    for piece in pieces:
        if len(piece.axes) == len(letters):
            return piece.axes
    known = {axis: n for n, axis in enumerate(order)}
    return tuple(sorted(letters, key=lambda axis: known.get(axis, len(known))))


def aligned(piece: Piece, axes: tuple[str, ...]) -> Piece:
    """Return `piece` so that it broadcasts against an array with `axes`, which include its own."""
    kept = tuple(axis for axis in axes if axis in piece.axes)
    code, level = piece.code, piece.level
    if kept != piece.axes:
        if len(kept) == 2:
            code = f"{wrapped(piece, ATOM)}.T"
        else:
            code = applied("np.transpose", piece.code, str(tuple(piece.axes.index(axis) for axis in kept)))
        level = ATOM
    if not kept:
        return piece
    # Axes that are missing at the left are broadcast without being asked for.
    shown = axes[axes.index(kept[0]) :]
    if shown == kept:
        return Piece(code, level, kept)
    pattern = ", ".join(":" if axis in kept else "None" for axis in shown)
    return Piece(f"{wrapped(Piece(code, level), ATOM)}[{pattern}]", ATOM, axes)
