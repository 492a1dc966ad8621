"""A CSV file larger than memory, predicted: how fast, and in how much memory.

Writes a table of 2 GB (``--gigabytes``), trains a model on its first rows, predicts the file by ``glassmax predict`` in
a process of its own, and measures the peak of its resident memory. The answer is checked first: the same rows
predicted in Python, at the beginning, in the middle and at the end of the file, give the same bits.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from record import table, write

LIMIT_MB = 500
BLOCK = 20_000
PLACES = ["north", "south", "east", "west"]


def block_of_rows(draw):
    """Return the text of some rows: ten numbers, a place, a date, a class."""
    X = draw.standard_normal((BLOCK, 10)).round(6)
    place, day = draw.integers(0, 4, BLOCK), draw.integers(1, 29, BLOCK)
    label = (X[:, 0] + 0.5 * place > 0.7).astype(int) + (X[:, 1] > 1)
    return "".join(
        f"{','.join(map(str, row))},{PLACES[p]},2024-{d % 12 + 1:02}-{d:02},{'abc'[y]}\n"
        for row, p, d, y in zip(X.tolist(), place, day, label, strict=True)
    )


def make(path, size):
    """Write a file of at least so many bytes; every 64th block is new, the others repeat them."""
    draw = np.random.default_rng(0)
    blocks = [block_of_rows(draw).encode() for _ in range(64)]
    rows = 0
    with path.open("wb") as file:
        file.write((",".join(f"x{i}" for i in range(10)) + ",place,day,y\n").encode())
        while file.tell() < size:
            file.write(blocks[rows // BLOCK % len(blocks)])
            rows += BLOCK
    return rows


def child(*argv):
    """Run the command line in a process of its own; return seconds and the peak of its resident memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "glassmax", *map(str, argv)])
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"glassmax {argv[0]} ended with status {status}"
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def check(model, data, predicted, rows):
    """Hold predictions from three places of the file against Python's, to the bit."""
    from glassmax import load_model, read_table

    loaded, groups = load_model(model), {start: [] for start in (0, rows // 2, rows - 1000)}
    of_row = {start + i: group for start, group in groups.items() for i in range(1000)}
    with data.open(encoding="utf-8") as file, predicted.open(newline="", encoding="utf-8") as answers:
        header, reader = next(file), csv.reader(answers)
        next(reader)
        for number, (line, answer) in enumerate(zip(file, reader, strict=True)):
            if number in of_row:
                of_row[number].append((line, answer))
    for group in groups.values():
        with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as some:
            some.write(header + "".join(line for line, _ in group))
            some.flush()
            P = loaded.predict_proba(read_table(some.name))
        found = np.array([[float(cell) for cell in answer[1:]] for _, answer in group])
        assert len(found) == 1000
        assert (found == P).all(), "predictions differ from Python's"


def main():
    """Make the file, predict it, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--folder", help="where the file is made; the system's folder for such things by default")
    given = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        data, model, predicted = Path(folder, "t.csv"), Path(folder, "m"), Path(folder, "p.csv")
        rows = make(data, int(given.gigabytes * 2**30))
        head = Path(folder, "head.csv")
        with data.open("rb") as file:
            head.write_bytes(b"".join(next(file) for _ in range(20_001)))
        child("train", head, "--target", "y", "--epochs", "3", "--output", model, "--quiet", "--no-baseline")
        seconds, peak = child("predict", model, data, "--proba", "--output", predicted, "--quiet")
        check(model, data, predicted, rows)
        size = data.stat().st_size
        figures["predict"] = {
            "gigabytes": round(size / 2**30, 3),
            "rows": rows,
            "seconds": round(seconds, 1),
            "megabytes_a_second": round(size / 2**20 / seconds, 1),
            "rows_a_second": round(rows / seconds),
            "peak_megabytes": round(peak, 1),
            "limit_megabytes": LIMIT_MB,
        }
        seconds, peak = child("evaluate", model, data, "--json", "--quiet")
        figures["evaluate"] = {
            "seconds": round(seconds, 1),
            "rows_a_second": round(rows / seconds),
            "peak_megabytes": round(peak, 1),
        }
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures), f"(this process: {own:.0f} MB)", sep="\n")
    table(
        f"{figures['predict']['gigabytes']} GB, {rows} rows",
        ["command", "seconds", "rows a second", "peak MB"],
        [[name, f["seconds"], f["rows_a_second"], f["peak_megabytes"]] for name, f in figures.items()],
    )
    assert figures["predict"]["peak_megabytes"] < LIMIT_MB, "predict took more memory than it may"
    if given.gigabytes >= 2:
        write("streaming", ["polars"], figures)


if __name__ == "__main__":
    main()
