"""Check runs as publications: what should be said per commit and workflow, and how far it has been said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Index, Row, and_, delete, func, select, update
from sqlmodel import Field, SQLModel, col

from storage import lease
from storage.columns import BigId, Text, UtcTime, insert_ignore
from storage.database import Tx

RECENT = timedelta(days=7)
"""Check runs this young follow what people decide about their tests."""


class CheckRunRow(SQLModel, table=True):
    """One check run for its whole life; dirty while `said` is behind `wanted`."""

    __tablename__ = "check_run"
    __table_args__ = (
        Index("uq_check_run_name", "project_id", "head_sha", "workflow", unique=True),
        Index("ix_check_run_due", "dirty", "due_at"),
        Index("ix_check_run_github", "project_id", "check_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    project_id: int = Field(foreign_key="project.id", sa_type=BigId)
    head_sha: str = Field(sa_type=Text)
    workflow: str = Field(sa_type=Text)
    check_id: int | None = Field(sa_type=BigId)
    """GitHub's id, once it is known."""
    wanted: int
    said: int
    dirty: bool
    uncertain: bool
    """A post was begun whose outcome nobody has seen: look before posting again."""
    content: str = Field(sa_type=Text)
    """Hash of what it says now."""
    annotated: int
    """Annotations sent for `annotated_for`; GitHub appends and never removes them."""
    annotated_for: str = Field(sa_type=Text)
    tries: int
    claims: int
    """The fence: only the claim that made it n may write what claim n did."""
    due_at: datetime = Field(sa_type=UtcTime)
    lease_until: datetime | None = Field(sa_type=UtcTime)
    error: str = Field(sa_type=Text)
    dead: bool
    updated_at: datetime = Field(sa_type=UtcTime)


class CheckPressRow(SQLModel, table=True):
    """One pressing of a button: the same button of the same attempt acts once."""

    __tablename__ = "check_press"

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=BigId)
    check_id: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    identifier: str = Field(primary_key=True, sa_type=Text)
    reference: str = Field(primary_key=True, sa_type=Text)
    """Which attempt the button belonged to."""
    login: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcTime)
    done: bool


@dataclass(frozen=True, slots=True)
class CheckRun:
    """One check run, as its publisher sees it; `claims` is the fence."""

    id: int
    project_id: int
    head_sha: str
    workflow: str
    check_id: int | None
    wanted: int
    uncertain: bool
    content: str
    annotated: int
    annotated_for: str
    tries: int
    claims: int
    updated_at: datetime


def want_check(tx: Tx, *, project_id: int, head_sha: str, workflow: str, now: datetime) -> None:
    """The check run of this commit and workflow has to be said (anew)."""
    values = {
        "project_id": project_id,
        "head_sha": head_sha,
        "workflow": workflow,
        "check_id": None,
        "wanted": 1,
        "said": 0,
        "dirty": True,
        "uncertain": False,
        "content": "",
        "annotated": 0,
        "annotated_for": "",
        "tries": 0,
        "claims": 0,
        "due_at": now,
        "lease_until": None,
        "error": "",
        "dead": False,
        "updated_at": now,
    }
    if not insert_ignore(tx, CheckRunRow, values):
        _dirty(tx, _named(project_id, head_sha, workflow), now)


def touch_checks(tx: Tx, *, project_id: int, now: datetime) -> int:
    """What is known about the project's tests has changed: look at its recent check runs again."""
    since = now - RECENT
    return _dirty(
        tx, and_(col(CheckRunRow.project_id) == project_id, col(CheckRunRow.updated_at) >= since), now
    )


def touch_check(tx: Tx, *, project_id: int, check_id: int, now: datetime, afresh: bool = False) -> int:
    """One check run by GitHub's id; `afresh` sends it even if it would say the same."""
    which = and_(col(CheckRunRow.project_id) == project_id, col(CheckRunRow.check_id) == check_id)
    if afresh:
        tx.execute(update(CheckRunRow).where(which).values(content=""))
    return _dirty(tx, which, now)


def _dirty(tx: Tx, which: ColumnElement[bool], now: datetime) -> int:
    # A later due time set by GitHub's rate limit stays: nobody may be hurried past it.
    values = {"wanted": col(CheckRunRow.wanted) + 1, "dirty": True, "dead": False, "tries": 0}
    fresh = update(CheckRunRow).where(which, col(CheckRunRow.dirty).is_(False)).values(due_at=now)
    tx.execute(fresh)
    return int(tx.execute(update(CheckRunRow).where(which).values(**values)).rowcount)


def due_checks(tx: Tx, now: datetime, limit: int = 100) -> Sequence[int]:
    """Ids of check runs to say, the longest waiting first."""
    query = (
        select(col(CheckRunRow.id)).where(_due(now)).order_by(col(CheckRunRow.due_at), col(CheckRunRow.id))
    )
    return [row.id for row in tx.execute(query.limit(limit))]


def claim_check(tx: Tx, row_id: int, *, now: datetime, lease_until: datetime) -> CheckRun | None:
    """Become the check run's only writer; None when another is, or nothing is to be said."""
    claimed = tx.execute(
        update(CheckRunRow)
        .where(col(CheckRunRow.id) == row_id, _due(now))
        .values(**lease.taken(CheckRunRow, lease_until), tries=col(CheckRunRow.tries) + 1)
        .returning(CheckRunRow)
    ).one_or_none()
    return None if claimed is None else _noun(claimed)


def mark_post(tx: Tx, check: CheckRun) -> bool:
    """About to be posted for the first time: until its id is known, the outcome is not."""
    return _swap(tx, check, uncertain=True)


def found_check(tx: Tx, check: CheckRun, check_id: int) -> bool:
    """It exists at GitHub under this id."""
    return _swap(tx, check, check_id=check_id, uncertain=False)


def annotated(tx: Tx, check: CheckRun, *, sent: int, reference: str) -> bool:
    """So many annotations of this attempt have been sent."""
    return _swap(tx, check, annotated=sent, annotated_for=reference)


def said_check(tx: Tx, check: CheckRun, *, content: str, now: datetime) -> bool:
    """It says what `check.wanted` asked for; it stays dirty when more has been asked meanwhile."""
    return _swap(
        tx,
        check,
        said=check.wanted,
        dirty=col(CheckRunRow.wanted) > check.wanted,
        content=content,
        tries=0,
        lease_until=None,
        error="",
        updated_at=now,
    )


def postpone_check(
    tx: Tx, check: CheckRun, *, due_at: datetime, error: str, dead: bool = False, counted: bool = True
) -> bool:
    """It could not be said; again at `due_at`, or not before it is wanted again when `dead`."""
    tries = check.tries if counted else check.tries - 1
    return _swap(tx, check, due_at=due_at, lease_until=None, error=error[:500], dead=dead, tries=tries)


def check_by_github_id(tx: Tx, project_id: int, check_id: int) -> CheckRun | None:
    """The check run a webhook names."""
    query = select(CheckRunRow).where(
        col(CheckRunRow.project_id) == project_id, col(CheckRunRow.check_id) == check_id
    )
    row = tx.execute(query.limit(1)).one_or_none()
    return None if row is None else _noun(row)


def checks_of_commit(tx: Tx, project_id: int, head_sha: str) -> Sequence[CheckRun]:
    """Every check run of a commit."""
    query = select(CheckRunRow).where(
        col(CheckRunRow.project_id) == project_id, col(CheckRunRow.head_sha) == head_sha
    )
    return [_noun(row) for row in tx.execute(query)]


def check_backlog(tx: Tx, now: datetime) -> tuple[int, datetime | None]:
    """How many check runs wait, and since when the oldest is due."""
    row = tx.execute(select(func.count(), func.min(col(CheckRunRow.due_at))).where(_due(now))).one()
    return row[0], row[1]


def press(
    tx: Tx, *, project_id: int, check_id: int, identifier: str, reference: str, login: str, now: datetime
) -> bool:
    """True when this pressing has to act: the first of its kind, or the first did not come to its end."""
    key = {"project_id": project_id, "check_id": check_id, "identifier": identifier, "reference": reference}
    if insert_ignore(tx, CheckPressRow, {**key, "login": login, "at": now, "done": False}):
        return True
    which = _press(project_id=project_id, check_id=check_id, identifier=identifier, reference=reference)
    query = select(col(CheckPressRow.done)).where(which)
    return not tx.execute(query).scalar_one()


def pressed(tx: Tx, *, project_id: int, check_id: int, identifier: str, reference: str) -> None:
    """The button has had its effect."""
    which = _press(project_id=project_id, check_id=check_id, identifier=identifier, reference=reference)
    tx.execute(update(CheckPressRow).where(which).values(done=True))


def forget_checks(tx: Tx, before: datetime) -> int:
    """Drop check runs nobody has wanted since; answers how many."""
    tx.execute(delete(CheckPressRow).where(col(CheckPressRow.at) < before))
    old = and_(col(CheckRunRow.updated_at) < before, col(CheckRunRow.dirty).is_(False))
    return int(tx.execute(delete(CheckRunRow).where(old)).rowcount)


def _named(project_id: int, head_sha: str, workflow: str) -> ColumnElement[bool]:
    return and_(
        col(CheckRunRow.project_id) == project_id,
        col(CheckRunRow.head_sha) == head_sha,
        col(CheckRunRow.workflow) == workflow,
    )


def _press(*, project_id: int, check_id: int, identifier: str, reference: str) -> ColumnElement[bool]:
    return and_(
        col(CheckPressRow.project_id) == project_id,
        col(CheckPressRow.check_id) == check_id,
        col(CheckPressRow.identifier) == identifier,
        col(CheckPressRow.reference) == reference,
    )


def _due(now: datetime) -> ColumnElement[bool]:
    waiting = and_(col(CheckRunRow.dirty).is_(True), col(CheckRunRow.dead).is_(False))
    return and_(waiting, col(CheckRunRow.due_at) <= now, lease.free(CheckRunRow, now))


def _swap(tx: Tx, check: CheckRun, **values: Any) -> bool:
    mine = and_(col(CheckRunRow.id) == check.id, lease.held(CheckRunRow, check.claims))
    return bool(tx.execute(update(CheckRunRow).where(mine).values(**values)).rowcount == 1)


def _noun(row: Row[Any]) -> CheckRun:
    data = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return CheckRun(**{name: data[name] for name in CheckRun.__slots__})
