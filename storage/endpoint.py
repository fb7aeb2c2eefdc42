"""Endpoints: where an organization's webhooks go, who sends there now, and how it has answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Index, Row, and_, delete, func, insert, or_, select, update
from sqlmodel import Field, SQLModel, col

from core.errors import NotFoundError
from storage import lease
from storage.columns import BigId, Bytes, Json, Text, UtcTime
from storage.database import Tx

Off = Literal["", "person", "gone", "failing"]
"""Why nothing is sent: not at all, somebody's wish, it answered 410, or it has not answered well for days."""


class EndpointRow(SQLModel, table=True):
    """One receiver. Without a project it hears of every project of its organization."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        Index("ix_endpoint_organization", "organization_id", "project_id"),
        {"sqlite_autoincrement": True},  # the audit log names endpoints by number
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    organization_id: int = Field(foreign_key="organization.id", sa_type=BigId)
    project_id: int | None = Field(foreign_key="project.id", sa_type=BigId)
    url: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    events: list[str] = Field(sa_type=Json)
    secret: bytes = Field(sa_type=Bytes)
    """Encrypted, like Slack's tokens."""
    old_secret: bytes | None = Field(sa_type=Bytes)
    old_until: datetime | None = Field(sa_type=UtcTime)
    """Until then the secret before the last rotation signs too."""
    off: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcTime)
    failures: int
    """Failed attempts since the last that went well."""
    failing_since: datetime | None = Field(sa_type=UtcTime)
    last_ok_at: datetime | None = Field(sa_type=UtcTime)
    error: str = Field(sa_type=Text)
    """How the last failed attempt ended; empty when the last one went well."""
    next_at: datetime = Field(sa_type=UtcTime)
    """Nothing is sent before; of those whose time has come, who was served longest ago comes first."""
    claims: int
    lease_until: datetime | None = Field(sa_type=UtcTime)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One receiver, as everybody but the database sees it; `claims` is the fence of whoever sends there."""

    id: int
    organization_id: int
    project_id: int | None
    url: str
    description: str
    events: tuple[str, ...]
    secret: bytes
    old_secret: bytes | None
    old_until: datetime | None
    off: Off
    created_at: datetime
    failures: int
    failing_since: datetime | None
    last_ok_at: datetime | None
    error: str
    claims: int

    @property
    def name(self) -> str:
        """For the audit log."""
        return f"webhook-{self.id}"

    def secrets(self, now: datetime) -> tuple[bytes, ...]:
        """Those that sign now, the present one first; still encrypted."""
        rotating = self.old_secret is not None and self.old_until is not None and now < self.old_until
        return (self.secret, self.old_secret) if rotating and self.old_secret else (self.secret,)


def add_endpoint(
    tx: Tx,
    *,
    organization_id: int,
    project_id: int | None,
    url: str,
    description: str,
    events: Sequence[str],
    secret: bytes,
    now: datetime,
) -> Endpoint:
    """A new receiver, switched on."""
    values = {
        "organization_id": organization_id,
        "project_id": project_id,
        "url": url,
        "description": description,
        "events": list(events),
        "secret": secret,
        "old_secret": None,
        "old_until": None,
        "off": "",
        "created_at": now,
        "failures": 0,
        "failing_since": None,
        "last_ok_at": None,
        "error": "",
        "next_at": now,
        "claims": 0,
        "lease_until": None,
    }
    return _noun(tx.execute(insert(EndpointRow).values(**values).returning(EndpointRow)).one())


def get_endpoint(tx: Tx, endpoint_id: int, *, project_id: int | None = None, lock: bool = False) -> Endpoint:
    """One receiver; NotFoundError when missing. With a project: only that project's own."""
    mine = col(EndpointRow.id) == endpoint_id
    if project_id is not None:
        mine &= col(EndpointRow.project_id) == project_id
    query = select(EndpointRow).where(mine)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no webhook {endpoint_id}.")
    return _noun(row)


def list_endpoints(
    tx: Tx, *, organization_id: int | None = None, project_id: int | None = None
) -> list[Endpoint]:
    """By number: of the whole server, of an organization, or of a project alone."""
    query = select(EndpointRow).order_by(col(EndpointRow.id))
    if organization_id is not None:
        query = query.where(col(EndpointRow.organization_id) == organization_id)
    if project_id is not None:
        query = query.where(col(EndpointRow.project_id) == project_id)
    return [_noun(row) for row in tx.execute(query)]


def hearing(tx: Tx, organization_id: int, project_id: int) -> list[Endpoint]:
    """Those that are switched on and hear of this project, whatever they hear of it."""
    whole = or_(col(EndpointRow.project_id).is_(None), col(EndpointRow.project_id) == project_id)
    mine = and_(col(EndpointRow.organization_id) == organization_id, whole, col(EndpointRow.off) == "")
    return [_noun(row) for row in tx.execute(select(EndpointRow).where(mine).order_by(col(EndpointRow.id)))]


def silent_endpoints(tx: Tx, organization_id: int, project_id: int) -> list[Endpoint]:
    """Those of a project that were switched off because they do not answer well."""
    mine = list_endpoints(tx, organization_id=organization_id)
    return [one for one in mine if one.off in {"gone", "failing"} and one.project_id in {None, project_id}]


def count_endpoints(tx: Tx) -> int:
    """Of the whole server."""
    return tx.execute(select(func.count()).select_from(EndpointRow)).scalar_one()


def change_endpoint(tx: Tx, endpoint_id: int, **values: Any) -> None:
    """Overwrite these columns; what somebody is sending there meanwhile is not disturbed."""
    if "events" in values:
        values["events"] = list(values["events"])
    tx.execute(update(EndpointRow).where(col(EndpointRow.id) == endpoint_id).values(**values))


def remove_endpoint(tx: Tx, endpoint_id: int) -> bool:
    """Forget it; False when it was gone already."""
    return bool(tx.execute(delete(EndpointRow).where(col(EndpointRow.id) == endpoint_id)).rowcount)


# -- whoever sends


def claim_endpoint(tx: Tx, endpoint_id: int, *, now: datetime, lease_until: datetime) -> Endpoint | None:
    """Become the only one who sends there; None when another does, or it is switched off or resting."""
    claimed = tx.execute(
        update(EndpointRow)
        .where(col(EndpointRow.id) == endpoint_id, ready(now))
        .values(**lease.taken(EndpointRow, lease_until))
        .returning(EndpointRow)
    ).one_or_none()
    return None if claimed is None else _noun(claimed)


def hold_endpoint(tx: Tx, endpoint: Endpoint, *, lease_until: datetime) -> Endpoint | None:
    """Hold it longer; the endpoint as it is now. None when it was too late, or it is removed."""
    row = tx.execute(
        update(EndpointRow).where(_held(endpoint)).values(lease_until=lease_until).returning(EndpointRow)
    ).one_or_none()
    return None if row is None else _noun(row)


def release_endpoint(tx: Tx, endpoint: Endpoint, *, next_at: datetime) -> None:
    """Give it back; nothing is sent there before `next_at`. Another's claim is left alone."""
    tx.execute(update(EndpointRow).where(_held(endpoint)).values(lease_until=None, next_at=next_at))


def answered_well(tx: Tx, endpoint: Endpoint, now: datetime) -> None:
    """What went wrong before is forgotten."""
    values = {"failures": 0, "failing_since": None, "error": "", "last_ok_at": now}
    tx.execute(update(EndpointRow).where(_held(endpoint)).values(**values))


def answered_badly(tx: Tx, endpoint: Endpoint, *, error: str, now: datetime) -> None:
    """One failure more."""
    values = {
        "failures": col(EndpointRow.failures) + 1,
        "failing_since": endpoint.failing_since or now,
        "error": error[:500],
    }
    tx.execute(update(EndpointRow).where(_held(endpoint)).values(**values))


def ready(now: datetime) -> ColumnElement[bool]:
    """Switched on, not resting, and nobody sends there."""
    return and_(col(EndpointRow.off) == "", col(EndpointRow.next_at) <= now, lease.free(EndpointRow, now))


def _held(endpoint: Endpoint) -> ColumnElement[bool]:
    return and_(col(EndpointRow.id) == endpoint.id, lease.held(EndpointRow, endpoint.claims))


def _noun(row: Row[Any]) -> Endpoint:
    data = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    values = {name: data[name] for name in Endpoint.__slots__}
    return Endpoint(**{**values, "events": tuple(values["events"])})
