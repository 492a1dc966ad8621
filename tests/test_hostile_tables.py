"""Tables as the world has them, through the command line: trained on, or refused with the place and the way out.

Each case shows besides that no traceback, no control character and no library's warning reaches the screen, that a
fault takes one to three lines, and that nothing half-written is left behind.
"""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from glassmax import load_model, read_table
from glassmax.errors import DataError
from hostile import GOOD, REFUSED, SOUND
from test_cli import LIMIT, call, listing

ARGV = ("train", "t.csv", "--target", "y", "--hidden", "4", "--epochs", "2")
HARMFUL = re.compile(r"[^\n\x20-\x7e\u00a1-\u200d\u2010-\u2027\u2030-\u205e\u2070-\ufffd\U00010000-\U0003ffff]")


@pytest.fixture
def train(monkeypatch, capsys, tmp_path):
    """Train on bytes in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def train(content, *more):
        Path("t.csv").write_bytes(content)
        return call(monkeypatch, capsys, *ARGV, *more)

    return train


def test_there_are_more_than_a_hundred_and_twenty_cases():
    assert len(SOUND) + len(REFUSED) > 120


@pytest.mark.parametrize("case", SOUND)
def test_an_odd_table_is_trained_on_and_predicted_alike(train, monkeypatch, capsys, case):
    result = train(SOUND[case])
    assert result.code == 0, result.err
    shown = result.out + result.err
    assert not HARMFUL.search(shown), HARMFUL.search(shown)
    assert "Warning" not in shown
    assert listing() == ["t.csv", "t.safetensors"]
    predicted = call(monkeypatch, capsys, "predict", "t.safetensors", "t.csv", "--format", "jsonl", "--proba")
    assert predicted.code == 0, predicted.err
    assert not HARMFUL.search(predicted.err)
    P = load_model("t.safetensors").predict_proba(read_table("t.csv"))
    lines = predicted.out.splitlines()
    assert len(lines) == len(P)
    first, last = (list(json.loads(line).values())[1:] for line in (lines[0], lines[-1]))
    assert (first, last) == (P[0].tolist(), P[-1].tolist())


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_at_fault_is_refused_with_the_place_and_leaves_nothing_behind(train, case):
    content, words = REFUSED[case]
    result = train(content)
    assert result.code == 1
    assert result.out == ""
    assert result.err.startswith("Error: ")
    assert words in result.err
    assert len(result.err.splitlines()) <= 3
    assert not HARMFUL.search(result.err), HARMFUL.search(result.err)
    assert "glassmax has failed" not in result.err
    assert listing() == ["t.csv"]


SAID = {
    "semicolons_and_decimal_commas": "read as CSV in UTF-8, cells separated by semicolons, decimal comma\n",
    "latin_1": "read as CSV in Latin-1, cells separated by commas\n",
    "utf_16": "read as CSV in UTF-16, cells separated by commas\n",
    "gzip": "read as CSV in UTF-8, cells separated by commas, packed by gzip\n",
    "zstd": "packed by zstd\n",
    "parquet": "read as Parquet\n",
    "arrow": "read as Arrow\n",
    "json_lines": "read as JSON lines in UTF-8\n",
    "parquet_with_lists": "extra is left out: it holds values of type List(Int64).\n",
    "formulas_in_classes": "a spreadsheet would take the class \"=cmd|' /C calc'!A0\" for a formula",
    "dates": "  dates:      x (year, season, weekday)\n",
    "dates_with_the_day_first": "  dates:      x (year, season, weekday)\n",
    "moments_with_zones": "  dates:      x (year, season, weekday, hour)\n",
    "booleans": "  booleans:   x (no and yes)\n",
    "codes_with_leading_zeros": "x: '00004' and the like are codes, for some begin with 0, and taken for categories.",
    "a_column_that_counts_the_rows": "x is left out: it counts the rows. To learn from it all the same: --keep x.\n",
    "a_column_of_identifiers": "c is left out: it is another text in every row, as identifiers are.\n",
    "a_column_that_never_changes": "x is left out: it is 7 in every row.\n",
    "a_column_without_a_value": "x is left out: all its cells are missing.\n",
    "numbers_of_thirty_digits": "x is left out: its numbers have more digits than can be told apart",
    "a_class_of_one_row": "of one row only, which is trained on and can't be judged: y z\n",
    "classes_missing_here_and_there": "without a y and left out: 20 rows\n",
    "a_column_that_tells_the_class": "c alone tells y in 100 % of the rows.",
}


@pytest.mark.parametrize("case", SAID)
def test_what_was_recognised_is_said(train, case):
    assert SAID[case] in train(SOUND[case]).err


@pytest.mark.parametrize("case", ["as_it_is", "terminal_escapes_in_cells", "noise", "parquet_of_noise"])
def test_a_process_of_its_own_says_the_same(tmp_path, case):
    """What compiled code writes past Python would show here."""
    (tmp_path / "t.csv").write_bytes(SOUND[case] if case in SOUND else REFUSED[case][0])
    argv = [sys.executable, "-m", "glassmax", *ARGV]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == (case not in SOUND)
    lines = done.stderr.splitlines()
    assert lines[0].startswith("Error: " if done.returncode else "t.csv: 60 rows")
    assert not re.search("Traceback|Warning|panicked", done.stderr)


def test_standard_input_is_read_like_a_file(tmp_path):
    argv = [sys.executable, "-m", "glassmax", "train", "-", "--target", "y", "--epochs", "2", "--hidden", "4"]
    done = subprocess.run(argv, cwd=tmp_path, input=GOOD, capture_output=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    assert listing(tmp_path) == ["model.safetensors"]
    (tmp_path / "t.csv").write_bytes(GOOD)
    fed = subprocess.run(
        [sys.executable, "-m", "glassmax", "predict", "model.safetensors", "-", "--proba"],
        cwd=tmp_path,
        input=GOOD,
        capture_output=True,
        timeout=LIMIT,
        check=True,
    )
    named = subprocess.run(
        [sys.executable, "-m", "glassmax", "predict", "model.safetensors", "t.csv", "--proba"],
        cwd=tmp_path,
        capture_output=True,
        timeout=LIMIT,
        check=True,
    )
    assert fed.stdout == named.stdout
    assert len(fed.stdout.splitlines()) == 61


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/urandom"])
@pytest.mark.parametrize("argv", [("train", "{}", "--target", "y"), ("info", "{}")])
def test_a_device_without_end_is_refused_in_little_memory(monkeypatch, capsys, tmp_path, device, argv):
    monkeypatch.chdir(tmp_path)
    result = call(monkeypatch, capsys, *(word.format(device) for word in argv))
    assert result.code == 1
    assert result.err.startswith(f"Error: {device}")
    assert listing() == []


def test_a_link_to_nothing_is_told_from_a_missing_file(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("t.csv").symlink_to("gone.csv")
    result = call(monkeypatch, capsys, *ARGV)
    expected = "Error: t.csv is a link to 'gone.csv', which doesn't exist. Mend the link, or pass another file.\n"
    assert (result.code, result.err) == (1, expected)


def test_a_file_that_ends_the_process_that_reads_it_is_refused(train, monkeypatch):
    """polars gives up where a damaged file claims sizes beyond all memory; the process that dies is not ours."""
    real = subprocess.run

    def dying(argv, **options):
        return real([sys.executable, "-c", "import os; os.abort()"], **options)

    monkeypatch.setattr("glassmax.table.columnar.subprocess.run", dying)
    result = train(SOUND["parquet"])
    assert result.err == (
        "Error: t.csv is no whole Parquet file: reading it breaks off. Take another copy, or write it again.\n"
    )


@pytest.mark.parametrize("case", ["parquet", "arrow"])
def test_parquet_and_arrow_files_changed_anywhere_are_tables_or_refused(tmp_path, case):
    draw = random.Random(case)
    for _ in range(20):
        content = bytearray(SOUND[case])
        for _ in range(draw.choice([1, 2, 8])):
            content[draw.randrange(6, len(content))] = draw.choice([0, 128, 255])
        (tmp_path / "t").write_bytes(content)
        try:
            table = read_table(tmp_path / "t")
        except DataError as error:
            message = str(error)
        else:
            assert table.n_rows > 0
            continue
        assert "\n" not in message
