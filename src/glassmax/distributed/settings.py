"""The settings of workers, and how workers are started from them; the module of an engine is loaded only then."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..engine.processors import processors
from ..errors import OptionError, Setting, Text, between, is_whole, one_of
from .workers import Workers

__all__ = ["ENGINES", "WAIT_LIMIT", "WorkerSettings", "open_workers", "read_settings"]

ENGINES = ("processes", "ray", "mpi")
WAIT_LIMIT = 300.0
METHODS = ("broadcast", "map_shards", "sum_in_order", "close")


class WorkerSettings(NamedTuple):
    """What runs the workers, and how many there are.

    Attributes
    ----------
    engine : {"processes", "ray", "mpi"} or callable
        A callable is an engine of the user's: it takes these settings and returns `Workers`.
    n_workers : int or None
        >= 1. None: as many as there are processors here, CPUs in the cluster, or MPI processes.
    address : str or None
        Of a Ray cluster, as for ``ray.init``.
    resources : mapping of str to float, or None
        What Ray reserves for each worker, such as ``{"CPU": 2}``.
    wait_limit : float
        > 0: maximum time to wait for the answer of a worker, in seconds.
    worker_threads : int
        >= 1: number of threads of each worker.
    """

    engine: "str | Callable[[WorkerSettings], Workers]" = "processes"
    n_workers: int | None = None
    address: str | None = None
    resources: Mapping[str, float] | None = None
    wait_limit: float = WAIT_LIMIT
    worker_threads: int = 1


def read_settings(
    engine: str | Callable[[WorkerSettings], Workers] | None,
    n_workers: int | None = None,
    address: str | None = None,
    resources: Mapping[str, float] | None = None,
    wait_limit: float | None = None,
    n_threads: int | None = None,
) -> WorkerSettings | None:
    """Check the user's settings, and return them; None if there is no engine: everything runs in one process.

    Parameters
    ----------
    engine, n_workers, address, resources
        As for `WorkerSettings`.
    wait_limit : float, optional
        300 by default.
    n_threads : int, optional
        Number of threads of all workers together; one for each worker by default. Processes whose number is not given
        are as many as these threads, but not more than processors.

    Raises
    ------
    OptionError
        If a setting is out of range, or is one that the engine doesn't have.

    Examples
    --------
    >>> read_settings("processes", n_workers=2).n_workers
    2
    >>> read_settings("processes", n_workers=0)
    Traceback (most recent call last):
        ...
    glassmax.errors.OptionError: n_workers is 0, expected a whole number >= 1 or None.
    """
    given = {"n_workers": n_workers, "address": address, "resources": resources, "wait_limit": wait_limit}
    if engine is None:
        for name, value in given.items():
            if value is not None:
                expected = "None without an engine: everything runs in one process"
                remedy = ("Name an engine, such as ", Setting("engine", "processes"), ".")
                raise OptionError(parameter=name, came=repr(value), expected=expected, remedy=remedy)
        return None
    if not callable(engine):
        one_of("engine", engine, ENGINES)
    if n_workers is not None and not (is_whole(n_workers) and n_workers >= 1):
        raise OptionError(parameter="n_workers", came=repr(n_workers), expected="a whole number >= 1 or None")
    if wait_limit is not None:
        between("wait_limit", wait_limit, 0, open_below=True, other="None")
    for name in ("address", "resources"):
        if given[name] is not None and engine in ("processes", "mpi"):
            only: Text = ("None with ", Setting("engine", engine), ": only Ray has it")
            raise OptionError(parameter=name, came=repr(given[name]), expected=only)
    if address is not None and not (isinstance(address, str) and address):
        raise OptionError(parameter="address", came=repr(address), expected="the address of a Ray cluster, or None")
    _check_resources(resources)
    if engine == "processes" and n_workers is None and n_threads is not None and n_threads >= 1:
        n_workers = min(int(n_threads), processors())
    threads = 1 if n_threads is None or n_workers is None else max(1, int(n_threads) // int(n_workers))
    limit = WAIT_LIMIT if wait_limit is None else float(wait_limit)
    return WorkerSettings(engine, None if n_workers is None else int(n_workers), address, resources, limit, threads)


def open_workers(settings: WorkerSettings) -> Workers:
    """Start workers; whoever calls it ends them with `close`, as ``contextlib.closing`` does.

    Raises
    ------
    WorkerError
        If they can't be started.
    OptionError
        If an engine of the user's returns something else.
    """
    if callable(settings.engine):
        workers: Workers = settings.engine(settings)
        if lacking := [name for name in METHODS if not callable(getattr(workers, name, None))]:
            expected = f"a function that returns workers, with the methods {', '.join(METHODS)}"
            came = f"a function that returns {type(workers).__name__}, without {', '.join(lacking)}"
            raise OptionError(parameter="engine", came=came, expected=expected)
        return workers
    if settings.engine == "ray":
        from .ray import RayWorkers

        return RayWorkers(settings)
    if settings.engine == "mpi":
        from .mpi import MPIWorkers

        return MPIWorkers(settings)
    from .processes import ProcessWorkers

    return ProcessWorkers(settings)


def _check_resources(resources: Mapping[str, float] | None) -> None:
    if resources is None:
        return
    came = repr(resources)
    if not isinstance(resources, Mapping) or not all(isinstance(name, str) for name in resources):
        raise OptionError(parameter="resources", came=came, expected="a dict of amounts by name, as {'CPU': 2}")
    for name, amount in resources.items():
        between(f"resources[{name!r}]", amount, 0)
