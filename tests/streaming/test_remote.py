"""Files that are elsewhere: the same rows as here; each fault of a server is one sentence without credentials."""

import os
import sys
from contextlib import nullcontext

import numpy as np
import polars as pl
import pytest

from glassmax.errors import DataError
from glassmax.streaming import is_several, learned, scanned, spooled
from glassmax.streaming.paths import find_files
from glassmax.streaming.sources import Place, Sources
from glassmax.table import columnar, joined, read_table, remote
from tests.streaming.servers import GoogleHandler, Handler, serving
from tests.streaming.test_sources import FORMATS, frame, rows_of, write

pytest.importorskip("fsspec", reason="needs the extra [remote]")
pytest.importorskip("aiohttp", reason="needs the extra [remote]")

ROWS = 250


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(remote, "PAUSES", (0.0, 0.0))
    for name in [name for name in os.environ if name.startswith(("AWS_", "FSSPEC_", "GOOGLE_")) or "_proxy" in name]:
        monkeypatch.delenv(name)
    remote._file_system.cache_clear()


@pytest.fixture
def web(tmp_path):
    with serving(tmp_path) as server:
        server.url = f"http://127.0.0.1:{server.server_port}"
        yield server


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("end", FORMATS)
def test_rows_of_a_web_server_are_those_of_the_files(tmp_path, web, end, ranges):
    web.ranges = ranges
    for number, size in enumerate([100, 150]):
        write(frame(size, 100 * number), tmp_path / f"part-{number}.{end}")
    urls = [f"{web.url}/part-{number}.{end}" for number in (1, 0)]
    here, there = Sources(tmp_path), Sources(urls)
    assert rows_of(there.pieces()) == rows_of(here.pieces())
    assert [file.name for file in there.files] == [f"part-{number}.{end}" for number in (0, 1)]
    assert [file.rows for file in there.files] == [file.rows for file in here.files]
    assert rows_of(there.pieces(Place(1, 40, 140)))["x"] == frame(ROWS)["x"].to_list()[140:]
    assert read_table(urls[0]).columns["x"].tolist() == frame(150, 100)["x"].to_list()


def test_only_the_groups_of_rows_that_are_needed_are_fetched(tmp_path, web):
    table = pl.DataFrame({"x": np.random.RandomState(0).normal(size=200_000)})
    table.write_parquet(tmp_path / "a.parquet", row_group_size=20_000, compression="uncompressed")
    found = Sources(f"{web.url}/a.parquet")
    web.sent = 0
    (piece,) = found.pieces(Place(0, 199_500, 199_500))
    assert piece.table.columns["x"].tolist() == table["x"].to_list()[199_500:]
    assert web.sent < 0.5 * (tmp_path / "a.parquet").stat().st_size


def test_memory_is_bounded_where_a_group_of_rows_is_large(tmp_path, web, monkeypatch):
    from glassmax.table import remote_columnar

    monkeypatch.setattr(remote_columnar, "BUFFERED_BYTES", 2**15)
    monkeypatch.setattr(remote_columnar, "LEAST_BYTES", 2**12)
    draw = np.random.RandomState(0)
    table = frame(20_000).with_columns(x=draw.normal(size=20_000))
    table.write_parquet(tmp_path / "a.parquet", row_group_size=20_000, compression="uncompressed", data_page_size=2**12)
    found = Sources(f"{web.url}/a.parquet")
    web.asked.clear()
    assert rows_of(found.pieces())["x"] == table["x"].to_list()
    lengths = [1 + int(last) - int(first) for _, span in web.asked for first, last in [span[6:].split("-")]]
    assert max(lengths) <= 2**16  # the first bytes, which tell the format
    assert len(lengths) > 10


def test_folders_and_globs_of_a_server_that_lists_its_files(tmp_path, web):
    for number in (10, 9):
        (tmp_path / "data" / f"year={number}").mkdir(parents=True)
        write(frame(30, number), tmp_path / "data" / f"year={number}" / "part.csv")
    for name in ("_SUCCESS", ".part.csv.crc"):
        (tmp_path / "data" / name).write_text("x")
    for given in (f"{web.url}/data/", f"{web.url}/data/**/*.csv", f"{web.url}/data/year=*/part.csv"):
        found = Sources(given)
        assert [file.name for file in found.files] == ["year=9/part.csv", "year=10/part.csv"]
        assert [file.folders for file in find_files(given)] == [("year=9",), ("year=10",)]
        assert joined([p.table for p in found.pieces()]).columns["year"].tolist() == [9.0] * 30 + [10.0] * 30
    assert is_several(f"{web.url}/data/")
    assert is_several(f"{web.url}/data/*.csv")
    assert not is_several(f"{web.url}/data/part.csv.gz?version=1")


def test_links_that_sort_the_list_of_a_server_are_no_files(tmp_path, web):
    write(frame(3), tmp_path / "a.csv")
    links = ["?C=N;O=D", "a.csv", "../", "/", "https://example.org/b.csv"]
    (tmp_path / "index.html").write_text("".join(f'<a href="{link}">x</a>' for link in links))
    assert [file.path for file in find_files(f"{web.url}/")] == [f"{web.url}/a.csv"]
    assert [file.path for file in find_files(f"{web.url}/*.csv")] == [f"{web.url}/a.csv"]


def test_protocols_in_capitals_and_others(tmp_path, web):
    write(frame(3), tmp_path / "a.csv")
    assert Sources(f"HTTP{web.url[4:]}/a.csv").files[0].columns == Sources(tmp_path).files[0].columns
    with pytest.raises(
        DataError, match=r"^ftp:// can't be read, expected s3://, gs://, https://, http:// or a path\.$"
    ):
        Sources("ftp://anna:secret@host/a.csv")


def test_a_scan_is_that_of_the_files(tmp_path, web):
    for number, size in enumerate([300, 500]):
        write(frame(size, 300 * number), tmp_path / f"part-{number}.parquet")
    urls = [f"{web.url}/part-{number}.parquet" for number in range(2)]
    here, there = (learned(*scanned(Sources(given), "color"), "color") for given in (tmp_path, urls))
    assert here.encoding == there.encoding
    assert here.classes.tolist() == there.classes.tolist()


def test_credentials_are_sent_and_never_shown(tmp_path, web):
    write(frame(3), tmp_path / "a.csv")
    host = web.url.removeprefix("http://")
    found = Sources(f"http://anna:secret@{host}/a.csv?signature=secret")
    assert found.name == f"http://{host}/a.csv"
    assert rows_of(found.pieces()) == rows_of(Sources(tmp_path).pieces())
    assert "secret" not in repr(found)
    for bad in (f"http://anna:secret@{host}/b.csv?signature=secret", f"http://anna:secret@{host}/*.parquet"):
        with pytest.raises(DataError) as error:
            Sources(bad)
        assert "secret" not in str(error.value)
    assert remote.shown("s3://key:secret@bucket/a/b.csv") == "s3://bucket/a/b.csv"


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("faults", [[503], ["break"], ["break", 500], [429, "break"]])
def test_a_fault_that_passes_is_tried_again(tmp_path, web, faults, ranges):
    write(frame(ROWS), tmp_path / "a.csv")
    found = Sources(f"{web.url}/a.csv")
    web.faults, web.ranges = list(faults), ranges
    assert rows_of(found.pieces()) == rows_of(Sources(tmp_path).pieces())
    assert web.faults == []


FAULTS = {
    "404": ([], "no-such.csv", "{url}/no-such.csv can't be read: there is no such file."),
    "broken": (["break"] * 20, "a.csv", "{url}/a.csv can't be read: the server can't be reached, or the connection"),
    "busy": ([503] * 20, "a.csv", "{url}/a.csv can't be read: the server is busy or broken (503). Try again later."),
    "forbidden": ([403] * 20, "a.csv", "{url}/a.csv can't be read: the server refuses access (403)."),
    "no match": ([], "*.arrow", "{url}/*.arrow matches no file that the server lists."),
    "empty": ([], "empty/", "The folder {url}/empty/ holds no table, expected Parquet, Arrow, CSV or JSON lines"),
    "foreign": ([], "other/", "The name of {url}/other/notes.md is not that of a table. Name the tables, such as"),
    "truncated": ([], "half.parquet", "{url}/half.parquet is not a complete Parquet file: "),
    "page": ([], "page.csv", "{url}/page.csv is a web page (HTML), expected a table. Was it saved in place of"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_one_sentence(tmp_path, web, case):
    web.faults, name, message = FAULTS[case]
    web.faults = list(web.faults)
    write(frame(30), tmp_path / "a.csv")
    write(frame(300), tmp_path / "half.parquet")
    (tmp_path / "half.parquet").write_bytes((tmp_path / "half.parquet").read_bytes()[:800])
    (tmp_path / "page.csv").write_text("<!DOCTYPE html><html></html>")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.md").write_text("x")
    with pytest.raises(DataError) as error:
        Sources(f"{web.url}/{name}")
    assert str(error.value).startswith(message.format(url=web.url))
    assert "\n" not in str(error.value)


def test_a_server_that_is_gone_and_one_that_is_silent(tmp_path, monkeypatch):
    import socket

    with serving(tmp_path) as server:
        url = f"http://127.0.0.1:{server.server_port}/a.csv"
    with pytest.raises(DataError, match=r"a\.csv can't be read: the server can't be reached, or the connection broke"):
        Sources(url)
    monkeypatch.setattr(remote, "READ_SECONDS", 0.05)
    remote._file_system.cache_clear()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.csv"
        with pytest.raises(DataError, match=r"a\.csv can't be read: the server doesn't answer in time\. Try again"):
            Sources(url)
    remote._file_system.cache_clear()


@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_a_file_that_changes_or_vanishes_is_an_error(tmp_path, web, end):
    write(frame(30), tmp_path / f"a.{end}")
    found = Sources(f"{web.url}/a.{end}")
    first = found.fingerprint
    write(frame(31), tmp_path / f"a.{end}")
    os.utime(tmp_path / f"a.{end}", (1, 1))
    with pytest.raises(DataError, match=rf"^a\.{end} has changed during the run\. Start again;"):
        list(found.pieces())
    assert Sources(f"{web.url}/a.{end}").fingerprint != first
    (tmp_path / f"a.{end}").unlink()
    with pytest.raises(DataError, match=rf"/a\.{end} can't be read: there is no such file\."):
        list(found.pieces())


def test_a_full_disk_is_one_sentence(tmp_path, web, monkeypatch):
    import errno

    class Full:
        def write(self, block):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            pass

    write(frame(30_000), tmp_path / "a.csv")
    web.ranges = False
    monkeypatch.setattr(remote.tempfile, "TemporaryFile", Full)
    with pytest.raises(
        DataError, match=r"/a\.csv can't be copied to .*: No space left on device\. Free some space there\."
    ):
        list(Sources(f"{web.url}/a.csv").pieces())


@pytest.mark.parametrize(
    ("url", "package"), [("s3://b/a.csv", "s3fs"), ("gs://b/a.csv", "gcsfs"), ("http://b/", "fsspec")]
)
def test_a_package_that_is_missing_is_named(monkeypatch, url, package):
    monkeypatch.setitem(sys.modules, package, None)
    remote._file_system.cache_clear()
    with pytest.raises(DataError) as error:
        Sources(url)
    assert f"needs {package}, which is not installed. Install it: pip install 'glassmax[remote]'" in str(error.value)


@pytest.fixture(scope="module")
def store():
    pytest.importorskip("s3fs", reason="needs the extra [remote]")
    moto = pytest.importorskip("moto.server", reason="needs moto")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(store, monkeypatch):
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", store)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    there = boto3.resource("s3").create_bucket(Bucket="bucket")
    yield there
    there.objects.all().delete()
    there.delete()
    remote._file_system.cache_clear()


def put(bucket, folder):
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            bucket.upload_file(str(path), path.relative_to(folder).as_posix())


boto = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@boto
@pytest.mark.parametrize("end", ["parquet", "arrow", "csv", "jsonl.zst", "csv.gz"])
def test_rows_of_a_bucket_are_those_of_the_files(tmp_path, bucket, end):
    for number, size in enumerate([100, 150]):
        (tmp_path / "data" / f"day={number + 9}").mkdir(parents=True)
        write(frame(size, 100 * number), tmp_path / "data" / f"day={number + 9}" / f"part.{end}")
    (tmp_path / "data" / "_SUCCESS").touch()
    put(bucket, tmp_path)
    bucket.put_object(Key="data/")  # what some programs write for a folder
    here = Sources(tmp_path / "data")
    for given in (
        "s3://bucket/data",
        "s3://bucket/data/",
        f"s3://bucket/data/*/*.{end}",
        f"s3a://bucket/data/**/*.{end}",
    ):
        there = Sources(given)
        assert [file.name for file in there.files] == [f"day={day}/part.{end}" for day in (9, 10)]
        assert rows_of(there.pieces()) == rows_of(here.pieces())
        assert joined([piece.table for piece in there.pieces()]).columns["day"].tolist() == [9.0] * 100 + [10.0] * 150
    (one,) = Sources(f"s3://bucket/data/day=9/part.{end}").files
    assert one.version.size == (tmp_path / "data" / "day=9" / f"part.{end}").stat().st_size
    assert one.version.tag


@boto
def test_a_fault_of_a_bucket_is_one_sentence(tmp_path, bucket, monkeypatch):
    write(frame(30), tmp_path / "a.csv")
    put(bucket, tmp_path)
    messages = {
        "s3://no-such-bucket/a.csv": "s3://no-such-bucket/a.csv can't be read: there is no ",
        "s3://no-such-bucket/": "s3://no-such-bucket/ can't be read: there is no bucket 'no-such-bucket'.",
        "s3://bucket/b.csv": "s3://bucket/b.csv can't be read: there is no such file.",
        "s3://bucket/*.parquet": "s3://bucket/*.parquet matches no file that the server lists.",
    }
    for url, message in messages.items():
        with pytest.raises(DataError) as error:
            Sources(url)
        assert str(error.value).startswith(message)
    found = Sources("s3://bucket/a.csv")
    first = found.fingerprint
    bucket.put_object(Key="a.csv", Body=b"x,y\n1,a\n")
    with pytest.raises(DataError, match=r"^a\.csv has changed during the run\. Start again;"):
        list(found.pieces())
    assert Sources("s3://bucket/a.csv").fingerprint != first
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    remote._file_system.cache_clear()
    with pytest.raises(
        DataError, match=r"a\.csv can't be read: no credentials were found\. To provide credentials, set AWS_PROFILE"
    ):
        Sources("s3://bucket/a.csv")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    with serving(tmp_path) as server:
        gone = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", gone)
    remote._file_system.cache_clear()
    with pytest.raises(DataError, match=r"a\.csv can't be read: the server can't be reached, or the connection broke"):
        Sources("s3://bucket/a.csv")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning")
def test_rows_of_a_bucket_of_google_are_those_of_the_files(tmp_path, monkeypatch):
    pytest.importorskip("gcsfs", reason="needs the extra [remote]")
    (tmp_path / "data").mkdir()
    for number, end in enumerate(["parquet", "parquet"]):
        write(frame(100, 100 * number), tmp_path / "data" / f"part-{number}.{end}")
    with serving(tmp_path, handler=GoogleHandler) as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
        remote._file_system.cache_clear()
        for given in ("gs://bucket/data", "gs://bucket/data/*.parquet", "gcs://bucket/data/"):
            assert rows_of(Sources(given).pieces()) == rows_of(Sources(tmp_path / "data").pieces())
        with pytest.raises(DataError, match=r"gs://bucket/b\.csv can't be read: there is no such file\."):
            Sources("gs://bucket/b.csv")
        remote._file_system.cache_clear()


@pytest.mark.parametrize("end", ["parquet", "arrow"])
def test_what_other_threads_write_is_not_discarded_while_a_remote_file_is_read(tmp_path, web, end, monkeypatch):
    write(frame(100), tmp_path / f"a.{end}")
    quiet = []
    monkeypatch.setattr(columnar, "_quiet", lambda: quiet.append(1) or nullcontext())
    assert rows_of(Sources(f"{web.url}/a.{end}").pieces())["x"] == frame(100)["x"].to_list()
    assert not quiet
    Sources(tmp_path)
    assert quiet  # polars prints what is damaged


def test_nothing_is_used_again_if_a_server_does_not_tell_versions_of_a_file_apart(tmp_path):
    class Silent(Handler):
        def send_header(self, name, value):
            if name not in ("Last-Modified", "ETag"):
                super().send_header(name, value)

    def first_cell(url):
        state, rows = scanned(Sources(url), "color", folder=tmp_path)
        with spooled(Sources(url), learned(state, rows, "color"), tmp_path / "spool", "color") as spool:
            return rows.columns["x"][0], spool.identity

    (tmp_path / "web").mkdir()
    table = frame(100).with_columns(x=pl.int_range(100, 200).cast(pl.Float64))
    with serving(tmp_path / "web", handler=Silent) as server:
        write(table, tmp_path / "web" / "a.csv")
        url = f"http://127.0.0.1:{server.server_port}/a.csv"
        assert remote.version_of(url).tag == ""
        first, identity = first_cell(url)
        write(table.with_columns(pl.col("x") + 1), tmp_path / "web" / "a.csv")
        again, other = first_cell(url)
    assert (first, again) == (100, 101)
    assert identity["the files"] != other["the files"]
    assert Sources(tmp_path / "web").identity == Sources(tmp_path / "web").fingerprint


def test_files_here_and_elsewhere_have_the_same_names_in_each_process(tmp_path, web, monkeypatch):
    for name in ("a.csv", "b.csv"):
        write(frame(20), tmp_path / name)
    monkeypatch.chdir(tmp_path)
    both = Sources(["a.csv", f"{web.url}/b.csv"])
    assert Sources(both.found).fingerprint == both.fingerprint


def test_a_fault_that_nobody_knows_says_what_to_do():
    def odd():
        raise RuntimeError("odd")

    with pytest.raises(DataError) as error:
        remote._tried("https://anna:secret@example.org/a.csv", odd)
    assert str(error.value) == (
        "https://example.org/a.csv can't be read: RuntimeError was raised. Try again, or copy the file here."
    )
