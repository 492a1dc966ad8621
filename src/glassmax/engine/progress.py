"""Progress within an epoch: how many steps to take before the next report."""

import time
from collections.abc import Callable

__all__ = ["Pace", "Progress"]

Progress = Callable[[int, int, float], object]
"""Called with the rows of the epoch that are done, all its rows, and the mean loss of those done, penalty included."""

FIRST_SECONDS, EVERY_SECONDS = 1.0, 0.25


class Pace:
    """Report the progress of epochs four times a second; of each epoch only after its first second.

    Parameters
    ----------
    progress : callable
        Called as ``progress(rows_done, rows, loss_so_far)``.

    Attributes
    ----------
    steps : int
        >= 1: how many steps to take until the next look at the clock, about a quarter of a second.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress, self.steps = progress, 1
        self.begin()

    def begin(self) -> None:
        """Begin an epoch; the pace is that of the epochs before."""
        self.started = self.looked = time.perf_counter()

    def look(self, rows_done: int, rows: int, loss_so_far: float) -> None:
        """Adjust the pace to what `steps` steps have taken, and report; the end of an epoch is not reported."""
        now = time.perf_counter()
        taken, self.looked = max(now - self.looked, 1e-7), now
        self.steps = max(1, min(int(self.steps * EVERY_SECONDS / taken), 1000 * self.steps))
        if now - self.started >= FIRST_SECONDS and rows_done < rows:
            self.progress(rows_done, rows, loss_so_far)
