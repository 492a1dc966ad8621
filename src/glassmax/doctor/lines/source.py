"""The learner's program as text: its functions, their statements, and the same functions with a piece of text changed.

A change is made in the text, so that the learner's layout, names and comments stay as they are. A changed function is
compiled, and takes the place of the learner's own for the length of a call. This module refuses to write anything: the
file, the notebook cell and, after the call, the functions are as they were.
"""

import ast
import functools
import inspect
import linecache
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...learner.statements import source_of

__all__ = ["SEEN", "Edit", "Statement", "Unit", "forget_mended", "mended_codes", "replaced", "units_of"]

MOST_UNITS = 60
SEEN = "glassmax: seen"
"""What an edit calls to show a value, as in ``'glassmax: seen'(dZ1)``."""
SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr, ast.For, ast.Delete)


@dataclass(frozen=True)
class Edit:
    """A piece of a unit's text, from `start` to `end` in bytes, and what takes its place."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement of a unit: its node, its first and last line in the learner's file, and what it stands in.

    `loops` are the loops around it, the outermost first.
    """

    unit: "Unit"
    node: ast.stmt
    line: int
    column: int
    end_line: int
    loops: tuple[ast.stmt, ...] = ()

    @property
    def text(self) -> str:
        """The statement as it is written; of a loop its head alone."""
        return self.unit.text(self.node if not isinstance(self.node, ast.For) else self.node.iter)


class Unit:
    """A function or method of the learner's, with its text; functions that are nested in it are a part of it."""

    def __init__(self, function: types.FunctionType, source: bytes, first_line: int, indent: int) -> None:
        self.function, self.source, self.first_line, self.indent = function, source, first_line, indent
        self.code, self.last_line = function.__code__, first_line + source.count(b"\n")
        self.tree = self._parsed()
        self._starts = [0]
        for line in source.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def _parsed(self) -> ast.AST:
        tree = ast.parse(self._wrapped(self.source))
        found = next((node for node in ast.walk(tree) if self._is_mine(node)), None)
        if found is None:
            raise SyntaxError("no such function")
        return found

    def _is_mine(self, node: ast.AST) -> bool:
        if self.code.co_name == "<lambda>":
            names = [arg.arg for arg in node.args.args] if isinstance(node, ast.Lambda) else None
            return names == list(self.code.co_varnames[: self.code.co_argcount])
        return isinstance(node, ast.FunctionDef) and node.name == self.code.co_name

    @property
    def _heads(self) -> list[str]:
        """The lines that the text is put under: the class, for names such as __W, and the variables of a closure."""
        parent = self.function.__qualname__.rpartition(".")[0].rpartition(".")[2]
        heads = []
        free = [name for name in self.code.co_freevars if name != "__class__"]
        if free:
            heads.append(f"def _({', '.join(free)}):")
        if parent and parent != "<locals>":
            heads.append(f"class {parent}:")
        elif "__class__" in self.code.co_freevars:
            heads.append("class _:")
        return heads

    def _wrapped(self, source: bytes) -> bytes:
        heads = self._heads
        lines = [b" " * depth + head.encode() for depth, head in enumerate(heads)]
        if self.indent == 0 and heads:
            source = b" " * len(heads) + source.replace(b"\n", b"\n" + b" " * len(heads))
        elif self.indent and len(heads) <= self.indent:
            lines += [b" " * len(heads) + b"if True:"] if len(heads) < self.indent else []
        return b"\n".join([*lines, source])

    def compiled(self, edits: Sequence[Edit], seen: Callable[[Any], Any] | None = None) -> types.CodeType | None:
        """The function's code after some edits; None if that is no function of the same variables.

        `seen` is called where an edit has written a call of the text `SEEN`.
        """
        source = self.edited(edits)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a text is called, which is no longer a text when it is
                code = compile(self._wrapped(source), self.code.co_filename, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        found = _inner(code, self.code)
        if found is None or found.co_freevars != self.code.co_freevars:
            return None
        return found if seen is None else _with_constant(found, seen)

    def edited(self, edits: Sequence[Edit]) -> bytes:
        """The text after some edits."""
        source = self.source
        for edit in sorted(edits, key=lambda edit: -edit.start):
            source = source[: edit.start] + edit.text.encode() + source[edit.end :]
        return source

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node stands in the text, in bytes."""
        heads, shift = len(self._heads), 0
        if self.indent == 0:
            shift = heads
        elif heads < self.indent:
            heads += 1
        row, end = node.lineno - 1 - heads, node.end_lineno - 1 - heads  # type: ignore[attr-defined]
        start_column, end_column = node.col_offset - shift, node.end_col_offset - shift  # type: ignore[attr-defined]
        return self._starts[row] + start_column, self._starts[end] + end_column

    def text(self, node: ast.AST) -> str:
        """A node as it is written."""
        start, end = self.span(node)
        return self.source[start:end].decode()

    def edit(self, node: ast.AST, text: str) -> Edit:
        """The edit that puts a text in the place of a node."""
        return Edit(*self.span(node), text)

    def line_of(self, position: int) -> int:
        """The line of the learner's file at a place in the text."""
        return self.first_line + self.source.count(b"\n", 0, position)

    def __repr__(self) -> str:
        return f"Unit({self.code.co_qualname})"

    @functools.cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The statements that compute something, in the order of the text, those of nested functions too.

        What the end of a ``while`` loop depends on is left out: a change of it might never end.
        """
        if isinstance(self.tree, ast.Lambda):
            node: Any = ast.copy_location(ast.Return(self.tree.body), self.tree.body)
            return (self._statement(node, ()),)
        counted = _names_of_ends(self.tree)
        walked = self._walked(self.tree.body, ())  # type: ignore[attr-defined]
        return tuple(s for s in walked if not _is_endless(s) and not counted & {*_written(s.node)})

    def _walked(self, body: Sequence[ast.stmt], loops: tuple[ast.stmt, ...]) -> Iterator[Statement]:
        for node in body:
            if isinstance(node, SIMPLE):
                yield self._statement(node, loops)
            inside = (*loops, node) if isinstance(node, ast.For | ast.While) else loops
            for name in ("body", "orelse", "finalbody"):
                yield from self._walked(getattr(node, name, []), inside)
            for handler in getattr(node, "handlers", []):
                yield from self._walked(handler.body, inside)

    def _statement(self, node: ast.stmt, loops: tuple[ast.stmt, ...]) -> Statement:
        start, end = self.span(node.iter if isinstance(node, ast.For) else node)
        column = start - (self.source.rfind(b"\n", 0, start) + 1)
        return Statement(self, node, self.line_of(start), column, self.line_of(end), loops)


def _names_of_ends(tree: ast.AST) -> set[str]:
    """The variables that the end of some ``while`` loop depends on."""
    tests = [node.test for node in ast.walk(tree) if isinstance(node, ast.While)]
    return {node.id for test in tests for node in ast.walk(test) if isinstance(node, ast.Name)}


def _is_endless(statement: Statement) -> bool:
    """Whether a statement stands in a ``while True``, which ends by a ``break``."""
    return any(isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant) for loop in statement.loops)


def _written(node: ast.stmt) -> Iterator[str]:
    """The variables that a statement binds or changes, also by a method, as in ``queue.pop()``."""
    targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [getattr(node, "target", None)]
    if isinstance(node, ast.Expr):
        targets = [node.value]
    for target in targets:
        for each in ast.walk(target) if target is not None else ():
            if isinstance(each, ast.Name):
                yield each.id


def _with_constant(code: types.CodeType, seen: Callable[[Any], Any]) -> types.CodeType:
    """The code with a function in the place of the constant `SEEN`."""
    constants = [
        seen if constant == SEEN and isinstance(constant, str)
        else _with_constant(constant, seen) if isinstance(constant, types.CodeType)
        else constant
        for constant in code.co_consts
    ]  # fmt: skip
    return code.replace(co_consts=tuple(constants))


def _inner(code: types.CodeType, wanted: types.CodeType) -> types.CodeType | None:
    """The code of the function inside the code of a module."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            same = constant.co_name == wanted.co_name and constant.co_argcount == wanted.co_argcount
            if same and constant.co_varnames[: constant.co_argcount] == wanted.co_varnames[: wanted.co_argcount]:
                return constant
            found = _inner(constant, wanted)
            if found is not None:
                return found
    return None


# finding the functions


def plain_function(function: Any) -> types.FunctionType | None:
    """The function under wrappers, partial applications and methods; None if there is none."""
    for _ in range(20):
        if isinstance(function, types.FunctionType) and not hasattr(function, "__wrapped__"):
            return function
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, types.MethodType):
            function = function.__func__
        elif isinstance(getattr(function, "__wrapped__", None), Callable):  # type: ignore[arg-type]
            function = function.__wrapped__
        else:
            function = type(function).__dict__.get("__call__")
    return None


def units_of(function: Any) -> list[Unit]:
    """The learner's function, first, and those of the same file that it can reach; empty if there is no source."""
    main = plain_function(function)
    if main is None:
        return []
    file = main.__code__.co_filename
    found: list[types.FunctionType] = []
    waiting: list[Any] = [main, function]
    seen: set[int] = set()
    while waiting and len(found) < MOST_UNITS:
        thing = waiting.pop(0)
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        of_file = isinstance(thing, types.FunctionType) and thing.__code__.co_filename == file
        if of_file and not hasattr(thing, "__wrapped__"):
            found.append(thing)
        waiting += _reached(thing, file)
    units = [unit for unit in (_unit(each) for each in found) if unit is not None]
    return units if units and units[0].function is main else []


def _reached(thing: Any, file: str) -> list[Any]:
    """What a function, a class or an object of the learner's file can call."""
    if isinstance(thing, types.FunctionType):
        if thing.__code__.co_filename != file and not hasattr(thing, "__wrapped__"):
            return []
        names = {*_names(thing.__code__)}
        reached = [thing.__globals__[name] for name in sorted(names) if name in thing.__globals__]
        for cell in thing.__closure__ or ():
            try:
                reached.append(cell.cell_contents)
            except ValueError:  # not filled yet
                continue
        reached += [thing.__wrapped__] if hasattr(thing, "__wrapped__") else []
        return [each for each in reached if _may_call(each, file)]
    if isinstance(thing, types.MethodType):
        return [thing.__func__, thing.__self__]
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args]
    if isinstance(thing, type):
        inner = [getattr(value, "__func__", getattr(value, "fget", value)) for value in vars(thing).values()]
        return [each for each in (*inner, *thing.__bases__) if _may_call(each, file)]
    if isinstance(thing, list | tuple | dict):
        values = list(thing.values() if isinstance(thing, dict) else thing)[:50]
        return [each for each in values if _may_call(each, file)]
    wrapped = getattr(thing, "__wrapped__", None)
    return [type(thing)] if wrapped is None else [wrapped]


def _may_call(thing: Any, file: str) -> bool:
    if isinstance(thing, types.FunctionType):
        return thing.__code__.co_filename == file or hasattr(thing, "__wrapped__")
    if isinstance(thing, types.MethodType | functools.partial | list | tuple | dict):
        return True
    return _is_of_file(thing if isinstance(thing, type) else type(thing), file)


def _is_of_file(cls: type, file: str) -> bool:
    functions = [value for value in vars(cls).values() if isinstance(value, types.FunctionType)]
    return any(function.__code__.co_filename == file for function in functions)


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _unit(function: types.FunctionType) -> Unit | None:
    """A function with its text; None if the text is missing, or is not that of the function."""
    code = function.__code__
    source = source_of(code, function.__globals__)
    if source is None:
        return None
    try:
        block = inspect.getblock([f"{line}\n" for line in source.lines[code.co_firstlineno - 1 :]])
        text = "".join(block).rstrip("\n")
        indent = len(text) - len(text.lstrip(" \t"))
        unit = Unit(function, text.encode(), code.co_firstlineno, indent)
        return unit if unit.compiled(()) is not None else None
    except (SyntaxError, IndexError, ValueError, RecursionError, UnicodeError):
        return None


# running them


def mended_codes(
    units: Sequence[Unit], before: Sequence[tuple[Unit, Edit]]
) -> list[tuple[types.FunctionType, types.CodeType]]:
    """The codes of all units after some edits, from one text that `linecache` knows: their lines can be watched."""
    source = source_of(units[0].code, units[0].function.__globals__)
    assert source is not None  # there are units
    lines = list(source.lines)
    for unit in sorted(units, key=lambda unit: -unit.first_line):
        edits = [edit for its, edit in before if its is unit]
        if edits:
            count = unit.source.count(b"\n") + 1
            at = unit.first_line - 1
            lines[at : at + count] = unit.edited(edits).decode().split("\n")
    text, name = "\n".join(lines) + "\n", _mended_name(units)
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    code = compile(text, name, "exec", dont_inherit=True)
    found = [(unit.function, _inner(code, unit.code)) for unit in units]
    return [
        (function, code)
        for function, code in found
        if code is not None and code.co_freevars == function.__code__.co_freevars
    ]


def forget_mended(units: Sequence[Unit]) -> None:
    """Take the text of `mended_codes` out of `linecache`."""
    linecache.cache.pop(_mended_name(units), None)


def _mended_name(units: Sequence[Unit]) -> str:
    return f"<mended {units[0].code.co_filename}>"


@contextmanager
def replaced(codes: Sequence[tuple[types.FunctionType, types.CodeType]]) -> Iterator[None]:
    """Let functions run other code, and give them back their own at the end."""
    own = [(function, function.__code__) for function, _ in codes]
    try:
        for function, code in codes:
            function.__code__ = code
        yield
    finally:
        for function, code in own:
            function.__code__ = code
