"""What Ray prints, and what it changes in the process of the user, kept away.

Ray writes to the standard output of the driver when a worker dies, takes over SIGTERM and the fault handler, and sets
environment variables. What it would have printed is kept: an error quotes the line that matters.
"""

import faulthandler
import logging
import os
import re
import signal
import threading
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["Notices", "undisturbed"]

MOST, LONGEST = 100, 2000
DEATH = re.compile(r"Worker IP address: (\S+).*?Worker PID: (\d+)", re.DOTALL)
OF_RAY = re.compile(r":(job_id|task_name|actor_name):|\[20\d\d-")  # lines in those files that no worker has printed
GONE = "The node with node id: {}"  # "... has been marked dead"


class Notices(logging.Handler):
    """What Ray would have printed: its last lines.

    Attributes
    ----------
    lines : deque of str
    folder : str
        The folder of a cluster of our own, in which its workers write what they print.
    node : str
        The node of Ray to which this process is connected.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: deque[str] = deque(maxlen=MOST)
        self.folder = self.node = ""
        self._before: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what the logger of Ray says."""
        self.lines.append(record.getMessage())

    def begin(self) -> None:
        """Keep what Ray says from now on, in place of printing it."""
        logger = logging.getLogger("ray")
        self._before = [logger.handlers[:], logger.level, logger.propagate]
        logger.handlers[:], logger.propagate = [self], False
        with suppress(ImportError, AttributeError):  # where Ray has what it prints printed
            import ray._private.worker as printing

            self._before.append(printing.print_to_stdstream)
            printing.print_to_stdstream = self._keep

    def end(self) -> None:
        """Let Ray print again."""
        if not self._before:
            return
        logger = logging.getLogger("ray")
        logger.handlers[:], logger.propagate = self._before[0], self._before[2]
        logger.setLevel(self._before[1])
        if len(self._before) > 3:
            import ray._private.worker as printing

            printing.print_to_stdstream = self._before[3]
        self._before = []

    def _keep(self, data: Mapping[str, Any], *_: Any, **__: Any) -> None:
        self.lines.extend(str(line) for line in data.get("lines", ()))

    def last_death(self) -> tuple[str, str]:
        """Return the name of the worker that has died last, and the end of what it has printed, as far as is known."""
        for line in reversed(self.lines):
            if found := DEATH.search(line):
                return f"the worker on {found[1]} (process {found[2]})", self._printed(found[2])
        return "a worker", ""

    def _printed(self, pid: str) -> str:
        """Return the end of what a worker of our own cluster has printed."""
        files = sorted(Path(self.folder).glob(f"session_2*/logs/worker-*-{pid}.*")) if self.folder else []
        with suppress(OSError):
            printed = "".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
            return "\n".join(line for line in printed.splitlines() if not OF_RAY.match(line))[-LONGEST:].strip()
        return ""

    def is_cut_off(self) -> bool:
        """Return whether the node of this process has died, without which Ray waits for ever."""
        return bool(self.node and self.line_with(GONE.format(self.node)))

    def line_with(self, words: str) -> str:
        """Return the last line with these words; empty if there is none."""
        return next((line.strip() for line in reversed(self.lines) if words in line), "")


@contextmanager
def undisturbed(environment: Mapping[str, str]) -> Iterator[None]:
    """Run what Ray does at its start with some environment variables; put everything back that it has changed."""
    variables, is_main = dict(os.environ), threading.current_thread() is threading.main_thread()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    tells_faults = faulthandler.is_enabled()
    os.environ.update(environment)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name in set(os.environ) - set(variables):
            del os.environ[name]
        os.environ.update(variables)
        if is_main:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        if not tells_faults:
            faulthandler.disable()
