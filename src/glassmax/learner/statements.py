"""The statements of a learner's source, and which of them an instruction of the compiled code belongs to.

Lines are too coarse where several statements share one, and too fine where a statement has several. The positions that
the compiler keeps for each instruction say which statement runs. This module refuses to run anything.
"""

import ast
import bisect
import linecache
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import CodeType
from typing import Any

from .paths import is_chain

__all__ = ["Source", "Statement", "source_of"]

MOST_CHARACTERS = 100_000
LOOPS = (ast.For, ast.AsyncFor, ast.While)
ABOUT_AN_ARRAY = {"shape", "size", "ndim", "dtype", "nbytes"}
INNER = ("body", "orelse", "finalbody", "handlers", "cases", "type_params")
PURE = {"range", "len", "sum", "zip", "enumerate", "float", "int", "abs", "min", "max", "round", "str", "pow"}


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement without the statements inside it: of a loop, an ``if`` or a ``with`` its header alone.

    `node` is its syntax tree, `loops` are the loops that it stands in, the outermost first; the header of a loop stands
    in that loop.
    """

    node: ast.stmt
    loops: tuple["Statement", ...]

    @property
    def line(self) -> int:
        """The first line, from 1."""
        return self.node.lineno

    @cached_property
    def end_line(self) -> int:
        """The last line; of a header, the last line before what it heads."""
        return max([self.line, *(_last_line(part) for part in self._parts)])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every variable that occurs, those that are bound first."""
        bound = [name for target in self.targets for name in _names(target)]
        read = [name for part in self._parts for name in _names(part)]
        return tuple(dict.fromkeys([*bound, *read]))

    @cached_property
    def targets(self) -> tuple[ast.expr, ...]:
        """The expressions that are assigned to: names, attributes, entries."""
        return tuple(_targets(self.node, self._parts))

    @property
    def assigned(self) -> tuple[ast.expr, ...]:
        """The targets that have just been assigned to; not those of a ``with``, whose header also ends it."""
        return () if isinstance(self.node, ast.With | ast.AsyncWith) else self.targets

    @cached_property
    def bound(self) -> frozenset[str]:
        """The variables that get a new value."""
        targets = () if isinstance(self.node, ast.AugAssign) else self.targets
        return frozenset(target.id for target in targets if isinstance(target, ast.Name))

    @cached_property
    def read(self) -> tuple[ast.expr, ...]:
        """The variables, attributes and entries that are read, the longest form of each."""
        return tuple(chain for part in self._parts for chain in _chains_read(part))

    @cached_property
    def may_change(self) -> bool:
        """Whether an object that it names may be changed: by an assignment to a part of it, or by a call."""
        if isinstance(self.node, ast.AugAssign | ast.With | ast.AsyncWith | ast.Delete):
            return True
        if any(not isinstance(target, ast.Name) for target in self.targets):
            return True
        return any(isinstance(node, ast.Call) and not _is_pure(node) for part in self._parts for node in ast.walk(part))

    @cached_property
    def _parts(self) -> tuple[ast.AST, ...]:
        """The parts that are no statements themselves."""
        if not any(isinstance(getattr(self.node, field, None), list) for field in ("body", "handlers", "cases")):
            return (self.node,)
        values = [value for field, value in ast.iter_fields(self.node) if field not in INNER]
        parts = [part for value in values for part in (value if isinstance(value, list) else [value])]
        return tuple(part for part in parts if isinstance(part, ast.AST))


def _last_line(part: ast.AST) -> int:
    return max((getattr(node, "end_lineno", 0) or 0 for node in ast.walk(part)), default=0)


def _names(part: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(part) if isinstance(node, ast.Name))


def _is_pure(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in PURE


def _targets(node: ast.stmt, parts: Sequence[ast.AST]) -> Iterator[ast.expr]:
    found: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        found = list(node.targets)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor):
        found = [node.target]
    elif isinstance(node, ast.With | ast.AsyncWith):
        found = [item.optional_vars for item in node.items if item.optional_vars is not None]
    found += [inner.target for part in parts for inner in ast.walk(part) if isinstance(inner, ast.NamedExpr)]
    while found:
        target = found.pop(0)
        if isinstance(target, ast.Tuple | ast.List):
            found = [*target.elts, *found]
        elif isinstance(target, ast.Starred):
            found = [target.value, *found]
        else:
            yield target


def _chains_read(part: ast.AST) -> Iterator[ast.expr]:
    if isinstance(part, ast.Name | ast.Attribute | ast.Subscript) and is_chain(part):
        about = any(isinstance(node, ast.Attribute) and node.attr in ABOUT_AN_ARRAY for node in ast.walk(part))
        if isinstance(part.ctx, ast.Load) and not about:
            yield part
        inner: ast.AST = part
        while isinstance(inner, ast.Attribute | ast.Subscript):
            if isinstance(inner, ast.Subscript):
                yield from _chains_read(inner.slice)
            inner = inner.value
        return
    if isinstance(part, ast.AugAssign):
        yield part.target
    for child in ast.iter_child_nodes(part):
        yield from _chains_read(child)


class Source:
    """A file, or a cell of a notebook, as statements."""

    def __init__(self, text: str, tree: ast.Module, code: CodeType) -> None:
        self.lines = text.splitlines()
        self._codes = {_identity(inner) for inner in _codes(code)}
        self._block = _Block(tree.body, ())
        self._tables: dict[int, tuple[CodeType, tuple[Statement | None, ...], bool]] = {}  # a code's hash is slow

    def holds(self, code: CodeType) -> bool:
        """Whether this code was compiled from this source, and not from an earlier version of it."""
        return _identity(code) in self._codes

    def table(self, code: CodeType) -> tuple[tuple[Statement | None, ...], bool]:
        """The statement of each instruction, by half of its offset, and whether a line has several statements.

        The statement is None where the compiler gives no position.
        """
        found = self._tables.get(id(code))
        if found is None:
            seen: dict[Any, Statement | None] = {}
            for position in code.co_positions():
                if position not in seen:
                    seen[position] = self._block.innermost(position)
            lines = [statement.line for statement in dict.fromkeys(seen.values()) if statement is not None]
            table = tuple(seen[position] for position in code.co_positions())
            found = self._tables[id(code)] = (code, table, len({*lines}) < len(lines))
        return found[1:]


class _Block:
    """A list of statements and the blocks inside them."""

    def __init__(self, nodes: Sequence[ast.stmt], loops: tuple[Statement, ...]) -> None:
        self._starts: list[tuple[int, int]] = []
        self._ends: list[tuple[int, int]] = []
        self._statements: list[Statement] = []
        self._inner: list[list[_Block]] = []
        for node in nodes:
            statement, inside = Statement(node, loops), loops
            if isinstance(node, LOOPS):
                inside = (*loops, statement)
                object.__setattr__(statement, "loops", inside)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inside = ()
            first = min([node, *getattr(node, "decorator_list", [])], key=lambda part: part.lineno)
            self._starts.append((first.lineno, 0 if first is not node else node.col_offset))
            self._ends.append((node.end_lineno or node.lineno, node.end_col_offset or 0))
            self._statements.append(statement)
            self._inner.append(list(_blocks(node, inside, loops)))

    def innermost(self, position: Sequence[int | None]) -> Statement | None:
        """The innermost statement that contains a position; None if none does."""
        line, end_line, column, end_column = position
        if line is None:
            return None
        if column is None or end_line is None or end_column is None:  # Python was told to keep no columns
            at = bisect.bisect_left(self._starts, (line + 1, -1)) - 1
            if at < 0 or self._ends[at][0] < line:
                return None
        else:
            at = bisect.bisect_right(self._starts, (line, column)) - 1
            if at < 0 or self._ends[at] < (end_line, end_column):
                return None
        found = (block.innermost(position) for block in self._inner[at])
        return next((statement for statement in found if statement is not None), self._statements[at])


def _blocks(node: ast.stmt, inside: tuple[Statement, ...], after: tuple[Statement, ...]) -> Iterator[_Block]:
    """The blocks of a statement; what follows ``else`` after a loop is not in the loop."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if isinstance(block, list) and block:
            yield _Block(block, after if field == "orelse" else inside)
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield _Block(part.body, inside)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _identity(code: CodeType) -> tuple[str, int, bytes]:
    return code.co_name, code.co_firstlineno, code.co_code


def source_of(code: CodeType, scope: Mapping[str, Any]) -> Source | None:
    """The source that code was compiled from, found by its file name; None if there is none, or another version."""
    for fresh in (False, True):
        if fresh:
            linecache.checkcache(code.co_filename)
        text = "".join(linecache.getlines(code.co_filename, dict(scope)))
        source = _parsed(text, code.co_filename) if 0 < len(text) <= MOST_CHARACTERS else None
        if source is not None and source.holds(code):
            return source
    return None


@lru_cache(maxsize=16)
def _parsed(text: str, name: str) -> Source | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            return Source(text, tree, compile(tree, name, "exec", dont_inherit=True))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
