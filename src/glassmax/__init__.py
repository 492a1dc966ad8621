"""The softmax classifier you can see through.

Where to begin::

    gm.TableClassifier       train and predict on a table as it is: accurate by default
    gm.SoftmaxClassifier     train and predict on numbers: a scikit-learn estimator
    gm.cross_validate        the metrics of a classifier on rows that it has not seen, fold by fold
    gm.Network               a network of your own: forward pass, exact gradients, Jacobian, Hessian products
    gm.derive                derive a gradient from the equations of a loss
    gm.check_derivation      check a derivation on paper, line by line
    gm.trace                 see one batch: every array of both passes, its equation and why
    gm.diagnose              find the mistake in a gradient that you derived yourself
    gm.functional            softmax, losses, activations: every f beside its f_vjp
    gm.not_class             the label of a row known only by what it is not
    gm.read_table            read a file or a data frame
    gm.load_model            load a saved model; the result is a gm.Model

The map of the modules, from the command line down to the exceptions::

    cli/            the command line: one module for each command
    playground/     the web page in which a network learns, with the engine inside
    proofreading/   check a derivation on paper: which line does not follow, why, how it should read
    doctor/         check a gradient of your own: what is wrong, where, why, how to correct it
    tracing/        one batch: every array, its equation, its shape, its value and why
    estimator/      TableClassifier and SoftmaxClassifier, the scikit-learn estimators
    distributed/    train on several machines or processes: shards of rows, sums in a fixed order
    streaming/      train on more rows than fit into memory: files read piece by piece, in a seeded order
    training/       the training loop, early stopping, metrics, checkpoints
    learner/        find, read and run a user's program in a separate process
    torch, jax      a softmax layer with very many classes as the last layer of a PyTorch or JAX network
    model           one or several networks with their classes and their encoding of tables
    likely_classes  the most probable classes of rows, without the probabilities of all classes
    model_file      the file that holds a model: written, and read without running code
    model_parts     the parts of a model, and the check that they fit each other
    calibration     correct the logits of a model, so that its probabilities are as frequent as they say
    conformal       prediction sets that hold the true class of a promised share of rows
    engine/         train a whole epoch: the reference engine in NumPy, the native engine in C++
    optimizers      SGD with momentum, Adam, L-BFGS; learning-rate schedules
    model_manifest  what the tensors of a model file mean, and the checks of names, shapes and dtypes
    network         Network: forward pass, exact gradients, Jacobian, Hessian products
    table/          read tables, infer the type of each column, encode the columns as numbers
    calculus/       derive a gradient step by step; check every step with numbers
    architecture    the description of a network, checked
    checked_rows    the rows that a network takes, checked
    initializers    starting weights
    embedding/      Embedding: columns of X embedded before the first layer
    parameters      W1, b1, W2, ... as views of one vector theta
    functional/     affine, activations, softmax, losses: every f beside its f_vjp
    gradcheck       compare a gradient with numerical derivatives of the loss
    pages/          the look that all pages share: one self-contained HTML file
    sealed          files of tensors and text, protected by a hash: model files and checkpoints
    memory          the available memory, checked before a large array is made
    files           write a file completely or not at all
    interrupts      Ctrl-C while the command line loads
    errors          the exceptions

Each module imports only modules below it. Each is an attribute of ``glassmax``, loaded at its first use, except
``glassmax.torch`` and ``glassmax.jax``: import these two by their full name. ``import glassmax`` itself loads NumPy and
nothing else.
"""

from . import interrupts as _interrupts  # noqa: F401 - first: Ctrl-C while all else loads prints no traceback

# isort: split
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as _numpy  # noqa: F401 - the one thing that `import glassmax` loads

from .version import __version__ as __version__

if TYPE_CHECKING:
    from . import (
        architecture,
        calculus,
        calibration,
        checked_rows,
        cli,
        conformal,
        distributed,
        doctor,
        embedding,
        engine,
        errors,
        estimator,
        files,
        functional,
        gradcheck,
        initializers,
        interrupts,
        learner,
        likely_classes,
        memory,
        model,
        model_file,
        model_manifest,
        model_parts,
        network,
        optimizers,
        pages,
        parameters,
        playground,
        proofreading,
        sealed,
        streaming,
        table,
        tracing,
        training,
    )
    from .calculus import derive
    from .doctor import diagnose
    from .embedding import Embedding
    from .estimator import SoftmaxClassifier, TableClassifier, cross_validate
    from .model import Model, load_model
    from .network import Network
    from .proofreading import Checked, check_derivation
    from .table import not_class, read_table
    from .tracing import Trace, trace

__all__ = [
    "Checked",
    "Embedding",
    "Model",
    "Network",
    "SoftmaxClassifier",
    "TableClassifier",
    "Trace",
    "architecture",
    "calculus",
    "calibration",
    "check_derivation",
    "checked_rows",
    "cli",
    "conformal",
    "cross_validate",
    "derive",
    "diagnose",
    "distributed",
    "doctor",
    "embedding",
    "engine",
    "errors",
    "estimator",
    "files",
    "functional",
    "gradcheck",
    "initializers",
    "interrupts",
    "learner",
    "likely_classes",
    "load_model",
    "memory",
    "model",
    "model_file",
    "model_manifest",
    "model_parts",
    "network",
    "not_class",
    "optimizers",
    "pages",
    "parameters",
    "playground",
    "proofreading",
    "read_table",
    "sealed",
    "streaming",
    "table",
    "trace",
    "tracing",
    "training",
]

_HOME = {
    "Checked": "proofreading",
    "Embedding": "embedding",
    "Model": "model",
    "Network": "network",
    "SoftmaxClassifier": "estimator",
    "TableClassifier": "estimator",
    "Trace": "tracing",
    "check_derivation": "proofreading",
    "cross_validate": "estimator",
    "derive": "calculus",
    "diagnose": "doctor",
    "load_model": "model",
    "not_class": "table",
    "read_table": "table",
    "trace": "tracing",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'glassmax' has no attribute {name!r}")
    if name in _HOME:
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    else:
        value = import_module(f".{name}", __name__)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
