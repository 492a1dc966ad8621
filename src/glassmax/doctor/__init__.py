"""The gradient doctor: not only that a gradient is wrong, but why.

::

    problem, layout, targets    the learner's arrays, names and data, read
    conventions                 their loss, understood
    running, answers, probes    their function, called with care, on data of our choosing
    passes                      the true backward pass, every array kept
    mistakes/                   the catalogue: each mistake as a wrong step of that pass
    candidates, layer, search   which wrong steps give exactly what the learner got
    matching, constants         fits to rounding, and the constants in them
    misshapen, forwards         what a shape alone tells; exact gradients of another forward pass
    not_gradients               the parameters themselves, a step, zeros
    precision, remedies         float32 on the way; what to do about a function that misbehaves
    judging, patterns           the verdict
    reasons, explain, saying    the line as it should be, and why; conventions in words
    diagnosis                   what the learner reads
    learner_*, declarations     a file of theirs, found, understood, and run in a process of its own
    array_file, template        arrays in an archive; a file to start from
    pytorch*                    models of PyTorch

A cause is named only if simulating it gives the learner's numbers to rounding. This package refuses to guess.
"""

from .diagnosis import Diagnosis, Finding
from .examine import diagnose

__all__ = ["Diagnosis", "Finding", "diagnose"]
