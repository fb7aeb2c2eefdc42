"""What one process remembers about identities, so that a known report costs next to no reads.

Facts are gathered inside a transaction and join the shared memory only after its commit: a rolled-back id would
otherwise live on. Each project's facts belong to an identity epoch; when erasure or an alias moves the epoch,
every process forgets.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.ids import Ids
from core.run import Run

MOST_IDS = 8_000_000
"""Ids remembered over all projects: 64 MB of them."""
MOST_RUNS = 100_000
MOST_CANDIDATES = 50_000


@dataclass(slots=True)
class Facts:
    """What is known of one project in one epoch."""

    epoch: int
    blocks: dict[bytes, Ids] = field(default_factory=dict)
    """Hash of a block of names -> their ids, in its order."""
    lists: dict[bytes, int] = field(default_factory=dict)
    """Hash of sorted ids -> id of the roster."""
    rosters: dict[tuple[bytes, int], int] = field(default_factory=dict)
    """(job, part) -> id of its present roster."""
    members: dict[int, Ids] = field(default_factory=dict)
    """Id of a roster -> its ids."""
    noted: dict[int, tuple[int, npt.NDArray[np.bool_]]] = field(default_factory=dict)
    """Id of a roster -> the hour and which of its tests are noted as seen in it."""
    aliases: dict[int, int] | None = None
    fresh: set[bytes] = field(default_factory=set)
    """Blocks remembered but not stored: they are once they come again."""
    stored: set[bytes] = field(default_factory=set)
    """Blocks stored by this very transaction."""

    @property
    def size(self) -> int:
        """Ids held."""
        blocks = sum(map(len, self.blocks.values()))
        return blocks + sum(map(len, self.members.values())) + len(self.noted) * 1000

    def join(self, newer: "Facts") -> None:
        """Take over what a committed transaction found out."""
        self.blocks |= newer.blocks
        self.lists |= newer.lists
        self.rosters |= newer.rosters
        self.members |= newer.members
        self.noted |= newer.noted
        self.aliases = newer.aliases if newer.aliases is not None else self.aliases
        self.fresh = (self.fresh | newer.fresh) - newer.stored


class Memory:
    """One per `Database`; safe to use from many threads."""

    def __init__(self) -> None:
        """Nothing known."""
        self._lock = threading.Lock()
        self._projects: OrderedDict[int, Facts] = OrderedDict()
        self._candidates: OrderedDict[bytes, None] = OrderedDict()
        self.runs: dict[int, Run] = {}
        """Committed runs by id; a run's own facts never change."""

    def facts(self, project_id: int, epoch: int) -> Facts | None:
        """What is known in this epoch."""
        facts = self._projects.get(project_id)
        return facts if facts is not None and facts.epoch == epoch else None

    def learn(self, project_id: int, facts: Facts) -> None:
        """Committed facts; those of an older epoch than the known one are dropped."""
        with self._lock:
            known = self._projects.get(project_id)
            if known is None or known.epoch < facts.epoch:
                self._projects[project_id] = facts
            elif known.epoch == facts.epoch:
                known.join(facts)
            self._projects.move_to_end(project_id)
            self._shrink()

    def learn_runs(self, runs: dict[int, Run]) -> None:
        """Committed runs."""
        with self._lock:
            if len(self.runs) + len(runs) > MOST_RUNS:
                self.runs = {}
            self.runs.update(runs)

    def seen_before(self, key: bytes) -> bool:
        """True when this process has been asked about the key before: what comes twice is worth storing."""
        with self._lock:
            if key in self._candidates:
                return True
            self._candidates[key] = None
            if len(self._candidates) > MOST_CANDIDATES:
                self._candidates.popitem(last=False)
            return False

    def _shrink(self) -> None:
        total = sum(facts.size for facts in self._projects.values())
        while total > MOST_IDS and self._projects:
            _, facts = self._projects.popitem(last=False)
            total -= facts.size
