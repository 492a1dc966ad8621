"""Workers that are the ranks of an MPI job: for small batches, as a step costs less than a millisecond.

::

    ranks      the ranks, their tree, and messages between them with waits that can be ended
    starting   the start of MPI, and the meeting of all ranks
    serving    what ranks other than 0 do
    watch      what rank 0 keeps an eye on: the time that shards take, its own among them, and Ctrl-C
    workers    the seam: map shards, sum in order, broadcast

mpi4py is loaded, and MPI is started, when workers are opened, or by `meet_early`.
"""

from .starting import early_ranks, meet_early
from .workers import MPIWorkers

__all__ = ["MPIWorkers", "early_ranks", "meet_early"]
