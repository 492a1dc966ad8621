"""Columns in the names of folders, as other programs write them; files without rows; many small files."""

import os
import subprocess

import numpy as np
import polars as pl
import pytest

from glassmax.errors import DataError
from glassmax.streaming import learned, scanned, spooled
from glassmax.streaming.sources import Sources
from glassmax.table import joined
from tests.streaming.test_sources import frame, rows_of, write


def cells(sources, name):
    """Return a column of all rows."""
    return joined([piece.table for piece in sources.pieces()]).columns[name].tolist()


def put(folder, names, end="csv", rows=20):
    """Write a file into each of some folders."""
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        write(frame(rows, rows * number), folder / name / f"part.{end}")


@pytest.mark.usefixtures("no_trial")
@pytest.mark.parametrize("end", ["csv", "parquet", "jsonl", "arrow"])
def test_a_folder_gives_its_rows_a_column(tmp_path, end):
    put(tmp_path, ["year=2023/month=12", "year=2024/month=1"], end)
    globs = [f"{tmp_path}/*/*/*.{end}", f"{tmp_path}/**/*.{end}"] if end == "csv" else []  # the same for any format
    for given in (tmp_path, *globs):
        found = Sources(given)
        assert cells(found, "year") == [2023.0] * 20 + [2024.0] * 20
        assert cells(found, "month") == [12.0] * 20 + [1.0] * 20
        assert cells(found, "x") == frame(40)["x"].to_list()
        assert Sources(found.found, columns=["y"]).fingerprint != found.fingerprint
        assert Sources(found.found).fingerprint == found.fingerprint
        assert cells(Sources(found.found), "year") == cells(found, "year")
    assert set(next(Sources(tmp_path, columns=["year", "y"]).pieces()).table.columns) == {"year", "y"}
    assert "year" not in next(Sources(tmp_path, columns=["x", "y"]).pieces()).table.columns
    assert "year" not in next(Sources(tmp_path / "year=2023").pieces()).table.columns


def test_the_columns_are_those_of_polars(tmp_path):
    put(tmp_path, ["a=x%2Fy/b=1", f"a=z/b={'__HIVE_DEFAULT_PARTITION__'}"], "parquet")
    found = Sources(tmp_path)
    there = pl.read_parquet(tmp_path, hive_partitioning=True).sort("x")
    order = np.argsort(cells(found, "x"))
    assert [cells(found, "a")[row] for row in order] == there["a"].to_list()
    b = [None if value != value else value for value in (cells(found, "b")[row] for row in order)]
    assert b == there["b"].to_list()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["01", "2"], ["01", "2"]),
        (["1", "a"], ["1", "a"]),
        (["NA", "EU"], ["NA", "EU"]),
        (["2024-05-31", "2024-06-01"], ["2024-05-31", "2024-06-01"]),
        (["-1.5", "1e3"], [-1.5, 1000.0]),
        (["a=b", " c"], ["a=b", "c"]),
    ],
)
def test_values_are_numbers_if_all_are(tmp_path, values, expected):
    put(tmp_path, [f"v={value}" for value in values], rows=1)
    assert sorted(cells(Sources(tmp_path), "v"), key=str) == sorted(expected, key=str)


def test_a_column_of_the_files_takes_precedence(tmp_path):
    put(tmp_path, ["x=7", "x=8"])
    assert cells(Sources(tmp_path), "x") == frame(40)["x"].to_list()


def test_a_file_beside_the_folders_lacks_their_column(tmp_path):
    put(tmp_path, ["year=2023"])
    write(frame(3), tmp_path / "part.csv")
    with pytest.raises(DataError, match=r"^year=2023/part\.csv also has 'year', unlike part\.csv\.|lacks 'year'"):
        Sources(tmp_path)


def test_the_encoding_is_that_of_a_column(tmp_path):
    put(tmp_path / "folders", ["c=a/d=1", "c=b/d=2", "c=a/d=3"], rows=100)
    whole = frame(300).with_columns(c=pl.Series(["a"] * 100 + ["b"] * 100 + ["a"] * 100), d=1 + np.arange(300) // 100)
    order = np.concatenate([np.arange(100), np.arange(200, 300), np.arange(100, 200)])
    whole[order].write_csv(tmp_path / "whole.csv")
    here, there = (learned(*scanned(Sources(tmp_path / name), "color"), "color") for name in ("folders", "whole.csv"))
    assert here.encoding == there.encoding
    assert [column.name for column in here.encoding.columns] == ["x", "y", "c", "d"]
    spools = []
    for name, known in (("folders", here), ("whole.csv", there)):
        with spooled(Sources(tmp_path / name), known, tmp_path / f"spool {name}", "color") as spool:
            spools.append(spool.read(np.arange(-(-spool.n_rows // 64))))
    assert np.array_equal(spools[0].X, spools[1].X)
    assert np.array_equal(spools[0].y, spools[1].y)


@pytest.mark.parametrize("end", ["csv", "tsv", "csv.gz", "parquet", "arrow", "parquet.gz"])
def test_files_without_rows_are_passed_over(tmp_path, end):
    for number, size in enumerate([0, 20, 0, 30, 0]):
        write(frame(size, 20 * (number > 1)), tmp_path / f"part-{number}.{end}")
    assert rows_of(Sources(tmp_path).pieces())["x"] == frame(50)["x"].to_list()
    state, _ = scanned(Sources(tmp_path), "y")
    assert state.rows == 50
    for number in (1, 3):
        write(frame(0), tmp_path / f"part-{number}.{end}")
    with pytest.raises(DataError, match="has no row at all, expected at least one"):
        scanned(Sources(tmp_path), "y")


def test_a_file_without_rows_has_the_same_columns(tmp_path):
    write(frame(20), tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("x,y\n")
    with pytest.raises(DataError, match=r"^b\.csv lacks 'color', unlike a\.csv\."):
        Sources(tmp_path)
    (tmp_path / "b.csv").write_text("")
    with pytest.raises(DataError, match=r"b\.csv is empty, expected a header and rows\."):
        Sources(tmp_path)


def test_one_process_decodes_many_small_files(tmp_path, monkeypatch):
    for number in range(40):
        write(frame(3, 3 * number), tmp_path / f"part-{number}.parquet")
    started = []

    class Counted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            started.append(self)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", Counted)
    found = Sources(tmp_path)
    for _ in range(2):
        assert rows_of(found.pieces())["x"] == frame(120)["x"].to_list()
    assert len(started) == 2  # the footers of all files, then all of their rows, once
    assert all(child.poll() is not None for child in started)


def test_a_file_that_crashes_its_reader_is_named(tmp_path, monkeypatch):
    from glassmax.table import trial

    for number in range(5):
        write(frame(3, 3 * number), tmp_path / f"part-{number}.parquet")
    found = Sources(tmp_path)
    program = tmp_path / "reads.py"
    program.write_text(
        "import os, signal, sys\n"
        "for kind, path in zip(sys.argv[3::2], sys.argv[4::2]):\n"
        "    print('file', flush=True)\n"
        "    if path.endswith('part-3.parquet'):\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    print('end', flush=True)\n"
    )
    command = trial._command
    monkeypatch.setattr(trial, "_command", lambda argv: [*command([])[:2], str(program), *command(argv)[3:]])
    pieces = found.pieces()
    assert [next(pieces).start.file for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DataError, match=r"part-3\.parquet is not a complete Parquet file: reading it fails\."):
        next(pieces)


def test_reading_that_is_stopped_leaves_no_process(tmp_path, monkeypatch):
    from glassmax.table.trial import Trial

    started = []
    begin = Trial.__init__

    def begun(self, files):
        begin(self, files)
        started.append(self._child)

    monkeypatch.setattr(Trial, "__init__", begun)
    pl.DataFrame({"x": np.zeros(200_000), "y": np.ones(200_000)}).write_parquet(tmp_path / "a.parquet")
    pieces = Sources(tmp_path).pieces_ahead()
    next(pieces)
    pieces.close()
    (child,) = started
    assert child.poll() is not None
    assert os.listdir(tmp_path) == ["a.parquet"]


@pytest.mark.parametrize("end", ["csv", "parquet", "jsonl"])
def test_the_fingerprint_tells_files_with_a_column_of_their_folders_from_the_same_files_without(tmp_path, end):
    for year in (2023, 2024):
        (tmp_path / f"year={year}").mkdir()
        write(frame(20), tmp_path / f"year={year}" / f"a.{end}")
    files = [tmp_path / f"year={year}" / f"a.{end}" for year in (2023, 2024)]
    folder, listed = Sources(tmp_path), Sources(files)
    assert [file.name for file in folder.files] == [file.name for file in listed.files]
    assert folder.fingerprint != listed.fingerprint
    assert Sources(folder.found).fingerprint == folder.fingerprint
