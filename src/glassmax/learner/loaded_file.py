"""A learner's file, loaded as a module, with its functions under watch; and what is said where that can't be done.

Only `child_process` uses this, in the process that is there for the file. This module refuses to judge what the
functions return.
"""

import contextlib
import functools
import inspect
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from .no_answer import SourceLine, place_of, said_by, shapes_of

__all__ = ["FileFaultError", "LearnerFile", "Stage", "WatchedFunction"]

ALONE = 'Put everything that the gradients do not need under `if __name__ == "__main__":`, which is not run here.'


class FileFaultError(Exception):
    """The file can't be diagnosed: the message, and of a syntax error the line and the column from 0."""

    def __init__(self, message: str, line: str = "", column: int = 0) -> None:
        super().__init__(message)
        self.answer = {"kind": "fault", "message": message, "line": line, "column": column}


class Stage:
    """How far the work has come, in a file that outlives the process."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT)
        self.calls = 0

    def reach(self, name: str) -> None:
        """Write down what is being done: loading, gradients, loss, diagnosis."""
        with contextlib.suppress(OSError):  # the learner's code may have closed it
            os.pwrite(self._handle, f"{name} {self.calls:<12}".encode(), 0)


class WatchedFunction:
    """A learner's function that counts its calls and remembers what it raised.

    What it prints in its first call goes to the process's stdout, whoever has put another in its place; later calls
    print the same again.
    """

    def __init__(self, name: str, function: Callable[..., Any], stage: Stage) -> None:
        self.name, self.function, self.stage = name, function, stage
        self.error: BaseException | None = None
        self.given = ""
        self.streams: tuple[TextIO, TextIO] | None = (sys.stdout, sys.stderr)
        functools.update_wrapper(self, function)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function."""
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


class LearnerFile:
    """A learner's file, loaded."""

    def __init__(self, path: str, options: Mapping[str, Any], stage: Stage) -> None:
        self.path, self.stage = path, stage
        self.name = Path(path).name
        source = Path(path).read_bytes()
        self.lines = source.decode("utf-8", "replace").split("\n")
        self.scope = self._load(source)
        self.options = dict(options)
        self.watched: list[WatchedFunction] = []

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

    def _not_loaded(self, error: BaseException) -> FileFaultError:
        if isinstance(error, SyntaxError) and error.filename == self.path:
            line = self.lines[error.lineno - 1] if error.lineno and error.lineno <= len(self.lines) else ""
            where = f"{self.name}, line {error.lineno}" if error.lineno else self.name
            return FileFaultError(f"{where}: {error.msg}.", line, max(0, (error.offset or 1) - 1))
        place = self.place(error)
        if isinstance(error, SystemExit):
            return FileFaultError(f"{place}, ends the program while the file is loaded: {place.text}. {ALONE}")
        if isinstance(error, EOFError) and "input" in place.text:
            return FileFaultError(f"{place}, waits for keyboard input, which never comes: {place.text}. {ALONE}")
        if not place.number:  # it was never run: a null byte, nested too deeply
            return FileFaultError(f"{self.name} can't be compiled: {said_by(error)}.")
        advice = "" if isinstance(error, ImportError | NameError) else f" {ALONE}"
        return FileFaultError(f"{place}, raises {said_by(error)}, while the file is loaded: {place.text}.{advice}")

    def place(self, error: BaseException) -> SourceLine:
        """Return the last line of this file on the way to an exception."""
        return place_of(error, self.path, self.lines)

    def watch(self, name: str) -> WatchedFunction | None:
        """Return a function of the file by its name, under watch."""
        function = self.scope.get(name)
        if not callable(function):
            return None
        with contextlib.suppress(TypeError, ValueError):  # a built-in may not know its signature
            signature = inspect.signature(function)
            try:
                signature.bind(None, None, None)
            except TypeError:
                raise FileFaultError(
                    f"{self.name}: {name}{signature} can't be called with three arguments, "
                    f"expected {name}(parameters, X, y)."
                ) from None
        watched = WatchedFunction(name, function, self.stage)
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
        raise FileFaultError(
            f"{self.name} defines no gradients(parameters, X, y). {there}, "
            "or see `glassmax doctor --template` for a file to start from."
        )

    def value(self, name: str) -> Any:
        """Return a module's value by its name; None if the module has no such name."""
        return self.scope.get(name)

    def parameters(self) -> Any:
        """Return the learner's own parameters; if `parameters` is a function, it is called."""
        found = self.value("parameters")
        if callable(found) and not isinstance(found, Mapping):
            try:
                return found()
            except BaseException as error:
                place = self.place(error)
                raise FileFaultError(f"{place}: parameters() raises {said_by(error)}: {place.text}.") from None
        return found
