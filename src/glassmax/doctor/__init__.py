"""The gradient doctor: not only that a gradient is wrong, but why.

From what the learner hands in to what the learner reads::

    examine           `diagnose`: arrays, a function or a PyTorch model, each examined in its own way
    reading/          what the learner handed in: arrays, network, loss, function
    learners_activations   the activations that a learner's network may have
    exact_pass        the exact forward and backward pass of that network, every array kept
    mistakes/         the catalogue: each mistake as a wrong step of that pass
    search/           which wrong steps give exactly the learner's numbers
    lines/            the lines of the learner's own program: what each makes, which is wrong, what it should read
    constants         names for the factor between two arrays: 1/n, -1, a learning rate
    case              the learner's gradients beside the exact ones, on every probe
    judge             the verdict: right, wrong, or right under another convention
    findings          what is wrong, with its place, size, right line and reason
    telling/          the diagnosis in words: the line as it should be, the reason, the remedy

Beside it::

    behaviour         what a function does besides returning gradients: it changes its arguments, or keeps a sum
    precision         whether a small deviation of right gradients comes from float32
    unknown_loss/     a loss that no known network has: its gradient is measured
    pytorch/          models of PyTorch
    diagnose_file     the program that runs in a process of its own and diagnoses a learner's file

A cause is named only if simulating it gives the learner's numbers to rounding. This package refuses to guess.
"""

from .examine import diagnose
from .telling.diagnosis import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]


def __dir__() -> list[str]:
    return __all__
