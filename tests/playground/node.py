"""Running the page's own modules in Node.js: `run` takes jobs for twin.mjs and returns their results."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import glassmax

PACKAGE = Path(glassmax.__file__).parent / "playground"
NODE = shutil.which("node")

needs_node = pytest.mark.skipif(NODE is None, reason="Node.js is not installed: the page's modules can't be run")


def run(*jobs):
    """Run the jobs in one process and return what each printed."""
    command = [NODE, "--no-warnings", str(Path(__file__).with_name("twin.mjs")), str(PACKAGE)]
    done = subprocess.run(command, input=json.dumps(jobs), capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def job(what, network, X, Y, **more):
    """Describe a network and its rows for twin.mjs."""
    return {"what": what, "network": described(network), "theta": network.theta.tolist(), "l2": network.l2} | {
        "X": np.asarray(X).tolist(),
        "Y": np.asarray(Y).tolist(),
        **more,
    }


def described(network):
    """Return what the page knows of a network."""
    activation = network.activations[0] if network.activations else "identity"
    head = network.head
    return {"sizes": network.layer_sizes, "activation": activation, "output": head.output, "loss": head.loss}


def array(written):
    """Return a matrix that twin.mjs wrote."""
    return np.array([float(x) for x in written["data"]]).reshape(written["shape"])


def numbers(written):
    """Return a vector that twin.mjs wrote."""
    return np.array([float(x) for x in written])
