"""Small windows and parts, so that a few thousand rows are many of them."""

import pytest

from glassmax.streaming import spool
from glassmax.streaming.spool import Layout


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch):
    monkeypatch.setattr(spool, "PART_WINDOWS", 2)
    monkeypatch.setattr(Layout, "window_blocks", property(lambda self: 8))
