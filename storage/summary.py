"""Summary-only runs: how a run ended, from a CI that uploads no report."""

from datetime import datetime
from typing import Literal

from sqlalchemy import Index, select
from sqlmodel import Field, SQLModel, col

from storage.columns import BigId, Text, UtcTime, insert_ignore
from storage.database import Tx

Stored = Literal["created", "duplicate", "conflict"]


class RunSummaryRow(SQLModel, table=True):
    """One run without a report."""

    __tablename__ = "run_summary"
    __table_args__ = (Index("ix_summary_at", "project_id", "at"),)

    project_id: int = Field(primary_key=True, sa_type=BigId)
    run_id: str = Field(primary_key=True, sa_type=Text)
    status: str = Field(sa_type=Text)
    duration_ms: int | None = Field(default=None, sa_type=BigId)
    at: datetime = Field(sa_type=UtcTime)


def store_summary(
    tx: Tx, project_id: int, *, run_id: str, status: str, duration_ms: int | None, at: datetime
) -> Stored:
    """Remember it once; the same again is a duplicate, another story under the same id a conflict."""
    values = {
        "project_id": project_id,
        "run_id": run_id,
        "status": status,
        "duration_ms": duration_ms,
        "at": at,
    }
    if insert_ignore(tx, RunSummaryRow, values):
        return "created"
    same = find_summary(tx, project_id, run_id) == (status, duration_ms, at)
    return "duplicate" if same else "conflict"


def find_summary(tx: Tx, project_id: int, run_id: str) -> tuple[str, int | None, datetime] | None:
    """Status, duration and time of a run without a report; None when there is none."""
    query = select(col(RunSummaryRow.status), col(RunSummaryRow.duration_ms), col(RunSummaryRow.at)).where(
        col(RunSummaryRow.project_id) == project_id, col(RunSummaryRow.run_id) == run_id
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else (row[0], row[1], row[2])
