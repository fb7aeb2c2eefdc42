"""Passes of suspects that their own rows do not hold yet: stored once a run, instead of a row a suspect."""

from array import array
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Self

from core.ledger import Execution
from core.packing import Packer, Unpacker

RUNS_KEPT = 16
"""Every suspect's row is written once in so many runs, each run an equal share of them."""
_SPREAD = 2_654_435_761
"""Ids with a pattern (all even, say) must not fall due together: Knuth's multiplicative hash."""


@dataclass(frozen=True, slots=True)
class Passes:
    """One run, and the suspects of which it was learnt that they passed in it."""

    number: int
    place: Execution
    tests: "array[int]"


@dataclass(slots=True)
class Backlog:
    """The newest runs, and for each suspect the first of them that its row lacks."""

    number: int = 0
    runs: deque[Passes] = field(default_factory=deque)
    _lacking: dict[int, int] = field(default_factory=dict)

    def note(self, place: Execution, tests: Collection[int]) -> None:
        """These suspects passed in a run later than all that is known of them."""
        if tests:
            self.number += 1
            self._enter(Passes(self.number, place, array("q", tests)))

    def _enter(self, passes: Passes) -> None:
        self.runs.append(passes)
        for test_id in passes.tests:
            self._lacking.setdefault(test_id, passes.number)

    def due(self) -> list[int]:
        """Suspects whose turn it is to have their row written."""
        turn, oldest = self.number % RUNS_KEPT, self.number - RUNS_KEPT
        return [
            test_id
            for test_id, number in self._lacking.items()
            if number <= oldest or (test_id * _SPREAD >> 16) % RUNS_KEPT == turn
        ]

    def forget(self, tests: Collection[int]) -> None:
        """Their rows hold everything now, or are gone."""
        for test_id in tests:
            self._lacking.pop(test_id, None)

    def shorten(self) -> None:
        """Drop the runs that every row holds, once all that was due is written."""
        while self.runs and self.runs[0].number <= self.number - RUNS_KEPT:
            self.runs.popleft()

    def pack(self, p: Packer) -> None:
        p.put(self.number, len(self.runs))
        for passes in self.runs:
            e = passes.place
            p.put(passes.number, e.at, e.key, e.run, e.commit, e.lane, e.branch, e.base)
            p.put_all(passes.tests)

    @classmethod
    def unpack(cls, r: Unpacker) -> Self:
        self = cls(r.get())
        for passes in _unpacked(r):
            self._enter(passes)
        return self


def _unpacked(r: Unpacker) -> Iterator[Passes]:
    for _ in range(r.get()):
        number, at, key, run, commit, lane, branch, base = r.take(8)
        place = Execution(at, key, run, commit, lane, branch, base, passed=True)
        yield Passes(number, place, r.get_all())
