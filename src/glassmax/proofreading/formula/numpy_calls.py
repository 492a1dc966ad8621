"""Calls of NumPy inside mathematics, ``1/m np.sum(dZ, axis=1, keepdims=True)``: their signs and their meaning."""

import re

from .tree import Call, Name, Node, Number, Power, Product

__all__ = ["AXIS", "FUNCTION", "KEEPDIMS", "PREFIX", "axis_of", "numpy_call"]

PREFIX = "np."
FUNCTION = re.compile(r"(?:np|numpy)\s*\.\s*(?:\\?)([a-z]+)(?=\s*(?:\\left\s*)?\()")
AXIS = re.compile(r",\s*axis\s*=\s*(?=-?\s*[0-9])")
KEEPDIMS = re.compile(r",\s*keepdims\s*=\s*(?:True|False)(?![A-Za-z])")
SIGNS = {"dot": "@", "matmul": "@", "multiply": "odot", "outer": "outer"}


def numpy_call(node: Call) -> Node:
    """Return the product or the power that a call is, with signs between factors; any other call itself."""
    if not node.function.typed.startswith(PREFIX) or len(node.arguments) != 2:
        return node
    if node.function.base in SIGNS:
        factors = node.arguments
        return Product(factors, (SIGNS[node.function.base],))
    if node.function.base in ("power", "square"):
        return Power(*node.arguments)
    return node


def axis_of(node: Call) -> Number | None:
    """Return the axis of a sum such as ``np.sum(dZ, axis=1)``."""
    *_, last = node.arguments
    named = isinstance(node.function, Name) and node.function.typed.startswith(PREFIX)
    return last if named and len(node.arguments) == 2 and isinstance(last, Number) else None
