"""Who asks: one indexed read by the token's SHA-256, the same work whether the token exists or not."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.errors import AuthenticationError, ForbiddenError, NotFoundError, ValidationError
from core.tenancy import ApiToken, Person, Project, Scope, Via
from core.token import token_hash
from storage.database import Tx
from storage.oidc import fields_bound_to
from storage.project import find_project, get_project
from storage.token import find_token

SERVER = "the server's admin token"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brought along; nothing of it is believed yet."""

    hash: bytes
    project: str = ""
    """OWNER/NAME, where the caller named one."""

    @property
    def fingerprint(self) -> str:
        """A key for counting that gives nothing away."""
        return self.hash.hex()[:24]


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller: a project's token, or whoever runs the server (`token` is None)."""

    token: ApiToken | None
    project: Project | None
    bound: Mapping[str, str] = field(default_factory=dict)
    """Fields of a run that a workflow's identity token has settled: what the request says of them is not heard."""

    @property
    def name(self) -> str:
        """For the audit log."""
        return f"token {self.token.name or self.token.id}" if self.token else SERVER

    @property
    def here(self) -> Project:
        """The project asked about; the server's own token has to name one."""
        if self.project is None:
            raise ValidationError("Name the project: ?project=OWNER/NAME.", field="project")
        return self.project

    def person(self, user: str) -> Person:
        """The person for whom the caller speaks; the policy looks at the person, the audit names both."""
        return Person(user=user, via=Via.API, detail=self.name)

    @property
    def itself(self) -> Person:
        """For what a caller does without speaking for a person."""
        return Person(user=self.name, via=Via.API)


def bearer(header: str, project: str = "") -> Credentials:
    """The credentials of an Authorization header; AuthenticationError without any."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationError("Send a token: Authorization: Bearer fg_...")
    return Credentials(token_hash(token.strip()), project.strip())


def authenticate(
    tx: Tx, credentials: Credentials, *, wanted: Scope | None, admin_hash: bytes | None, now: datetime
) -> Caller:
    """The caller, allowed to do what needs `wanted` (None: what every token may)."""
    token = find_token(tx, credentials.hash)
    if admin_hash is not None and hmac.compare_digest(admin_hash, credentials.hash):
        return Caller(None, _named_project(tx, credentials.project))
    if token is None or not token.live(now):
        raise AuthenticationError("This token is unknown, expired or revoked.")
    if wanted is not None and not token.scope.allows(wanted):
        raise ForbiddenError(f"This token has the scope {token.scope.value}; {wanted.value} is needed here.")
    project = get_project(tx, token.project_id)
    if credentials.project and credentials.project.lower() != project.repo.lower():
        raise NotFoundError("There is no such project.")
    return Caller(token, project, fields_bound_to(tx, token.id) if token.expires_at else {})


def authenticate_server(credentials: Credentials, admin_hash: bytes | None) -> Caller:
    """Whoever runs the server: for what belongs to no project yet."""
    if admin_hash is None or not hmac.compare_digest(admin_hash, credentials.hash):
        raise AuthenticationError("This needs the server's admin token (FLAKEGUARD_ADMIN_TOKEN).")
    return Caller(None, None)


def _named_project(tx: Tx, repo: str) -> Project | None:
    if not repo:
        return None
    project = find_project(tx, repo)
    if project is None:
        raise NotFoundError("There is no such project.")
    return project
