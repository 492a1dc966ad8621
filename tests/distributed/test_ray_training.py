"""Training on Ray: the bits of workers within this process, also after workers and drivers were killed."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from glassmax.distributed import WorkerSettings, open_workers
from glassmax.distributed import prepared as prepared_
from glassmax.distributed import scoring as scoring_
from glassmax.distributed import training as training_
from glassmax.distributed.ray import watch

from .rows import Inside
from .test_ray import there
from .test_training import KINDS, Run, _small_pieces, found  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.slow,
    there,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def marks(tmp_path_factory):
    """Return the folder in which the operations that die once leave their marks."""
    return tmp_path_factory.mktemp("marks")


@pytest.fixture(scope="module", autouse=True)
def _cluster(faults, marks):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setenv("GLASSMAX_TEST_FOLDER", str(marks))  # workers have the environment of their cluster's start
        with closing(open_workers(WorkerSettings("ray", 4, "local", wait_limit=60.0))):
            yield


@pytest.fixture(scope="module")
def expected(tmp_path_factory, found):  # noqa: F811
    """Return the bits of a run within this process."""
    known = {}

    def of(kind):
        if kind not in known:
            with closing(Inside(1)) as workers:
                known[kind] = Run(found["three", True], workers, tmp_path_factory.mktemp("run"), **KINDS[kind]).finish()
        return known[kind].bits()

    return of


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("kind", ["adam", "full", "local all", "lbfgs"])
def test_training_on_ray_has_the_bits_of_training_without(tmp_path, found, expected, kind, count):  # noqa: F811
    cut = {1: "one", 2: "three", 4: "many"}[count]
    with closing(open_workers(WorkerSettings("ray", count))) as workers:
        assert Run(found[cut, True], workers, tmp_path, **KINDS[kind]).finish().bits() == expected(kind)


def test_a_worker_of_ray_that_is_killed_in_an_epoch_costs_no_bit(
    tmp_path, found, expected, faults, marks, monkeypatch  # noqa: F811
):  # fmt: skip
    for operation, where in (("gradient", training_), ("validation", scoring_), ("prepare", prepared_)):
        with monkeypatch.context() as patch, closing(open_workers(WorkerSettings("ray", 2))) as workers:
            patch.setattr(where, operation, getattr(faults, operation))
            run = Run(found["three", True], workers, tmp_path / operation, **KINDS["adam"])
            assert run.finish().bits() == expected("adam")
        assert sorted(path.name for path in marks.iterdir()) == ["died 1", "died 3"]
        for path in marks.iterdir():
            path.unlink()


DRIVER = """
    import os, signal, sys
    from contextlib import closing
    from pathlib import Path
    from glassmax.distributed import WorkerSettings, open_workers
    from glassmax.distributed import training
    from tests.distributed.rows import Scan
    from tests.distributed.test_training import KINDS, Run

    data, folder, path, stop, kind = sys.argv[1:]
    training.SAVE_SECONDS = training.TELL_SECONDS = 0.0
    left = int(stop)

    def told(done):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    with closing(open_workers(WorkerSettings("ray", 2, "local"))) as workers:
        print(workers._notices.folder, flush=True)
        Run(Scan(data, "w"), workers, Path(folder), Path(path), on_window=told, **KINDS[kind]).finish()
"""


@pytest.mark.parametrize(("kind", "stop"), [("adam", 2), ("local", 7)])
def test_a_driver_of_ray_that_is_killed_goes_on_to_the_same_bits(tmp_path, found, expected, kind, stop):  # noqa: F811
    scan, path, folder = found["three", True], tmp_path / "checkpoint", tmp_path / "run"
    arguments = [str(scan.folder), str(folder), str(path), str(stop), kind]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(DRIVER), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.exists()
    with closing(open_workers(WorkerSettings("ray", 3))) as workers:
        run = Run(scan, workers, folder, path, **KINDS[kind])
        assert run.training.epochs or run.position.window
        assert run.finish().bits() == expected(kind)
    left = done.stdout.strip()
    assert left
    wait_for_the_end(left)
    assert not Path(left).exists()


def wait_for_the_end(folder):
    end = time.monotonic() + 60  # a limit for what might never end
    while (watch._belonging(folder) or os.path.exists(folder)) and time.monotonic() < end:
        threading.Event().wait(0.05)
    assert not watch._belonging(folder)
