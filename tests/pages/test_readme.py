"""README and docs show what is so: the Python runs, the output is the output, the figures are those of the results."""

import doctest
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
} | {"benchmarks/README.md": (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")}


def links(page):
    """Return the relative links of a page, without what follows a #."""
    return re.findall(r"\]\((?!https?:)([^)#]+)", PAGES[page])


def test_the_python_of_the_readme_prints_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "\n".join(re.findall(r"```python\n(.*?)```", README, re.S))
    test = doctest.DocTestParser().get_doctest(code, {}, "README.md", "README.md", 0)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test)
    assert runner.tries > 8
    assert runner.failures == 0


def test_the_output_of_train_digits_is_the_one_shown(tmp_path):
    shown = re.search(r"<!-- output of: glassmax train digits -->\n```\n(.*?)```", README, re.S)
    done = subprocess.run(
        [sys.executable, "-m", "glassmax", "train", "digits"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown is not None
    numbers = re.compile(r" *\d+(?:\.\d+)?")  # the last digits may be others on another processor
    assert numbers.sub("#", done.stdout) == numbers.sub("#", shown[1])
    accuracies = [float(re.search(r"^accuracy +([\d.]+)", text, re.M)[1]) for text in (done.stdout, shown[1])]
    assert abs(accuracies[0] - accuracies[1]) < 0.01


def test_the_readme_has_the_two_commands_and_its_first_screen_is_short():
    first, _, rest = README.partition("\n## ")
    assert len(first.splitlines()) <= 50
    assert "pip install . && glassmax train digits" in first
    assert "pip install '.[test]' && pytest" in rest


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_to_a_file(page):
    assert [link for link in links(page) if not ((ROOT / page).parent / link).exists()] == []


def test_the_start_page_links_to_every_page():
    pages = {(ROOT / page).resolve() for page in PAGES if not page.startswith("docs/decisions/0")}
    linked = {(ROOT / "docs" / link).resolve() for link in links("docs/index.md")}
    assert pages - linked == {ROOT / "README.md", ROOT / "docs/index.md"}
    assert "docs/index.md" in links("README.md")


def test_the_list_of_decisions_has_a_line_for_each():
    decisions = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("0*.md"))
    assert links("docs/decisions/README.md") == decisions


@pytest.mark.parametrize("page", PAGES)
def test_no_line_of_a_page_is_wider_than_120_columns(page):
    assert [line for line in PAGES[page].splitlines() if len(line) > 120] == []


def test_the_map_has_the_levels_of_the_import_contract():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    contract = {
        name: level for level, layer in enumerate(reversed(layers), 1) for name in layer.split(" | ") if name[0] != "_"
    }
    rows = re.findall(r"^\| `([a-z_]+)(?:/|\.py)` \| (\d+) \|", PAGES["docs/house.md"], re.M)
    assert {name: int(level) for name, level in rows} == contract


def test_the_map_names_every_module():
    modules = {path.name for path in (ROOT / "src/glassmax").iterdir() if not path.name.startswith(("_", "py."))}
    named = {name.rstrip("/") for name in re.findall(r"^\| `([a-z_]+(?:/|\.py))` \|", PAGES["docs/house.md"], re.M)}
    assert {name.removesuffix(".py") for name in named} == {name.removesuffix(".py") for name in modules}


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("docs/benchmarks.md", "figures"),
        ("docs/benchmarks.md", "speed"),
        ("docs/benchmarks.md", "many_classes"),
        ("docs/benchmarks.md", "wordnet"),
        ("docs/howto/last-layer.md", "approximations"),
        ("docs/howto/which-engine.md", "which_engine"),
        ("README.md", "summary"),
    ],
)
def test_the_figures_are_those_of_the_results(monkeypatch, page, name):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    written = runpy.run_path(str(ROOT / "benchmarks" / "readme.py"))
    assert written[name]() in PAGES[page]
    assert written["put"](PAGES[page], name, written[name]()) == PAGES[page]
