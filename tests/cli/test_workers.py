"""`glassmax train` on workers: presets and searches, with the same model file as without."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glassmax.estimator import on_workers
from glassmax.estimator.ensemble import PRESETS, MemberType, Preset, tuning
from glassmax.estimator.ensemble.presets import LINEAR, NETWORK
from tests.distributed.doubles import WorkersHere
from tests.estimator.iris import NAMES, RAW

NET = MemberType("net", NETWORK | {"hidden_layer_sizes": (8,)}, 4, 20)
ON = ("--engine", "processes", "--workers", "2")


@pytest.fixture(autouse=True)
def opened(run, monkeypatch):
    """Let operations run in this process; return the workers that were opened."""
    found = []
    monkeypatch.setattr(on_workers, "open_workers", lambda settings: found.append(WorkersHere(settings)) or found[-1])
    monkeypatch.setitem(PRESETS, "default", Preset((NET, LINEAR), members=2, blocks=2))
    pl.DataFrame(RAW[::2], [*"abcd"]).with_columns(y=np.array(NAMES)[::2]).write_csv("flowers.csv")
    return found


@pytest.mark.parametrize("data", [("flowers.csv", "--target", "y"), ("iris",)], ids=["file", "example"])
def test_a_preset_on_workers_has_the_same_model_file(done, opened, data):
    done("train", *data, "-o", "alone")
    result = done("train", *data, "-o", "on", *ON)
    assert Path("on").read_bytes() == Path("alone").read_bytes()
    assert "judged on the others, by 2 workers (processes)" in result.err
    (workers,) = opened
    assert workers.n_workers == 2
    assert not workers.open


def test_a_search_on_workers(done, opened, monkeypatch):
    pytest.importorskip("optuna")
    monkeypatch.setattr(tuning, "FIRST", (tuning.FIRST[1] | {"width": 8, "epochs": 4, "layers": 1},))
    monkeypatch.setattr(tuning, "FEWEST_STEPS", 8)
    monkeypatch.setattr(tuning, "MOST_STEPS", 12)
    found = []
    for engine in ((), ON):
        facts = json.loads(done("train", "flowers.csv", "--target", "y", "--tune", "1e-9", "--json", *engine).out)
        for trial in facts["trials"]:
            del trial["seconds"]
        found.append(facts)
    assert found[0] == found[1]
    assert len(opened) == 1


def test_threads_are_shared_by_the_workers(done, opened):
    done("train", "flowers.csv", "--target", "y", "--threads", "6", *ON)
    assert opened[0].settings.worker_threads == 3


def test_one_network_is_trained_on_rows_read_piece_by_piece(run):
    """Not by `on_workers`: there is nothing to train in parallel."""
    result = run("train", "iris", "--hidden", "4", *ON)
    assert "--engine needs files for one network, and DATA is the built-in example iris" in result.err
    assert result.code == 2


def test_very_many_classes_have_no_preset(run, opened):
    labels = [f"item {i:04d}" for i in range(4200)] * 2
    pl.DataFrame({"a": np.arange(8400.0) % 7, "b": np.arange(8400.0) % 5, "y": labels}).write_csv("items.csv")
    result = run("train", "items.csv", "--target", "y", *ON)
    assert "--engine applies to presets, and a preset takes fewer than 4,096 classes" in result.err
    assert result.code == 1
    assert not opened
