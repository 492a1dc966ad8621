"""The house's own rules: sizes, names, docstrings, and what the package shows of itself."""

import ast
import importlib
import importlib.metadata
import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import glassmax
from glassmax import functional

PACKAGE = Path(glassmax.__file__).parent
ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(PACKAGE.rglob("*.py"))
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def named(path):
    return path.relative_to(PACKAGE).as_posix()


def lines(node):
    """Return how many lines a node of the syntax tree takes, its docstring aside."""
    first = node.body[0]
    docstring = first.end_lineno - first.lineno + 1 if ast.get_docstring(node) is not None else 0
    return node.end_lineno - node.lineno + 1 - docstring


def docstrings(tree):
    """Return how many lines of a module are docstrings."""
    nodes = (node for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTION)))
    return sum(node.body[0].end_lineno - node.body[0].lineno + 1 for node in nodes if ast.get_docstring(node))


# sizes and names


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_module_has_at_most_400_lines_besides_its_docstrings(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) - docstrings(ast.parse(text)) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_function_has_at_most_70_lines_besides_its_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = [node.name for node in ast.walk(tree) if isinstance(node, FUNCTION) and lines(node) > 70]
    assert [
        name for name in long if name != "__init__"
    ] == []  # a constructor of scikit-learn's stores what it is given


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_module_says_what_it_is_for(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring is not None
    assert docstring.splitlines()[0].endswith((".", ":"))


def test_no_module_is_a_drawer_for_odds_and_ends():
    drawers = {"utils", "util", "helpers", "helper", "common", "base", "core", "misc"}
    assert len(SOURCES) > 20
    assert [path for path in SOURCES if drawers & {*path.relative_to(PACKAGE).with_suffix("").parts}] == []


# docstrings


FACE = ["functional", "gradcheck", "doctor", "training", "optimizers", "network", "model", "estimator", "parameters"]
"""The modules whose names people meet."""


def public():
    """Yield every public function, class and method of the face, with its name."""
    for module_name in FACE:
        module = importlib.import_module(f"glassmax.{module_name}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isfunction(thing):
                yield pytest.param(thing, id=f"{module_name}.{name}")
            elif inspect.isclass(thing) and not getattr(thing, "_is_protocol", False):
                yield pytest.param(thing, id=f"{module_name}.{name}")
                for method, _ in inspect.getmembers(thing, callable):
                    own = method in vars(thing) and not method.startswith("_")
                    if own:
                        yield pytest.param(getattr(thing, method), id=f"{module_name}.{name}.{method}")


PUBLIC = list(public())


def sections(thing):
    """Return the sections of a numpydoc docstring by their titles."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.getdoc(thing), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def arguments(thing):
    """Return the names of the arguments of a function, a method or a class."""
    return [name for name in inspect.signature(thing).parameters if name not in ("self", "cls")]


def says_all_in_a_line(thing):
    """A method, a named tuple, or a function of one argument may have a docstring of a single line."""
    short = "." in thing.__qualname__ or hasattr(thing, "_fields") or len(arguments(thing)) == 1
    return short and len(inspect.getdoc(thing).splitlines()) == 1


def test_the_face_is_large():
    assert len(PUBLIC) > 80


@pytest.mark.parametrize("thing", PUBLIC)
def test_a_docstring_opens_with_one_sentence(thing):
    first, *rest = inspect.getdoc(thing).splitlines()
    assert re.fullmatch(r"\S.*[.:]", first)
    assert not rest or rest[0] == ""


@pytest.mark.parametrize("thing", PUBLIC)
def test_a_docstring_explains_every_argument(thing):
    if says_all_in_a_line(thing):
        return
    explained = sections(thing)
    text = explained.get("Parameters", "") + explained.get("Attributes", "")
    heads = re.findall(r"^(\S[^:\n]*)", text, flags=re.MULTILINE)
    assert {*arguments(thing)} <= {name.strip("* ") for head in heads for name in head.split(",")}


@pytest.mark.parametrize("thing", PUBLIC)
def test_a_docstring_says_what_is_returned(thing):
    if inspect.isclass(thing) or says_all_in_a_line(thing):
        return
    returned = inspect.signature(thing).return_annotation
    assert returned is not inspect.Signature.empty
    if returned in (None, "None") or "return nothing" in inspect.getdoc(thing):
        return
    yields = inspect.isgeneratorfunction(thing)
    assert ("Yields" if yields else "Returns") in sections(thing)


# pairs


def differentiable():
    """Return the functions of `glassmax.functional` that are f, not f_vjp or the like."""
    derived = ("_vjp", "_jvp", "_second", "_jacobian")
    functions = (name for name in functional.__all__ if inspect.isfunction(getattr(functional, name)))
    return [name for name in functions if not name.endswith(derived)]


@pytest.mark.parametrize("name", [name for name in functional.__all__ if name.endswith(("_vjp", "_jvp", "_second"))])
def test_a_derivative_stands_beside_its_function(name):
    assert name.rsplit("_", 1)[0] in functional.__all__


@pytest.mark.parametrize("name", differentiable())
def test_a_function_stands_beside_its_pullback(name):
    assert f"{name}_vjp" in functional.__all__


@pytest.mark.parametrize("name", differentiable())
def test_a_pullback_takes_the_derivative_first_and_the_options_of_its_function(name):
    f, f_vjp = getattr(functional, name), getattr(functional, f"{name}_vjp")
    first, *_ = arguments(f_vjp)
    assert re.fullmatch(r"d[A-Z]\w*", first)
    options = [p.name for p in inspect.signature(f).parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert {*options} <= {*arguments(f_vjp)}


# what the package shows


def test_all_names_what_can_be_imported():
    shown = {}
    exec("from glassmax import *", shown)
    assert sorted(name for name in shown if name != "__builtins__") == sorted(glassmax.__all__)
    for name in glassmax.__all__:
        assert shown[name] is getattr(glassmax, name)


def test_dir_shows_the_public_names_and_no_others():
    done = subprocess.run(
        [sys.executable, "-c", "import glassmax; print(*dir(glassmax))"], capture_output=True, text=True
    )
    assert done.stdout.split() == sorted(glassmax.__all__)


MODULES = sorted(
    {path.stem for path in PACKAGE.iterdir() if not path.name.startswith(("_", "py."))} - {"version", "torch", "jax"}
)


@pytest.mark.parametrize("name", MODULES)
def test_dir_of_a_module_shows_its_public_names_and_no_others(name):
    module = importlib.import_module(f"glassmax.{name}")
    assert dir(module) == sorted(module.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_is_an_attribute_at_once_and_stands_on_the_map(name):
    program = f"import glassmax; print(glassmax.{name}.__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"glassmax.{name}\n"
    assert name in glassmax.__all__
    assert re.search(rf"^    {name}/?  ", glassmax.__doc__, re.M)


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_a_module_for_another_library_is_no_attribute_and_says_what_is_missing(name, monkeypatch):
    assert name not in glassmax.__all__  # a star would put it in the place of the library
    monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, f"glassmax.{name}", raising=False)
    with pytest.raises(
        ImportError, match=rf"which is not installed. Install it with: pip install 'glassmax\[{name}\]'"
    ):
        importlib.import_module(f"glassmax.{name}")


def signatures():
    """Yield the public functions, classes and methods that a newcomer asks `help` about."""
    places = [glassmax, glassmax.functional, glassmax.gradcheck, glassmax.parameters, glassmax.optimizers]
    for place in places:
        for name in place.__all__:
            thing = getattr(place, name)
            if inspect.isfunction(thing) or inspect.isclass(thing):
                yield pytest.param(thing, id=f"{place.__name__}.{name}")
            if inspect.isclass(thing):
                methods = (
                    method for method, _ in inspect.getmembers(thing, inspect.isroutine) if method in vars(thing)
                )
                for method in methods:
                    if not method.startswith("_"):
                        yield pytest.param(getattr(thing, method), id=f"{place.__name__}.{name}.{method}")


@pytest.mark.parametrize("thing", list(signatures()))
def test_help_opens_with_names_and_not_with_unions_of_types(thing):
    signature = str(inspect.signature(thing))
    assert "numpy._typing" not in signature
    assert "dtype[" not in signature
    if thing not in (glassmax.SoftmaxClassifier, glassmax.TableClassifier):  # many parameters, each with its default
        assert len(signature) < 500


def shown_at_the_prompt():
    """Yield what people type to see it, by the text that they type."""
    table = glassmax.table
    digits, penguins = glassmax.read_table("digits"), glassmax.read_table("penguins")
    encoding, notes = table.Encoding.learn(penguins, "species")
    network = glassmax.Network([4, 3], random_state=0)
    X, y = np.eye(4), [0, 1, 2, 0]
    yield from {
        "table": digits,
        "columns": digits.columns,
        "columns_of_penguins": penguins.columns,
        "encoding": encoding,
        "encoded": encoding.encode(penguins),
        "notes": notes,
        "inferred": table.infer(digits, ("digit",)),
        "counts": table.UnseenCounts(),
        "builtin": table.BUILTIN,
        "engine": glassmax.engine.best_engine(),
        "reference": glassmax.engine.ReferenceEngine(),
        "network": network,
        "tape": network.forward(X),
        "parameters": network.parameters,
        "report": network.check_gradients(X, y),
        "model": glassmax.Model(network, np.array(["a", "b", "c"])),
        "estimator": glassmax.SoftmaxClassifier(),
    }.items()
    for module in map(importlib.import_module, (f"glassmax.{name}" for name in FACE)):
        for name in module.__all__:
            if not inspect.isroutine(getattr(module, name)) and not inspect.isclass(getattr(module, name)):
                yield f"{module.__name__}.{name}", getattr(module, name)


def test_nothing_shows_its_address_or_fills_the_screen():
    for name, thing in shown_at_the_prompt():
        assert "object at 0x" not in repr(thing), name
        assert len(repr(thing)) < 1100, name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'glassmax' has no attribute 'sofmax'"):
        glassmax.sofmax  # noqa: B018


@pytest.mark.parametrize("module", FACE)
def test_all_of_a_module_is_sorted_and_there(module):
    module = importlib.import_module(f"glassmax.{module}")
    assert len({*module.__all__}) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def test_importing_glassmax_loads_numpy_and_none_of_the_heavy_libraries():
    heavy = ["scipy", "sklearn", "pandas", "polars", "safetensors", "msgspec", "click", "rich"]
    program = f"import sys, glassmax; print('numpy' in sys.modules, [name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True []\n"


def imports_while_loading(body):
    """Yield the names of the modules that a module imports as soon as it is loaded."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
        elif isinstance(node, (*FUNCTION, ast.Lambda)):
            continue
        else:
            yield from imports_while_loading(ast.iter_child_nodes(node))


MATHEMATICS = [path for path in SOURCES if path.relative_to(PACKAGE).parts[0] in ("functional", "calculus")]


@pytest.mark.parametrize("path", MATHEMATICS, ids=named)
def test_the_mathematics_imports_scipy_inside_functions_only(path):
    names = imports_while_loading(ast.parse(path.read_text(encoding="utf-8")).body)
    assert [name for name in names if name.split(".")[0] == "scipy"] == []


def test_an_import_of_scipy_while_loading_would_be_found():
    program = "if True:\n    from scipy.special import erf\ndef f():\n    import numpy\n"
    assert [*imports_while_loading(ast.parse(program).body)] == ["scipy.special"]


# the files of the project


MACHINE_PATH = re.compile(r"(?<![\w./~-])/(?:home|root|Users|tmp|work|mnt|opt|private)/\w[\w./-]*")


FOLDERS = ("src", "native", "tests", "tests_torch", "tests_jax", "docs", "examples", "benchmarks", "fuzz")
OWN_FILES = [path for path in ROOT.iterdir() if path.is_file() and path.suffix in (".md", ".toml", ".cff", "")]
OWN_FILES += [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*") if "__pycache__" not in path.parts]


def test_no_file_of_the_project_names_a_path_of_some_machine():
    texts = {path: path.read_bytes().decode("utf-8", "ignore") for path in OWN_FILES if path.is_file()}
    found = {path.name: MACHINE_PATH.findall(text) for path, text in texts.items() if path != Path(__file__)}
    assert len(texts) > 200
    assert {name: paths for name, paths in found.items() if paths} == {}


# the version


def text_of(name):
    """Return the text of a file beside the tests, or nothing where only the package is at hand."""
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_the_version_is_that_of_the_installation():
    assert importlib.metadata.version("glassmax") == glassmax.__version__


def test_the_change_log_has_a_heading_for_the_version():
    headings = re.findall(r"^## \[?v?(\d+\.\d+\.\d+)", text_of("CHANGELOG.md"), flags=re.MULTILINE)
    assert not text_of("CHANGELOG.md") or headings[:1] == [glassmax.__version__]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("README.md", r"glassmax(?:==| v?)(\d+\.\d+\.\d+)"),
        ("CITATION.cff", r"(?m)^version: \"?(\d+\.\d+\.\d+)"),
        ("pyproject.toml", r"(?m)^version = \"(.*)\""),
    ],
)
def test_every_file_names_the_same_version(name, pattern):
    assert {*re.findall(pattern, text_of(name))} <= {glassmax.__version__}
