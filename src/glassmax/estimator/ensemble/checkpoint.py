"""The checkpoint of an ensemble: the members that have been trained, in a sealed file.

The file is written whole after each member. A run that is resumed restores these members and trains the others; its
results are the same, bit for bit, as without the interruption, because every member depends on its own seed alone.
"""

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from ...files import write_whole
from ...functional.arrays import Array
from ...sealed import Sealed, sealed_pieces
from ...training.checkpoint import fault, open_checkpoint

__all__ = ["EnsembleCheckpoint", "MemberFacts", "SavedMember"]

FORMAT = "glassmax ensemble checkpoint 1"


class MemberFacts(msgspec.Struct, forbid_unknown_fields=True):
    """What a file says of a member besides its tensors."""

    type: int
    number: int
    epochs: int
    rows: int
    seconds: float
    stop_reason: str


class EnsembleManifest(msgspec.Struct, forbid_unknown_fields=True):
    """Contents of a checkpoint besides its tensors."""

    format: str
    identity: dict[str, str]
    members: list[MemberFacts]


class SavedMember(NamedTuple):
    """A member as it was trained: its parameters, its training losses, and how its training ended."""

    theta: Array
    loss_curve: list[float]
    facts: MemberFacts


class EnsembleCheckpoint:
    """The checkpoint file of one ensemble; it belongs to the run with this identity alone.

    Parameters
    ----------
    path : Path
        The folder must exist.
    identity : dict of str to str
        Everything that the results depend on, by name.

    Raises
    ------
    CheckpointError
        If there is a file that can't be read, is damaged, or belongs to another run.
    """

    def __init__(self, path: Path, identity: dict[str, str]) -> None:
        self.path, self.identity = path, identity
        self.saved: dict[tuple[int, int], SavedMember] = {}
        opened = open_checkpoint(path, EnsembleManifest, FORMAT, identity)
        if opened is not None:
            sealed, manifest = opened
            with sealed.file:
                self._read(sealed, manifest)

    def member(self, position: int, number: int) -> SavedMember | None:
        """Return a member of the file, by the position of its type and its number."""
        return self.saved.get((position, number))

    def add(self, member: SavedMember) -> None:
        """Write the file with one more member, whole or not at all."""
        self.saved[member.facts.type, member.facts.number] = member
        ordered = [self.saved[key] for key in sorted(self.saved)]
        tensors: dict[str, Array] = {}
        for saved in ordered:
            name = f"{saved.facts.type}.{saved.facts.number}"
            tensors[f"{name}.theta"] = saved.theta
            tensors[f"{name}.loss_curve"] = np.array(saved.loss_curve, np.float64)
        manifest = EnsembleManifest(FORMAT, self.identity, [saved.facts for saved in ordered])
        try:
            write_whole(self.path, sealed_pieces(tensors, msgspec.json.encode(manifest).decode()))
        except OSError as error:
            raise fault(self.path, f"can't be written: {error.strerror}.") from None

    def _read(self, sealed: Sealed, manifest: EnsembleManifest) -> None:
        try:
            tensors = sealed.arrays({})
            for facts in manifest.members:
                name = f"{facts.type}.{facts.number}"
                theta, curve = tensors[f"{name}.theta"], tensors[f"{name}.loss_curve"]
                if theta.ndim != 1 or not np.isfinite(theta).all():
                    raise ValueError(f"the weights of member {name}")
                self.saved[facts.type, facts.number] = SavedMember(theta, curve.tolist(), facts)
        except (KeyError, ValueError) as error:
            raise fault(self.path, f"lacks what a run needs: {error}. Delete it to begin anew.") from None
