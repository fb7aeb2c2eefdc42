"""The cases of one shape in one stretch of the document, before they become rows."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import partial

from core.junit.lines import Piece
from core.junit.rows import Rows, between, rows_of
from core.junit.said import Told
from core.junit.turns import Turn
from core.limits import Limits

Texts = Sequence[bytes]
Marked = tuple[bytes, int, bytes, bytes]
"""The start tag of a case, where in the buffer it stands, and what its mark is called and has as attributes."""
# Half the time of a call of the class itself.
_told = partial(tuple.__new__, Told)
_turn = partial(tuple.__new__, Turn)


class Heap:
    """Start tags as written, one or many in each piece, and what some of the cases tell beside."""

    def __init__(self, order: Sequence[bytes]) -> None:
        self.order = order
        self.count = 0
        """How many cases."""
        self.size = 0
        """How many bytes."""
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
        self.size += len(tags)

    def add_each(self, tags: Sequence[bytes], places: Sequence[int]) -> None:
        """Pieces of one case each."""
        self.tags += tags
        self.firsts += range(self.count, self.count + len(tags))
        self.places += places
        self.count += len(tags)
        self.size += sum(map(len, tags))

    def tell(self, mark: Marked, text: Texts, outputs: Sequence[Texts], end: int) -> None:
        """A case with a mark."""
        tag, place, name, attributes = mark
        self.told.append(_told((self.count, name, attributes, text, outputs, place, end)))
        self.tags.append(tag)
        self.firsts.append(self.count)
        self.places.append(place)
        self.count += 1
        self.size += end - place

    def turn(self, found: re.Match[bytes], place: int) -> None:
        """The next suite begins; never before the first case of a run."""
        end = found.start(2)
        self.turns.append(_turn((self.count, found[1], place, found.start(1) - len(b"<testsuite"), end)))
        self.size += end - place

    def rows(self, limits: Limits) -> Rows | None:
        """All of them, or None when the parser has to see them."""
        return rows_of(self.order, b"".join(self.tags), self.told, self.turns, limits)

    def as_written(self, start: int, stop: int, buffer: bytes) -> list[Piece]:
        """The cases from one to before another as they stand there, without the output of those that passed."""
        told = between(self.told, start, stop)
        telling = {one.at for one in told}
        these = slice(bisect_left(self.firsts, start), bisect_left(self.firsts, stop))
        silent = [
            (place, tags if tags.endswith(b">") else tags + b"/>")
            for first, place, tags in zip(
                self.firsts[these], self.places[these], self.tags[these], strict=True
            )
            if first not in telling
        ]
        spans = [(one.place, one.end) for one in told]
        spans += [(turn.place, turn.end) for turn in between(self.turns, start + 1, stop + 1)]
        return sorted([*silent, *((begin, buffer[begin:end]) for begin, end in spans)])
