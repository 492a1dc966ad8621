"""What a fit on files is asked for: the network, the columns and the rows to judge by, from either classifier."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from ...errors import OptionError, Setting, Text, is_whole
from ...functional.arrays import Array
from ...streaming import Sources
from ...streaming.outputs import check_cache_folder, check_checkpoint
from ...table import ColumnOptions, Note
from ..classifier import SoftmaxClassifier
from ..tables.fit import seed_of
from ..tables.options import check_table_options
from ..tables.rows import class_weight_by_index
from .available import check_network_on_files, check_table_on_files

__all__ = ["IN_PLACE_OF_A_PRESET", "Asked", "asked_of", "sources_of"]

IN_PLACE_OF_A_PRESET: dict[str, Any] = {
    "hidden_layer_sizes": (128,),
    "batch_size": 256,
    "learning_rate_init": 0.01,
    "learning_rate": "one_cycle",
    "max_iter": 10,
}
"""The parameters of the network that is trained where a preset would need all rows in memory."""
ONE_NETWORK = Note(
    (
        "one network with a hidden layer of 128 units is trained in place of a preset, which needs all rows in memory. "
        "To train another one, pass ",
        Setting("network"),
    ),
    "network",
)


class Asked(NamedTuple):
    """What a fit on files is asked for.

    Attributes
    ----------
    network : SoftmaxClassifier
        What is trained: the user's own, or the network of a TableClassifier.
    columns : ColumnOptions
    held_out : float
        Share of the rows that judge the network.
    dtype : {"float32", "float64"}
    class_weight : mapping, "balanced" or None
        That of the TableClassifier.
    of_table : bool
        Whether the network is that of a TableClassifier, which knows the classes by their index.
    seed : int or None
        Seed of a TableClassifier.
    notes : list of Note
    """

    network: SoftmaxClassifier
    columns: ColumnOptions = ColumnOptions()
    held_out: float = 0.0
    dtype: str = "float32"
    class_weight: Mapping[Any, float] | str | None = None
    of_table: bool = False
    seed: int | None = None
    notes: tuple[Note, ...] = ()

    @property
    def split_seed(self) -> int | None:
        """The given seed, by which rows are held out or watched whatever the network is; None if there is none."""
        given: Any = self.seed if self.of_table else self.network.random_state
        return int(given) if is_whole(given) else None

    def names_of(self, classes: Array) -> Array:
        """Return what the network calls the classes."""
        return np.arange(len(classes)) if self.of_table else classes

    def class_weights(self, classes: Array) -> list[tuple[Any, Array]]:
        """Return the class weights, each with what they call the classes."""
        names = self.names_of(classes)
        return [
            (class_weight_by_index(classes, self.class_weight), np.arange(len(classes))),
            (self.network.class_weight, names),
        ]


def asked_of(classifier: Any) -> Asked:
    """Check a classifier, and return what a fit on files trains.

    Raises
    ------
    OptionError
        If a parameter is out of range, or can't be had on files.
    """
    if isinstance(classifier, SoftmaxClassifier):
        check_network_on_files(classifier)
        return Asked(classifier)
    check_table_options(classifier)
    check_table_on_files(classifier)
    seed = seed_of(classifier)
    notes: tuple[Note, ...] = ()
    if classifier.network is None:
        own = {"checkpoint_path": classifier.checkpoint_path, "verbose": classifier.verbose}
        network = SoftmaxClassifier(**IN_PLACE_OF_A_PRESET, **own)
        notes = (ONE_NETWORK,)
    else:
        network = clone(classifier.network)
    given = {"random_state": seed, "n_threads": classifier.n_threads, "memory_limit": classifier.memory_limit}
    network.set_params(**{name: value for name, value in given.items() if getattr(network, name) is None})
    check_network_on_files(network)
    return Asked(
        network,
        ColumnOptions(classifier.types or {}, tuple(classifier.ignore), tuple(classifier.keep)),
        float(classifier.held_out),
        "float32" if classifier.network is None else classifier.dtype,
        classifier.class_weight,
        True,
        seed,
        notes,
    )


def sources_of(
    X: Any, target: Any, y: Any, sample_weight: Any, checkpoints: Sequence[Any] = (), cache_folder: Any = None
) -> Sources:
    """Return the files that `fit` is given in place of rows; what the fit writes must not be among them.

    Raises
    ------
    OptionError
        If X is no path and no list of paths, or labels or weights are given as arrays.
    DataError
        If a checkpoint or the cache folder is among the files, before these are read.
    """
    if not isinstance(target, str):
        raise OptionError(parameter="target", came=repr(target), expected="the name of a column of the files")
    if y is not None:
        what = " names the column to predict, so y must be None. Pass only one of the two."
        raise OptionError(Setting("target", target), what, parameter="y")
    if sample_weight is not None and not isinstance(sample_weight, str):
        expected = "the name of a column of the files, or None"
        raise OptionError(parameter="sample_weight", came=f"of type {type(sample_weight).__name__}", expected=expected)
    if isinstance(X, Sources):
        return X
    paths = [X] if isinstance(X, str | os.PathLike) else X
    if not (isinstance(paths, list | tuple) and paths and all(isinstance(path, str | os.PathLike) for path in paths)):
        paths_with: Text = ("a path, a folder, a glob or a list of paths with ", Setting("target", target))
        remedy = "Pass y, and not target, for rows in memory."
        came = "an empty list" if isinstance(X, list | tuple) and not X else f"of type {type(X).__name__}"
        raise OptionError(parameter="X", came=came, expected=paths_with, remedy=remedy)
    for checkpoint in checkpoints:
        check_checkpoint(checkpoint, paths)
    check_cache_folder(cache_folder, paths)
    return Sources(X)
