"""Checkpoints: where a run stands, in a file, so that a run that was stopped can go on to the same bits.

A checkpoint is a sealed file (see `glassmax.sealed`): every number is a tensor, so nothing is rounded and nothing can
run. It belongs to one run, which it knows by a hash that its owner makes of data, engine and parameters, and it
refuses to serve another.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..errors import CheckpointError, ModelFileError
from ..files import write_whole
from ..functional.arrays import Array
from ..network import Network
from ..sealed import seal, unseal
from .loop import Standing
from .patience import Patience

__all__ = ["Checkpoint", "identity"]

FORMAT = "glassmax checkpoint 1"
BLOCK_BYTES = 2**24


class Manifest(msgspec.Struct, forbid_unknown_fields=True):
    """What a checkpoint says of itself, besides its numbers."""

    format: str
    identity: str
    stopped: bool


@dataclass
class Checkpoint:
    """The file of one run.

    Parameters
    ----------
    path : Path
        Its folder must exist.
    identity : str
        What the run is, from `identity`.
    network, standing, patience : Network, Standing, Patience
        The run's own; written from, and written to by `load`.
    curves : dict of str to list of float
        The records of its epochs, likewise.
    stopped : bool
        Whether patience has ended the run.
    """

    path: Path
    identity: str
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
            raise CheckpointError(f"checkpoint_path {self.path} can't be written: {error.strerror}.") from None

    def load(self) -> bool:
        """Put the run where the file says it stood.

        Returns
        -------
        bool
            False if there is no file.

        Raises
        ------
        CheckpointError
            If the file can't be read, is damaged, or belongs to another run.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            if self.path.parent.is_dir():
                return False
            raise CheckpointError(
                f"checkpoint_path is {str(self.path)!r}: the folder {self.path.parent} doesn't exist. Make it first."
            ) from None
        except OSError as error:
            raise CheckpointError(f"checkpoint_path {self.path} can't be read: {error.strerror}.") from None
        try:
            text, header = unseal(content)
            manifest = msgspec.json.decode(text, type=Manifest)
        except ModelFileError as error:
            raise CheckpointError(f"checkpoint_path {self.path} {error} Delete it to begin anew.") from None
        except msgspec.DecodeError:
            raise CheckpointError(
                f"checkpoint_path {self.path} is a file of glassmax, but no checkpoint: a model perhaps. Pass another."
            ) from None
        if (manifest.format, manifest.identity) != (FORMAT, self.identity):
            raise CheckpointError(
                f"checkpoint_path {self.path} belongs to another run: other data, other parameters, another engine or, "
                "with warm_start, another start. Pass what it was begun with, or another checkpoint_path; or delete it "
                "to begin anew."
            )
        try:
            self._read(content, header)
        except (KeyError, ValueError) as error:
            raise CheckpointError(
                f"checkpoint_path {self.path} lacks what a run needs: {error}. Delete it to begin anew."
            ) from None
        self.stopped = manifest.stopped
        return True

    def _tensors(self) -> dict[str, Array]:
        standing, patience = self.standing, self.patience
        counts = [standing.epochs, standing.steps, standing.rows, standing.seed, patience.idle]
        tensors: dict[str, Array] = {
            "theta": self.network.theta,
            "best_theta": patience.best_theta,
            "counts": np.array(counts, np.int64),
            "numbers": np.array([standing.weight, standing.slowdown, patience.best], np.float64),
            **_parts("draw", standing.draw),
        }
        if standing.split is not None:
            tensors |= _parts("split", standing.split)
        if standing.order is not None:
            tensors["order"] = standing.order.astype(np.int64, copy=False)
        tensors |= {f"state.{name}": np.asarray(values) for name, values in standing.state.items()}
        return tensors | {f"curve.{name}": np.array(values, np.float64) for name, values in self.curves.items()}

    def _read(self, content: bytes, header: dict[str, Any]) -> None:
        """Take everything over; the hash and the identity say that it is this run's own."""
        from safetensors.numpy import load

        tensors: dict[str, Array] = load(content)
        standing, patience = self.standing, self.patience
        self.network.theta[...] = tensors["theta"]
        patience.best_theta[...] = tensors["best_theta"]
        standing.epochs, standing.steps, standing.rows, standing.seed, patience.idle = tensors["counts"].tolist()
        standing.weight, standing.slowdown, patience.best = tensors["numbers"].tolist()
        standing.draw = _whole("draw", tensors)
        standing.split = _whole("split", tensors) if "split.key" in header else None
        standing.order = tensors["order"].astype(np.intp) if "order" in header else None
        for name, values in standing.state.items():
            saved = tensors[f"state.{name}"]
            standing.state[name] = saved.copy() if isinstance(values, np.ndarray) else saved.item()
        for name, values in self.curves.items():
            values[:] = tensors[f"curve.{name}"].tolist()


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


def identity(texts: Iterable[str], arrays: Iterable[Any]) -> str:
    """Return a hash of texts and arrays: what a run is.

    Parameters
    ----------
    texts : iterable of str
        Parameters, the engine's name, ...
    arrays : iterable of array, CSR matrix or None
        The data.

    Returns
    -------
    str
        SHA-256 in hexadecimal.

    Examples
    --------
    >>> X = np.eye(3)
    >>> identity(["alpha=0.1"], [X, None]) == identity(["alpha=0.1"], [X.copy(order="F"), None])
    True
    >>> identity(["alpha=0.1"], [X, None]) == identity(["alpha=0.1"], [X.astype("float32"), None])
    False
    """
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    for array in arrays:
        parts = [array] if array is None or isinstance(array, np.ndarray) else [array.indptr, array.indices, array.data]
        digest.update(f"{getattr(array, 'shape', None)};".encode())
        for part in parts:
            if part is None:
                continue
            digest.update(f"{part.dtype};".encode())
            rows = max(1, BLOCK_BYTES // max(1, part[:1].nbytes))
            for start in range(0, len(part), rows):
                digest.update(np.ascontiguousarray(part[start : start + rows]).data)
    return digest.hexdigest()
