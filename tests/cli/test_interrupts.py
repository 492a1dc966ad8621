"""Ctrl-C while the command line loads, and soon after: no traceback.

A child process sends itself the signal at the moment when a certain module is about to be imported.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from glassmax.interrupts import was_interrupted

SIGNAL_AT_IMPORT = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
"""
SCRIPT = Path(sys.executable).with_name("glassmax")
WHILE_IT_LOADS = ["numpy", "glassmax.cli", "click", "glassmax.cli.talk"]
LATER = ["glassmax.cli.commands.train", "glassmax.table", "narwhals", "sklearn", "glassmax.engine._native"]


@pytest.fixture
def interrupted(tmp_path):
    """Return a function that runs a command and interrupts it at an import."""
    (tmp_path / "sitecustomize.py").write_text(SIGNAL_AT_IMPORT)

    def interrupted(at, *argv):
        environment = os.environ | {"PYTHONPATH": str(tmp_path), "INTERRUPT_AT": at}
        return subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)

    return interrupted


TRAIN = ("train", "toy", "--hidden", "2", "--epochs", "1", "-o", "m")


@pytest.mark.parametrize("at", WHILE_IT_LOADS)
@pytest.mark.parametrize("command", [(str(SCRIPT),), (sys.executable, "-m", "glassmax")], ids=["script", "module"])
def test_an_interrupt_while_the_command_line_loads_ends_it_at_once(interrupted, command, at):
    ended = interrupted(at, *command, *TRAIN)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("at", LATER)
def test_an_interrupt_while_a_command_loads_is_said(interrupted, tmp_path, at):
    ended = interrupted(at, sys.executable, "-m", "glassmax", *TRAIN)
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (130, "Interrupted. Nothing was written.")
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "m.safetensors").exists()


def test_a_program_that_imports_glassmax_keeps_its_own_interrupts(interrupted):
    program = "import signal, glassmax, glassmax.cli; print(signal.getsignal(signal.SIGINT).__name__)"
    assert interrupted("", sys.executable, "-c", program).stdout == "default_int_handler\n"
    caught = "try:\n    import glassmax.cli\nexcept KeyboardInterrupt:\n    print('caught')"
    assert interrupted("click", sys.executable, "-c", caught).stdout == "caught\n"


def test_an_error_that_an_interrupt_has_caused_counts_as_one():
    def raised(first, second):
        try:
            try:
                raise first
            except BaseException as error:
                raise second from error
        except BaseException as error:
            return error

    assert was_interrupted(raised(KeyboardInterrupt(), ImportError("numpy failed")))
    assert not was_interrupted(raised(ValueError(), ImportError("numpy failed")))
    assert not was_interrupted(None)
