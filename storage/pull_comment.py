"""The one comment of each pull request: GitHub's id of it, what it says, and who is writing it now."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlmodel import Field, SQLModel, col

from storage import lease
from storage.columns import BigId, Text, UtcTime, insert_ignore
from storage.database import Tx


class PullCommentRow(SQLModel, table=True):
    """Written by the holder of the lease only, so that two workflows never make two comments."""

    __tablename__ = "pull_comment"

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=BigId)
    pull: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    comment_id: int | None = Field(sa_type=BigId)
    """GitHub's id, once it is known."""
    content: str = Field(sa_type=Text)
    """Hash of what it says."""
    claims: int
    """The fence: a writer that lost its lease writes nothing."""
    lease_until: datetime | None = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)


@dataclass(frozen=True, slots=True)
class PullComment:
    """One comment, as its writer sees it."""

    project_id: int
    pull: int
    comment_id: int | None
    content: str
    claims: int


def find_comment(tx: Tx, project_id: int, pull: int) -> PullComment | None:
    """What is known of a pull request's comment; None when it never had one."""
    row = tx.execute(select(PullCommentRow).where(_of(project_id, pull))).one_or_none()
    return None if row is None else PullComment(project_id, pull, row.comment_id, row.content, row.claims)


def claim_comment(
    tx: Tx, project_id: int, pull: int, *, now: datetime, lease_until: datetime
) -> PullComment | None:
    """Become its only writer; None while somebody else is."""
    values = {"comment_id": None, "content": "", "claims": 0, "lease_until": None, "updated_at": now}
    insert_ignore(tx, PullCommentRow, {"project_id": project_id, "pull": pull, **values})
    claimed = tx.execute(
        update(PullCommentRow)
        .where(_of(project_id, pull), lease.free(PullCommentRow, now))
        .values(**lease.taken(PullCommentRow, lease_until))
    )
    return find_comment(tx, project_id, pull) if claimed.rowcount else None


def said_comment(
    tx: Tx, comment: PullComment, *, comment_id: int | None, content: str, now: datetime
) -> None:
    """It says this; without an id it could not be said, and is not tried again before it would say something else."""
    values = {"comment_id": comment_id, "content": content, "lease_until": None, "updated_at": now}
    tx.execute(update(PullCommentRow).where(_mine(comment)).values(**values))


def leave_comment(tx: Tx, comment: PullComment) -> None:
    """Give the lease back with nothing said."""
    tx.execute(update(PullCommentRow).where(_mine(comment)).values(lease_until=None))


def forget_comments(tx: Tx, before: datetime) -> int:
    """Drop what was not written for long; answers how many."""
    old = and_(col(PullCommentRow.updated_at) < before, col(PullCommentRow.lease_until).is_(None))
    return int(tx.execute(delete(PullCommentRow).where(old)).rowcount)


def _of(project_id: int, pull: int) -> ColumnElement[bool]:
    return and_(col(PullCommentRow.project_id) == project_id, col(PullCommentRow.pull) == pull)


def _mine(comment: PullComment) -> ColumnElement[bool]:
    return and_(_of(comment.project_id, comment.pull), lease.held(PullCommentRow, comment.claims))
