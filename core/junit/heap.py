"""The cases of one shape in one stretch of the document, before they become rows."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate

from core.junit.lines import Piece
from core.junit.rows import Rows, Told, rows_of
from core.limits import Limits


class Heap:
    """Start tags as written, one or many in each piece, and what some of the cases tell beside."""

    def __init__(self, order: Sequence[bytes]) -> None:
        self.order = order
        self.tags: list[bytes] = []
        self.places: list[int] = []
        """Where in the buffer each piece stands."""
        self.told: list[Told] = []

    def rows(self, limits: Limits) -> Rows | None:
        """All of them, or None when the parser has to see them."""
        return rows_of(self.order, b"".join(self.tags), dict(self._told_rows()), limits)

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """Which rows these pieces became."""
        return self._firsts[start], self._firsts[stop]

    def as_written(self, start: int, stop: int, buffer: bytes) -> Iterator[Piece]:
        """These pieces with all that was left out of them; the output of passed cases stays out."""
        spans = {told.at: told.span for told in self.told}
        for at in range(start, stop):
            if at in spans:
                begin, end = spans[at]
                yield begin, buffer[begin:end]
            else:
                yield self.places[at], self.tags[at]

    def _told_rows(self) -> Iterator[tuple[int, Told]]:
        return ((self._firsts[told.at], told) for told in self.told)

    @cached_property
    def _firsts(self) -> list[int]:
        return list(accumulate((piece.count(b"<testcase") for piece in self.tags), initial=0))
