"""The process in which a learner's file runs: load it, call its functions, diagnose, write the answer as JSON.

It is started by `learner_file` as ``python -m glassmax.doctor.learner_process FOLDER`` and by nobody else. In the
folder lies ``job.json``; ``answer.json`` is written beside it whole or not at all, ``stage`` says how far the work has
come, and ``stack`` holds where the interpreter stood when the time was over. Whatever the file prints goes to the
process's stdout. This module refuses to trust the file: it is compiled and run here and nowhere else.
"""

import contextlib
import copy
import faulthandler
import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..errors import GlassmaxError
from ..network import Network
from . import Diagnosis, diagnose
from .declarations import DECLARATIONS, sample_rows, settled, understand
from .learner_module import FileFaultError, LearnerFile, Stage, Watched
from .misbehaviour import raised
from .plain import plain_diagnosis

__all__ = ["main"]


def main(folder: str) -> NoReturn:
    """Do the job that lies in `folder` and end the process.

    Parameters
    ----------
    folder : str
        Where job.json lies, and where the answer goes.
    """
    here, pid = Path(folder), os.getpid()
    job = json.loads((here / "job.json").read_text(encoding="utf-8"))
    stack = open(here / "stack", "w")  # noqa: SIM115 - the watchdog writes to it until the end
    _limit_memory(job["memory_limit"])
    faulthandler.dump_traceback_later(job["time_limit"], exit=True, file=stack)
    stage = Stage(here / "stage")
    stage.reach("loading")
    try:
        answer = _answer(job, stage)
    except FileFaultError as fault:
        answer = fault.answer
    except MemoryError:
        answer = {"kind": "fault", "message": f"{Path(job['file']).name}: the memory is used up."}
    except Exception as error:  # a fault of ours, told as one
        answer = {"kind": "failed", "message": "".join(traceback.format_exception(error))}
    if os.getpid() == pid:  # not a child that the learner's code has forked
        written = here / "answer.part"
        written.write_text(json.dumps(answer), encoding="utf-8")
        os.replace(written, here / "answer.json")
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(0)  # threads and exit handlers of the learner's don't hold it up


def _answer(job: Mapping[str, Any], stage: Stage) -> dict[str, Any]:
    """Load the file and diagnose it; whatever its functions do in between is an answer, too."""
    file = LearnerFile(job["file"], job["options"], stage)
    try:
        diagnosis, notes = _diagnosed(file, job["time_limit"] / 2)
        answer = plain_diagnosis(diagnosis)
    except FileFaultError:
        raise
    except BaseException as error:
        return {"kind": "diagnosis", "diagnosis": _of_exception(file, error), "notes": []}
    guilty = [watched for watched in file.watched if watched.error is not None]
    if guilty and any(finding["cause"] == "raises" for finding in answer["findings"]):
        answer = _of_function(file, guilty[0])  # the same, with the line
    return {"kind": "diagnosis", "diagnosis": answer, "notes": notes}


def _diagnosed(file: LearnerFile, seconds: float) -> tuple[Diagnosis, list[str]]:
    """Put together what the file has, and diagnose it; other activations are tried for so many seconds."""
    gradients, loss = file.gradients(), file.watch("loss")
    file.stage.reach("diagnosis")
    declarations = {name: file.value(name) for name in DECLARATIONS} | file.options
    if loss is not None and not isinstance(declarations["loss"], str):
        declarations["loss"] = None
    understood = understand(declarations)
    data, said = _data(file, gradients, understood.network, loss)
    given = {**data, "declared": understood.declared, "loss": loss}
    judge = partial(_judge, gradients, {name: value for name, value in given.items() if value is not None})
    if understood.network is None:
        return judge(None), said
    end = time.monotonic() + seconds
    diagnosis, notes = settled(judge, understood, lambda: time.monotonic() < end)
    return diagnosis, [*notes, *said]


def _judge(gradients: Any, given: Mapping[str, Any], network: Network | None) -> Diagnosis:
    return diagnose(gradients, **given, network=network)


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
        return raised("what gradients returned", error, place, "")
    if isinstance(error, RecursionError):
        raise FileFaultError(f"{file.name}: what gradients returned is nested without an end.") from None
    raise error


def _of_function(file: LearnerFile, guilty: Watched) -> dict[str, Any]:
    assert guilty.error is not None
    return raised(guilty.name, guilty.error, file.place(guilty.error), guilty.given)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those that it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _data(file: LearnerFile, gradients: Any, network: Any, loss: Any) -> tuple[dict[str, Any], list[str]]:
    """Return parameters, X and y of the file, or rows that stand in for them, and what was taken for granted."""
    data = {name: file.value(name) for name in ("X", "y")} | {"parameters": file.parameters()}
    if data["y"] is None:
        data["y"] = file.value("Y")
    for name in ("X", "y"):
        _check_array(file, name, data[name])
    missing = [name for name in ("X", "y") if data[name] is None]
    if network is None and loss is None:
        raise FileFaultError(
            f"{file.name} says neither what the network is nor what its loss is. Add a line as "
            'network = "4-10-3", or a function loss(parameters, X, y).'
        )
    if network is None and (missing or data["parameters"] is None):
        wanted = [name for name, value in data.items() if value is None]
        raise FileFaultError(
            f"{file.name} has a loss of its own but no {', no '.join(wanted)}. Add "
            f'{"them" if len(wanted) > 1 else "it"}, or say what the network is, as network = "4-10-3".'
        )
    if len(missing) == 1:
        there = "y" if missing == ["X"] else "X"
        raise FileFaultError(f"{file.name} has {there} but no {missing[0]}. Add it, or leave both out.")
    if not missing:
        return data, []
    parameters = dict(network.parameters) if data["parameters"] is None else data["parameters"]
    return _rows_that_fit(gradients, network, data, parameters)


def _check_array(file: LearnerFile, name: str, values: Any) -> None:
    try:
        size = np.size(values)
    except ValueError:
        raise FileFaultError(f"{file.name}: {name} has rows of different lengths, expected an array.") from None
    if size == 0:
        raise FileFaultError(f"{file.name}: {name} is empty, expected at least one sample.")


def _rows_that_fit(
    gradients: Any, network: Any, data: dict[str, Any], parameters: Any
) -> tuple[dict[str, Any], list[str]]:
    """Choose y in the form that the function takes: it returns the parameters' shapes, or at least doesn't raise."""
    forms = list(sample_rows(network))
    taken: list[tuple[bool, int, tuple[Any, Any, str]]] = []
    for X, y, form in forms if callable(gradients) else []:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                returned = gradients(copy.deepcopy(parameters), X.copy(), y.copy())
        except Exception:  # every form failing is the diagnosis' matter
            continue
        taken.append((not _of_shapes(returned, parameters), len(taken), (X, y, form)))
        if not taken[-1][0]:
            break
    _, _, (X, y, form) = min(taken, default=(True, 0, forms[0]))
    if isinstance(gradients, Watched):
        gradients.error = None
    note = f"The file has no X and y: {len(X)} random rows of {X.shape[1]} features were used, y as {form}."
    return data | {"X": X, "y": y}, [note]


def _of_shapes(returned: Any, parameters: Any) -> bool:
    """Whether arrays have the shapes of the parameters, in whatever order."""
    try:
        here, there = (
            sorted(np.shape(array) for array in (values.values() if isinstance(values, Mapping) else values))
            for values in (returned, parameters)
        )
    except Exception:  # no arrays
        return False
    return here == there


def _limit_memory(limit: int) -> None:
    try:
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):  # Windows has no such limit, macOS doesn't bear this one
        pass


if __name__ == "__main__":
    main(sys.argv[1])
