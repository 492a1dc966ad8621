"""Open the bytes of a table: a file, here or elsewhere, or standard input; packed by gzip, zstd or bzip2, or not.

The kind of a file is detected from its first bytes, not from its name. A file is read piece by piece, never whole.
"""

import bz2
import gzip
import io
import os
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

from ..errors import DataError
from .builtin import BUILTIN
from .remote import BLOCK_BYTES, RemoteFile, is_remote, shown

__all__ = ["Source", "open_source"]

HEAD_BYTES = 65536
STANDARD_INPUT = "standard input"

TABULAR = {b"PAR1": "Parquet", b"ARROW1": "Arrow", b"\xff\xff\xff\xff": "Arrow stream"}
FOREIGN = {
    b"PK\x03\x04": "a zip archive, or a spreadsheet. Save the sheet as CSV, or unpack the archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet or document of an old Office. Save the sheet as CSV",
    b"SQLite format 3": "an SQLite database. Export the table as CSV",
    b"\x89HDF": "an HDF5 file. Save the table as Parquet or CSV",
    b"%PDF": "a PDF document. Save the table as CSV",
    b"\xfd7zXZ": "packed by xz. Unpack it; gzip, zstd and bzip2 are read as they are",
    b"\x89PNG": "a picture. Save the table as CSV",
    b"\x93NUMPY": "a NumPy array. Save it as CSV, or train in Python",
    b"\x80\x04": "a pickle, which can run any code. Save the table as CSV or Parquet",
    b"\x80\x05": "a pickle, which can run any code. Save the table as CSV or Parquet",
    b"\x80\x03": "a pickle, which can run any code. Save the table as CSV or Parquet",
    b"FEA1": "a Feather file of version 1. Write it again as version 2, which is Arrow",
    b"ORC": "an ORC file. Save the table as Parquet or CSV",
    b"Obj\x01": "an Avro file. Save the table as Parquet or CSV",
    b"<stata_dta>": "a Stata file. Save the table as Parquet or CSV",
    b"$FL2": "an SPSS file. Save the table as Parquet or CSV",
    b"RDX": "a file of R. Save the table as Parquet or CSV",
    b"\x7fELF": "a program. A table is a CSV, Parquet, Arrow or JSON lines file",
}

PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body|table)\b[^,;\t]*>", re.IGNORECASE)


@dataclass
class Source:
    """An open file.

    Attributes
    ----------
    name : str
        Name of the source, as error messages give it.
    place : str
        Name of the source with its folder, as the user typed it.
    head : bytes
        First bytes of the source, unpacked.
    rest : binary file
        Rest of the source, after `head`.
    packed : str
        "gzip", "zstd", "bzip2" or "".
    path : Path or None
        Path of the source, if it is a file on this machine that can be read again.
    kind : str
        Format, by the first bytes: "Parquet", "Arrow", "Arrow stream" or "text".
    remote : binary file or None
        The whole source, if it is a file elsewhere that is not packed.
    """

    name: str
    place: str
    head: bytes = field(repr=False)
    rest: IO[bytes]
    packed: str = ""
    path: Path | None = None
    kind: str = "text"
    remote: IO[bytes] | None = None

    def __post_init__(self) -> None:
        self.kind = next((kind for magic, kind in TABULAR.items() if self.head.startswith(magic)), "text")

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end; a fault of the packing is a DataError."""
        block, self.head = self.head[:size], self.head[size:]
        with _reading_faults(self.place, self.packed):
            while len(block) < size and (more := self.rest.read(size - len(block))):  # a pipe hands over small pieces
                block += more
        return block

    def whole(self) -> bytes:
        """Return all that is left."""
        return b"".join(iter(lambda: self.read(2**22), b""))


@contextmanager
def open_source(given: str) -> Iterator[Source]:
    """Open a file, or standard input for ``-``; a path is given as the user typed it.

    Raises
    ------
    DataError
        If it can't be opened, or is a kind of file that holds no table.
    """
    with _opened(given) as file:
        remote: Any = file if is_remote(given) else None
        path = None if given == "-" or remote or not os.path.isfile(given) else Path(given)
        place = STANDARD_INPUT if given == "-" else shown(given) if remote else given
        name = STANDARD_INPUT if given == "-" else Path(place).name
        with _reading_faults(place, ""):
            head = _first(file)
        packed, rest = "", file
        unpack: dict[bytes, tuple[str, Any]] = {
            b"\x1f\x8b": ("gzip", _gzip),
            b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
            b"BZh": ("bzip2", bz2.BZ2File),
        }
        for magic, (what, how) in unpack.items():
            if head.startswith(magic):
                whole: Any = _Again(head, file)
                if remote is not None:  # or each of many small pieces would be asked for by itself
                    remote.seek(0)
                    whole = io.BufferedReader(remote, BLOCK_BYTES)
                packed, rest, path, remote = what, how(whole), None, None
                with _reading_faults(place, packed):
                    head = _first(rest)
                break
        source = Source(name, place, head, rest, packed, path, remote=remote)
        _refuse_foreign(source)
        yield source


class _Again:
    """A file whose first bytes have been read already, to be read from its beginning."""

    def __init__(self, head: bytes, file: IO[bytes]) -> None:
        self.head, self.file = head, file

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            head, self.head = self.head, b""
            return head + self.file.read()
        block, self.head = self.head[:size], self.head[size:]
        return block if block else self.file.read(size)

    def readinto(self, buffer: Any) -> int:
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _gzip(file: Any) -> Any:
    return gzip.GzipFile(fileobj=file, mode="rb")


def _zstd(file: Any) -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdFile(file, "rb")


@contextmanager
def _reading_faults(place: str, packed: str) -> Iterator[None]:
    """Raise errors of reading as DataErrors."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        what = "ends in the middle" if isinstance(error, EOFError) else "is damaged"
        raise DataError(f"{place} is packed by {packed or 'gzip'} and {what}. Take another copy.") from None
    except OSError as error:
        if error.errno is None and packed:  # bzip2
            raise DataError(f"{place} is packed by {packed} and is damaged. Take another copy.") from None
        raise DataError(f"{place} can't be read: {error.strerror or error}.") from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        raise DataError(f"{place} is packed by zstd and is damaged. Take another copy.") from None


@contextmanager
def _opened(given: str) -> Iterator[IO[bytes]]:
    if given == "-":
        if sys.stdin is None or sys.stdin.closed:
            raise DataError("Standard input is closed. Pass the path of a file.")
        yield sys.stdin.buffer
        return
    if is_remote(given):
        with RemoteFile(given) as elsewhere:
            yield elsewhere  # type: ignore[misc]
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(given).open("rb"))
        except FileNotFoundError:
            raise DataError(_not_there(given)) from None
        except IsADirectoryError:
            raise DataError(f"{given} is a folder, expected a file.") from None
        except (OSError, ValueError) as error:
            raise DataError(f"{given} can't be read: {getattr(error, 'strerror', None) or error}.") from None
        yield file


def _not_there(given: str) -> str:
    if os.path.islink(given):
        target = os.readlink(given)
        return f"{given} is a link to {target!r}, which doesn't exist. Correct the link, or pass another file."
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", given):
        return f"{given.partition('://')[0]}:// can't be read, expected s3://, gs://, https://, http:// or a path."
    near = get_close_matches(given, BUILTIN, n=1)
    hint = f"Did you mean the built-in {near[0]}?" if near else f"Built-in examples: {', '.join(BUILTIN)}."
    if re.search(r"[/\\]", given):  # a path is not meant as a built-in example
        hint = ("" if os.path.isabs(given) else f"The current folder is {os.getcwd()}. ") + "Is the path right?"
    return f"{given}: there is no such file. {hint}"


def _first(file: Any) -> bytes:
    """Read the first bytes; a pipe may hand them over in small pieces."""
    head = b""
    while len(head) < HEAD_BYTES:
        block = file.read(HEAD_BYTES - len(head))
        if not block:
            break
        head += block
    return head


def _refuse_foreign(source: Source) -> None:
    for magic, what in FOREIGN.items():
        if source.head.startswith(magic):
            raise DataError(f"{source.place} is {what}.")
    if PAGE.match(source.head):
        raise DataError(f"{source.place} is a web page (HTML), expected a table. Was it saved in place of the file?")
    if source.head[8:10] == b'{"' and b'"data_offsets"' in source.head:
        raise DataError(f"{source.place} is a model file (safetensors), expected a table. Are the two swapped?")
