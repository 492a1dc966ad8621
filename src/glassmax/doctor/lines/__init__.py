"""The lines of the learner's own program: what each computes.

::

    truths       the arrays of the exact pass, and the pieces between them
    recognise    which of them an array of the learner's is
"""

from .recognise import Recognised, Recognition

__all__ = ["Recognised", "Recognition"]


def __dir__() -> list[str]:
    return __all__
