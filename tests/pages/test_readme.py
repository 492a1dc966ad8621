"""The README shows what is so: its Python runs, its output is the output, its figures are those of the results."""

import doctest
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme_prints_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it saves a model
    code = "\n".join(re.findall(r"```python\n(.*?)```", README, re.S))
    test = doctest.DocTestParser().get_doctest(code, {}, "README.md", "README.md", 0)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test)
    assert runner.tries > 8
    assert runner.failures == 0


def test_the_output_of_train_penguins_is_the_one_shown(tmp_path):
    shown = re.search(r"<!-- output of: glassmax train penguins -->\n```\n(.*?)```", README, re.S)
    done = subprocess.run(
        [sys.executable, "-m", "glassmax", "train", "penguins"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown is not None
    assert done.stdout == shown[1]


def test_every_file_the_readme_links_to_exists():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_map_names_every_module():
    modules = {path.name for path in (ROOT / "src/glassmax").iterdir() if not path.name.startswith(("_", "py."))}
    named = {name.rstrip("/") for name in re.findall(r"^\| `([a-z_]+(?:/|\.py))` \|", README, re.M)}
    assert {name.removesuffix(".py") for name in named} == {name.removesuffix(".py") for name in modules}


@pytest.mark.parametrize("name", ["figures", "speed"])
def test_the_figures_are_those_of_the_results(monkeypatch, name):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    written = runpy.run_path(str(ROOT / "benchmarks" / "readme.py"))
    assert written[name]() in README
    assert written["put"](README, name, written[name]()) == README
