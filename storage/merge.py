"""Merges: a pull request's branch, at a commit, became a commit of the default branch."""

from datetime import datetime

from sqlalchemy import Index, select
from sqlmodel import Field, SQLModel, col

from core.execution import Merge
from storage.columns import BigId, Text, UtcTime, insert_ignore
from storage.database import Tx


class MergeRow(SQLModel, table=True):
    """One merge."""

    __tablename__ = "merge"
    __table_args__ = (Index("ix_merge_at", "project_id", "at"),)

    project_id: int = Field(primary_key=True, sa_type=BigId)
    branch: str = Field(primary_key=True, sa_type=Text)
    commit: str = Field(primary_key=True, sa_type=Text)
    into_commit: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcTime)


def merged(tx: Tx, project_id: int, *, branch: str, commit: str, into_commit: str, at: datetime) -> bool:
    """Remember a merge; False when it was known."""
    values = {
        "project_id": project_id,
        "branch": branch,
        "commit": commit,
        "into_commit": into_commit,
        "at": at,
    }
    return insert_ignore(tx, MergeRow, values)


def merges(tx: Tx, project_id: int, *, since: datetime | None = None) -> list[Merge]:
    """In time order."""
    query = select(
        col(MergeRow.branch), col(MergeRow.commit), col(MergeRow.into_commit), col(MergeRow.at)
    ).where(col(MergeRow.project_id) == project_id)
    if since is not None:
        query = query.where(col(MergeRow.at) >= since)
    return [Merge(*row) for row in tx.execute(query.order_by(col(MergeRow.at), col(MergeRow.into_commit)))]
