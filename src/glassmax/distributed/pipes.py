"""Messages through a pipe: the length of a message, 8 bytes, little-endian; then its bytes."""

import io
from collections.abc import Sequence
from contextlib import suppress

from .messages import Message

__all__ = ["Pieces", "framed", "receive", "send", "widen"]

Pieces = list[bytes | memoryview]
MOST_BYTES = 2**40
WIDTH = 2**20
SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux


def framed(message: Message) -> Pieces:
    """Return what a message is in a pipe, in pieces; arrays are not copied."""
    pieces = message.pieces()
    return [sum(map(len, pieces)).to_bytes(8, "little"), *pieces]


def send(pipe: io.RawIOBase, pieces: Sequence[bytes | memoryview]) -> None:
    """Write pieces into an unbuffered pipe, the small ones together."""
    small = b""
    for piece in pieces:
        if len(piece) < WIDTH // 8:
            small += piece
            continue
        _write(pipe, small)
        _write(pipe, piece)
        small = b""
    _write(pipe, small)


def receive(pipe: io.RawIOBase) -> Message | None:
    """Return the next message; None if the pipe has ended.

    Raises
    ------
    ValueError
        If what comes is not a message.
    """
    head = _read(pipe, 8)
    if head is None:
        return None
    size = int.from_bytes(head, "little")
    if size > MOST_BYTES:
        raise ValueError("not a message: it is too long")
    content = _read(pipe, size)
    return None if content is None else Message.of_bytes(content)


def widen(pipe: io.RawIOBase) -> None:
    """Let a pipe hold more bytes, where the system can, so that fewer turns are needed."""
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.fcntl(pipe.fileno(), SET_PIPE_SIZE, WIDTH)


def _write(pipe: io.RawIOBase, piece: bytes | memoryview) -> None:
    view = memoryview(piece)
    while len(view):
        view = view[pipe.write(view) or 0 :]


def _read(pipe: io.RawIOBase, size: int) -> bytearray | None:
    content = bytearray(size)
    view = memoryview(content)
    while len(view):
        count = pipe.readinto(view)
        if not count:
            return None
        view = view[count:]
    return content
