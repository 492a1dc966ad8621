"""What has gone wrong in a worker, as a message; and the error that it becomes where the workers are driven.

An error of glassmax is the same error again, with its text in pieces. Anything else is a `WorkerError` that names shard
and worker, and has the traceback as a note.
"""

import traceback
from typing import Any, NoReturn

from .. import errors
from ..errors import GlassmaxError, Setting, WorkerError
from .messages import Message

__all__ = ["DEATHS", "answer_of", "died_too_often", "failure_of", "not_answering", "said"]

DEATHS = 3
"""A shard on which so many workers have died is not tried again."""
KINDS: dict[str, type[GlassmaxError]] = {
    name: kind
    for name in errors.__all__
    if isinstance(kind := getattr(errors, name), type) and issubclass(kind, GlassmaxError)
}
LONGEST = 4000


def failure_of(error: BaseException) -> Message:
    """Return the message of an error that an operation has raised."""
    lines = "".join(traceback.format_exception(error))
    failure: dict[str, Any] = {"kind": type(error).__name__, "text": str(error), "traceback": lines[-LONGEST:]}
    if isinstance(error, GlassmaxError) and KINDS.get(type(error).__name__) is type(error):
        failure["pieces"] = [piece if isinstance(piece, str) else _plain(piece) for piece in error.pieces]
        failure["parameter"] = error.parameter
    return Message({"failure": failure}, {})


def answer_of(message: Message, what: str, worker: str) -> Message:
    """Return a message that came from a worker, or raise the error in it.

    Parameters
    ----------
    message : Message
    what : str
        What the worker was doing, such as "shard 3 of the rows".
    worker : str
        Its name, such as "worker 2 (process 4711)".

    Raises
    ------
    GlassmaxError
        If the message is one of a failure.
    """
    failure = message.manifest.get("failure")
    if failure is not None:
        _raise(failure, what, worker)
    return message


def said(name: str, shards: range) -> str:
    """Return what an error calls the work of a worker: the operation of a name, for some shards."""
    operation = name.rpartition(":")[2].replace("_", " ")
    if len(shards) == 1:
        return f"shard {shards.start + 1} ({operation})"
    return f"shards {shards.start + 1} to {shards.stop} ({operation})"


def _raise(failure: dict[str, Any], what: str, worker: str) -> NoReturn:
    kind = KINDS.get(failure["kind"])
    if kind is not None and "pieces" in failure:
        pieces = [piece if isinstance(piece, str) else Setting(*piece) for piece in failure["pieces"]]
        raise kind(*pieces, parameter=failure["parameter"]) if kind not in _MARKED else kind(failure["text"])
    if failure["kind"] == "MemoryError":
        remedy = "Use fewer workers on a machine, or smaller batches."
        error = WorkerError(f"{_capital(worker)} has run out of memory at {what}.", remedy=remedy)
    else:
        text = failure["text"] and f": {failure['text']}"
        error = WorkerError(f"{_capital(worker)} has failed at {what}: {failure['kind']}{text}.")
    error.add_note(f"In {worker}:\n{failure['traceback']}")
    raise error


_MARKED = (errors.ExpressionError, errors.LearnerFileError)


def _plain(setting: Setting) -> list[Any]:
    """Return a setting as a list; a value that JSON doesn't have becomes text."""
    value = setting.value
    is_plain = value is None or isinstance(value, bool | int | float | str)
    if isinstance(value, list | tuple):
        is_plain = all(isinstance(item, bool | int | float | str) for item in value)
    return [setting.parameter, value if is_plain else str(value)]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def died_too_often(what: str, worker: str, how: str, printed: str = "") -> WorkerError:
    """Return the error that workers have died on a shard `DEATHS` times; `how` is "by signal SIGKILL", for example."""
    memory = " The machine may have run out of memory: use fewer workers on a machine, or smaller batches."
    why = memory * ("KILL" in how)
    error = WorkerError(f"{DEATHS} workers have died at {what}; the last one was {worker}, which ended {how}.{why}")
    if printed:
        error.add_note(f"In {worker}:\n{printed}")
    return error


def not_answering(what: str, worker: str, limit: float) -> WorkerError:
    """Return the error that a worker hasn't answered within the limit of waiting."""
    message = f"{_capital(worker)} has not answered for {limit:g} seconds at {what}."
    return WorkerError(message, remedy=("If the work needs more time, increase ", Setting("wait_limit"), "."))
