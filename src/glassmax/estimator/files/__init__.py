"""A fit on files, which may be larger than memory: `SoftmaxClassifier.fit` and `TableClassifier.fit` with ``target=``.

::

    fit         from files to a fitted classifier: a generator that both classifiers and the command line use
    records     what it yields and returns
    asked       the network, the columns and the rows to judge by, from either classifier
    available   what can't be had on files: an error in words before the scan
    columns     rows for a classifier that was fitted on files: frames, tables and paths
    begin       from what the scan has learned to the network and its state before the first epoch
    run         the epochs of the fit: recorded, committed, watched by early stopping, resumed
    judging     metrics and prediction sets from the rows that are held out
    findings    the notes that a table in memory has, from a scan
"""

from .fit import fit_files
from .records import EncodingProgress, FilesFit, FilesPrepared, FilesRecords, ScanProgress

__all__ = ["EncodingProgress", "FilesFit", "FilesPrepared", "FilesRecords", "ScanProgress", "fit_files"]


def __dir__() -> list[str]:
    return __all__
