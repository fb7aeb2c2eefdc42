"""How many never-seen passing tests get a row: names that change from run to run must not fill the disk.

Failing tests always get theirs. A passing one beyond the budget is only counted; its hash is noted, and when the
name comes a second time it has proven that it is a name.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlmodel import Field, SQLModel, col

from storage.bulk import select_among
from storage.columns import BigId, Bytes, UtcTime
from storage.database import Tx
from storage.upsert import insert_into, put

ADDITIONS = 500
"""New tests a day that an established project may bring at least."""
SHARE = 0.1
"""... or this share of the report they come in."""
NOVELTIES = 300_000
"""New tests a day in reports that are mostly new: another job, another language."""
MOSTLY = 0.5
REMEMBERED = timedelta(days=7)
"""How long the hash of a name seen once is kept."""
HASH = 8


class TestBudgetRow(SQLModel, table=True):
    """What a project has left today."""

    __test__ = False
    __tablename__ = "test_budget"

    project_id: int = Field(primary_key=True, sa_type=BigId)
    day: datetime = Field(sa_type=UtcTime)
    additions: int
    novelties: int


class TestOnceRow(SQLModel, table=True):
    """The hash of a passing name that was seen once and has no row."""

    __test__ = False
    __tablename__ = "test_once"
    __table_args__ = ({"sqlite_with_rowid": False},)

    project_id: int = Field(primary_key=True, sa_type=BigId)
    hash: bytes = Field(primary_key=True, sa_type=Bytes)
    at: datetime = Field(sa_type=UtcTime)


@dataclass(frozen=True, slots=True)
class Spent:
    """New tests of today, in established and in mostly new reports."""

    additions: int = 0
    novelties: int = 0


def allowed(
    tx: Tx, project_id: int, digests: Sequence[bytes], *, report: int, first: bool, now: datetime
) -> set[bytes]:
    """Which of these new passing tests get a row; the caller holds the identity lock and creates them."""
    if first:
        return set(digests)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spent = _spent(tx, project_id, day)
    novel = len(digests) > report * MOSTLY
    left = NOVELTIES - spent.novelties if novel else max(ADDITIONS, int(report * SHARE)) - spent.additions
    granted = set(digests[: max(0, left)])
    beyond = digests[max(0, left) :]
    _spend(tx, project_id, day, spent, len(granted), novel=novel)
    return granted | _second_time(tx, project_id, beyond, now) if beyond else granted


def forget_once(tx: Tx, now: datetime) -> None:
    """Names seen once and not again for a week were not names."""
    tx.execute(delete(TestOnceRow).where(col(TestOnceRow.at) < now - REMEMBERED))


def _spent(tx: Tx, project_id: int, day: datetime) -> Spent:
    query = select(col(TestBudgetRow.additions), col(TestBudgetRow.novelties))
    row = tx.execute(
        query.where(col(TestBudgetRow.project_id) == project_id, col(TestBudgetRow.day) == day)
    ).first()
    return Spent(*row) if row else Spent()


def _spend(tx: Tx, project_id: int, day: datetime, spent: Spent, count: int, *, novel: bool) -> None:
    if not count:
        return
    values = {
        "project_id": project_id,
        "day": day,
        "additions": spent.additions + (0 if novel else count),
        "novelties": spent.novelties + (count if novel else 0),
    }
    put(tx, TestBudgetRow, values, on=["project_id"])


def _second_time(tx: Tx, project_id: int, digests: Sequence[bytes], now: datetime) -> set[bytes]:
    hashes = {value[:HASH]: value for value in digests}
    again = _known_hashes(tx, project_id, list(hashes))
    rows = [{"project_id": project_id, "hash": key, "at": now} for key in hashes if key not in again]
    if rows:
        tx.execute(insert_into(tx, TestOnceRow).on_conflict_do_nothing(), rows)
    return {hashes[key] for key in again}


def _known_hashes(tx: Tx, project_id: int, hashes: Sequence[bytes]) -> Collection[bytes]:
    return {key for key, _ in select_among(tx, TestOnceRow, ("hash", "project_id"), project_id, hashes)}
