"""Cases that were taken out of the document, as columns; the XML parser never sees them."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, repeat
from operator import attrgetter, sub
from typing import Protocol, TypeVar

from core.junit.raw import Mark, RawCase, Suite, weight
from core.junit.references import UnreadableError, controls, has_noncharacters, signs, unescaped
from core.junit.repair import uncoloured
from core.junit.said import Said
from core.junit.turns import NOWHERE, NextSuites

# Half the time of a call of the class itself.
_raw_case = partial(tuple.__new__, RawCase)
_NOTHING: tuple[Mark | None, str] = (None, "")


@dataclass(slots=True)
class Rows:
    """Columns of consecutive cases; a column is None when the tool does not write that attribute."""

    count: int
    names: list[str]
    classes: list[str] | None
    files: list[str] | None
    times: list[str] | None
    statuses: list[str] | None
    attributes: tuple[str, ...]
    said: Said
    turns: NextSuites = NOWHERE
    """Where the cases of another suite begin."""
    line: Callable[[int], int] = int
    """The line of the document at which a turn is."""
    suites: list[Suite] = field(default_factory=list)
    """The first suite and those of the turns, once the walker knows them."""
    firsts: list[int] = field(default_factory=list)
    """The first case of each."""

    @property
    def size(self) -> int:
        """What they weigh in memory, counted in silent cases."""
        return self.count + sum(weight(mark, output) for mark, output in self.said.values())

    def enter(self, suites: Sequence[Suite], firsts: Sequence[int]) -> None:
        """The cases from these on are of these suites; those that turn out to have none are forgotten."""
        entered = dict(zip(chain(self.firsts, firsts), chain(self.suites, suites), strict=True))
        self.firsts, self.suites = list(entered), list(entered.values())

    def raw_cases(self) -> Iterator[RawCase]:
        """The same, one by one."""
        return self.these(range(self.count))

    def telling(self) -> Iterator[RawCase]:
        """Those that say more than their attributes."""
        return self.these(list(self.said))

    def these(self, places: Sequence[int]) -> Iterator[RawCase]:
        """Some of them."""
        columns = (self.names, self.classes, self.files, self.times, self.statuses)
        picked = (map(column.__getitem__, places) if column else repeat("") for column in columns)
        said = [self.said.get(place, _NOTHING) for place in places]
        marks = ((mark,) if mark else () for mark, _ in said)
        outputs = (output for _, output in said)
        return map(_raw_case, zip(self._suites_at(places), *picked, marks, outputs, strict=False))

    def _suites_at(self, places: Sequence[int]) -> Iterable[Suite]:
        if len(self.suites) == 1:
            return repeat(self.suites[0], len(places))
        return (self.suites[bisect_right(self.firsts, place) - 1] for place in places)

    def of_suites(self, values: list[str]) -> list[str]:
        """What is said once for each suite, as a column."""
        if len(values) == 1:
            return values * self.count
        counts = map(sub, (*self.firsts[1:], self.count), self.firsts)
        return list(chain.from_iterable(map(repeat, values, counts)))

    def part(self, start: int, stop: int) -> "Rows":
        """Those from `start` to before `stop`."""
        if stop - start == self.count:
            return self
        return Rows(
            stop - start,
            self.names[start:stop],
            self.classes and self.classes[start:stop],
            self.files and self.files[start:stop],
            self.times and self.times[start:stop],
            self.statuses and self.statuses[start:stop],
            self.attributes,
            self._said_between(start, stop),
            self.turns.part(start, stop),
        )

    def _said_between(self, start: int, stop: int) -> Said:
        if not self.said:
            return {}
        rows = list(self.said)
        return {at - start: self.said[at] for at in rows[bisect_left(rows, start) : bisect_left(rows, stop)]}

    def silent_statuses(self) -> set[str]:
        """The statuses of the cases that say nothing else."""
        if self.statuses is None:
            return set()
        if not self.said:
            return set(self.statuses)
        return {status for at, status in enumerate(self.statuses) if at not in self.said}


class Placed(Protocol):
    """What stands at a case."""

    @property
    def at(self) -> int:
        """Which one."""
        ...


P = TypeVar("P", bound=Placed)


def between(placed: Sequence[P], start: int, stop: int) -> Sequence[P]:
    """Those at the cases from `start` to before `stop`, of many in order."""
    at = attrgetter("at")
    return placed[bisect_left(placed, start, key=at) : bisect_left(placed, stop, key=at)]


def rows_of(order: Sequence[bytes], data: bytes, told: Said, turns: NextSuites) -> Rows:
    """The columns of these start tags, or `UnreadableError` when any of it must go through the parser."""
    data = uncoloured(data)
    parts = data.decode().split('"')
    if has_noncharacters(data) or not _all_between(data, "".join(parts[::2]).encode()):
        raise UnreadableError
    if b"&" in data:
        parts[1::2] = map(unescaped, parts[1::2])
    step = 2 * len(order)
    column = {name: parts[1 + 2 * at :: step] for at, name in enumerate(order)}
    names = column[b"name"]
    return Rows(
        len(names),
        names,
        column.get(b"classname"),
        column.get(b"file"),
        column.get(b"time"),
        _statuses(column.get(b"status"), column.get(b"result")),
        tuple(name.decode() for name in order),
        told,
        turns,
    )


def _all_between(data: bytes, between: bytes) -> bool:
    """No value holds a tag, which is forbidden, or a line end, which the parser makes a space."""
    return controls(data) == controls(between) and signs(data, "<") == signs(between, "<")


def _statuses(statuses: list[str] | None, results: list[str] | None) -> list[str] | None:
    if statuses and results:
        return [status or result for status, result in zip(statuses, results, strict=True)]
    return statuses or results
