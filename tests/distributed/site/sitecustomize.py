"""Found by Python when a worker of the tests starts: makes the operations of the tests known there."""

import sys
from importlib.abc import MetaPathFinder
from importlib.util import spec_from_file_location
from pathlib import Path


class _Faults(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != "glassmax.faults":
            return None
        return spec_from_file_location(name, Path(__file__).parent.parent / "faults.py")


sys.meta_path.append(_Faults())
