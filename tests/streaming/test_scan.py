"""The scan: the encoding of the same rows in memory, for any cut into files and after any interruption."""

import os
import signal
import subprocess
import sys

import msgspec
import numpy as np
import polars as pl
import pytest

from glassmax.engine import best_engine
from glassmax.errors import DataError
from glassmax.network import Network
from glassmax.optimizers import Adam
from glassmax.streaming import encode, sample, scan, sources
from glassmax.streaming import spool as spool_
from glassmax.streaming.encode import spooled
from glassmax.streaming.learned import learned
from glassmax.streaming.scan import scanned
from glassmax.streaming.sources import Sources
from glassmax.streaming.split import Split
from glassmax.streaming.spool import Layout
from glassmax.streaming.train import Position, train_on_spool
from glassmax.table import ColumnOptions, Encoding, UnseenCounts, class_indices, infer, read_labels, read_table
from glassmax.training import TrainingState

pytestmark = pytest.mark.usefixtures("no_trial")

ROWS = 3000


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(sources, "PIECE_ROWS", 256)


def frame(n=ROWS):
    """Return a frame with a column of each kind, and some that are left out."""
    draw = np.random.RandomState(3)
    i = np.arange(n)
    y = draw.randint(0, 3, n)
    gain = np.where(draw.uniform(size=n) < 0.8, 0.0, draw.randint(1, 40, n) * 100.0)
    word = draw.choice(["red", "green", "blue", "violet"], n, p=[0.5, 0.3, 0.199, 0.001])
    day = np.datetime64("2020-01-01") + draw.randint(0, 900, n)
    moment = np.datetime64("2021-05-05T00:00:00", "us") + draw.randint(0, 10**9, n) * 1000
    x = draw.normal(size=n) + y
    return pl.DataFrame(
        {
            "x": np.where(draw.uniform(size=n) < 0.02, np.nan, x),
            "gain": gain,
            "word": [None if u < 0.01 else w for u, w in zip(draw.uniform(size=n), word, strict=True)],
            "code": [f"{c:04d}" for c in draw.randint(0, 40, n)],
            "flag": draw.choice(["yes", "no"], n),
            "truth": draw.uniform(size=n) < 0.5,
            "day": [str(d) for d in day],
            "moment": moment,
            "amount": [f"{v:,}" for v in draw.randint(1, 10**6, n)],
            "number": i + 1,
            "order_id": draw.permutation(n) * 7.0,
            "name": [f"person{v}" for v in draw.permutation(n)],
            "same": np.full(n, 5.0),
            "many": [f"v{v}" for v in (draw.exponential(400, n)).astype(int)],
            "empty": [None] * n,
            "region": [str(r) for r in draw.choice(["NA", "EU", "AS"], n)],
            "y": [None if u < 0.01 else f"class {c}" for u, c in zip(draw.uniform(size=n), y, strict=True)],
        },
        nan_to_null=True,
    )


def cut(table, folder, ends, sizes):
    """Write a frame into files of some sizes and formats."""
    folder.mkdir()
    start = 0
    for number, size in enumerate(sizes):
        part = table[start : start + size]
        start += size
        end = ends[number % len(ends)]
        path = folder / f"part-{number}.{end}"
        {"parquet": part.write_parquet, "csv": part.write_csv, "jsonl": part.write_ndjson}[end](path)
    assert start == len(table)


def streamed(where, target="y", weight=None, options=None, **how):
    """Return what a scan of a folder gives."""
    options = ColumnOptions() if options is None else options
    state, rows = scanned(Sources(where), target, weight, options, **how)
    return learned(state, rows, target, weight, options)


def in_memory(path, target="y", options=None):
    """Return encoding, notes and classes of one file in memory."""
    options = ColumnOptions() if options is None else options
    table = read_table(path)
    labels, rows = read_labels(table, target)
    table = table.rows(rows)
    inference = infer(table, (target,), options)
    encoding, notes = Encoding.learn(table, target, inference=inference)
    counts = UnseenCounts()
    encoding.fill(table, counts)
    return encoding, notes + [note for note in counts.notes(encoding.columns) if note.kind == "filled"], labels


def in_words(notes):
    """Return notes as texts, without the name of the table."""
    return [str(note) for note in notes]


CUTS = {"one": [ROWS], "two": [1700, 1300], "uneven": [1, 256, 3, 740, 2000], "many": [100] * 30}


@pytest.mark.parametrize("end", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize("sizes", CUTS)
def test_the_encoding_is_that_of_the_same_rows_in_memory(tmp_path, end, sizes):
    table = frame()
    cut(table, tmp_path / "one", [end], [ROWS])
    cut(table, tmp_path / "many", [end], CUTS[sizes])
    encoding, notes, labels = in_memory(tmp_path / "one" / f"part-0.{end}")
    found = streamed(tmp_path / "many")
    assert found.encoding == encoding
    assert in_words(found.notes) == [text.replace(f"part-0.{end}", "many") for text in in_words(notes)]
    classes, counts = np.unique(labels, return_counts=True)
    assert found.classes.tolist() == classes.tolist()
    assert found.counts.tolist() == counts.tolist()
    assert (found.rows, found.unlabelled) == (len(labels), ROWS - len(labels))
    assert not found.is_sorted


@pytest.mark.parametrize("end", ["parquet", "csv"])
def test_only_quantiles_come_from_the_sample(tmp_path, end, monkeypatch):
    monkeypatch.setattr(sample, "SAMPLE_ROWS", 700)
    monkeypatch.setattr(sample, "FEWEST_ROWS", 100)
    table = frame()
    cut(table, tmp_path / "one", [end], [ROWS])
    encoding, _, labels = in_memory(tmp_path / "one" / f"part-0.{end}")
    of_cuts = []
    for name, sizes in CUTS.items() if end == "csv" else list(CUTS.items())[:3]:
        folder = tmp_path / f"cut {name}"
        cut(table, folder, [end], sizes)
        of_cuts.append(streamed(folder))
    assert len({msgspec.json.encode(found.encoding) for found in of_cuts}) == 1
    found = of_cuts[0]
    assert len(found.sample_y) == 700
    quantiles = {"center": 0.0, "spread": 1.0, "values": [], "edges": []}
    for here, there in zip(found.encoding.columns, encoding.columns, strict=True):
        both = []
        for column in (here, there):
            known = {name: value for name, value in quantiles.items() if hasattr(column, name)}
            both.append(msgspec.structs.replace(column, **known))
        assert both[0] == both[1]
        if hasattr(here, "center"):
            assert abs(here.center - there.center) < 0.25 * there.spread
            assert abs(here.spread / there.spread - 1) < 0.25
    texts = labels[read_rows(table, found)]
    assert found.classes[found.sample_y].tolist() == texts.tolist()


def read_rows(table, found):
    """Return which of the labelled rows are in the sample, by their unique numbers."""
    numbers = np.array(table["order_id"].to_list())[np.array([cell is not None for cell in table["y"].to_list()])]
    position = {value: row for row, value in enumerate(numbers.tolist())}
    return [position[value] for value in found.sample.columns["order_id"].tolist()]


def test_a_scan_that_was_interrupted_after_any_piece_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(sample, "SAMPLE_ROWS", 300)
    monkeypatch.setattr(sample, "FEWEST_ROWS", 100)
    monkeypatch.setattr(scan, "FEWEST_TEXTS", 50)
    monkeypatch.setattr(scan, "MOST_TEXTS_OF_ALL", 50)
    cut(frame(1200)["x", "gain", "word", "name", "moment", "y"], tmp_path / "files", ["csv"], [500, 700])
    expected, rows = scanned(Sources(tmp_path / "files"), "y")
    expected.sample = None
    for stop in (1, 2, 4):
        folder, left = tmp_path / f"cache {stop}", [stop]
        folder.mkdir()

        def stopped(progress, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt

        found = None
        for _ in range(20):
            left[0] = stop
            try:
                found, sampled = scanned(Sources(tmp_path / "files"), "y", folder=folder, progress=stopped)
                break
            except KeyboardInterrupt:
                pass
        found.sample = None
        assert msgspec.json.encode(found) == msgspec.json.encode(expected)
        assert {name: cells.tolist() for name, cells in sampled.columns.items()}.keys() == rows.columns.keys()
        assert all(str(sampled.columns[n].tolist()) == str(rows.columns[n].tolist()) for n in rows.columns)
        assert os.listdir(folder) == ["scan.glassmax"]
        read = []
        scanned(Sources(tmp_path / "files"), "y", folder=folder, progress=read.append)
        assert read == []  # a scan of the same files is not done again
        scanned(Sources(tmp_path / "files"), "word", folder=folder, progress=read.append)
        assert read


KILLED = """
import os, signal, sys
from pathlib import Path
from glassmax.streaming import scan, sources
sources.PIECE_ROWS, scan.SAVE_SECONDS = 256, 0.0
left = [{stop}]
def killed(progress):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
scan.scanned(sources.Sources({files!r}), "y", folder=Path({folder!r}), progress=killed)
"""


def test_a_killed_scan_goes_on(tmp_path):
    cut(frame(1200), tmp_path / "files", ["csv"], [500, 700])
    (tmp_path / "cache").mkdir()
    expected = streamed(tmp_path / "files")
    program = KILLED.format(files=str(tmp_path / "files"), folder=str(tmp_path / "cache"), stop=4)
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr
    read = []
    found = streamed(tmp_path / "files", folder=tmp_path / "cache", progress=read.append)
    assert 0 < len(read) <= 4
    assert (found.encoding, in_words(found.notes)) == (expected.encoding, in_words(expected.notes))
    assert os.listdir(tmp_path / "cache") == ["scan.glassmax"]


def test_a_damaged_cache_is_not_used(tmp_path):
    cut(frame(400), tmp_path / "files", ["csv"], [400])
    path = tmp_path / "scan.glassmax"
    first = streamed(tmp_path / "files", folder=tmp_path)
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    read = []
    assert streamed(tmp_path / "files", folder=tmp_path, progress=read.append).encoding == first.encoding
    assert read


def test_a_cache_of_another_version_is_not_used(tmp_path, monkeypatch):
    cut(frame(400), tmp_path / "files", ["csv"], [400])
    for version, is_read in (("1.0", True), ("1.0", False), ("1.1", True)):
        monkeypatch.setattr(scan, "__version__", version)
        monkeypatch.setattr(encode, "__version__", version)
        read, encoded = [], []
        known = streamed(tmp_path / "files", folder=tmp_path, progress=read.append)
        files = Sources(tmp_path / "files")
        spooled(files, known, tmp_path / "spool", "y", progress=encoded.append).close()
        assert (bool(read), bool(encoded)) == (is_read, is_read)


def test_encoded_rows_are_those_of_memory(tmp_path):
    table = frame()
    cut(table, tmp_path / "one", ["csv"], [ROWS])
    cut(table, tmp_path / "many", ["csv"], CUTS["uneven"])
    whole = read_table(tmp_path / "one" / "part-0.csv")
    encoding, _, labels = in_memory(tmp_path / "one" / "part-0.csv")
    _, rows = read_labels(whole, "y")
    found = streamed(tmp_path / "many")
    with spooled(Sources(tmp_path / "many"), found, tmp_path / "spool", "y") as spool:
        data = spool.read(np.arange(-(-spool.n_rows // 64)))
    X = data.X if isinstance(data.X, np.ndarray) else data.X.toarray()
    assert np.array_equal(X, encoding.encode(whole.rows(rows)).X.astype(np.float32))
    assert np.array_equal(data.y, class_indices(found.classes, labels, whole, rows, "y"))


def test_rows_without_a_weight_dont_count(tmp_path):
    table = frame(900).with_columns(w=pl.Series([0.0, 1.0, 2.5] * 300))
    cut(table, tmp_path / "all", ["parquet"], [500, 400])
    cut(table.filter(pl.col("w") > 0), tmp_path / "some", ["parquet"], [600])
    found, expected = (streamed(tmp_path / name, weight="w") for name in ("all", "some"))
    assert found.encoding == expected.encoding
    assert (found.unweighted, expected.unweighted) == (300, 0)
    spools = []
    for name in ("all", "some"):
        with spooled(Sources(tmp_path / name), found, tmp_path / f"spool {name}", "y", "w") as spool:
            spools.append((spool.read(np.arange(-(-spool.n_rows // 64))), spool.mean_weight))
    assert np.array_equal(spools[0][0].weight, spools[1][0].weight)
    assert spools[0][1] == spools[1][1] == pytest.approx(spools[0][0].weight.mean(), rel=1e-12)


def test_files_sorted_by_their_label_are_noticed(tmp_path):
    table = frame().drop_nulls("y").sort("y")
    cut(table, tmp_path / "sorted", ["parquet"], [1000, len(table) - 1000])
    found = streamed(tmp_path / "sorted")
    assert found.is_sorted
    assert found.layout.block_rows == 64
    many = table.with_columns(y=pl.lit("c") + (pl.int_range(pl.len()) // 16).cast(pl.String))
    cut(many, tmp_path / "many", ["csv"], [len(many)])
    assert streamed(tmp_path / "many").layout.block_rows == 8  # sorted by many labels


def test_texts_too_many_to_count_leave_the_decision_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "FEWEST_TEXTS", 300)
    monkeypatch.setattr(scan, "MOST_TEXTS_OF_ALL", 300)
    table = frame(2560)
    cut(table, tmp_path / "one", ["parquet"], [2560])
    expected, notes, _ = in_memory(tmp_path / "one" / "part-0.parquet")
    found = streamed(tmp_path / "one")
    assert [column.name for column in found.encoding.columns] == [column.name for column in expected.columns]
    assert in_words([n for n in found.notes if n.kind == "left_out"]) == in_words(
        [n for n in notes if n.kind == "left_out"]
    )
    (many,) = (column for column in found.encoding.columns if column.name == "many")
    (there,) = (column for column in expected.columns if column.name == "many")
    assert many.rare
    assert set(many.values[:20]) & set(there.values)


def _with_word(folder):
    table = frame(1000)
    cut(table.with_columns(x=pl.Series(["0.5"] * 900 + ["unknown"] * 20 + ["1.5"] * 80)), folder, ["csv"], [500, 500])


def _no_labels(folder):
    cut(frame(500).with_columns(y=pl.lit(None)), folder, ["csv"], [500])


def _one_class(folder):
    cut(frame(500).with_columns(y=pl.lit("a")), folder, ["csv"], [250, 250])


def _measurements(folder):
    cut(frame(500).with_columns(y=pl.Series(np.random.RandomState(0).normal(size=500))), folder, ["parquet"], [500])


def _units(folder):
    cut(frame(500).with_columns(x=pl.Series([f"{i / 7:.3f} kg" for i in range(500)])), folder, ["csv"], [250, 250])


def _weights(folder):
    cut(frame(500).with_columns(same=pl.Series([1.0] * 499 + [-2.0])), folder, ["csv"], [250, 250])


def _infinite(folder):
    cut(frame(500).with_columns(y=pl.Series([1.0, 2.0] * 249 + [np.inf, 1.0])), folder, ["parquet"], [250, 250])


MESSAGES = {
    "word among numbers": (
        _with_word,
        None,
        "Row 401 of part-1.csv (line 402): column 'x' is 'unknown', expected a number as in the other rows. ",
    ),
    "no label": (_no_labels, None, "{name}: no row has a value in the target column 'y'."),
    "one class": (_one_class, None, "{name}: target 'y' is 'a' in every row, expected at least two different classes."),
    "measurements": (_measurements, None, "{name}: target 'y' has 500 different values in 500 rows, expected classes"),
    "units": (_units, None, "Column 'x' of {name} holds numbers with a unit, such as '0.000 kg', expected numbers"),
    "weight": (_weights, "same", "Row 250 of part-1.csv (line 251): the weight 'same' is -2, expected a number >= 0."),
    "infinite label": (_infinite, None, "Row 249 of part-1.parquet: 'y' is inf, expected the name of a class."),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_fault_is_one_sentence_with_file_and_row(tmp_path, case):
    make, weight, message = MESSAGES[case]
    make(tmp_path / "files")
    with pytest.raises(DataError) as error:
        spooled(
            Sources(tmp_path / "files"), streamed(tmp_path / "files", weight=weight), tmp_path / "spool", "y", weight
        )
    assert str(error.value).startswith(message.format(name=tmp_path / "files"))


def test_options_of_columns_are_kept(tmp_path):
    table = frame()
    cut(table, tmp_path / "one", ["parquet"], [ROWS])
    cut(table, tmp_path / "many", ["parquet"], CUTS["uneven"])
    options = ColumnOptions(
        {"gain": "category", "code": "number", "day": "category", "truth": "category", "moment": "date"},
        ["word"],
        ["order_id", "number", "same"],
    )
    encoding, _, _ = in_memory(tmp_path / "one" / "part-0.parquet", options=options)
    assert streamed(tmp_path / "many", options=options).encoding == encoding


def _mixed(words, n=1500):
    """Return a frame with a column of very many different numbers and some words, most of them late."""
    draw = np.random.RandomState(0)
    x = [repr(value) for value in draw.normal(size=n).tolist()]
    for row in range(n - words, n):
        x[row] = "unknown"
    return pl.DataFrame({"x": x, "z": draw.normal(size=n), "y": draw.choice(["a", "b"], n)})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (60, "Row 941 of part-1.csv (line 942): column 'x' is 'unknown', expected a number as in the other rows. "),
        (
            400,
            "Column 'x' of {name} holds numbers in 1100 of 1500 rows, and texts such as 'unknown' in 400, expected "
            "numbers alone. Correct the cells, or read the column as categories with types={{'x': 'category'}}, or "
            "leave it out with ignore=['x'].",
        ),
    ],
)
def test_words_beside_numbers_too_many_to_count_are_an_error(tmp_path, monkeypatch, words, message):
    monkeypatch.setattr(scan, "FEWEST_TEXTS", 300)
    monkeypatch.setattr(scan, "MOST_TEXTS_OF_ALL", 300)
    cut(_mixed(words), tmp_path / "files", ["csv"], [500, 1000])
    with pytest.raises(DataError) as error:
        spooled(Sources(tmp_path / "files"), streamed(tmp_path / "files"), tmp_path / "spool", "y")
    assert str(error.value).startswith(message.format(name=tmp_path / "files"))
    options = ColumnOptions({"x": "category"})
    assert "x" in streamed(tmp_path / "files", options=options).encoding.names


def test_identifiers_too_many_to_count_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "FEWEST_TEXTS", 300)
    monkeypatch.setattr(scan, "MOST_TEXTS_OF_ALL", 300)
    monkeypatch.setattr("glassmax.table.summary.N_HASHES", 512)
    draw = np.random.RandomState(0)
    table = pl.DataFrame(
        {
            "order_id": draw.permutation(3000) * 3.0,
            "customer_id": draw.randint(0, 1000, 3000) * 3.0,
            "key": [str(10**18 + v) for v in draw.permutation(3000)],
            "x": draw.normal(size=3000),
            "y": draw.choice(["a", "b"], 3000),
        }
    )
    cut(table, tmp_path / "files", ["csv"], [1000, 2000])
    found = streamed(tmp_path / "files")
    assert found.encoding.names == ["customer_id", "x"]
    assert [note.column for note in found.notes if note.kind == "left_out"] == ["order_id", "key"]


@pytest.mark.parametrize("weight", [None, "w"])
def test_encoding_that_was_interrupted_after_any_piece_goes_on_to_the_same_bits(tmp_path, monkeypatch, weight):
    monkeypatch.setattr(spool_, "PART_WINDOWS", 1)
    monkeypatch.setattr(Layout, "window_blocks", property(lambda self: 3))
    table = frame(1200).with_columns(w=pl.Series([0.0, 1.0, 2.5] * 400))
    cut(table, tmp_path / "files", ["parquet", "csv"], [500, 300, 400])
    known = streamed(tmp_path / "files", weight=weight)
    spooled(Sources(tmp_path / "files"), known, tmp_path / "whole", "y", weight).close()
    whole = {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}
    for stop in (1, 3, 6):
        folder, left = tmp_path / f"stopped {stop}", [stop]

        def stopped(progress, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            spooled(Sources(tmp_path / "files"), known, folder, "y", weight, progress=stopped)
        spooled(Sources(tmp_path / "files"), known, folder, "y", weight).close()
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole


@pytest.mark.parametrize("end", ["parquet", "csv"])
def test_training_has_the_same_bits_for_any_cut_into_files(tmp_path, monkeypatch, end):
    monkeypatch.setattr(sample, "SAMPLE_ROWS", 700)
    monkeypatch.setattr(sample, "FEWEST_ROWS", 100)
    monkeypatch.setattr(scan, "FEWEST_TEXTS", 300)
    monkeypatch.setattr(scan, "MOST_TEXTS_OF_ALL", 300)
    monkeypatch.setattr(Layout, "window_blocks", property(lambda self: 8))
    bits = set()
    for name in ("one", "uneven", "many" if end == "csv" else "two"):
        cut(frame(), tmp_path / name, [end], CUTS[name])
        known = streamed(tmp_path / name)
        network = Network([known.encoding.width, 4, 3], random_state=0)
        rule = Adam(0.01)
        training = TrainingState(rule.init(network.theta), np.random.RandomState(0))
        with spooled(Sources(tmp_path / name), known, tmp_path / f"spool {name}", "y") as spool:
            for _ in train_on_spool(
                network, best_engine(1), spool, rule, training, Position(), split=Split(1), batch_size=64, max_epochs=1
            ):
                pass
        bits.add(network.theta.tobytes())
    assert len(bits) == 1


TARGETS = {
    "whole numbers": [3, 1, 2, None],
    "numbers": [0.5, 1.5, 2.0, None],
    "booleans": [True, False, None, True],
    "words": ["None", "Mild", "Severe", "Mild"],
    "codes": ["NA", "EU", "AS", ""],
    "no code": ["NA", "setosa", "virginica", "setosa"],
}


@pytest.mark.parametrize("end", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize("name", TARGETS)
def test_classes_are_those_of_memory(tmp_path, end, name):
    table = pl.DataFrame({"x": np.arange(600) % 7 / 4, "y": (TARGETS[name] * 150)})
    cut(table, tmp_path / "one", [end], [600])
    cut(table, tmp_path / "many", [end], [1, 255, 344])
    whole = read_table(tmp_path / "one" / f"part-0.{end}")
    labels, rows = read_labels(whole, "y")
    found = streamed(tmp_path / "many")
    classes, counts = np.unique(labels, return_counts=True)
    assert found.classes.dtype == classes.dtype
    assert found.classes.tolist() == classes.tolist()
    assert found.counts.tolist() == counts.tolist()
    with spooled(Sources(tmp_path / "many"), found, tmp_path / "spool", "y") as spool:
        data = spool.read(np.arange(-(-spool.n_rows // 64)))
    assert np.array_equal(data.y, class_indices(classes, labels, whole, rows, "y"))


def test_a_word_is_a_class_or_not_by_all_labels(tmp_path):
    words = ["NA", "EU", "AS", "AF"] * 64 + ["Iris-setosa", "Iris-virginica", "Iris-versicolor", "Iris-other"] * 64
    for order, name in ((words, "first"), (words[::-1], "last")):
        cut(pl.DataFrame({"x": np.arange(512) % 7 / 4, "y": order}), tmp_path / name, ["csv"], [256, 256])
        assert "NA" not in streamed(tmp_path / name).classes
        state, rows = scanned(Sources(tmp_path / name, missing_words=[]), "y")
        assert "NA" in learned(state, rows, "y").classes


def test_a_full_disk_is_one_sentence_and_the_state_before_stays(tmp_path, monkeypatch):
    import errno

    cut(frame(600)["x", "word", "y"], tmp_path / "files", ["csv"], [600])
    (tmp_path / "cache").mkdir()
    monkeypatch.setattr(scan, "SAVE_SECONDS", 0.0)
    write_whole, written = scan.write_whole, []

    def full(path, content):
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        write_whole(path, content)

    monkeypatch.setattr(scan, "write_whole", full)
    with pytest.raises(
        DataError, match=r"can't be written into .*cache: No space left on device\. Choose another folder"
    ):
        streamed(tmp_path / "files", folder=tmp_path / "cache")
    assert os.listdir(tmp_path / "cache") == ["scan.glassmax"]
    monkeypatch.setattr(scan, "write_whole", write_whole)
    read = []
    found = streamed(tmp_path / "files", folder=tmp_path / "cache", progress=read.append)
    assert len(read) == 2  # of three pieces
    assert found.encoding == streamed(tmp_path / "files").encoding


@pytest.mark.parametrize("kind", ["numbers", "texts"])
def test_the_scan_of_a_target_that_differs_in_nearly_every_row_ends_early(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(scan, "MANY_LABELS", 300)
    y = np.arange(ROWS) % 2900 + 0.5
    y = pl.Series(y if kind == "numbers" else [f"v{v}" for v in y])
    cut(frame().with_columns(y=y), tmp_path / "a", ["csv"], [1500] * 2)
    read = []
    message = r"target 'y' has 512 different values in 512 rows, expected classes that repeat\. glassmax predicts"
    with pytest.raises(DataError, match=message):
        streamed(tmp_path / "a", progress=read.append)
    assert read[-1].rows == 256
    repeating = np.random.RandomState(0).permutation(np.arange(ROWS) % 700)  # more than 300, but they repeat
    cut(frame().with_columns(y=pl.Series([f"v{v}" for v in repeating])), tmp_path / "b", ["csv"], [ROWS])
    assert len(streamed(tmp_path / "b").classes) == 700


@pytest.mark.parametrize("sizes", [[ROWS], [1, 256, 3, 740, 2000]])
def test_long_texts_are_bounded_by_their_characters_for_any_cut(tmp_path, monkeypatch, sizes):
    monkeypatch.setattr(scan, "MOST_CHARACTERS", 2**16)
    monkeypatch.setattr(sample, "FEWEST_OF_LONG", 16)
    draw = np.random.RandomState(1)
    table = pl.DataFrame(
        {
            "x": draw.normal(size=ROWS),
            "note": [f"{v} " * 100 for v in draw.randint(0, 10**6, ROWS)],
            "y": draw.choice(["a", "b"], ROWS),
        }
    )
    cut(table, tmp_path / "one", ["csv"], [ROWS])
    cut(table, tmp_path / "cut", ["csv"], sizes)
    expected, found = (scanned(Sources(tmp_path / name), "y") for name in ("one", "cut"))
    assert sum(map(len, found[0].columns["note"].texts)) < 2**16 + 256 * 800
    assert 16 <= found[1].n_rows < 512
    assert found[1].columns["x"].tolist() == expected[1].columns["x"].tolist()
    assert found[0].columns["note"] == expected[0].columns["note"]
    assert found[0].columns["note"].distinct > 0.9 * ROWS
    assert [column.name for column in streamed(tmp_path / "cut").encoding.columns] == ["x"]
