"""Where an expression of the learner's leads: ``params['W' + str(l)]`` to the path ``params['W2']``.

Only names, attributes and entries are followed, and of indices only what is made of constants and variables that hold
whole numbers or text. Nothing is called, and no array is indexed: a part of an array has the array's own path.
"""

import ast
import collections
from collections.abc import Iterator, Mapping, Set
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["is_chain", "paths_along", "read_paths"]

MISSING = object()
INDEXED = (list, tuple, collections.deque)
DICTS = (dict, collections.OrderedDict, collections.defaultdict)
MOST_INSIDE = 20


def is_chain(node: ast.AST) -> bool:
    """Whether an expression is a variable, or an attribute or an entry of one, and so on."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name)


def paths_along(node: ast.expr, variables: Mapping[str, Any]) -> tuple[list[str], bool]:
    """The paths on the way, ``self``, ``self.cache``, ``self.cache['A1']``, and whether the end was reached.

    Examples
    --------
    >>> node = ast.parse("params['W' + str(l)][0]", mode="eval").body
    >>> paths_along(node, {"params": {"W2": [1.0]}, "l": 2})
    (['params', "params['W2']", "params['W2'][0]"], True)
    """
    links: list[ast.Attribute | ast.Subscript] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        links.insert(0, node)
        node = node.value
    if not isinstance(node, ast.Name):
        return [], False
    path, value = node.id, variables.get(node.id, MISSING)
    paths = [path]
    for link in links:
        if isinstance(link, ast.Attribute):
            path, value = f"{path}.{link.attr}", _attribute(value, link.attr)
        else:
            index = _index(link.slice, variables)
            if index is MISSING or type(value) not in (*INDEXED, *DICTS):
                return paths, False
            if type(value) in INDEXED and type(index) is int and index < 0:
                index += len(value)
            path, value = f"{path}[{index!r}]", _entry(value, index)
        paths.append(path)
    return paths, True


def _attribute(value: object, name: str) -> object:
    """An attribute as it is stored in the object itself."""
    try:
        stored = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return MISSING
    return dict.get(stored, name, MISSING) if type(stored) is dict else MISSING


def _entry(value: Any, index: object) -> object:
    if type(value) in DICTS:
        return dict.get(value, index, MISSING)
    return value[index] if type(index) is int and 0 <= index < len(value) else MISSING


def _index(node: ast.expr, variables: Mapping[str, Any]) -> Any:
    """The value of an index; MISSING if it is made of anything but constants, variables, sums and text."""
    found: Any = MISSING
    if isinstance(node, ast.Constant):
        found = node.value
    elif isinstance(node, ast.Name):
        found = variables.get(node.id, MISSING)
    elif isinstance(node, ast.Tuple):
        parts = [_index(part, variables) for part in node.elts]
        return MISSING if MISSING in parts else tuple(parts)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _index(node.operand, variables)
        found = -inner if type(inner) is int else MISSING
    elif isinstance(node, ast.BinOp):
        found = _combined(node, variables)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str" and node.args:
        inner = _index(node.args[0], variables)
        found = MISSING if inner is MISSING else str(inner)
    elif isinstance(node, ast.JoinedStr):
        found = _joined(node, variables)
    return found if type(found) in (int, str) else MISSING


def _combined(node: ast.BinOp, variables: Mapping[str, Any]) -> Any:
    left, right = _index(node.left, variables), _index(node.right, variables)
    if type(left) is not type(right) or type(left) not in (int, str):
        return MISSING
    if isinstance(node.op, ast.Add):
        return left + right
    return left - right if isinstance(node.op, ast.Sub) and type(left) is int else MISSING


def _joined(node: ast.JoinedStr, variables: Mapping[str, Any]) -> Any:
    text = ""
    for part in node.values:
        plain = isinstance(part, ast.FormattedValue) and part.format_spec is None and part.conversion == -1
        value = _index(part.value if isinstance(part, ast.FormattedValue) and plain else part, variables)
        if value is MISSING:
            return MISSING
        text += str(value)
    return text


def read_paths(chains: tuple[ast.expr, ...], variables: Mapping[str, Any], known: Set[str]) -> tuple[str, ...]:
    """The arrays that are read, by their paths: of each chain the longest path that is known, or what is inside it."""
    found: dict[str, None] = {}
    for chain in chains:
        found.update(dict.fromkeys(_read(chain, variables, known)))
    return tuple(found)


def _read(chain: ast.expr, variables: Mapping[str, Any], known: Set[str]) -> Iterator[str]:
    if isinstance(chain, ast.Name) and chain.id in known:
        yield chain.id
        return
    paths, whole = paths_along(chain, variables)
    for path in reversed(paths):
        if path in known:
            yield path
            return
    root = variables.get(paths[0]) if paths else None
    if not whole or root is None or isinstance(root, FunctionType | ModuleType | type):
        return
    of_a_method = isinstance(chain, ast.Attribute) and type(root) in (*INDEXED, *DICTS)  # p.values
    for path in paths[-2 if of_a_method else -1 :]:
        inside = [inner for inner in known if inner.startswith((f"{path}[", f"{path}."))]
        yield from inside if len(inside) <= MOST_INSIDE else ()
