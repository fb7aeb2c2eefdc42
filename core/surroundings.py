"""What a project's tests have in common: the order of default-branch commits, merges, outages, busy lanes."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Self

from core.ledger import DAY
from core.packing import Packer, Unpacker

COMMITS_KEPT = 2_000
MERGES_KEPT = 512
OUTAGES_KEPT = 128
LANES_KEPT = 256
LANE_DAYS_KEPT = 32
SIGNATURES_KEPT = 12


@dataclass(frozen=True, slots=True)
class MergeFact:
    branch: int
    commit: int
    into: int
    at: int


@dataclass(frozen=True, slots=True)
class Outage:
    """A report in which so many tests failed that it may be nobody's test's fault."""

    key: int
    at: int
    group: int
    tests: int
    failing: int
    sample: tuple[int, ...]
    signatures: tuple[int, ...]
    """Fingerprints shared by most of its failures, commonest first."""


@dataclass(slots=True)
class Surroundings:
    """Bounded facts; each kept set is the newest so many, whatever order they came in."""

    latest: int = 0
    swept: int = 0
    commits: dict[int, int] = field(default_factory=dict)
    """Default-branch commit -> when it first ran: its place on the branch."""
    merges: dict[tuple[int, int], MergeFact] = field(default_factory=dict)
    outages: dict[int, Outage] = field(default_factory=dict)
    lanes: dict[int, dict[int, int]] = field(default_factory=dict)
    """Lane -> day -> full reports: a test is missing only where reports were made without it."""
    _sayings: dict[int, list[Outage]] | None = field(default=None, compare=False)
    _groups: AbstractSet[int] | None = field(default=None, compare=False)
    _newest: int = field(default=0, compare=False)
    """Place of the newest commit, or a later one that it once had."""
    _packed_commits: Packer | None = field(default=None, compare=False)
    _packed_events: Packer | None = field(default=None, compare=False)
    """Merges and outages, as packed since the last of them."""

    def see_commit(self, commit: int, at: int) -> bool:
        """Remember where a commit stands; True when old ones had to be forgotten for it."""
        known = self.commits.get(commit)
        if known is None or at < known:
            self._put_commit(commit, at, known)
        if len(self.commits) <= COMMITS_KEPT + COMMITS_KEPT // 4:
            return False
        self.commits = dict(sorted(self.commits.items(), key=lambda kv: (kv[1], kv[0]))[-COMMITS_KEPT:])
        self._packed_commits = None
        return True

    def _put_commit(self, commit: int, at: int, known: int | None) -> None:
        self.commits[commit] = at
        self._newest = max(self._newest, at)
        if known is not None:
            self._packed_commits = None
        elif self._packed_commits is not None:
            self._packed_commits.put(commit, at)

    def moves(self, commit: int, at: int) -> bool:
        """Seeing this commit then would change the order of others: a run has come late."""
        before = self.commits.get(commit)
        if at >= (self._newest if before is None else before):
            return False
        until = self.latest + 1 if before is None else before
        return any(at < other < until for other in self.commits.values())

    def see_merge(self, merge: MergeFact) -> None:
        self.merges[merge.branch, merge.commit] = merge
        self._packed_events = None
        if len(self.merges) > MERGES_KEPT:
            del self.merges[min(self.merges, key=lambda k: (self.merges[k].at, k))]

    def see_outage(self, outage: Outage) -> None:
        self.outages[outage.key] = outage
        self._packed_events = None
        self._sayings = None
        self._groups = None
        if len(self.outages) > OUTAGES_KEPT:
            del self.outages[min(self.outages, key=lambda k: (self.outages[k].at, k))]

    @property
    def outage_groups(self) -> AbstractSet[int]:
        if self._groups is None:
            self._groups = frozenset(outage.group for outage in self.outages.values())
        return self._groups

    def outages_saying(self, signature: int) -> Sequence[Outage]:
        if self._sayings is None:
            self._sayings = {}
            for outage in self.outages.values():
                for said in outage.signatures:
                    self._sayings.setdefault(said, []).append(outage)
        return self._sayings.get(signature, ())

    def see_report(self, lane: int, at: int) -> None:
        days = self.lanes.setdefault(lane, {})
        day = at // DAY
        days[day] = days.get(day, 0) + 1
        if len(days) > LANE_DAYS_KEPT:
            del days[min(days)]
        if len(self.lanes) > LANES_KEPT:
            del self.lanes[min(self.lanes, key=lambda k: (max(self.lanes[k]), k))]

    def reports_since(self, lanes: Sequence[int], at: int) -> int:
        """Full reports of these lanes on later days."""
        return sum(
            count for lane in lanes for day, count in self.lanes.get(lane, {}).items() if day > at // DAY
        )

    def place(self, commit: int) -> int | None:
        return self.commits.get(commit)

    def pack(self, p: Packer) -> None:
        p.put(self.latest, self.swept)
        p.put(2 * len(self.commits))
        p.include([self._commits_packed(), self._events_packed()])
        p.put(len(self.lanes))
        for lane, days in self.lanes.items():
            p.put(lane)
            p.put_all([n for item in days.items() for n in item])

    def _commits_packed(self) -> Packer:
        if self._packed_commits is None:
            self._packed_commits = Packer()
            self._packed_commits.put(*(n for item in self.commits.items() for n in item))
        return self._packed_commits

    def _events_packed(self) -> Packer:
        if self._packed_events is None:
            p = self._packed_events = Packer()
            p.put_all([n for m in self.merges.values() for n in (m.branch, m.commit, m.into, m.at)])
            p.put(len(self.outages))
            for o in self.outages.values():
                p.put(o.key, o.at, o.group, o.tests, o.failing)
                p.put_all(o.sample)
                p.put_all(o.signatures)
        return self._packed_events

    @classmethod
    def unpack(cls, r: Unpacker) -> Self:
        latest, swept = r.take(2)
        commits = r.get_all()
        merges = r.get_all()
        self = cls(latest, swept, dict(zip(commits[::2], commits[1::2], strict=True)))
        self._newest = max(self.commits.values(), default=0)
        for i in range(0, len(merges), 4):
            fact = MergeFact(*merges[i : i + 4])
            self.merges[fact.branch, fact.commit] = fact
        for _ in range(r.get()):
            key, at, group, tests, failing = r.take(5)
            self.outages[key] = Outage(key, at, group, tests, failing, tuple(r.get_all()), tuple(r.get_all()))
        for _ in range(r.get()):
            lane, days = r.get(), r.get_all()
            self.lanes[lane] = dict(zip(days[::2], days[1::2], strict=True))
        return self
