"""Where the lines come from: a file or standard input, plain or gzip, one line at a time."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from usage.imports.errors import ImportProblem

STDIN: Final = "-"
MAX_LINE: Final = 1024 * 1024
OVERLONG: Final = b"x" * (MAX_LINE + 1)
"""Stands for a line of more than `MAX_LINE` bytes: no JSON, and a cell that is too large for a table."""

_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class _Counted(io.RawIOBase):
    """Counts what is read, before it is unpacked."""

    def __init__(self, inner: io.BufferedIOBase) -> None:
        self.inner = inner
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        number = self.inner.readinto1(buffer)
        self.count += number
        return number


class Source:
    """The lines of a file, with how far it has been read.

    Units: ``size`` and ``position`` are bytes of the file as it lies there; the size of a stream is None.
    ``most`` is how many bytes it may have once it is unpacked.
    """

    def __init__(self, inner: io.BufferedIOBase, size: int | None, *, most: int | None = None) -> None:
        self.size = size
        self._most = most
        self._unpacked = 0
        self._counted = _Counted(inner)
        buffered = io.BufferedReader(self._counted)
        self.is_packed = buffered.peek(len(_GZIP)).startswith(_GZIP)
        self._stream: io.BufferedIOBase = gzip.GzipFile(fileobj=buffered) if self.is_packed else buffered

    @property
    def position(self) -> int:
        """How much has been read."""
        return self._counted.count

    def lines(self) -> Iterator[bytes]:
        """Yield each line with its end, holding one at a time.

        Raises: `ImportProblem` when the file can't be read to its end, is UTF-16, or has more bytes than it
        may.
        """
        try:
            first = self._read(MAX_LINE + 1)
            if first.startswith(_UTF16):
                raise ImportProblem("The file is UTF-16; it must be UTF-8.")
            if first:
                yield self._whole(first).removeprefix(_BOM)
            while line := self._read(MAX_LINE + 1):
                yield self._whole(line)
        except (EOFError, zlib.error, OSError) as error:
            raise _broken(error) from error

    def head(self, size: int) -> bytes:
        """Return the first bytes, unpacked: fewer than asked for are all of them.

        Raises: `ImportProblem` when they can't be read.
        """
        try:
            return self._stream.read(size)
        except (EOFError, zlib.error, OSError) as error:
            raise _broken(error) from error

    def _whole(self, line: bytes) -> bytes:
        if len(line) <= MAX_LINE:
            return line
        while not line.endswith(b"\n") and (line := self._read(MAX_LINE)):
            pass
        return OVERLONG

    def _read(self, size: int) -> bytes:
        line = self._stream.readline(size)
        self._unpacked += len(line)
        if self._most is not None and self._unpacked > self._most:
            raise ImportProblem(f"It has more than {self._most:,} bytes once it is unpacked.")
        return line


def _broken(error: Exception) -> ImportProblem:
    return ImportProblem(f"The file can't be read to its end: {error}.")


@contextmanager
def open_source(name: str) -> Iterator[Source]:
    """Open a file, or standard input for ``-``.

    Raises: `ImportProblem` when there is no such file, or it may not be read.
    """
    if name == STDIN:
        yield Source(cast("io.BufferedIOBase", sys.stdin.buffer), None)
        return
    path = Path(name)
    try:
        file = path.open("rb")
    except OSError as error:
        raise ImportProblem(f"{name} can't be read: {error.strerror}.") from error
    with file:
        yield Source(file, path.stat().st_size or None)
