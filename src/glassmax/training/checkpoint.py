"""Checkpoints: where a run stands, in a file, so that a run that was stopped can go on to the same bits.

A checkpoint is a sealed file (see `glassmax.sealed`): every number is a tensor, so nothing is rounded and nothing can
run. It belongs to one run, which it knows by what its owner says of data, engine and parameters, and it refuses to
serve another.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..errors import CheckpointError, ModelFileError, Setting, Text
from ..files import write_whole
from ..functional.arrays import Array
from ..network import Network
from ..sealed import seal, unseal
from .loop import Standing
from .patience import Patience

__all__ = ["Checkpoint", "digest"]

FORMAT = "glassmax checkpoint 1"
BLOCK_BYTES = 2**24
LONGEST = 60
PATH = Setting("checkpoint_path")


class Manifest(msgspec.Struct, forbid_unknown_fields=True):
    """What a checkpoint says of itself, besides its numbers."""

    format: str
    identity: dict[str, str]
    stopped: bool


@dataclass
class Checkpoint:
    """The file of one run.

    Parameters
    ----------
    path : Path
        Its folder must exist.
    identity : dict of str to str
        What the run is: by name its parameters, and hashes of its data from `digest`.
    network, standing, patience : Network, Standing, Patience
        The run's own; written from, and written to by `load`.
    curves : dict of str to list of float
        The records of its epochs, likewise.
    stopped : bool
        Whether patience has ended the run.
    """

    path: Path
    identity: dict[str, str]
    network: Network
    standing: Standing
    patience: Patience
    curves: dict[str, list[float]] = field(default_factory=dict)
    stopped: bool = False

    def save(self) -> None:
        """Write where the run stands, whole or not at all."""
        text = msgspec.json.encode(Manifest(FORMAT, self.identity, self.stopped)).decode()
        try:
            write_whole(self.path, seal(self._tensors(), text))
        except OSError as error:
            raise CheckpointError(PATH, f" {self.path} can't be written: {error.strerror}.") from None

    def load(self, max_epochs: int) -> bool:
        """Put the run where the file says it stood.

        Parameters
        ----------
        max_epochs : int
            Where the run is to end.

        Returns
        -------
        bool
            False if there is no file.

        Raises
        ------
        CheckpointError
            If the file can't be read, is damaged, belongs to another run, or holds more epochs; nothing has changed.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            if self.path.parent.is_dir():
                return False
            raise CheckpointError(
                *(PATH, f" is {str(self.path)!r}: the folder {self.path.parent} doesn't exist. Make it first.")
            ) from None
        except OSError as error:
            raise CheckpointError(PATH, f" {self.path} can't be read: {error.strerror}.") from None
        try:
            text, header = unseal(content)
            manifest = msgspec.json.decode(text, type=Manifest)
        except ModelFileError as error:
            raise CheckpointError(
                *(PATH, f" {self.path} {error}"),
                remedy=("If it was a checkpoint, delete it to begin anew; otherwise pass another ", PATH, "."),
            ) from None
        except msgspec.DecodeError:
            raise CheckpointError(
                *(PATH, f" {self.path} is a file of glassmax, but no checkpoint: a model perhaps. Pass another.")
            ) from None
        if (manifest.format, manifest.identity) != (FORMAT, self.identity):
            raise CheckpointError(
                *(PATH, f" {self.path} belongs to another run: ", *self._difference(manifest), "."),
                remedy=("Pass what it was begun with, or another ", PATH, "; or delete it to begin anew."),
            )
        try:
            self._read(content, header, max_epochs)
        except CheckpointError:
            raise
        except (KeyError, ValueError) as error:
            raise CheckpointError(
                *(PATH, f" {self.path} lacks what a run needs: {error}. Delete it to begin anew.")
            ) from None
        self.stopped = manifest.stopped
        return True

    def _difference(self, manifest: Manifest) -> Text:
        """Say what differs, at most three things."""
        here, there = self.identity, manifest.identity
        said: list[Text] = []
        for name in sorted(set(here) | set(there), key=list(here).index if set(there) <= set(here) else None):
            if here.get(name) != there.get(name):
                values = here.get(name, "missing"), there.get(name, "missing")
                long = max(map(len, values)) > LONGEST
                how = " differs" if long else f" is {values[0]}, the file has {values[1]}"
                said.append(("; " if said else "", Setting(name), how))
        if not said:
            return (f"its format is {manifest.format!r}, expected {FORMAT!r}",)
        more = f", and {len(said) - 3} more" if len(said) > 3 else ""
        return (*(piece for difference in said[:3] for piece in difference), more)

    def _tensors(self) -> dict[str, Array]:
        standing, patience = self.standing, self.patience
        counts = [standing.epochs, standing.steps, standing.rows, standing.seed, patience.idle]
        tensors: dict[str, Array] = {
            "theta": self.network.theta,
            "counts": np.array(counts, np.int64),
            "numbers": np.array([standing.weight, standing.slowdown, patience.best], np.float64),
            **_parts("draw", standing.draw),
        }
        if patience.best_theta is not None:
            tensors["best_theta"] = patience.best_theta
        if standing.split is not None:
            tensors |= _parts("split", standing.split)
        if standing.order is not None:
            tensors["order"] = standing.order.astype(np.int64, copy=False)
        tensors |= {f"state.{name}": np.asarray(values) for name, values in standing.state.items()}
        return tensors | {f"curve.{name}": np.array(values, np.float64) for name, values in self.curves.items()}

    def _read(self, content: bytes, header: dict[str, Any], max_epochs: int) -> None:
        """Take everything over, once everything is there; the hash and the identity say that it is this run's own."""
        from safetensors.numpy import load

        tensors: dict[str, Array] = load(content)
        standing, patience = self.standing, self.patience
        epochs, steps, rows, seed, idle = tensors["counts"].tolist()
        weight, slowdown, best = tensors["numbers"].tolist()
        if epochs > max_epochs:
            raise CheckpointError(
                *(PATH, f" {self.path} holds {epochs} epochs, expected at most ", Setting("max_iter", max_epochs), "."),
                remedy=("Raise ", Setting("max_iter"), ", or pass another ", PATH, "."),
            )
        draw, split = _whole("draw", tensors), _whole("split", tensors) if "split.key" in header else None
        state = {name: tensors[f"state.{name}"] for name in standing.state}
        curves = {name: tensors[f"curve.{name}"].tolist() for name in self.curves}
        best_theta = tensors["best_theta"] if patience.best_theta is not None else None
        self.network.theta = tensors["theta"]
        for name, values in state.items():
            is_array = isinstance(standing.state[name], np.ndarray)
            standing.state[name] = values.copy() if is_array else values.item()
        for name, curve in curves.items():
            self.curves[name][:] = curve
        standing.draw, standing.split = draw, split
        standing.order = tensors["order"].astype(np.intp) if "order" in header else None
        standing.epochs, standing.steps, standing.rows, standing.seed = epochs, steps, rows, seed
        standing.weight, standing.slowdown = weight, slowdown
        patience.best, patience.best_theta, patience.idle = best, best_theta, idle


def _parts(name: str, draw: np.random.RandomState) -> dict[str, Array]:
    _, key, position, has_gauss, gauss = draw.get_state(legacy=True)
    return {
        f"{name}.key": np.asarray(key),
        f"{name}.place": np.array([position, has_gauss], np.int64),
        f"{name}.gauss": np.array(gauss, np.float64),
    }


def _whole(name: str, tensors: dict[str, Array]) -> np.random.RandomState:
    draw = np.random.RandomState()
    position, has_gauss = tensors[f"{name}.place"].tolist()
    draw.set_state(("MT19937", tensors[f"{name}.key"], position, has_gauss, tensors[f"{name}.gauss"].item()))
    return draw


def digest(*arrays: Any) -> str:
    """Return a hash of arrays: the same numbers in the same shape and dtype, whatever their layout.

    Parameters
    ----------
    *arrays : array, CSR matrix or None

    Returns
    -------
    str
        SHA-256 in hexadecimal.

    Examples
    --------
    >>> X = np.eye(3)
    >>> digest(X, None) == digest(X.copy(order="F"), None)
    True
    >>> digest(X) == digest(X.astype("float32"))
    False
    """
    sha = hashlib.sha256()
    for array in arrays:
        parts = [array] if array is None or isinstance(array, np.ndarray) else [array.indptr, array.indices, array.data]
        sha.update(f"{getattr(array, 'shape', None)};".encode())
        for part in parts:
            if part is None:
                continue
            sha.update(f"{part.dtype};".encode())
            rows = max(1, BLOCK_BYTES // max(1, part[:1].nbytes))
            for start in range(0, len(part), rows):
                sha.update(np.ascontiguousarray(part[start : start + rows]).data)
    return sha.hexdigest()
