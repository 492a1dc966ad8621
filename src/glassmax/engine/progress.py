"""Progress within an epoch: how many steps to take before the next report."""

import time
from collections.abc import Callable

__all__ = ["Pace", "Progress"]

Progress = Callable[[int, int, float], object]
"""Called with the number of rows done in the epoch, the number of all rows, and the mean loss of the rows done, penalty
included."""

FIRST_SECONDS, EVERY_SECONDS = 1.0, 0.25


class Pace:
    """Report the progress of epochs four times a second, beginning one second after the start of each epoch.

    Parameters
    ----------
    progress : callable
        Called as ``progress(rows_done, rows, loss_so_far)``.

    Attributes
    ----------
    steps : int
        >= 1: number of steps until the clock is read again; they take about a quarter of a second.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress, self.steps = progress, 1
        self.begin()

    def begin(self) -> None:
        """Begin an epoch; `steps` is kept from the epoch before."""
        self.started = self.looked = time.perf_counter()

    def look(self, rows_done: int, rows: int, loss_so_far: float) -> None:
        """Adjust `steps` to the time that they took, and report the progress; the end of an epoch is not reported."""
        now = time.perf_counter()
        taken, self.looked = max(now - self.looked, 1e-7), now
        self.steps = max(1, min(int(self.steps * EVERY_SECONDS / taken), 1000 * self.steps))
        if now - self.started >= FIRST_SECONDS and rows_done < rows:
            self.progress(rows_done, rows, loss_so_far)
