"""Errors of Ray, in words: one sentence that names shards and worker."""

import re
from types import ModuleType

from ...errors import GlassmaxError, Setting, WorkerError
from ..failures import died_too_often, not_answering
from .quiet import Notices

__all__ = ["error_of", "late_error"]

PLACE = re.compile(r"pid=(\d+), ip=([^,)\s]+)")
FULL = re.compile(r"IP: ([^,)\s]+).{0,400}? was (\S+) used / (\S+) limit", re.DOTALL)
INSTALL = "Install it on all machines of the cluster, for the Python of Ray's workers."


def error_of(ray: ModuleType, error: Exception, doing: str, notices: Notices) -> GlassmaxError:
    """Return the error of glassmax for an error that Ray has raised for a task.

    Parameters
    ----------
    ray : module
    error : Exception
    doing : str
        What the task was doing, such as "shard 3 (gradient)".
    notices : Notices
        What Ray would have printed.
    """
    kinds, text = ray.exceptions, str(error).strip()
    if isinstance(error, kinds.WorkerCrashedError):
        worker, printed = notices.last_death()
        return died_too_often(doing, worker, "by SIGKILL, a crash or an exit", printed)
    if isinstance(error, kinds.OutOfMemoryError):
        found = _full(text, doing)
    elif isinstance(error, kinds.RayTaskError):
        where = PLACE.search(text)
        worker = f"The worker on {where[2]} (process {where[1]})" if where else "A worker"
        if "No module named 'glassmax" in text:
            found = WorkerError(f"{worker} doesn't have glassmax, which {doing} needs.", remedy=INSTALL)
        else:
            found = WorkerError(f"{worker} has failed at {doing}: {text.splitlines()[-1].strip()}")
    elif isinstance(error, kinds.ObjectLostError):
        found = WorkerError(f"Ray has lost the result of {doing}, because the machine that held the result is gone.")
    else:
        found = WorkerError(f"Ray has failed at {doing}: {type(error).__name__}: {_first_sentence(text)}")
    found.add_note(text)
    return found


def late_error(
    ray: ModuleType, doing: str, limit: float, needed: dict[str, float], notices: Notices, worker: str | None = None
) -> WorkerError:
    """Return the error that no task has ended within the limit of waiting, with the reason and worker if known."""
    if notices.is_cut_off():
        return WorkerError(f"Ray's node on this machine has died at {doing}.")
    if line := notices.line_with("running low on memory"):
        return _full(line, doing)
    if worker is not None:
        return not_answering(doing, worker, limit)
    has = ray.cluster_resources()
    for name, amount in needed.items():
        if amount > max((node["Resources"].get(name, 0.0) for node in ray.nodes() if node["Alive"]), default=0.0):
            return WorkerError(
                f"No machine of the cluster has {amount:g} of {name!r}, which {doing} needs; the cluster has "
                f"{_in_words(has)}.",
                remedy=("Lower ", Setting("resources"), "."),
            )
    return WorkerError(
        f"No result of {doing} has come for {limit:g} seconds: a worker hangs, or the cluster is busy with other work.",
        remedy=("If the work needs more time, increase ", Setting("wait_limit"), "."),
    )


def _in_words(amounts: dict[str, float]) -> str:
    return ", ".join(f"{amounts[name]:g} {name}" for name in sorted(amounts) if not name.startswith("node:"))


def _full(text: str, doing: str) -> WorkerError:
    """Return the error that memory has run out."""
    where = FULL.search(text)
    machine, use = (where[1], f": {where[2]} of {where[3]} are in use") if where else ("A machine", "")
    remedy = "Use fewer workers on a machine, or smaller batches."
    return WorkerError(f"{machine} has repeatedly run out of memory at {doing}{use}.", remedy=remedy)


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).split(". ")[0].rstrip(".") + "."
