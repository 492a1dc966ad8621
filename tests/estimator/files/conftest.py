"""Small windows and parts, so that a few thousand rows are many of them."""

import tempfile

import pytest

from glassmax.streaming import spool
from glassmax.streaming.spool import Layout


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch):
    monkeypatch.setattr(spool, "PART_WINDOWS", 2)
    monkeypatch.setattr(Layout, "window_blocks", property(lambda self: 8))


@pytest.fixture(autouse=True)
def _own_temporary_folder(monkeypatch, tmp_path_factory):
    """Let temporary folders be where no other process makes any."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
