"""What FlakeGuard says in a channel, as values; how it looks is the rendering's part (bot/slack)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.quarantine import Quarantine


@dataclass(frozen=True, slots=True)
class TestView:
    """The test a saying is about, as people know it."""

    __test__ = False

    id: int
    suite: str
    class_name: str
    name: str
    file: str = ""
    variant: str = ""
    owner: str = ""
    url: str = ""
    """Its latest failed run, where CI has told an address."""


@dataclass(frozen=True, slots=True)
class ProposalCard:
    """One quarantine in any state; `explanation` is core.explain's dict (frozen at proposal time)."""

    quarantine: Quarantine
    test: TestView
    repo: str
    branch: str
    explanation: dict[str, Any]
    approvers: str = ""
    """Slack user group id to mention once, empty for none."""
    short_name: str = ""
    failures_since: int = 0
    """Failures since it was approved."""
    last_failure: datetime | None = None
    url: str = ""
    also: tuple[str, ...] = ()
    """Full names of the other tests with the same cause: the decision is one about them, too."""


@dataclass(frozen=True, slots=True)
class DigestTest:
    """One row of the digest's table."""

    test: TestView
    failed: int
    runs: int
    score: float
    state: str


@dataclass(frozen=True, slots=True)
class DigestCard:
    """What changed in a project over `days`; `daily` holds flaky failures per day, oldest first."""

    repo: str
    branch: str
    days: int
    since: datetime
    until: datetime
    failures: int
    failures_before: int
    tests: int
    pull_requests: int
    ci_seconds: float
    daily: tuple[tuple[str, int], ...]
    """(ISO date, failures)."""
    worst: tuple[DigestTest, ...]
    project_id: int = 0
    new: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    ending: tuple[tuple[str, datetime], ...] = ()
    waiting: int = 0
    last_result: datetime | None = None
    next_digest: datetime | None = None
    audit_head: str = ""
    by_owner: bool = False
    """Its thread has a reply for each owner with news."""
    runs: int = 0
    tests_known: int = 0

    @property
    def quiet(self) -> bool:
        """True when nothing changed and nothing waits."""
        return not (self.failures or self.new or self.recovered or self.ending or self.waiting)


@dataclass(frozen=True, slots=True)
class StormCard:
    """Many tests failing together: one message instead of many proposals."""

    storm_id: int
    repo: str
    tests: int
    tests_known: int
    same_error: int
    error: str
    since: datetime
    commit: str = ""
    branch: str = ""
    pull_requests: int = 0
    last_green: datetime | None = None
    over_at: datetime | None = None
    examples: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """One short fact, usually a reply in a thread. `text` is our own words; `quote` is foreign text."""

    text: str
    quote: str = ""
    test_name: str = ""
    url: str = ""
    mention: str = ""
    """Slack user id of the one person concerned."""


Saying = ProposalCard | DigestCard | StormCard | Note
