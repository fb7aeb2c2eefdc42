"""A storm: many tests turning flaky together. One cause is likelier than many, so they are one message."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import ValidationError
from core.policy import Policy
from core.run import Run

FEW = 3
"""So many tests at once are no storm, however small the suite."""
SHARE = 0.02
TOGETHER = timedelta(hours=1)
"""Tests confirmed within so long of one another are confirmed together."""


@dataclass(frozen=True, slots=True)
class Storm:
    """Tests that began to fail together; its public name is `s-<id>`."""

    id: int
    project_id: int
    since: datetime
    joined_at: datetime
    """When the last test joined."""
    over_at: datetime | None = None
    ended: str = ""
    """Why it is over: calm, split, infra."""

    @property
    def name(self) -> str:
        return f"s-{self.id}"


@dataclass(frozen=True, slots=True)
class StormFailure:
    """One failure of one of its tests."""

    test_id: int
    run: Run
    run_pk: int = 0
    fingerprint: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Weather:
    """What the failures of a storm have in common."""

    began: Run | None = None
    same_error: int = 0
    """Tests that failed with the commonest fingerprint."""
    message: str = ""
    pull_requests: int = 0


def is_storm(at_once: int, within_hour: int, *, suite: int, policy: Policy) -> bool:
    """True when so many tests were newly found flaky that a shared cause must be looked for first."""
    return within_hour > policy.storm_proposals or (at_once > FEW and at_once > SHARE * suite)


def weather(failures: Sequence[StormFailure]) -> Weather:
    """What they share: the commonest error, and the run in which it was seen first."""
    tests: defaultdict[str, set[int]] = defaultdict(set)
    for one in failures:
        if one.fingerprint:
            tests[one.fingerprint].add(one.test_id)
    prs = len({one.run.pr for one in failures if one.run.pr})
    if not tests:
        return Weather(began=_first(failures), pull_requests=prs)
    common = max(tests, key=lambda mark: (len(tests[mark]), mark))
    alike = [one for one in failures if one.fingerprint == common]
    message = Counter(one.message for one in alike if one.message).most_common(1)
    return Weather(_first(alike), len(tests[common]), message[0][0] if message else "", prs)


def own_failures(storm: Storm, failures: Sequence[StormFailure]) -> list[StormFailure]:
    """Those of its tests' failures that belong to it; how else they failed is their own affair.

    What several of them say is the storm's; so is, of a test that says nothing of the kind, what it said when the
    storm broke out.
    """
    shared = shared_marks(failures)
    saying = {one.test_id for one in failures if one.fingerprint in shared}
    return [
        one
        for one in failures
        if one.fingerprint in shared or (one.test_id not in saying and one.run.at >= storm.since - TOGETHER)
    ]


def shared_marks(failures: Iterable[StormFailure]) -> set[str]:
    """Fingerprints of more than one test."""
    tests: defaultdict[str, set[int]] = defaultdict(set)
    for one in failures:
        tests[one.fingerprint].add(one.test_id)
    return {mark for mark, those in tests.items() if mark and len(those) > 1}


def _first(failures: Iterable[StormFailure]) -> Run | None:
    return min((one.run for one in failures), key=lambda run: run.at, default=None)


def commit_url(run: Run) -> str:
    """Where GitHub shows the run's commit, by the address of the run; empty when that is no GitHub address."""
    root, separator, _ = run.url.partition("/actions/")
    return f"{root}/commit/{run.commit}" if separator and run.commit else ""


def parse_storm(text: str) -> int:
    """`s-4` -> 4."""
    number = text.strip().removeprefix("s-")
    if not (number.isascii() and number.isdecimal() and len(number) < MAX_DIGITS):
        raise ValidationError(f"{text[:40]!r} is not the name of a storm; it looks like s-4.")
    return int(number)


MAX_DIGITS = 19
