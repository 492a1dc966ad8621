"""The ranks of an MPI job that runs a command: rank 0 works and speaks; the others serve it and print nothing."""

import itertools
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import GlassmaxError

if TYPE_CHECKING:
    from ..distributed import WorkerSettings

__all__ = ["drives", "is_silent", "releasing", "serve"]

RANK = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID")
"""The variables in which what starts MPI jobs says the rank of a process."""


def is_silent(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a command is run by all ranks of an MPI job, and this process is another rank than 0."""
    return _rank(environment) > 0 and (_value(arguments, "--engine") or _engine_of_config(arguments)) == "mpi"


def _value(arguments: Sequence[str], option: str) -> str | None:
    """Return the last value that is typed for an option; None if there is none."""
    found = None
    for one, following in itertools.pairwise([*arguments, ""]):
        if one == option:
            found = following
        elif one.startswith(f"{option}="):
            found = one.removeprefix(f"{option}=")
    return found


def _engine_of_config(arguments: Sequence[str]) -> object:
    """Return the engine that a file of options names, if it can be read; rank 0 says what is wrong with it."""
    path = _value(arguments, "--config")
    if path is None:
        return None
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig")).get("engine")
    except (OSError, ValueError, RecursionError):
        return None


def drives(settings: "WorkerSettings | None") -> bool:
    """Return whether this process is no rank of an MPI job, or is rank 0."""
    return settings is None or settings.engine != "mpi" or _rank(os.environ) == 0


def _rank(environment: Mapping[str, str]) -> int:
    told = next((environment[name] for name in RANK if name in environment), "")
    return int(told) if told.isdecimal() else 0


def serve(settings: "WorkerSettings") -> None:
    """Do what rank 0 asks for until it ends, and says how; the exit code of the job is that of rank 0."""
    from ..distributed.mpi import MPIWorkers

    sys.stderr = sys.__stderr__  # for a rank that can't go on
    with suppress(GlassmaxError, KeyboardInterrupt), closing(MPIWorkers(settings)) as workers:
        workers.serve()


@contextmanager
def releasing(settings: "WorkerSettings | None") -> Iterator[None]:
    """Meet the other ranks, and let them go if rank 0 fails before it has begun to drive them."""
    if settings is None or settings.engine != "mpi":
        yield
        return
    from ..distributed.mpi import MPIWorkers, early_ranks, meet_early

    meet_early(settings.n_workers, settings.wait_limit)
    try:
        yield
    finally:
        if early_ranks:  # no workers were opened
            MPIWorkers(settings).close()
