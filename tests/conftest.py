"""What holds for every test: the installed package is tested, and Hypothesis draws the same examples each time.

The grid that all tiers share (shapes, dtypes, activations, outputs, losses, targets, weights) is `grid.py`; the
oracle that all tiers are held against is `oracle.py`.
"""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import glassmax

settings.register_profile("glassmax", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("glassmax")


@pytest.fixture(autouse=True)
def _arrays_print_as_ever():
    """Keep one test's print options from another: the examples set their own."""
    with np.printoptions(precision=8, suppress=False, linewidth=75, floatmode="maxprec", formatter=None):
        yield


@pytest.fixture(scope="session", autouse=True)
def _installed_package_is_tested():
    """Fail the run if `glassmax` was imported from the source tree instead of an installation."""
    source = Path(__file__).resolve().parents[1] / "src"
    imported = Path(glassmax.__file__).resolve()
    assert source not in imported.parents, f"glassmax was imported from {imported}: install it, then run the tests"
