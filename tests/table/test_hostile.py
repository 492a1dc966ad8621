"""Tables as the world has them, through the command line: trained on, or refused with the place and the way out.

Each case shows besides that no traceback, no control character and no library's warning reaches the screen, that a
fault takes one to three lines, and that nothing half-written is left behind.
"""

import json
import os
import random
import re
import shlex
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from glassmax import load_model, read_table
from glassmax.errors import DataError
from tests.cli.test_cli import LIMIT, call, listing
from tests.table.hostile import GOOD, REFUSED, SOUND

SLOW = pytest.mark.slow
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
    "parquet_with_times_of_day": "  dates:      extra (year, hour)\n",
    "parquet_with_a_zone_by_its_offset": "  dates:      extra (year, season, weekday, hour)\n",
    "parquet_with_dates_beyond_all_calendars": "extra is left out: it holds dates beyond the years 1 to 9999.\n",
    "classes_that_look_the_same": "differ only in case, spaces or invisible characters: 'a', 'a\\u200b'. If two",
    "booleans": "  booleans:   x (no and yes)\n",
    "codes_with_leading_zeros": "x: '00004' and the like are codes, because some begin with 0, and are read as categ",
    "a_column_that_counts_the_rows": "x is left out: it counts the rows. To learn from it all the same: --keep x.\n",
    "a_column_of_identifiers": "c is left out: it has a different text in every row, as identifiers do.\n",
    "free_text": "c is left out: its texts hardly repeat, 60 different texts in 60 rows. To learn from it all the",
    "a_column_that_never_changes": "x is left out: it is 7 in every row.\n",
    "a_column_without_a_value": "x is left out: all its cells are missing.\n",
    "numbers_of_thirty_digits": "x is left out: its numbers have more digits than can be told apart",
    "a_class_of_one_row": "class z of y has 1 row, so it can't be judged\n",
    "classes_missing_here_and_there": "left out because y is missing: 20 rows\n",
    "a_column_that_tells_the_class": "c alone predicts y in 100 % of the rows.",
}


@pytest.mark.parametrize("case", SAID)
def test_what_was_recognized_is_said(train, case):
    assert SAID[case] in train(SOUND[case]).err


@pytest.mark.parametrize(
    "case",
    ["as_it_is", "parquet_of_noise", *(pytest.param(n, marks=SLOW) for n in ("terminal_escapes_in_cells", "noise"))],
)
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
    expected = "Error: t.csv is a link to 'gone.csv', which doesn't exist. Correct the link, or pass another file.\n"
    assert (result.code, result.err) == (1, expected)


def test_a_file_that_ends_the_process_that_reads_it_is_refused(train, monkeypatch):
    """polars gives up where a damaged file claims sizes beyond all memory; the process that dies is not ours."""
    real = subprocess.run

    def dying(argv, **options):
        return real([sys.executable, "-c", "import os; os.abort()"], **options)

    monkeypatch.setattr("glassmax.table.columnar.subprocess.run", dying)
    result = train(SOUND["parquet"])
    assert result.err == (
        "Error: t.csv is not a complete Parquet file: reading it fails. Take another copy, or write it again.\n"
    )


@pytest.mark.slow
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


@pytest.mark.parametrize(
    "name",
    [b"-x.csv", b"$(id).csv", *(pytest.param(n, marks=SLOW) for n in (b"a b.csv", b"a\nb.csv", b"\xff\xfe.csv"))],
)
def test_the_command_that_is_offered_can_be_typed_whatever_the_file_is_called(tmp_path, name):
    (tmp_path / os.fsdecode(name)).write_bytes(GOOD)
    argv = ["train", "--target", "y", "--hidden", "4", "--epochs", "2", "--", os.fsdecode(name)]
    done = subprocess.run(
        [sys.executable, "-m", "glassmax", *argv], cwd=tmp_path, capture_output=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stderr
    offered = done.stderr.decode().rpartition("Use it: glassmax ")[2]
    if name.isascii() and b"\n" not in name:
        again = [sys.executable, "-m", "glassmax", *shlex.split(offered)]
        assert subprocess.run(again, cwd=tmp_path, capture_output=True, timeout=LIMIT, check=False).returncode == 0


@pytest.mark.parametrize(
    ("closed", "code", "said"),
    [(">&-", 1, "Error: The output can't be written: stdout is closed.\n"), ("2>&-", 0, "")],
)
def test_a_closed_stream_is_told_in_words_or_does_no_harm(tmp_path, closed, code, said):
    command = f"{shlex.quote(sys.executable)} -m glassmax train iris --epochs 1 --hidden 4 --quiet {closed}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert (done.returncode, done.stderr) == (code, said)
    assert listing(tmp_path) == ["iris.safetensors"]


def test_ctrl_c_while_the_command_line_loads_ends_without_a_traceback(tmp_path):
    program = (
        "import sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from glassmax.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, timeout=LIMIT, check=False
    )
    assert (done.returncode, done.stderr) == (130, b"")


def test_a_panic_of_compiled_code_is_a_fault_without_a_traceback(train, monkeypatch):
    def panic(*args, **kwargs):
        raise pl.exceptions.PanicException("overflowed")

    monkeypatch.setattr("glassmax.table.columnar.piece_of", panic)
    result = train(SOUND["parquet"])
    assert result.code == 1
    assert result.err.startswith("Error: glassmax has failed, which is its own fault: PanicException: overflowed\n")
    assert "Traceback" not in result.err


def test_colours_that_are_forced_on_draw_no_progress_where_there_is_no_terminal(tmp_path):
    program = (
        "import sys; from glassmax.cli import main, progress; progress.SECONDS_BETWEEN_LINES = -1; "
        "sys.argv[1:] = ['train', 'iris', '--epochs', '2', '--hidden', '4']; main()"
    )
    argv = [sys.executable, "-c", program]
    environment = os.environ | {"FORCE_COLOR": "1"}
    done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, timeout=LIMIT, check=True)
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"epoch 1 of at most 2" in done.stderr


def test_very_many_columns_left_out_or_filled_take_few_lines(train):
    header = [*(f"e{i}" for i in range(300)), *(f"m{i}" for i in range(300)), "x", "y"]
    rows = [
        ["", *[""] * 299, *(str(i * j % 7) if i % 5 else "" for j in range(300)), str(i % 9), "ab"[i % 2]]
        for i in range(60)
    ]
    result = train("\n".join(map(",".join, [header, *rows])).encode())
    assert result.code == 0, result.err
    assert len(result.err.splitlines()) < 60
    assert "  300 columns are left out because all their cells are missing: e0 ... e299 (300 columns)\n" in result.err
    assert "  ... missing, filled with ...: 280 more columns like these\n" in result.err


def test_a_tab_may_be_typed_as_backslash_and_t(train):
    result = train(SOUND["tabs"], "--delimiter", "\\t")
    assert result.code == 0, result.err


def test_a_column_that_holds_lists_far_down_is_left_out_all_through(train, monkeypatch):
    """Where pieces of a file don't agree, cells that can't be read are not missing ones."""
    monkeypatch.setattr("glassmax.table.json_lines.CELLS_AT_ONCE", 40)
    lines = SOUND["json_lines"].decode().splitlines()
    lines[50] = '{"x":[1],"c":"u","y":"a"}'
    result = train("\n".join(lines).encode())
    assert result.code == 0, result.err
    assert "  x is left out: it holds lists or objects.\n" in result.err
    assert "missing" not in result.err


def test_lists_in_every_column_that_a_model_needs_are_no_missing_cells(train, monkeypatch, capsys):
    train(SOUND["json_lines"], "--ignore", "c")
    Path("new.jsonl").write_text('{"x":[1]}\n{"x":[2]}\n')
    result = call(monkeypatch, capsys, "predict", "t.safetensors", "new.jsonl")
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines()[-1].startswith(
        "Error: Column 'x' of new.jsonl holds lists or objects, expected numbers"
    )


def test_a_fault_stays_short_whatever_a_file_calls_its_columns(train):
    result = train("\n".join(["n" * 100_000 + ",y", *(f"{i} words,{'ab'[i % 2]}" for i in range(60))]).encode())
    assert (result.code, result.err[:7]) == (1, "Error: ")
    assert len(result.err) < 1600
