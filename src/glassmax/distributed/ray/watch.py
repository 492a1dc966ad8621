"""The process that ends a cluster of ours whose driver was killed: ``python watch.py FOLDER``.

Ray's own server and node end with the driver, but two processes of the node stay for a minute, and the files stay for
ever. This process waits for the end of its input. If the driver has written nothing into it, the driver was killed:
what belongs to Ray and has files of the folder open is ended. The folder is removed in any case.
"""

import os
import re
import shutil
import signal
import sys
import time
from contextlib import suppress

GRACE_SECONDS = 1.0
OF_RAY = re.compile(rb"^ray::|/ray/(core|_private|dashboard)/")


def main(folder: str) -> None:
    """Wait for the end of the driver, then end what is left of the cluster after a second, and remove its folder."""
    if not sys.stdin.buffer.read():
        late = time.monotonic() + GRACE_SECONDS
        while pids := _belonging(folder):
            for pid in pids if time.monotonic() > late else ():
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


def _belonging(folder: str) -> list[int]:
    """Return the processes of Ray that have a file of the folder open, such as their log."""
    return [int(name) for name in _names("/proc") if name.isdigit() and _is_of_ray(name) and _has_open(name, folder)]


def _is_of_ray(pid: str) -> bool:
    with suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return OF_RAY.search(file.read()) is not None
    return False


def _has_open(pid: str, folder: str) -> bool:
    for name in _names(f"/proc/{pid}/fd"):
        with suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{name}").startswith(f"{folder}/"):
                return True
    return False


def _names(folder: str) -> list[str]:
    """Return the names in a folder; none where there is no such folder, as on systems other than Linux."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


if __name__ == "__main__":
    main(sys.argv[1])
