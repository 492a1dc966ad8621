"""TableClassifier: from a table as it is to a calibrated ensemble.

::

    classifier  the public face: parameters, fitted attributes, predictions
    options     the constructor's parameters, checked
    rows        labels, weights, groups and columns of a table, encoded
    notes       remarks on columns and classes
    order       the order of rows in time
    fit         from rows to members, weights and calibration
    figures     the ensemble beside a linear model and class frequencies
"""

from .classifier import TableClassifier

__all__ = ["TableClassifier"]


def __dir__() -> list[str]:
    return __all__
