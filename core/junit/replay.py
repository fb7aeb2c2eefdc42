"""A source that can be read a second time, whatever it is."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

_CHUNK = 1 << 18
_PART = 1 << 20
_PEEK = 1 << 12


class Readable(Protocol):
    """All that reading a report asks of a source."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; empty at the end."""
        ...


class Replay:
    """Reads the source once as it comes; `again` starts anew, by a seek or from a compressed memory of the bytes."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._start = source.tell() if source.seekable() else None
        self._tape: list[bytes] = []
        self._press = zlib.compressobj(1)

    def read(self, size: int, /) -> bytes:
        """The next bytes, remembered when the source cannot go back."""
        data = self._source.read(size)
        if self._start is None:
            self._tape.append(self._press.compress(data))
        return data

    def again(self) -> Readable:
        """The source from its beginning."""
        if self._start is not None:
            self._source.seek(self._start)
            return self._source
        return _Tape([*self._tape, self._press.copy().flush()])


class _Tape:
    def __init__(self, tape: list[bytes]) -> None:
        self._parts = _unpacked(tape)

    def read(self, _size: int, /) -> bytes:
        return next(self._parts, b"")


def _unpacked(tape: list[bytes]) -> Iterator[bytes]:
    press = zlib.decompressobj()
    for part in tape:
        data = press.decompress(part, _PART)
        while data:
            yield data
            data = press.decompress(press.unconsumed_tail, _PART)


class Peeked:
    """A source whose beginning can be looked at before it is read."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = Replay(source)
        self.head = self._source.read(_PEEK)
        self._rest = self.head

    def read(self, size: int, /) -> bytes:
        """The head first, then what follows."""
        if self._rest:
            data, self._rest = self._rest, b""
            return data
        return self._source.read(size)

    def again(self) -> Readable:
        """The source from its beginning."""
        return self._source.again()


class InMemory:
    """A source whose bytes are all here: they are not copied."""

    def __init__(self, data: bytes) -> None:
        self.head = data[:_PEEK]
        self._data = data
        self._at = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        start = self._at
        self._at = min(start + size, len(self._data))
        return self._data[start : self._at]

    def rest(self) -> bytes:
        """All the bytes that were not read yet."""
        return self.read(len(self._data))

    def again(self) -> Readable:
        """The source from its beginning."""
        return InMemory(self._data)


def chunks(source: Readable) -> Iterator[bytes]:
    """What is in memory at once, everything else in parts."""
    if isinstance(source, InMemory):
        yield source.rest()
        return
    while chunk := source.read(_CHUNK):
        yield chunk
