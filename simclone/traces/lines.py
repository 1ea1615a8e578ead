"""Text files as numbered lines, read one at a time, and the list of faults found on the way."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from io import BufferedReader, BytesIO

from simclone.errors import Fault, InvalidInput

MOST_FAULTS = 20
"""A reader of traces gives up after this many faults; more would repeat the first ones."""

LONGEST_LINE = 1 << 20
"""Bytes; no published line is longer than some two thousand, and a line is held in memory."""

GZIP = b"\x1f\x8b"
"""The first bytes of a packed file."""

_BOM = b"\xef\xbb\xbf"
_SHOWN = 40

AnyPath = str | os.PathLike[str]
_Stream = BufferedReader | BytesIO | gzip.GzipFile


class FaultList:
    """The faults of one file; true when there are any. Adding fault number *most* raises `InvalidInput` at once.

    *unreadable* is true once a line was left out because it could not be read as text or fields.
    """

    def __init__(self, path: AnyPath, most: int | None = MOST_FAULTS) -> None:
        self.file = os.fspath(path)
        self.faults: list[Fault] = []
        self.unreadable = False
        self._most = most

    def __bool__(self) -> bool:
        return bool(self.faults)

    def beside(self, path: AnyPath) -> FaultList:
        """A list for another file of the same trace; both hold the faults of both, and share the limit."""
        other = FaultList(path, self._most)
        other.faults = self.faults
        return other

    def add(self, message: str, expected: str = "", *, path: str = "", line: int = 0, column: int = 0) -> None:
        """One more fault; *path* names the column of a table, *line* and *column* count from 1."""
        self.faults.append(Fault(path, message, expected, self.file, line, column))
        if self._most is not None and len(self.faults) >= self._most:
            self.raise_any()

    def error(self) -> InvalidInput:
        """The error that carries every fault so far, in the order found."""
        return InvalidInput(self.faults)

    def raise_any(self) -> None:
        """Raises `InvalidInput` with every fault so far, if there is one."""
        if self.faults:
            raise self.error()


def shown(text: str) -> str:
    """A piece of a file for a message: quoted, and cut where it is long.

    >>> shown("x" * 99)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'"
    """
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def column_of(pieces: list[str], position: int, start: int = 1) -> int:
    """The column, from 1, of one of the comma-separated *pieces* of a line that begin at column *start*.

    >>> column_of(["ab", "c", "d"], 2)
    6
    """
    return start + sum(len(piece) + 1 for piece in pieces[:position])


def numbered_lines(
    path: AnyPath, faults: FaultList, *, raw: bytes | None = None, expected: str = ""
) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers from 1, without line ends; of its bytes *raw* where these are at hand.

    UTF-8 with or without a byte order mark, LF or CRLF, plain or gzip (told by the first bytes, not by the
    name). A line that is not UTF-8 is a fault and is left out. A file that is missing, unreadable or empty (which
    should hold *expected*), a broken gzip stream and an endless line raise `InvalidInput` at once.
    """
    with ExitStack() as stack:
        stream: BufferedReader | BytesIO
        try:
            if raw is not None:
                stream, start = BytesIO(raw), raw
            else:
                stream = stack.enter_context(open(path, "rb"))
                start = stream.peek(len(GZIP))
        except OSError as error:
            faults.add(f"cannot be read: {error.strerror or error}", "a readable file")
            raise faults.error() from error
        packed = start.startswith(GZIP)
        text = stack.enter_context(gzip.GzipFile(fileobj=stream)) if packed else stream
        yield from _number_lines(text, faults, expected)


def _number_lines(stream: _Stream, faults: FaultList, expected: str) -> Iterator[tuple[int, str]]:
    number = 0
    while raw := _next_line(stream, faults, number + 1):
        number += 1
        if number == 1:
            raw = raw.removeprefix(_BOM)
        text = _decode(raw.removesuffix(b"\n").removesuffix(b"\r"), faults, number)
        if text is not None:
            yield number, text
    if number == 0:
        faults.add("the file is empty", expected, line=1, column=1)
        faults.raise_any()


def _next_line(stream: _Stream, faults: FaultList, number: int) -> bytes:
    try:
        raw = stream.readline(LONGEST_LINE)
    except (OSError, EOFError, zlib.error) as error:
        faults.add(f"cannot be read further: {error}", "a whole file", line=number, column=1)
        raise faults.error() from error
    if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
        faults.add("the line does not end", f"lines shorter than {LONGEST_LINE} bytes", line=number, column=1)
        faults.raise_any()
    return raw


def _decode(raw: bytes, faults: FaultList, number: int) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        column = len(raw[: error.start].decode()) + 1
        faults.add(f"byte 0x{raw[error.start]:02x} is not UTF-8", "UTF-8 text", line=number, column=column)
        faults.unreadable = True
        return None
