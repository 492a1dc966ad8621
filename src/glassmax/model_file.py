"""The model file: tensors and a strict manifest of what they mean, and no code.

A model file is safetensors: tensors and metadata with a JSON manifest and a SHA-256 over the whole file but the hash
itself. The manifest names no code and no path; activations and losses come from closed tables; every shape is computed
from the manifest and compared with the tensors before one of them is loaded. No code from a file is ever run, and there
is no fallback to a less safe format. The hash detects damage, not manipulation: whoever can write the file can also
write its hash.

There are three versions of the format. Version 1 holds one network, with tensors W1, b1, ...; version 2 holds any
number of networks, with tensors 1.W1, 1.b1, ..., 2.W1, ..., and calibration and conformal scores if the model has them,
and its encoding may have bounds, bins, frequent values and rare values. In version 3 a network may have a softcap, a
z-loss, a temperature and frozen parameters as well. A model is written as the oldest version that can hold it, which
older versions of glassmax read.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

import math
import os
import stat
from pathlib import Path
from typing import IO, Any

import numpy as np

from .calibration import Calibration
from .conformal import Conformal
from .engine import all_finite
from .errors import GlassmaxError, ModelFileError, Setting
from .functional.arrays import Array
from .model_manifest import (
    BIAS,
    DTYPES,
    ROW_WEIGHTS,
    SCORES,
    CalibrationEntry,
    ConformalEntry,
    EmbeddingEntry,
    Manifest,
    NetworkEntry,
    check_manifest,
    check_tensors,
    decode_manifest,
    embedding_of,
    encode_manifest,
    encoding_fits_version_1,
    prefix,
)
from .model_parts import ModelParts
from .network import Network
from .parameters import Parameters
from .sealed import Sealed, sealed_pieces

__all__ = ["model_bytes", "read_model"]

MAX_HEADER = 2**27
MOST_LETTERS = 2**23


# writing


def model_bytes(parts: ModelParts) -> list[bytes | memoryview]:
    """Return the pieces of a model file, or raise if the model could not be read back; no weight is copied."""
    networks, first = parts.networks, parts.networks[0]
    manifest = _manifest_of(parts)
    if manifest.dtype not in DTYPES:
        raise ModelFileError(f"The network is {manifest.dtype}, expected float32 or float64.")
    try:
        check_manifest(manifest)
    except ModelFileError as error:
        raise ModelFileError(f"The model {error}") from None
    if not all(all_finite(network.theta[None]) for network in networks):
        raise ModelFileError("The network holds weights that are not finite; it is not saved.")
    text = encode_manifest(manifest)
    if manifest.version == 1:
        return sealed_pieces(first.parameters, text)
    return sealed_pieces(_tensors(parts), text)


def _manifest_of(parts: ModelParts) -> Manifest:
    first, calibration, conformal = parts.networks[0], parts.calibration, parts.conformal
    alone = len(parts.networks) == 1 and parts.weights[0] == 1 and first.embedding is None
    plain = calibration is None and conformal is None and encoding_fits_version_1(parts.encoding)
    networks = [_entry(network, float(weight)) for network, weight in zip(parts.networks, parts.weights, strict=True)]
    new = any(network.needs_version_3 for network in networks)
    return Manifest(
        format="glassmax",
        version=3 if new else 1 if alone and plain else 2,
        output=first.head.output,
        dtype=str(first.theta.dtype),
        networks=networks,
        classes=_plain_classes(parts.classes),
        encoding=parts.encoding,
        record=parts.record,
        columns=parts.columns,
        calibration=None
        if calibration is None
        else CalibrationEntry(float(calibration.scale), calibration.bias is not None),
        conformal=None if conformal is None else ConformalEntry(conformal.n_rows, conformal.row_weights is not None),
    )


def _entry(network: Network, weight: float) -> NetworkEntry:
    plain = None if network.embedding is None else EmbeddingEntry(**network.embedding.to_plain())
    head = network.head
    names = list(network.layer_sizes), list(network.activations), head.loss
    given = head.options | ({"frozen": list(network.frozen)} if network.frozen else {})  # a default is not written
    return NetworkEntry(*names, network.l2, weight, plain, **given)


def _tensors(parts: ModelParts) -> dict[str, Array]:
    calibration, conformal = parts.calibration, parts.conformal
    tensors = {
        f"{number}.{name}": array
        for number, network in enumerate(parts.networks, 1)
        for name, array in network.parameters.items()
    }
    added: dict[str, Array | None] = {}
    if calibration is not None:
        added[BIAS] = calibration.bias
    if conformal is not None:
        added |= {SCORES: conformal.scores, ROW_WEIGHTS: conformal.row_weights}
    return tensors | {name: array.astype(np.float64) for name, array in added.items() if array is not None}


def _plain_classes(classes: Array) -> Any:
    plain = classes.tolist()
    kinds = {type(label) for label in plain}
    if len(kinds) != 1 or not kinds <= {str, bool, int, float}:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ModelFileError(f"The classes are of type {names}, expected text, numbers or booleans, all of one type.")
    if kinds == {float} and not all(map(math.isfinite, plain)):
        raise ModelFileError("A class is NaN or inf, expected finite numbers.")
    return plain


# reading


def read_model(path: str | Path) -> ModelParts:
    """Read a model file; all of its content is checked before it is used."""
    try:
        with Path(path).open("rb") as file:
            return _read(file)
    except FileNotFoundError:
        raise ModelFileError(
            f"{path}: there is no such file.",
            remedy=("Train one with: ", Setting("SoftmaxClassifier(...).fit(X, y).save(path)")),
        ) from None
    except IsADirectoryError:
        raise ModelFileError(f"{path} is a folder, expected a model file.") from None
    except OSError as error:
        raise ModelFileError(f"{path} can't be read: {error.strerror}.") from None
    except ModelFileError as error:
        raise ModelFileError(f"{path} {error}") from None


def _read(file: IO[bytes]) -> ModelParts:
    facts = os.fstat(file.fileno())
    sealed = Sealed(file, facts.st_size if stat.S_ISREG(facts.st_mode) else None, MAX_HEADER)
    try:
        manifest = decode_manifest(sealed.text)
        check_manifest(manifest, most_inputs=sealed.size)
        check_tensors(manifest, sealed.header)
        sealed.check_places()
        networks = _networks(manifest)
    except GlassmaxError as error:
        sealed.check()  # that the file is damaged says more
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"has tensors that don't fit its manifest: {error}.") from None
    own = {
        prefix(manifest, number) + name: view
        for number, network in enumerate(networks, 1)
        for name, view in network.parameters.items()
    }
    arrays = sealed.arrays(own)
    try:
        return _assembled(manifest, networks, arrays)
    except (GlassmaxError, KeyError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"has tensors that don't fit its manifest: {error}.") from None


def _networks(manifest: Manifest) -> list[Network]:
    """Return the networks of a model, their weights still 0."""
    networks = []
    for entry in manifest.networks:
        embedding = embedding_of(entry)
        shapes = None if embedding is None else embedding.shapes
        network = Network.from_parameters(
            Parameters(entry.layer_sizes, dtype=manifest.dtype, embedding_shapes=shapes),
            activation=entry.activations,
            output=manifest.output,
            loss=entry.loss,
            l2=entry.l2,
            dtype=manifest.dtype,
            embedding=embedding,
            softcap=entry.softcap,
            z_loss=entry.z_loss,
            temperature=entry.temperature,
            frozen=entry.frozen,
        )
        networks.append(network)
    return networks


def _assembled(manifest: Manifest, networks: list[Network], arrays: dict[str, Array]) -> ModelParts:
    if not all(all_finite(network.theta[None]) for network in networks):
        raise ModelFileError("holds weights that are not finite.")
    scale, counted = manifest.calibration, manifest.conformal
    calibration = None if scale is None else Calibration(scale.scale, arrays.get(BIAS))
    conformal = None if counted is None else Conformal(arrays[SCORES], arrays.get(ROW_WEIGHTS))
    weights = np.array([entry.weight for entry in manifest.networks])
    return ModelParts(
        networks, _labels(manifest.classes), manifest.encoding, manifest.record, manifest.columns, weights,
        calibration, conformal,
    )  # fmt: skip


def _labels(classes: list[Any]) -> Array:
    """Return the labels as an array; of texts as objects where one long text would make room for all as long."""
    longest = max((len(label) for label in classes if isinstance(label, str)), default=0)
    return np.array(classes, object) if longest * len(classes) > MOST_LETTERS else np.array(classes)


def __dir__() -> list[str]:
    return __all__
