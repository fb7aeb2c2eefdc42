"""The cases of one shape in one stretch of the document, before they become rows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.junit.lines import Piece
from core.junit.rows import Rows, rows_of
from core.limits import Limits

if TYPE_CHECKING:
    from core.junit.said import Told
    from core.junit.turns import Turn


class Heap:
    """Start tags as written, one or many in each piece, and what some of the cases tell beside."""

    def __init__(self, order: Sequence[bytes]) -> None:
        self.order = order
        self.count = 0
        """How many cases."""
        self.tags: list[bytes] = []
        self.firsts: list[int] = []
        """Which case each piece begins with."""
        self.places: list[int] = []
        """Where in the buffer each piece stands."""
        self.told: list[Told] = []
        self.turns: list[Turn] = []

    def add(self, tags: bytes, count: int, place: int) -> None:
        """One more piece."""
        self.tags.append(tags)
        self.firsts.append(self.count)
        self.places.append(place)
        self.count += count

    def rows(self, limits: Limits) -> Rows | None:
        """All of them, or None when the parser has to see them."""
        return rows_of(self.order, b"".join(self.tags), self.told, self.turns, limits)

    def as_written(self, start: int, stop: int, buffer: bytes) -> list[Piece]:
        """The cases from one to before another as they stand there, without the output of those that passed."""
        told = {one.at for one in self.told}
        silent = [
            (place, tags if tags.endswith(b">") else tags + b"/>")
            for first, place, tags in zip(self.firsts, self.places, self.tags, strict=True)
            if start <= first < stop and first not in told
        ]
        telling = [(one.place, buffer[one.place : one.end]) for one in self.told if start <= one.at < stop]
        turns = [(one.place, buffer[one.place : one.end]) for one in self.turns if start < one.at <= stop]
        return sorted(silent + telling + turns)
