"""What runs in a task of Ray: an operation for some shards. A function travels by its name, arguments as bytes."""

import os
import socket
from typing import Any

import numpy as np

from ...errors import WorkerError
from ...functional.arrays import Array
from ...version import __version__
from ..failures import failure_of
from ..messages import Message
from ..operations import call_operation, partial_sums
from ..workers import Held
from .slow import this_worker, told_if_slow

__all__ = ["bytes_of", "message_of", "run_shards"]


_held = Held(Message({}, {}))
"""What this process has got of a broadcast; it saves time only, any other process can do without."""
_held_name = ""


def run_shards(asked: dict[str, Any], broadcast: list[Any], call: Array) -> Array:
    """Run an operation for some shards, and return the answer or its failure.

    Parameters
    ----------
    asked : dict
        "operation", "first", "last" (the shards ``first ... last - 1``), "sum" (whether their results are added up),
        "broadcast" (name of what was broadcast last), "threads", "version" (of glassmax, where it was asked), "key" and
        "slow" (after so many seconds, the task tells under this key where it runs).
    broadcast : list
        The reference of Ray to what was broadcast, fetched only if this process doesn't have it.
    call : array
        Bytes of the message with which the operation is called.
    """
    try:
        with told_if_slow(asked["key"], asked["slow"]):
            answer = _answer(asked, broadcast, call)
    except Exception as error:
        answer = failure_of(error)
    answer.manifest["worker"] = this_worker()
    return bytes_of(answer)


def _answer(asked: dict[str, Any], broadcast: list[Any], call: Array) -> Message:
    if asked["version"] != __version__:
        raise WorkerError(
            f"{socket.gethostname()} has glassmax {__version__}, expected {asked['version']}, the driver's version.",
            remedy="Install the same version on all machines of the cluster.",
        )
    os.environ["GLASSMAX_NUM_THREADS"] = os.environ["POLARS_MAX_THREADS"] = str(asked["threads"])
    held = _hold(asked["broadcast"], broadcast)
    if asked["sum"]:
        return partial_sums(held, asked["operation"], range(asked["first"], asked["last"]), message_of(call))
    answer = call_operation(held, asked["operation"], asked["first"], message_of(call))
    return Message(dict(answer.manifest), answer.arrays)


def _hold(name: str, broadcast: list[Any]) -> Held:
    """Return what was broadcast under a name, fetched if this process doesn't have it yet."""
    global _held_name
    if _held_name != name:
        import ray

        _held.renew(message_of(ray.get(broadcast[0])) if broadcast else Message({}, {}))
        _held_name = name
    return _held


def bytes_of(message: Message) -> Array:
    """Return a message as an array of bytes, which Ray shares between processes without a copy."""
    return np.frombuffer(message.to_bytes(), np.uint8)


def message_of(content: Array) -> Message:
    """Return the message of an array of bytes."""
    return Message.of_bytes(content.data)
