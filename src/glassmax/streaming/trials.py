"""Parquet and Arrow files are decoded by another process before they are decoded here, many by the same process."""

from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from ..table.trial import Trial

__all__ = ["Trials"]

MOST_FILES = 256


class Trials:
    """The processes that decode files ahead; to be used in a ``with`` statement, which ends them.

    Parameters
    ----------
    files : sequence of (path, kind) or None
        The files in order; None for one that is not decoded ahead.
    """

    def __init__(self, files: Sequence[tuple[str, str] | None]) -> None:
        self.files = files
        self._trial: Trial | None = None
        self._places: dict[int, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._trial is not None:
            self._trial.__exit__(kind, error, trace)
            self._trial = None

    def of(self, position: int) -> Callable[[int], bool] | None:
        """Return what waits until so many rows of a file have been decoded, see `read_columnar`; None for no file."""
        if self.files[position] is None:
            return None
        if self._trial is None or position not in self._places:
            self.__exit__(None, None, None)
            following = enumerate(self.files[position : position + MOST_FILES], start=position)
            chosen = {number: file for number, file in following if file is not None}
            self._places = {number: place for place, number in enumerate(chosen)}
            self._trial = Trial(list(chosen.values()))
        return partial(self._trial.has_read, self._places[position])
