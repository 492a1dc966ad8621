"""Checkpoints: a training run in a file, from which it is resumed with bit-identical results.

A checkpoint is a sealed file (see `glassmax.sealed`): every number is a tensor, so nothing is rounded, and the file
holds no code. It belongs to one run, identified by its data, engine and parameters, and can't be used for another run.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import numpy as np

from ..errors import CheckpointError, ModelFileError, Setting, Text
from ..files import remove_leftovers, write_whole
from ..functional.arrays import Array
from ..network import Network
from ..sealed import Sealed, sealed_pieces
from .early_stopping import EarlyStopping
from .loop import TrainingState

__all__ = ["Checkpoint", "check_begun", "difference", "digest", "fault", "open_checkpoint"]

FORMAT = "glassmax checkpoint 1"
BLOCK_BYTES = 2**24
LONGEST = 60
PATH = Setting("checkpoint_path")


class CheckpointManifest(msgspec.Struct, forbid_unknown_fields=True):
    """Contents of a checkpoint besides its tensors."""

    format: str
    identity: dict[str, str]
    stopped: bool


class _HasIdentity(Protocol):
    format: str
    identity: dict[str, str]


_Manifest = TypeVar("_Manifest", bound=_HasIdentity)


@dataclass(repr=False)
class Checkpoint:
    """The checkpoint file of one training run.

    Parameters
    ----------
    path : Path
        Path of the checkpoint; the folder must exist.
    identity : dict of str to str
        Parameters of the run by name, and hashes of its data from `digest`; they identify the run.
    network, training, early_stopping : Network, TrainingState, EarlyStopping
        Objects of the run; `save` writes their state, `load` restores it in place.
    curves : dict of str to list of float
        Losses and scores of the epochs; `save` writes them, `load` restores them in place.
    stopped : bool
        Whether early stopping has ended the run.
    """

    path: Path
    identity: dict[str, str]
    network: Network
    training: TrainingState
    early_stopping: EarlyStopping
    curves: dict[str, list[float]] = field(default_factory=dict)
    stopped: bool = False

    def __repr__(self) -> str:
        return f"Checkpoint({str(self.path)!r}, epochs={self.training.epochs}, stopped={self.stopped})"

    def save(self) -> None:
        """Write the state of the run, whole or not at all."""
        text = msgspec.json.encode(CheckpointManifest(FORMAT, self.identity, self.stopped)).decode()
        try:
            write_whole(self.path, sealed_pieces(self._tensors(), text))
        except OSError as error:
            raise fault(self.path, f"can't be written: {error.strerror}.") from None

    def load(self, max_epochs: int) -> bool:
        """Restore the run from the file.

        Parameters
        ----------
        max_epochs : int
            Maximum number of epochs of the run.

        Returns
        -------
        bool
            False if there is no file.

        Raises
        ------
        CheckpointError
            If the file can't be read, is damaged, belongs to another run, or holds more epochs. The run is unchanged.
        """
        opened = open_checkpoint(self.path, CheckpointManifest, FORMAT, self.identity)
        if opened is None:
            return False
        sealed, manifest = opened
        try:
            with sealed.file:
                self._read(sealed, max_epochs)
        except CheckpointError:
            raise
        except (KeyError, ValueError) as error:
            raise fault(self.path, f"lacks what a run needs: {error}. Delete it to begin anew.") from None
        self.stopped = manifest.stopped
        return True

    def _tensors(self) -> dict[str, Array]:
        training, stopping = self.training, self.early_stopping
        counts = [training.epochs, training.steps, training.rows, training.seed, stopping.epochs_without_improvement]
        tensors: dict[str, Array] = {
            "theta": self.network.theta,
            "counts": np.array(counts, np.int64),
            "numbers": np.array([training.weight, training.slowdown, stopping.best], np.float64),
            **_parts("draw", training.draw),
        }
        if stopping.best_theta is not None:
            tensors["best_theta"] = stopping.best_theta
        if training.split is not None:
            tensors |= _parts("split", training.split)
        if training.order is not None:
            tensors["order"] = training.order.astype(np.int64, copy=False)
        tensors |= {f"state.{name}": np.asarray(values) for name, values in training.state.items()}
        return tensors | {f"curve.{name}": np.array(values, np.float64) for name, values in self.curves.items()}

    def _read(self, sealed: Sealed, max_epochs: int) -> None:
        """Restore everything, each array in its place; hash and identity have been checked before."""
        training, stopping, header = self.training, self.early_stopping, sealed.header
        moved = {f"state.{name}": values for name, values in training.state.items() if isinstance(values, np.ndarray)}
        own = {"theta": self.network.theta, **moved}
        if stopping.best_theta is not None:
            own["best_theta"] = stopping.best_theta
        needed = {*own, "counts", "numbers", "draw.key", *(f"curve.{name}" for name in self.curves)}
        if lacking := sorted(needed - set(header)):
            raise KeyError(lacking[0])
        for name, array in own.items():
            if tuple(header[name]["shape"]) != array.shape:
                raise ValueError(f"{name} of shape {array.shape}")
        self._check_epochs(sealed.array("counts").tolist()[0], max_epochs)
        tensors = sealed.arrays(own)
        for name, array in own.items():
            if tensors[name] is not array:  # of another dtype
                array[...] = tensors[name]
        epochs, steps, rows, seed, idle = tensors["counts"].tolist()
        weight, slowdown, best = tensors["numbers"].tolist()
        draw, split = _whole("draw", tensors), _whole("split", tensors) if "split.key" in header else None
        curves = {name: tensors[f"curve.{name}"].tolist() for name in self.curves}
        for name, value in training.state.items():
            if not isinstance(value, np.ndarray):
                training.state[name] = tensors[f"state.{name}"].item()
        for name, curve in curves.items():
            self.curves[name][:] = curve
        training.draw, training.split = draw, split
        training.order = tensors["order"].astype(np.intp) if "order" in header else None
        training.epochs, training.steps, training.rows, training.seed = epochs, steps, rows, seed
        training.weight, training.slowdown = weight, slowdown
        stopping.best, stopping.epochs_without_improvement = best, idle

    def _check_epochs(self, epochs: int, max_epochs: int) -> None:
        if epochs > max_epochs:
            remedy = ("Raise ", Setting("max_iter"), ", or pass another ", PATH, ".")
            most = Setting("max_iter", max_epochs)
            raise fault(self.path, f"holds {epochs} epochs, expected at most ", most, ".", remedy=remedy)


def open_checkpoint(
    path: Path, kind: type[_Manifest], form: str, identity: dict[str, str], *, partly: bool = False
) -> tuple[Sealed, _Manifest] | None:
    """Read a checkpoint file, and check its hash, its manifest and its identity.

    What an earlier run to this path left behind when it was killed in the middle of writing is removed.

    Parameters
    ----------
    path : Path
    kind : type
        Type of the manifest, with the attributes `format` and `identity`.
    form : str
        The format that is expected.
    identity : dict of str to str
        The identity of the run that is to be resumed.
    partly : bool, default=False
        Whether `identity` is only a part of it: what is known of the run so far.

    Returns
    -------
    sealed : Sealed
        Checked, its tensors still to be read; the caller closes its file.
    manifest : kind
        Nothing of this, None, if there is no file.

    Raises
    ------
    CheckpointError
        If the file can't be read, is damaged, or belongs to another run.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        if path.parent.is_dir():
            remove_leftovers(path)
            return None
        message = f" is {str(path)!r}: the folder {path.parent} doesn't exist."
        raise CheckpointError(PATH, message, parameter=PATH.parameter, remedy="Make it first.") from None
    except OSError as error:
        raise fault(path, f"can't be read: {error.strerror}.") from None
    try:
        sealed = Sealed(file, path.stat().st_size)
        sealed.check()
        sealed.check_places()
        sealed.rewind()
        manifest = msgspec.json.decode(sealed.text, type=kind)
    except OSError as error:
        file.close()
        raise fault(path, f"can't be read: {error.strerror}.") from None
    except ModelFileError as error:
        file.close()
        remedy: Text = ("If it was a checkpoint, delete it to begin anew; otherwise pass another ", PATH, ".")
        raise fault(path, str(error), remedy=remedy) from None
    except msgspec.DecodeError:
        file.close()
        raise fault(path, "is a file of glassmax, but no checkpoint: a model perhaps. Pass another.") from None
    there = manifest.identity
    if partly:
        there = {name: there[name] for name in identity if name in there}
    if (manifest.format, there) != (form, identity):
        file.close()
        remedy = ("Pass what it was begun with, or another ", PATH, "; or delete it to begin anew.")
        what = difference(manifest.format, form, there, identity)
        raise fault(path, "belongs to another run: ", *what, ".", remedy=remedy)
    remove_leftovers(path)
    return sealed, manifest


def check_begun(path: str | Path | None, identity: dict[str, str]) -> None:
    """Raise a CheckpointError if the checkpoint of a run can't be read, or isn't that of this run.

    Parameters
    ----------
    path : str or Path, optional
        Nothing is checked without one, or if there is no file.
    identity : dict of str to str
        What is known of the identity of the run before anything is computed.
    """
    if path is not None and Path(path).exists():
        opened = open_checkpoint(Path(path), CheckpointManifest, FORMAT, identity, partly=True)
        if opened is not None:
            opened[0].file.close()


def fault(path: Path, what: str, *more: str | Setting, remedy: Text = ()) -> CheckpointError:
    """Return the error that a checkpoint is at fault."""
    return CheckpointError(PATH, f" {path} {what}", *more, parameter=PATH.parameter, remedy=remedy)


def difference(format_there: str, format_here: str, there: dict[str, str], here: dict[str, str]) -> Text:
    """Return what differs between the identity of a file and that of a run, at most three things."""
    said: list[Text] = []
    for name in sorted(set(here) | set(there), key=list(here).index if set(there) <= set(here) else None):
        if here.get(name) != there.get(name):
            values = here.get(name, "missing"), there.get(name, "missing")
            long = max(map(len, values)) > LONGEST
            differ = "differ" if name.startswith("the ") and name.endswith("s") else "differs"
            how = f" {differ}" if long else f" is {values[0]}, the file has {values[1]}"
            said.append(("; " if said else "", Setting(name), how))
    if not said:
        return (f"its format is {format_there!r}, expected {format_here!r}",)
    more = f", and {len(said) - 3} more" if len(said) > 3 else ""
    return (*(piece for difference in said[:3] for piece in difference), more)


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
    """Return a hash of arrays and CSR matrices, the same for the same numbers, shapes and dtypes in any memory layout.

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
