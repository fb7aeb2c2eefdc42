"""Sample projects: each belongs to one person, who alone sees it; removed ones are seen by nobody."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, select, text, update
from sqlmodel import Field, SQLModel, col

from storage.columns import BigId, Text, UtcTime
from storage.database import Tx
from storage.upsert import insert_ignore

KEPT = "removed_at IS NULL"


class SampleRow(SQLModel, table=True):
    """One sample; a person keeps at most one."""

    __tablename__ = "sample"
    __table_args__ = (
        Index(
            "uq_sample_kept",
            "team",
            "user",
            unique=True,
            sqlite_where=text(KEPT),
            postgresql_where=text(KEPT),
        ),
    )

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=BigId)
    team: str = Field(sa_type=Text)
    user: str = Field(sa_type=Text)
    removed_at: datetime | None = Field(default=None, sa_type=UtcTime)


def keep_sample(tx: Tx, *, team: str, user: str, project_id: int) -> bool:
    """This project is this person's sample from now on; False when they keep one already."""
    return insert_ignore(
        tx, SampleRow, {"project_id": project_id, "team": team, "user": user, "removed_at": None}
    )


def sample_of(tx: Tx, *, team: str, user: str) -> int | None:
    """The sample the person keeps, if any."""
    return tx.execute(select(col(SampleRow.project_id)).where(_kept(team, user))).scalar()


def give_up_sample(tx: Tx, *, team: str, user: str, now: datetime) -> None:
    """The person keeps none any more."""
    tx.execute(update(SampleRow).where(_kept(team, user)).values(removed_at=now))


def samples(tx: Tx) -> set[int]:
    """Every sample project there ever was."""
    return set(tx.execute(select(col(SampleRow.project_id))).scalars())


def _kept(team: str, user: str) -> Any:
    return (col(SampleRow.team) == team) & (col(SampleRow.user) == user) & col(SampleRow.removed_at).is_(None)
