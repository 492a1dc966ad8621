"""Scan and encoding, killed at any point: the same bits afterwards, and nothing left over."""

import hashlib
import os
import random
import signal
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from tests.streaming.test_scan import cut, frame

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

PROGRAM = """
import os, signal, sys, threading
from pathlib import Path
from glassmax.streaming import learned, sample, scan, scanned, sources, spool, spooled
sources.PIECE_ROWS, scan.SAVE_SECONDS, spool.PART_WINDOWS = 128, 0.0, 1
spool.Layout.window_blocks = property(lambda self: 2)
sample.SAMPLE_ROWS, sample.FEWEST_ROWS = 300, 100
files, folder, kill = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
calls = 0
def count(frame, event, argument):
    global calls
    if event == "call" and "glassmax" in frame.f_code.co_filename:
        calls += 1
        if calls == kill:
            os.kill(os.getpid(), signal.SIGKILL)
folder.mkdir(exist_ok=True)
threading.setprofile(count)
sys.setprofile(count)
found = sources.Sources(files)
known = learned(*scanned(found, "y", folder=folder), "y")
spooled(found, known, folder / "rows", "y").close()
sys.setprofile(None)
print(calls)
"""


def run(files, folder, kill=0):
    """Scan and encode in another process, which is killed at its call of this number; return the process."""
    command = [sys.executable, "-c", PROGRAM, str(files), str(folder), str(kill)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def content(folder):
    """Return all files of a folder with a hash of what they hold."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def written(tmp_path, end):
    cut(frame(1200)["x", "gain", "word", "name", "moment", "y"], tmp_path / "files", [end], [500, 1, 699])
    return tmp_path / "files"


def check(files, folder, kills):
    """Kill at each of some calls, go on each time, and compare what comes of it with a run that was not killed."""
    whole = run(files, folder / "whole")
    assert whole.returncode == 0, whole.stderr
    expected, calls = content(folder / "whole"), int(whole.stdout)
    for number, kill in enumerate(kills(calls)):
        killed = folder / f"killed {number}"
        assert run(files, killed, kill).returncode == -signal.SIGKILL
        again = run(files, killed)
        assert again.returncode == 0, again.stderr
        assert content(killed) == expected
    return expected


def test_killed_in_the_scan(tmp_path):
    expected = check(written(tmp_path, "parquet"), tmp_path, lambda calls: [calls // 2])
    assert {name.partition("/")[0] for name in expected} == {"scan.glassmax", "rows"}


@pytest.mark.slow
@pytest.mark.parametrize("end", ["parquet", "csv"])
def test_killed_at_random_points(tmp_path, end):
    draw = random.Random(0)
    check(written(tmp_path, end), tmp_path, lambda calls: [draw.randint(1, calls) for _ in range(6)])


@pytest.mark.slow
def test_killed_again_and_again(tmp_path):
    files = written(tmp_path, "csv")
    whole = run(files, tmp_path / "whole")
    calls = int(whole.stdout)
    draw, often = random.Random(1), tmp_path / "often"
    ends = [run(files, often, draw.randint(calls // 4, calls)).returncode for _ in range(5)]
    assert -signal.SIGKILL in ends
    assert run(files, often).returncode == 0
    assert content(often) == content(tmp_path / "whole")


MEMORY = """
import sys
from glassmax.streaming import learned, scanned, sources, spooled
found = sources.Sources(sys.argv[1])
known = learned(*scanned(found, "y"), "y")
with spooled(found, known, sys.argv[2], "y") as spool:
    print(spool.n_rows)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux, which tells the peak of the memory")
@pytest.mark.parametrize(("n", "width", "n_files"), [(100_000, 20, 1), (100_000, 20, 12), (10_000, 1000, 3)])
def test_memory_does_not_grow_with_the_rows(tmp_path, n, width, n_files):
    draw = np.random.RandomState(0)
    table = pl.DataFrame(draw.normal(size=(n, width)), schema=[f"x{j}" for j in range(width)])
    table = table.with_columns(
        word=pl.Series(draw.choice(["red", "green", "blue"], n)),
        name=pl.Series([f"person {i}" for i in range(n)]),
        y=pl.Series(draw.choice(["a", "b", "c"], n)),
    )
    (tmp_path / "files").mkdir()
    table.write_parquet(tmp_path / "files" / "part-0.parquet", row_group_size=n)
    for number in range(1, n_files):  # the same rows again
        os.link(tmp_path / "files" / "part-0.parquet", tmp_path / "files" / f"part-{number}.parquet")
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "files"), str(tmp_path / "rows")]
    child = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert child.returncode == 0, child.stderr
    rows, peak = map(int, child.stdout.split())
    assert rows == n * n_files
    assert peak < 400_000  # KiB
