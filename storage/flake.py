"""What the flaky tests of a project cost in a period: read for digests, impact and health, never while ingesting."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from storage.database import Tx
from storage.failure import FailureRow
from storage.test_alias import aliases, names_of
from storage.test_run import TestRunRow

MOST = 20_000
"""Failures read for one digest; a project with more has other worries."""


@dataclass(frozen=True, slots=True)
class Flake:
    """One failing execution of a flaky test."""

    test_id: int
    run_pk: int
    at: datetime
    pr: str
    run_seconds: float


def flakes(
    tx: Tx, project_id: int, test_ids: Collection[int], *, since: datetime, until: datetime
) -> Sequence[Flake]:
    """Failing executions of these tests in the period, outages left out, oldest first."""
    if not test_ids:
        return []
    today = aliases(tx, project_id)
    wanted = {*test_ids, *(old for old, new in today.items() if new in set(test_ids))}
    rows = tx.execute(
        select(
            col(FailureRow.test_id),
            col(FailureRow.run_pk),
            func.min(col(FailureRow.at)).label("at"),
            func.min(col(TestRunRow.pr)).label("pr"),
            func.min(col(TestRunRow.seconds)).label("seconds"),
        )
        .join(TestRunRow, col(TestRunRow.id) == col(FailureRow.run_pk))
        .where(
            col(FailureRow.project_id) == project_id,
            col(FailureRow.test_id).in_(sorted(wanted)),
            col(FailureRow.at) >= since,
            col(FailureRow.at) < until,
            col(FailureRow.outcome).in_(["failed", "error"]),
            col(TestRunRow.infra).is_(False),
        )
        .group_by(col(FailureRow.test_id), col(FailureRow.run_pk))
        .order_by(func.min(col(FailureRow.at)))
        .limit(MOST)
    )
    return [
        Flake(today.get(row.test_id, row.test_id), row.run_pk, row.at, row.pr, row.seconds) for row in rows
    ]


def newest_result(tx: Tx, project_id: int) -> datetime | None:
    """When the newest stored run ran."""
    query = select(func.max(col(TestRunRow.at))).where(col(TestRunRow.project_id) == project_id)
    return tx.execute(query).scalar()


def count_runs(tx: Tx, project_id: int, *, since: datetime, until: datetime) -> int:
    """Runs stored for a period."""
    query = select(func.count()).where(
        col(TestRunRow.project_id) == project_id, col(TestRunRow.at) >= since, col(TestRunRow.at) < until
    )
    return tx.execute(query).scalar_one()


def failures_since(tx: Tx, project_id: int, test_id: int, since: datetime) -> tuple[int, datetime | None]:
    """How many runs the test failed in since then, and when last; outages left out."""
    row = tx.execute(
        select(func.count(func.distinct(col(FailureRow.run_pk))), func.max(col(FailureRow.at)))
        .join(TestRunRow, col(TestRunRow.id) == col(FailureRow.run_pk))
        .where(
            col(FailureRow.project_id) == project_id,
            col(FailureRow.test_id).in_(names_of(tx, project_id, test_id)),
            col(FailureRow.at) >= since,
            col(FailureRow.outcome).in_(["failed", "error"]),
            col(TestRunRow.infra).is_(False),
        )
    ).one()
    return row[0], row[1]


def last_green(tx: Tx, project_id: int, *, before: datetime) -> datetime | None:
    """When a whole run last passed without any failure."""
    query = select(func.max(col(TestRunRow.at))).where(
        col(TestRunRow.project_id) == project_id,
        col(TestRunRow.at) < before,
        col(TestRunRow.failed) + col(TestRunRow.errors) + col(TestRunRow.flaky) == 0,
        col(TestRunRow.passed) > 0,
        col(TestRunRow.partial).is_(False),
    )
    return tx.execute(query).scalar()
