"""Training on the ranks of an MPI job: the bits of one process, whatever their number, and after one was killed."""

import hashlib
import json
from contextlib import closing

import pytest

from .rows import CUTS, Inside, Scan, cut, frame
from .test_mpi import pytestmark as with_mpi
from .test_mpi import run
from .test_training import KINDS, Run

pytestmark = [*with_mpi, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mpi")
    cut(frame(weighted=True), folder / "rows", CUTS["three"])
    return folder


@pytest.fixture(scope="module")
def expected(folder):
    scan = Scan(folder / "rows", "w")
    digests = {}
    for kind, how in KINDS.items():
        with closing(Inside(1)) as workers:
            bits = Run(scan, workers, folder / f"inside {kind}", **how).finish().bits()
        digests[kind] = hashlib.sha256(repr(bits).encode()).hexdigest()
    return digests


@pytest.mark.parametrize("n_ranks", [1, 2, 4])
def test_training_has_the_same_bits_on_any_number_of_ranks(folder, expected, n_ranks):
    code, out, errors = run(n_ranks, folder, ",".join(KINDS), program="mpi_training.py", seconds=120)
    assert (code, errors) == (0, "")
    assert json.loads(out) == expected


def test_a_job_of_which_a_rank_was_killed_goes_on_from_the_checkpoint(folder, expected, monkeypatch):
    monkeypatch.setenv("GLASSMAX_TEST_FOLDER", str(folder))
    codes = []
    while not codes or (codes[-1] != 0 and len(codes) < 3):  # two shards kill a rank once, perhaps in the same step
        code, out, _ = run(3, folder, "killed", program="mpi_training.py", seconds=120)
        codes.append(code)
    assert codes[0] != 0
    assert codes[-1] == 0
    assert json.loads(out) == {"adam": expected["adam"]}
