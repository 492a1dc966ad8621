"""Workers that are the ranks of an MPI job; each test starts one, on this machine."""

import importlib.util
import mmap
import os
import re
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from glassmax.distributed.mpi.ranks import remove_stale_files

HERE = Path(__file__).parent
MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed: glassmax[mpi]"),
    pytest.mark.skipif(MPIEXEC is None, reason="there is no mpiexec: glassmax[mpi]"),
]


def run(n_ranks, *arguments, program="mpi_faults.py", seconds=60):
    """Run a program of the folder on some ranks; return exit code, output and errors."""
    command = [MPIEXEC, "-n", str(n_ranks), sys.executable, str(HERE / "programs" / program), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE / "site"), str(HERE.parent.parent)])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("n_ranks", [1, 2, 3, 4])
def test_sums_have_the_bits_of_one_process_for_any_number_of_ranks(n_ranks):
    code, out, errors = run(n_ranks, program="mpi_sums.py")
    assert (code, errors) == (0, "")
    lines = sorted(out.splitlines())
    assert lines == [f"MPIWorkers(n_workers={n_ranks}) of 8 sums"] + ["the model"] * (n_ranks - 1)


SERVED = "served: done\n"
FAULTS = {
    "data in a sum": "driver: x.csv, row 3: 'a' is odd. Leave it out with ignore=['a'].\n",
    "data in a map": "driver: x.csv, row 3: 'a' is odd. Leave it out with ignore=['a'].\n",
    "bug in a sum": "driver: Rank 1 on HOST has failed at shard 3 (stumbles): KeyError: 'gradient'.\n",
    "bug in a map": "driver: Rank 1 on HOST has failed at shard 3 (stumbles): KeyError: 'gradient'.\n",
    "full memory": "driver: Rank 0 on HOST has run out of memory at shard 1 (is full). Use fewer workers on a machine, "
    "or smaller batches.\n",
    "stops early": "driver: What map_shards returns must be used up before the next call.\n",
    "interrupted": "driver: interrupted\ndriver: 0.1\n",
}


def without_host(text):
    return re.sub(r"(ank \d+) on \S+", r"\1 on HOST", text)


@pytest.mark.parametrize("case", FAULTS)
def test_an_error_in_a_rank_is_raised_by_the_driver_and_the_next_call_is_right(case):
    code, out, errors = run(3, case, 60)
    assert (code, errors) == (0, "")
    assert without_host(out) == FAULTS[case] + 2 * SERVED


ENDS = {
    "driver fails": (1, "DataError: x.csv has vanished.", "DataError: x.csv has vanished."),
    "driver is interrupted": (130, "Interrupted.", "interrupted"),
    "driver forgets": (1, "", "WorkerError: Rank 0 has ended the work of all ranks without a result."),
    "another number": (
        1,
        "OptionError: n_workers is 5, expected 2, the number of ranks that were started, or None. Start 5 ranks: "
        "mpiexec -n 5 followed by the command.",
        None,
    ),
}


@pytest.mark.parametrize("case", ENDS)
def test_an_error_of_the_driver_ends_all_ranks_with_one_message(case):
    code, out, errors = run(2, case, 60)
    expected, message, served = ENDS[case]
    assert (code, errors.strip()) == (expected, message)
    assert out == (f"served: {served}\n" if served else f"served: {message}\n")


LIMITS = {
    ("hangs in a sum", 3): "Rank 1 on HOST has not answered for 0.5 seconds at shard 3 (hangs).",
    ("hangs in a sum", 2): "Rank 0 on HOST has not answered for 0.5 seconds at shard 3 (hangs).",
    ("hangs in a map", 4): "Rank 1 on HOST has not answered for 0.5 seconds at shard 3 (hangs).",
    ("frozen", 3): "Rank 1 on HOST has not answered for 0.5 seconds at shard 4 (freezes).",
    ("comes late", 3): "1 of 3 ranks did not connect within 0.5 s: 2. All ranks must run the same program",
}


@pytest.mark.parametrize(("case", "n_ranks"), LIMITS)
def test_a_rank_that_does_not_answer_ends_the_job_with_its_name_and_shard(case, n_ranks):
    code, _, errors = run(n_ranks, case, 0.5)
    assert code != 0
    assert LIMITS[case, n_ranks] in without_host(errors)


def test_a_killed_rank_ends_the_job_and_leaves_no_shared_memory():
    code, out, _ = run(3, "dies", 60)
    assert code != 0
    assert "served" not in out
    names = re.findall(r"/dev/shm/mpich_shm_\w+", out)
    assert names or not Path("/dev/shm").exists()
    assert [name for name in names if Path(name).exists()] == []


def test_names_of_memory_that_nobody_uses_are_removed_at_the_next_start(tmp_path):
    names = ["mpich_shm_old_0", "mpich_shm_used_0", "mpich_shm_young_0", "other"]
    for name in names:
        (tmp_path / name).write_bytes(bytes(4096))
        if "young" not in name:
            os.utime(tmp_path / name, (1e9, 1e9))
    with (tmp_path / names[1]).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ):
        remove_stale_files(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == names[1:]


@pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="needs Linux, which ends a process with its parent")
def test_a_rank_that_starts_mpi_ends_with_the_process_of_mpich_that_started_it():
    command = [MPIEXEC, "-n", "2", sys.executable, str(HERE / "programs" / "mpi_faults.py"), "starts alone", "60"]
    environment = {**os.environ, "PYTHONPATH": str(HERE / "site")}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        rank, proxy = (int(process.stdout.readline()) for _ in range(2))
        end = select.poll()
        end.register(os.pidfd_open(rank), select.POLLIN)  # can be read once the process has ended
        os.kill(proxy, signal.SIGKILL)
        assert end.poll(60_000)
        assert process.wait(timeout=60) != 0


def test_ctrl_c_ends_all_ranks_with_one_message():
    command = [MPIEXEC, "-n", "3", sys.executable, str(HERE / "programs" / "mpi_faults.py"), "endless", "60"]
    environment = {**os.environ, "PYTHONPATH": str(HERE / "site")}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "Interrupted.\n"
    assert [line for line in out.splitlines() if "[mpiexec@" not in line] == 2 * ["served: interrupted"]


def alone(case, **environment):
    """Run a program without mpiexec."""
    command = [sys.executable, str(HERE / "programs" / "mpi_faults.py"), case, "60"]
    environment = {**os.environ, "PYTHONPATH": str(HERE / "site"), **environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.strip()


def test_without_mpiexec_there_is_one_rank():
    assert alone("data in a sum") == (0, FAULTS["data in a sum"], "")


@pytest.mark.parametrize(
    ("variable", "starter"),
    [("PMI_SIZE", "mpiexec"), ("OMPI_COMM_WORLD_SIZE", "mpiexec of Open MPI"), ("SLURM_STEP_NUM_TASKS", "srun")],
)
def test_ranks_that_do_not_know_of_each_other_are_refused(variable, starter):
    message = (
        f"WorkerError: {starter} has started 4 processes, but each process sees only itself: {starter} belongs to "
        "another MPI installation than the library that mpi4py has loaded. Use the mpiexec of this library, or set "
        "MPI4PY_LIBMPI to the path of another library."
    )
    assert alone("nothing", **{variable: "4"}) == (1, "", message)


def test_an_mpi_library_that_can_not_be_loaded_is_one_sentence():
    message = (
        "WorkerError: mpi4py is installed, but can't load an MPI library (cannot load MPI library). Install one with "
        "pip install 'glassmax[mpi]', or set MPI4PY_LIBMPI to the path of the library itself, such as libmpi.so.12 "
        "(MPICH) or libmpi.so.40 (Open MPI)."
    )
    assert alone("nothing", MPI4PY_LIBMPI="/nowhere/libmpi.so") == (1, "", message)
