"""The process that ends a cluster of ours whose driver was killed: ``python watch.py FOLDER``.

Ray's own server and node end with the driver, but two processes of the node stay for a minute, and its files stay for
ever. This process waits for the end of its input, which comes with the end of the driver, and ends what has the folder
in its environment.
"""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress

VARIABLE = "GLASSMAX_RAY_FOLDER"
GRACE_SECONDS = 1.0


def main(folder: str) -> None:
    """Wait for the end of the driver, then end what is left of the cluster after a second, and remove its folder."""
    while sys.stdin.buffer.read(1):
        pass
    late = time.monotonic() + GRACE_SECONDS
    while pids := _belonging(folder):
        for pid in pids if time.monotonic() > late else ():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def _belonging(folder: str) -> list[int]:
    """Return the processes that have the folder in their environment, and have not ended."""
    mark, found = f"{VARIABLE}={folder}".encode(), []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        with suppress(OSError, ValueError):
            pid = int(name)
            with open(f"/proc/{pid}/environ", "rb") as file:  # empty once a process has ended
                if mark in file.read().split(b"\0") and pid != os.getpid():
                    found.append(pid)
    return found


if __name__ == "__main__":
    main(sys.argv[1])
