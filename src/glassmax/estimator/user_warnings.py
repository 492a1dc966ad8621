"""Warnings that point at the user's own line, however deep in the library they are raised."""

import os
import sys
import warnings
from pathlib import Path

import sklearn

__all__ = ["warn_user"]

PACKAGES = (sys.modules["glassmax"], sklearn)
INSIDE = tuple(str(Path(package.__file__).parent) + os.sep for package in PACKAGES if package.__file__)


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line that is neither glassmax's nor scikit-learn's."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(INSIDE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
