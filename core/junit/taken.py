"""Takes cases out of the document that need no XML parser: silent ones, those that printed, and plainly failed ones."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from core.junit.elements import COMPLEX, MISSING, body, end_of_case, end_of_cdata
from core.junit.heap import Heap, Marked
from core.junit.lines import Lines, Piece
from core.junit.shapes import Shape, marking, printing
from core.limits import KIB, Limits

if TYPE_CHECKING:
    from core.junit.rows import Rows

WAIT = -3
"""A case began whose end has not come yet."""
_FULL = 256 * KIB
_LOOK = 64 * KIB
_LONGEST_CASE = 1024 * KIB
_MANY = 250
_NEXT = re.compile(rb"[ \t\r\n]*+<(?:(/testcase)|(system-out|system-err)[ \t\r\n]*+(/?))>")
_UNTOLD = re.compile(rb"[ \t\r\n]*+(?:<[^<]{0,20000})?\Z")
"""Nothing but the beginning of a tag."""
_SLASH = 7
_EMPTY = (b"",)
BYTES_PER_CHARACTER = 12
"""The longest reference, so that what is kept in bytes holds what is kept in characters."""


class Run:
    """Cases of one shape that follow each other; `start` and `stop` say which of the heap's pieces."""

    __slots__ = ("heap", "start", "stop")

    def __init__(self, heap: Heap) -> None:
        self.heap = heap
        self.start = self.stop = len(heap)


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
            self.run.stop = len(self.run.heap)
            self.run = None

    def take(self, buffer: bytes, at: int, *, final: bool) -> int:
        """Take out the cases that follow; where they end, or WAIT."""
        assert self._shape is not None
        if self.run is None:
            self.run = self._begin(self._shape)
        heap = self.run.heap
        before = heap.size
        end = self._take(self._shape, heap, buffer, at)
        self.size += heap.size - before
        if end > at or final:
            return max(end, at)
        if end == at:
            return WAIT if _cut_off(self._shape, buffer, at) else at
        return WAIT if end == MISSING and len(buffer) - at < _LONGEST_CASE else at

    def _begin(self, shape: Shape) -> Run:
        heap = self._heaps.get(shape.order)
        if heap is None:
            heap = self._heaps[shape.order] = Heap(shape.order)
        return Run(heap)

    def _take(self, shape: Shape, heap: Heap, buffer: bytes, begin: int) -> int:
        match, at = shape.cases.match, begin
        while heap.size <= _FULL:
            found = match(buffer, at, at + _LOOK)
            assert found is not None
            turn, silent, tag = found.group(1, 2, 3)
            if turn is not None:
                if not self.turns:
                    break
                heap.turn(found, buffer.index(b"<", at))
            if silent:
                heap.add(silent, found.start(2))
            at = found.end(2)
            if tag is not None:
                end = self._end(shape, heap, buffer, found)
                if end < 0:
                    return end if at == begin else at
                at = end
            elif not silent and turn is None:
                break
        return at

    def _end(self, shape: Shape, heap: Heap, buffer: bytes, found: re.Match[bytes]) -> int:
        """The end of a case that holds something; what it tells is kept."""
        if found.lastindex == _SLASH:
            return self._marked(shape, heap, buffer, found)
        if found[4]:
            return _printed(shape, heap, buffer, found)
        end = end_of_case(buffer, found.start("child"))
        if end >= 0:
            heap.add(found[3], found.end(2))
        return end

    def _marked(self, shape: Shape, heap: Heap, buffer: bytes, found: re.Match[bytes]) -> int:
        """The end of the last of some cases with the same mark, between which there are only silent ones."""
        tag, mark, attributes, slash = found.group(3, 5, 6, 7)
        place, at = found.end(2), found.end()
        first, stop, find = place, at, buffer.find
        following = marking(shape.order, mark, slash).match
        while heap.size <= _FULL:
            if not slash:
                stop = find(b"<", at)
                if not at <= stop <= at + self._most_text:
                    break
            after = following(buffer, stop, stop + _LOOK)
            if after is None:
                break
            end = after.end(1)
            heap.tell((tag, place, mark, attributes), (buffer[at:stop],), (), end)
            silent, tag, attributes = after.group(2, 3, 4)
            if silent:
                heap.add(silent, end)
            place, at = after.end(2), after.end()
            stop = at
        end = self._last_marked(heap, buffer, (tag, place, mark, attributes), at, closed=bool(slash))
        return place if end < 0 and place > first else end

    def _last_marked(self, heap: Heap, buffer: bytes, mark: Marked, at: int, *, closed: bool) -> int:
        """The end of a case with one failure, error or skip, perhaps followed by output."""
        text: list[bytes] = []
        end = at if closed else body(buffer, at, b"</%b>" % mark[2], most=self._most_text, into=text)
        outputs: list[list[bytes]] = []
        end = self._outputs(buffer, end, outputs) if end >= 0 else end
        if end >= 0:
            heap.tell(mark, text or _EMPTY, outputs, end)
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
                continue
            found, firsts = rows[piece.heap.order]
            if found is None:
                for start, written in piece.heap.as_written(piece.start, piece.stop, buffer):
                    yield before + start, written
            elif piece.start < piece.stop:
                part = found.part(firsts[piece.start], firsts[piece.stop])
                part.line = lambda at: self._lines.at(before + at)
                self.rows.append(part)
                yield place, MARKER


def _cut_off(shape: Shape, buffer: bytes, at: int) -> bool:
    """The case that begins here may be one to take out, once more than its own tag is there."""
    tag = shape.tag.match(buffer, buffer.find(b"<", at))
    return tag is not None and _UNTOLD.match(buffer, tag.end()) is not None


def _printed(shape: Shape, heap: Heap, buffer: bytes, found: re.Match[bytes]) -> int:
    """The end of the last of some cases that hold a section of output each and nothing else."""
    following = printing(shape.order, found[4]).match
    find, at = buffer.find, found.end()
    more: list[re.Match[bytes]] = []
    while len(more) < _MANY:
        # Mostly the first of these is the end of the section, and the pattern will not match at another.
        end = find(b">", at) - 2
        after = following(buffer, max(at, end), end + _LOOK) or _later(following, buffer, at)
        if after is None:
            break
        more.append(after)
        at = after.end()
    tags = [found[3], *[after[1] for after in more]]
    places = [found.end(2), *[after.start(1) for after in more]]
    end = end_of_case(buffer, (more[-1].end(1) if more else found.end(3)) + 1)
    if end >= 0:
        heap.add_each(tags, places)
        return end
    heap.add_each(tags[:-1], places[:-1])
    return places[-1] if more else end


def _later(
    following: Callable[..., re.Match[bytes] | None], buffer: bytes, at: int
) -> re.Match[bytes] | None:
    end = end_of_cdata(buffer, at)
    return following(buffer, end, end + _LOOK) if end >= 0 else None


MARKER = b"<?r?>"
"""Tells the walker that the next rows belong here; no instruction of the document's own gets through."""
