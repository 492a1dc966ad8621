"""glassmax train on several files: what it says, what it keeps, and what is left over."""

import json
import os
import resource
import shutil
from contextlib import contextmanager

import numpy as np
import polars as pl
import pytest

from glassmax import load_model
from glassmax.cli import files_options, files_progress, progress
from glassmax.cli.files_run import FilesTrainingRun
from glassmax.estimator.files import EncodingProgress, ScanProgress
from glassmax.streaming import WindowDone
from glassmax.training import Epoch
from tests.cli.test_terminal import terminal

SMALL = ("--hidden", "4", "--epochs", "3", "--batch-size", "32")


@pytest.fixture(scope="module")
def rows():
    """1200 rows, of which x and c decide the class."""
    rng = np.random.default_rng(5)
    x, c = rng.normal(size=1200).round(3), rng.choice(["u", "v"], 1200)
    z = x + (c == "u") + rng.normal(0, 0.3, 1200)
    return pl.DataFrame({"id": [f"r{i}" for i in range(1200)], "x": x, "c": c, "y": np.where(z > 0.5, "yes", "no")})


@pytest.fixture
def files(rows, tmp_path, monkeypatch):
    """Write the rows into four files of a folder, and all of them into one file; scratch files go into another."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("data")
    for part in range(4):
        rows[300 * part : 300 * part + 300].write_csv(f"data/part-{part}.csv")
    rows.write_csv("all.csv")
    os.mkdir("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))


def theta(path="data.safetensors"):
    return load_model(path).network.theta


# --- what it says and writes -----------------------------------------------------------------------------------------


def test_a_folder_is_described_and_the_model_is_written(files, done):
    result = done("train", "data", "--target", "y", *SMALL)
    lines = result.err.splitlines()
    assert lines[:7] == [
        "data: 1200 rows, 2 classes of y: no 576, yes 624",
        "  4 CSV files, 20 kB",
        "  numbers:    x",
        "  categories: c (2)",
        "  id is left out: it has a different text in every row, as identifiers do.",
        "1002 rows to train on, 198 held out; network 3-4-2",
        "  --hidden describes the network; without such an option, the network has 128 hidden units",
    ]
    assert lines[7].startswith("  each epoch reads the encoded rows, ")
    assert lines[8].startswith("3 epochs, training loss ")
    assert lines[-1] == ("The model is in data.safetensors. Use it: glassmax predict data.safetensors data --keep id")
    assert result.out.startswith("On 198 rows held out\n")
    assert sorted(os.listdir()) == ["all.csv", "data", "data.safetensors", "temporary"]
    assert os.listdir("temporary") == []
    assert len(done("predict", "data.safetensors", "data").out.splitlines()) == 1201


def test_without_options_one_network_takes_the_place_of_a_preset(files, done):
    lines = done("train", "data", "--target", "y").err.splitlines()
    assert "1002 rows to train on, 198 held out; network 3-128-2" in lines
    assert "  one network is trained in place of a preset, which needs all rows in memory" in lines
    assert not any("SoftmaxClassifier" in line or "pass network" in line for line in lines)


@pytest.mark.parametrize(
    "data",
    [
        ["data/"],
        ["data/*.csv"],
        [f"data/part-{part}.csv" for part in (3, 1, 0, 2)],
        ["all.csv", "--stream"],
        ["all.csv", "--cache-folder", "cache"],
    ],
)
def test_the_model_does_not_depend_on_the_cut_into_files(files, done, data):
    done("train", "data", "--target", "y", *SMALL, "-o", "one")
    done("train", *data, "--target", "y", *SMALL, "-o", "other")
    assert theta("one").tobytes() == theta("other").tobytes()


def test_a_cache_folder_stays_and_is_used_again(files, done, monkeypatch):
    done("train", "data", "--target", "y", *SMALL, "--cache-folder", "cache")
    before = {name: os.stat(f"cache/{name}").st_mtime_ns for name in os.listdir("cache")}
    seen = []
    monkeypatch.setattr(FilesTrainingRun, "_progress", lambda self, told: seen.append(type(told)))
    done("train", "data", "--target", "y", *SMALL, "--learning-rate", "0.01", "--cache-folder", "cache")
    assert {name: os.stat(f"cache/{name}").st_mtime_ns for name in os.listdir("cache")} == before
    assert set(seen) == {WindowDone}


def test_json_says_what_was_trained(files, done):
    facts = json.loads(done("train", "data", "--target", "y", *SMALL, "--json").out)
    assert (facts["files"], facts["training_rows"], facts["layer_sizes"], facts["epochs"]) == (4, 1002, [3, 4, 2], 3)
    assert facts["stop_reason"] == "max_iter"
    assert facts["judged_on"] == "198 rows held out"
    assert facts["model"] == "data.safetensors"


def test_without_rows_held_out_there_are_no_figures(files, done):
    result = done("train", "data", "--target", "y", *SMALL, "--held-out", "0", "--json")
    assert "accuracy" not in json.loads(result.out)
    assert "1200 rows to train on, none held out; network 3-4-2" in result.err
    assert done("train", "data", "--target", "y", *SMALL, "--held-out", "0").out == ""


def test_a_fraction_of_validation_rows_alone_turns_early_stopping_on(files, done):
    err = done("train", "data", "--target", "y", "--validation", "0.1", "--epochs", "2").err
    assert " for early stopping, " in err
    assert "no effect" not in err


@pytest.mark.parametrize("typed", ["--baseline", "--no-baseline"])
def test_a_linear_model_to_compare_with_is_said_to_need_all_rows(files, done, typed):
    sentence = (
        f"{typed} has no effect on rows that are read from files piece by piece, because the linear model needs all "
        "rows in memory."
    )
    lines = done("train", "data", "--target", "y", *SMALL, typed).err.splitlines()
    assert [line for line in lines if "no effect" in line] == [sentence]


@pytest.mark.parametrize(
    ("folder", "data", "where", "elsewhere"),
    [
        ("data", ".", "is in the folder .", "../model.safetensors"),
        ("data", "../data", "is in the folder ../data", "../model.safetensors"),
        ("data", "*", "matches *", "../model.safetensors"),
    ],
)
def test_a_model_without_a_name_is_not_written_into_the_folder_that_is_read(
    files, done, run, folder, data, where, elsewhere
):
    os.chdir(folder)
    code, _, message = run("train", data, "--target", "y", *SMALL)
    assert code == 1
    assert message.strip() == (
        f"Error: The model would be written to data.safetensors, which {where}, so it would be read as data the next "
        f"time. Pass --output with a path elsewhere, such as --output {elsewhere}."
    )
    done("train", data, "--target", "y", *SMALL, "-o", elsewhere)
    assert os.path.isfile("../model.safetensors")


def test_options_go_into_a_file_and_come_back(files, done):
    typed = ("train", "data/part-0.csv", "data/part-1.csv", "--target", "y", *SMALL, "--cache-folder", "cache")
    with open("run.toml", "w") as file:
        file.write(done(*typed, "--print-config").out)
    with open("run.toml") as file:
        lines = file.read().splitlines()
    assert 'data = ["data/part-0.csv", "data/part-1.csv"]' in lines
    assert 'cache-folder = "cache"' in lines
    assert '# preset = "default"' in lines
    done("train", "--config", "run.toml", "-o", "one")
    done(*typed, "-o", "other")
    assert theta("one").tobytes() == theta("other").tobytes()


def test_a_single_file_stays_in_a_file_of_options_as_it_was(files, done):
    assert 'data = "all.csv"\n' in done("train", "all.csv", "--target", "y", "--print-config").out


# --- a single file ---------------------------------------------------------------------------------------------------


def test_a_single_file_is_read_into_memory(files, done):
    assert "preset fast: several networks" in done("train", "all.csv", "--target", "y", "--preset", "fast").err


@pytest.fixture
def little_memory(files, monkeypatch):
    """Leave four times the size of the file, and a little less."""
    monkeypatch.setattr(files_options, "available_memory", lambda: 4 * os.path.getsize("all.csv") - 400)


def test_a_file_that_takes_much_of_the_memory_is_read_piece_by_piece(little_memory, done):
    lines = done("train", "all.csv", "--target", "y", "--epochs", "2").err.splitlines()
    assert lines[0] == (
        "all.csv takes about 20 kB in memory, more than a quarter of the 81 kB available, so its rows are read piece "
        "by piece. To read them all into memory, pass --no-stream."
    )
    assert lines[2] == "  1 CSV file, 20 kB"


@pytest.mark.parametrize("more", [("--no-stream",), ("--preset", "fast"), ("--validation", "data/part-0.csv")])
def test_a_large_file_is_read_into_memory_if_an_option_needs_that(little_memory, done, more):
    network = () if "--preset" in more else ("--hidden", "4", "--epochs", "2")
    assert "piece by piece" not in done("train", "all.csv", "--target", "y", *network, *more).err


def test_the_numbers_of_a_columnar_file_count_and_not_its_size(files, monkeypatch):
    pl.DataFrame({f"x{i}": np.zeros(1000) for i in range(9)}).write_parquet("zeros.parquet")
    monkeypatch.setattr(files_options, "available_memory", lambda: 8 * 9 * 1000 * 4 - 1)
    options = {"stream": None, "engine": None, "cache_folder": None}
    assert files_options.on_files(["zeros.parquet"], options).startswith("zeros.parquet takes about 72 kB in memory")
    monkeypatch.setattr(files_options, "available_memory", lambda: 8 * 9 * 1000 * 4)
    assert files_options.on_files(["zeros.parquet"], options) is None


# --- interruptions ---------------------------------------------------------------------------------------------------


@contextmanager
def ctrl_c(monkeypatch, kind, number=1):
    """Press Ctrl-C when progress of some kind is told for the n-th time."""
    told = []

    def press(self, record):
        told.append(isinstance(record, kind) and type(record) is kind)
        if sum(told) == number and told[-1]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FilesTrainingRun, "_progress", press)
        yield


def test_ctrl_c_keeps_the_model_so_far_and_the_same_command_resumes(files, run, done, monkeypatch):
    command = ("train", "data", "--target", "y", *SMALL, "--checkpoint", "run.ckpt")
    done(*command[:-2], "-o", "whole")
    with ctrl_c(monkeypatch, WindowDone, 3):
        result = run(*command)
    assert result.code == 130
    assert "Stopped by Ctrl-C after 2 epochs; the weights so far are kept." in result.err
    assert result.err.endswith(
        "Training was interrupted: the model has learned from 2 epochs.\n"
        "Run the same command again to resume the training from run.ckpt.\n"
    )
    assert len(theta()) == 26
    assert os.path.isdir("run.ckpt.rows")
    resumed = done(*command)
    assert "  run.ckpt has 2 epochs; the training resumes\n" in resumed.err
    assert theta().tobytes() == theta("whole").tobytes()
    assert sorted(os.listdir()) == ["all.csv", "data", "data.safetensors", "run.ckpt", "temporary", "whole"]


def test_without_a_checkpoint_ctrl_c_says_how_to_be_able_to_resume(files, run, monkeypatch):
    with ctrl_c(monkeypatch, WindowDone, 2):
        result = run("train", "data", "--target", "y", *SMALL)
    assert result.code == 130
    assert result.err.endswith("To make a training resumable, start it with --checkpoint FILE.\n")
    assert os.listdir("temporary") == []


@pytest.mark.parametrize("kind", [ScanProgress, EncodingProgress])
def test_ctrl_c_before_the_training_leaves_nothing(files, run, monkeypatch, kind):
    with ctrl_c(monkeypatch, kind):
        result = run("train", "data", "--target", "y", *SMALL)
    assert (result.code, result.out) == (130, "")
    assert result.err == "Interrupted before the training began; no model was written.\n"
    assert sorted(os.listdir()) == ["all.csv", "data", "temporary"]
    assert os.listdir("temporary") == []


@pytest.mark.parametrize("kind", [ScanProgress, EncodingProgress])
def test_ctrl_c_before_the_training_keeps_what_a_checkpoint_has(files, run, done, monkeypatch, kind):
    command = ("train", "data", "--target", "y", *SMALL, "--checkpoint", "run.ckpt")
    done(*command[:-2], "-o", "whole")
    with ctrl_c(monkeypatch, kind):
        result = run(*command)
    assert result.err == (
        "Interrupted before the training began; no model was written. The rows read so far are kept: run the same "
        "command again to continue.\n"
    )
    done(*command)
    assert theta().tobytes() == theta("whole").tobytes()
    assert not os.path.exists("run.ckpt.rows")


# --- faults while it runs --------------------------------------------------------------------------------------------


def test_a_checkpoint_of_other_files_is_refused(files, run, done):
    command = ("train", "data", "--target", "y", *SMALL, "--checkpoint", "run.ckpt")
    done(*command)
    before = theta().tobytes()
    shutil.copy("data/part-3.csv", "data/part-4.csv")
    result = run(*command)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("Error: --checkpoint run.ckpt belongs to another run: the files ")
    assert theta().tobytes() == before


def test_another_run_does_not_touch_what_an_interrupted_one_has_kept(files, run, done, monkeypatch):
    command = ("train", "data", "--target", "y", *SMALL, "--checkpoint", "run.ckpt")
    with ctrl_c(monkeypatch, WindowDone, 3):
        run(*command)
    kept = {path: os.stat(f"run.ckpt.rows/{path}").st_mtime_ns for path in os.listdir("run.ckpt.rows")}
    for other in (["data/part-0.csv", "data/part-1.csv"], ["data", "--ignore", "c"], ["data", "--hidden", "5"]):
        result = run("train", *other, *command[2:] if "--hidden" not in other else command[2:4] + command[6:])
        assert result.err.startswith("Error: --checkpoint run.ckpt belongs to another run: ")
        assert {path: os.stat(f"run.ckpt.rows/{path}").st_mtime_ns for path in os.listdir("run.ckpt.rows")} == kept
    assert "the training resumes" in done(*command).err


def test_a_file_that_vanishes_before_its_rows_are_encoded_is_named(files, run, monkeypatch):
    def remove(self, record):
        if type(record) is ScanProgress and record.rows == 1200 and os.path.exists("data/part-2.csv"):
            os.remove("data/part-2.csv")

    monkeypatch.setattr(FilesTrainingRun, "_progress", remove)
    result = run("train", "data", "--target", "y", *SMALL)
    words = "part-2.csv no longer exists. The file was there when the files were first listed."
    assert (result.code, result.out, result.err) == (1, "", f"Error: {words}\n")
    assert os.listdir("temporary") == []


def test_files_that_vanish_during_the_epochs_are_not_missed(files, done, monkeypatch):
    done("train", "data", "--target", "y", *SMALL, "-o", "whole")

    def remove(self, record):
        if isinstance(record, WindowDone) and os.path.exists("data"):
            shutil.rmtree("data")

    monkeypatch.setattr(FilesTrainingRun, "_progress", remove)
    done("train", "data", "--target", "y", *SMALL, "-o", "other")
    assert not os.path.exists("data")
    assert theta("whole").tobytes() == theta("other").tobytes()


@contextmanager
def full_disk(size):
    """Let no file become larger than a number of bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_said_and_the_earlier_model_stays(files, run, done):
    done("train", "data", "--target", "y", *SMALL)
    before = theta().tobytes()
    with full_disk(8000):
        result = run("train", "data", "--target", "y", *SMALL, "--learning-rate", "0.1")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("Error: ")
    assert "can't be written" in result.err
    assert "File too large" in result.err
    assert result.err.count("\n") == 1
    assert theta().tobytes() == before
    assert os.listdir("temporary") == []


def test_a_truncated_file_is_named(files, rows, run):
    os.mkdir("cut")
    for part in range(2):
        rows[300 * part : 300 * part + 300].write_parquet(f"cut/part-{part}.parquet")
    with open("cut/part-1.parquet", "rb+") as file:
        file.truncate(2000)
    result = run("train", "cut", "--target", "y", *SMALL)
    assert result.code == 1
    assert result.err.startswith("Error: cut/part-1.parquet is not a complete Parquet file: ")


def test_a_target_that_one_file_of_json_lines_lacks(files, rows, run):
    os.mkdir("lines")
    rows[:300].write_ndjson("lines/part-0.jsonl")
    rows[300:600].drop("y").write_ndjson("lines/part-1.jsonl")
    result = run("train", "lines", "--target", "y", *SMALL)
    assert (result.code, result.err) == (1, "Error: part-1.jsonl has no column 'y'. There are 'id', 'x', 'c'.\n")


def test_a_cell_that_is_no_number_is_named_by_file_and_row(files, run):
    with open("data/part-1.csv", "a") as file:
        file.write("r,n/k,u,yes\n")
    result = run("train", "data", "--target", "y", *SMALL)
    assert result.code == 1
    assert result.err.startswith("Error: Row 301 of part-1.csv (line 302): column 'x' is 'n/k', expected a number")


# --- progress --------------------------------------------------------------------------------------------------------


def told():
    """What a run tells: a scan, the encoding, a window, an epoch."""
    return [
        ScanProgress(500, 10_000_000, 40_000_000, 500, 10_000_000, 2.0),
        EncodingProgress(1500, 30_000_000, 40_000_000, 1000, 20_000_000, 100.0),
        WindowDone(2, 3_000_000, 12_000_000, 240_000_000, 3_000_000, 2.0),
        Epoch(2, 0.5, None, 10, 900, 0.1),
    ]


def test_lines_of_a_log(monkeypatch, capsys):
    monkeypatch.setattr(files_progress, "console", lambda err: None)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1)
    scan, encoding, window, epoch = told()
    with files_progress.of_passes() as show:
        show(scan)
        show(encoding)
    with files_progress.of_epochs_on_files(5, lambda: [0.75]) as (show_epoch, show_window):
        show_window(window)
        show_epoch(epoch)
    assert capsys.readouterr().err.splitlines() == [
        "reading the files: 25 %, 250 rows/s, 5.0 MB/s, 6 s left",
        "encoding the rows: 75 %, 10 rows/s, 0.2 MB/s, 50 s left",
        "epoch 2 of 5: 25 %, loss 0.7500, 1.50 M rows/s, 120 MB/s, 30 s left at most",
        "epoch 2 of 5: loss 0.5000, 9,000 rows/s, 0 s left at most",
    ]


def test_a_bar_fits_a_terminal_of_80_columns(monkeypatch):
    shown = terminal()
    monkeypatch.setattr(files_progress, "console", lambda err: shown)
    scan, encoding, window, epoch = told()
    with files_progress.of_passes() as show:
        show(scan)
        show(encoding)
    with files_progress.of_epochs_on_files(1000, lambda: [0.75]) as (show_epoch, show_window):
        show_window(window._replace(epoch=999, rows_here=900, seconds=7200.0))
        show_window(window)
        show_epoch(epoch)
    drawn = shown.file.getvalue()
    assert "encoding the rows" in drawn
    assert "75 %, 10 rows/s, 0.2 MB/s, 50 s left" in drawn
    assert "epoch 2 of 1000" in drawn
    assert "loss 0.5000, 9,000 rows/s, 100 s left" in drawn or "loss 0.5000, 9,000 rows/s, 2 min left" in drawn


def test_nothing_is_read_yet(monkeypatch, capsys):
    monkeypatch.setattr(files_progress, "console", lambda err: None)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1)
    with files_progress.of_passes() as show:
        show(EncodingProgress(0, 0, 40_000_000, 0, 0, 0.1))
    assert capsys.readouterr().err == "encoding the rows: 0 %\n"


def test_quiet_shows_no_progress(files, done):
    assert done("train", "data", "--target", "y", *SMALL, "--quiet").err == ""
