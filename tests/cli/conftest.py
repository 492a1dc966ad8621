"""Command lines in the folder of the test."""

import pytest

from tests.cli.test_cli import call
from tests.table.hostile import GOOD


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Return a function that runs a command line in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    return lambda *argv: call(monkeypatch, capsys, *argv)


@pytest.fixture
def done(run):
    """Return a function that runs a command line which must succeed."""

    def done(*argv):
        result = run(*argv)
        assert result.code == 0, result.err
        return result

    return done


@pytest.fixture
def sound_table(tmp_path):
    """Write a sound table, t.csv, into the folder of the test."""
    (tmp_path / "t.csv").write_bytes(GOOD)
