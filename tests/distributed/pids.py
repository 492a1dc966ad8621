"""Whether a process runs."""

import os


def is_running(pid):
    """Return whether a process runs; one that has ended and that nobody has waited for doesn't."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # there is no /proc, or the process has just ended
        return not os.path.exists("/proc")
