"""What holds for every test: the installed package is tested, its native engine runs where it was built, and
Hypothesis draws the same examples each time.

The grid that all tiers share (shapes, dtypes, activations, outputs, losses, targets, weights) is `grid.py`; the
oracle that all tiers are held against is `oracle.py`.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import glassmax
from glassmax.engine import best_engine, build_facts

settings.register_profile(
    "glassmax",
    deadline=None,
    derandomize=True,
    max_examples=40,
)
settings.load_profile("glassmax")


@pytest.fixture(autouse=True)
def _arrays_print_as_ever():
    """Keep one test's print options from another: the examples set their own."""
    with np.printoptions(precision=8, suppress=False, linewidth=75, floatmode="maxprec", formatter=None):
        yield


@pytest.fixture
def demand_engine(monkeypatch):
    """Return a function that demands an engine by the environment, which is read once otherwise."""
    read = glassmax.engine._wanted

    def demand(name):
        monkeypatch.setenv("GLASSMAX_ENGINE", name)
        read.cache_clear()

    yield demand
    monkeypatch.undo()
    read.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _installed_package_is_tested():
    """Fail the run if `glassmax` was imported from the source tree instead of an installation."""
    source = Path(__file__).resolve().parents[1] / "src"
    imported = Path(glassmax.__file__).resolve()
    assert source not in imported.parents, f"glassmax was imported from {imported}: install it, then run the tests"


@pytest.fixture(scope="session", autouse=True)
def _native_engine_is_tested():
    """Fail the run if the native engine was built and another runs: a suite gone green on the fallback proves nothing.

    `GLASSMAX_ENGINE=reference pytest` tests the reference engine, on purpose.
    """
    written = json.loads((Path(glassmax.__file__).parent / "engine" / "_build.json").read_text(encoding="utf-8"))
    if written["native"] and os.environ.get("GLASSMAX_ENGINE") != "reference":
        name, why = best_engine().name, build_facts().get("reason")
        assert name == "native", f"the native engine was built, but {name} runs: {why}"
