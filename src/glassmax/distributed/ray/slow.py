"""Where slow tasks run, told by themselves: Ray's driver doesn't know on which worker a task is that has not ended."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["found_slow", "this_worker", "told_if_slow"]

NAMESPACE = b"glassmax"


def this_worker() -> str:
    """Return what messages call this process."""
    return f"the worker on {socket.gethostname()} (process {os.getpid()})"


@contextmanager
def told_if_slow(key: str, seconds: float) -> Iterator[None]:
    """Keep the name of this process in Ray's store under a key, from `seconds` on, as long as the task takes.

    A worker that stops before then, or a Ray without this store, is not told.
    """
    ended, lock = threading.Event(), threading.Lock()
    told: list[bool] = []

    def tell() -> None:
        with lock, suppress(Exception):
            if not ended.is_set():
                from ray.experimental.internal_kv import _internal_kv_put

                _internal_kv_put(key, this_worker(), namespace=NAMESPACE)
                told.append(True)

    timer = threading.Timer(seconds, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        ended.set()
        timer.cancel()
        with lock, suppress(Exception):
            if told:
                from ray.experimental.internal_kv import _internal_kv_del

                _internal_kv_del(key, namespace=NAMESPACE)


def found_slow(key: str) -> str | None:
    """Return the name of the process that was kept under a key; None if there is none."""
    with suppress(Exception):
        from ray.experimental.internal_kv import _internal_kv_get

        found = _internal_kv_get(key, namespace=NAMESPACE)
        return None if found is None else found.decode()
    return None
