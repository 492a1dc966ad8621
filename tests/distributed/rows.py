"""Rows of the tests, cut into files; and workers within this process."""

import numpy as np
import polars as pl

from glassmax.distributed import Held, Message, name_of_operation
from glassmax.distributed.operations import call_operation, partial_sums, sum_of_messages
from glassmax.distributed.ordered_sum import split_shards
from glassmax.distributed.prepared import prepare_shards
from glassmax.distributed.shards import ShardPlan
from glassmax.streaming import Sources, Split, learned
from glassmax.streaming.scan import scanned

N = 1500
SPLIT = Split(5, 0.1, 0.1)
CUTS = {"one": [N], "three": [700, 1, N - 701], "many": [130] * 11 + [N - 1430]}


def frame(n=N, *, weighted=False):
    """Return rows of three classes that overlap, some without a label."""
    draw = np.random.RandomState(3)
    y = draw.randint(0, 3, n)
    columns = {f"x{j}": draw.normal(size=n) + 2.0 * (y == j) for j in range(4)}
    columns["word"] = draw.choice(["red", "green", "blue"], n)
    if weighted:
        columns["w"] = draw.choice([0.0, 0.5, 1.0, 3.0], n)
    columns["y"] = [None if u < 0.02 else f"class {c}" for u, c in zip(draw.uniform(size=n), y, strict=True)]
    return pl.DataFrame(columns)


def cut(table, folder, sizes, end="parquet"):
    """Write a frame into files of some sizes."""
    folder.mkdir(exist_ok=True)
    start = 0
    for number, size in enumerate(sizes):
        part = table[start : start + size]
        start += size
        path = folder / f"part-{number}.{end}"
        {"parquet": part.write_parquet, "csv": part.write_csv}[end](path)
    assert start == len(table)
    return folder


class Scan:
    """What is learned from a folder."""

    def __init__(self, folder, weight=None, **reading):
        self.folder, self.sources, self.weight = folder, Sources(folder, **reading), weight
        state, sample = scanned(self.sources, "y", weight)
        self.places, self.known = state.places, learned(state, sample, "y", weight)

    def prepared(self, workers, run, *, n_shards=5, steps=4, split=SPLIT, **how):
        run.mkdir(exist_ok=True)
        plan = ShardPlan(self.known.rows, n_shards, steps)
        return prepare_shards(
            workers, self.sources, self.known, self.places, run, "y", self.weight,
            plan=plan, split=split, **how,
        )  # fmt: skip


class Inside:
    """Workers within this process, one after another."""

    name = "inside"

    def __init__(self, n_workers=2):
        self.n_workers = n_workers
        self.held = [Held(Message({}, {})) for _ in range(n_workers)]

    def broadcast(self, message):
        for held in self.held:
            held.renew(Message.of_bytes(message.to_bytes()))

    def map_shards(self, operation, shards, call):
        for held, part in zip(self.held, split_shards(len(shards), self.n_workers), strict=True):
            for i in part:
                yield call_operation(held, name_of_operation(operation), shards[i], call)

    def sum_in_order(self, operation, n_shards, call):
        parts = split_shards(n_shards, self.n_workers)
        name = name_of_operation(operation)
        return sum_of_messages(
            partial_sums(held, name, part, call) for held, part in zip(self.held, parts, strict=True)
        )

    def close(self):
        self.broadcast(Message({}, {}))
