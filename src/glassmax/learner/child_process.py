"""The process in which a learner's file runs: load it, have it diagnosed, write the answer as JSON.

`parent_process` starts a program with a folder as its argument, and the program calls `main`. In the folder lies
``job.json``; ``answer.json`` is written beside it whole or not at all, ``stage`` says how far the work has come, and
``stack`` holds where the interpreter stood when the time was over. Whatever the file prints goes to the process's
stdout. This module refuses to trust the file: it is compiled and run here and nowhere else.
"""

import contextlib
import faulthandler
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from ..errors import GlassmaxError
from .loaded_file import FileFaultError, LearnerFile, Stage, WatchedFunction
from .no_answer import raised

__all__ = ["main"]

Keep = Callable[[dict[str, Any], list[str]], None]
"""Takes a diagnosis and notes: the answer if the process ends before there is another."""

Diagnose = Callable[[LearnerFile, float, Keep], tuple[dict[str, Any], list[str]]]
"""From a file and the seconds that there are to a diagnosis in plain form, and what was assumed."""


def main(folder: str, diagnose: Diagnose) -> NoReturn:
    """Do the job that lies in `folder`, by means of `diagnose`, and end the process."""
    here, pid = Path(folder), os.getpid()
    job = json.loads((here / "job.json").read_text(encoding="utf-8"))
    stack = open(here / "stack", "w")  # noqa: SIM115 - the watchdog writes to it until the end
    _limit_memory(job["memory_limit"])
    faulthandler.dump_traceback_later(job["time_limit"], exit=True, file=stack)
    stage = Stage(here / "stage")
    stage.reach("loading")

    def write(answer: Mapping[str, Any]) -> None:
        if os.getpid() == pid:  # not a child that the learner's code has forked
            written = here / "answer.part"
            written.write_text(json.dumps(answer), encoding="utf-8")
            os.replace(written, here / "answer.json")

    try:
        answer = _answer(job, stage, diagnose, write)
    except FileFaultError as fault:
        answer = fault.answer
    except MemoryError:
        answer = {"kind": "fault", "message": f"{Path(job['file']).name}: the memory limit is reached."}
    except Exception as error:  # a fault of ours, told as one
        answer = {"kind": "failed", "message": "".join(traceback.format_exception(error))}
    write(answer)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(0)  # threads and exit handlers of the learner's don't hold it up


def _answer(
    job: Mapping[str, Any], stage: Stage, diagnose: Diagnose, write: Callable[[Mapping[str, Any]], None]
) -> dict[str, Any]:
    """Load the file and diagnose it; whatever its functions do in between is an answer, too."""
    file = LearnerFile(job["file"], job["options"], stage)
    try:
        answer, notes = diagnose(file, job["time_limit"] / 2, lambda *known: write(_told(file, *known)))
    except FileFaultError:
        raise
    except BaseException as error:
        return {"kind": "diagnosis", "diagnosis": _of_exception(file, error), "notes": []}
    return _told(file, answer, notes)


def _told(file: LearnerFile, answer: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    guilty = [watched for watched in file.watched if watched.error is not None]
    if guilty and any(finding["cause"] == "raises" for finding in answer["findings"]):
        answer = _of_function(file, guilty[0])  # the same, with the line
    return {"kind": "diagnosis", "diagnosis": answer, "notes": notes}


def _of_exception(file: LearnerFile, error: BaseException) -> dict[str, Any]:
    """Say whose an exception is that came out of the diagnosis: the function's, its answer's, the data's or ours."""
    chain = list(_chain(error))
    for watched in file.watched:
        if watched.error in chain:
            return _of_function(file, watched)
    if isinstance(error, GlassmaxError):
        raise FileFaultError(f"{file.name}: {error}") from None
    place = file.place(error)
    if place.number:
        return raised("the value that gradients returned", error, place, "")
    if isinstance(error, RecursionError):
        raise FileFaultError(f"{file.name}: the value that gradients returned is nested without end.") from None
    raise error


def _of_function(file: LearnerFile, guilty: WatchedFunction) -> dict[str, Any]:
    assert guilty.error is not None
    return raised(guilty.name, guilty.error, file.place(guilty.error), guilty.given)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those that it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _limit_memory(limit: int) -> None:
    try:
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):  # Windows has no such limit, macOS doesn't bear this one
        pass
