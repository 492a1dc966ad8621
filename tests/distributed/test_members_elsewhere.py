"""Presets, searches and cross-validations on MPI and on Ray: the bits of one process."""

import importlib.util
import json

import numpy as np
import pytest

from tests.distributed import test_mpi
from tests.distributed.test_members import X, Y, assert_same, fast


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed: glassmax[mpi]")
@pytest.mark.skipif(test_mpi.MPIEXEC is None, reason="there is no mpiexec: glassmax[mpi]")
@pytest.mark.parametrize("n_ranks", [2, 3])
def test_all_ranks_end_with_the_bits_of_one_process(n_ranks):
    pytest.importorskip("optuna")
    (_, out, _), (code, of_ranks, errors) = (
        test_mpi.run(count, how, program="mpi_members.py", seconds=120)
        for count, how in ((1, "alone"), (n_ranks, "mpi"))
    )
    assert (code, errors) == (0, "")
    alone = json.loads(out)
    lines = [json.loads(line) for line in of_ranks.splitlines()]
    assert len(lines) == n_ranks
    for found in lines:
        assert found.pop("no time") == "time_limit"
        assert found.pop("error") == "No type of the preset suits 75 rows. Change its fewest_rows or most_rows."
        assert found == alone


@pytest.mark.slow
def test_tasks_of_ray_train_the_same_members(monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed: glassmax[ray]")
    from glassmax import cross_validate

    alone = fast().fit(X, Y)
    on = fast().fit(X, Y, engine="ray", n_workers=2, wait_limit=120)
    assert_same(on, alone)
    folds = cross_validate(fast(), X, Y, folds=3, engine="ray", n_workers=2, wait_limit=120)
    np.testing.assert_array_equal(folds.log_loss, cross_validate(fast(), X, Y, folds=3).log_loss)
