"""A made-up repository for people who are only looking: ninety days of a web shop's CI, the same every time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from core.report import Attempt, Outcome, TestKey
from core.run import Run, Trust

REPO = "sample/web-shop"
DAYS = 90
EVERY = timedelta(hours=9)
STEADY = 60
"""Tests that always pass."""


@dataclass(frozen=True, slots=True)
class Mischief:
    """How one test misbehaves: from `since` to `until` days before the end, in every so-manieth run."""

    file: str
    name: str
    message: str
    every: int
    phase: int = 0
    """How many runs before the newest it did so last."""
    since: int = DAYS
    until: int = 0
    recovers: bool = True
    """It passes when tried again in the same run."""


MISCHIEF = (
    Mischief("login", "test_redirect_after_login", "TimeoutError: waited 5000 ms for URL /home", 7, 1),
    Mischief("cart", "test_cart_total_rounding", "AssertionError: 10.01 != 10.00", 9, 2),
    Mischief(
        "upload", "test_upload_resume", "ConnectionResetError: [Errno 104] reset by peer", 5, 3, since=16
    ),
    Mischief("search", "test_search_index", "AssertionError: the new item is not in the index", 8, until=35),
    Mischief("refund", "test_refund_twice", "AssertionError: refunded twice", 1, since=3, recovers=False),
)


def sample_runs(end: datetime) -> Iterator[tuple[Run, Mapping[TestKey, list[Attempt]]]]:
    """Every run of the repository, oldest first; the newest is a few minutes old."""
    total = int(timedelta(days=DAYS) / EVERY)
    for number in range(total):
        at = end - timedelta(minutes=12) - EVERY * (total - 1 - number)
        yield _run(number, at), _results(total - 1 - number, age=end - at)


def _run(number: int, at: datetime) -> Run:
    commit = blake2b(b"%d" % number, digest_size=20).hexdigest()
    if number % 3:
        return Run(f"sample-{number}", commit, "main", at, job="test")
    pull = str(100 + number)
    return Run(f"sample-{number}", commit, f"change-{pull}", at, job="test", pr=pull, trust=Trust.PR)


def _results(back: int, *, age: timedelta) -> dict[TestKey, list[Attempt]]:
    """What the run so many before the newest brought."""
    results = {_key("shop", f"test_steady_{one}"): [_passed(back + one)] for one in range(STEADY)}
    for one in MISCHIEF:
        results[_key(one.file, one.name)] = _attempts(one, back, age)
    return results


def _attempts(one: Mischief, back: int, age: timedelta) -> list[Attempt]:
    acts = timedelta(days=one.until) <= age < timedelta(days=one.since)
    if not acts or back % one.every != one.phase:
        return [_passed(back)]
    failed = Attempt(Outcome.FAILED, 5.0, one.message)
    return [failed, _passed(back)] if one.recovers else [failed]


def _passed(seed: int) -> Attempt:
    return Attempt(Outcome.PASSED, 0.2 + seed % 10 / 10)


def _key(file: str, name: str) -> TestKey:
    return TestKey("pytest", f"tests.test_{file}", name, f"tests/test_{file}.py")
