"""The notebook runs, shows what it has stored, and is the same as its marimo script, which runs too."""

import ast
import inspect
import json
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOK = json.loads((EXAMPLES / "softmax_backprop.ipynb").read_text(encoding="utf-8"))
SCRIPT = EXAMPLES / "softmax_backprop.py"


def cells(kind):
    return [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def run_cell(code, space):
    """Run the code of a cell; return the value of its last expression, which a notebook shows."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), space)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), space)


def test_the_notebook_is_one_of_format_4():
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in NOTEBOOK["cells"]}) == len(NOTEBOOK["cells"]) > 20
    for count, cell in enumerate(cells("code"), start=1):
        assert cell["execution_count"] == count


def test_every_cell_shows_what_is_stored():
    space = {}
    for cell in cells("code"):
        shown = run_cell(source(cell), space)
        stored = ["".join(output["data"]["text/plain"]) for output in cell["outputs"]]
        assert stored == ([] if shown is None else [repr(shown)]), source(cell)
    assert {"derivation", "diagnosis", "batch"} <= {*space}
    for name in ("derivation", "diagnosis", "batch"):
        assert space[name]._repr_html_().startswith('<div class="glassmax">')


class App:
    """As much of marimo's App as runs cells: in the order of what they need."""

    def __init__(self):
        self.cells = []

    def cell(self, function=None, **_):
        if function is None:
            return self.cell
        self.cells.append(function)
        return function

    def run(self):
        space = {}
        waiting = list(self.cells)
        while waiting:
            ready = [cell for cell in waiting if {*inspect.signature(cell).parameters} <= {*space}]
            assert ready, "a cell needs a name that no cell returns"
            for cell in ready:
                given = {name: space[name] for name in inspect.signature(cell).parameters}
                returned = returned_names(cell)
                made = dict(zip(returned, cell(**given) or (), strict=True))
                assert not {*made} & {*space}, "two cells define the same name"
                space |= made
                waiting.remove(cell)
        return space


def body(cell):
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(cell))).body
    return function.body


def returned_names(cell):
    value = body(cell)[-1].value
    return [] if value is None else [name.id for name in value.elts]


@pytest.fixture
def script(monkeypatch):
    """Load the marimo script with an App that runs without marimo."""
    said = []
    marimo = ModuleType("marimo")
    marimo.App, marimo.md = App, said.append
    monkeypatch.setitem(sys.modules, "marimo", marimo)
    space = {"__name__": "notebook"}
    exec(compile(SCRIPT.read_text(encoding="utf-8"), str(SCRIPT), "exec"), space)
    return space["app"], said


def test_the_marimo_script_runs(script):
    app, said = script
    space = app.run()
    assert space["batch"]["dW2"].shape == (10, 3)
    assert [textwrap.dedent(text).strip() for text in said] == [source(cell) for cell in cells("markdown")]


def test_the_marimo_script_has_the_code_of_the_notebook(script):
    app, _ = script
    lines = [ast.unparse(body(cell)[:-1]) for cell in app.cells]
    code = [text for text in lines if not text.startswith(("mo.md", "import marimo"))]
    assert code == [ast.unparse(ast.parse(source(cell))) for cell in cells("code")]
