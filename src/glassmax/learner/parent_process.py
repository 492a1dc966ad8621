"""A learner's file, diagnosed in a process of its own that has a time limit and a memory limit.

The file is somebody's program: it may print, hang, fork, eat memory or end itself. It runs in a fresh interpreter, in a
process group of its own, without a keyboard; when the time is over the group is killed. What comes back is JSON in a
temporary file, never a pickle, and the file's prints are kept apart. This module refuses to run the file itself.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import LearnerFileError, between
from .no_answer import SourceLine, no_answer

__all__ = ["FileDiagnosis", "run_file"]

STARTUP = 30.0
"""Seconds that the interpreter and NumPy may take before the learner's own time begins."""

MARK = "GLASSMAX_DOCTOR"
"""An environment variable that the file's process hands on to whatever it starts."""

MOST_PRINTED = 100_000
LARGEST_FILE = 10_000_000
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
QUIET = {"PYTHONIOENCODING": "utf-8:backslashreplace", "MPLBACKEND": "Agg"}


@dataclass(frozen=True)
class FileDiagnosis:
    """The result for a learner's file: the diagnosis in plain form, and notes on the assumptions.

    `printed` is what the file printed, its first 100,000 bytes; `printed_bytes` says how much it printed altogether.
    """

    diagnosis: dict[str, Any]
    notes: tuple[str, ...]
    printed: str
    printed_bytes: int


def run_file(
    program: str, path: str | Path, time_limit: float, memory_limit: int | None, options: Mapping[str, Any]
) -> FileDiagnosis:
    """Diagnose a learner's file in a process of its own, which runs the module `program` with its limits.

    The limits and the options are those of `glassmax.doctor.diagnose_file.diagnose_file`.
    """
    between("time_limit", time_limit, 0, 86_400, open_below=True, open_above=False)
    file = _check_file(Path(path))
    job = {
        "file": os.path.abspath(file),
        "time_limit": float(time_limit),
        "memory_limit": memory_limit or _half_of_memory(),
        "options": {name: value for name, value in options.items() if value is not None},
    }
    with tempfile.TemporaryDirectory(prefix="glassmax-doctor-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "job.json").write_text(json.dumps(job), encoding="utf-8")
        code, printed = _run(program, folder, time_limit + STARTUP)
        return _read(Path(folder), file, code, printed, time_limit)


def _check_file(path: Path) -> Path:
    try:
        if path.is_dir():
            raise LearnerFileError(f"{path} is a folder, expected a Python file.")
        if not path.exists():
            raise LearnerFileError(
                f"{path}: there is no such file. `glassmax doctor --template {path.name}` writes one to start from."
            )
        if not path.is_file():
            raise LearnerFileError(f"{path} is not a regular file, expected a Python file.")
        if path.suffix == ".ipynb":
            raise LearnerFileError(f"{path} is a notebook, expected a Python file. Save the cell as a .py file.")
        if path.stat().st_size > LARGEST_FILE:
            raise LearnerFileError(f"{path} has more than {LARGEST_FILE} bytes, expected a Python file.")
        path.open("rb").close()
    except OSError as error:
        raise LearnerFileError(f"{path} can't be read: {error.strerror}.") from None
    return path


class _Printed:
    """The output of a pipe, read to its end so that the writer never waits; the first part is kept."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.kept, self.count = bytearray(), 0
        self._reader = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._reader.start()

    def _read(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while chunk := os.read(pipe.fileno(), 1 << 16):
                self.count += len(chunk)
                self.kept += chunk[: max(0, MOST_PRINTED - len(self.kept))]

    def wait(self) -> None:
        self._reader.join(1.0)  # a process that left the group may hold the pipe for ever


def _run(program: str, folder: str, most_seconds: float) -> tuple[int | None, _Printed]:
    """Run the child to its end, or to the end of its time; return its exit code, None if it was killed."""
    argv = [sys.executable, "-P", "-B", "-u", "-m", program, folder]
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | ONE_THREAD | QUIET | {MARK: folder},
        start_new_session=True,
    ) as child:
        assert child.stdout is not None
        printed = _Printed(child.stdout)
        code = None
        try:
            code = child.wait(most_seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            _kill_group(child)
            _kill_strays(folder)
        printed.wait()
    return code, printed


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and whatever it has started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    child.wait()


def _kill_strays(folder: str) -> None:
    """Kill what has left the group, found by the mark in its environment; only Linux shows that."""
    mark = f"{MARK}={folder}".encode()
    for _ in range(50):  # until they have gone: dying takes a moment, and one may have forked meanwhile
        strays = [int(process.name) for process in Path("/proc").glob("[0-9]*") if mark in _environment(process)]
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not strays:
            return


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is another user's
        return []


def _read(folder: Path, file: Path, code: int | None, printed: _Printed, time_limit: float) -> FileDiagnosis:
    """Turn what the child left behind into an answer."""
    answer = _json_of(folder / "answer.json")
    if answer is None:
        answer = _without_answer(folder, file, code, bytes(printed.kept), time_limit)
    if answer["kind"] == "fault":
        raise LearnerFileError(answer["message"], answer.get("line", ""), answer.get("column", 0))
    if answer["kind"] == "failed":
        raise RuntimeError(answer["message"].strip().split("\n")[-1]) from RuntimeError(answer["message"])
    text = bytes(printed.kept).decode("utf-8", "replace")
    return FileDiagnosis(answer["diagnosis"], tuple(answer.get("notes", ())), text, printed.count)


def _json_of(path: Path) -> Any:
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) and answer.get("kind") in ("fault", "failed", "diagnosis") else None


def _without_answer(folder: Path, file: Path, code: int | None, printed: bytes, time_limit: float) -> Mapping[str, Any]:
    """Say why there is no answer: the time was over, the file ended its process, or the doctor itself failed."""
    stage, calls = _stage(folder)
    stack = (folder / "stack").read_text(errors="replace") if (folder / "stack").exists() else ""
    place = _place_in(stack, file)
    if stack or code is None:
        return _too_long(file, stage, calls, place, time_limit)
    if not (folder / "stage").exists():
        raise RuntimeError(f"the process could not start: {printed[-300:].decode(errors='replace')}")
    how = f"by signal {_signal_name(-code)}" if code < 0 else f"with exit code {code}, for example by os._exit"
    if stage == "loading":
        return {"kind": "fault", "message": f"{file.name} ends its process {how}, while it is loaded."}
    what = f"{stage} ends its process {how} ({file.name})."
    return {"kind": "diagnosis", "diagnosis": no_answer("raises", place, what, "Return the gradients instead.")}


def _too_long(file: Path, stage: str, calls: int, place: SourceLine, time_limit: float) -> Mapping[str, Any]:
    more = f"--time-limit {3 * time_limit:g}"
    if stage == "loading":
        what = f"{place} was still being loaded after {time_limit:g} s{': ' if place.text else ''}{place.text}."
        advice = f'Put training under `if __name__ == "__main__":`, which is not run here, or pass {more}.'
        return {"kind": "fault", "message": f"{what} {advice}"}
    at = f" ({place})" if place.number else ""
    if stage == "diagnosis":
        what = f"the functions of {file.name} were called {calls} times in {time_limit:g} s, which was not enough{at}."
    elif calls == 0:
        what = f"{stage} had not returned after {time_limit:g} s{at}."
    else:
        what = f"{stage} had not returned after {time_limit:g} s and {calls} earlier calls{at}."
    diagnosis = no_answer("never_returns", place, what, f"End the loop, or pass {more} if the function is only slow.")
    return {"kind": "diagnosis", "diagnosis": diagnosis}


def _stage(folder: Path) -> tuple[str, int]:
    try:
        name, calls = (folder / "stage").read_text().split()
        return name, int(calls)
    except (OSError, ValueError):
        return "loading", 0


def _place_in(stack: str, file: Path) -> SourceLine:
    """Find the innermost line of the file in what faulthandler wrote, the most recent call first."""
    written = os.path.abspath(file).encode("ascii", "backslashreplace").decode()
    for line in stack.splitlines():
        head, _, tail = line.strip().partition('", line ')
        if head == f'File "{written}' and tail.split(" ")[0].isdecimal():
            number = int(tail.split(" ")[0])
            lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
            return SourceLine(file.name, number, lines[number - 1].strip() if number <= len(lines) else "")
    return SourceLine(file.name, 0, "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _half_of_memory() -> int:
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        there = 0
    return max(there // 2, 2 << 30)
