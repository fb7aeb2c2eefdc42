"""Everything the engine remembers about one project, in memory between runs and as small rows in storage."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from core.ledger import Failure
from core.surroundings import Surroundings
from core.suspect import Suspect


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
        self.by_signature: defaultdict[int, set[int]] = defaultdict(set)
        self.recheck: dict[int, int] = {}
        """Suspect -> number of clean runs after which its state may change by silence alone."""
        self.fresh: dict[int, tuple[int, dict[int, bool]]] = {}
        self._ids: npt.NDArray[np.int64] | None = None
        self._changed: set[int] = set()
        self._dropped: set[int] = set()
        self._surroundings_changed = False

    @classmethod
    def empty(cls) -> Self:
        return cls()

    @classmethod
    def load(cls, context: bytes, suspects: Mapping[int, bytes]) -> Self:
        """Read back what `dirty` gave; empty bytes stand for a project without a past."""
        state = cls()
        if context:
            state.surroundings = Surroundings.unpack(context)
        for test_id, row in suspects.items():
            suspect = state.suspects[test_id] = Suspect.unpack(row)
            for failure in suspect.live.failures:
                state.index(test_id, failure)
        return state

    def dirty(self) -> Dump:
        """What must be stored now; a second call returns nothing until something changes."""
        rows: dict[int, bytes | None] = {t: self.suspects[t].pack() for t in sorted(self._changed)}
        rows.update((t, None) for t in sorted(self._dropped - self._changed))
        context = self.surroundings.pack() if self._surroundings_changed else None
        self._changed, self._dropped, self._surroundings_changed = set(), set(), False
        return Dump(context, rows)

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

    def companions(self, test_id: int) -> set[int]:
        """Tests that failed in the same workflow runs: how alone they were depends on this one."""
        groups = {f.facts.group for f in self.suspects[test_id].live.failures}
        return set().union(*(self.by_group.get(group, set()) for group in groups))

    def touch(self, test_id: int) -> None:
        self._changed.add(test_id)

    def touch_surroundings(self) -> None:
        self._surroundings_changed = True

    def drop(self, test_id: int) -> None:
        """Forget a test that has not failed for so long that nothing of it counts any more."""
        del self.suspects[test_id]
        self._ids = None
        self.recheck.pop(test_id, None)
        self.fresh.pop(test_id, None)
        for index in (self.by_group, self.by_branch, self.by_base, self.by_signature):
            for key in [k for k, tests in index.items() if test_id in tests]:
                index[key].discard(test_id)
                if not index[key]:
                    del index[key]
        self._changed.discard(test_id)
        self._dropped.add(test_id)

    def index(self, test_id: int, failure: Failure) -> None:
        e = failure.execution
        self.by_group[failure.facts.group].add(test_id)
        if not e.trunk:
            self.by_branch[e.branch].add(test_id)
            self.by_base[e.base].add(test_id)
        if failure.facts.fingerprint:
            self.by_signature[failure.facts.fingerprint].add(test_id)

    def alike_since(self, signature: int, since: int, until: int) -> Iterator[int]:
        """Tests that failed with this fingerprint in the given time."""
        for test_id in self.by_signature.get(signature, ()):
            failures = self.suspects[test_id].live.failures
            if any(f.facts.fingerprint == signature and since <= f.at <= until for f in failures):
                yield test_id
