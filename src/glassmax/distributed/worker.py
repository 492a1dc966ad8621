"""A worker process: it reads requests from its input, and writes one answer to its output for each.

A request is two messages: what to do, and what the operation is called with or what is broadcast. The process ends
with its input: a driver that is gone, even by ``kill -9``, leaves no worker behind.
"""

import io
import os
import select
import sys
import threading
import time
from collections.abc import Callable

from .failures import failure_of
from .messages import Message
from .operations import call_operation, partial_sums
from .pipes import framed, receive, send
from .workers import Held

__all__ = ["main"]

ALIVE_SECONDS = 1.0
GRACE_SECONDS = 2.0


def main() -> None:
    """Answer requests until the input ends."""
    requests, answers = _own_pipes()
    _end_with(requests)
    held = Held(Message({}, {}), alive=_alive(answers))
    while (request := receive(requests)) is not None and (call := receive(requests)) is not None:
        if request.manifest["do"] == "broadcast":
            held.renew(call)
            continue
        try:
            answer = framed(_answer(held, request, call))
        except Exception as error:
            answer = framed(failure_of(error))
        del call
        send(answers, answer)


def _answer(held: Held, request: Message, call: Message) -> Message:
    name, first, last = request.manifest["operation"], request.manifest["first"], request.manifest["last"]
    if request.manifest["do"] == "sum":
        return partial_sums(held, name, range(first, last), call)
    return call_operation(held, name, first, call)


def _own_pipes() -> tuple[io.RawIOBase, io.RawIOBase]:
    """Return the pipes from and to the driver; whatever else reads or prints here has nothing to do with them."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return open(requests, "rb", buffering=0), open(answers, "wb", buffering=0)


def _end_with(requests: io.RawIOBase) -> None:
    """End the process some seconds after the driver has gone, even in the middle of an operation."""

    def watch() -> None:
        poll = select.poll()
        poll.register(requests.fileno(), 0)  # nothing but the end
        poll.poll()
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    if hasattr(select, "poll"):  # not on Windows, where the operation goes on to its end
        threading.Thread(target=watch, name="glassmax watch", daemon=True).start()


def _alive(answers: io.RawIOBase) -> Callable[[], None]:
    last = -ALIVE_SECONDS

    def alive() -> None:
        nonlocal last
        if time.monotonic() - last >= ALIVE_SECONDS:
            last = time.monotonic()
            send(answers, framed(Message({"alive": True}, {})))

    return alive


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:  # the driver has gone
        os._exit(1)
    sys.exit(0)
