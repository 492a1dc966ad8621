"""The spool: the same bits for any cut of the same rows, complete parts or none, and damage that is noticed."""

import errno
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from glassmax.engine import Data
from glassmax.errors import DataError
from glassmax.streaming import spool
from glassmax.streaming.rows import some_rows
from glassmax.streaming.sources import Place
from glassmax.streaming.spool import Layout, Spool, SpoolWriter

WIDTH = 5
IDENTITY = {"rows": "of a test"}


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(spool, "PART_WINDOWS", 1)
    monkeypatch.setattr(Layout, "window_blocks", property(lambda self: 2))


def rows(n, layout):
    """Return n rows, most of whose numbers are 0."""
    draw = np.random.RandomState(0)
    X = np.where(draw.uniform(size=(n, WIDTH)) < 0.3, draw.normal(size=(n, WIDTH)), 0)
    X[:: n // 3 + 1] = 0
    y = draw.randint(0, 1000, n)
    return Data(X if layout.filled is None else csr_matrix(X), y, draw.uniform(size=n) if layout.weighted else None)


def fill(writer, data, steps):
    """Write the rows that are missing, in pieces of some sizes, as an encoder does."""
    start, turn = writer.place.number, 0
    n = len(data.y)
    while not writer.complete:
        end = min(start + steps[turn % len(steps)], n)
        while start < end:
            size = min(end - start, writer.room)
            writer.add(data.rows(slice(start, start + size)))
            start += size
            if not writer.room and start < n:
                writer.end_part(Place(0, start, start))
        turn += 1
        if start == n:
            writer.end_part(Place(0, n, n), complete=True)


def dense(data):
    return data.X if isinstance(data.X, np.ndarray) else data.X.toarray()


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


LAYOUTS = [Layout(WIDTH), Layout(WIDTH, None, True), Layout(WIDTH, 3), Layout(WIDTH, 3, True)]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [1, 63, 64, 128, 129, 700])
def test_blocks_come_back_in_any_order(tmp_path, layout, n):
    data = rows(n, layout)
    with SpoolWriter(tmp_path / "a", layout, IDENTITY) as writer:
        fill(writer, data, [50])
    with SpoolWriter(tmp_path / "b", layout, IDENTITY) as writer:
        fill(writer, data, [1, 200, 3])
    assert content(tmp_path / "a") == content(tmp_path / "b")
    with Spool(tmp_path / "a") as found:
        assert (found.n_rows, found.layout) == (n, layout)
        order = np.random.RandomState(1).permutation(-(-n // 64))
        index = np.concatenate([np.arange(64 * b, min(64 * b + 64, n)) for b in order])
        read = found.read(order)
        assert np.array_equal(dense(read), dense(data)[index].astype(np.float32))
        assert read.X.dtype == np.float32
        assert np.array_equal(read.y, data.y[index])
        assert layout.weighted == (read.weight is not None)
        if layout.weighted:
            assert np.array_equal(read.weight, data.weight[index])
        assert isinstance(read.X, np.ndarray) == (layout.filled is None)
    found.remove()
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_writing_that_was_interrupted_anywhere_goes_on_to_the_same_bits(tmp_path, layout, monkeypatch):
    data = rows(700, layout)
    with SpoolWriter(tmp_path / "whole", layout, IDENTITY) as writer:
        fill(writer, data, [90])
    whole = content(tmp_path / "whole")
    write_block = SpoolWriter._write_block
    for stop in range(11):
        folder, left = tmp_path / f"stopped {stop}", [stop]

        def stopped(self, block, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            write_block(self, block)

        monkeypatch.setattr(SpoolWriter, "_write_block", stopped)
        with pytest.raises(KeyboardInterrupt), SpoolWriter(folder, layout, IDENTITY) as writer:
            fill(writer, data, [90])
        assert [name for name in os.listdir(folder) if name.startswith(".")] == []
        with pytest.raises(DataError, match="are not complete"):
            Spool(folder)
        monkeypatch.setattr(SpoolWriter, "_write_block", write_block)
        with SpoolWriter(folder, layout, IDENTITY) as writer:
            assert writer.rows == stop // 2 * 128
            fill(writer, data, [33])
        assert content(folder) == whole


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from glassmax.streaming import spool
from glassmax.streaming.spool import Layout, SpoolWriter
from tests.streaming.test_spool import IDENTITY, fill, rows
spool.PART_WINDOWS, Layout.window_blocks = 1, property(lambda self: 2)
write_block, left = SpoolWriter._write_block, [{stop}]
def killed(self, block):
    left[0] -= 1
    if left[0] < 0:
        self._file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    write_block(self, block)
SpoolWriter._write_block = killed
with SpoolWriter(Path({folder!r}), Layout(5), IDENTITY) as writer:
    fill(writer, rows(700, Layout(5)), [90])
"""


@pytest.mark.parametrize("stop", [0, 5])
def test_a_killed_process_leaves_nothing_that_is_in_the_way(tmp_path, stop):
    layout = Layout(WIDTH)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    program = KILLED.format(tests=root, folder=str(tmp_path / "a"), stop=stop)
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert any(name.startswith(".") for name in os.listdir(tmp_path / "a"))
    for folder in (tmp_path / "a", tmp_path / "b"):
        with SpoolWriter(folder, layout, IDENTITY) as writer:
            assert writer.rows == (stop // 2 * 128 if folder.name == "a" else 0)
            fill(writer, rows(700, layout), [90])
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_spool_of_other_rows_is_replaced_and_other_files_stay(tmp_path):
    layout = Layout(WIDTH)
    (tmp_path / "mine.txt").write_text("x")
    for identity, is_there in (({"rows": "others"}, False), (IDENTITY, False), (IDENTITY, True)):
        with SpoolWriter(tmp_path, layout, identity) as writer:
            assert writer.complete == is_there
            fill(writer, rows(300, layout), [300])
    Spool(tmp_path).remove()
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_damage_is_noticed_and_named(tmp_path):
    layout = Layout(WIDTH)
    with SpoolWriter(tmp_path, layout, IDENTITY) as writer:
        fill(writer, rows(700, layout), [300])
    path = tmp_path / "part-000002.rows"
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    with (
        Spool(tmp_path) as found,
        pytest.raises(DataError, match=r"part-000002\.rows is damaged: a block doesn't match"),
    ):
        found.read(np.arange(11))
    assert not path.exists()  # or the next run would meet it again
    with pytest.raises(DataError, match=r"are not complete\. Start again, which encodes the rest"):
        Spool(tmp_path)
    path.write_bytes(whole[:-5])
    with SpoolWriter(tmp_path, layout, IDENTITY) as writer:  # goes on before the damaged part
        assert writer.rows == 256
        fill(writer, rows(700, layout), [300])
    with Spool(tmp_path) as found:
        assert np.array_equal(found.read(np.arange(11)).y, rows(700, layout).y)
    with pytest.raises(DataError, match=r"holds no encoded rows of glassmax\. Start again"):
        Spool(tmp_path / "elsewhere")


@pytest.mark.parametrize("where", ["block", "table of blocks"])
def test_damage_is_gone_the_next_time(tmp_path, where):
    layout = Layout(WIDTH)
    with SpoolWriter(tmp_path, layout, IDENTITY) as writer:
        fill(writer, rows(700, layout), [300])
    whole = content(tmp_path)
    path = tmp_path / "part-000002.rows"
    damaged = bytearray(path.read_bytes())
    damaged[40 if where == "block" else damaged.rfind(b'{"rows"') - 4] ^= 1
    path.write_bytes(damaged)
    with Spool(tmp_path) as found, pytest.raises(DataError, match="Start again, which encodes its rows anew"):
        found.read(np.arange(11))
    with SpoolWriter(tmp_path, layout, IDENTITY) as writer:
        assert writer.rows == 256
        fill(writer, rows(700, layout), [300])
    assert content(tmp_path) == whole


def test_each_part_is_opened_once_for_blocks_in_any_order(tmp_path, monkeypatch):
    layout = Layout(WIDTH, 3, True)
    with SpoolWriter(tmp_path, layout, IDENTITY) as writer:
        fill(writer, rows(700, layout), [300])
    monkeypatch.setattr(spool, "MOST_OPEN", 1)
    with Spool(tmp_path) as found:
        opened, path = [], found._path
        monkeypatch.setattr(found, "_path", lambda number: opened.append(number) or path(number))
        order = np.array([10, 0, 9, 1, 4, 2, 7, 3])
        read = found.read(order)
    assert opened == [0, 1, 2, 3, 4, 5]
    index = np.concatenate([np.arange(64 * b, min(64 * b + 64, 700)) for b in order])
    assert np.array_equal(dense(read), dense(rows(700, layout))[index].astype(np.float32))


def test_a_part_that_vanishes_while_it_is_read_is_an_error(tmp_path):
    layout = Layout(WIDTH)
    with SpoolWriter(tmp_path, layout, IDENTITY) as writer:
        fill(writer, rows(700, layout), [300])
    with Spool(tmp_path) as found:
        (tmp_path / "part-000003.rows").unlink()
        with pytest.raises(DataError, match=r"part-000003\.rows can't be read: No such file or directory\. Start"):
            found.read(np.arange(11))


def test_a_full_disk_is_one_sentence_and_what_was_written_stays(tmp_path, monkeypatch):
    layout = Layout(WIDTH)
    write_block = SpoolWriter._write_block

    def full(self, block):
        if self.parts == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_block(self, block)

    monkeypatch.setattr(SpoolWriter, "_write_block", full)
    with pytest.raises(DataError) as error, SpoolWriter(tmp_path, layout, IDENTITY) as writer:
        fill(writer, rows(700, layout), [300])
    written = f"{2 * 128 * layout.row_bytes / 1e6:.3g}"
    assert str(error.value) == (
        f"The disk of {tmp_path} is full: {written} MB of encoded rows were written there. Free some space and "
        "start again to continue, or choose another folder with cache_folder."
    )
    assert sorted(os.listdir(tmp_path)) == ["manifest.json", "part-000000.rows", "part-000001.rows"]


def test_a_folder_that_cant_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"Encoded rows can't be written into .*: Not a directory\. Choose another"):
        SpoolWriter(tmp_path / "file" / "spool", Layout(WIDTH), IDENTITY)


def test_the_mean_weight_of_some_rows_is_that_of_all_after_they_are_replaced():
    some = some_rows(Data(np.ones((2, 3)), np.array([0, 1]), np.array([1.0, 2.0])), "float32", None, 7.0)
    assert some.mean_weight == some._replace(X=np.zeros((2, 3))).mean_weight == 7.0


def test_add_all_ends_each_part_that_is_full(tmp_path):
    X, ends = np.arange(256, dtype=np.float32)[:, None], []
    with SpoolWriter(tmp_path, Layout(1), {}) as writer:
        writer.add_all(Data(X[:100], np.zeros(100, int)), lambda count: ends.append(count) or Place(0, count, count))
        assert ends == []
        writer.add_all(Data(X[100:], np.ones(156, int)), lambda count: ends.append(count) or Place(0, count, count))
        assert ends == [28, 156]
        writer.end_part(Place(), complete=True)
    with Spool(tmp_path) as whole:
        assert whole.n_rows == 256
        assert np.array_equal(whole.read(np.arange(4)).X, X)
