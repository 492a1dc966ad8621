"""Training on a folder of files: how fast the rows are read, how fast a network trains on them, in how much memory.

Four measurements, each on rows of twenty numbers in Parquet files:

- reading, scan and encoding: rows a second;
- epochs on the folder and on the same rows in memory, in turn: the ratio of their rows a second;
- the log-loss on test rows after training on a folder that is sorted by its labels, over that after training in memory;
- the peak of the memory of ``glassmax train`` on a folder and on one of sixteen times as many rows.
"""

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
from record import table, write
from sklearn.exceptions import ConvergenceWarning

import glassmax as gm
from glassmax.streaming import Sources, learned, scanned, spooled

INPUTS, CLASSES, PART = 20, 10, 250_000
NETWORKS = {"128-64": (128, 64), "256-128": (256, 128), "512-256": (512, 256), "512-512": (512, 512)}
"""Hidden layers; a row of the smallest takes about 5 us on the two cores of these figures."""
TRAINED, READ, ROUNDS = 500_000, 3_000_000, 5


def rows(n, draw):
    """Return inputs and classes that a network can learn, not without errors."""
    X = draw.standard_normal((n, INPUTS), dtype=np.float32)
    logits = X @ np.random.default_rng(1).normal(size=(INPUTS, CLASSES)) + 2 * np.tanh(X[:, :CLASSES] * X[:, -CLASSES:])
    return X, (logits + draw.gumbel(size=logits.shape)).argmax(axis=1)


def make(folder, X, y):
    """Write the rows as files of a quarter of a million rows."""
    folder.mkdir()
    for part, start in enumerate(range(0, len(X), PART)):
        here = slice(start, start + PART)
        columns = {f"x{j}": X[here, j] for j in range(INPUTS)}
        pl.DataFrame({**columns, "y": y[here]}).write_parquet(folder / f"part-{part}.parquet")


def reading(folder, cache):
    """Return rows a second of reading alone, of the scan and of the encoding."""
    seconds, n = {}, READ
    for name in ("reading", "scan", "encoding"):
        gc.collect()
        started = time.perf_counter()
        if name == "reading":
            n_read = sum(piece.end.row - piece.start.row for piece in Sources(folder).pieces())
            assert n_read == n
        elif name == "scan":
            sources = Sources(folder)
            state, sample = scanned(sources, "y")
        else:
            known = learned(state, sample, "y")
            assert known.rows == n
            spooled(sources, known, cache, "y").close()
        seconds[name] = time.perf_counter() - started
    return {name: n / taken for name, taken in seconds.items()}


def classifier(hidden, epochs):
    """Return a classifier that trains for a number of epochs."""
    return gm.SoftmaxClassifier(hidden, max_iter=epochs, random_state=0, early_stopping=False)


def seconds_of_epochs(epochs):
    """Return the seconds between the ends of two epochs, from the first on."""
    ends = [time.perf_counter() for _ in epochs]
    return [after - before for before, after in zip(ends, ends[1:], strict=False)]


def training(folder, X, y, cache):
    """Return, for each network, the seconds of an epoch in memory and on files, and the ratio of the speeds."""
    found = {}
    for name, hidden in NETWORKS.items():
        pairs = []
        for _ in range(ROUNDS):
            memory = seconds_of_epochs(classifier(hidden, 2).fit_epochs(X, y))
            files = seconds_of_epochs(classifier(hidden, 2).fit_epochs(folder, target="y", cache_folder=cache))
            pairs.append((memory[0], files[0]))
        found[name] = {
            "seconds_in_memory": statistics.median(memory for memory, _ in pairs),
            "seconds_on_files": statistics.median(files for _, files in pairs),
            "microseconds_a_row": 1e6 * statistics.median(memory for memory, _ in pairs) / len(X),
            "ratio": statistics.median(memory / files for memory, files in pairs),
        }
        print(name, found[name], flush=True)
    return found


def log_losses(folder, X, y):
    """Return the log-loss on test rows after training in memory, and on files sorted by their labels."""
    X_test, y_test = rows(100_000, np.random.default_rng(2))
    order = np.argsort(y, kind="stable")
    make(folder, X[order], y[order])
    found = {}
    for name in ("in_memory", "sorted_files"):
        network = classifier((64,), 5)
        network.fit(X, y) if name == "in_memory" else network.fit(folder, target="y")
        P = network.predict_proba(X_test)
        found[name] = float(-np.log(P[np.arange(len(P)), y_test]).mean())
    return found


def peak(folder, output):
    """Train on a folder in a process of its own; return the peak of its memory in MB."""
    options = ["--target", "y", "--epochs", "1", "--hidden", "16", "--output", output, "--quiet"]
    process = subprocess.Popen([sys.executable, "-m", "glassmax", "train", str(folder), *map(str, options)])
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"glassmax train ended with status {status}"
    return usage.ru_maxrss * 1024 / 1e6


def main():
    """Make the files, measure, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", help="where the files are made; the system's folder for such things by default")
    given = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    figures = {}
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        X, y = rows(TRAINED, np.random.default_rng(0))
        make(folder / "rows", X, y)
        many = folder / "many"
        many.mkdir()
        for part in range(READ // PART):
            (many / f"part-{part}.parquet").symlink_to(folder / "rows" / f"part-{part % 2}.parquet")
        found = [reading(many, folder / f"spool-{number}") for number in range(3)]
        figures["rows_a_second"] = {one: round(statistics.median(f[one] for f in found)) for one in found[0]}
        table("rows a second", ["", ""], [[name, f"{value:,}"] for name, value in figures["rows_a_second"].items()])
        figures["training"] = training(folder / "rows", X, y, folder / "cache")
        table(
            "an epoch",
            ["hidden layers", "us a row in memory", "speed on files over in memory"],
            [[name, f"{f['microseconds_a_row']:.1f}", f"{f['ratio']:.2f}"] for name, f in figures["training"].items()],
        )
        figures["log_loss"] = log_losses(folder / "sorted", X, y)
        print(figures["log_loss"])
        del X, y
        more = folder / "more"
        more.mkdir()
        for part in range(32):
            (more / f"part-{part}.parquet").symlink_to(folder / "rows" / f"part-{part % 2}.parquet")
        figures["peak_megabytes"] = {
            f"{len(list(where.iterdir())) * PART}": round(peak(where, folder / "model")) for where in (folder / "rows", more)
        }
    print(figures["peak_megabytes"])
    write("files", ["polars"], figures)


if __name__ == "__main__":
    main()
