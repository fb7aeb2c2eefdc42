"""Everything the engine remembers about one project, in memory between runs and as small rows in storage."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from core.backlog import Backlog
from core.known import ECHOES_WITHIN, Companies, Doubt, Reading, Weighed, gone_from
from core.ledger import Execution, Failure
from core.packing import Packer, Unpacker
from core.surroundings import MergeFact, Outage, Surroundings
from core.suspect import Suspect

RUNS_KEPT = 20_000
"""Workflow runs of which it is kept in memory who freshly failed in them."""


@dataclass(frozen=True, slots=True)
class Dump:
    """What changed since it was last asked: rows to store. `None` for a suspect means: delete its row."""

    context: bytes | None
    suspects: Mapping[int, bytes | None]


class ProjectState:
    """Suspects (tests that ever failed) and their common surroundings, with indexes made on load."""

    def __init__(self) -> None:
        self.surroundings = Surroundings()
        self.suspects: dict[int, Suspect] = {}
        self.by_group: defaultdict[int, set[int]] = defaultdict(set)
        self.by_branch: defaultdict[int, set[int]] = defaultdict(set)
        self.by_base: defaultdict[int, set[int]] = defaultdict(set)
        self.by_signature: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        """Fingerprint -> (time, test) of its failures, sorted."""
        self.recheck: dict[int, int] = {}
        """Suspect -> number of clean runs after which its state may change by silence alone."""
        self.readings: dict[int, Reading] = {}
        self.fresh_in_reports: dict[int, dict[int, frozenset[int]]] = {}
        """Workflow run -> report -> tests that freshly failed in it; a cache, as is the next."""
        self.fresh_in_group: dict[int, frozenset[int]] = {}
        self.outages_changed = 0
        """How often what is thought of outages changed, and of merges."""
        self.merges_changed = 0
        self.doubts: defaultdict[int, Doubt] = defaultdict(Doubt)
        self.companies: dict[int, Companies] = {}
        self.weighed: dict[int, Weighed] = {}
        self._indexed: dict[int, tuple[Failure, ...]] = {}
        self._ids: npt.NDArray[np.int64] | None = None
        self._changed: set[int] = set()
        self._dropped: set[int] = set()
        self._backlog = Backlog()
        self._surroundings_changed = False

    @classmethod
    def empty(cls) -> Self:
        return cls()

    @classmethod
    def load(cls, context: bytes, suspects: Mapping[int, bytes]) -> Self:
        """Read back what `dirty` gave; empty bytes stand for a project without a past."""
        state = cls()
        state.suspects = {test_id: Suspect.unpack(row) for test_id, row in suspects.items()}
        if context:
            state._read_context(Unpacker(context))
        for test_id in state.suspects:
            state.index(test_id)
        return state

    def _read_context(self, r: Unpacker) -> None:
        self.surroundings = Surroundings.unpack(r)
        if not r.done:  # as of a version that stored every suspect after every run
            self._backlog = Backlog.unpack(r)
        for passes in self._backlog.runs:
            known = [test_id for test_id in passes.tests if test_id in self.suspects]
            for test_id in known:
                self.suspects[test_id].catch_up(passes.place)
            if len(known) < len(passes.tests):  # somebody deleted a test and all that was stored of it
                self._backlog.forget(set(passes.tests).difference(known))

    def dirty(self) -> Dump:
        """What must be stored now; a second call returns nothing until something changes."""
        self._changed.update(self._backlog.due())
        self._backlog.forget(self._changed)
        self._backlog.shorten()
        rows: dict[int, bytes | None] = {t: self.suspects[t].pack() for t in sorted(self._changed)}
        rows.update((t, None) for t in sorted(self._dropped - self._changed))
        context = self._packed_context() if self._surroundings_changed else None
        self._changed, self._dropped, self._surroundings_changed = set(), set(), False
        return Dump(context, rows)

    def _packed_context(self) -> bytes:
        p = Packer()
        self.surroundings.pack(p)
        self._backlog.pack(p)
        return p.bytes()

    def follow(self, test_id: int) -> Suspect:
        """Begin to remember a test."""
        self._ids = None
        self._dropped.discard(test_id)
        return self.suspects.setdefault(test_id, Suspect())

    def suspect_ids(self) -> npt.NDArray[np.int64]:
        """Sorted."""
        if self._ids is None:
            self._ids = np.array(sorted(self.suspects), np.int64)
        return self._ids

    def touch(self, test_id: int) -> None:
        self._changed.add(test_id)

    def note_passes(self, place: Execution, tests: Collection[int]) -> None:
        """These suspects passed, and nothing else has changed of them: their rows can wait."""
        self._backlog.note(place, tests)

    def touch_surroundings(self) -> None:
        self._surroundings_changed = True

    def drop(self, test_id: int) -> None:
        """Forget a test that has not failed for so long that nothing of it counts any more."""
        del self.suspects[test_id]
        self._ids = None
        for failure in self._unindex(test_id):
            self.forget_group(failure.facts.group)
        self._forget_companies(test_id)
        self.weighed.pop(test_id, None)
        self.recheck.pop(test_id, None)
        self.readings.pop(test_id, None)
        self._changed.discard(test_id)
        self._backlog.forget([test_id])
        self._dropped.add(test_id)

    def tidy(self) -> None:
        """Keep caches bounded: what is still needed is worked out again."""
        if len(self.fresh_in_reports) + len(self.fresh_in_group) > RUNS_KEPT:
            self.fresh_in_reports.clear()
            self.fresh_in_group.clear()

    def see_merge(self, merge: MergeFact) -> None:
        self.surroundings.see_merge(merge)
        self.merges_changed += 1
        self.touch_surroundings()

    def see_outage(self, outage: Outage) -> None:
        self.surroundings.see_outage(outage)
        self.outages_changed += 1
        self.touch_surroundings()

    def told_merged(self, failures: Iterable[Failure]) -> bool:
        """Was any of these commits merged as it was?"""
        merges = self.surroundings.merges
        return any((f.execution.branch, f.execution.commit) in merges for f in failures)

    def forget_readings(self, tests: Collection[int]) -> None:
        """Something outside of these tests changed what their facts mean."""
        for test_id in tests:
            self.readings.pop(test_id, None)
        self.fresh_in_reports.clear()
        self.fresh_in_group.clear()
        self.companies.clear()
        self.doubts.clear()

    def doubt_reading(self, test_id: int) -> None:
        """Read all of this test's failures anew, and then tell whom that concerns."""
        if known := self.readings.get(test_id):
            self.readings[test_id] = replace(known, failures=(), origins=(), base_red=())

    def _forget_companies(self, test_id: int) -> None:
        self.companies.pop(test_id, None)
        self.doubts.pop(test_id, None)

    def forget_group(self, group: int) -> None:
        """What was thought of this workflow run may be wrong now."""
        self.fresh_in_reports.pop(group, None)
        self.fresh_in_group.pop(group, None)
        for test_id in self.by_group.get(group, ()):
            if test_id in self.companies:
                self.doubts[test_id].groups.add(group)
        if group in self.surroundings.outage_groups:
            self.outages_changed += 1

    def index(self, test_id: int) -> None:
        """Find a test by the failures it now remembers, and by no others."""
        before = self._indexed.get(test_id, ())
        after = self._indexed[test_id] = tuple(self.suspects[test_id].live.failures)
        gone = gone_from(before, after)
        for failure in before[:gone]:
            self._leave(test_id, failure, after)
        for failure in after[len(before) - gone :]:
            self._enter(test_id, failure)

    def _enter(self, test_id: int, failure: Failure) -> None:
        e, facts = failure.execution, failure.facts
        self.by_group[facts.group].add(test_id)
        if not e.trunk:
            self.by_branch[e.branch].add(test_id)
            self.by_base[e.base].add(test_id)
        if facts.fingerprint:
            insort(self.by_signature[facts.fingerprint], (e.at, test_id))
            self._doubt_echoes(facts.fingerprint, e.at, test_id)

    def _leave(self, test_id: int, failure: Failure, others: Sequence[Failure]) -> None:
        e, facts = failure.execution, failure.facts
        if not any(f.facts.group == facts.group for f in others):
            _discard(self.by_group, facts.group, test_id)
        if not any(f.execution.branch == e.branch for f in others):
            _discard(self.by_branch, e.branch, test_id)
        if not any(f.execution.base == e.base for f in others):
            _discard(self.by_base, e.base, test_id)
        if facts.fingerprint:
            self._forget_saying(facts.fingerprint, (e.at, test_id))

    def _unindex(self, test_id: int) -> tuple[Failure, ...]:
        failures = self._indexed.pop(test_id, ())
        for failure in failures:
            self._leave(test_id, failure, ())
        return failures

    def _forget_saying(self, signature: int, said: tuple[int, int]) -> None:
        seen = self.by_signature[signature]
        del seen[bisect_left(seen, said)]
        if not seen:
            del self.by_signature[signature]
        self._doubt_echoes(signature, *said)

    def _doubt_echoes(self, signature: int, at: int, said_by: int) -> None:
        """Others who said so at about that time may have an echo now, or none."""
        for test_id in self.alike(signature, at - ECHOES_WITHIN, at + ECHOES_WITHIN):
            if test_id != said_by and test_id in self.companies:
                self.doubts[test_id].times.add(at)

    def alike(self, signature: int, since: int, until: int, *, most: int = 1 << 30) -> set[int]:
        """Tests that failed with this fingerprint in the given time; one more than `most` is enough to know."""
        seen = self.by_signature.get(signature, [])
        found: set[int] = set()
        for place in range(bisect_left(seen, (since, -1)), len(seen)):
            at, test = seen[place]
            if at > until or len(found) > most:
                break
            found.add(test)
        return found


def _discard(index: dict[int, set[int]], key: int, test_id: int) -> None:
    tests = index.get(key)
    if tests is not None:
        tests.discard(test_id)
        if not tests:
            del index[key]
