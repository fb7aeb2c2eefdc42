"""Failing and retried executions: the few of a run that are worth a row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, select
from sqlmodel import Field, SQLModel, col

from core.report import Attempt, Outcome, TestKey
from storage.bulk import insert_columns
from storage.columns import BigId, Bytes, Text, UtcTime
from storage.database import Query, Tx
from storage.failure_text import Texts, add_texts, read_texts

MOST_ROWS = 5_000
"""Failing tests of one run that get rows; an outage of everything keeps the rest in packed codes only."""
BATCH = 500


class FailureRow(SQLModel, table=True):
    """One attempt of a failing or retried execution."""

    __tablename__ = "failure"
    __table_args__ = (
        Index("ix_failure_test", "project_id", "test_id", "at"),
        {"postgresql_partition_by": "RANGE (at)", "sqlite_with_rowid": False},
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
    text: int | None = None
    """The message's number among the run's texts."""


@dataclass(frozen=True, slots=True)
class StoredFailure:
    """A failing or retried test of a run, with a fingerprint per failing attempt."""

    test_id: int
    key: TestKey
    attempts: tuple[Attempt, ...]
    fingerprints: tuple[bytes | None, ...]
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """The stored attempts of one test in one run."""

    test_id: int
    attempts: tuple[Attempt, ...]
    fingerprints: tuple[bytes | None, ...]
    ambiguous: bool


def add_failures(
    tx: Tx, project_id: int, run_pk: int, at: datetime, failures: Iterable[tuple[int, StoredFailure]]
) -> None:
    """Rows for these failures, each under the id its name resolved to (which may be an older name's)."""
    texts = Texts()
    rows: dict[tuple[int, int], tuple[Any, ...]] = {}
    for raw_id, one in failures:
        seq = sum(place[0] == raw_id for place in rows) if (raw_id, 0) in rows else 0
        for attempt, fingerprint in zip(one.attempts, one.fingerprints, strict=True):
            told = texts.number(attempt.message)
            rows[raw_id, seq] = (attempt.outcome.value, attempt.duration, one.ambiguous, fingerprint, told)
            seq += 1
    if not rows:
        return
    outcomes, seconds, ambiguous, fingerprints, numbers = zip(*rows.values(), strict=True)
    columns: dict[str, Sequence[Any]] = {
        "project_id": [project_id] * len(rows),
        "at": [at] * len(rows),
        "run_pk": [run_pk] * len(rows),
        "test_id": [test_id for test_id, _ in rows],
        "seq": [seq for _, seq in rows],
        "outcome": outcomes,
        "seconds": seconds,
        "ambiguous": ambiguous,
        "fingerprint": fingerprints,
        "text": numbers,
    }
    insert_columns(tx, FailureRow, columns)
    add_texts(tx, project_id, run_pk, at, texts.all())


def failures_in_run(tx: Tx, project_id: int, run_pk: int, at: datetime) -> dict[int, FailureRecord]:
    """By the id their name resolved to."""
    query = _rows(project_id).where(col(FailureRow.at) == at, col(FailureRow.run_pk) == run_pk)
    return {place[1]: record for place, record in _records(tx, project_id, query).items()}


def failures_of_tests(
    tx: Tx, project_id: int, test_ids: Sequence[int], *, since: datetime, until: datetime
) -> dict[tuple[int, int], FailureRecord]:
    """By (run, id), for a few tests over a time."""
    at = col(FailureRow.at)
    query = _rows(project_id).where(col(FailureRow.test_id).in_(test_ids), at >= since, at <= until)
    return _records(tx, project_id, query)


def _rows(project_id: int) -> Query:
    return (
        select(
            col(FailureRow.at),
            col(FailureRow.run_pk),
            col(FailureRow.test_id),
            col(FailureRow.outcome),
            col(FailureRow.seconds),
            col(FailureRow.ambiguous),
            col(FailureRow.fingerprint),
            col(FailureRow.text),
        )
        .where(col(FailureRow.project_id) == project_id)
        .order_by(col(FailureRow.run_pk), col(FailureRow.test_id), col(FailureRow.seq))
    )


def _records(tx: Tx, project_id: int, query: Query) -> dict[tuple[int, int], FailureRecord]:
    rows = tx.execute(query).all()
    texts = read_texts(tx, project_id, [(row[0], row[1], row[7]) for row in rows if row[7] is not None])
    attempts: dict[tuple[int, int], list[Any]] = {}
    for row in rows:
        attempts.setdefault((row[1], row[2]), []).append(row)
    return {place: _record(place, some, texts) for place, some in attempts.items()}


def _record(place: tuple[int, int], rows: Sequence[Any], texts: dict[tuple[int, int], str]) -> FailureRecord:
    run_pk, test_id = place
    attempts = [
        Attempt(Outcome(outcome), seconds, None if text is None else texts.get((run_pk, text)))
        for _, _, _, outcome, seconds, _, _, text in rows
    ]
    prints = tuple(None if row[6] is None else bytes(row[6]) for row in rows)
    return FailureRecord(test_id, tuple(attempts), prints, bool(rows[0][5]))
