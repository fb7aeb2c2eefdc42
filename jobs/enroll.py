"""Enroll: organizations, projects, tokens and people; each change with its audit event."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.errors import NotFoundError, ValidationError
from core.tenancy import ApiToken, Organization, Person, Project, Role, Scope
from core.token import make_token, token_hash
from jobs.desk import Desk
from storage import audit
from storage.approver import remove_role, set_role
from storage.database import Tx
from storage.organization import create_organization, find_organization
from storage.project import create_project, get_project
from storage.token import revoke_token, save_token

DEFAULT_ORGANIZATION = "default"
"""Where a project goes when nobody names an organization."""
_REPO = re.compile(r"(?!\.+/)[A-Za-z0-9_.-]{1,100}/(?!\.+$)[A-Za-z0-9_.-]{1,100}")
_NAME = re.compile(r"[\w .,&+()/-]{1,100}")
_USER = re.compile(r"[\w.@+-]{1,80}")
_BRANCH = re.compile(r"[^\s\x00-\x1f\x7f~^:?*\[\\]{1,200}")
LONGEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token just made; `raw` is shown once and kept nowhere."""

    raw: str
    token: ApiToken


def enroll_organization(desk: Desk, name: str, *, by: Person) -> Organization:
    """The organization of this name, made when missing."""
    with desk.database.begin() as tx:
        return add_organization(tx, name, by=by, now=desk.now())


def add_organization(tx: Tx, name: str, *, by: Person, now: datetime) -> Organization:
    """The same as a part of something larger."""
    name = _checked(_NAME, name, "name", "An organization's name has 1 to 100 letters, digits and spaces.")
    if there := find_organization(tx, name):
        return there
    organization = create_organization(tx, name, now)
    _record(tx, organization.id, by=by, action="organization.created", subject=organization.name, at=now)
    return organization


def enroll_project(
    desk: Desk,
    repo: str,
    *,
    by: Person,
    organization: str = DEFAULT_ORGANIZATION,
    default_branch: str = "main",
    github_id: int | None = None,
) -> Project:
    """A new project of an organization (made when missing). ConflictError when it has it already."""
    repo = _checked(_REPO, repo, "repo", "A project is called OWNER/NAME, as on GitHub.")
    branch = _checked(_BRANCH, default_branch, "default_branch", "This is not the name of a branch.")
    tenant = enroll_organization(desk, organization or DEFAULT_ORGANIZATION, by=by)
    with desk.database.begin() as tx:
        named = {"repo": repo, "default_branch": branch}
        return add_project(tx, tenant, **named, github_id=github_id, by=by, now=desk.now())


def add_project(
    tx: Tx,
    tenant: Organization,
    *,
    repo: str,
    by: Person,
    now: datetime,
    default_branch: str = "main",
    github_id: int | None = None,
) -> Project:
    """The same as a part of something larger; its names are checked already."""
    project = create_project(
        tx,
        organization_id=tenant.id,
        repo=repo,
        default_branch=default_branch,
        github_id=github_id,
        now=now,
    )
    _record(tx, tenant.id, by=by, action="project.created", subject=repo, at=now, project_id=project.id)
    return project


def issue_token(
    desk: Desk,
    project_id: int,
    scope: Scope,
    *,
    by: Person,
    randomness: bytes,
    name: str = "",
    lifetime: timedelta | None = None,
) -> IssuedToken:
    """A new token; `randomness` are 32 bytes from the system."""
    name = _checked(
        _NAME, name or scope.value.replace(":", " "), "name", "A token's name has 1 to 100 characters."
    )
    if lifetime is not None and not timedelta() < lifetime <= LONGEST:
        raise ValidationError(f"A token may live up to {LONGEST.days} days.", field="expires")
    raw, now = make_token(KINDS[scope], randomness), desk.now()
    with desk.database.begin() as tx:
        project = get_project(tx, project_id)
        token = save_token(
            tx,
            organization_id=project.organization_id,
            project_id=project.id,
            scope=scope,
            name=name,
            hash=token_hash(raw),
            now=now,
            expires_at=now + lifetime if lifetime else None,
        )
        details = {"scope": scope.value, "name": name}
        _record(
            tx,
            project.organization_id,
            by=by,
            action="token.created",
            subject=f"token-{token.id}",
            at=now,
            project_id=project.id,
            details=details,
        )
    return IssuedToken(raw, token)


KINDS = {Scope.INGEST_TRUNK: "trunk", Scope.INGEST_PR: "pr", Scope.READ: "read", Scope.ADMIN: "admin"}


def withdraw_token(desk: Desk, token_id: int, *, by: Person, organization_id: int | None = None) -> ApiToken:
    """From now on useless. NotFoundError when the organization has no such token."""
    now = desk.now()
    with desk.database.begin() as tx:
        token = revoke_token(tx, token_id, organization_id, now)
        if token.revoked_at == now:
            _record(
                tx,
                token.organization_id,
                by=by,
                action="token.revoked",
                subject=f"token-{token.id}",
                at=now,
                project_id=token.project_id,
            )
    return token


def give_role(desk: Desk, project_id: int, user: str, role: Role, *, by: Person) -> None:
    """From now on the person has this role in the project."""
    with desk.database.begin() as tx:
        add_role(tx, get_project(tx, project_id), user, role, by=by, now=desk.now())


def add_role(tx: Tx, project: Project, user: str, role: Role, *, by: Person, now: datetime) -> None:
    """The same as a part of something larger."""
    user = _checked(_USER, user, "user", "A user is a Slack user id such as U024BE7LH.")
    set_role(tx, project.id, user, role)
    _record(
        tx,
        project.organization_id,
        by=by,
        action="approver.added",
        subject=user,
        at=now,
        project_id=project.id,
        details={"role": role.value},
    )


def take_role(desk: Desk, project_id: int, user: str, *, by: Person) -> None:
    """From now on the person only looks. NotFoundError when there was no role."""
    now = desk.now()
    with desk.database.begin() as tx:
        project = get_project(tx, project_id)
        if not remove_role(tx, project.id, user):
            raise NotFoundError(f"{user[:80]} has no role in {project.repo}.")
        _record(
            tx,
            project.organization_id,
            by=by,
            action="approver.removed",
            subject=user,
            at=now,
            project_id=project.id,
        )


def _record(
    tx: Tx,
    organization_id: int,
    *,
    by: Person,
    action: str,
    subject: str,
    at: datetime,
    project_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    audit.append(
        tx,
        organization_id=organization_id,
        project_id=project_id,
        at=at,
        actor=by.user,
        via=by.via.value,
        action=action,
        subject=subject,
        details={**(details or {}), **({"through": by.detail} if by.detail else {})},
    )


def _checked(shape: re.Pattern[str], value: str, field: str, complaint: str) -> str:
    if not shape.fullmatch(value.strip()):
        raise ValidationError(complaint, field=field)
    return value.strip()
