"""What is said where there is no mpi4py."""

import sys

import pytest

from glassmax.distributed import WorkerSettings, open_workers
from glassmax.errors import WorkerError


def test_a_missing_mpi4py_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.delitem(sys.modules, "mpi4py.MPI", raising=False)
    with pytest.raises(WorkerError) as caught:
        open_workers(WorkerSettings("mpi"))
    assert str(caught.value) == (
        "engine='mpi' needs mpi4py and an MPI library. Install both: pip install 'glassmax[mpi]'"
    )
