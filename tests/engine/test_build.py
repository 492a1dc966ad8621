"""What was built, which engine runs, and that `glassmax info` says so: nothing is slow without a word.

Nothing is compiled here. How a build without a compiler goes, and one with a broken one, is written beside the code in
`native/CMakeLists.txt`; `.ci/run` builds, and fails unless the native engine is the one that runs.
"""

import json
import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import glassmax
from glassmax import engine as engines
from glassmax.cli import main

ENGINE = Path(glassmax.__file__).parent / "engine"
WRITTEN = json.loads((ENGINE / "_build.json").read_text(encoding="utf-8"))
NATIVE = pytest.mark.skipif(not WRITTEN["native"], reason="built without the native engine")
LIMIT = 120  # seconds after which a child counts as hanging


class Engine:
    """An engine to talk of."""

    def __init__(self, name, **more):
        self.name = name
        vars(self).update(more)


@pytest.fixture
def info(monkeypatch, capsys):
    """Run `glassmax info`, here or with an engine and facts that are made up."""

    def info(engine=None, facts=None):
        if engine is not None:
            monkeypatch.setattr(engines, "best_engine", lambda: engine)
            monkeypatch.setattr(engines, "build_facts", lambda: facts)
        results = []
        for argv in (["info"], ["info", "--json"]):
            monkeypatch.setattr(sys, "argv", ["glassmax", *argv])
            with pytest.raises(SystemExit) as stop:
                main()
            assert stop.value.code == 0
            results.append(capsys.readouterr().out)
        lines = [line.split("  ", 1) for line in results[0].splitlines()]
        return {name: value.strip() for name, value in lines}, json.loads(results[1])

    return info


def info_of_a_process(**environment):
    argv = [sys.executable, "-m", "glassmax", "info", "--json"]
    env = {name: value for name, value in os.environ.items() if name != "GLASSMAX_ENGINE"} | environment
    child = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=LIMIT, check=True)
    return json.loads(child.stdout)


# what was built


def test_the_module_is_there_if_and_only_if_the_build_says_so():
    modules = [ENGINE / f"_native{suffix}" for suffix in EXTENSION_SUFFIXES]
    assert any(module.exists() for module in modules) == WRITTEN["native"]


def test_the_build_says_by_what_or_why_not():
    if WRITTEN["native"]:
        assert {*WRITTEN} == {"native", "compiler", "instruction_sets"}
        assert WRITTEN["instruction_sets"][0] == "baseline"
    else:
        assert {*WRITTEN} == {"native", "reason"}


def test_the_facts_are_those_of_the_build():
    assert engines.build_facts().items() >= WRITTEN.items()


@NATIVE
def test_the_native_engine_runs_unless_another_is_asked_for():
    facts = info_of_a_process()
    assert (facts["engine"], facts["why"]) == ("native", None)
    assert facts["isa"] in facts["available"]
    assert {*facts["available"]} <= {*facts["instruction sets"]} == {*WRITTEN["instruction_sets"]}
    assert facts["compiler"] == WRITTEN["compiler"]
    assert facts["threads"] >= 1


@NATIVE
def test_the_reference_engine_runs_where_it_is_asked_for():
    facts = info_of_a_process(GLASSMAX_ENGINE="reference")
    assert (facts["engine"], facts["isa"]) == ("reference", None)
    assert "GLASSMAX_ENGINE" in facts["why"]


# what is said of it


def test_info_names_the_instruction_set_and_the_threads(info):
    facts = {"native": True, "compiler": "GNU 12.2.0", "instruction_sets": ["baseline", "avx2", "avx512"]}
    words, _ = info(
        Engine("native", isa="avx2", n_threads=2), facts | {"isa": "avx2", "available": ["baseline", "avx2"]}
    )
    assert words["engine"] == "native (AVX2, 2 threads)"
    assert words["instruction sets"] == "baseline, AVX2, AVX-512 (not for this processor)"
    assert words["compiler"] == "GNU 12.2.0"


def test_info_knows_one_thread(info):
    facts = {"native": True, "compiler": "Clang 19", "instruction_sets": ["baseline", "neon"], "isa": "neon"}
    words, said = info(Engine("native", isa="neon", n_threads=1), facts | {"available": ["baseline", "neon"]})
    assert words["engine"] == "native (NEON, 1 thread)"
    assert (said["engine"], said["isa"], said["threads"], said["why"]) == ("native", "neon", 1, None)


@pytest.mark.parametrize(
    ("facts", "labels"),
    [
        ({"native": False, "reason": "no C++ compiler was found: CXX is x, and there is no such program"}, set()),
        (
            {"native": True, "compiler": "GNU 9", "instruction_sets": ["baseline"], "reason": "import failed: libx.so"},
            {"compiler", "instruction sets"},
        ),
    ],
    ids=["not_built", "built_but_broken"],
)
def test_info_says_why_the_reference_engine_runs(info, facts, labels):
    words, said = info(Engine("reference"), facts)
    assert words["engine"] == f"reference (NumPy, because {facts['reason']})"
    assert {"compiler", "instruction sets"} & {*words} == labels
    assert (said["engine"], said["isa"], said["why"]) == ("reference", None, facts["reason"])


def test_info_says_that_the_environment_asks_for_the_reference_engine(info, monkeypatch):
    monkeypatch.setenv("GLASSMAX_ENGINE", "reference")
    facts = {"native": True, "compiler": "GNU 9", "instruction_sets": ["baseline"], "available": ["baseline"]}
    words, _ = info(Engine("reference", n_threads=None), facts)
    assert words["engine"] == "reference (NumPy, because GLASSMAX_ENGINE is 'reference')"


def test_info_describes_what_is_installed(info):
    words, said = info()
    assert words["engine"].startswith(f"{said['engine']} (")
    assert (said["why"] is None) == (said["engine"] == "native")
