"""Projects (= repositories) and the versions of their approval policies."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, UniqueConstraint, bindparam, select, update
from sqlmodel import Field, SQLModel, col

from core.errors import ConflictError, NotFoundError
from core.policy import Policy
from core.tenancy import Project
from storage.columns import BigId, Json, Text, UtcTime
from storage.database import Query, Tx
from storage.upsert import insert_ignore


class ProjectRow(SQLModel, table=True):
    """One repository of one organization."""

    __tablename__ = "project"
    __table_args__ = (
        UniqueConstraint("organization_id", "repo_key"),
        {"sqlite_autoincrement": True},  # what a process remembers of an erased project is never another's
    )

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    organization_id: int = Field(foreign_key="organization.id", sa_type=BigId)
    repo: str = Field(sa_type=Text)
    repo_key: str = Field(sa_type=Text, index=True)
    """The name folded: GitHub compares names without case."""
    default_branch: str = Field(sa_type=Text)
    github_id: int | None = Field(default=None, sa_type=BigId, unique=True)
    created_at: datetime = Field(sa_type=UtcTime)


class ProjectSettingsRow(SQLModel, table=True):
    """One version of a project's policy; versions are only ever added."""

    __tablename__ = "project_settings"

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=BigId)
    version: int = Field(primary_key=True)
    policy: dict[str, Any] = Field(sa_type=Json)
    by: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcTime)


def create_project(
    tx: Tx,
    *,
    organization_id: int,
    repo: str,
    default_branch: str,
    github_id: int | None = None,
    now: datetime,
) -> Project:
    """A new project; ConflictError when the organization already has one of this name."""
    values = {
        "organization_id": organization_id,
        "repo": repo,
        "repo_key": repo.lower(),
        "default_branch": default_branch,
        "github_id": github_id,
        "created_at": now,
    }
    if not insert_ignore(tx, ProjectRow, values):
        raise ConflictError(f"There is already a project {repo}.", repo=repo)
    project = find_project(tx, repo, organization_id)
    assert project is not None
    return project


def get_project(tx: Tx, project_id: int) -> Project:
    """NotFoundError when there is none."""
    row = tx.execute(_by_id(), {"wanted": project_id}).first()
    if row is None:
        raise NotFoundError("There is no such project.", project_id=project_id)
    return _noun(row)


@cache
def _by_id() -> Query:
    return _nouns().where(col(ProjectRow.id) == bindparam("wanted"))


def find_project(tx: Tx, repo: str, organization_id: int | None = None) -> Project | None:
    """By OWNER/NAME without case; the oldest when several organizations have it and none is named."""
    query = _nouns().where(col(ProjectRow.repo_key) == repo.lower()).order_by(col(ProjectRow.id))
    if organization_id is not None:
        query = query.where(col(ProjectRow.organization_id) == organization_id)
    row = tx.execute(query).first()
    return _noun(row) if row else None


def find_project_by_github_id(tx: Tx, github_id: int) -> Project | None:
    """By GitHub's numeric repository id, which survives renames."""
    row = tx.execute(_nouns().where(col(ProjectRow.github_id) == github_id)).first()
    return _noun(row) if row else None


def list_projects(tx: Tx, organization_id: int | None = None) -> list[Project]:
    """All projects by name, of one organization when given."""
    query = _nouns().order_by(col(ProjectRow.repo_key), col(ProjectRow.id))
    if organization_id is not None:
        query = query.where(col(ProjectRow.organization_id) == organization_id)
    return [_noun(row) for row in tx.execute(query)]


def rename_project(
    tx: Tx,
    project_id: int,
    *,
    repo: str | None = None,
    default_branch: str | None = None,
    github_id: int | None = None,
) -> Project:
    """Change what is given; ConflictError when another project of the organization has the name."""
    project = get_project(tx, project_id)
    changes: dict[str, object] = {}
    if repo is not None:
        other = find_project(tx, repo, project.organization_id)
        if other is not None and other.id != project_id:
            raise ConflictError(f"There is already a project {repo}.", repo=repo)
        changes |= {"repo": repo, "repo_key": repo.lower()}
    if default_branch is not None:
        changes["default_branch"] = default_branch
    if github_id is not None:
        changes["github_id"] = github_id
    if changes:
        tx.execute(update(ProjectRow).where(col(ProjectRow.id) == project_id).values(**changes))
    return get_project(tx, project_id)


def get_policy(tx: Tx, project_id: int) -> Policy:
    """The policy in force; the shipped one when nobody has changed it."""
    data = tx.execute(_newest_policy(), {"project": project_id}).scalar()
    return Policy.from_dict(data) if data else Policy()


@cache
def _newest_policy() -> Query:
    return (
        select(col(ProjectSettingsRow.policy))
        .where(col(ProjectSettingsRow.project_id) == bindparam("project"))
        .order_by(col(ProjectSettingsRow.version).desc())
        .limit(1)
    )


def put_policy(tx: Tx, project_id: int, policy: Policy, by: str, now: datetime) -> None:
    """Append the next version; ConflictError when somebody else changed the policy meanwhile."""
    current = get_policy(tx, project_id).version
    values = {
        "project_id": project_id,
        "version": policy.version,
        "policy": policy.to_dict(),
        "by": by,
        "at": now,
    }
    in_order = policy.version == current + 1
    if not in_order or not insert_ignore(tx, ProjectSettingsRow, values):
        raise ConflictError("The policy was changed meanwhile; look again.", version=current)


def policy_versions(tx: Tx, project_id: int) -> list[tuple[Policy, str, datetime]]:
    """Every stored version with who and when, newest first."""
    query = (
        select(col(ProjectSettingsRow.policy), col(ProjectSettingsRow.by), col(ProjectSettingsRow.at))
        .where(col(ProjectSettingsRow.project_id) == project_id)
        .order_by(col(ProjectSettingsRow.version).desc())
    )
    return [(Policy.from_dict(policy), by, at) for policy, by, at in tx.execute(query)]


def _nouns() -> Query:
    return select(
        col(ProjectRow.id),
        col(ProjectRow.organization_id),
        col(ProjectRow.repo),
        col(ProjectRow.default_branch),
        col(ProjectRow.github_id),
    )


def _noun(row: Row[*tuple[Any, ...]]) -> Project:
    return Project(*row)
