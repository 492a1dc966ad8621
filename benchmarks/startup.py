"""Time what happens before any work: ``import glassmax`` beside ``import numpy``, and three commands.

Each time is the wall clock of a process of its own, Python's start included; the two imports take turns. That the
commands do what they should is checked on their output, before they are timed.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import table, write

PAIRS, RUNS = 20, 5


def seconds(command, folder):
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return time.perf_counter() - started


def imports(folder):
    """Return the medians of python alone, numpy and glassmax, and the median ratio of the pairs."""
    programs = {"python": "pass", "numpy": "import numpy", "glassmax": "import glassmax"}
    times = {name: [] for name in programs}
    for number in range(PAIRS + 1):
        names = list(programs) if number % 2 else list(programs)[::-1]
        for name in names:
            found = seconds([sys.executable, "-c", programs[name]], folder)
            if number:  # the first round fills the caches
                times[name].append(found)
    pairs = list(zip(times["glassmax"], times["numpy"], strict=True))
    return {
        **{f"{name}_seconds": statistics.median(found) for name, found in times.items()},
        "glassmax_over_numpy": statistics.median(ours / theirs for ours, theirs in pairs),
        "glassmax_less_numpy_seconds": statistics.median(ours - theirs for ours, theirs in pairs),
    }


def commands(folder):
    """Return the median time of each command."""
    glassmax = [sys.executable, "-m", "glassmax"]
    wanted = {
        "glassmax --help": ([*glassmax, "--help"], "Usage"),
        "glassmax info": ([*glassmax, "info"], "glassmax"),
        "glassmax train digits": ([*glassmax, "train", "digits"], "accuracy"),
    }
    medians = {}
    for name, (command, word) in wanted.items():
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        assert word in done.stdout, f"{name} printed {done.stdout!r}"
        medians[name] = statistics.median(seconds(command, folder) for _ in range(RUNS))
    return medians


def main():
    with tempfile.TemporaryDirectory() as folder:
        of_imports, of_commands = imports(Path(folder)), commands(Path(folder))
    rows = [[f"import {name}", f"{1000 * of_imports[f'{name}_seconds']:.0f}"] for name in ("numpy", "glassmax")]
    rows = [["python alone", f"{1000 * of_imports['python_seconds']:.0f}"], *rows]
    rows += [[name, f"{1000 * found:.0f}"] for name, found in of_commands.items()]
    table(
        f"Wall clock of a fresh process: imports {PAIRS} times in turns, commands {RUNS} times", ["", "median ms"], rows
    )
    print(f"\nimport glassmax takes {of_imports['glassmax_over_numpy']:.2f} times as long as import numpy")
    write(
        "startup",
        ["scikit-learn", "click", "rich"],
        {"pairs": PAIRS, "runs": RUNS, "imports": of_imports, "commands_seconds": of_commands},
    )


if __name__ == "__main__":
    main()
