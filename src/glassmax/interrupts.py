"""Ctrl-C while the command line loads: the process ends at once and without a traceback.

Python raises KeyboardInterrupt wherever it is, in the middle of an import too, where nothing can catch it. In a process
that was started as the command line, Ctrl-C therefore has its plain effect until `restore` is called.
"""

import os
import signal
import sys
import threading

__all__ = ["restore", "was_interrupted"]

COMMANDS = ("glassmax", "glassmax.exe", "glassmax-script.py")


def _is_command_line() -> bool:
    """Whether this process was started as ``glassmax`` or as ``python -m glassmax``."""
    orig = getattr(sys, "orig_argv", [])
    return os.path.basename(sys.argv[0] if sys.argv else "") in COMMANDS or orig[1:3] == ["-m", "glassmax"]


def restore() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, now that it is caught."""
    if _changed:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def was_interrupted(error: BaseException | None) -> bool:
    """Whether an error, such as that of an extension that couldn't be imported, came from Ctrl-C."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


_changed = (
    _is_command_line()
    and threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGINT) is signal.default_int_handler
)
if _changed:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def __dir__() -> list[str]:
    return __all__
