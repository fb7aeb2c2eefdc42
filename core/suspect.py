"""A test that failed at least once: a folded ledger, and a short unfolded tail so that late runs find their place."""

from bisect import insort
from collections.abc import Iterable
from typing import Self

from core.ledger import Episode, Execution, Failure, FailureFacts, LaneHead, Ledger
from core.packing import Packer, Unpacker
from core.verdict import TestState

TAIL_KEPT = 12
_STATES = tuple(TestState)
_QUIET = frozenset({TestState.HEALTHY, TestState.INSUFFICIENT, TestState.RETIRED, TestState.RECOVERED})


class Suspect:
    """`live` always equals the fold of all executions in time order, however they arrived."""

    __slots__ = ("_folded", "_live", "facts_version", "tail", "told", "told_confirmed")

    def __init__(self) -> None:
        self._folded = Ledger()
        self._live: Ledger | None = Ledger()
        self.tail: list[Execution] = []
        self.told = TestState.HEALTHY
        """What was last told about the test: the `before` of its next transition."""
        self.told_confirmed = False
        self.facts_version = 0
        """Counts changes of anything but mere counts of passes, for caches."""

    @property
    def live(self) -> Ledger:
        if self._live is None:
            self._live = copy_of(self._folded)
            self._live.fold(self.tail)
        return self._live

    def add(self, execution: Execution) -> bool:
        """Learn one execution; False when it is older than the tail reaches: then `rebuild` it."""
        if self.tail and execution.order < self.tail[-1].order:
            return self._insert(execution)
        live = self.live
        before = live.turns
        live.add(execution)
        self.facts_version += live.turns != before
        self.tail.append(execution)
        self._shorten()
        return True

    def catch_up(self, execution: Execution) -> None:
        """Learn what was stored beside it, unless its own row held it already."""
        if not self.tail or execution.order > self.tail[-1].order:
            self.add(execution)

    def _insert(self, execution: Execution) -> bool:
        if self._folded.first_seen and execution.order < self.tail[0].order:
            return False
        insort(self.tail, execution, key=lambda e: e.order)
        self._live = None
        self.facts_version += 1
        self._shorten()
        return True

    def _shorten(self) -> None:
        while len(self.tail) > TAIL_KEPT:
            self._folded.add(self.tail.pop(0))

    def knows(self, execution: Execution) -> bool:
        key = execution.key
        return any([e.key == key for e in self.tail])  # noqa: C419 - twice as fast as asking one by one

    def index_of(self, execution: Execution) -> int | None:
        """Where this execution's failure stands among those remembered."""
        failures = self.live.failures
        found = (i for i in reversed(range(len(failures))) if failures[i].execution.order == execution.order)
        return next(found, None)

    def failure_at(self, execution: Execution) -> Failure | None:
        index = self.index_of(execution)
        return None if index is None else self.live.failures[index]

    @property
    def last_failed_at(self) -> int:
        return self.live.failures[-1].at if self.live.failures else 0

    @property
    def settled(self) -> bool:
        """Nothing was told of it that would have to be taken back."""
        return self.told in _QUIET

    @property
    def restless(self) -> bool:
        """The mere passing of days may change what is told of it."""
        return self.told not in {TestState.HEALTHY, TestState.RETIRED}

    def executions(self) -> list[Execution]:
        """The failing executions still remembered and the tail, for a rebuild."""
        known = {e.order: e for e in self.tail}
        known.update((f.execution.order, f.execution) for f in self._folded.failures)
        return list(known.values())

    def rebuild(self, executions: Iterable[Execution]) -> None:
        """Forget the fold and learn all executions anew; what is known in full wins over what was fetched."""
        everything = {e.order: e for e in executions} | {e.order: e for e in self.executions()}
        ordered = sorted(everything.values(), key=lambda e: e.order)
        self._folded, self._live = Ledger(), None
        self._folded.fold(ordered[:-TAIL_KEPT])
        self.tail = ordered[-TAIL_KEPT:]
        self.facts_version += 1

    def pack(self) -> bytes:
        packer = Packer()
        packer.put(_STATES.index(self.told), self.told_confirmed)
        _pack_ledger(packer, self._folded)
        packer.put(len(self.tail))
        for execution in self.tail:
            _pack_execution(packer, execution)
        return packer.bytes()

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Unpacker(data)
        suspect = cls()
        suspect.told, suspect.told_confirmed = _STATES[reader.get()], bool(reader.get())
        suspect._folded = _unpack_ledger(reader)
        suspect.tail = [_unpack_execution(reader) for _ in range(reader.get())]
        suspect._live = None
        return suspect


def copy_of(ledger: Ledger) -> Ledger:
    packer = Packer()
    _pack_ledger(packer, ledger)
    return _unpack_ledger(Unpacker(packer.bytes()))


def _pack_execution(p: Packer, e: Execution) -> None:
    p.put(e.at, e.key, e.run, e.commit, e.lane, e.branch, e.base, e.passed, e.failure is not None)
    if (f := e.failure) is not None:
        p.put(f.fingerprint, f.attempts, f.failed_attempts, f.ambiguous, f.tests, f.failing, f.alike, f.group)
        p.put_all(f.peers)
        p.name(f.commit_name)


def _unpack_execution(r: Unpacker) -> Execution:
    at, key, run, commit, lane, branch, base, passed, failing = r.take(9)
    return Execution(
        at, key, run, commit, lane, branch, base, bool(passed), _unpack_facts(r) if failing else None
    )


def _unpack_facts(r: Unpacker) -> FailureFacts:
    fingerprint, attempts, failed, ambiguous, tests, failing, alike, group = r.take(8)
    return FailureFacts(
        commit_name=r.name(),
        fingerprint=fingerprint,
        attempts=attempts,
        failed_attempts=failed,
        ambiguous=bool(ambiguous),
        tests=tests,
        failing=failing,
        alike=alike,
        peers=tuple(r.get_all()),
        group=group,
    )


def _pack_failure(p: Packer, f: Failure) -> None:
    _pack_execution(p, f.execution)
    p.put(f.prior_pass_run, f.same_pass_at, f.same_pass_run, f.failed_again, f.next_push_at, f.next_push_run)
    p.put(f.pass_after_at, f.trunk_pass_at, f.trunk_pass_run, f.clean_after, f.day_runs)


def _unpack_failure(r: Unpacker) -> Failure:
    execution = _unpack_execution(r)
    assert execution.failure is not None
    return Failure(execution, execution.failure, *r.take(11))


def _pack_episode(p: Packer, e: Episode) -> None:
    p.put(e.lane, e.first_commit, e.first_at, e.first_run, e.good_commit, e.good_at, e.fingerprint)
    p.put(e.commits, e.last_commit, e.last_at, e.end_commit, e.end_at)
    p.name(e.first_commit_name)


def _unpack_episode(r: Unpacker) -> Episode:
    lane, first, first_at, first_run, good, good_at, fingerprint, commits, last, last_at, end, end_at = (
        r.take(12)
    )
    return Episode(
        lane,
        first,
        r.name(),
        first_at,
        first_run,
        good,
        good_at,
        fingerprint,
        commits,
        last,
        last_at,
        end,
        end_at,
    )


def _pack_ledger(p: Packer, ledger: Ledger) -> None:
    p.put(ledger.first_seen, ledger.last_seen, ledger.first_trunk_pass_at, ledger.last_trunk_pass_at)
    p.put(ledger.clean_trunk_pass, ledger.known_since)
    p.name(ledger.strip)
    p.put(5 * len(ledger.days))
    p.include([_packed_days(ledger)])
    for day in [*ledger.days][-1:]:
        p.put(day, *ledger.days[day])
    p.put_all([n for known in ledger.passes for n in known])
    p.put(len(ledger.heads))
    for lane, head in ledger.heads.items():
        p.put(lane, head.commit, head.at, head.good_commit, head.good_at)
        p.put_all(head.commits)
    p.include([_packed_past(ledger)])
    for failure in ledger.failures[-1:]:
        _pack_failure(p, failure)
    p.put_all(_waiting(ledger))


def _waiting(ledger: Ledger) -> list[int]:
    """Where those that wait stand among the failures: most of them near the end."""
    waiting = {id(failure) for failure in ledger.waiting}
    places: list[int] = []
    for place in reversed(range(len(ledger.failures))):
        if len(places) == len(waiting):
            break
        if id(ledger.failures[place]) in waiting:
            places.append(place)
    return places[::-1]


def _packed_days(ledger: Ledger) -> Packer:
    """Executions are folded in time order, so only the last day still counts."""
    today = next(reversed(ledger.days), 0)
    known = ledger.packed_days
    if known is not None and known[0] == today:
        return known[1]
    p = Packer()
    for day in [*ledger.days][:-1]:
        p.put(day, *ledger.days[day])
    ledger.packed_days = (today, p)
    return p


def _packed_past(ledger: Ledger) -> Packer:
    """Between turns only the last failure changes: it counts the clean runs since."""
    known = ledger.packed_past
    if known is not None and known[0] == ledger.turns:
        return known[1]
    p = Packer()
    p.put(len(ledger.episodes))
    p.include([episode.packed or _packed_episode(episode) for episode in ledger.episodes])
    p.put(len(ledger.failures))
    p.include([failure.packed or _packed_failure(failure) for failure in ledger.failures[:-1]])
    ledger.packed_past = (ledger.turns, p)
    return p


def _packed_episode(episode: Episode) -> Packer:
    p = episode.packed = Packer()
    _pack_episode(p, episode)
    return p


def _packed_failure(failure: Failure) -> Packer:
    p = failure.packed = Packer()
    _pack_failure(p, failure)
    return p


def _unpack_ledger(r: Unpacker) -> Ledger:
    ledger = Ledger()
    ledger.first_seen, ledger.last_seen, ledger.first_trunk_pass_at, ledger.last_trunk_pass_at = r.take(4)
    ledger.clean_trunk_pass, ledger.known_since = bool(r.get()), r.get()
    ledger.strip = r.name()
    days = r.get_all()
    ledger.days = {days[i]: list(days[i + 1 : i + 5]) for i in range(0, len(days), 5)}
    passes = r.get_all()
    ledger.passes = [
        (passes[i], passes[i + 1], passes[i + 2], passes[i + 3]) for i in range(0, len(passes), 4)
    ]
    for _ in range(r.get()):
        lane, commit, at, good, good_at = r.take(5)
        ledger.heads[lane] = LaneHead(commit, at, good, good_at, list(r.get_all()))
    ledger.episodes = [_unpack_episode(r) for _ in range(r.get())]
    ledger.breaking = {episode.lane: episode for episode in ledger.episodes if episode.open}
    ledger.failures = [_unpack_failure(r) for _ in range(r.get())]
    ledger.waiting = [ledger.failures[i] for i in r.get_all()]
    return ledger
