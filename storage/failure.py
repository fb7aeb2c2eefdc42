"""Failing and retried executions: the few rows of a run that are worth a row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, insert, select
from sqlmodel import Field, SQLModel, col

from core.report import Attempt, Outcome, TestKey
from storage.columns import BigId, Bytes, Text, UtcTime
from storage.database import Tx

MESSAGE_CHARS = 4_000
MOST_ROWS = 5_000
"""Failing tests of one run that get rows; an outage of everything keeps the rest in packed codes only."""


class FailureRow(SQLModel, table=True):
    """One attempt of a failing or retried execution."""

    __tablename__ = "failure"
    __table_args__ = (
        Index("ix_failure_test", "project_id", "test_id", "at"),
        Index("ix_failure_run", "project_id", "run_pk"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    project_id: int = Field(primary_key=True, sa_type=BigId)
    at: datetime = Field(primary_key=True, sa_type=UtcTime)
    run_pk: int = Field(primary_key=True, sa_type=BigId)
    test_id: int = Field(primary_key=True, sa_type=BigId)
    seq: int = Field(primary_key=True)
    """Which attempt, from 0."""
    outcome: str = Field(sa_type=Text)
    seconds: float | None = None
    ambiguous: bool
    fingerprint: bytes | None = Field(default=None, sa_type=Bytes)
    message: str | None = Field(default=None, sa_type=Text)


@dataclass(frozen=True, slots=True)
class StoredFailure:
    """A failing or retried test of a run, with a fingerprint per failing attempt."""

    test_id: int
    key: TestKey
    attempts: tuple[Attempt, ...]
    fingerprints: tuple[bytes | None, ...]
    ambiguous: bool = False


def add_failures(
    tx: Tx, project_id: int, run_pk: int, at: datetime, failures: Iterable[tuple[int, StoredFailure]]
) -> None:
    """Rows for these failures, each under the id its name resolved to."""
    rows = [
        {
            "project_id": project_id,
            "at": at,
            "run_pk": run_pk,
            "test_id": raw_id,
            "seq": seq,
            "outcome": attempt.outcome.value,
            "seconds": attempt.duration,
            "ambiguous": failure.ambiguous,
            "fingerprint": fingerprint,
            "message": attempt.message and attempt.message[:MESSAGE_CHARS],
        }
        for raw_id, failure in failures
        for seq, (attempt, fingerprint) in enumerate(zip(failure.attempts, failure.fingerprints, strict=True))
    ]
    if rows:
        tx.execute(insert(FailureRow), rows)


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """The stored attempts of one test in one run."""

    test_id: int
    attempts: tuple[Attempt, ...]
    fingerprints: tuple[bytes | None, ...]
    ambiguous: bool


def failures_in_run(tx: Tx, project_id: int, run_pk: int) -> dict[int, FailureRecord]:
    """By raw test id."""
    rows = tx.execute(_ROWS.where(_MINE(project_id), col(FailureRow.run_pk) == run_pk).order_by(*_ORDER))
    return {test_id: record for (_, test_id), record in _records(rows.all()).items()}


def failures_of_tests(
    tx: Tx, project_id: int, test_ids: Sequence[int], run_pks: Sequence[int]
) -> dict[tuple[int, int], FailureRecord]:
    """By (run, raw test id), for a few tests in these runs."""
    found: dict[tuple[int, int], FailureRecord] = {}
    low, high = (min(run_pks), max(run_pks)) if run_pks else (1, 0)
    query = _ROWS.where(
        _MINE(project_id), col(FailureRow.test_id).in_(test_ids), col(FailureRow.run_pk).between(low, high)
    )
    if run_pks:
        found = _records(tx.execute(query.order_by(*_ORDER)).all())
    return found


def _MINE(project_id: int) -> Any:  # noqa: N802
    return col(FailureRow.project_id) == project_id


_ROWS = select(
    col(FailureRow.run_pk),
    col(FailureRow.test_id),
    col(FailureRow.outcome),
    col(FailureRow.seconds),
    col(FailureRow.message),
    col(FailureRow.fingerprint),
    col(FailureRow.ambiguous),
)
_ORDER = (col(FailureRow.run_pk), col(FailureRow.test_id), col(FailureRow.seq))


def _records(rows: Sequence[Any]) -> dict[tuple[int, int], FailureRecord]:
    attempts: dict[tuple[int, int], list[Any]] = {}
    for run_pk, test_id, *rest in rows:
        attempts.setdefault((run_pk, test_id), []).append(rest)
    return {place: _record(place[1], some) for place, some in attempts.items()}


def _record(test_id: int, rows: list[Any]) -> FailureRecord:
    return FailureRecord(
        test_id,
        tuple(Attempt(Outcome(outcome), seconds, message) for outcome, seconds, message, *_ in rows),
        tuple(fingerprint for *_, fingerprint, _ambiguous in rows),
        bool(rows[0][-1]),
    )
