"""glassmax train on files with --engine: what is printed, by whom, and with which exit code."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glassmax import load_model
from glassmax.cli import mpi_ranks
from glassmax.distributed import WorkerSettings, mpi
from glassmax.errors import WorkerError

SMALL = ("--target", "y", "--hidden", "4", "--epochs", "2", "--batch-size", "128")
MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
IS_MPI_THERE = importlib.util.find_spec("mpi4py") is not None and MPIEXEC is not None
needs_mpi = pytest.mark.skipif(not IS_MPI_THERE, reason="mpi4py or mpiexec is not installed: glassmax[mpi]")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Write three files of 200 rows into a folder."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("data")
    draw = np.random.default_rng(0)
    for part in range(3):
        x = draw.normal(size=200).round(3)
        cells = [f"{cell},{'ab'[int(cell > 0)]}" for cell in x]
        Path(f"data/part-{part}.csv").write_text("\n".join(["x,y", *cells]) + "\n")


def test_processes_train_and_the_report_says_so(data, done):
    result = done("train", "data", *SMALL, "--engine", "processes", "--workers", "2", "--json")
    assert "network 1-4-2, trained by 2 workers (processes)\n" in result.err
    facts = json.loads(result.out)
    assert (facts["files"], facts["epochs"]) == (3, 2)
    assert sorted(os.listdir()) == ["data", "data.safetensors"]
    assert load_model("data.safetensors").network.layer_sizes == (1, 4, 2)


def test_averaging_is_another_way_to_train(data, done):
    on_two = (*SMALL, "--engine", "processes", "--workers", "1")
    done("train", "data", *on_two, "-o", "summed")
    done("train", "data", *on_two, "--averaging", "local_sgd", "--averaging-steps", "2", "-o", "averaged")
    summed, averaged = (load_model(name).network.theta for name in ("summed", "averaged"))
    assert np.isfinite(averaged).all()
    assert not np.array_equal(summed, averaged)


# --- the ranks of an MPI job -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", mpi_ranks.RANK)
def test_only_ranks_other_than_0_are_silent_and_only_with_mpi(name):
    typed = ["train", "data", "--engine", "mpi"]
    assert mpi_ranks.is_silent(typed, {name: "3"})
    assert mpi_ranks.is_silent(["train", "--engine=mpi"], {name: "1"})
    assert not mpi_ranks.is_silent(typed, {name: "0"})
    assert not mpi_ranks.is_silent(typed, {})
    assert not mpi_ranks.is_silent(["train", "data", "--engine", "ray"], {name: "3"})
    assert not mpi_ranks.is_silent(["predict", "m", "mpi"], {name: "3"})


def test_a_file_of_options_may_name_the_engine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mpi.toml").write_text('engine = "mpi"\nunknown = 1\n')
    Path("ray.toml").write_text('engine = "ray"\n')
    Path("broken.toml").write_text("engine =")
    rank = {"PMI_RANK": "2"}
    for typed in (["--config", "mpi.toml"], ["--config=mpi.toml"], ["--config", "ray.toml", "--engine", "mpi"]):
        assert mpi_ranks.is_silent(["train", "data", *typed], rank)
        assert not mpi_ranks.is_silent(["train", "data", *typed], {"PMI_RANK": "0"})
    for name in ("ray.toml", "broken.toml", "missing.toml", "."):
        assert not mpi_ranks.is_silent(["train", "data", "--config", name], rank)
    for typed in (["--engine", "ray", "--config", "mpi.toml"], ["--config"], ["mpi.toml"]):
        assert not mpi_ranks.is_silent(["train", "data", *typed], rank)


@pytest.mark.parametrize(("engine", "rank", "expected"), [("mpi", "2", False), ("mpi", "0", True), ("ray", "2", True)])
def test_rank_0_drives(monkeypatch, engine, rank, expected):
    monkeypatch.setenv("PMI_RANK", rank)
    assert mpi_ranks.drives(WorkerSettings(engine)) is expected
    assert mpi_ranks.drives(None)


class Ranks:
    """What stands for `MPIWorkers`."""

    served = closed = 0
    error = None

    def __init__(self, settings):
        assert settings.engine == "mpi"
        mpi.early_ranks.clear()

    def serve(self):
        Ranks.served += 1
        if Ranks.error is not None:
            raise Ranks.error

    def close(self):
        Ranks.closed += 1


@pytest.fixture
def ranks(monkeypatch):
    """Let `Ranks` stand for the ranks of an MPI job."""
    monkeypatch.setattr(mpi, "MPIWorkers", Ranks)
    monkeypatch.setattr(mpi, "meet_early", lambda n_workers, limit: mpi.early_ranks.append((n_workers, limit)))
    monkeypatch.setattr(Ranks, "served", 0)
    monkeypatch.setattr(Ranks, "closed", 0)
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # restored afterwards
    return Ranks


@pytest.mark.parametrize("error", [None, WorkerError("Rank 0 has ended the work."), KeyboardInterrupt()])
def test_other_ranks_serve_and_leave_the_exit_code_to_rank_0_of_mpi(data, ranks, monkeypatch, done, error):
    monkeypatch.setenv("PMI_RANK", "1")
    monkeypatch.setattr(ranks, "error", error)
    result = done("train", "data", *SMALL, "--engine", "mpi")
    assert (result.out, result.err, ranks.served, ranks.closed) == ("", "", 1, 1)
    assert os.listdir() == ["data"]


def test_rank_0_lets_the_others_go_if_it_fails_before_workers_are_opened(data, ranks, run):
    result = run("train", "nope", *SMALL, "--engine", "mpi", "--stream")
    assert result.err.startswith("Error: nope: there is no such file.")
    assert (result.code, ranks.closed, ranks.served) == (1, 1, 0)
    assert mpi.early_ranks == []


@pytest.mark.skipif(importlib.util.find_spec("mpi4py") is not None, reason="mpi4py is installed")
def test_without_mpi_one_sentence_says_what_to_install(data, run):
    result = run("train", "data", *SMALL, "--engine", "mpi")
    words = "--engine mpi needs mpi4py and an MPI library. Install both: pip install 'glassmax[mpi]'"
    assert (result.code, result.out, result.err) == (1, "", f"Error: {words}\n")
    assert os.listdir() == ["data"]


def on_ranks(*arguments):
    """Run a command on two ranks; return the exit code, stdout and stderr."""
    command = [MPIEXEC, "-n", "2", sys.executable, "-m", "glassmax", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
@needs_mpi
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nope", "--stream"), 1, "nope: there is no such file."),
        (
            ("data", "--solver", "lbfgs", "--averaging", "local_sgd"),
            2,
            "--solver is 'lbfgs', expected another one with ",
        ),
        (("data", "--ignore", "nothing"), 1, ""),
    ],
    ids=str,
)
def test_two_ranks_of_mpi_end_with_one_message_if_rank_0_fails_before_it_drives(data, arguments, code, message):
    found, out, err = on_ranks("train", *arguments, *SMALL, "--engine", "mpi")
    assert (found, out) == (code, "")
    assert err.count("Error: ") == 1
    assert message in err


@pytest.mark.slow
@needs_mpi
def test_two_ranks_of_mpi_print_once_and_write_the_model_of_one_process(data, done):
    code, out, err = on_ranks("train", "data", *SMALL, "--engine", "mpi", "--json")
    assert code == 0
    assert err.count("The model is in data.safetensors.") == 1
    assert json.loads(out)["epochs"] == 2
    done("train", "data", *SMALL, "--engine", "processes", "--workers", "1", "-o", "other")
    assert load_model("data.safetensors").network.theta.tobytes() == load_model("other").network.theta.tobytes()


FAULTS = {
    "no_file": (("nope", *SMALL, "--stream"), 1, "Error: nope: there is no such file."),
    "no_column": (("data", *SMALL[2:], "--target", "z"), 1, "Error: part-0.csv has no column 'z'."),
    "no_target": (("data", *SMALL[2:]), 2, "Usage: glassmax train"),
    "an_unknown_option": (("data", *SMALL, "--tuna"), 2, "Usage: glassmax train"),
    "another_number_of_ranks": (("data", *SMALL, "--workers", "3"), 2, "Error: --workers is 3, expected 2,"),
    "an_option_that_files_lack": (("data", *SMALL, "--min-count", "2"), 2, "Error: --min-count is 2, expected 1"),
}


@pytest.mark.slow
@needs_mpi
@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_on_ranks_of_mpi_is_said_once_and_nothing_hangs(data, case):
    arguments, expected, words = FAULTS[case]
    code, out, err = on_ranks("train", *arguments, "--engine", "mpi")
    assert (code, out) == (expected, "")
    assert err.startswith(words)
    assert err.count("Error: ") == 1
