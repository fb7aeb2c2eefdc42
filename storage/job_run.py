"""Which scheduled job has run for which period: over several nodes the first to claim it runs it."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlmodel import Field, SQLModel, col

from storage.columns import Text, UtcTime
from storage.database import Tx
from storage.upsert import insert_ignore


class JobRunRow(SQLModel, table=True):
    """One claimed tick. A claim that was not finished within its lease may be taken over."""

    __tablename__ = "job_run"

    job: str = Field(primary_key=True, sa_type=Text)
    period: str = Field(primary_key=True, sa_type=Text)
    claimed_at: datetime = Field(sa_type=UtcTime)
    lease_until: datetime = Field(sa_type=UtcTime)
    done_at: datetime | None = Field(sa_type=UtcTime, nullable=True)


def claim(tx: Tx, job: str, period: str, *, now: datetime, lease_until: datetime) -> bool:
    """True for exactly one caller per (job, period), or for one who takes over from a dead node."""
    values = {"job": job, "period": period, "claimed_at": now, "lease_until": lease_until, "done_at": None}
    if insert_ignore(tx, JobRunRow, values):
        return True
    taken = tx.execute(
        update(JobRunRow)
        .where(
            col(JobRunRow.job) == job,
            col(JobRunRow.period) == period,
            col(JobRunRow.done_at).is_(None),
            col(JobRunRow.lease_until) < now,
        )
        .values(claimed_at=now, lease_until=lease_until)
    )
    return bool(taken.rowcount == 1)


def finish(tx: Tx, job: str, period: str, *, now: datetime) -> None:
    """The tick's effect is committed."""
    tx.execute(
        update(JobRunRow)
        .where(col(JobRunRow.job) == job, col(JobRunRow.period) == period)
        .values(done_at=now)
    )


def finished(tx: Tx, job: str, period: str) -> bool:
    """True when the period's effect is committed."""
    query = select(col(JobRunRow.done_at)).where(col(JobRunRow.job) == job, col(JobRunRow.period) == period)
    return tx.execute(query).scalar() is not None


def give_back(tx: Tx, job: str, period: str, *, until: datetime) -> None:
    """The work failed here: anybody may try again after `until`."""
    tx.execute(
        update(JobRunRow)
        .where(col(JobRunRow.job) == job, col(JobRunRow.period) == period, col(JobRunRow.done_at).is_(None))
        .values(lease_until=until)
    )


def forget(tx: Tx, before: datetime) -> int:
    """Drop claims older than `before`; answers how many."""
    return int(tx.execute(delete(JobRunRow).where(col(JobRunRow.claimed_at) < before)).rowcount)
