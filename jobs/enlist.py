"""Enlist: installations and repositories of GitHub become organizations and projects, by numeric id."""

from datetime import datetime
from typing import Any

import structlog

from core.errors import ConflictError
from core.github import fields
from core.github.repository import (
    Account,
    Installation,
    Repository,
    read_account,
    read_installation,
    read_repository,
)
from core.tenancy import Project, Via
from jobs.desk import Desk
from jobs.hook import Hook, IgnoredError
from storage import audit, delivery
from storage import github as memory
from storage.database import Tx
from storage.organization import create_organization
from storage.project import create_project, find_project, find_project_by_github_id, rename_project

log = structlog.get_logger(__name__)

_FALLBACK_BRANCH = "main"
"""Short payloads leave the default branch out; the first long one corrects it."""


def on_installation(desk: Desk, hook: Hook) -> None:
    """The App was installed, uninstalled, suspended or given other permissions."""
    installation = read_installation(fields.dig(hook.payload, "installation"))
    now = desk.now()
    with desk.database.begin() as tx:
        memory.put_installation(tx, installation, now=now)
        match hook.action:
            case "deleted":
                memory.remove_installation(tx, installation.id, now=now)
                delivery.cancel_deliveries(tx, installation_id=installation.id, now=now)
            case "suspend":
                memory.suspend_installation(tx, installation.id, at=installation.suspended_at or now, now=now)
            case _:
                memory.suspend_installation(tx, installation.id, at=None, now=now)
                enlist_all(tx, installation, _repositories(hook.payload, "repositories"), now=now)


def on_installation_repositories(desk: Desk, hook: Hook) -> None:
    """Repositories came into the installation's reach, or left it."""
    installation = read_installation(fields.dig(hook.payload, "installation"))
    now = desk.now()
    with desk.database.begin() as tx:
        memory.put_installation(tx, installation, now=now)
        enlist_all(tx, installation, _repositories(hook.payload, "repositories_added"), now=now)
        for item in fields.rows(hook.payload, "repositories_removed"):
            if (github_id := fields.number(item, "id")) is not None:
                memory.retire_repository(tx, github_id)


def on_installation_target(desk: Desk, hook: Hook) -> None:
    """An organization or user was renamed: every full name of it changes, no id does."""
    account = read_account(fields.dig(hook.payload, "account"))
    if account is None:
        raise IgnoredError("The renamed account is not named.")
    with desk.database.begin() as tx:
        memory.rename_account(tx, account.id, account.login)
        installation_id = fields.number(hook.payload, "installation", "id")
        for known in memory.active_repositories(tx, installation_id) if installation_id else ():
            name = known.ref.full_name.partition("/")[2]
            renamed = Repository(id=known.ref.repository_id, full_name=f"{account.login}/{name}")
            enlist(tx, renamed, Installation(known.ref.installation_id), now=desk.now())


def on_repository(desk: Desk, hook: Hook) -> None:
    """A repository was renamed, moved, archived, deleted or changed its default branch."""
    repository = hook.repository
    now = desk.now()
    with desk.database.begin() as tx:
        if hook.action in {"deleted", "archived"}:
            memory.retire_repository(tx, repository.id)
            return
        if find_project_by_github_id(tx, repository.id) is None:
            raise IgnoredError("The repository is not one of ours.")
        enlist(tx, repository, Installation(hook.installation_id), now=now)


def enlist_all(tx: Tx, installation: Installation, repositories: list[Repository], *, now: datetime) -> None:
    """Every repository an installation brings."""
    for repository in repositories:
        owned = repository if repository.owner else _owned(repository, installation.account)
        enlist(tx, owned, installation, now=now)


def enlist(tx: Tx, repository: Repository, installation: Installation, *, now: datetime) -> Project:
    """The project of a repository: known by id, else taken over by name, else made."""
    project = find_project_by_github_id(tx, repository.id)
    if project is None:
        project = _take_over(tx, repository) or _make(tx, repository, now=now)
    project = _called(tx, project, repository)
    memory.put_installation(tx, installation, now=now)
    memory.link_repository(tx, project.id, repository, installation.id)
    return project


def _owned(repository: Repository, account: Account | None) -> Repository:
    return Repository(repository.id, repository.full_name, repository.default_branch, owner=account)


def _take_over(tx: Tx, repository: Repository) -> Project | None:
    """A project that somebody made by hand under this name before the App was installed."""
    named = find_project(tx, repository.full_name)
    if named is None:
        return None
    if named.github_id is None:
        return rename_project(tx, named.id, github_id=repository.id)
    # The name was given to a new repository; the old one keeps its history under a name of its own.
    rename_project(tx, named.id, repo=f"{named.repo}.was-{named.github_id}")
    return None


def _make(tx: Tx, repository: Repository, *, now: datetime) -> Project:
    owner = repository.owner.login if repository.owner else repository.full_name.partition("/")[0]
    organization = create_organization(tx, owner, now)
    try:
        project = create_project(
            tx,
            organization_id=organization.id,
            repo=repository.full_name,
            default_branch=repository.default_branch or _FALLBACK_BRANCH,
            github_id=repository.id,
            now=now,
        )
    except ConflictError:
        # Another node has made it between our look and our insert.
        known = find_project_by_github_id(tx, repository.id)
        if known is None:
            raise
        return known
    audit.append(
        tx,
        organization_id=organization.id,
        project_id=project.id,
        at=now,
        actor="github",
        via=Via.GITHUB.value,
        action="project.created",
        subject=repository.full_name,
        details={"github_id": repository.id},
    )
    return project


def _called(tx: Tx, project: Project, repository: Repository) -> Project:
    """Follow a rename or a new default branch."""
    changes: dict[str, Any] = {}
    if project.repo.lower() != repository.full_name.lower():
        changes["repo"] = repository.full_name
    if repository.default_branch and project.default_branch != repository.default_branch:
        changes["default_branch"] = repository.default_branch
    if not changes:
        return project
    try:
        return rename_project(tx, project.id, **changes)
    except ConflictError:
        log.warning("project.rename_refused", project=project.repo, wanted=repository.full_name)
        return project


def _repositories(payload: dict[str, Any], key: str) -> list[Repository]:
    return [read_repository(item) for item in fields.rows(payload, key)]
