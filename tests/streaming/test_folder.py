"""The folder of a run: what stays, what is removed, and what a killed process leaves behind."""

import os
import signal
import subprocess
import sys

import pytest

from glassmax.errors import DataError
from glassmax.streaming.folder import working_folder


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    yield
    assert os.listdir(tmp_path / "tmp") == []


def put(folder):
    for name in ("manifest.json", "part-000000.rows", "scan.glassmax"):
        (folder / name).write_text("x")


def test_a_named_folder_stays(tmp_path):
    with working_folder(tmp_path / "a" / "b", tmp_path / "run") as folder:
        put(folder)
    assert len(os.listdir(tmp_path / "a" / "b")) == 3


def test_the_folder_beside_a_checkpoint_stays_until_the_run_is_done(tmp_path):
    def run(error=None):
        with working_folder(checkpoint=tmp_path / "run.checkpoint") as folder:
            assert folder == tmp_path / "run.checkpoint.rows"
            put(folder)
            if error:
                raise error

    with pytest.raises(KeyboardInterrupt):
        run(KeyboardInterrupt())
    assert len(os.listdir(tmp_path / "run.checkpoint.rows")) == 3
    run()
    assert not (tmp_path / "run.checkpoint.rows").exists()
    (tmp_path / "run.checkpoint.rows").mkdir()
    (tmp_path / "run.checkpoint.rows" / "mine").write_text("x")
    run()
    assert os.listdir(tmp_path / "run.checkpoint.rows") == ["mine"]


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_a_temporary_folder_is_removed_in_any_case(error):
    def run():
        with working_folder() as folder:
            put(folder)
            if error:
                raise error
        return folder

    if error is None:
        assert not run().exists()
    else:
        with pytest.raises(KeyboardInterrupt):
            run()


def test_the_temporary_folder_of_a_killed_process_is_removed_by_the_next_and_that_of_a_running_one_is_not(tmp_path):
    program = (
        "import os, signal\nfrom glassmax.streaming.folder import working_folder\n"
        "with working_folder() as folder:\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr
    (left,) = os.listdir(tmp_path / "tmp")
    with working_folder() as folder:
        assert os.listdir(tmp_path / "tmp") == [folder.name]
        assert folder.name != left
        with working_folder() as other:
            assert sorted(os.listdir(tmp_path / "tmp")) == sorted([folder.name, other.name])


def test_a_folder_that_cant_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(DataError, match=r"can't be made: Not a directory\. Choose another folder with cache_folder\."),
        working_folder(tmp_path / "file" / "a"),
    ):
        pass
