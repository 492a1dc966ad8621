"""Names in matrix notation, before the grammar is known: declared shapes, and what stands beside a name."""

import re
from collections.abc import Mapping, Sequence

from ...errors import ExpressionError
from .matrix_tree import ONE_AXIS
from .tokens import Token

__all__ = ["Shapes", "beside_product", "is_program", "listed_shapes"]

Shapes = Mapping[str, tuple[str, ...] | str] | str


def listed_shapes(shapes: Shapes) -> dict[str, tuple[str, ...]]:
    """Read the declared shapes."""
    if isinstance(shapes, str):
        parts = [part.partition(":") for part in re.split(r"[;\n]", shapes) if part.strip()]
        shapes = {name.strip(): axes for name, _, axes in parts}
    out = {}
    for name, axes in shapes.items():
        listed = re.findall(r"[A-Za-z][0-9]*|[0-9]+", axes) if isinstance(axes, str) else [str(axis) for axis in axes]
        if ONE_AXIS in listed:
            raise ExpressionError(f"the shape of {name} has an axis of length 1; declare it without that axis")
        if len(listed) > 2:
            raise ExpressionError(f"expected at most two axes of {name}, got {len(listed)}")
        out[name] = tuple(listed)
    return out


def is_program(text: str, tokens: Sequence[Token]) -> bool:
    """Tell whether a text is a program's, in which Xw is one name, and not a textbook's."""
    typed = {text[token.start : token.end] for token in tokens if token.kind == "mark"}
    return bool(typed & {"@", "*", "**", "."}) or re.search(r"\b(np|numpy|torch|axis)\b", text) is not None


def beside_product(first: Token, second: Token, third: Token) -> list[str]:
    """Return the names among tokens that must be arrays, because of ``@``, ``ᵀ``, ``^T`` or a method beside them."""
    after = second.kind == "mark" and (second.text in ("@", "ᵀ", ".") or (second.text == "^" and third.text in "Tᵀ"))
    names = [first.text] if first.kind == "name" and after else []
    return names + ([second.text] if second.kind == "name" and first.kind == "mark" and first.text == "@" else [])
