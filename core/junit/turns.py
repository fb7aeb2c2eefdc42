"""Where one suite ends and the next begins, between cases that never reach the parser."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial
from itertools import starmap
from typing import NamedTuple

from core.junit.references import UnreadableError, as_text, unescaped


class Turn(NamedTuple):
    """One `</testsuite><testsuite ...>`, still as XML."""

    at: int
    """The case that follows."""
    tag: bytes
    """The start tag without its end."""
    place: int
    """Where in the buffer the end tag begins."""
    opens: int
    """The same of the start tag."""
    end: int


class NextSuite(NamedTuple):
    """The same, read."""

    at: int
    attributes: Mapping[str, str]
    place: int
    opens: int


# Half the time of a call of the class itself.
_made = partial(tuple.__new__, NextSuite)


def next_suites(turns: Iterable[Turn]) -> list[NextSuite]:
    """The suites that begin here, or `UnreadableError` when the parser has to see one of them."""
    turns = list(turns)
    if not turns:
        return []
    written = as_text([turn.tag for turn in turns])
    return list(starmap(_next_suite, zip(turns, written, strict=True)))


def _next_suite(turn: Turn, written: str) -> NextSuite:
    parts = written.split('"')
    values: Iterator[str] | list[str] = parts[1::2]
    if "&" in written:
        values = map(unescaped, values)
    attributes = dict(zip(_names(*parts[:-1:2]), values, strict=True))
    return _made((turn.at, attributes, turn.place, turn.opens))


@lru_cache(maxsize=256)
def _names(*between: str) -> tuple[str, ...]:
    """What the attributes are called, of what stands between their values."""
    names = tuple(part.removeprefix("<testsuite").strip(" \t\r\n=") for part in between)
    if len(set(names)) < len(names) or "xmlns" in names:
        raise UnreadableError
    return names
