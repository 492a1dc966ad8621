"""Many files as one: natural order, global numbers, schema drift, files that change; each fault one sentence."""

import bz2
import gzip
import json
import os

import numpy as np
import polars as pl
import pytest

from glassmax.errors import DataError, OptionError
from glassmax.streaming import sources
from glassmax.streaming.paths import find_files, natural
from glassmax.streaming.sources import Place, Sources
from glassmax.table import joined

pytestmark = pytest.mark.usefixtures("no_trial")

FORMATS = ["parquet", "arrow", "csv", "tsv", "jsonl", "csv.gz", "csv.bz2", "jsonl.zst", "parquet.gz"]


def frame(n, start=0):
    """Return a frame of numbers, text with missing cells, and whole numbers."""
    i = np.arange(start, start + n)
    words = [None if j % 11 == 3 else f"word {j % 5}" for j in i]
    return pl.DataFrame({"x": i / 8 + 0.0625, "color": words, "y": i % 3})


def write(table, path):
    """Write a frame in the format that the name of the file ends with."""
    name = path.name
    plain = path.with_name(name.removesuffix(".gz").removesuffix(".zst").removesuffix(".bz2"))
    {
        "parquet": lambda: table.write_parquet(plain, row_group_size=100),
        "arrow": lambda: table.write_ipc(plain),
        "csv": lambda: table.write_csv(plain),
        "tsv": lambda: table.write_csv(plain, separator="\t"),
        "jsonl": lambda: table.write_ndjson(plain),
    }[plain.suffix[1:]]()
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    elif name.endswith(".bz2"):
        path.write_bytes(bz2.compress(plain.read_bytes()))
        plain.unlink()
    elif name.endswith(".zst"):
        from backports import zstd

        path.write_bytes(zstd.compress(plain.read_bytes()))
        plain.unlink()


def rows_of(pieces):
    """Return the rows of pieces as they would be read from one file."""
    table = joined([piece.table for piece in pieces])
    return {name: table.columns[name].tolist() for name in ("x", "color", "y")}


@pytest.mark.parametrize("end", FORMATS)
@pytest.mark.parametrize("cut", [[250], [100, 100, 50], [1, 0, 248, 1]])
def test_rows_are_the_same_in_any_format_and_cut(tmp_path, end, cut):
    start = 0
    for number, size in enumerate(cut):
        if size or end.startswith(("parquet", "arrow")):
            write(frame(size, start), tmp_path / f"part-{number}.{end}")
        start += size
    expected = frame(250).to_dict(as_series=False)
    expected["y"] = [float(value) for value in expected["y"]]
    assert rows_of(Sources(tmp_path).pieces()) == expected
    assert rows_of(Sources(tmp_path).pieces(Place(0, 0, 0))) == expected


@pytest.mark.parametrize("end", ["parquet", "arrow", "csv", "jsonl"])
def test_reading_goes_on_at_any_place(tmp_path, end, monkeypatch):
    monkeypatch.setattr(sources, "PIECE_ROWS", 64)
    for number, size in enumerate([130, 70, 50]):
        write(frame(size, [0, 130, 200][number]), tmp_path / f"part-{number}.{end}")
    all_of = Sources(tmp_path)
    pieces = list(all_of.pieces())
    assert [piece.start.number for piece in pieces[1:]] == [piece.end.number for piece in pieces[:-1]]
    assert all(piece.start.number // 64 == (piece.end.number - 1) // 64 for piece in pieces)
    everything = rows_of(pieces)
    for place in [piece.end for piece in pieces[:-1]] + [Place(1, 7, 137)]:
        rest = rows_of(all_of.pieces(place))
        assert rest["x"] == everything["x"][place.number :]
    assert list(all_of.pieces(pieces[-1].end)) == []


def test_messages_call_rows_by_their_number_in_their_file(tmp_path):
    for number in (1, 2):
        (tmp_path / f"day={number}").mkdir()
        write(frame(100), tmp_path / f"day={number}" / "part.csv")
    *_, last = Sources(tmp_path).pieces()
    assert last.table.place(99) == f"Row 100 of {os.path.join('day=2', 'part.csv')} (line 101)"
    assert last.end == Place(1, 100, 200)


def test_files_come_in_natural_order(tmp_path):
    names = ["part-10.csv", "part-2.csv", "b/part-1.csv", "a10/x.csv", "a9/x.csv", "part-002.csv"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x,y\n1,a\n")
    found = [os.path.relpath(file.path, tmp_path).replace(os.sep, "/") for file in find_files(tmp_path)]
    assert found == ["a9/x.csv", "a10/x.csv", "b/part-1.csv", "part-002.csv", "part-2.csv", "part-10.csv"]
    assert find_files(str(tmp_path / "**" / "*.csv")) == find_files(tmp_path)
    of_list = find_files([tmp_path / name for name in names])
    assert [file.path for file in of_list] == [file.path for file in find_files(tmp_path)]
    assert sorted(["10", "9", "x9y10", "x9y9"], key=natural) == ["9", "10", "x9y9", "x9y10"]


@pytest.mark.parametrize("digit", ["²", "³", "①", "٣", "९"])
def test_digits_of_other_scripts_are_letters_in_the_order_of_files(tmp_path, digit):
    names = [f"part1{digit}3.csv", f"{digit}.csv", "part1.csv", "part10.csv", "part2.csv"]
    for name in names:
        (tmp_path / name).write_text("x,y\n1,a\n")
    found = [os.path.basename(file.path) for file in find_files(tmp_path)]
    assert found == ["part1.csv", f"part1{digit}3.csv", "part2.csv", "part10.csv", f"{digit}.csv"]


def test_a_folder_that_cant_be_read_is_one_sentence(tmp_path, monkeypatch):

    (tmp_path / "year=2023").mkdir()
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    scan = os.scandir

    def scandir(path):
        if os.fspath(path).endswith("year=2023"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(DataError) as error:
        find_files(tmp_path)
    assert str(error.value) == (
        f"The folder {tmp_path}/year=2023 can't be read: Permission denied. Ask for permission to read it, or leave it "
        "out with a glob or a list of paths."
    )


def test_hidden_files_and_files_of_other_programs_are_left_out(tmp_path):
    write(frame(10), tmp_path / "part.parquet")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".part.parquet.crc").write_bytes(b"1234")
    (tmp_path / "_temporary").mkdir()
    (tmp_path / "_temporary" / "part.csv").write_text("x\n")
    assert [os.path.basename(file.path) for file in find_files(tmp_path)] == ["part.parquet"]


def test_the_fingerprint_changes_with_files_and_options(tmp_path):
    write(frame(10), tmp_path / "a.csv")
    first = Sources(tmp_path).fingerprint
    assert Sources(tmp_path).fingerprint == first
    assert Sources(tmp_path, missing_words=["?"]).fingerprint != first
    assert Sources(tmp_path, columns=["x"]).fingerprint != first
    os.utime(tmp_path / "a.csv", ns=(1, 1))
    second = Sources(tmp_path).fingerprint
    assert second != first
    write(frame(10), tmp_path / "b.csv")
    assert Sources(tmp_path).fingerprint not in (first, second)


def test_the_fingerprint_is_the_same_for_the_same_words_and_after_json(tmp_path):
    write(frame(10), tmp_path / "a.csv")
    given = [Sources(tmp_path, missing_words=words) for words in (("?", "-"), {"-", "?"}, ["?", "-"])]
    assert len({found.fingerprint for found in given}) == 1
    again = Sources(tmp_path, **json.loads(json.dumps(given[1].reading)))
    assert again.fingerprint == given[0].fingerprint
    with pytest.raises(OptionError, match="missing_words"):
        Sources(tmp_path, missing_words=["?", 3])


def test_all_files_have_the_decimal_separator_that_one_is_certain_of(tmp_path):
    (tmp_path / "a.csv").write_text("x;y\n1,234;a\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("x;y\n0,5;a\n", encoding="utf-8")
    pieces = list(Sources(tmp_path).pieces())
    assert [piece.table.columns["x"].tolist() for piece in pieces] == [[1.234], [0.5]]


def _spreadsheet(folder):
    write(frame(3), folder / "a.csv")
    (folder / "notes.md").write_text("x")


def _other_header(folder):
    write(frame(3), folder / "a.csv")
    (folder / "b.csv").write_text("0.5,red,1\n0.25,blue,2\n")


def _lacking(folder):
    write(frame(3), folder / "a.parquet")
    write(frame(3).drop("color").with_columns(z=pl.lit(1.0)), folder / "b.parquet")


def _other_type(folder):
    write(frame(3), folder / "part-2.parquet")
    write(frame(3).with_columns(x=pl.col("x").cast(str)), folder / "part-10.parquet")


def _truncated(folder):
    write(frame(300), folder / "a.parquet")
    write(frame(300), folder / "b.parquet")
    content = (folder / "b.parquet").read_bytes()
    (folder / "b.parquet").write_bytes(content[: len(content) // 2])


def _decimals(folder):
    (folder / "a.csv").write_text("x;y\n0,5;a\n")
    (folder / "b.csv").write_text("x;y\n0.5;a\n")


def _twice_in_header(folder):
    (folder / "a.csv").write_text("x,y\n1,2\n")
    (folder / "b.csv").write_text("x,x\n1,2\n")


def _readme(folder):
    (folder / "a.csv").write_text("x,y\n1,2\n")
    (folder / "README.txt").write_text("Where the tables come from.\n")


MESSAGES = {
    "empty folder": (lambda folder: None, "", "The folder {folder} holds no table, expected Parquet, Arrow, CSV or"),
    "no match": (lambda folder: None, "*.parquet", "{folder}/*.parquet matches no file. The current folder is "),
    "no such file": (lambda folder: None, "a.csv", "{folder}/a.csv: there is no such file."),
    "text beside tables": (
        _readme,
        "",
        "The name of {folder}/README.txt is not that of a table. Name the tables, such as '{folder}/**/*.csv'.",
    ),
    "no table by name": (
        _spreadsheet,
        "",
        "The name of {folder}/notes.md is not that of a table. Name the tables, such as '{folder}/**/*.csv'.",
    ),
    "no header": (
        _other_header,
        "",
        "b.csv lacks 'x', 'color', 'y' and also has '0.5', 'red', '1', unlike a.csv. Does the file lack a header "
        "line? If no file has a header line, pass header=False.",
    ),
    "columns": (
        _lacking,
        "",
        "b.parquet lacks 'color' and also has 'z', unlike a.parquet. Write the same columns into each file, or name "
        "the columns to read with columns.",
    ),
    "types": (
        _other_type,
        "",
        "Column 'x' of part-10.parquet holds text, expected numbers as in part-2.parquet. Write the same type of "
        "values into all files, or leave the column out.",
    ),
    "truncated": (_truncated, "", "{folder}/b.parquet is not a complete Parquet file"),
    "decimals": (_decimals, "", "a.csv has decimal commas, and b.csv decimal points, expected one of the two in all"),
    "names": (_twice_in_header, "", "b.csv has columns of the same name in its header: 'x'."),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_fault_is_one_sentence(tmp_path, case):
    make, pattern, message = MESSAGES[case]
    make(tmp_path)
    with pytest.raises(DataError) as error:
        Sources(os.path.join(tmp_path, pattern) if pattern else tmp_path)
    assert str(error.value).startswith(message.format(folder=tmp_path))


def test_a_file_that_is_named_twice_is_an_error(tmp_path):
    write(frame(3), tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"a\.csv is named twice, so its rows would count twice\. Name each file once"):
        Sources([tmp_path, tmp_path / "a.csv"])
    with pytest.raises(DataError, match=r"The list of files is empty, expected at least one path\."):
        Sources([])


def test_links_to_one_file_are_files_of_their_own(tmp_path):
    write(frame(3), tmp_path / "rows.csv")
    (tmp_path / "folder").mkdir()
    for name in "ab":
        (tmp_path / "folder" / f"{name}.csv").symlink_to(tmp_path / "rows.csv")
    assert [piece.end.number for piece in Sources(tmp_path / "folder").pieces()] == [3, 6]


@pytest.mark.parametrize("target", [".", "..", "../folder"])
def test_a_link_to_a_folder_that_contains_it_is_an_error(tmp_path, target):
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    write(frame(3), tmp_path / "folder" / "a.csv")
    (tmp_path / "folder" / "loop").symlink_to(target)
    with pytest.raises(DataError, match=r"folder/loop is a link to a folder that contains it\. Remove the link, or"):
        Sources(tmp_path / "folder")
    (tmp_path / "folder" / "loop").unlink()
    (tmp_path / "folder" / "other").symlink_to("inner")  # contains nothing that leads back
    assert [piece.end.number for piece in Sources(tmp_path / "folder").pieces()] == [3]


@pytest.mark.parametrize("end", ["parquet", "csv"])
def test_a_file_that_vanishes_or_changes_is_an_error(tmp_path, end):
    for name in "ab":
        write(frame(30), tmp_path / f"{name}.{end}")
    found = Sources(tmp_path)
    pieces = found.pieces()
    next(pieces)
    (tmp_path / f"b.{end}").unlink()
    with pytest.raises(
        DataError, match=rf"^b\.{end} no longer exists\. The file was there when the files were first listed"
    ):
        list(pieces)
    write(frame(31), tmp_path / f"b.{end}")
    with pytest.raises(DataError, match=rf"^b\.{end} has changed during the run\. Start again;"):
        list(found.pieces())


def test_a_file_that_lost_its_end_after_the_first_look_is_an_error(tmp_path):
    write(frame(3000), tmp_path / "a.parquet")
    found = Sources(tmp_path)
    stat = (tmp_path / "a.parquet").stat()
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[4:2000] = bytes(1996)
    (tmp_path / "a.parquet").write_bytes(content)
    os.utime(tmp_path / "a.parquet", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(DataError, match=r"a\.parquet is not a complete Parquet file"):
        list(found.pieces())


def test_a_key_that_comes_late_in_json_lines_is_missing_before(tmp_path):
    lines = [{"x": 1.0, "color": "a", "y": 0}, {"x": 2.0, "y": 1}, {"x": 3.0, "color": None, "y": 2, "z": 1}]
    for number, row in enumerate(lines):
        (tmp_path / f"{number}.jsonl").write_text(json.dumps(row) + "\n")
    table = joined([piece.table for piece in Sources(tmp_path).pieces()])
    assert table.columns["color"].tolist() == ["a", None, None]
    assert np.isnan(table.columns["z"]).tolist() == [True, True, False]


PACKED = ["csv.gz", "csv.zst", "csv.bz2", "jsonl.gz", "parquet.gz"]


@pytest.mark.parametrize("end", PACKED)
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_a_packed_file_that_lost_its_end_is_an_error(tmp_path, end, share):
    draw = np.random.RandomState(0)
    for name in "ab":
        write(frame(20_000).with_columns(x=draw.normal(size=20_000)), tmp_path / f"{name}.{end}")
    content = (tmp_path / f"b.{end}").read_bytes()
    (tmp_path / f"b.{end}").write_bytes(content[: int(share * len(content))])
    with pytest.raises(
        DataError, match=rf"b\.{end} is packed by .* and (ends in the middle|is damaged)\. Take another"
    ):
        list(Sources(tmp_path).pieces())


def test_a_csv_file_that_ends_within_a_row_is_an_error(tmp_path):
    for day in (1, 2):
        (tmp_path / f"day={day}").mkdir()
        write(frame(30_000), tmp_path / f"day={day}" / "part.csv")
    with open(tmp_path / "day=2" / "part.csv", "r+b") as file:
        file.truncate(500_000)
        file.seek(0)
        rows, cells = (lambda text: (text.count(b"\n"), text.rpartition(b"\n")[2].count(b",") + 1))(file.read())
    if cells == 3:
        pytest.skip("the row is whole by chance")
    with pytest.raises(
        DataError, match=rf"^Row {rows} of day=2.part\.csv \(line {rows + 1}\) has {cells} cells, expected 3"
    ):
        list(Sources(tmp_path).pieces())


@pytest.mark.parametrize("end", ["parquet", "csv", "jsonl"])
def test_a_file_that_grows_while_it_is_read_is_an_error(tmp_path, end):
    write(frame(70_000), tmp_path / f"a.{end}")
    found = Sources(tmp_path)
    pieces = found.pieces()
    next(pieces)
    with open(tmp_path / f"a.{end}", "ab") as file:
        file.write(b"\n")
    with pytest.raises(DataError, match=rf"^a\.{end} has changed during the run\. Start again;"):
        list(pieces)


def test_every_message_about_a_cell_names_the_file_with_its_folder(tmp_path):
    for day, cell in ((1, "0.5"), (2, '"0.5')):
        (tmp_path / f"day={day}").mkdir()
        (tmp_path / f"day={day}" / "part.csv").write_text(f"x,y\n1,a\n{cell},b\n")
    with pytest.raises(DataError, match=r"^Row 2 of day=2.part\.csv \(from line 3\) can't be read: "):
        list(Sources(tmp_path).pieces())
