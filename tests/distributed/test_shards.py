"""Shards: which rows they have, which rows a step takes, and their encoded rows, whole or not at all."""

import os
import shutil
import tempfile
from contextlib import closing
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassmax.distributed import Held, shard_rows
from glassmax.distributed import portions as portions_
from glassmax.distributed import prepared as prepared_
from glassmax.distributed.job import Job, Training, job_of
from glassmax.distributed.portions import count_training, portions, rows_in_order
from glassmax.distributed.shard_rows import TOKEN, begin_folder, open_shard, remove_shards
from glassmax.distributed.shards import ShardPlan, plan_averaging, plan_steps, suggest_batch_size
from glassmax.engine import Regularization
from glassmax.errors import DataError, WorkerError
from glassmax.network import Network
from glassmax.streaming import Layout, Split, scan, sources, spooled
from glassmax.streaming import spool as spool_

from .doubles import WorkersHere
from .rows import CUTS, SPLIT, Inside, Scan, cut, frame


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(sources, "PIECE_ROWS", 256)
    monkeypatch.setattr(scan, "PLACE_ROWS", 100)
    monkeypatch.setattr(shard_rows, "PLACE_ROWS", 100)


@given(st.integers(1, 10**9), st.integers(1, 10**7))
def test_shards_are_whole_blocks_and_have_each_row_once(n, batch):
    for plan in (plan_steps(n, batch), plan_steps(n, n), plan_averaging(n, min(batch, 10**4), 50)):
        assert 1 <= plan.n_shards <= 4096
        assert plan.steps >= 1
        ends = [plan.rows(shard) for shard in range(plan.n_shards)]
        assert ends[0].start == 0
        assert ends[-1].stop == n
        assert all(a.stop == b.start and b.start % 64 == 0 for a, b in pairwise(ends))
        sizes = [len(rows) for rows in ends]
        assert max(sizes) - min(sizes) <= 128
        assert min(sizes) >= 1


def test_plans_are_those_of_the_docstring():
    assert plan_steps(10**6, 10**6) == ShardPlan(10**6, 16, 1)
    assert plan_steps(10**8, 65536) == ShardPlan(10**8, 512, 1526)
    assert plan_steps(10**8, 10**8).n_shards == 1526
    assert plan_steps(10**10, 10**10).n_shards == 4096
    assert plan_steps(1000, 200) == ShardPlan(1000, 1, 5)
    assert plan_averaging(10**6, 256, 64) == ShardPlan(10**6, 16, 4)
    assert plan_averaging(100, 256, 64) == ShardPlan(100, 1, 1)
    assert [suggest_batch_size(n) for n in (1, 10**5, 10**7)] == [256, 1562, 65536]
    order = plan_steps(10**8, 65536).order(3, 5, Layout(20))
    assert order.window_blocks == 2**26 // (64 * 512 * 84)
    assert order.n_rows == len(plan_steps(10**8, 65536).rows(3))
    assert plan_steps(10**8, 65536).order(4, 5, Layout(20)).seed != order.seed
    assert plan_steps(10**6, 10**6).order(0, 5, Layout(20)).window_blocks == 1024


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "PIECE_ROWS", 256)
        patch.setattr(scan, "PLACE_ROWS", 100)
        return {
            (name, weighted): Scan(
                cut(frame(weighted=weighted), folder / f"{name}{weighted}", sizes), "w" if weighted else None
            )
            for name, sizes in CUTS.items()
            for weighted in (False, True)
        }


@pytest.fixture
def held_of():
    """Return a function that returns what a worker holds that knows the job, with a network."""
    workers = Inside(1)

    def held(scan, folder, **how):
        rows = scan.prepared(workers, folder, **how)
        network = Network([scan.known.encoding.width, 3], dtype="float32")
        training = Training(network, None, Regularization(), (), 0, "")
        workers.broadcast(rows.job.with_training(training).to_message())
        return workers.held[0]

    with closing(workers):
        yield held


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CUTS)
def test_the_rows_of_shards_are_those_of_one_spool_for_any_cut_into_files(tmp_path, found, name, weighted, held_of):
    scan = found[name, weighted]
    with spooled(scan.sources, scan.known, tmp_path / "all", "y", scan.weight) as spool:
        expected = spool.read(np.arange(-(-spool.n_rows // 64)))
        for count in (1, 4, 7):
            held = held_of(scan, tmp_path / f"run {count}", n_shards=count)
            n = 0
            for shard in reversed(range(count)):
                part, rows = open_shard(held, shard), job_of(held).plan.rows(shard)
                data = part.read(np.arange(-(-part.n_rows // 64)))
                assert np.array_equal(data.X, expected.X[rows.start : rows.stop])
                assert np.array_equal(data.y, expected.y[rows.start : rows.stop])
                if weighted:
                    assert np.array_equal(data.weight, expected.weight[rows.start : rows.stop])
                n += part.n_rows
            assert n == spool.n_rows == scan.known.rows


def test_a_shard_begins_to_read_at_the_last_place_before_it(tmp_path, found, monkeypatch, held_of):
    scan = found["three", False]
    assert len(scan.places) > 5
    started = []
    pieces = sources.Sources.pieces
    monkeypatch.setattr(sources.Sources, "pieces", lambda self, place: started.append(place) or pieces(self, place))
    held = held_of(scan, tmp_path / "run", n_shards=7)
    assert len(started) == 1  # one worker reads on and on
    for shard in (5, 2):
        shutil.rmtree(tmp_path / "run" / "shards" / f"shard-{shard:06d}")
        open_shard(held, shard)
        before = [place[0] for place in scan.places if place[0] <= job_of(held).plan.rows(shard).start]
        assert scan.places[len(before) - 1][1:] == tuple(started[-1])
    assert [place.number > 0 for place in started[1:]] == [True, True]


def test_two_workers_share_the_reading(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared_, "MOST_TOGETHER", 2)
    monkeypatch.setattr(sources, "PIECE_ROWS", 32)
    monkeypatch.setattr(sources, "FEWEST_ROWS", 32)
    scan, read = Scan(cut(frame(), tmp_path / "data", CUTS["one"])), []
    pieces = sources.Sources.pieces
    monkeypatch.setattr(
        sources.Sources,
        "pieces",
        lambda self, place: (read.append(piece.table.n_rows) or piece for piece in pieces(self, place)),
    )
    with closing(WorkersHere(n_workers=2)) as workers:
        rows = scan.prepared(workers, tmp_path / "run", n_shards=16)
        assert workers.calls == [{"groups": 8}]
    assert rows.training.tolist() == [count_training(rows.job, shard) for shard in range(16)]
    assert len(frame()) <= sum(read) < 1.7 * len(frame())


@pytest.mark.parametrize("end", ["parquet", "csv"])
@pytest.mark.parametrize("order", [[0, 2, 3, 5, 1, 6, 4], [6, 5, 4, 3, 2, 1, 0], [0, 3, 1, 4, 6]])
def test_a_worker_makes_shards_in_any_order(tmp_path, held_of, end, order, monkeypatch):
    scan = Scan(cut(frame(), tmp_path / "data", CUTS["three"], end))
    held = held_of(scan, tmp_path, n_shards=7)
    kept = {}
    for shard in range(7):
        spool = open_shard(held, shard)
        kept[shard] = spool.read(np.arange(-(-spool.n_rows // 64)))
    remove_shards(tmp_path / "shards")
    begin_folder(tmp_path / "shards", job_of(held).token, 7)
    started, pieces = [], sources.Sources.pieces
    monkeypatch.setattr(sources.Sources, "pieces", lambda self, place: started.append(place) or pieces(self, place))
    held.renew(held.broadcast)
    for shard in order:
        spool = open_shard(held, shard)
        again = spool.read(np.arange(-(-spool.n_rows // 64)))
        assert np.array_equal(again.X, kept[shard].X)
        assert np.array_equal(again.y, kept[shard].y)
    backward = sum(later < earlier for earlier, later in pairwise(order))
    gaps = sum(later > earlier + 1 for earlier, later in pairwise(order))
    assert 1 + backward <= len(started) <= 1 + backward + gaps


def test_a_shard_of_several_parts_is_whole(tmp_path, found, monkeypatch, held_of):
    monkeypatch.setattr(spool_, "PART_WINDOWS", 1)
    monkeypatch.setattr(Layout, "window_blocks", property(lambda self: 2))
    scan = found["three", False]
    held = held_of(scan, tmp_path, n_shards=3)
    spool = open_shard(held, 1)
    assert len(list(spool.folder.glob("part-*"))) == 5  # the last one has no rows
    with spooled(scan.sources, scan.known, tmp_path / "all", "y") as all_:
        rows = job_of(held).plan.rows(1)
        expected = all_.read(np.arange(rows.start // 64, -(-rows.stop // 64)))
        assert np.array_equal(spool.read(np.arange(-(-spool.n_rows // 64))).X, expected.X)


def test_shards_that_are_there_are_not_made_again_and_those_of_another_run_are(tmp_path, found, monkeypatch, held_of):
    scan, made = found["one", False], []
    write = shard_rows._write
    monkeypatch.setattr(shard_rows, "_write", lambda *args: made.append(args[2]) or write(*args))
    held_of(scan, tmp_path, n_shards=4)
    held_of(scan, tmp_path, n_shards=4)
    assert made == [0, 1, 2, 3]
    shutil.rmtree(tmp_path / "shards" / "shard-000002")
    held_of(scan, tmp_path, n_shards=4)
    assert made[4:] == [2]
    (tmp_path / "shards" / "shard-000001" / "manifest.json").write_text("{}")
    part = next((tmp_path / "shards" / "shard-000003").glob("part-*"))
    part.write_bytes(part.read_bytes()[:-10])
    held_of(scan, tmp_path, n_shards=4)
    assert made[5:] == [1, 3]
    held_of(scan, tmp_path, n_shards=3)
    assert made[7:] == [0, 1, 2]
    assert sorted(os.listdir(tmp_path / "shards")) == [*(f"shard-{shard:06d}" for shard in range(3)), TOKEN]
    held_of(found["one", True], tmp_path, n_shards=3)
    assert made[10:] == [0, 1, 2]


def test_a_damaged_shard_is_made_anew_by_the_next_run(tmp_path, found, monkeypatch, held_of):
    spool = open_shard(held_of(found["one", False], tmp_path, n_shards=4), 1)
    part = next(spool.folder.glob("part-*"))
    whole = part.read_bytes()
    part.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    with pytest.raises(DataError, match="Start again, which encodes its rows anew"):
        spool.read(np.arange(1))
    held_of(found["one", False], tmp_path, n_shards=4)
    assert part.read_bytes() == whole


def test_what_killed_workers_leave_is_removed_and_nothing_else_is_left(tmp_path, found, held_of):
    folder = tmp_path / "shards"
    (folder / ".shard-000001.abc").mkdir(parents=True)
    (folder / ".shard-000001.abc" / "part-000000.rows").write_bytes(b"half")
    held_of(found["one", False], tmp_path, n_shards=2)
    assert sorted(os.listdir(folder)) == ["shard-000000", "shard-000001", TOKEN]
    remove_shards(folder)
    assert not folder.exists()


def test_a_shard_that_fails_leaves_nothing(tmp_path, found, monkeypatch, held_of):
    held = held_of(found["one", False], tmp_path, n_shards=2)
    shutil.rmtree(tmp_path / "shards" / "shard-000001")
    monkeypatch.setattr(spool_.SpoolWriter, "add", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        open_shard(held, 1)
    assert sorted(os.listdir(tmp_path / "shards")) == ["shard-000000", TOKEN]


def test_a_folder_that_cant_be_written_to_is_one_sentence(tmp_path, found, held_of, monkeypatch):
    (tmp_path / "shards").write_text("a file")
    with pytest.raises(
        DataError, match=r"^Encoded rows can't be written into .*shards: File exists\. Choose another folder"
    ):
        held_of(found["one", False], tmp_path, n_shards=2)
    held = held_of(found["one", False], tmp_path / "other", n_shards=2)
    shutil.rmtree(tmp_path / "other" / "shards" / "shard-000001")
    held.renew(held.broadcast)
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DataError, match=r"^The disk of .*shards is full: .* Free some space and start again"):
        open_shard(held, 1)


@pytest.mark.parametrize("words", [("none", "?"), {"?", "none"}, frozenset(["none", "?"]), ["none", "?"]])
def test_words_for_missing_cells_of_any_kind_reach_workers(tmp_path, words):
    cut(frame().with_columns(pl.col("word").replace("red", "none")), tmp_path / "data", CUTS["three"], "csv")
    scan = Scan(tmp_path / "data", missing_words=words)
    with closing(Inside(1)) as workers:
        assert scan.prepared(workers, tmp_path / "run").size
    assert scan.sources.fingerprint == Scan(tmp_path / "data", missing_words=["?", "none"]).sources.fingerprint


def test_a_worker_that_was_slower_takes_what_the_other_has_made(tmp_path, found, monkeypatch, held_of):
    held = held_of(found["one", False], tmp_path, n_shards=2)
    path, rename = tmp_path / "shards" / "shard-000001", os.rename
    shutil.move(path, tmp_path / "of another")

    def renamed(part, to):
        shutil.copytree(tmp_path / "of another", path)
        rename(part, to)

    monkeypatch.setattr(os, "rename", renamed)
    assert open_shard(held, 1).n_rows == len(job_of(held).plan.rows(1))
    assert sorted(os.listdir(tmp_path / "shards")) == ["shard-000000", "shard-000001", TOKEN]


def test_a_worker_that_doesnt_see_the_folder_has_one_of_its_own(tmp_path, found, held_of):
    held = held_of(found["one", False], tmp_path, n_shards=2)
    (tmp_path / "shards" / TOKEN).write_text("another run")
    shutil.rmtree(tmp_path / "shards" / "shard-000001")
    spool = open_shard(held, 1)
    assert spool.folder.parent.name.startswith("glassmax-rows-")
    assert sorted(os.listdir(tmp_path / "shards")) == ["shard-000000", TOKEN]
    held.renew(held.broadcast)
    assert open_shard(held, 0).folder.parent == spool.folder.parent
    other = held_of(found["one", False], tmp_path / "next", n_shards=2)
    (tmp_path / "next" / "shards" / TOKEN).unlink()
    shutil.rmtree(tmp_path / "next" / "shards" / "shard-000000")
    again = open_shard(other, 0)
    assert again.folder.parent.name.startswith("glassmax-rows-")
    assert not spool.folder.parent.exists()  # that of the run before
    shard_rows._own_stack.close()
    shard_rows._own.clear()
    assert not again.folder.parent.exists()


def test_a_worker_that_sees_other_files_says_so(tmp_path, held_of):
    scan = Scan(cut(frame(), tmp_path / "data", CUTS["three"]))
    held = held_of(scan, tmp_path, n_shards=2)
    remove_shards(tmp_path / "shards" / "shard-000001")
    path = tmp_path / "data" / "part-2.parquet"
    os.utime(path, ns=(1, 1))
    with pytest.raises(
        WorkerError, match=r"^The worker on .* sees other files than the driver: their names, sizes or times"
    ):
        open_shard(held, 1)
    path.unlink()
    with pytest.raises(
        WorkerError, match=r"^The worker on .* can't read the files that the driver reads: .*part-2.parquet"
    ):
        open_shard(held, 1)


def test_fewer_rows_than_the_scan_has_seen_are_an_error(tmp_path, found):
    scan = found["one", False]
    rows = scan.prepared(Inside(1), tmp_path, n_shards=2)
    plan = rows.plan._replace(n_rows=scan.known.rows + 64)
    job = Job.of_message(rows.job.to_message())
    object.__setattr__(job, "plan", plan)
    with pytest.raises(DataError, match="has fewer rows than when the files were first read"):
        open_shard(Held(job.to_message()), 1)


def taken(held, epoch, step, n_shards):
    return [[p.rows for p in portions(held, shard, epoch, step)] for shard in range(n_shards)]


@pytest.mark.parametrize("steps", [1, 2, 5, 40])
@pytest.mark.parametrize("blocks", [1, 3, 1024])
def test_an_epoch_takes_each_row_that_is_trained_on_once(tmp_path, found, steps, blocks, monkeypatch, held_of):
    monkeypatch.setattr(Layout, "window_blocks", property(lambda self: blocks))
    scan = found["three", True]
    held = held_of(scan, tmp_path, n_shards=3, steps=steps)
    expected = np.flatnonzero(SPLIT.training_rows(np.arange(scan.known.rows)))
    orders = []
    for epoch in range(2):
        of_steps = [taken(held, epoch, step, 3) for step in range(steps)]
        rows = np.concatenate([rows for step in of_steps for shard in step for rows in shard])
        assert np.array_equal(np.sort(rows), expected)
        sizes = np.array([[sum(map(len, shard)) for shard in step] for step in of_steps])
        assert (sizes.max(axis=0) - sizes.min(axis=0) <= 1).all()
        assert sizes.sum(axis=0).tolist() == [count_training(job_of(held), shard) for shard in range(3)]
        orders.append(rows)
    assert np.array_equal(*orders) == (steps == 1)
    assert np.array_equal(orders[0], np.sort(orders[0])) == (steps == 1)


def test_portions_have_the_rows_of_their_numbers(tmp_path, found, monkeypatch, held_of):
    monkeypatch.setattr(Layout, "window_blocks", property(lambda self: 2))
    monkeypatch.setattr(portions_, "MOST_BYTES", 10_000)
    scan = found["three", True]
    with spooled(scan.sources, scan.known, tmp_path / "all", "y", "w") as spool:
        data = spool.read(np.arange(-(-spool.n_rows // 64)))
    held = held_of(scan, tmp_path, n_shards=3, steps=7)
    split = job_of(held).split
    for shard in range(3):
        parts = [p for step in range(7) for p in portions(held, shard, 1, step)]
        parts += rows_in_order(held, shard, split.validation_rows)
        parts += rows_in_order(held, shard, split.held_out_rows)
        for part in parts:
            assert np.array_equal(part.data.X, data.X[part.rows])
            assert np.array_equal(part.data.y, data.y[part.rows])
            assert np.array_equal(part.data.weight, data.weight[part.rows])
        rows = np.concatenate([part.rows for part in parts])
        assert np.array_equal(np.sort(rows), np.array(job_of(held).plan.rows(shard)))
        assert held.cache["bytes"] == sum(part.size for part in held.cache["windows"].values()) <= 10_000


def test_a_split_without_validation_trains_on_all(tmp_path, found, held_of):
    held = held_of(found["one", False], tmp_path, n_shards=2, split=Split(5))
    assert [count_training(job_of(held), shard) for shard in range(2)] == [
        len(job_of(held).plan.rows(s)) for s in range(2)
    ]
    assert [len(p.rows) for p in rows_in_order(held, 0, job_of(held).split.validation_rows)] == [0]


def test_numbers_of_rows_are_made_a_piece_of_a_shard_at_a_time(tmp_path, found, monkeypatch, held_of):
    held = held_of(found["three", False], tmp_path, n_shards=2, steps=7)
    job, most = job_of(held), []
    expected = [count_training(job, shard) for shard in range(2)]
    whole = [np.concatenate([p.rows for p in rows_in_order(held, 1, job.split.held_out_rows)])]
    monkeypatch.setattr(portions_, "ROWS_AT_ONCE", 128)
    training_rows = Split.training_rows
    monkeypatch.setattr(Split, "training_rows", lambda self, rows: most.append(len(rows)) or training_rows(self, rows))
    assert [count_training(job, shard) for shard in range(2)] == expected
    assert portions_._training_of_blocks(held, job, 1).sum() == expected[1]
    assert max(most) == 128
    whole += [np.concatenate([p.rows for p in rows_in_order(held, 1, job.split.held_out_rows, i, 3)]) for i in range(3)]
    assert np.array_equal(whole[0], np.concatenate(whole[1:]))
    assert min(map(len, whole)) > 0
