"""Rows of the tests, in files."""

import numpy as np
import polars as pl

__all__ = ["K", "N", "cut", "frame", "quick"]

N, K = 3000, 3


def frame(n=N, *, is_sorted=False, seed=3):
    """Return rows of three classes that overlap, with numbers, words, missing cells, weights, and rows without one."""
    draw = np.random.RandomState(seed)
    y = draw.randint(0, K, n)
    if is_sorted:
        y = np.sort(y)
    columns = {f"x{j}": draw.normal(size=n) + 1.5 * (y == j) for j in range(K)}
    columns["x0"][draw.uniform(size=n) < 0.02] = np.nan
    columns["word"] = draw.choice(["red", "green", "blue"], n)
    columns["w"] = draw.choice([0.0, 0.5, 1.0, 3.0], n, p=[0.05, 0.25, 0.5, 0.2])
    columns["y"] = [None if u < 0.01 else "abc"[c] for u, c in zip(draw.uniform(size=n), y, strict=True)]
    return pl.DataFrame(columns)


def cut(table, folder, sizes, end="parquet"):
    """Write a frame into files of some sizes; the last one holds the rest."""
    folder.mkdir(parents=True, exist_ok=True)
    start = 0
    for number, size in enumerate([*sizes, len(table)]):
        part = table[start : start + size]
        start += size
        if len(part):
            path = folder / f"part-{number}.{end}"
            {"parquet": part.write_parquet, "csv": part.write_csv, "jsonl": part.write_ndjson}[end](path)
    return folder


def quick(**parameters):
    """Return parameters of a network that is trained in an instant."""
    return {
        "hidden_layer_sizes": (6,), "max_iter": 3, "batch_size": 50, "learning_rate_init": 0.01, "random_state": 0,
        **parameters,
    }  # fmt: skip
