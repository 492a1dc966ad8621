"""Decode bytes to lines of text: detect UTF-8, UTF-16 or Latin-1, and return blocks of whole lines in UTF-8.

A file with bytes that are not UTF-8 is read as Latin-1, unless it already had UTF-8 characters beyond ASCII; then an
error names the line. NUL bytes and endless lines are errors too.
"""

import codecs
from collections.abc import Iterator
from typing import Any

from ..errors import DataError, OptionError, Setting
from .opening import Source

__all__ = ["Lines"]

BLOCK_BYTES = 2**22
LONGEST_LINE = 2**26
MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\x00\x00": "utf-32-le",
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
SHOWN = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-32-le": "UTF-32", "utf-32-be": "UTF-32"}
LATIN = "Latin-1"


class Lines:
    """The text of a source in blocks of whole lines, each ending in a newline.

    Parameters
    ----------
    source : Source
    encoding : str, optional
        Encoding of the text; detected by default.

    Attributes
    ----------
    encoding : str
        The encoding detected so far; it may change from UTF-8 to Latin-1 while the file is read.
    count : int
        Number of lines returned so far.
    """

    def __init__(self, source: Source, encoding: str | None = None) -> None:
        self.source, self.count, self.rest = source, 0, b""
        self.beyond_ascii = self.given = False
        self.decoder: Any = None
        self.encoding = self._find(encoding)

    def _find(self, encoding: str | None) -> str:
        head = self.source.head
        mark = next((mark for mark in MARKS if head.startswith(mark)), None)
        if mark is not None:
            self.source.head = head[len(mark) :]
        found = None if mark is None else MARKS[mark]
        if encoding is not None:
            try:
                found, self.given = codecs.lookup(encoding).name, True
                "".encode(found)
            except (LookupError, ValueError):
                raise OptionError(
                    f"The encoding is {encoding!r}, expected the name of one, as utf-8, utf-16, latin-1 or cp1250.",
                    parameter="encoding",
                ) from None
        elif found is None and len(head) >= 4 and head.count(0) > len(head) // 4:
            even, odd = head[0::2].count(0), head[1::2].count(0)
            if min(even, odd) < max(even, odd) / 8:  # text without a mark: every other byte is 0
                found = "utf-16-le" if odd > even else "utf-16-be"
        if found in ("iso8859-1", "latin-1"):
            found = LATIN
        if found not in (None, "utf-8", "ascii", LATIN):
            self.decoder = codecs.getincrementaldecoder(found)()
        if found == "ascii":
            found = None
        return SHOWN.get(found or "utf-8", found or "UTF-8")

    def blocks(self) -> Iterator[bytes]:
        """Yield the text in UTF-8, in blocks of whole lines that end with newlines."""
        while raw := self.source.read(BLOCK_BYTES):
            text = self.rest + self._unified(raw)
            end = self._end_of_lines(text)
            self.rest = text[end:]
            if len(self.rest) > LONGEST_LINE:
                raise DataError(
                    f"{self.source.place}, line {self.count + 1}, is longer than {LONGEST_LINE >> 20} MB, expected the "
                    "cells of a row. Is it a table?"
                )
            if end:
                yield self._checked(text[:end])
        text = self.rest + self._unified(b"", final=True)
        if text:
            self.rest = b""
            yield self._checked(text if text.endswith((b"\n", b"\r")) else text + b"\n")

    def _unified(self, raw: bytes, *, final: bool = False) -> bytes:
        """Return the bytes of any encoding but UTF-8 and Latin-1 in UTF-8."""
        if self.decoder is None:
            return raw
        try:
            text: str = self.decoder.decode(raw, final)
            return text.encode("utf-8")
        except UnicodeError:
            raise DataError(
                f"{self.source.place} is not {self.encoding} text throughout: invalid bytes come after line "
                f"{self.count + 1}.",
                remedy=("Save it as CSV in UTF-8, or pass another ", Setting("encoding"), "."),
            ) from None

    @staticmethod
    def _end_of_lines(text: bytes) -> int:
        """Return where the last whole line ends; a return at the very end may be half of an ending."""
        return max(text.rfind(b"\n"), text.rfind(b"\r", 0, max(len(text) - 1, 0))) + 1

    def _checked(self, block: bytes) -> bytes:
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\0" in block:
            line = self.count + block.count(b"\n", 0, block.index(b"\0")) + 1
            raise DataError(
                f"{self.source.place} holds NUL bytes in line {line}, expected text. Is it a binary file, or damaged? "
                "Save it as CSV in UTF-8."
            )
        if self.decoder is None:
            block = self._in_utf_8(block)
        self.count += block.count(b"\n")
        return block

    def _in_utf_8(self, block: bytes) -> bytes:
        if self.encoding != LATIN:
            if block.isascii():
                return block
            try:
                block.decode("utf-8")
            except UnicodeDecodeError as error:
                self._turn_to_latin(block, error.start)
            else:
                self.beyond_ascii = True
                return block
        try:
            return block.decode("cp1252").encode("utf-8")
        except UnicodeDecodeError:
            return block.decode("latin-1").encode("utf-8")

    def _turn_to_latin(self, block: bytes, start: int) -> None:
        """Take the text for Latin-1 from here on, if nothing speaks against it."""
        other = len(block.decode("utf-8", "ignore").encode("utf-8")) > sum(byte < 128 for byte in block)
        if self.beyond_ascii or other or self.given:
            line = self.count + block.count(b"\n", 0, start) + 1
            why = "as asked for" if self.given else "though other lines are"
            raise DataError(
                f"{self.source.place}, line {line}, is not UTF-8 text, {why}.",
                remedy=("Save the file as CSV in UTF-8, or name its encoding: ", Setting("encoding", "latin-1"), "."),
            )
        self.encoding = LATIN
