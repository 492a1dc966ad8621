import pytest


@pytest.fixture
def no_trial(monkeypatch):
    """Decode files here at once: starting another process for each read takes most of the time of a test."""
    monkeypatch.setattr("glassmax.table.columnar.run_trial", lambda *_: None)
    monkeypatch.setattr("glassmax.table.trial.start_trial", lambda *_: None)
