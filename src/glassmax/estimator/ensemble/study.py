"""The study of a search: its trials, one line of JSON each, in a file from which the search is resumed.

The first line says to which search the file belongs: by hashes of the table, the folds and the parameters. Each trial
that has ended is appended as one line. A last line that is not whole, because the machine stopped while it was written,
is removed when the search is resumed.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from ...errors import CheckpointError, Setting, Text
from ...files import remove_leftovers, write_whole
from ...training.checkpoint import difference

__all__ = ["StudyFile", "Trial", "fault"]

FORMAT = "glassmax study 1"
PATH = Setting("study_path")


@dataclass(frozen=True)
class Trial:
    """A trial of `TableClassifier.tune`: one type of member, and how well its members predict rows not seen.

    Attributes
    ----------
    number : int
        From 1.
    parameters : dict
        layers, width, activation, mixup, dropout, learning_rate, epochs, and bins if the table has numbers.
    log_loss : float or None
        Log-loss of the rows that its members have judged out of fold, a temperature fitted; None if it diverged.
    error : float or None
        Share of these rows that are classified wrongly.
    seconds : float
    state : {"complete", "pruned", "diverged"}
        A pruned trial was ended early: it was worse than the median of the complete trials before it.
    seed : int
        Decides what is tried, and the starting weights and batches of its members.
    log_losses : list of float
        The log-loss after each member.
    """

    number: int
    parameters: dict[str, int | float | str | None]
    log_loss: float | None
    error: float | None
    seconds: float
    state: Literal["complete", "pruned", "diverged"]
    seed: int
    log_losses: list[float]


class Identity(msgspec.Struct, forbid_unknown_fields=True):
    """The first line of a file."""

    format: str
    identity: dict[str, str]


class StudyFile:
    """The file of one search; it belongs to the search with this identity alone.

    Parameters
    ----------
    path : Path
        The folder must exist.
    identity : dict of str to str
        Everything that the trials depend on, by name.

    Attributes
    ----------
    trials : list of Trial
        Those that the file held when it was opened.

    Raises
    ------
    CheckpointError
        If there is a file that can't be read or written, is damaged, or belongs to another search.
    """

    def __init__(self, path: Path, identity: dict[str, str]) -> None:
        self.path = path
        self.trials: list[Trial] = []
        remove_leftovers(path)
        try:
            if path.exists():
                self._read(path.read_bytes(), identity)
            else:
                write_whole(path, _line(Identity(FORMAT, identity)))
        except FileNotFoundError:
            raise fault(path, f": the folder {path.parent} doesn't exist.", remedy="Make it first.") from None
        except OSError as error:
            raise fault(path, f" can't be read and written: {error.strerror}.") from None

    def add(self, trial: Trial) -> None:
        """Append a trial as one line, and bring it to the disk."""
        try:
            with self.path.open("ab") as file:
                file.write(_line(trial))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise fault(self.path, f" can't be written: {error.strerror}.") from None

    def _read(self, content: bytes, identity: dict[str, str]) -> None:
        whole = content.rfind(b"\n") + 1
        first, *lines = content[:whole].split(b"\n")[:-1] or [b""]
        try:
            there = msgspec.json.decode(first, type=Identity)
        except msgspec.DecodeError:
            remedy: Text = ("Pass another ", PATH, ".")
            raise fault(self.path, " is not a study of glassmax.", remedy=remedy) from None
        if (there.format, there.identity) != (FORMAT, identity):
            what = difference(there.format, FORMAT, there.identity, identity)
            remedy = ("Pass what it was begun with, or another ", PATH, "; or delete it to begin anew.")
            raise fault(self.path, " belongs to another search: ", *what, ".", remedy=remedy)
        for number, line in enumerate(lines, 1):
            try:
                trial = msgspec.json.decode(line, type=Trial)
            except msgspec.DecodeError as error:
                raise damaged(self.path, number, str(error)) from None
            if trial.number != number:
                raise damaged(self.path, number, f"it is trial {trial.number}, expected trial {number}")
            self.trials.append(trial)
        if whole < len(content):
            os.truncate(self.path, whole)


def _line(record: Identity | Trial) -> bytes:
    return msgspec.json.encode(record) + b"\n"


def damaged(path: Path, number: int, why: str) -> CheckpointError:
    """Return the error that the line of trial `number` can't be used."""
    remedy = "Delete this line and those after it, and the search goes on from the lines before."
    return fault(path, f", line {number + 1}, is damaged: {why}.", remedy=remedy)


def fault(path: Path, what: str, *more: str | Setting, remedy: Text | str = ()) -> CheckpointError:
    """Return the error that the file of a study is at fault."""
    return CheckpointError(PATH, f" {path}{what}", *more, parameter=PATH.parameter, remedy=remedy)
