"""Whether a table of messages reaches every ``raise`` of some modules."""

import ast
import traceback

import pytest

__all__ = ["raises_that_are_missed"]


def raises_that_are_missed(paths, cases, fewest, left_out="no error"):
    """Return the places of the raises that no case reaches; there are more than `fewest` in all.

    Cases are (kind of error, message, call). A raise of the error `left_out` is tested elsewhere.
    """
    reached = set()
    for kind, _, call in cases:
        with pytest.raises(kind) as caught:
            call()
        reached |= set(_lines(caught.value))
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(paths)}
    raises = [(path, node) for path, tree in modules.items() for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    raises = [
        (path, node) for path, node in raises if node.exc is not None and not ast.unparse(node.exc).startswith(left_out)
    ]
    assert len(raises) > fewest
    return [
        f"{path.name}, line {node.lineno}"
        for path, node in raises
        if not any((str(path), line) in reached for line in range(node.lineno, node.end_lineno + 1))
    ]


def _lines(error):
    """Yield the lines that an error has passed, and those that the errors before it have."""
    while error is not None:
        for frame in traceback.extract_tb(error.__traceback__):
            yield frame.filename, frame.lineno
        error = error.__context__
