"""The programs; to import this registers them in `CASES`."""

from tests.learners.case import CASES
from tests.learners.programs import (
    controls,
    doubles,
    extra,
    misbehaving,
    singles_arrays,
    singles_network,
    singles_own,
)

__all__ = ["CASES", "controls", "doubles", "extra", "misbehaving", "singles_arrays", "singles_network", "singles_own"]
