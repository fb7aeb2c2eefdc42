"""The cases of one shape in one stretch of the document, before they become rows."""

import re
from collections.abc import Sequence
from functools import partial

import numpy as np

from core.junit.lines import Piece
from core.junit.references import UnreadableError
from core.junit.rows import Rows, between, rows_of
from core.junit.said import Told, said
from core.junit.turns import Turn, next_suites
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
        self.size = 0
        """How many bytes."""
        self.tags: list[bytes] = []
        self.places: list[int] = []
        """Where in the buffer each piece stands."""
        self.told: list[Told] = []
        self.turns: list[Turn] = []

    def __len__(self) -> int:
        return len(self.tags)

    def add(self, tags: bytes, place: int) -> None:
        """One more piece."""
        self.tags.append(tags)
        self.places.append(place)
        self.size += len(tags)

    def add_each(self, tags: Sequence[bytes], places: Sequence[int]) -> None:
        """Several pieces."""
        self.tags += tags
        self.places += places
        self.size += sum(map(len, tags))

    def tell(self, mark: Marked, text: Texts, outputs: Sequence[Texts], end: int) -> None:
        """A case with a mark."""
        tag, place, name, attributes = mark
        self.told.append(_told((len(self.tags), name, attributes, text, outputs, place, end)))
        self.tags.append(tag)
        self.places.append(place)
        self.size += end - place

    def turn(self, found: re.Match[bytes], place: int) -> None:
        """The next suite begins; never before the first case of a run."""
        end = found.start(2)
        self.turns.append(_turn((len(self.tags), found[1], place, found.start(1) - len(b"<testsuite"), end)))
        self.size += end - place

    def rows(self, limits: Limits) -> tuple[Rows | None, Sequence[int]]:
        """All of them, or None when the parser has to see them; and which case each piece begins with."""
        data = b"".join(self.tags)
        firsts = _firsts(data, self.tags)
        try:
            told, turns = said(self.told, firsts, limits), next_suites(self.turns, firsts)
            return rows_of(self.order, data, told, turns), firsts
        except (UnreadableError, UnicodeDecodeError):
            return None, firsts

    def as_written(self, start: int, stop: int, buffer: bytes) -> list[Piece]:
        """Some pieces as they stand there, without the output of cases that passed."""
        told = between(self.told, start, stop)
        telling = {one.at for one in told}
        silent = [
            (self.places[at], tags if tags.endswith(b">") else tags + b"/>")
            for at, tags in enumerate(self.tags[start:stop], start)
            if at not in telling
        ]
        spans = [(one.place, one.end) for one in told]
        spans += [(turn.place, turn.end) for turn in between(self.turns, start + 1, stop + 1)]
        return sorted([*silent, *((begin, buffer[begin:end]) for begin, end in spans)])


def _firsts(data: bytes, pieces: Sequence[bytes]) -> list[int]:
    """Counted at the end of all in one go, and one more for how many cases there are."""
    signs = np.frombuffer(data, dtype=np.uint8)
    opening = np.flatnonzero(signs == ord("<"))
    opening = opening[signs[opening + 1] != ord("/")]
    firsts: list[int] = np.searchsorted(opening, np.cumsum([0, *map(len, pieces)])).tolist()
    return firsts
