"""Form a verdict from facts: score, hysteresis, state."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import ceil, log, prod
from operator import attrgetter
from typing import Any

from core.belief import Belief, Sum, add_up, believe, rate, rate_interval
from core.classify import weighed
from core.detection_state import ProjectState
from core.evidence import NOT_ITS_OWN, PROOF, UNANSWERED, Bucket, Evidence, QTable
from core.independence import independent
from core.ledger import DAY, Episode, Ledger
from core.thresholds import Thresholds
from core.verdict import TestState, Verdict

FLAKE_AT = 0.3
"""A piece at least this likely to be a flake is what clean runs are counted from."""
PROVEN_AT = 0.95
LUCK = 0.01
"""A known flaky test is broken only when its rate makes so many failures in a row less likely than this."""
CHANGE_AFTER = 4
SELDOM = 0.25
ABSENT_REPORTS = 10


@dataclass(frozen=True, slots=True)
class Moment:
    """What counted at one moment."""

    counted: Sequence[Evidence]
    """Independent pieces in the window, best first."""
    runs: int
    clean: int
    """Clean executions since the last flake."""
    total: Sum
    thresholds: Thresholds

    def belief(self, *, more_clean: int = 0) -> Belief:
        """Then, or after some more clean runs."""
        return believe(
            self.total,
            runs=self.runs + more_clean,
            clean_runs=self.clean + more_clean,
            thresholds=self.thresholds,
        )

    def with_more(self, pieces: Sequence[Evidence]) -> "Moment":
        """As it would be with these pieces too."""
        counted = [*self.counted, *pieces]
        runs = self.runs + len(pieces)
        return Moment(counted, runs, 0, add_up([p.q for p in counted]), self.thresholds)

    @property
    def proof(self) -> float:
        """Chance that at least one of the same-commit proofs is one."""
        return 1 - prod(1 - p.q for p in self.counted if p.kind in PROOF)


def flakes_among(pieces: Sequence[Evidence], failed: int, p_flaky: float) -> float:
    """How many of so many failures were flakes; unlike evidence, what has one cause counts each time it fails."""
    return failed * sum(_likely_flake(p, p_flaky) for p in pieces) / len(pieces) if pieces else 0.0


def _likely_flake(piece: Evidence, p_flaky: float) -> float:
    """A failure of a flaky test was its own chance unless many failed with it or the base was broken."""
    if piece.bucket not in {Bucket.ALONE, Bucket.SMALL} or piece.kind in NOT_ITS_OWN:
        return piece.q
    return max(piece.q, p_flaky)


_AT = attrgetter("at")


@dataclass(frozen=True, slots=True)
class Case:
    """All that is needed to judge one test at any moment up to now."""

    ledger: Ledger
    pieces: Sequence[Evidence]
    thresholds: Thresholds
    memo: dict[Any, Any] = field(default_factory=dict)
    """What was worked out before from these very pieces."""

    def present(self, now: int) -> Moment:
        return self._moment(now, self.runs(now)[0])

    def past(self, index: int, *, after: bool) -> Moment:
        """Just before, or just after, the failure of this index: with what is known of it now."""
        failure = self.ledger.failures[index]
        day, since = failure.at // DAY, failure.at // DAY - self.thresholds.window_days
        earlier = sum(counts[0] for d, counts in self.ledger.days.items() if since < d < day)
        return self._moment(failure.at if after else failure.at - 1, earlier + failure.day_runs - (not after))

    def silences(self, index: int, now: int) -> Iterator[Moment]:
        """Behind the failure of this index, backwards: each moment before the window moves past an older piece.

        A score only falls while a test keeps silent, and may rise again when the window forgets.
        """
        failures, window = self.ledger.failures, self.thresholds.window_days * DAY
        start = failures[index].at
        end = failures[index + 1].at if index + 1 < len(failures) else now
        for piece in reversed(self.pieces[: index + 1]):
            at = piece.at + window - 1
            if start < at < end:
                moment = self._moment(at, self.runs(at)[0])
                yield replace(moment, clean=max(moment.clean - self._clean_after(at, index + 1), 0))

    def _clean_after(self, at: int, until: int) -> int:
        """Clean executions on the days behind this moment, up to the failure of that index or now."""
        first, days, clean = at // DAY, self.ledger.days.items(), 0
        last = self.ledger.failures[until].at // DAY if until < len(self.ledger.failures) else None
        if last is not None and last > first:
            clean = self.ledger.failures[until].day_runs - 1
        return clean + sum(n[0] - n[1] for day, n in days if day > first and (last is None or day < last))

    def _moment(self, at: int, runs: int) -> Moment:
        counted, total, last_flake = self._counted(at)
        failures = self.ledger.failures
        first, last = (bisect_left(failures, moment, key=_AT) for moment in (last_flake, at))
        clean = sum(f.clean_after for f in failures[first:last])
        return Moment(counted, runs, clean, total, self.thresholds)

    def _counted(self, at: int) -> tuple[list[Evidence], Sum, int]:
        """The pieces that count, what they add up to, and when the last flake among them was."""
        since = at - self.thresholds.window_days * DAY
        first, last = (bisect_right(self.pieces, moment, key=_AT) for moment in (since, at))
        known: tuple[list[Evidence], Sum, int] | None = self.memo.get((first, last))
        if known is None:
            counted = independent(self.pieces[first:last])
            last_flake = max((p.at for p in counted if p.q >= FLAKE_AT), default=0)
            known = self.memo[first, last] = (counted, add_up([p.q for p in counted]), last_flake)
        return known

    def runs(self, at: int) -> list[int]:
        """Executions, failures, default-branch executions and failures in whole days of the window."""
        last = at // DAY
        first = last - self.thresholds.window_days
        days = [counts for day, counts in self.ledger.days.items() if first < day <= last]
        return [sum(column) for column in zip(*days, strict=True)] if days else [0, 0, 0, 0]

    def confirmable(self, moment: Moment) -> bool:
        """Same-commit proof in the window, and at least one clean pass on the default branch."""
        return self.ledger.clean_trunk_pass and moment.proof >= PROVEN_AT

    def ever_likely(self) -> bool:
        """Could the pieces, all taken together, flag it at all?"""
        return 1 - prod(1 - p.q for p in self.pieces) >= self.thresholds.flag_at


def hopeless(state: ProjectState, test_id: int, t: Thresholds, q_table: QTable) -> bool:
    """A cheap bound: nothing it did can add up to a suspicion, so its failures need not be looked at one by one."""
    failures = state.suspects[test_id].live.failures
    if any(f.proven_at or f.prior_pass_run >= 0 for f in failures) or state.told_merged(failures):
        return False
    places = {(f.facts.fingerprint, f.execution.branch or -f.at) for f in failures if f.facts.fingerprint}
    if len({mark for mark, _ in places}) < len(places):
        return False
    q = max(q_table[kind][Bucket.ALONE] for kind in UNANSWERED)
    return 1 - (1 - q) ** len(failures) < t.suspect_at


def case_of(state: ProjectState, test_id: int, t: Thresholds, q_table: QTable) -> Case:
    known = weighed(state, test_id, t, q_table)
    return Case(state.suspects[test_id].live, known.pieces, t, known.memo)


def quick_case_of(state: ProjectState, test_id: int, t: Thresholds, q_table: QTable) -> Case:
    """Enough to know the state: tests of which nothing can be suspected are not looked at in detail."""
    plain = Case(state.suspects[test_id].live, (), t)
    if hopeless(state, test_id, t, q_table) and breakage_of(plain, plain.present(0).belief()) is None:
        return plain
    return case_of(state, test_id, t, q_table)


def judge(state: ProjectState, test_id: int, now: int, t: Thresholds, q_table: QTable) -> Verdict:
    """What is believed now; a pure function of the facts."""
    if test_id not in state.suspects:
        return Verdict(TestState.HEALTHY, version=t.version)
    case = case_of(state, test_id, t, q_table)
    return verdict(state, case, now)


def verdict(state: ProjectState, case: Case, now: int) -> Verdict:
    now = max(now, case.ledger.last_seen)
    moment = case.present(now)
    belief = moment.belief()
    name, breakage = state_of(state, case, now, belief)
    return _told(case, now, moment, name, breakage)


def state_of(state: ProjectState, case: Case, now: int, belief: Belief) -> tuple[TestState, Episode | None]:
    """The most severe state that applies, and the breakage when it is broken."""
    if _retired(state, case, now):
        return TestState.RETIRED, None
    if breakage := breakage_of(case, belief):
        return TestState.BROKEN, breakage
    if flagged(case, now, belief.score):
        return TestState.FLAKY, None
    if belief.score >= case.thresholds.suspect_at:
        return TestState.SUSPECT, None
    if _was_bad(case, now):
        return TestState.RECOVERED, None
    few = case.runs(now)[0] < case.thresholds.minimum_runs
    return (TestState.INSUFFICIENT if few else TestState.HEALTHY), None


def flagged(case: Case, now: int, score: float) -> bool:
    """Flag at `flag_at`, clear at `clear_at`; between them the past decides, read back from the facts."""
    t = case.thresholds
    if score >= t.flag_at or score <= t.clear_at or not case.ever_likely():
        return score >= t.flag_at
    telling = (past for past in _earlier_scores(case, now) if not t.clear_at < past < t.flag_at)
    return next(telling, 0.0) >= t.flag_at


def _earlier_scores(case: Case, now: int) -> Iterator[float]:
    """Wherever the score may have turned, from now back to the first failure."""
    for index in reversed(range(len(case.pieces))):
        for moment in case.silences(index, now):
            yield moment.belief().score
        for after in (True, False):
            yield case.past(index, after=after).belief().score


def _was_bad(case: Case, now: int) -> bool:
    since = now - case.thresholds.window_days * DAY
    if any(ep.commits >= case.thresholds.broken_after and ep.end_at > since for ep in case.ledger.episodes):
        return True
    return case.ever_likely() and any(
        case.past(index, after=True).belief().score >= case.thresholds.flag_at
        for index, piece in enumerate(case.pieces)
        if piece.at > since - case.thresholds.window_days * DAY
    )


def breakage_of(case: Case, belief: Belief) -> Episode | None:
    """The open breakage of the default branch, if there is one that chance does not explain."""
    needed = case.thresholds.broken_after
    if belief.score >= case.thresholds.flag_at:
        usual = min(rate(belief.flakes, belief.runs, case.thresholds), 0.9)
        needed = max(needed, min(10, ceil(log(LUCK) / log(usual))))
    for episode in reversed(case.ledger.episodes):
        if episode.open and episode.commits >= needed and not _outage(case, episode):
            return episode
    return _change_point(case)


def _outage(case: Case, episode: Episode) -> bool:
    """Every failure of it was part of a mass failure."""
    mine = [p for p in case.pieces if not p.branch and episode.first_at <= p.at <= episode.last_at]
    return bool(mine) and all(p.bucket is Bucket.MASS for p in mine)


def _change_point(case: Case) -> Episode | None:
    """A split of the recent default-branch outcomes into seldom failing and nearly always failing."""
    strip = case.ledger.strip
    if not strip.endswith("x") or "~" in strip[-CHANGE_AFTER:]:
        return None
    for split in range(1, len(strip) - CHANGE_AFTER + 1):
        before, after = strip[:split], strip[split:]
        if not after.startswith("x") or "~" in after:
            continue
        if after.count("x") >= case.thresholds.broken_rate * len(after) and before.count("x") <= SELDOM * len(
            before
        ):
            runs = sum(1 for part in after.split(".") if part)
            return case.ledger.episodes[-min(runs, len(case.ledger.episodes))]
    return None


def _retired(state: ProjectState, case: Case, now: int) -> bool:
    ledger = case.ledger
    if now - ledger.last_seen <= case.thresholds.retire_after_days * DAY:
        return False
    return state.surroundings.reports_since(list(ledger.heads), ledger.last_seen) >= ABSENT_REPORTS


def _told(case: Case, now: int, moment: Moment, name: TestState, breakage: Episode | None) -> Verdict:
    belief = moment.belief()
    t, ledger, failures = case.thresholds, case.ledger, case.ledger.failures
    runs, failed, trunk_runs, trunk_failed = case.runs(now)
    since = now - t.window_days * DAY
    flakes = flakes_among([p for p in case.pieces if p.at > since], failed, belief.p_flaky)
    return Verdict(
        state=name,
        score=belief.score,
        confirmed=name is TestState.FLAKY and case.confirmable(moment),
        p_flaky=belief.p_flaky,
        p_active=belief.p_active,
        rate=rate(flakes, belief.runs, t),
        rate_interval=rate_interval(flakes, belief.runs, t),
        since_commit=breakage.first_commit_name if breakage else "",
        since_run=breakage.first_run if breakage else 0,
        first_failure=_when(failures[0].at) if failures else None,
        last_failure=_when(failures[-1].at) if failures else None,
        evidence=dict(Counter(p.kind for p in moment.counted)),
        strongest=moment.counted[0].kind if moment.counted else None,
        failures=failed,
        runs=runs,
        trunk_failures=trunk_failed,
        trunk_runs=trunk_runs,
        branches=len({p.branch for p in case.pieces if p.branch and p.at > since}),
        strip=ledger.strip,
        clean_runs=moment.clean,
        version=t.version,
    )


def _when(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
