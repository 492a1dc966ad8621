"""The folder of a run: what stays, what is removed, and what a killed process leaves behind."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from glassmax.errors import DataError
from glassmax.streaming import folder as folder_
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


def test_a_second_run_in_a_named_folder_is_one_sentence(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".in-use").touch()  # what a killed run has left
    with working_folder(tmp_path / "a") as folder:
        put(folder)
        with pytest.raises(DataError) as error, working_folder(tmp_path / "a"):
            pass
        assert str(error.value) == (
            f"The folder {tmp_path / 'a'} is in use by another run. Wait until it has ended, or name another one with "
            "cache_folder."
        )
        program = (
            "import sys\nfrom glassmax.streaming.folder import working_folder\n"
            "with working_folder(sys.argv[1]):\n    pass"
        )
        command = [sys.executable, "-c", program, str(folder)]
        child = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "is in use by another run" in child.stderr
    assert sorted(os.listdir(tmp_path / "a")) == ["manifest.json", "part-000000.rows", "scan.glassmax"]
    with working_folder(checkpoint=tmp_path / "run"):
        with (
            pytest.raises(DataError, match="name another one with checkpoint_path"),
            working_folder(None, tmp_path / "run"),
        ):
            pass
        assert (tmp_path / "run.rows").exists()
    assert not (tmp_path / "run.rows").exists()


def test_what_others_have_left_among_temporary_folders_stops_no_run(tmp_path, monkeypatch):
    abandoned = [tmp_path / "tmp" / f"glassmax-rows-{name}" for name in ("pipe", "link", "other", "mine")]
    for place in abandoned:
        place.mkdir()
    os.mkfifo(abandoned[0] / ".in-use")
    (tmp_path / "elsewhere").touch()
    (abandoned[1] / ".in-use").symlink_to(tmp_path / "elsewhere")
    for place in abandoned[2:]:
        (place / ".in-use").touch()
    real = os.lstat(abandoned[3])
    theirs = os.stat_result([*real[:4], real.st_uid + 1, *real[5:10]])
    lstat = os.lstat
    with monkeypatch.context() as patch:
        patch.setattr(os, "lstat", lambda path, **how: theirs if path == abandoned[2] else lstat(path, **how))
        folder_._remove_abandoned(folder_.PREFIX, str(tmp_path / "tmp"))
        assert [place.exists() for place in abandoned] == [True, True, True, False]
    with working_folder() as folder:
        left = sorted(os.listdir(tmp_path / "tmp"))
        assert left == sorted([folder.name, *(place.name for place in abandoned[:2])])
    for place in abandoned[:2]:
        shutil.rmtree(place)


def test_a_temporary_folder_that_another_process_took_for_abandoned_is_replaced(tmp_path, monkeypatch):
    locked, made = folder_._locked, []

    def removed_before(handle):
        if not made:
            (taken,) = (tmp_path / "tmp").iterdir()
            made.append(taken)
            shutil.rmtree(taken)
        return locked(handle)

    monkeypatch.setattr(folder_, "_locked", removed_before)
    with working_folder() as folder:
        assert folder.is_dir()
        assert folder != made[0]


def test_nothing_is_taken_for_abandoned_where_there_are_no_locks(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with working_folder() as folder, working_folder():
        assert folder.is_dir()
