"""Workers that are the ranks of an MPI job; each test starts one, on this machine."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from glassmax.distributed import WorkerSettings
from glassmax.errors import OptionError, WorkerError

HERE = Path(__file__).parent
MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed: glassmax[mpi]"),
    pytest.mark.skipif(MPIEXEC is None, reason="there is no mpiexec: glassmax[mpi]"),
]


def run(n_ranks, *arguments, program="mpi_faults.py", seconds=60):
    """Run a program of the folder on some ranks; return exit code, output and errors."""
    command = [MPIEXEC, "-n", str(n_ranks), sys.executable, str(HERE / "programs" / program), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(HERE / "site")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    return done.returncode, done.stdout, done.stderr
