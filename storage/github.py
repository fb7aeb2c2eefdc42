"""Our App's installations and the repositories it sees, by GitHub's numeric ids; names are labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Row, delete, insert, select, update
from sqlmodel import Field, SQLModel, col

from core.github.repository import Installation, Repository, RepositoryRef
from storage.columns import BigId, Json, Text, UtcTime, insert_ignore
from storage.database import Tx


class InstallationRow(SQLModel, table=True):
    """Our App in one account. A removed one is kept, so that its history stays explained."""

    __tablename__ = "github_installation"

    id: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    account_id: int | None = Field(sa_type=BigId)
    login: str = Field(sa_type=Text)
    permissions: dict[str, str] = Field(sa_type=Json)
    suspended_at: datetime | None = Field(sa_type=UtcTime)
    removed_at: datetime | None = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)


class GitHubRepositoryRow(SQLModel, table=True):
    """How a project is reached: through which installation, under which name now."""

    __tablename__ = "github_repository"
    __table_args__ = (Index("ix_github_repository_installation", "installation_id"),)

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=BigId)
    github_id: int = Field(sa_type=BigId, unique=True)
    installation_id: int = Field(sa_type=BigId)
    full_name: str = Field(sa_type=Text)
    active: bool
    """False once archived, deleted or taken out of the installation: no more calls, history kept."""
    checked_until: datetime | None = Field(sa_type=UtcTime)
    """Up to here runs have been reconciled."""


class GitHubMarkRow(SQLModel, table=True):
    """How far a sweep over GitHub has come."""

    __tablename__ = "github_mark"

    name: str = Field(primary_key=True, sa_type=Text)
    at: datetime = Field(sa_type=UtcTime)


@dataclass(frozen=True, slots=True)
class KnownRepository:
    """A repository as it is remembered."""

    project_id: int
    ref: RepositoryRef
    active: bool
    checked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownInstallation:
    """An installation as it is remembered."""

    id: int
    login: str
    permissions: dict[str, str]
    live: bool

    def may(self, permission: str, level: str = "write") -> bool:
        """True when granted, or when nothing is known about permissions."""
        return not self.permissions or self.permissions.get(permission) in {level, "write", "admin"}


def put_installation(tx: Tx, installation: Installation, *, now: datetime) -> None:
    """Remember an installation as GitHub describes it now; what the description leaves out stays."""
    start: dict[str, Any] = {
        "id": installation.id,
        "account_id": None,
        "login": "",
        "permissions": {},
        "suspended_at": None,
        "removed_at": None,
        "updated_at": now,
    }
    insert_ignore(tx, InstallationRow, start)
    values: dict[str, Any] = {"updated_at": now}
    if installation.account is not None:
        values |= {"account_id": installation.account.id, "login": installation.account.login}
    if installation.permissions:
        values["permissions"] = dict(installation.permissions)
    tx.execute(update(InstallationRow).where(col(InstallationRow.id) == installation.id).values(**values))


def suspend_installation(tx: Tx, installation_id: int, *, at: datetime | None, now: datetime) -> None:
    """Suspended since `at`, or (None) working again."""
    _change_installation(tx, installation_id, suspended_at=at, removed_at=None, updated_at=now)


def remove_installation(tx: Tx, installation_id: int, *, now: datetime) -> None:
    """The App was uninstalled there; its repositories are not asked about any more."""
    _change_installation(tx, installation_id, removed_at=now, updated_at=now)
    repositories = update(GitHubRepositoryRow).where(
        col(GitHubRepositoryRow.installation_id) == installation_id
    )
    tx.execute(repositories.values(active=False))


def _change_installation(tx: Tx, installation_id: int, **values: Any) -> None:
    tx.execute(update(InstallationRow).where(col(InstallationRow.id) == installation_id).values(**values))


def find_installation(tx: Tx, installation_id: int) -> KnownInstallation | None:
    """The installation, or None when it was never heard of."""
    row = tx.execute(select(InstallationRow).where(col(InstallationRow.id) == installation_id)).one_or_none()
    return None if row is None else _installation(row)


def list_installations(tx: Tx) -> Sequence[KnownInstallation]:
    """Every installation ever heard of."""
    return [
        _installation(row) for row in tx.execute(select(InstallationRow).order_by(col(InstallationRow.id)))
    ]


def rename_account(tx: Tx, account_id: int, login: str) -> None:
    """An organization or user has a new name."""
    tx.execute(
        update(InstallationRow).where(col(InstallationRow.account_id) == account_id).values(login=login)
    )


def link_repository(tx: Tx, project_id: int, repository: Repository, installation_id: int) -> None:
    """This project is reached as that repository, through that installation, from now on."""
    values = {
        "github_id": repository.id,
        "installation_id": installation_id,
        "full_name": repository.full_name,
        "active": not repository.archived,
    }
    if not insert_ignore(
        tx, GitHubRepositoryRow, {"project_id": project_id, "checked_until": None, **values}
    ):
        tx.execute(
            update(GitHubRepositoryRow)
            .where(col(GitHubRepositoryRow.project_id) == project_id)
            .values(**values)
        )


def retire_repository(tx: Tx, github_id: int) -> None:
    """Nothing is asked about it any more; its history is kept."""
    tx.execute(
        update(GitHubRepositoryRow)
        .where(col(GitHubRepositoryRow.github_id) == github_id)
        .values(active=False)
    )


def unlink_repository(tx: Tx, project_id: int) -> None:
    """Forget how a project is reached."""
    tx.execute(delete(GitHubRepositoryRow).where(col(GitHubRepositoryRow.project_id) == project_id))


def find_repository(tx: Tx, *, github_id: int) -> KnownRepository | None:
    """A repository by GitHub's id."""
    query = select(GitHubRepositoryRow).where(col(GitHubRepositoryRow.github_id) == github_id)
    row = tx.execute(query).one_or_none()
    return None if row is None else _repository(row)


def repository_of(tx: Tx, project_id: int) -> KnownRepository | None:
    """How a project is reached."""
    query = select(GitHubRepositoryRow).where(col(GitHubRepositoryRow.project_id) == project_id)
    row = tx.execute(query).one_or_none()
    return None if row is None else _repository(row)


def account_of_repository(tx: Tx, github_id: int) -> int | None:
    """The account that owns a repository, where it is known."""
    query = (
        select(col(InstallationRow.account_id))
        .join(GitHubRepositoryRow, col(GitHubRepositoryRow.installation_id) == col(InstallationRow.id))
        .where(col(GitHubRepositoryRow.github_id) == github_id)
    )
    return tx.execute(query).scalar()


def active_repositories(tx: Tx, installation_id: int | None = None) -> Sequence[KnownRepository]:
    """Repositories to ask about, of installations that are neither suspended nor removed."""
    query = (
        select(GitHubRepositoryRow)
        .join(InstallationRow, col(InstallationRow.id) == col(GitHubRepositoryRow.installation_id))
        .where(
            col(GitHubRepositoryRow.active).is_(True),
            col(InstallationRow.suspended_at).is_(None),
            col(InstallationRow.removed_at).is_(None),
        )
        .order_by(col(GitHubRepositoryRow.project_id))
    )
    if installation_id is not None:
        query = query.where(col(GitHubRepositoryRow.installation_id) == installation_id)
    return [_repository(row) for row in tx.execute(query)]


def reconciled(tx: Tx, project_id: int, until: datetime) -> None:
    """Every run created before `until` is known."""
    tx.execute(
        update(GitHubRepositoryRow)
        .where(col(GitHubRepositoryRow.project_id) == project_id)
        .values(checked_until=until)
    )


def get_mark(tx: Tx, name: str) -> datetime | None:
    """How far this sweep has come."""
    return tx.execute(select(col(GitHubMarkRow.at)).where(col(GitHubMarkRow.name) == name)).scalar()


def set_mark(tx: Tx, name: str, at: datetime) -> None:
    """It has come this far."""
    moved = tx.execute(update(GitHubMarkRow).where(col(GitHubMarkRow.name) == name).values(at=at))
    if moved.rowcount == 0:
        tx.execute(insert(GitHubMarkRow).values(name=name, at=at))


def _installation(row: Row[Any]) -> KnownInstallation:
    return KnownInstallation(
        id=row.id,
        login=row.login,
        permissions=row.permissions,
        live=row.suspended_at is None and row.removed_at is None,
    )


def _repository(row: Row[Any]) -> KnownRepository:
    ref = RepositoryRef(
        installation_id=row.installation_id, repository_id=row.github_id, full_name=row.full_name
    )
    return KnownRepository(
        project_id=row.project_id, ref=ref, active=row.active, checked_until=row.checked_until
    )
