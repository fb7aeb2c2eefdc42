"""The audit log: appended in the deciding transaction, one chain per organization, never changed."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Row, func, insert, select, text
from sqlmodel import Field, SQLModel, col

from core.audit import GENESIS, AuditEvent, chain_hash, stable
from core.tenancy import Person, Project
from storage.columns import BigId, Json, Text, UtcTime, clean_json, storable
from storage.database import Tx
from storage.organization import OrganizationRow


class AuditRow(SQLModel, table=True):
    """One event; triggers refuse UPDATE and DELETE."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_subject", "organization_id", "subject", "seq"),
        Index("ix_audit_project", "organization_id", "project_id", "seq"),
    )

    organization_id: int = Field(primary_key=True, foreign_key="organization.id", sa_type=BigId)
    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcTime)
    actor: str = Field(sa_type=Text)
    via: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    project_id: int | None = Field(default=None, sa_type=BigId)
    details: dict[str, Any] = Field(sa_type=Json)
    previous: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)


_REFUSAL = "the audit log is append-only"
TRIGGERS = {
    "sqlite": tuple(
        f"CREATE TRIGGER IF NOT EXISTS audit_no_{verb.lower()} BEFORE {verb} ON audit_event "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$""",
        """CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
        FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()""",
    ),
}
"""Run by every migration; each statement may be repeated."""


def append(
    tx: Tx,
    *,
    organization_id: int,
    at: datetime,
    actor: str,
    via: str,
    action: str,
    subject: str,
    project_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> AuditEvent:
    """Add the next event of the organization's chain; concurrent writers wait for one another."""
    _lock(tx, organization_id)
    seq, previous = head(tx, organization_id)
    # Hashed is what will be read back: a database may not keep every character, number or key as it was given.
    draft = AuditEvent(
        organization_id=organization_id,
        seq=seq + 1,
        at=at,
        actor=storable(actor),
        via=via,
        action=action,
        subject=storable(subject),
        project_id=project_id,
        details=clean_json(stable(details or {})),
        previous=previous,
    )
    values = {name: getattr(draft, name) for name in AuditEvent.__slots__}
    values["hash"] = chain_hash(draft)
    tx.execute(insert(AuditRow).values(**values))
    return AuditEvent(**values)


def record(
    tx: Tx,
    project: Project,
    *,
    by: Person,
    action: str,
    subject: str,
    at: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """What a person did in a project, and through what."""
    record_in(
        tx,
        project.organization_id,
        project_id=project.id,
        by=by,
        action=action,
        subject=subject,
        at=at,
        details=details,
    )


def record_in(
    tx: Tx,
    organization_id: int,
    *,
    project_id: int | None,
    by: Person,
    action: str,
    subject: str,
    at: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """The same in an organization, where it may concern no single project."""
    append(
        tx,
        organization_id=organization_id,
        project_id=project_id,
        at=at,
        actor=by.user,
        via=by.via.value,
        action=action,
        subject=subject,
        details={**(details or {}), "through": by.detail},
    )


def head(tx: Tx, organization_id: int) -> tuple[int, str]:
    """The newest event's number and hash: (0, zeros) when there is none."""
    row = tx.execute(
        select(col(AuditRow.seq), col(AuditRow.hash))
        .where(col(AuditRow.organization_id) == organization_id)
        .order_by(col(AuditRow.seq).desc())
        .limit(1)
    ).one_or_none()
    return (0, GENESIS) if row is None else (row.seq, row.hash)


def length(tx: Tx, organization_id: int | None) -> int:
    """How many events there are, of one organization or of all: it grows with whatever anybody decides."""
    if organization_id is not None:
        return head(tx, organization_id)[0]
    own = col(AuditRow.organization_id) == col(OrganizationRow.id)
    heads = select(func.max(col(AuditRow.seq))).where(own).correlate(OrganizationRow).scalar_subquery()
    return int(
        tx.execute(select(func.coalesce(func.sum(heads), 0)).select_from(OrganizationRow)).scalar_one()
    )


def events(
    tx: Tx,
    organization_id: int,
    *,
    project_id: int | None = None,
    subject: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[AuditEvent], int]:
    """A page of events, newest first, and how many there are in all."""
    query = select(AuditRow).where(col(AuditRow.organization_id) == organization_id)
    if project_id is not None:
        query = query.where(col(AuditRow.project_id) == project_id)
    if subject is not None:
        query = query.where(col(AuditRow.subject) == subject)
    total = tx.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = tx.execute(query.order_by(col(AuditRow.seq).desc()).limit(limit).offset(offset))
    return [_noun(row) for row in rows], total


def chain(tx: Tx, organization_id: int, batch: int = 1000) -> Iterator[AuditEvent]:
    """Every event of the organization in order, read in batches."""
    last = 0
    while True:
        rows = tx.execute(
            select(AuditRow)
            .where(col(AuditRow.organization_id) == organization_id, col(AuditRow.seq) > last)
            .order_by(col(AuditRow.seq))
            .limit(batch)
        ).all()
        if not rows:
            return
        yield from map(_noun, rows)
        last = rows[-1].seq


def _lock(tx: Tx, organization_id: int) -> None:
    # SQLite has one writer at a time already; PostgreSQL locks the organization's row, the head of its chain.
    # NO KEY: a plain FOR UPDATE would collide with the locks foreign keys take on the row, and deadlock.
    if tx.dialect.name == "postgresql":
        lock = text("SELECT id FROM organization WHERE id = :id FOR NO KEY UPDATE")
        tx.execute(lock, {"id": organization_id})


def _noun(row: Row[Any]) -> AuditEvent:
    return AuditEvent(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
