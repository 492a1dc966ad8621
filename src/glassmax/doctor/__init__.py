"""The gradient doctor: not only that a gradient is wrong, but why.

The story, from what is handed in to what is told::

    examine           diagnose: an array, a function or a model, and which way it goes
    reading/          what the learner handed in, understood: arrays, network, loss, function
    exact_pass        the exact forward and backward pass of that network, every array kept
    mistakes/         the catalogue: each mistake as a wrong step of that pass
    search/           which wrong steps give exactly what the learner got
    constants         the factors in between, recognised: 1/n, -1, a learning rate
    verdict           from the search to a diagnosis: right, wrong, or right by another convention
    telling/          the diagnosis in words: the line as it should be, the reason, the remedy

Beside it::

    behaviour         what a function does besides returning gradients: it keeps state, writes into its inputs
    precision         float32 on the way
    unknown_loss      a loss that is no known network's: its gradient is measured
    pytorch/          models of PyTorch
    learner_file      a file with the learner's function, run in a process of its own

A cause is named only if simulating it gives the learner's numbers to rounding. This package refuses to guess.
"""

from .examine import diagnose
from .telling.diagnosis import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]


def __dir__() -> list[str]:
    return __all__
