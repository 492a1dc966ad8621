"""The process in which a learner's file runs: load it, call its functions, diagnose, write the answer as JSON.

It is started by `learner_file` as ``python -m glassmax.doctor.learner_process FOLDER`` and by nobody else. In the
folder lies ``job.json``; ``answer.json`` is written beside it whole or not at all, ``stage`` says how far the work has
come, and ``stack`` holds where the interpreter stood when the time was over. Whatever the file prints goes to the
process's stdout. This module refuses to trust the file: it is compiled and run here and nowhere else.
"""

import contextlib
import copy
import faulthandler
import functools
import inspect
import json
import os
import sys
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TextIO

import numpy as np

from ..errors import GlassmaxError
from ..network import Network
from . import Diagnosis, diagnose
from .declarations import DECLARATIONS, sample_rows, settled, understand
from .misbehaviour import Place, place_of, raised, said_by, shapes_of
from .plain import plain_diagnosis

__all__ = ["main"]

ALONE = 'Put what is not needed for the gradients under `if __name__ == "__main__":`, which is not run here.'


class _FileFaultError(Exception):
    """The file can't be diagnosed: the message, and of a syntax error the line and the column from 0."""

    def __init__(self, message: str, line: str = "", column: int = 0) -> None:
        super().__init__(message)
        self.answer = {"kind": "fault", "message": message, "line": line, "column": column}


class _Stage:
    """How far the work has come, in a file that outlives the process."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT)
        self.calls = 0

    def reach(self, name: str) -> None:
        with contextlib.suppress(OSError):  # the learner's code may have closed it
            os.pwrite(self._handle, f"{name} {self.calls:<12}".encode(), 0)


class _Watched:
    """A learner's function that counts its calls and remembers what it raised.

    What it prints in its first call goes to the process's stdout, whoever has put another in its place; later calls
    print the same again.
    """

    def __init__(self, name: str, function: Callable[..., Any], stage: _Stage) -> None:
        self.name, self.function, self.stage = name, function, stage
        self.error: BaseException | None = None
        self.given = ""
        self.streams: tuple[TextIO, TextIO] | None = (sys.stdout, sys.stderr)
        functools.update_wrapper(self, function)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.stage.reach(self.name)
        try:
            with self._heard():
                value = self.function(*arguments, **named)
        except BaseException as error:
            self.error = error
            self.given = shapes_of(*arguments) if len(arguments) == 3 else ""
            raise
        finally:
            self.stage.calls += 1
            self.stage.reach("diagnosis")
        return value

    @contextlib.contextmanager
    def _heard(self) -> Iterator[None]:
        if self.streams is None:
            yield
            return
        (out, err), self.streams = self.streams, None
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield


class _LearnerFile:
    """A learner's file, loaded."""

    def __init__(self, path: str, options: Mapping[str, Any], stage: _Stage) -> None:
        self.path, self.stage = path, stage
        self.name = Path(path).name
        source = Path(path).read_bytes()
        self.lines = source.decode("utf-8", "replace").split("\n")
        self.scope = self._load(source)
        self.options = dict(options)
        self.watched: list[_Watched] = []

    def _load(self, source: bytes) -> dict[str, Any]:
        """Run the file as a module, not as the program."""
        name = Path(self.path).stem
        module = types.ModuleType(name if name not in sys.modules else f"learner_{name}")
        module.__file__ = self.path
        sys.modules[module.__name__] = module
        sys.path.insert(0, str(Path(self.path).parent))
        sys.argv = [self.path]
        try:
            exec(compile(source, self.path, "exec", dont_inherit=True), module.__dict__)
        except BaseException as error:
            raise self._not_loaded(error) from None
        return module.__dict__

    def _not_loaded(self, error: BaseException) -> _FileFaultError:
        if isinstance(error, SyntaxError) and error.filename == self.path:
            line = self.lines[error.lineno - 1] if error.lineno and error.lineno <= len(self.lines) else ""
            where = f"{self.name}, line {error.lineno}" if error.lineno else self.name
            return _FileFaultError(f"{where}: {error.msg}.", line, max(0, (error.offset or 1) - 1))
        place = self.place(error)
        if isinstance(error, SystemExit):
            return _FileFaultError(f"{place}, ends the program while the file is loaded: {place.text}. {ALONE}")
        if isinstance(error, EOFError) and "input" in place.text:
            return _FileFaultError(f"{place}, waits for the keyboard, where nobody is: {place.text}. {ALONE}")
        if not place.number:  # it was never run: a null byte, nested too deeply
            return _FileFaultError(f"{self.name} can't be compiled: {said_by(error)}.")
        advice = "" if isinstance(error, ImportError | NameError) else f" {ALONE}"
        return _FileFaultError(f"{place}, raises {said_by(error)}, while the file is loaded: {place.text}.{advice}")

    def place(self, error: BaseException) -> Place:
        return place_of(error, self.path, self.lines)

    def watch(self, name: str) -> _Watched | None:
        """Return a function of the file by its name, under watch."""
        function = self.scope.get(name)
        if not callable(function):
            return None
        with contextlib.suppress(TypeError, ValueError):  # a built-in may not know its signature
            signature = inspect.signature(function)
            try:
                signature.bind(None, None, None)
            except TypeError:
                raise _FileFaultError(
                    f"{self.name}: {name}{signature} can't be called with three arguments, "
                    f"expected {name}(parameters, X, y)."
                ) from None
        watched = _Watched(name, function, self.stage)
        self.watched.append(watched)
        return watched

    def gradients(self) -> Any:
        """Return the function under judgement, or arrays where the file has those."""
        found = self.scope.get("gradients")
        if isinstance(found, Mapping | list | tuple):
            return found
        watched = self.watch("gradients")
        if watched is not None:
            return watched
        own = [
            name
            for name, value in self.scope.items()
            if isinstance(value, types.FunctionType) and value.__code__.co_filename == self.path
        ]
        there = f"It has {', '.join(own[:8])}: rename the one that returns them" if own else "Write one"
        raise _FileFaultError(
            f"{self.name} defines no gradients(parameters, X, y). {there}, "
            "or see `glassmax doctor --template` for a file to start from."
        )

    def value(self, name: str) -> Any:
        """Return a module's value by its name; None where there is none."""
        return self.scope.get(name)

    def parameters(self) -> Any:
        """Return the learner's own parameters; a function of no arguments is called for them."""
        found = self.value("parameters")
        if callable(found) and not isinstance(found, Mapping):
            try:
                return found()
            except BaseException as error:
                place = self.place(error)
                raise _FileFaultError(f"{place}: parameters() raises {said_by(error)}: {place.text}.") from None
        return found


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
    stage = _Stage(here / "stage")
    stage.reach("loading")
    try:
        answer = _answer(job, stage)
    except _FileFaultError as fault:
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


def _answer(job: Mapping[str, Any], stage: _Stage) -> dict[str, Any]:
    file = _LearnerFile(job["file"], job["options"], stage)
    gradients = file.gradients()
    loss = file.watch("loss")
    stage.reach("diagnosis")
    try:
        declarations = {name: file.value(name) for name in DECLARATIONS} | file.options
        if loss is not None and not isinstance(declarations["loss"], str):
            declarations["loss"] = None
        understood = understand(declarations)
        data, said = _data(file, gradients, understood.network, loss)
        given = {**data, "declared": understood.declared, "loss": loss}
        judge = partial(_judge, gradients, {name: value for name, value in given.items() if value is not None})
        if understood.network is None:
            diagnosis, notes = judge(None), understood.notes
        else:
            half_time = time.monotonic() + job["time_limit"] / 2
            diagnosis, notes = settled(judge, understood, lambda: time.monotonic() < half_time)
        answer = plain_diagnosis(diagnosis)
    except _FileFaultError:
        raise
    except BaseException as error:
        chain = list(_chain(error))
        guilty = [watched for watched in file.watched if watched.error in chain]
        if not guilty and isinstance(error, GlassmaxError):
            raise _FileFaultError(f"{file.name}: {error}") from None
        place = file.place(error)
        if not guilty and place.number:  # in an object that the learner's code has made
            return {"kind": "diagnosis", "diagnosis": raised("what gradients returned", error, place, "")}
        if not guilty and isinstance(error, RecursionError):
            raise _FileFaultError(f"{file.name}: what gradients returned is nested without an end.") from None
        if not guilty:
            raise
        return {"kind": "diagnosis", "diagnosis": _trouble(file, guilty[0]), "notes": []}
    guilty = [watched for watched in file.watched if watched.error is not None]
    if guilty and any(finding["cause"] == "raises" for finding in answer["findings"]):
        answer = _trouble(file, guilty[0])  # the same, with the line
    return {"kind": "diagnosis", "diagnosis": answer, "notes": [*notes, *said]}


def _judge(gradients: Any, given: Mapping[str, Any], network: Network | None) -> Diagnosis:
    return diagnose(gradients, **given, network=network)


def _trouble(file: _LearnerFile, guilty: _Watched) -> dict[str, Any]:
    """Return what is said of the learner's function that raised."""
    assert guilty.error is not None
    return raised(guilty.name, guilty.error, file.place(guilty.error), guilty.given)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those that it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _data(file: _LearnerFile, gradients: Any, network: Any, loss: Any) -> tuple[dict[str, Any], list[str]]:
    """Return parameters, X and y of the file, or rows that stand in for them, and what was taken for granted."""
    data = {name: file.value(name) for name in ("X", "y")} | {"parameters": file.parameters()}
    if data["y"] is None:
        data["y"] = file.value("Y")
    for name in ("X", "y"):
        _check_array(file, name, data[name])
    missing = [name for name in ("X", "y") if data[name] is None]
    if network is None and loss is None:
        raise _FileFaultError(
            f"{file.name} says neither what the network is nor what its loss is. Add a line as "
            'network = "4-10-3", or a function loss(parameters, X, y).'
        )
    if network is None and (missing or data["parameters"] is None):
        wanted = [name for name, value in data.items() if value is None]
        raise _FileFaultError(
            f"{file.name} has a loss of its own but no {', no '.join(wanted)}. Add "
            f'{"them" if len(wanted) > 1 else "it"}, or say what the network is, as network = "4-10-3".'
        )
    if len(missing) == 1:
        there = "y" if missing == ["X"] else "X"
        raise _FileFaultError(f"{file.name} has {there} but no {missing[0]}. Add it, or leave both out.")
    if not missing:
        return data, []
    parameters = dict(network.parameters) if data["parameters"] is None else data["parameters"]
    return _rows_that_fit(gradients, network, data, parameters)


def _check_array(file: _LearnerFile, name: str, values: Any) -> None:
    try:
        size = np.size(values)
    except ValueError:
        raise _FileFaultError(f"{file.name}: {name} has rows of different lengths, expected an array.") from None
    if size == 0:
        raise _FileFaultError(f"{file.name}: {name} is empty, expected at least one sample.")


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
    if isinstance(gradients, _Watched):
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
