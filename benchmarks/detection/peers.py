"""The rules in common use, as their documentation describes them; each gives a score, tuned or not, guarded or not.

A rule looks at reports in time order and scores a test whenever it fails. The first moment its score reaches a
threshold is when it would have flagged the test, so one replay serves every threshold.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from math import log2

import numpy as np

from benchmarks.detection.world import History, RunEvent
from core.execution import Merge
from core.run import Trust

MASS_FAILURES, MASS_SHARE = 4, 0.02
DAY = 86_400


@dataclass(slots=True)
class Climb:
    """How the score of one test rose."""

    score: float
    at: float
    failures: int


@dataclass
class Rule:
    """Base of all rules; `documented` is the threshold its documentation suggests, `grid` what is tuned over."""

    guarded: bool
    climbs: dict[int, list[Climb]] = field(default_factory=lambda: defaultdict(list))
    failures: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    red: dict[str, set[int]] = field(default_factory=dict)
    name = ""
    documented = 1.0
    grid: tuple[float, ...] = ()

    def replay(self, history: History) -> None:
        for event in history.events:
            if not isinstance(event, Merge):
                self._see(event)

    def _see(self, event: RunEvent) -> None:
        for test in event.failures:
            self.failures[test] += 1
        bad = {t for t, attempts in event.failures.items() if attempts[-1] is not None}
        lane = f"{event.run.branch}/{event.run.job}/{event.run.variant}"
        fresh = len(set(event.failures) - self.red.get(lane, set()))
        self.red[lane] = bad
        if event.run.trust is Trust.FORK:
            return
        if self.guarded and fresh >= MASS_FAILURES and fresh >= MASS_SHARE * len(event.ids):
            return
        self.learn(event, bad)

    def learn(self, event: RunEvent, bad: set[int]) -> None:
        raise NotImplementedError

    def say(self, test: int, score: float, event: RunEvent) -> None:
        climbs = self.climbs[test]
        if not climbs or score > climbs[-1].score:
            climbs.append(Climb(score, event.run.at.timestamp(), self.failures[test]))

    def flagged(self, threshold: float) -> dict[int, Climb]:
        found = {}
        for test, climbs in self.climbs.items():
            first = next((c for c in climbs if c.score >= threshold), None)
            if first:
                found[test] = first
        return found

    def peak(self) -> dict[int, float]:
        return {test: climbs[-1].score for test, climbs in self.climbs.items() if climbs}


@dataclass
class _SameCommit(Rule):
    """Knows which tests both failed and passed on one commit in one job; another job may really differ."""

    seen: dict[tuple[str, str], tuple[set[int], list[RunEvent]]] = field(default_factory=dict)
    commits: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    def diverged(self, event: RunEvent, bad: set[int]) -> set[int]:
        failed, runs = self.seen.setdefault((event.run.commit, event.run.job), (set(), []))
        both = set(event.failures) - bad
        earlier = failed - bad - set(event.failures)
        if earlier:
            ids = np.fromiter(earlier, int)
            both |= set(ids[np.isin(ids, event.ids)].tolist())
        for run in runs:
            both |= {t for t in bad if t not in run.failures and _contains(run.ids, t)}
        failed |= bad
        runs.append(event)
        for test in both:
            self.commits[test].add(event.run.commit)
        return both


def _contains(ids, test: int) -> bool:
    at = int(np.searchsorted(ids, test))
    return at < len(ids) and ids[at] == test


class SameCommit(_SameCommit):
    """Failed and passed on the same commit, on so many commits (GitLab, CircleCI, Datadog, Buildkite)."""

    name, documented, grid = "same commit, both outcomes", 1.0, (1, 2, 3, 4)

    def learn(self, event, bad):
        for test in self.diverged(event, bad):
            self.say(test, len(self.commits[test]), event)


class Codecov(_SameCommit):
    """Failed on the default branch, or both outcomes on a commit, or the same failure on several branches."""

    name, documented, grid = "Codecov-like", 1.0, (1, 2, 3, 4, 6)

    def __init__(self, guarded: bool) -> None:
        super().__init__(guarded)
        self.points = defaultdict(set)
        self.branches = defaultdict(set)

    def learn(self, event, bad):
        for test in self.diverged(event, bad):
            self.points[test].add(event.run.commit)
        for test in event.failures:
            message = next(m for m in event.failures[test] if m is not None)
            self.branches[test, message].add(event.run.branch)
            if (event.run.branch == "main" and test in bad) or len(self.branches[test, message]) > 1:
                self.points[test].add(event.run.commit)
            self.say(test, len(self.points[test]), event)


class Monitors(_SameCommit):
    """Trunk-like: pass-on-retry at once, or a failure rate on the default branch between two lines."""

    name, documented, grid = "Trunk-like monitors", 0.05, (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)

    def __init__(self, guarded: bool) -> None:
        super().__init__(guarded)
        self.recent = defaultdict(lambda: deque(maxlen=100))
        self.executions = defaultdict(int)
        self.main = defaultdict(list)

    def learn(self, event, bad):
        if event.run.branch == "main":
            self.main[event.run.job, event.run.variant].append((event.run.at.timestamp(), event.ids, bad))
        retried = self.diverged(event, bad)
        for test in set(event.failures) | retried:
            rate = self._rate(event, test)
            score = max(min(1.0, len(self.commits[test]) / 10), rate if rate < 0.9 else 0.0)
            self.say(test, score, event)

    def _rate(self, event, test):
        runs = [
            bad for at, ids, bad in self.main[event.run.job, event.run.variant][-60:] if _contains(ids, test)
        ]
        return sum(test in bad for bad in runs) / len(runs) if len(runs) >= 10 else 0.0


class _Sequence(Rule):
    """Keeps recent outcomes of failing tests on the default branch and on branches."""

    def __init__(self, guarded: bool, length: int = 120) -> None:
        super().__init__(guarded)
        self.runs = defaultdict(lambda: deque(maxlen=length))

    def outcomes(self, event, test) -> list[bool]:
        return [
            test in bad for ids, bad in self.runs[event.run.job, event.run.variant] if _contains(ids, test)
        ]

    def learn(self, event, bad):
        self.runs[event.run.job, event.run.variant].append((event.ids, bad))
        for test in event.failures:
            outcomes = self.outcomes(event, test)
            if len(outcomes) >= 10:
                self.say(test, self.measure(outcomes), event)

    def measure(self, outcomes: list[bool]) -> float:
        raise NotImplementedError


class FlipRate(_Sequence):
    """Apple: how often the outcome changes from one run to the next, recent runs weighing more."""

    name, documented, grid = "Apple flip rate", 0.05, (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)

    def measure(self, outcomes):
        weights = 0.98 ** np.arange(len(outcomes) - 2, -1, -1)
        flips = np.array([a != b for a, b in zip(outcomes, outcomes[1:], strict=False)])
        return float((weights * flips).sum() / weights.sum())


class Entropy(_Sequence):
    """Apple: how unpredictable the outcome is."""

    name, documented, grid = "Apple entropy", 0.3, (0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9)

    def measure(self, outcomes):
        p = sum(outcomes) / len(outcomes)
        return -sum(q * log2(q) for q in (p, 1 - p) if q > 0)


class FailureRate(_Sequence):
    """Fails more often than a line, but not always."""

    name, documented, grid = "failure-rate threshold", 0.05, (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)

    def measure(self, outcomes):
        rate = sum(outcomes) / len(outcomes)
        return rate if rate < 0.9 else 0.0


class Probabilistic(_SameCommit):
    """PFS-like: posterior chance of failing in a good state, from failures that a pass on the commit excuses."""

    name, documented, grid = "PFS-like Bayesian", 0.002, (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03)

    def __init__(self, guarded: bool) -> None:
        super().__init__(guarded)
        self.reports = defaultdict(list)

    def learn(self, event, bad):
        lane = self.reports[event.run.job, event.run.variant]
        lane.append(event.ids)
        for test in self.diverged(event, bad):
            n = len(lane[-500:])
            k = len(self.commits[test])
            mean = (k + 0.2) / (n + 40)
            self.say(test, mean * (1 - 1 / (1 + k)), event)


class Stability(_SameCommit):
    """LUCI-like: enough commits with both outcomes lately, and enough changes rejected while main stayed green."""

    name, documented, grid = "LUCI-like stability", 2.0, (1, 2, 2.5, 3, 4, 5, 6)

    def __init__(self, guarded: bool) -> None:
        super().__init__(guarded)
        self.flaky_on = defaultdict(list)
        self.rejected = defaultdict(dict)
        self.main_red = set()

    def learn(self, event, bad):
        at = event.run.at.timestamp()
        if event.run.branch == "main":
            self.main_red -= set(event.ids.tolist()) - bad if self.main_red else set()
            self.main_red |= bad
        for test in self.diverged(event, bad):
            self.flaky_on[test].append((at, event.run.commit))
            self._tell(test, at, event)
        if event.run.branch != "main":
            for test in bad - self.main_red:
                self.rejected[test][event.run.branch] = at
                self._tell(test, at, event)

    def _tell(self, test, at, event):
        flaky = len({c for t, c in self.flaky_on[test] if at - t < 14 * DAY})
        rejected = sum(at - t < 14 * DAY for t in self.rejected[test].values())
        self.say(test, flaky + 0.5 * max(0, rejected - 1), event)


RULES = (SameCommit, Codecov, Monitors, FlipRate, Entropy, FailureRate, Probabilistic, Stability)
