"""Whether a text is a program: what Python parses, and what only a program has."""

import ast
import re

__all__ = ["is_code_line", "parsed"]

ONLY_CODE = re.compile(
    r"\bnp\.|\bnumpy\b|\.T\b|\s@\s|\.(?:sum|mean|copy|dot|reshape|transpose)\(|[+\-*/]=|\baxis=|\*\*|\[[^\]]*:"
)


def parsed(text: str) -> ast.Module | None:
    """Return the tree of a program whose lines may all be indented, or None if it is no Python."""
    lines = text.splitlines()
    indent = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    try:
        return ast.parse("\n".join(line[indent:] for line in lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_code_line(line: str) -> bool:
    """Return whether a line of a text is an assignment of a program that no formula looks like."""
    if not ONLY_CODE.search(line):
        return False
    tree = parsed(line)
    return bool(tree and len(tree.body) == 1 and isinstance(tree.body[0], (ast.Assign, ast.AugAssign)))
