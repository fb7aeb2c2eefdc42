"""Storms: tests that turned flaky together; at most one is running in a project."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Row, delete, func, select, text, update
from sqlmodel import Field, SQLModel, col

from core.errors import NotFoundError
from core.storm import Storm
from storage.columns import BigId, Text, UtcTime
from storage.database import Tx
from storage.detection import TransitionRow
from storage.upsert import insert_ignore, insert_into

RUNNING = "over_at IS NULL"


class StormRow(SQLModel, table=True):
    """One storm."""

    __tablename__ = "storm"
    __table_args__ = (
        Index(
            "uq_storm_running",
            "project_id",
            unique=True,
            sqlite_where=text(RUNNING),
            postgresql_where=text(RUNNING),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    project_id: int = Field(foreign_key="project.id", sa_type=BigId)
    since: datetime = Field(sa_type=UtcTime)
    joined_at: datetime = Field(sa_type=UtcTime)
    over_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended: str = Field(sa_type=Text)


class StormTestRow(SQLModel, table=True):
    """One test of a storm."""

    __tablename__ = "storm_test"

    project_id: int = Field(primary_key=True, sa_type=BigId)
    storm_id: int = Field(primary_key=True, foreign_key="storm.id", sa_type=BigId)
    test_id: int = Field(primary_key=True, sa_type=BigId)
    joined_at: datetime = Field(sa_type=UtcTime)


def open_storm(tx: Tx, project_id: int, *, since: datetime, now: datetime) -> Storm:
    """A new storm; the caller holds the decision lock and knows that none is running."""
    values = {"project_id": project_id, "since": since, "joined_at": now, "over_at": None, "ended": ""}
    new_id = tx.execute(insert_into(tx, StormRow).values(**values).returning(col(StormRow.id))).scalar_one()
    assert new_id is not None
    return get_storm(tx, project_id, new_id)


def get_storm(tx: Tx, project_id: int | None, storm_id: int) -> Storm:
    """NotFoundError when missing or of another project. `project_id` None: any project."""
    query = select(StormRow).where(col(StormRow.id) == storm_id)
    if project_id is not None:
        query = query.where(col(StormRow.project_id) == project_id)
    row = tx.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no storm s-{storm_id}.")
    return _noun(row)


def running_storm(tx: Tx, project_id: int) -> Storm | None:
    """The storm that is not over."""
    row = tx.execute(
        select(StormRow).where(col(StormRow.project_id) == project_id, text(RUNNING))
    ).one_or_none()
    return None if row is None else _noun(row)


def calm_storms(tx: Tx, before: datetime) -> Sequence[Storm]:
    """Running storms which nobody has joined since then."""
    rows = tx.execute(select(StormRow).where(text(RUNNING), col(StormRow.joined_at) <= before))
    return [_noun(row) for row in rows]


def join_storm(tx: Tx, storm: Storm, test_ids: Iterable[int], *, now: datetime) -> int:
    """These tests belong to it; answers how many are new in it."""
    place = {"project_id": storm.project_id, "storm_id": storm.id, "joined_at": now}
    new = sum(insert_ignore(tx, StormTestRow, {**place, "test_id": test_id}) for test_id in test_ids)
    if new:
        tx.execute(update(StormRow).where(col(StormRow.id) == storm.id).values(joined_at=now))
    return new


def tests_of_storm(tx: Tx, storm: Storm) -> list[int]:
    """Its tests, in the order they joined."""
    query = (
        select(col(StormTestRow.test_id))
        .where(col(StormTestRow.project_id) == storm.project_id, col(StormTestRow.storm_id) == storm.id)
        .order_by(col(StormTestRow.joined_at), col(StormTestRow.test_id))
    )
    return list(tx.execute(query).scalars())


def stormy_tests(tx: Tx, project_id: int) -> set[int]:
    """Tests of the running storm: nobody is asked about them one by one."""
    storm = running_storm(tx, project_id)
    return set(tests_of_storm(tx, storm)) if storm else set()


def end_storm(tx: Tx, storm: Storm, *, ended: str, now: datetime) -> bool:
    """It is over; False when it was already."""
    done = tx.execute(
        update(StormRow)
        .where(col(StormRow.id) == storm.id, col(StormRow.over_at).is_(None))
        .values(over_at=now, ended=ended)
    )
    return bool(done.rowcount == 1)


def split_since(tx: Tx, project_id: int, since: datetime) -> bool:
    """True when somebody has asked since then to treat the project's tests one by one."""
    query = select(func.count()).where(
        col(StormRow.project_id) == project_id, col(StormRow.ended) == "split", col(StormRow.over_at) > since
    )
    return bool(tx.execute(query).scalar_one())


def forget_storms(tx: Tx, before: datetime) -> int:
    """Drop storms that were over before, with their lists of tests; answers how many."""
    over = col(StormRow.over_at) < before
    ended = select(col(StormRow.id)).where(over)
    tx.execute(delete(StormTestRow).where(col(StormTestRow.storm_id).in_(ended)))
    return int(tx.execute(delete(StormRow).where(over)).rowcount)


def confirmed_since(tx: Tx, project_id: int, since: datetime) -> set[int]:
    """Tests found flaky beyond doubt after this moment of the project's time."""
    query = select(col(TransitionRow.test_id)).where(
        col(TransitionRow.project_id) == project_id,
        col(TransitionRow.at) > since,
        col(TransitionRow.after) == "flaky",
        col(TransitionRow.confirmed).is_(True),
    )
    return set(tx.execute(query).scalars())


def _noun(row: Row[*tuple[Any, ...]]) -> Storm:
    return Storm(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
