"""The start of MPI in this process, and the meeting of all ranks of the job."""

import ctypes
import os
import signal
import socket
import sys
import time
import warnings
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import OptionError, Setting, WorkerError
from .ranks import ANY, Ranks, abort_at_exit, leave_no_file, remove_stale_files, until

__all__ = ["early_ranks", "meet", "meet_early", "ranks_of_job"]

HELLO = 27183
GRACE_SECONDS = 5.0
STARTED = {
    "PMI_SIZE": "mpiexec",
    "OMPI_COMM_WORLD_SIZE": "mpiexec of Open MPI",
    "SLURM_STEP_NUM_TASKS": "srun",
}
"""By the variable in which it says how many ranks it has started: who starts MPI jobs."""
PR_SET_PDEATHSIG = 1
early_ranks: list[Ranks] = []
"""The ranks of this job, from `meet_early` until workers are opened."""


def load_mpi() -> Any:
    """Return mpi4py.MPI; this starts MPI in the process.

    Raises
    ------
    WorkerError
        If there is no mpi4py, no MPI library, or MPI can't be used from this thread.
    """
    if "mpi4py.MPI" not in sys.modules:
        _stay_on_this_machine(os.environ)
        _end_with_mpiexec()
        if os.environ.get("MPI_LOCALRANKID", "0") == "0":
            remove_stale_files()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "suspicious MPI execution environment")  # see `_check_size`
            from mpi4py import MPI
    except ModuleNotFoundError:
        remedy = "Install both: pip install 'glassmax[mpi]'"
        raise WorkerError(Setting("engine", "mpi"), " needs mpi4py and an MPI library.", remedy=remedy) from None
    except (ImportError, RuntimeError) as error:
        remedy = (
            "Install one with pip install 'glassmax[mpi]', or set MPI4PY_LIBMPI to the path of the library itself, "
            "such as libmpi.so.12 (MPICH) or libmpi.so.40 (Open MPI)."
        )
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise WorkerError(f"mpi4py is installed, but can't load an MPI library ({reason}).", remedy=remedy) from None
    if MPI.Is_finalized():
        raise WorkerError("MPI has ended in this process, and can't be started twice.", remedy="Start a new process.")
    level = MPI.Query_thread()
    if level < MPI.THREAD_FUNNELED or (level < MPI.THREAD_SERIALIZED and not MPI.Is_thread_main()):
        remedy = "Leave mpi4py.rc.thread_level as it is, or call fit in the main thread."
        raise WorkerError("MPI was started for one thread only; training needs a second one to read.", remedy=remedy)
    return MPI


def ranks_of_job(n_workers: int | None) -> Ranks:
    """Return the ranks of this job; they have not met yet.

    Parameters
    ----------
    n_workers : int or None
        Number of ranks that the user expects.

    Raises
    ------
    OptionError
        If there is another number of ranks.
    WorkerError
        If there is no MPI, or if this process doesn't know of the others.
    """
    MPI = load_mpi()
    world = MPI.COMM_WORLD
    ranks = Ranks(MPI, world, world.Get_rank(), world.Get_size(), [])
    _check_size(ranks.size, os.environ)
    if n_workers not in (None, ranks.size):
        expected = f"{ranks.size}, the number of ranks that were started, or None"
        remedy = f"Start {n_workers} ranks: mpiexec -n {n_workers} followed by the command."
        raise OptionError(parameter="n_workers", came=str(n_workers), expected=expected, remedy=remedy)
    _keep_memory()
    return ranks


def meet(ranks: Ranks, limit: float) -> Ranks:
    """Return the ranks once each of them has come here; they have a communicator of their own.

    Parameters
    ----------
    ranks : Ranks
    limit : float
        Seconds to wait for the others.

    Raises
    ------
    WorkerError
        If other ranks don't come.
    """
    host = socket.gethostname()
    if ranks.size == 1:
        leave_no_file()
        return ranks._replace(hosts=[host])
    start = time.monotonic()
    limit += GRACE_SECONDS if ranks.rank else 0.0  # rank 0 knows who is missing, and tells it first
    try:
        if ranks.rank:
            ranks.send([0], HELLO, host.encode(), lambda _: _check_driver(start, limit))
        else:
            ranks = ranks._replace(hosts=_greeted(ranks, host, start, limit))
        comm, request = ranks.comm.Idup()
        until(request.Test, 0, lambda _: _check_driver(start, limit))
    except BaseException:
        abort_at_exit(ranks)
        raise
    leave_no_file()
    return ranks._replace(comm=comm)


def meet_early(n_workers: int | None, limit: float) -> None:
    """Meet the other ranks before workers are opened; until then, they would wait in the start of MPI, without a limit.

    The parameters are those of `ranks_of_job` and `meet`.
    """
    early_ranks.append(meet(ranks_of_job(n_workers), limit))


def _keep_memory() -> None:
    """Have the C library of Linux keep the memory of arrays that are freed.

    It gives them back to the system, unless a larger array has been freed before; to ask for them anew in each step
    takes longer than the rest of a step.
    """
    np.empty(2**25 - 2**16, np.uint8)


def _greeted(ranks: Ranks, host: str, start: float, limit: float) -> list[str]:
    """Return the machine of each rank once all have come."""
    hosts = {0: host}

    def check(_: int) -> None:
        if time.monotonic() - start > limit:
            missing = [rank for rank in range(ranks.size) if rank not in hosts]
            shown = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
            what = f"{len(missing)} of {ranks.size} ranks did not connect within {limit:g} s: {shown}."
            raise WorkerError(what, remedy="All ranks must run the same program, with the same arguments.")

    while len(hosts) < ranks.size:
        rank, content = until(lambda: ranks.come(ANY, HELLO), ANY, check)
        hosts[rank] = content.tobytes().decode()
    return [hosts[rank] for rank in range(ranks.size)]


def _check_driver(start: float, limit: float) -> None:
    if time.monotonic() - start > limit:
        what = f"Rank 0, which drives the other ranks, did not connect within {limit:g} s."
        raise WorkerError(what, remedy="All ranks must run the same program, with the same arguments.")


def _check_size(size: int, environment: Mapping[str, str]) -> None:
    """Refuse to train several times at once, where ranks that were started together don't know of each other."""
    for variable, starter in STARTED.items():
        told = environment.get(variable, "")
        if size == 1 and told.isdecimal() and int(told) > 1:
            raise WorkerError(
                f"{starter} has started {told} processes, but each process sees only itself: {starter} belongs to "
                "another MPI installation than the library that mpi4py has loaded.",
                remedy="Use the mpiexec of this library, or set MPI4PY_LIBMPI to the path of another library.",
            )


def _end_with_mpiexec() -> None:
    """Have Linux end this process with the process of MPICH that started it; the start of MPI would wait for ever."""
    with suppress(OSError, AttributeError):
        if Path(f"/proc/{os.getppid()}/comm").read_text().startswith("hydra_"):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _stay_on_this_machine(environment: MutableMapping[str, str]) -> None:
    """Have MPICH open no port if all ranks are on this machine; must be called before MPI is loaded."""
    is_alone = not any(name.startswith(("PMI", "OMPI_", "SLURM_", "MPI_LOCAL")) for name in environment)
    if is_alone or environment.get("MPI_LOCALNRANKS") == environment.get("PMI_SIZE", ""):
        environment.setdefault("UCX_TLS", "self,sm")
