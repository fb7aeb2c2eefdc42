"""Takes cases out of the document that need no XML parser: silent ones, those that printed, and plainly failed ones."""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from core.junit.elements import COMPLEX, MISSING, body, end_of_case, end_of_cdata
from core.junit.heap import Heap
from core.junit.lines import Piece
from core.junit.rows import Rows, Told
from core.junit.shapes import Shape
from core.limits import KIB, Limits

WAIT = -3
"""A case began whose end has not come yet."""
_FULL = 256 * KIB
_LOOK = 64 * KIB
_LONGEST_CASE = 1024 * KIB
_PRINTED = re.compile(rb"\]\]>[ \t\r\n]*+</(system-out|system-err)>[ \t\r\n]*+</testcase>")
_FAILED = re.compile(rb"</(failure|error|skipped)>[ \t\r\n]*+</testcase>")
_NEXT = re.compile(rb"[ \t\r\n]*+<(?:(/testcase)|(system-out|system-err)[ \t\r\n]*+(/?))>")
_SLASH = 6
_EMPTY = (b"",)
_told = partial(tuple.__new__, Told)
BYTES_PER_CHARACTER = 12
"""The longest reference, so that what is kept in bytes holds what is kept in characters."""


class Run:
    """Cases of one shape that follow each other; `start` and `stop` say which of the heap's tags."""

    __slots__ = ("heap", "start", "stop")

    def __init__(self, heap: Heap) -> None:
        self.heap = heap
        self.start = self.stop = len(heap.tags)


class Taken:
    """The cases that were taken out and not yet made into rows."""

    def __init__(self, limits: Limits) -> None:
        self.rows: deque[Rows] = deque()
        self.run: Run | None = None
        """The run that the next case continues."""
        self.size = 0
        self._shape: Shape | None = None
        self._limits = limits
        self._most_text = BYTES_PER_CHARACTER * max(limits.text_chars, 1)
        self._most_output = 2 * BYTES_PER_CHARACTER * max(limits.output_chars, 1)
        self._heaps: dict[Sequence[bytes], Heap] = {}

    @property
    def shape(self) -> Shape | None:
        """How the next cases are expected to look."""
        return self._shape

    @shape.setter
    def shape(self, shape: Shape | None) -> None:
        self._shape = shape
        self.end_run()

    @property
    def full(self) -> bool:
        """Enough for one batch."""
        return self.size > _FULL

    def end_run(self) -> None:
        """Something else follows."""
        if self.run is not None:
            self.run.stop = len(self.run.heap.tags)
            self.run = None

    def take(self, buffer: bytes, at: int, *, final: bool) -> int:
        """Take out the cases that follow; where they end, or WAIT."""
        assert self._shape is not None
        match = self._shape.cases.match
        begin = at
        while self.size <= _FULL:
            found = match(buffer, at, at + _LOOK)
            assert found is not None
            silent, tag = found.group(1, 2)
            if silent:
                self._add(silent, at)
                at = found.end(1)
            elif tag is None:
                break
            if tag is None:
                continue
            end = self._end(buffer, found)
            if end < 0:
                waits = end == MISSING and not final and len(buffer) - at < _LONGEST_CASE
                return WAIT if waits and at == begin else at
            self._add(tag + b"/>", at)
            at = end
        return at

    def _add(self, tags: bytes, at: int) -> None:
        if self.run is None:
            self.run = self._begin()
        heap = self.run.heap
        heap.tags.append(tags)
        heap.places.append(at)
        self.size += len(tags)

    def _begin(self) -> Run:
        assert self._shape is not None
        order = self._shape.order
        heap = self._heaps.get(order)
        if heap is None:
            heap = self._heaps[order] = Heap(order)
        return Run(heap)

    def _end(self, buffer: bytes, found: re.Match[bytes]) -> int:
        """The end of a case that holds something; what it tells is kept."""
        if found.lastindex == _SLASH:
            return self._marked(buffer, found)
        output = found[3]
        if not output:
            return end_of_case(buffer, found.start("child"))
        end = end_of_cdata(buffer, found.end())
        close = _PRINTED.match(buffer, end) if end >= 0 else None
        if close is None or close[1] != output:
            return end_of_case(buffer, found.end(2) + 1)
        return close.end()

    def _marked(self, buffer: bytes, found: re.Match[bytes]) -> int:
        """The end of a case with one failure, error or skip, perhaps followed by output."""
        mark, slash = found.group(4, 6)
        at = found.end()
        end = buffer.find(b"<", at)
        close = _FAILED.match(buffer, end) if end >= 0 and not slash else None
        if close and close[1] == mark and end - at <= self._most_text:
            return self._tell(found, (buffer[at:end],), (), close.end())
        text: list[bytes] = []
        end = at if slash else body(buffer, at, b"</%b>" % mark, most=self._most_text, into=text)
        outputs: list[list[bytes]] = []
        end = self._outputs(buffer, end, outputs) if end >= 0 else end
        return self._tell(found, text or _EMPTY, outputs, end) if end >= 0 else end

    def _tell(
        self, found: re.Match[bytes], text: Sequence[bytes], outputs: Sequence[Sequence[bytes]], end: int
    ) -> int:
        if self.run is None:
            self.run = self._begin()
        heap = self.run.heap
        begin, mark, attributes = found.end(1), found[4], found[5]
        heap.told.append(_told((len(heap.tags), mark, attributes, text, outputs, (begin, end))))
        self.size += end - begin
        return end

    def _outputs(self, buffer: bytes, at: int, into: list[list[bytes]]) -> int:
        while follows := _NEXT.match(buffer, at):
            at = follows.end()
            if follows[1]:
                return at
            if not follows[3]:
                pieces: list[bytes] = []
                at = body(buffer, at, b"</%b>" % follows[2], most=self._most_output, into=pieces)
                if at < 0:
                    return at
                into.append(pieces)
        return MISSING if len(buffer) - at < KIB else COMPLEX

    def leave(self, pieces: Iterable[tuple[int, bytes | Run]], buffer: bytes, before: int) -> Iterator[Piece]:
        """The pieces with each run replaced by a marker for its rows, or else by the cases themselves."""
        self.end_run()
        heaps, self._heaps, self.size = self._heaps, {}, 0
        rows = {order: heap.rows(self._limits) for order, heap in heaps.items()}
        for place, piece in pieces:
            if isinstance(piece, bytes):
                yield place, piece
            elif (found := rows[piece.heap.order]) is None:
                for start, written in piece.heap.as_written(piece.start, piece.stop, buffer):
                    yield before + start, written
            else:
                self.rows.append(found.part(*piece.heap.span(piece.start, piece.stop)))
                yield place, MARKER


MARKER = b"<?r?>"
"""Tells the walker that the next rows belong here; no instruction of the document's own gets through."""
