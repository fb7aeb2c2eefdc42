"""Takes cases out of the document that need no XML parser: silent ones, those that printed, and plainly failed ones."""

import re
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.junit.elements import COMPLEX, MISSING, body, end_of_case, end_of_cdata
from core.junit.lines import Piece
from core.junit.rows import Rows, Told, rows_of
from core.limits import KIB, Limits

if TYPE_CHECKING:
    from core.junit.shapes import Shape

WAIT = -3
"""A case began whose end has not come yet."""
_FULL = 256 * KIB
_LOOK = 64 * KIB
_LONGEST_CASE = 1024 * KIB
_PRINTED = re.compile(rb"\]\]>[ \t\r\n]*+</(system-out|system-err)>[ \t\r\n]*+</testcase>")
_FAILED = re.compile(rb"</(failure|error|skipped)>[ \t\r\n]*+</testcase>")
_NEXT = re.compile(rb"[ \t\r\n]*+<(?:(/testcase)|(system-out|system-err)[ \t\r\n]*+(/?))>")
_SLASH = 6
BYTES_PER_CHARACTER = 12
"""The longest reference, so that what is kept in bytes holds what is kept in characters."""


class Taken:
    """The cases of one shape that were taken out and not yet made into rows."""

    def __init__(self, limits: Limits) -> None:
        self.shape: Shape | None = None
        self.rows: deque[Rows] = deque()
        self.size = 0
        self._limits = limits
        self._most_text = BYTES_PER_CHARACTER * max(limits.text_chars, 1)
        self._most_output = 2 * BYTES_PER_CHARACTER * max(limits.output_chars, 1)
        self._tags: list[bytes] = []
        self._places: list[int] = []
        self._told: list[Told] = []

    def __bool__(self) -> bool:
        return bool(self._tags)

    @property
    def full(self) -> bool:
        """Enough for one batch."""
        return self.size > _FULL

    def take(self, buffer: bytes, at: int, *, final: bool) -> int:
        """Take out the cases that follow; where they end, or WAIT."""
        assert self.shape is not None
        match = self.shape.cases.match
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
        self._tags.append(tags)
        self._places.append(at)
        self.size += len(tags)

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
        mark, attributes, slash = found.group(4, 5, 6)
        begin, at = found.end(1), found.end()
        text: list[bytes] = []
        outputs: list[list[bytes]] = []
        end = buffer.find(b"<", at)
        close = _FAILED.match(buffer, end) if end >= 0 and not slash else None
        if close and close[1] == mark and end - at <= self._most_text:
            text.append(buffer[at:end])
            end = close.end()
        else:
            end = at if slash else body(buffer, at, b"</%b>" % mark, most=self._most_text, into=text)
            end = self._outputs(buffer, end, outputs) if end >= 0 else end
        if end >= 0:
            self._told.append(Told(len(self._tags), mark, attributes, text or [b""], outputs, (begin, end)))
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

    def leave(self, buffer: bytes) -> Iterator[Piece]:
        """What the parser gets in place of the cases: a marker for their rows, or else the cases themselves."""
        assert self.shape is not None
        rows = rows_of(self.shape.order, self._tags, self._told, self._limits)
        if rows is None:
            yield from self._as_written(buffer)
        else:
            self.rows.append(rows)
            yield self._places[0], MARKER
        self._tags, self._places, self._told = [], [], []
        self.size = 0

    def _as_written(self, buffer: bytes) -> Iterator[Piece]:
        spans = {told.at: told.span for told in self._told}
        for at, (place, tags) in enumerate(zip(self._places, self._tags, strict=True)):
            if at in spans:
                start, end = spans[at]
                yield start, buffer[start:end]
            else:
                yield place, tags


MARKER = b"<?r?>"
"""Tells the walker that the next rows belong here; no instruction of the document's own gets through."""
