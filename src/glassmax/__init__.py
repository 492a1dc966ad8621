"""glassmax: the softmax classifier you can see through.

The map, from the formulas up::

    functional/     affine, activations, softmax, losses: every f beside its f_vjp
    gradcheck       does f_vjp belong to f? measured along random directions
    parameters      W1, b1, W2, ... as views of one vector theta
    calculus/       a gradient derived from its loss, step by step, every line proved
    network         Network: forward, exact gradients, Jacobian, Hessian products
    table/          a file, a frame or a built-in example in: read, told apart, encoded
    initializers    starting weights
    optimizers      SGD with momentum, Adam, learning-rate schedules, L-BFGS
    engine/         whole epochs; the reference engine is NumPy
    model           network, classes and encoding together; the model file
    training/       the stream of epochs, and what reads it: patience, scores, checkpoints
    learner/        a stranger's program: found, understood, run in a process of its own
    doctor/         a gradient of your own against the truth: what is wrong, where, why
    estimator/      SoftmaxClassifier, the scikit-learn face
    cli/            the command line
    errors          what can go wrong, as a tree
    sealed          tensors and a text in a file, under a hash
    files           files written whole or not at all

Public names are loaded when they are first used; ``import glassmax`` itself loads NumPy and nothing else.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as _numpy  # noqa: F401 - the one thing that `import glassmax` loads

if TYPE_CHECKING:
    from . import calculus, doctor, errors, functional, gradcheck, training
    from .calculus import derive
    from .doctor import diagnose
    from .estimator import SoftmaxClassifier
    from .model import Model, load_model
    from .network import Network
    from .table import read_table

__version__ = "0.1.0"

__all__ = [
    "Model",
    "Network",
    "SoftmaxClassifier",
    "calculus",
    "derive",
    "diagnose",
    "doctor",
    "errors",
    "functional",
    "gradcheck",
    "load_model",
    "read_table",
    "training",
]

_HOME = {
    "Model": "model",
    "Network": "network",
    "SoftmaxClassifier": "estimator",
    "derive": "calculus",
    "diagnose": "doctor",
    "load_model": "model",
    "read_table": "table",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    elif name in __all__:
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module 'glassmax' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
