"""The table of causes: every name that can be printed has a row, every row is used, and the documentation lists it."""

import ast
from pathlib import Path

import pytest

import glassmax.doctor
from glassmax.doctor.mistakes.causes import CAUSES, NOT_IN_CATALOGUE
from glassmax.doctor.pytorch.layers import ONE_TOO_MANY
from glassmax.doctor.telling.reasons import REASONS
from tests.doctor import write_catalogue

PACKAGE = Path(glassmax.doctor.__file__).parent
SOURCES = [
    path
    for folder in (PACKAGE, PACKAGE.parent / "learner")
    for path in sorted(folder.rglob("*.py"))
    if path.name != "causes.py"
]
NAMING = {
    "Mistake": 0,
    "Smoothing": 0,
    "PlacedMistake": 0,
    "Finding": 0,
    "Remark": 0,
    "Forward": 0,
    "AnswerError": 0,
    "no_answer": 0,
}
"""What takes the name of a cause, and at which place."""
NAMING["FunctionCall"] = 1


def texts(node):
    """The texts that an expression can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    return set()


def assigned(tree, name):
    """The texts that are assigned to a name anywhere in a module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            found |= texts(node.value)
    return found


def called_with(call):
    """The name of what is called, ``Mistake`` also for ``partial(Mistake[Site], ...)``, and its arguments."""
    function, arguments = call.func, call.args
    if isinstance(function, ast.Name) and function.id == "partial":
        function, *arguments = arguments
    while isinstance(function, ast.Subscript):
        function = function.value
    return (function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")), arguments


def named_in(path):
    """The names of causes that a module gives to what it makes."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called, arguments = called_with(node)
        given = [keyword.value for keyword in node.keywords if keyword.arg == "cause"]
        if called in NAMING and len(arguments) > NAMING[called]:
            given.append(arguments[NAMING[called]])
        for argument in given:
            found |= assigned(tree, argument.id) if isinstance(argument, ast.Name) else texts(argument)
    return found - {""}


NAMED = {path: named_in(path) for path in SOURCES}
LOOKED_UP = {*ONE_TOO_MANY.values()}
"""Causes that a call takes from a table, by the layers it is about."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_cause_that_is_named_has_a_row(path):
    assert NAMED[path] <= set(CAUSES)


def test_the_names_are_found_where_they_are_given():
    named = set().union(*NAMED.values())
    assert {"sign", "transposed", "wrong_shapes", "raises", "never_returns", "frozen", "batch_coupling"} <= named
    assert len(named) > len(CAUSES) / 2


def test_every_row_can_be_printed():
    assert set(CAUSES) == set().union(*NAMED.values(), LOOKED_UP, {NOT_IN_CATALOGUE})


def test_a_name_that_only_stands_in_a_text_is_not_used(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("WORDS = 'sign'\nif finding.cause == 'factor':\n    Finding('kink', '')\n")
    assert named_in(path) == {"kink"}


def test_a_cause_that_is_given_by_partial_is_found(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("made = partial(Mistake[Site], 'transposed', cost=1.2)\n")
    assert named_in(path) == {"transposed"}


@pytest.mark.parametrize("name", CAUSES)
def test_a_row_is_whole(name):
    cause = CAUSES[name]
    assert cause.means.endswith(".")
    assert set(cause.step_line) | set(cause.step_reason) <= {"dZ", "dA", "dW", "db"}
    assert set(cause.step_reason.values()) <= set(REASONS)
    assert cause.explains in {"", *CAUSES}


def test_the_documentation_lists_the_table():
    assert write_catalogue.PAGE.read_text(encoding="utf-8") == write_catalogue.written(), (
        "run: python -m tests.doctor.write_catalogue"
    )
