"""What the tabs, answers and dialogs show, as values: gathered by reads.py, drawn by blocks/."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.slack.blocks.findings import Findings
from core.audit import AuditEvent
from core.policy import Policy
from core.quarantine import Quarantine
from core.saying import DigestTest, TestView
from core.tenancy import Role

FIRST_FINDINGS = 20
"""Runs after which the first findings may be expected."""


@dataclass(frozen=True, slots=True)
class QuarantineLine:
    """One quarantine in a list: what it is about and the figures it was proposed with."""

    quarantine: Quarantine
    test: TestView
    repo: str
    score: float = 0.0
    failed: int = 0
    runs: int = 0


@dataclass(frozen=True, slots=True)
class MyTest:
    """One test somebody owns."""

    test: TestView
    state: str
    failed: int
    runs: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RepoHealth:
    """One repository at a glance; `problem` names the first thing that is wrong."""

    project_id: int
    repo: str
    branch: str = "main"
    tests: int = 0
    flaky: int = 0
    quarantined: int = 0
    waiting: int = 0
    next_end: datetime | None = None
    last_result: datetime | None = None
    runs: int = 0
    ill: str = ""
    """In two words, empty when the repository is healthy: "is blind"."""
    problem: str = ""
    """Why, in our own words."""
    arrived: tuple[int, int] = (0, 0)
    """Of the CI runs of the last day: how many brought results, and how many should have."""
    flaky_before: int | None = None
    """How many tests were flaky a fortnight ago; None when it was not known yet."""
    sample: bool = False
    routes: int = 0
    """Channels that hear about it."""
    broken_routes: tuple[tuple[str, str], ...] = ()
    """(channel, Slack's word for what is wrong)."""
    silent_webhooks: tuple[int, ...] = ()
    """Endpoints that were switched off because they did not answer well."""


@dataclass(frozen=True, slots=True)
class HomePage:
    """One person's home."""

    waiting: tuple[QuarantineLine, ...]
    may_decide: bool
    admin: bool
    linked: bool
    """True when the person's GitHub login is known."""
    tests: tuple[MyTest, ...]
    ending: tuple[QuarantineLine, ...]
    suggestion: tuple[QuarantineLine, int] | None
    """A quarantine that looks done, and for how many days it has not failed."""
    repos: tuple[RepoHealth, ...]
    role: str
    refreshed: datetime
    ingest_url: str = ""
    install_url: str = ""
    web: bool = False
    """There are web pages, and this person may see them."""
    sample: bool = False
    """The person looks at a sample repository that only they see."""

    @property
    def received(self) -> int:
        """Reports of repositories people really have."""
        return sum(repo.runs for repo in self.repos if not repo.sample)

    @property
    def begun(self) -> bool:
        """There is something to look at: findings, or enough runs for them."""
        found = any(repo.flaky or repo.quarantined or repo.waiting for repo in self.repos)
        return self.sample or found or self.received >= FIRST_FINDINGS


@dataclass(frozen=True, slots=True)
class TestPage:
    """One test, for `show` and the Evidence dialog."""

    __test__ = False

    test: TestView
    project_id: int
    repo: str
    branch: str
    findings: Findings
    weekly: tuple[tuple[str, float], ...] = ()
    """(week, failed share), oldest first."""
    quarantine: Quarantine | None = None
    last_result: datetime | None = None
    first_seen: datetime | None = None
    web_url: str = ""
    """Its page, where there are web pages."""
    shared_by: str = ""


@dataclass(frozen=True, slots=True)
class TopPage:
    """The worst tests of a repository."""

    project_id: int
    repo: str
    days: int
    rows: tuple[DigestTest, ...]
    total: int
    tests: int = 0
    runs: int = 0
    last_result: datetime | None = None
    shared_by: str = ""


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of proposals or quarantines."""

    project_id: int
    repo: str
    kind: str
    """pending or quarantined."""
    items: tuple[QuarantineLine, ...]
    total: int
    page: int = 1
    size: int = 10

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Who did what to a test's quarantine, newest first."""

    test: TestView
    repo: str
    events: tuple[AuditEvent, ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """What one person may do in one repository, and why."""

    repo: str
    role: Role
    through: str = ""
    """The user group that gives the role; empty when listed by name."""
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class WhoPage:
    """Who somebody is to FlakeGuard."""

    user: str
    login: str
    memberships: tuple[Membership, ...]
    refusal: str = ""
    """Why they may decide nothing at all (guest, foreign); empty when that is not so."""
    web: bool = False
    """There are web pages, and this person may see them."""


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """The policy and the route of one repository."""

    project_id: int
    repo: str
    policy: Policy
    approvers: tuple[str, ...]
    channel: str = ""
    kinds: str = "all"
    digest_time: str = "09:00"
    timezone: str = "UTC"
    deciders: tuple[str, ...] = ()
    """Those who decide whoever is picked: admins, and people that Slack's menu cannot show."""
    changed_by: str = ""
    """Who saved in the meantime; the dialog says so."""
    uninvited: bool = False
    """FlakeGuard is not in the channel that was chosen."""
