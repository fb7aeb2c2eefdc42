"""The packed results of up to 65,536 tests of a run: outcomes and durations against a roster."""

from datetime import datetime

from sqlalchemy import Index, insert
from sqlmodel import Field, SQLModel

from storage.columns import BigId, Bytes, UtcTime
from storage.database import Tx


class RunPartRow(SQLModel, table=True):
    """Outcomes lie before durations, so that reading only them does not walk the longer column."""

    __tablename__ = "run_part"
    __table_args__ = (
        Index("ix_part_list", "project_id", "list_id", "at"),
        Index("ix_part_run", "project_id", "run_pk"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    project_id: int = Field(primary_key=True, sa_type=BigId)
    at: datetime = Field(primary_key=True, sa_type=UtcTime)
    run_pk: int = Field(primary_key=True, sa_type=BigId)
    part: int = Field(primary_key=True)
    list_id: int = Field(sa_type=BigId)
    outcomes: bytes = Field(sa_type=Bytes)
    durations: bytes = Field(sa_type=Bytes)


def add_part(
    tx: Tx,
    *,
    project_id: int,
    run_pk: int,
    at: datetime,
    part: int,
    list_id: int,
    outcomes: bytes,
    durations: bytes,
) -> None:
    """One part of a run."""
    values = {
        "project_id": project_id,
        "at": at,
        "run_pk": run_pk,
        "part": part,
        "list_id": list_id,
        "outcomes": outcomes,
        "durations": durations,
    }
    tx.execute(insert(RunPartRow), values)
