"""Tests that are not to be proposed before a time somebody chose."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Field, SQLModel, col

from storage.columns import BigId, UtcTime
from storage.database import Tx
from storage.upsert import put


class SnoozeRow(SQLModel, table=True):
    """One snoozed test."""

    __tablename__ = "snooze"

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=BigId)
    test_id: int = Field(primary_key=True, sa_type=BigId)
    until: datetime = Field(sa_type=UtcTime)


def put_snooze(tx: Tx, project_id: int, test_id: int, *, until: datetime) -> None:
    """Snooze the test, or change until when."""
    values = {"project_id": project_id, "test_id": test_id, "until": until}
    put(tx, SnoozeRow, values, on=["project_id", "test_id"])


def snoozed_tests(tx: Tx, project_id: int, now: datetime) -> set[int]:
    """Ids of the tests still snoozed."""
    query = select(col(SnoozeRow.test_id)).where(
        col(SnoozeRow.project_id) == project_id, col(SnoozeRow.until) > now
    )
    return set(tx.execute(query).scalars())


def forget_snoozes(tx: Tx, before: datetime) -> int:
    """Drop snoozes that ended before; answers how many."""
    return int(tx.execute(delete(SnoozeRow).where(col(SnoozeRow.until) < before)).rowcount)
