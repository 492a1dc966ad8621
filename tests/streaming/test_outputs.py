"""Whether a file that is written would be read as data: the same as `find_files` finds once it is there."""

from pathlib import Path

import pytest

from glassmax.errors import DataError
from glassmax.streaming.outputs import read_as_data
from glassmax.streaming.paths import find_files
from glassmax.streaming.sources import Sources

GIVEN = [
    *("data", "data/", ".", "data/*.csv", "data/**/*.csv", "data/year=*", "data/year=*/*.csv", "d*", "**/*.csv"),
    *("data/year=2024", "data/year=2024/part.csv", "other/*.csv", "data/**/year=*", "data/year=202[34]", "data/**"),
]
WRITTEN = [
    *("new.csv", "data/new.csv", "data/year=2024/new.csv", "data/year=2024/part.csv", "data/.new.csv", "data/_new.csv"),
    *("data/year=2024/_old/new.csv", "other/new.csv", "../new.csv", "data/../data/new.csv"),
]


@pytest.fixture
def _files(monkeypatch, tmp_path):
    (tmp_path / "here" / "data" / "year=2024" / "_old").mkdir(parents=True)
    (tmp_path / "here" / "data" / "year=2025").mkdir()
    (tmp_path / "here" / "other").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in ("data/part.csv", "data/year=2024/part.csv", "data/year=2025/part.csv", "other/part.csv"):
        Path(name).write_text("x,y\n1,a\n2,b\n")


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.usefixtures("_files")
def test_a_file_is_read_as_data_where_it_is_found_once_it_is_there(given, written):
    why = read_as_data(written, given)
    Path(written).write_text("x,y\n1,a\n2,b\n")
    found = {Path(file.path).resolve() for file in find_files(given)}
    assert bool(why) == (Path(written).resolve() in found)


@pytest.mark.usefixtures("_files")
def test_a_glob_that_matches_folders_alone_stands_for_their_tables():
    assert [file.path for file in find_files("data/year=*")] == [
        str(Path("data/year=2024/part.csv")),
        str(Path("data/year=2025/part.csv")),
    ]
    table = next(Sources("data/year=*").pieces()).table
    assert table.names == ["x", "y", "year"]
    Path("data/year=2024/notes.md").write_text("# Notes\n")
    with pytest.raises(DataError, match=r"notes\.md is not that of a table\. Name the tables, such as"):
        find_files("data/year=*")
    with pytest.raises(DataError, match=r"^data/month=\* matches no file\."):
        find_files("data/month=*")
    Path("empty=1").mkdir()
    with pytest.raises(DataError, match=r"holds no table, expected"):
        find_files("empty=*")
