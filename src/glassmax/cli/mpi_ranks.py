"""The ranks of an MPI job that runs a command: rank 0 works and speaks; the others serve it and print nothing."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from ..errors import GlassmaxError, OptionError

if TYPE_CHECKING:
    from ..distributed import WorkerSettings

__all__ = ["drives", "releasing", "serve"]

RANK = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID")
"""The variables in which what starts MPI jobs says the rank of a process."""


def drives(settings: "WorkerSettings | None", environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process is no rank of an MPI job, or is rank 0."""
    if settings is None or settings.engine != "mpi":
        return True
    told = next((environment[name] for name in RANK if name in environment), "0")
    return not told.isdecimal() or int(told) == 0


def serve(settings: "WorkerSettings") -> int:
    """Do what rank 0 asks for until it ends; return the exit code. What goes wrong is said by rank 0."""
    from ..distributed.mpi import MPIWorkers

    try:
        with closing(MPIWorkers(settings)) as workers:
            workers.serve()
    except KeyboardInterrupt:
        return 130
    except OptionError:
        return 2
    except GlassmaxError:
        return 1
    return 0


@contextmanager
def releasing(settings: "WorkerSettings | None") -> Iterator[None]:
    """Let the other ranks go if rank 0 fails before it has begun to drive them; otherwise they would wait for it."""
    try:
        yield
    except BaseException:
        if settings is not None and settings.engine == "mpi" and "mpi4py.MPI" not in sys.modules:
            from ..distributed.mpi import MPIWorkers

            with suppress(GlassmaxError):  # without MPI, no other rank waits
                MPIWorkers(settings).close()
        raise
