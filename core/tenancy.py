"""Who shares one server: organizations, projects (= repositories), API tokens and the people who decide."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Organization:
    """A tenant; nothing of one organization is ever visible to another."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Project:
    """One repository. `repo` (OWNER/NAME) is a label; identity is `id`, and `github_id` where known."""

    id: int
    organization_id: int
    repo: str
    default_branch: str = "main"
    github_id: int | None = None


class Scope(StrEnum):
    """What an API token may do; `admin` includes all others, `ingest:trunk` includes `ingest:pr`."""

    INGEST_TRUNK = "ingest:trunk"
    INGEST_PR = "ingest:pr"
    READ = "read"
    ADMIN = "admin"

    def allows(self, wanted: "Scope") -> bool:
        """True when a token of this scope may do what needs `wanted`."""
        return (
            wanted is self or self is Scope.ADMIN or (self, wanted) == (Scope.INGEST_TRUNK, Scope.INGEST_PR)
        )


@dataclass(frozen=True, slots=True)
class ApiToken:
    """An API token at rest: only its SHA-256 is stored; the raw token is shown once, when made."""

    id: int
    organization_id: int
    project_id: int
    scope: Scope
    name: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def live(self, now: datetime) -> bool:
        """True while neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Role(StrEnum):
    """What a person may do in a project, weakest first."""

    VIEWER = "viewer"
    APPROVER = "approver"
    ADMIN = "admin"

    @property
    def may_decide(self) -> bool:
        """True for those who may approve, deny, release and extend."""
        return self in {Role.APPROVER, Role.ADMIN}


class Via(StrEnum):
    """The door through which something was asked or done."""

    SLACK = "slack"
    API = "api"
    CLI = "cli"
    GITHUB = "github"
    CLOCK = "clock"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever acts. `user` is a Slack user id, or a name for API and CLI; the role is looked up later."""

    user: str
    via: Via
    detail: str = ""
    """The token's name for the API, the login for GitHub."""
    team: str = ""
    foreign: bool = False
    """From another workspace (Slack Connect)."""
    guest: bool = False


FLAKEGUARD = Person(user="flakeguard", via=Via.POLICY)
"""The bot itself: proposes, counts as no person when approvals are counted."""
CLOCK = Person(user="flakeguard", via=Via.CLOCK)
"""The bot acting because a time has come."""
