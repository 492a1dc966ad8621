"""Running the page's own modules: `run` takes jobs for jobs.js, runs them in Node.js, and returns the results."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

import glassmax
from glassmax.playground.bundle import bundled

PACKAGE = Path(glassmax.__file__).parent / "playground"
NODE = shutil.which("node")

needs_node = pytest.mark.skipif(NODE is None, reason="Node.js is not installed: the page's modules can't be run")


def script():
    """Return jobs.js with the modules that it needs, as one script."""
    modules = {path.name: path.read_text(encoding="utf-8") for path in (PACKAGE / "scripts").glob("*.js")}
    jobs = Path(__file__).with_name("jobs.js").read_text(encoding="utf-8")
    return bundled({**modules, "jobs.js": jobs}, "jobs.js")


def run(*jobs):
    """Run the jobs in one process and return what each answered."""
    code = f"""
        const document = {{ createElement: () => ({{ getContext: () => null }}) }};
        {script()}
        const {{ readFileSync }} = require("fs");
        const jobs = JSON.parse(readFileSync(0, "utf8"));
        const bytes = readFileSync({json.dumps(str(PACKAGE / "engine.wasm"))});
        $jobs.run(jobs, bytes).then((answers) => console.log(JSON.stringify(answers)));
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.cjs"
        path.write_text(code, encoding="utf-8")
        command = [NODE, "--no-warnings", str(path)]
        done = subprocess.run(command, input=json.dumps(jobs), capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def job(what, network, X, Y, **more):
    """Describe a network and its rows for jobs.js."""
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
    """Return a matrix that jobs.js wrote."""
    return np.array([float(x) for x in written["data"]]).reshape(written["shape"])


def numbers(written):
    """Return a vector that jobs.js wrote."""
    return np.array([float(x) for x in written])
