"""Training on a folder of files: how fast the rows are read, how fast a network trains on them, in how much memory.

Four measurements, each on rows of twenty numbers in Parquet files:

- reading, scan and encoding: rows a second;
- epochs on the folder and on the same rows in memory, in turn: the ratio of their rows a second;
- the log-loss on test rows after training on a folder that is sorted by its labels, over that after training on the
  same rows, encoded in the same way, in memory;
- the peak of the memory of ``glassmax train`` on a folder and on one of sixteen times as many rows.
"""

import argparse
import gc
import itertools
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

INPUTS, CLASSES, MANY_CLASSES, PART = 20, 10, 1000, 250_000
NETWORKS = {"128-64": (128, 64), "256-128": (256, 128), "512-256": (512, 256), "512-512": (512, 512)}
"""Hidden layers; a row of the last two takes 5 us or more."""
TRAINED, READ, ROUNDS = 500_000, 3_000_000, 5


def rows(n, draw, classes=CLASSES):
    """Return inputs and classes that a network can learn, not without errors."""
    X = draw.standard_normal((n, INPUTS), dtype=np.float32)
    W = np.random.default_rng(1).normal(size=(INPUTS, classes)).astype(np.float32)
    y = [
        (X[i : i + PART // 10] @ W + draw.gumbel(size=(len(X[i : i + PART // 10]), classes))).argmax(axis=1)
        for i in range(0, n, PART // 10)
    ]
    return X, np.concatenate(y)


def table_of(X):
    return pl.DataFrame({f"x{j}": X[:, j] for j in range(INPUTS)})


def make(folder, X, y):
    """Write the rows as files of a quarter of a million rows."""
    folder.mkdir()
    for part, start in enumerate(range(0, len(X), PART)):
        here = slice(start, start + PART)
        table_of(X[here]).with_columns(y=y[here]).write_parquet(folder / f"part-{part}.parquet")


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
    return [after - before for before, after in itertools.pairwise(ends)]


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


def log_losses(folder, classes):
    """Return the log-loss on test rows after training in memory, and on files sorted by their labels; medians."""
    X, y = rows(TRAINED, np.random.default_rng(0), classes)
    X_test, y_test = rows(50_000, np.random.default_rng(2), classes)
    test, order = table_of(X_test), np.argsort(y, kind="stable")
    make(folder, X[order], y[order])
    pairs = []
    for seed in range(3):
        network = classifier((64,), 5).set_params(random_state=seed)
        pair = []
        for fitted in (
            gm.TableClassifier(network=network, held_out=0, random_state=seed).fit(table_of(X), y),
            network.fit(folder, target="y"),
        ):
            P = fitted.predict_proba(test)
            pair.append(float(-np.log(P[np.arange(len(P)), y_test]).mean()))
        pairs.append(pair)
    memory, files = (statistics.median(losses) for losses in zip(*pairs, strict=True))
    return {"in_memory": memory, "sorted_files": files, "ratio": statistics.median(b / a for a, b in pairs)}


MEASURED = r"""
import re, sys
from glassmax.cli import main
try:
    main()
finally:
    print(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1])
"""
"""Not by wait4, which tells the memory of the process that started another one if that is larger."""


def peak(folder, output):
    """Train on a folder in a process of its own; return the peak of its memory in MB."""
    options = ["--target", "y", "--epochs", "1", "--hidden", "16", "--output", str(output), "--quiet"]
    command = [sys.executable, "-c", MEASURED, "train", str(folder), *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout.splitlines()[-1]) * 1024 / 1e6


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
        figures["log_loss"] = {n: log_losses(folder / f"sorted-{n}", n) for n in (CLASSES, MANY_CLASSES)}
        print(figures["log_loss"])
        more = folder / "more"
        more.mkdir()
        for part in range(32):
            (more / f"part-{part}.parquet").symlink_to(folder / "rows" / f"part-{part % 2}.parquet")
        figures["peak_megabytes"] = {
            f"{len(list(where.iterdir())) * PART}": round(peak(where, folder / "model"))
            for where in (folder / "rows", more)
        }
    print(figures["peak_megabytes"])
    write("files", ["polars"], figures)


if __name__ == "__main__":
    main()
