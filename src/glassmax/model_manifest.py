"""The manifest of a model file: what its tensors mean, and which names, shapes and dtypes they must have.

Everything is checked here before a tensor is loaded. The manifest names no code and no path; activations and losses
come from closed tables. Version 1 of the format holds one network, with tensors W1, b1, ...; version 2 any number of
networks, with tensors 1.W1, 1.b1, ..., 2.W1, ..., and calibration and conformal scores if the model has them. In
version 1, the columns of an encoding have only the fields that have no default. Version 3 is version 2 with networks
that have a softcap, a z-loss, a temperature or frozen parameters.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

import math
from collections.abc import Iterable
from typing import Any

import msgspec

from .embedding import Embedding
from .errors import GlassmaxError, ModelFileError
from .functional import ACTIVATIONS
from .functional.heads import PAIRS
from .parameters import count
from .table import Encoding

__all__ = ["DTYPES", "CalibrationEntry", "ConformalEntry", "Manifest", "NetworkEntry", "Record", "check_manifest"]
__all__ += [
    "BIAS",
    "ROW_WEIGHTS",
    "SCORES",
    "check_tensors",
    "decode_manifest",
    "embedding_of",
    "encode_manifest",
    "encoding_fits_version_1",
    "prefix",
]

DTYPES = {"float32": "F32", "float64": "F64"}
MAX_NETWORKS = 10_000
MAX_PARAMETERS = 2**40
MAX_ROWS = 2**40
BIAS = "calibration.bias"
SCORES, ROW_WEIGHTS = "conformal.scores", "conformal.row_weights"

Record = dict[str, str | int | float | None]
Labels = list[str | bool | int | float]


class ManifestVersion(msgspec.Struct):
    """The first thing that is read of a manifest."""

    format: str
    version: int


class ManifestV1(msgspec.Struct, forbid_unknown_fields=True):
    """The metadata of a model file of version 1: everything but the tensors."""

    format: str
    version: int
    layer_sizes: list[int]
    activations: list[str]
    output: str
    loss: str
    l2: float
    dtype: str
    classes: Labels
    encoding: Encoding | None
    record: Record
    columns: list[str] | None = None


class EmbeddingEntry(msgspec.Struct, forbid_unknown_fields=True):
    """An embedding without its parameters, as `Embedding.to_plain` describes it."""

    d: int
    periodic: list[int]
    frequencies: int
    size: int
    scale: float
    edges: list[tuple[int, list[float]]]
    blocks: list[tuple[int, int, int]]


class NetworkEntry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A network of a model: everything but its tensors, and the weight of its logits.

    The fields with a default were added in version 3. A field at its default is not written.
    """

    layer_sizes: list[int]
    activations: list[str]
    loss: str
    l2: float
    weight: float
    embedding: EmbeddingEntry | None
    softcap: float | None = None
    z_loss: float = 0.0
    temperature: float = 1.0
    frozen: list[str] = []

    @property
    def has_head_options(self) -> bool:
        """Whether the network has a softcap, a z-loss or a temperature, which only softmax can have."""
        return (self.softcap, self.z_loss, self.temperature) != (None, 0, 1)

    @property
    def needs_version_3(self) -> bool:
        """Whether the network has an option that was added in version 3."""
        return self.has_head_options or bool(self.frozen)

    @property
    def n_inputs(self) -> int:
        """The number of inputs: those of the embedding, or of the first layer."""
        return self.layer_sizes[0] if self.embedding is None else self.embedding.d


class CalibrationEntry(msgspec.Struct, forbid_unknown_fields=True):
    """The scale of a calibration, and whether it has biases."""

    scale: float
    bias: bool


class ConformalEntry(msgspec.Struct, forbid_unknown_fields=True):
    """The number of rows whose scores are kept, and whether the rows have weights."""

    rows: int
    weighted: bool


class Manifest(msgspec.Struct, forbid_unknown_fields=True):
    """The metadata of a model file of version 2 or 3; that of version 1 is turned into it."""

    format: str
    version: int
    output: str
    dtype: str
    networks: list[NetworkEntry]
    classes: Labels
    encoding: Encoding | None
    record: Record
    columns: list[str] | None
    calibration: CalibrationEntry | None
    conformal: ConformalEntry | None


def encode_manifest(manifest: Manifest) -> str:
    """Return the manifest as JSON, in the form of its version."""
    plain = _as_version_1(manifest) if manifest.version == 1 else manifest
    try:
        return msgspec.json.encode(plain).decode()
    except UnicodeEncodeError:
        raise ModelFileError("The name of a class or a column holds half a character (a lone surrogate).") from None


def _as_version_1(manifest: Manifest) -> ManifestV1:
    (network,) = manifest.networks
    return ManifestV1(
        "glassmax", 1, network.layer_sizes, network.activations, manifest.output, network.loss, network.l2,
        manifest.dtype, manifest.classes, manifest.encoding, manifest.record, manifest.columns,
    )  # fmt: skip


def encoding_fits_version_1(encoding: Encoding | None) -> bool:
    """Return whether version 1 can hold an encoding: whether it and its columns have no field that came with version 2.

    Fields that came with version 2 have a default, which is not written.
    """
    parts = [] if encoding is None else [encoding, *encoding.columns]
    return all(
        field.required or field.name not in msgspec.to_builtins(part)
        for part in parts
        for field in msgspec.structs.fields(part)
    )


def decode_manifest(text: str) -> Manifest:
    """Return the manifest of any version; a version that is unknown is left to the checks."""
    try:
        if msgspec.json.decode(text, type=ManifestVersion).version in (2, 3):
            return msgspec.json.decode(text, type=Manifest)
        old = msgspec.json.decode(text, type=ManifestV1)
    except (msgspec.DecodeError, TypeError) as error:
        if isinstance(text, str) and '"glassmax checkpoint' in text:
            raise ModelFileError("is the checkpoint of a run, expected a model: fit goes on from it.") from None
        raise ModelFileError(f"has a manifest that can't be read: {error}.") from None
    network = NetworkEntry(old.layer_sizes, old.activations, old.loss, old.l2, 1.0, None)
    return Manifest(
        old.format, old.version, old.output, old.dtype, [network], old.classes, old.encoding, old.record, old.columns,
        None, None,
    )  # fmt: skip


def prefix(manifest: Manifest, number: int) -> str:
    """Return what stands before the names of a network's tensors."""
    return "" if manifest.version == 1 else f"{number}."


def embedding_of(network: NetworkEntry) -> Embedding | None:
    """Return the embedding of a network."""
    return None if network.embedding is None else Embedding.from_plain(msgspec.to_builtins(network.embedding))


def check_manifest(manifest: Manifest, most_inputs: int = MAX_PARAMETERS) -> None:
    """Raise if the manifest contradicts itself, or a network has more inputs than a file of its size can hold."""
    networks, classes, names = manifest.networks, manifest.classes, manifest.columns
    version = f"format {manifest.format!r}, version {manifest.version}"
    _refuse(
        [
            (
                manifest.format != "glassmax" or manifest.version not in (1, 2, 3),
                f"{version}; this glassmax reads format 'glassmax', versions 1 to 3",
            ),
            (not 1 <= len(networks) <= MAX_NETWORKS, "no network, or too many to be true"),
        ]
    )
    for network in networks:
        _check_network(network, manifest)
        _check_embedding(network, most_inputs)
    sizes, n_inputs = networks[0].layer_sizes, networks[0].n_inputs
    _refuse(
        [
            (
                any((n.n_inputs, n.layer_sizes[-1]) != (n_inputs, sizes[-1]) for n in networks),
                "networks that differ in their inputs or outputs",
            ),
            (
                not len(classes) == len(set(classes)) == sizes[-1] or len(set(map(type, classes))) != 1,
                "classes that are not one name for each output, all of one type",
            ),
            (
                manifest.encoding is not None and manifest.encoding.width != n_inputs,
                "an encoding that doesn't fit the first layer",
            ),
            (
                names is not None and not len(names) == len(set(names)) == n_inputs,
                "columns that don't fit the first layer",
            ),
            (sum(count(n.layer_sizes) for n in networks) > MAX_PARAMETERS, "layer sizes too large to be true"),
            (not any(n.weight > 0 for n in networks), "networks whose weights are all 0"),
        ]
    )
    _check_additions(manifest)


def _check_network(network: NetworkEntry, manifest: Manifest) -> None:
    sizes = network.layer_sizes
    _refuse(
        [
            (len(sizes) < 2 or min(sizes) < 1, "layer sizes that make no network"),
            (
                len(network.activations) != len(sizes) - 2 or not set(network.activations) <= set(ACTIVATIONS),
                "activations that are unknown or too many",
            ),
            ((manifest.output, network.loss) not in PAIRS, "an output and a loss that are unknown, or no pair"),
            (manifest.dtype not in DTYPES, "a dtype other than float32 or float64"),
            (not 0 <= network.l2 < math.inf, "a penalty that is no number >= 0"),
            (not 0 <= network.weight < math.inf, "a weight of a network that is no number >= 0"),
            (manifest.version < 3 and network.needs_version_3, "options that came with version 3"),
            (network.softcap is not None and not 0 < network.softcap < math.inf, "a softcap that is no number > 0"),
            (not 0 <= network.z_loss < math.inf, "a z-loss that is no number >= 0"),
            (not 0 < network.temperature < math.inf, "a temperature that is no number > 0"),
            (
                network.has_head_options and manifest.output != "softmax",
                "a softcap, a z-loss or a temperature without softmax output",
            ),
        ]
    )


def _check_embedding(network: NetworkEntry, most_inputs: int) -> None:
    if network.embedding is None:
        return
    _refuse([(network.embedding.d > most_inputs, "an embedding too large to be true")])  # it makes a list of them
    try:
        embedding = embedding_of(network)
    except GlassmaxError as error:
        raise ModelFileError(f"has a manifest with an embedding that is none: {error}") from None
    assert embedding is not None
    _refuse([(embedding.width != network.layer_sizes[0], "an embedding that doesn't fit the first layer")])


def _check_additions(manifest: Manifest) -> None:
    calibration, conformal, softmax = manifest.calibration, manifest.conformal, manifest.output == "softmax"
    if calibration is not None:
        _refuse([(not (softmax and 0 < calibration.scale < math.inf), "a calibration that is none")])
    if conformal is not None:
        _refuse([(not (softmax and 0 <= conformal.rows <= MAX_ROWS), "conformal scores that are none")])


def _refuse(checks: list[tuple[bool, str]]) -> None:
    for wrong, what in checks:
        if wrong:
            raise ModelFileError(f"has a manifest with {what}.")


def check_tensors(manifest: Manifest, header: dict[str, Any]) -> None:
    """Compare the tensors' names, dtypes and shapes with the manifest, before any is loaded."""
    expected = _expected_tensors(manifest)
    for name, (shape, dtype) in expected.items():
        tensor = header.get(name)
        if not isinstance(tensor, dict) or (tensor.get("shape"), tensor.get("dtype")) != (shape, DTYPES[dtype]):
            raise ModelFileError(f"has tensors that don't fit its manifest: {name} should be {shape}, {dtype}.")
    if names := ", ".join(sorted(set(header) - set(expected))[:5]):
        raise ModelFileError(f"has tensors that its manifest doesn't list: {names}.")


def _expected_tensors(manifest: Manifest) -> dict[str, tuple[list[int], str]]:
    expected: dict[str, tuple[list[int], str]] = {}
    for number, network in enumerate(manifest.networks, 1):
        start, shapes = prefix(manifest, number), _shapes_of(network)
        expected |= {f"{start}{name}": (shape, manifest.dtype) for name, shape in shapes.items()}
        _refuse([(not _some_of(network.frozen, shapes), "frozen parameters that the network doesn't have")])
    k, calibration, conformal = manifest.networks[0].layer_sizes[-1], manifest.calibration, manifest.conformal
    if calibration is not None and calibration.bias:
        expected[BIAS] = [k], "float64"
    if conformal is not None:
        expected[SCORES] = [conformal.rows], "float64"
        if conformal.weighted:
            expected[ROW_WEIGHTS] = [conformal.rows], "float64"
    return expected


def _shapes_of(network: NetworkEntry) -> dict[str, list[int]]:
    """Return the shape of each parameter of a network."""
    sizes, shapes = network.layer_sizes, dict[str, list[int]]()
    for layer in range(1, len(sizes)):
        shapes |= {f"W{layer}": sizes[layer - 1 : layer + 1], f"b{layer}": [sizes[layer]]}
    embedding = embedding_of(network)
    return shapes if embedding is None else shapes | {name: list(shape) for name, shape in embedding.shapes.items()}


def _some_of(names: list[str], known: Iterable[str]) -> bool:
    """Return whether all names are known and different from each other."""
    return len(names) == len(set(names)) and set(names) <= set(known)


def __dir__() -> list[str]:
    return __all__
