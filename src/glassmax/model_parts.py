"""The parts of a model, and the check that they fit each other.

`glassmax.model` predicts with them, and `glassmax.model_file` writes and reads them.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections import Counter
from collections.abc import Sequence
from numbers import Real
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .calibration import Calibration
from .conformal import Conformal
from .errors import OptionError, ShapeError
from .functional.arrays import Array
from .model_manifest import Record
from .network import Network
from .table import Encoding

__all__ = ["ModelParts", "check_parts", "labels_of"]

SAME = ("inputs", "outputs", "output", "dtype")
"""What all networks of a model have in common."""


class ModelParts(NamedTuple):
    """The parts of a model: the arguments of `glassmax.model.Model`, in its order."""

    networks: Sequence[Network]
    classes: Array
    encoding: Encoding | None
    record: Record
    columns: list[str] | None
    weights: Array
    calibration: Calibration | None
    conformal: Conformal | None


def labels_of(classes: npt.ArrayLike) -> Array:
    """Return the labels as an array, or raise if they are of several kinds, or one is there twice."""
    try:
        labels = np.asarray(classes)
    except ValueError:
        raise OptionError(parameter="classes", came="a ragged list", expected="a list of labels") from None
    if labels.ndim != 1:
        raise OptionError(parameter="classes", came=f"of shape {labels.shape}", expected="a list of labels, (k,)")
    given = classes if isinstance(classes, np.ndarray) else np.asarray(classes, object)
    kinds = sorted({_kind(label) for label in given}) if given.dtype.kind == "O" else []
    if len(kinds) > 1:
        came = f"a mixture of {' and '.join(kinds)}"
        raise OptionError(parameter="classes", came=came, expected="labels of one kind")
    plain = labels.tolist()
    if len(set(plain)) < len(plain):
        ((twice, _),) = Counter(plain).most_common(1)
        came = f"a list with {twice!r} more than once"
        raise OptionError(parameter="classes", came=came, expected="a different label for each class")
    return labels


def _kind(label: object) -> str:
    if isinstance(label, bool | np.bool_):
        return "booleans"
    return "text" if isinstance(label, str) else "numbers" if isinstance(label, Real) else type(label).__name__


def check_parts(parts: ModelParts) -> None:
    """Raise if the networks of a model don't fit each other, or the other parts don't fit the networks."""
    _check_networks(parts.networks, parts.weights)
    network = parts.networks[0]
    d, k, output = network.n_inputs, network.layer_sizes[-1], network.head.output
    count = len(parts.classes)
    if count != k:
        raise ShapeError(f"There are {count} classes, expected {k}: one for each output of the network.")
    if parts.encoding is not None and parts.encoding.width != d:
        raise ShapeError(f"The width of the encoding is {parts.encoding.width}, but the network has {d} inputs.")
    if parts.columns is not None and len(parts.columns) != d:
        raise ShapeError(f"columns has {len(parts.columns)} names, expected {d}: one for each input of the network.")
    for name, part in (("calibration", parts.calibration), ("conformal", parts.conformal)):
        if part is not None and output != "softmax":
            raise OptionError(parameter=name, came="given", expected=f"none: the output is {output}, not softmax")
    bias = None if parts.calibration is None else parts.calibration.bias
    if bias is not None and len(bias) != k:
        raise ShapeError(f"The calibration has {len(bias)} biases, expected {k}: one for each class.")


def _check_networks(networks: Sequence[Network], weights: Array) -> None:
    if not networks:
        raise OptionError(parameter="networks", came="empty", expected="at least one Network")
    for network in networks:
        if not isinstance(network, Network):
            raise OptionError(parameter="networks", came=f"a list with {network!r}", expected="Networks")
        for name, first, other in zip(SAME, _face(networks[0]), _face(network), strict=True):
            if first != other:
                message = f"The networks differ in their {name}: {first} and {other}, expected the same."
                raise OptionError(message, parameter="networks")
    m = len(networks)
    if weights.shape != (m,) or not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        expected = f"{m} numbers >= 0, one for each network, not all 0"
        raise OptionError(parameter="weights", came=str(weights), expected=expected)


def _face(network: Network) -> tuple[int, int, str, str]:
    return network.n_inputs, network.layer_sizes[-1], network.head.output, str(network.theta.dtype)


def __dir__() -> list[str]:
    return __all__
