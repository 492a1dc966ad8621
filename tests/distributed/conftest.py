"""Workers of the tests know the operations in ``faults.py``."""

import os
import sys
from importlib import import_module
from pathlib import Path

import pytest

SITE = str(Path(__file__).parent / "site")


@pytest.fixture(scope="session")
def faults():
    """Return the module with the operations of the tests; workers that are started meanwhile know it too."""
    sys.path.insert(0, SITE)
    import_module("sitecustomize" if "sitecustomize" not in sys.modules else "tests.distributed.site.sitecustomize")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", SITE, prepend=os.pathsep)
        yield import_module("glassmax.faults")
    sys.path.remove(SITE)
