"""The reader: windows of rows, read by a thread ahead of the engine.

At most `AHEAD` windows wait; then the thread does, too. An error in the thread is raised where the windows are taken,
and whoever stops to take windows, by an error or by Ctrl-C, ends the thread before going on.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

__all__ = ["AHEAD", "read_ahead"]

AHEAD = 2
"""The number of windows that are read before they are needed."""

_Number = TypeVar("_Number")
_Window = TypeVar("_Window")


def read_ahead(
    read: Callable[[_Number], _Window], numbers: Iterable[_Number], ahead: int = AHEAD
) -> Generator[_Window, None, None]:
    """Return the windows of some numbers, in their order; each is read before it is needed.

    Parameters
    ----------
    read : callable
        Reads the window of a number; is called in another thread.
    numbers : iterable
    ahead : int, default=2
        >= 1: number of windows that are read and not yet taken.

    Raises
    ------
    Exception
        What `read` raises, after the windows before.

    Notes
    -----
    Close the iterator, as ``contextlib.closing`` does, to end the thread at once. It also ends when the iterator is
    deleted.
    """
    waiting: queue.Queue[tuple[_Window | None, BaseException | None]] = queue.Queue(ahead)
    stopping = threading.Event()

    def work() -> None:
        try:
            for number in numbers:
                if stopping.is_set():
                    return
                waiting.put((read(number), None))
        except BaseException as error:  # raised in the other thread
            waiting.put((None, error))
        else:
            waiting.put((None, StopIteration()))

    thread = threading.Thread(target=work, name="glassmax reader", daemon=True)
    thread.start()
    try:
        while True:
            window, error = waiting.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield window  # type: ignore[misc]
            del window  # or its memory would stay while the next one is awaited
    finally:
        stopping.set()
        while thread.is_alive():  # it may wait for room
            try:
                waiting.get_nowait()
            except queue.Empty:
                thread.join(0.01)
