"""Sample projects: each belongs to one person, who alone sees it until they remove it."""

from sqlalchemy import UniqueConstraint, select
from sqlmodel import Field, SQLModel, col

from storage.columns import BigId, Text
from storage.database import Tx
from storage.upsert import insert_ignore


class SampleRow(SQLModel, table=True):
    """One sample; a person keeps at most one."""

    __tablename__ = "sample"
    __table_args__ = (UniqueConstraint("team", "user"),)

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=BigId)
    team: str = Field(sa_type=Text)
    user: str = Field(sa_type=Text)


def keep_sample(tx: Tx, *, team: str, user: str, project_id: int) -> bool:
    """This project is this person's sample from now on; False when they keep one already."""
    return insert_ignore(tx, SampleRow, {"project_id": project_id, "team": team, "user": user})


def sample_of(tx: Tx, *, team: str, user: str) -> int | None:
    """The sample the person keeps, if any."""
    mine = (col(SampleRow.team) == team) & (col(SampleRow.user) == user)
    return tx.execute(select(col(SampleRow.project_id)).where(mine)).scalar()


def samples(tx: Tx) -> set[int]:
    """Every sample project."""
    return set(tx.execute(select(col(SampleRow.project_id))).scalars())
