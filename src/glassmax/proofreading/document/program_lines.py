"""Blocks of code to pieces: NumPy lines one by one; a block that is no Python is read as plain text."""

import ast
import re
from collections.abc import Iterator

from .pieces import Piece
from .plain_lines import has_formula, plain_lines
from .program_text import parsed

__all__ = ["code_block"]

PROMPT = re.compile(r"^(>>> |\.\.\. |In \[\d+\]: )", re.MULTILINE)
PYTHON = ("python", "py", "python3", "numpy", "ipython", "pycon")
CALLS = re.compile(r"\bnp\.|\bnumpy\b|\bimport\b|\bdef\b|\.T\b|@|\w\(|\[[^\]]*[:,]|[+\-*/]=|\*\*|\w_by_\w|#")


def code_block(text: str, start: int, language: str, names: frozenset[str]) -> Iterator[Piece]:
    """Yield the pieces of a fenced block: lines of code if it is Python, lines of plain text otherwise."""
    body = PROMPT.sub(lambda match: " " * len(match[0]), text)
    tree = parsed(body)
    if tree is not None and (language in PYTHON or CALLS.search(body)):
        yield from _statements(tree, text, start)
    elif language in PYTHON:
        yield from _line_by_line(text, start, names)
    elif language in ("", "text", "txt", "plain", "plaintext", "math", "none"):
        yield from plain_lines(text, start, names)


def _statements(tree: ast.Module, text: str, start: int) -> Iterator[Piece]:
    lines = text.splitlines(keepends=True)
    starts = [start]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for node in tree.body:
        source = "".join(lines[node.lineno - 1 : node.end_lineno])
        source = PROMPT.sub("", "\n".join(line.rstrip() for line in source.splitlines())).strip()
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            yield Piece("code", source, starts[node.lineno - 1])
        elif not isinstance(node, (ast.Import, ast.ImportFrom, ast.Expr, ast.Pass, ast.Assert)):
            yield Piece("skipped", source.splitlines()[0], starts[node.lineno - 1])


def _line_by_line(text: str, start: int, names: frozenset[str]) -> Iterator[Piece]:
    """Yield the assignments of a block that can't be parsed as a whole, such as one that shows what it prints."""
    for line in text.splitlines(keepends=True):
        tree = parsed(PROMPT.sub("", line))
        if tree and tree.body and isinstance(tree.body[0], (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            yield Piece("code", PROMPT.sub("", line).strip(), start)
        elif tree is None and has_formula(line, names):
            yield from plain_lines(line, start, names)
        start += len(line)
