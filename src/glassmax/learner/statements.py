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

__all__ = ["Source", "Statement", "source_of"]

MOST_CHARACTERS = 1_000_000
LOOPS = (ast.For, ast.AsyncFor, ast.While)
CHAINS = (ast.Name, ast.Attribute, ast.Subscript)
Position = tuple[int, int, int, int]


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
        parts = list(_own_parts(self.node))
        if len(parts) == 1 and parts[0] is self.node:
            return self.node.end_lineno or self.line
        return max([self.line, *(_last_line(part) for part in parts)])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every variable that occurs, those that are bound first."""
        bound = [name for target in self.targets for name in _names(target)]
        read = [name for part in _own_parts(self.node) for name in _names(part)]
        return tuple(dict.fromkeys([*bound, *self._declared, *read]))

    @cached_property
    def targets(self) -> tuple[ast.expr, ...]:
        """The expressions that are assigned to: names, attributes, entries."""
        return tuple(_targets(self.node))

    @cached_property
    def stored(self) -> tuple[str, ...]:
        """The targets as they are written: ``dW2``, ``self.dW``, ``grads['W1']``."""
        return tuple(dict.fromkeys(_written(target) for target in self.targets))

    @cached_property
    def read(self) -> tuple[str, ...]:
        """The variables, attributes and entries that are read, as they are written, the longest form of each."""
        return tuple(dict.fromkeys(text for part in _own_parts(self.node) for text in _chains_read(part)))

    @cached_property
    def _declared(self) -> tuple[str, ...]:
        return (self.node.name,) if isinstance(self.node, ast.FunctionDef | ast.ClassDef) else ()


def _own_parts(node: ast.stmt) -> Iterator[ast.AST]:
    """The parts of a statement that are no statements themselves."""
    if not any(isinstance(getattr(node, field, None), list) for field in ("body", "handlers", "cases")):
        yield node
        return
    for field, value in ast.iter_fields(node):
        if field in ("body", "orelse", "finalbody", "handlers", "cases", "type_params"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                yield part


def _last_line(part: ast.AST) -> int:
    return max((getattr(node, "end_lineno", 0) or 0 for node in ast.walk(part)), default=0)


def _names(part: ast.AST) -> Iterator[str]:
    for node in ast.walk(part):
        if isinstance(node, ast.Name):
            yield node.id


def _targets(node: ast.stmt) -> Iterator[ast.expr]:
    found: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        found = list(node.targets)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor):
        found = [node.target]
    elif isinstance(node, ast.With | ast.AsyncWith):
        found = [item.optional_vars for item in node.items if item.optional_vars is not None]
    for part in _own_parts(node):
        found += [inner.target for inner in ast.walk(part) if isinstance(inner, ast.NamedExpr)]
    while found:
        target = found.pop(0)
        if isinstance(target, ast.Tuple | ast.List):
            found = [*target.elts, *found]
        elif isinstance(target, ast.Starred):
            found = [target.value, *found]
        else:
            yield target


def _written(target: ast.expr) -> str:
    """A target as a path; of a part of an array, the array: ``dS[range(n), y]`` is written into ``dS``."""
    while isinstance(target, ast.Subscript) and not _is_plain(target.slice):
        target = target.value
    return ast.unparse(target)


def _is_plain(index: ast.expr) -> bool:
    """Whether an index names one entry: a constant or a variable."""
    negative = isinstance(index, ast.UnaryOp) and isinstance(index.operand, ast.Constant)
    return negative or isinstance(index, ast.Constant | ast.Name)


def _chains_read(part: ast.AST) -> Iterator[str]:
    if isinstance(part, CHAINS) and _is_chain(part):
        if isinstance(getattr(part, "ctx", None), ast.Load):
            yield ast.unparse(part)
        return
    if isinstance(part, ast.AugAssign):
        yield _written(part.target)
    for child in ast.iter_child_nodes(part):
        yield from _chains_read(child)


def _is_chain(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Subscript) and not _is_plain(node.slice):
            return False
        node = node.value
    return isinstance(node, ast.Name)


class Source:
    """A file, or a cell of a notebook, as statements."""

    def __init__(self, text: str, tree: ast.Module, code: CodeType) -> None:
        self.lines = text.splitlines()
        self._codes = {_identity(inner) for inner in _codes(code)}
        self._block = _Block(tree.body, ())
        self._tables: dict[CodeType, tuple[Statement | None, ...]] = {}
        self._crowded: dict[CodeType, bool] = {}

    def holds(self, code: CodeType) -> bool:
        """Whether this code was compiled from this source, and not from an earlier version of it."""
        return _identity(code) in self._codes

    def table(self, code: CodeType) -> tuple[Statement | None, ...]:
        """The statement of each instruction, by half of its offset; None where the compiler gives no position."""
        found = self._tables.get(code)
        if found is None:
            seen: dict[Any, Statement | None] = {}
            table = []
            for position in code.co_positions():
                if position not in seen:
                    seen[position] = self._block.innermost(position)
                table.append(seen[position])
            found = self._tables[code] = tuple(table)
        return found

    def is_crowded(self, code: CodeType) -> bool:
        """Whether a line of the code has several statements, so that lines don't tell them apart."""
        found = self._crowded.get(code)
        if found is None:
            statements = dict.fromkeys(statement for statement in self.table(code) if statement is not None)
            starts = [statement.line for statement in statements]
            found = self._crowded[code] = len({*starts}) < len(starts)
        return found


class _Block:
    """A list of statements and the blocks inside them."""

    def __init__(self, nodes: Sequence[ast.stmt], loops: tuple[Statement, ...]) -> None:
        self._starts: list[tuple[int, int]] = []
        self._ends: list[tuple[int, int]] = []
        self._statements: list[Statement] = []
        self._inner: list[list[_Block]] = []
        for node in nodes:
            statement = Statement(node, loops)
            inside, after = loops, loops
            if isinstance(node, LOOPS):
                statement = _loop(node, loops)
                inside = statement.loops
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inside = ()
            decorators = getattr(node, "decorator_list", [])
            first = min([node, *decorators], key=lambda part: part.lineno)
            self._starts.append((first.lineno, 0 if decorators else node.col_offset))
            self._ends.append((node.end_lineno or node.lineno, node.end_col_offset or 0))
            self._statements.append(statement)
            self._inner.append(list(_blocks(node, inside, after)))

    def innermost(self, position: Sequence[int | None]) -> Statement | None:
        """The innermost statement that contains a position; None if none does."""
        line, end_line, column, end_column = position
        if line is None:
            return None
        start = (line, 0 if column is None else column)
        end = start if end_line is None or end_column is None else (end_line, end_column)
        if column is None:  # Python was told to keep no columns
            at = bisect.bisect_left(self._starts, (line + 1, -1)) - 1
        else:
            at = bisect.bisect_right(self._starts, start) - 1
        if at < 0 or (self._ends[at] < end if column is not None else self._ends[at][0] < line):
            return None
        for block in self._inner[at]:
            found = block.innermost(position)
            if found is not None:
                return found
        return self._statements[at]


def _loop(node: ast.stmt, loops: tuple[Statement, ...]) -> Statement:
    statement = Statement(node, loops)
    object.__setattr__(statement, "loops", (*loops, statement))
    return statement


def _blocks(node: ast.stmt, inside: tuple[Statement, ...], after: tuple[Statement, ...]) -> Iterator[_Block]:
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
