"""Takes cases out of the document that need no XML parser: silent ones, those that printed, and plainly failed ones."""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from core.junit.elements import COMPLEX, MISSING, body, end_of_case, end_of_cdata
from core.junit.heap import Heap
from core.junit.lines import Lines, Piece
from core.junit.said import Told
from core.junit.shapes import Shape
from core.junit.turns import Turn
from core.limits import KIB, Limits

if TYPE_CHECKING:
    from core.junit.rows import Rows

WAIT = -3
"""A case began whose end has not come yet."""
_FULL = 256 * KIB
_LOOK = 64 * KIB
_LONGEST_CASE = 1024 * KIB
_NEXT = re.compile(rb"[ \t\r\n]*+<(?:(/testcase)|(system-out|system-err)[ \t\r\n]*+(/?))>")
_ENDS = {mark: b"</%b></testcase>" % mark for mark in (b"failure", b"error", b"skipped")}
"""How most of them end, and their cases."""
_SLASH = 7
_EMPTY = (b"",)
_told = partial(tuple.__new__, Told)
BYTES_PER_CHARACTER = 12
"""The longest reference, so that what is kept in bytes holds what is kept in characters."""


class Run:
    """Cases of one shape that follow each other; `start` and `stop` say which of the heap's."""

    __slots__ = ("heap", "start", "stop")

    def __init__(self, heap: Heap) -> None:
        self.heap = heap
        self.start = self.stop = heap.count


class Taken:
    """The cases that were taken out and not yet made into rows."""

    def __init__(self, limits: Limits, lines: Lines) -> None:
        self.rows: deque[Rows] = deque()
        self.run: Run | None = None
        """The run that the next case continues."""
        self.size = 0
        self.turns = True
        """A `</testsuite>` ends a `<testsuite>`, if anything: none has a prefix."""
        self._shape: Shape | None = None
        self._limits = limits
        self._lines = lines
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
            self.run.stop = self.run.heap.count
            self.run = None

    def take(self, buffer: bytes, at: int, *, final: bool) -> int:
        """Take out the cases that follow; where they end, or WAIT."""
        assert self._shape is not None
        match = self._shape.cases.match
        begin = at
        while self.size <= _FULL:
            found = match(buffer, at, at + _LOOK)
            assert found is not None
            turn, silent, tag = found.group(1, 2, 3)
            if turn is not None:
                if not self.turns:
                    break
                self._turn(buffer, found)
            if silent:
                self._add(silent, silent.count(b"<testcase"), found.start(2))
            at = found.end(2)
            if tag is not None:
                end = self._end(buffer, found)
                if end < 0:
                    waits = end == MISSING and not final and len(buffer) - at < _LONGEST_CASE
                    return WAIT if waits and at == begin else at
                at = end
            elif not silent and turn is None:
                break
        return at

    def _add(self, tags: bytes, count: int, place: int) -> None:
        self._heap().add(tags, count, place)
        self.size += len(tags)

    def _heap(self) -> Heap:
        if self.run is None:
            assert self._shape is not None
            order = self._shape.order
            heap = self._heaps.get(order)
            if heap is None:
                heap = self._heaps[order] = Heap(order)
            self.run = Run(heap)
        return self.run.heap

    def _turn(self, buffer: bytes, found: re.Match[bytes]) -> None:
        """The next suite begins; never before the first case of a run."""
        heap = self._heap()
        place, end = buffer.index(b"<", found.start()), found.start(2)
        heap.turns.append(Turn(heap.count, found[1], place, found.start(1), end))
        self.size += end - place

    def _end(self, buffer: bytes, found: re.Match[bytes]) -> int:
        """The end of a case that holds something; what it tells is kept."""
        if found.lastindex == _SLASH:
            return self._marked(buffer, found)
        if found[4]:
            return self._printed(buffer, found)
        end = end_of_case(buffer, found.start("child"))
        if end >= 0:
            self._add(found[3], 1, found.end(2))
        return end

    def _printed(self, buffer: bytes, found: re.Match[bytes]) -> int:
        """The end of the last of some cases that hold a section of output each and nothing else."""
        assert self._shape is not None
        following = self._shape.printed.match
        tag, output, place, inside, at = found[3], found[4], found.end(2), found.end(3) + 1, found.end()
        while self.size <= _FULL:
            end = end_of_cdata(buffer, at)
            after = following(buffer, end, end + _LOOK) if end >= 0 else None
            if after is None or after[1] != output:
                break
            self._add(tag, 1, place)
            tag, output = after.group(2, 3)
            place, inside, at = after.start(2), after.end(2) + 1, after.end()
        end = end_of_case(buffer, inside)
        if end >= 0:
            self._add(tag, 1, place)
            return end
        return end if place == found.end(2) else place

    def _marked(self, buffer: bytes, found: re.Match[bytes]) -> int:
        """The end of a case with one failure, error or skip, perhaps followed by output."""
        mark, slash = found.group(5, 7)
        at = found.end()
        end = buffer.find(b"<", at)
        close = _ENDS[mark]
        if buffer.startswith(close, end) and not slash and end - at <= self._most_text:
            return self._tell(found, (buffer[at:end],), (), end + len(close))
        text: list[bytes] = []
        end = at if slash else body(buffer, at, b"</%b>" % mark, most=self._most_text, into=text)
        outputs: list[list[bytes]] = []
        end = self._outputs(buffer, end, outputs) if end >= 0 else end
        return self._tell(found, text or _EMPTY, outputs, end) if end >= 0 else end

    def _tell(
        self, found: re.Match[bytes], text: Sequence[bytes], outputs: Sequence[Sequence[bytes]], end: int
    ) -> int:
        heap = self.run.heap if self.run else self._heap()
        tag, mark, attributes = found.group(3, 5, 6)
        place = found.end(2)
        heap.told.append(_told((heap.count, mark, attributes, text, outputs, place, end)))
        heap.add(tag, 1, place)
        self.size += end - place
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
                part = found.part(piece.start, piece.stop)
                part.line = lambda at: self._lines.at(before + at)
                self.rows.append(part)
                yield place, MARKER


MARKER = b"<?r?>"
"""Tells the walker that the next rows belong here; no instruction of the document's own gets through."""
