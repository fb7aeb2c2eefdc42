"""Where one suite ends and the next begins, between cases that never reach the parser."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

from core.junit.attributes import Columns, attributes, columns_of
from core.junit.references import as_text


class Turn(NamedTuple):
    """One `</testsuite><testsuite ...>`, still as XML."""

    at: int
    """The piece of the heap that follows."""
    attributes: bytes
    place: int
    """Where in the buffer the end tag begins."""
    opens: int
    """The same of the start tag."""
    end: int


@dataclass(frozen=True, slots=True)
class NextSuites:
    """Many of them, read, in order; each field holds one value for each."""

    at: Sequence[int] = ()
    """The case that follows."""
    written: Sequence[str] = ()
    columns: Columns = field(default_factory=dict)
    places: Sequence[int] = ()
    opens: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.at)

    def column(self, *names: str) -> Iterator[str]:
        """The first of these attributes that says something."""
        found = [self.columns[name] for name in names if self.columns and name in self.columns]
        if not found:
            return repeat("", len(self))
        return (
            iter(found[0])
            if len(found) == 1
            else (next(filter(None, each), "") for each in zip(*found, strict=True))
        )

    def first_attributes(self) -> dict[str, str]:
        """Those of the first suite that has any."""
        return next(filter(None, map(attributes, self.written)), {})

    def part(self, start: int, stop: int) -> "NextSuites":
        """Those between the cases from `start` to before `stop`, which are counted anew."""
        first, last = bisect_left(self.at, start + 1), bisect_left(self.at, stop + 1)
        if first == last:
            return NOWHERE
        these = slice(first, last)
        return NextSuites(
            [at - start for at in self.at[these]],
            self.written[these],
            {name: column[these] for name, column in self.columns.items()},
            self.places[these],
            self.opens[these],
        )


NOWHERE = NextSuites()
"""No suite begins."""


def next_suites(turns: Sequence[Turn], firsts: Sequence[int]) -> NextSuites:
    """The suites that begin here, or `UnreadableError` when the parser has to see one of them."""
    if not turns:
        return NOWHERE
    at, written, places, opens, _ = zip(*turns, strict=True)
    texts = as_text(written)
    return NextSuites([firsts[piece] for piece in at], texts, columns_of(texts), places, opens)
