"""Files are written whole or not at all, whatever goes wrong in between."""

import errno
import os
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

from glassmax import SoftmaxClassifier
from glassmax.files import _prefix, remove_leftovers, write_whole, writing_whole

OLD, NEW = b"the old content", b"the new content, which is longer"


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def umask():
    """Set the process's mask, and put it back."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def test_a_new_file_holds_all_of_the_content_and_nothing_lies_beside_it(tmp_path):
    write_whole(tmp_path / "file", NEW)
    assert (tmp_path / "file").read_bytes() == NEW
    assert listing(tmp_path) == ["file"]


def test_an_old_file_is_replaced(tmp_path):
    (tmp_path / "file").write_bytes(OLD)
    write_whole(str(tmp_path / "file"), NEW)
    assert (tmp_path / "file").read_bytes() == NEW
    assert listing(tmp_path) == ["file"]


def test_whoever_has_the_old_file_open_goes_on_reading_it(tmp_path):
    (tmp_path / "file").write_bytes(OLD)
    with (tmp_path / "file").open("rb") as file:
        write_whole(tmp_path / "file", NEW)
        assert file.read() == OLD


def test_the_content_is_on_the_disk_before_the_name_points_to_it(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, name=name, real=real: (calls.append(name), real(*args))[1])
    write_whole(tmp_path / "file", NEW)
    assert calls == ["fsync", "replace", "fsync"]  # the file, its name, the folder


@pytest.mark.parametrize("name", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("existed", [True, False])
def test_a_fault_in_between_leaves_the_folder_as_it_was(tmp_path, monkeypatch, name, error, existed):
    if existed:
        (tmp_path / "file").write_bytes(OLD)

    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(os, name, fail)
    with pytest.raises(type(error)):
        write_whole(tmp_path / "file", NEW)
    assert listing(tmp_path) == ["file"] * existed
    assert not existed or (tmp_path / "file").read_bytes() == OLD


def test_a_disk_that_fills_half_way_leaves_the_old_file_byte_for_byte(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(OLD)
    real = os.fdopen

    class Full:
        def __init__(self, *args):
            self.file = real(*args)

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            self.file.close()

        def write(self, content):
            self.file.write(content[: len(content) // 2])
            self.file.flush()
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdopen", Full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "file", NEW)
    assert (tmp_path / "file").read_bytes() == OLD
    assert listing(tmp_path) == ["file"]


def test_a_folder_that_is_missing_or_a_file_is_an_error_and_nothing_is_made(tmp_path):
    (tmp_path / "plain").write_bytes(OLD)
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "no" / "file", NEW)
    with pytest.raises(NotADirectoryError):
        write_whole(tmp_path / "plain" / "file", NEW)
    assert listing(tmp_path) == ["plain"]


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "folder", NEW)
    assert listing(tmp_path) == ["folder"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_an_old_file_keeps_its_permissions(tmp_path, mode):
    (tmp_path / "file").write_bytes(OLD)
    (tmp_path / "file").chmod(mode)
    write_whole(tmp_path / "file", NEW)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_gets_the_permissions_that_the_mask_leaves(tmp_path, umask, mask, mode):
    umask(mask)
    write_whole(tmp_path / "file", NEW)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode
    assert umask(mask) == mask


def test_a_link_is_followed_and_stays_a_link(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "file").write_bytes(OLD)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "file")
    write_whole(tmp_path / "link", NEW)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "far" / "file").read_bytes() == NEW
    assert listing(tmp_path / "far") == ["file"]


def test_a_link_to_nothing_yet_makes_the_file_it_names(tmp_path):
    (tmp_path / "link").symlink_to("file")
    write_whole(tmp_path / "link", NEW)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == NEW


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_whole(pipe, NEW)
    reader.join(30)
    assert received == [NEW]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert listing(tmp_path) == ["pipe"]


def test_a_name_as_long_as_the_system_allows_is_written(tmp_path):
    name = "n" * 255
    write_whole(tmp_path / name, NEW)
    assert listing(tmp_path) == [name]


# --- what a killed process leaves behind -----------------------------------------------------------------------------


def test_the_leftovers_of_a_path_are_removed_and_no_others(tmp_path):
    path = tmp_path / "run.checkpoint"
    own = [tmp_path / ".run.checkpoint.ab12_xyz.part", tmp_path / ".run.checkpoint.1.part"]
    others = [
        ".run.ab12_xyz.part",
        ".run.checkpoint.2.ab12_xyz.part",
        "run.checkpoint",
        ".run.checkpoint.part",
        "a.part",
    ]
    for name in (*own, *(tmp_path / other for other in others)):
        name.write_bytes(b"x")
    remove_leftovers(path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(others)


def test_a_file_that_is_being_written_stays(tmp_path):
    with writing_whole(tmp_path / "run") as file:
        file.write(b"half")
        remove_leftovers(tmp_path / "run")
        assert len(list(tmp_path.glob(".run.*.part"))) == 1
    assert (tmp_path / "run").read_bytes() == b"half"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_leftovers_of_long_names_and_of_no_folder(tmp_path):
    long, other = tmp_path / ("a" * 230 + "1"), tmp_path / ("a" * 230 + "2")
    with pytest.raises(RuntimeError), writing_whole(long):
        raise RuntimeError
    write_whole(long, b"x")
    prefixes = {_prefix(path) for path in (long, other)}
    assert len(prefixes) == 2
    remove_leftovers(tmp_path / "none" / "run")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_killed_run_leaves_nothing_once_it_has_been_started_again(tmp_path):
    program = (
        "import os, signal, sys\n"
        "from glassmax.files import writing_whole\n"
        "with writing_whole(sys.argv[1]) as file:\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "run.checkpoint"
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert len(list(tmp_path.glob(".run.checkpoint.*.part"))) == 1
    X, y = np.arange(20.0)[:, None], np.arange(20) % 2
    SoftmaxClassifier((), max_iter=2, random_state=0, checkpoint_path=path).fit(X, y)
    assert [file.name for file in tmp_path.iterdir()] == ["run.checkpoint"]
