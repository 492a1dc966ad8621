"""The file that a learner starts from: a whole network by hand, which is right, and one function to replace.

A file that is diagnosed as correct shows that everything around the learner's own code works; the first line that they
change is then the first that can be wrong. This module refuses to write over a file.
"""

import os
from pathlib import Path

from ..errors import LearnerFileError

__all__ = ["TEMPLATE", "write_template"]

TEMPLATE = '''\
"""Backpropagation by hand, for `glassmax doctor` to look at.

As it stands this file is correct. Put your own code into `gradients`, one line or all of it, and run

    glassmax doctor FILE

after each change. It says whether the gradients are right and, if they are not, which line to correct and why.
"""

import numpy as np

# The network. Rows are samples, W1 is (4, 10): Z1 = X @ W1 + b1.
network = "4-10-3"
activation = "sigmoid"  # of the hidden layer: sigmoid, tanh, relu, ...
output = "softmax"  # or sigmoid, identity, relu
loss = "cross_entropy"  # or squared_error, binary_cross_entropy
l2 = 0.0  # the penalty l2/2 * (sum of the squared weights); biases are left out
declared = True  # my loss is the mean over the samples; report any other factor as a mistake

# Five samples of three classes. Without X and y random ones are used.
X = np.array(
    [
        [0.5, -1.2, 0.3, 1.0],
        [1.5, 0.4, -0.7, 0.2],
        [-0.3, 0.8, 1.1, -0.5],
        [0.9, -0.1, -1.4, 0.6],
        [-1.1, 1.3, 0.2, -0.8],
    ]
)
y = np.array([0, 1, 2, 1, 0])


def gradients(parameters, X, y):
    """Return the derivative of the loss by every parameter, under the parameter's own name."""
    W1, b1, W2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    n = len(X)
    Y = np.eye(3)[y]

    # forward
    Z1 = X @ W1 + b1
    A1 = 1 / (1 + np.exp(-Z1))
    Z2 = A1 @ W2 + b2
    E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)

    # backward: replace these lines by your own
    dZ2 = (P - Y) / n
    dW2 = A1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dA1 = dZ2 @ W2.T
    dZ1 = dA1 * A1 * (1 - A1)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)

    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


# Two things that you may add:
#
# parameters = {"weights": ..., "bias": ...}  your own names, shapes and order; gradients gets and returns these names
# def loss(parameters, X, y): ...             your own loss instead of the line above; then no network is needed
'''


def write_template(path: str | Path) -> None:
    """Write a file to start from; one that exists is left as it is.

    Examples
    --------
    >>> write_template("my_backprop.py")
    >>> write_template("my_backprop.py")
    Traceback (most recent call last):
        ...
    glassmax.errors.LearnerFileError: my_backprop.py exists, and is left as it is. Give another name.
    """
    text = TEMPLATE.replace("glassmax doctor FILE", f"glassmax doctor {_named(path)}")
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise LearnerFileError(f"{path} exists, and is left as it is. Give another name.") from None
    except OSError as error:
        raise LearnerFileError(f"{path} can't be written: {error.strerror}. Give another name.") from None
    except ValueError:
        raise LearnerFileError(f"{str(path)!r} is not a file name. Give another name.") from None


def _named(path: str | Path) -> str:
    """The file's own name, where it can stand in a docstring."""
    name = os.path.basename(path)
    return name if name.isprintable() and '"' not in name and "\\" not in name else "FILE"
