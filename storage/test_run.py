"""Test runs: one narrow row per upload, and the unique key that makes uploading twice harmless."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Index, Row, UniqueConstraint, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col

from core.errors import NotFoundError
from core.run import Run, Trust
from storage.columns import BigId, Bytes, Json, Text, UtcTime, storable
from storage.database import Query, Tx
from storage.knowledge import knowledge

BATCH = 500


class TestRunRow(SQLModel, table=True):
    """One execution of a CI job. `key` is its identity, `content` what it reported."""

    __test__ = False
    __tablename__ = "test_run"
    __table_args__ = (
        UniqueConstraint("project_id", "key"),
        Index("ix_run_at", "project_id", "at"),
        Index("ix_run_commit", "project_id", "commit"),
    )

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    project_id: int = Field(sa_type=BigId)
    key: bytes = Field(sa_type=Bytes)
    content: bytes = Field(sa_type=Bytes)
    at: datetime = Field(sa_type=UtcTime)
    received_at: datetime = Field(sa_type=UtcTime)
    run_id: str = Field(sa_type=Text)
    attempt: int
    job: str = Field(sa_type=Text)
    variant: str = Field(sa_type=Text)
    commit: str = Field(sa_type=Text)
    branch: str = Field(sa_type=Text)
    base: str = Field(sa_type=Text)
    event: str = Field(sa_type=Text)
    pr: str = Field(sa_type=Text)
    trust: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)
    partial: bool
    infra: bool = False
    dialect: str = Field(default="", sa_type=Text)
    warnings: list[str] | None = Field(default=None, sa_type=Json)
    total: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    flaky: int = 0
    seconds: float = 0.0
    """Sum of the tests' durations."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many tests of a run ended how; `flaky` of them failed first and then passed."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    flaky: int = 0
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.errors + self.skipped

    @property
    def counts(self) -> dict[str, int]:
        """As the ingestion answer names them."""
        return {
            "passed": self.passed,
            "failed": self.failed,
            "error": self.errors,
            "skipped": self.skipped,
            "flaky": self.flaky,
        }

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.passed + other.passed,
            self.failed + other.failed,
            self.errors + other.errors,
            self.skipped + other.skipped,
            self.flaky + other.flaky,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One stored run."""

    run_pk: int
    run: Run
    received_at: datetime
    infra: bool
    dialect: str
    warnings: tuple[str, ...]
    tally: Tally


def run_key(run: Run) -> bytes:
    """16 bytes for (run_id, attempt, job, variant): what makes two uploads the same run."""
    state = hashlib.blake2b(digest_size=16, person=b"fg run 1")
    for part in (run.run_id, str(run.attempt), run.job, run.variant):
        data = storable(part).encode()
        state.update(len(data).to_bytes(4, "big") + data)
    return state.digest()


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of a run once its whole report has been read."""

    content: bytes
    tally: Tally
    partial: bool
    dialect: str = ""
    warnings: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """As columns."""
        return {
            "content": self.content,
            "partial": self.partial,
            "dialect": self.dialect,
            "warnings": list(self.warnings) or None,
            "total": self.tally.total,
            **{name: getattr(self.tally, name) for name in _TALLY_FIELDS},
        }


UNREAD = Findings(b"", Tally(), partial=True)
"""Of a report still being read."""


def claim_run(tx: Tx, project_id: int, run: Run, findings: Findings, now: datetime) -> int | None:
    """The new run's id; None when the run is already there.

    On PostgreSQL it waits for a copy that is being stored at this moment.
    """
    values = {
        **{name: getattr(run, name) for name in _RUN_FIELDS},
        "project_id": project_id,
        "key": run_key(run),
        "received_at": now,
        "infra": False,
        **findings.values(),
    }
    return tx.execute(_claim(tx.dialect.name), values).scalar()


@cache
def _claim(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(TestRunRow).on_conflict_do_nothing().returning(col(TestRunRow.id))


def finish_run(tx: Tx, run_pk: int, findings: Findings) -> None:
    """What is only known now that the whole report is read."""
    tx.execute(update(TestRunRow).where(col(TestRunRow.id) == run_pk).values(**findings.values()))


def stored_content(tx: Tx, project_id: int, run: Run) -> tuple[int, bytes]:
    """Id and content digest of the run stored under this run's key."""
    query = select(col(TestRunRow.id), col(TestRunRow.content)).where(
        col(TestRunRow.project_id) == project_id, col(TestRunRow.key) == run_key(run)
    )
    row = tx.execute(query).one()
    return row[0], bytes(row[1])


def mark_run(tx: Tx, project_id: int, run_pk: int, *, infra: bool) -> None:
    """Mark (or unmark) a run whose failures are the machine room's."""
    mine = (col(TestRunRow.project_id) == project_id) & (col(TestRunRow.id) == run_pk)
    tx.execute(update(TestRunRow).where(mine).values(infra=infra))


def get_run(tx: Tx, project_id: int, run_pk: int) -> RunRecord:
    """NotFoundError when the project has no such run."""
    row = tx.execute(_nouns(project_id).where(col(TestRunRow.id) == run_pk)).first()
    if row is None:
        raise NotFoundError("There is no such run.", run=run_pk)
    return _noun(row)


def runs_by_id(tx: Tx, project_id: int, run_pks: Collection[int]) -> dict[int, RunRecord]:
    """Those of the runs that the project has."""
    query = _nouns(project_id).where(col(TestRunRow.id).in_(sorted(run_pks)))
    return {one.run_pk: one for one in map(_noun, tx.execute(query))}


def get_runs(
    tx: Tx, project_id: int, *, limit: int = 50, offset: int = 0, branch: str | None = None
) -> tuple[list[RunRecord], int]:
    """A page of runs, newest first, and how many there are."""
    mine = col(TestRunRow.project_id) == project_id
    if branch is not None:
        mine &= col(TestRunRow.branch) == branch
    total = tx.execute(select(func.count()).select_from(TestRunRow).where(mine)).scalar_one()
    page = _nouns(project_id).where(mine).order_by(*_NEWEST).limit(limit).offset(offset)
    return [_noun(row) for row in tx.execute(page)], total


def runs_after(tx: Tx, project_id: int, last: RunRecord | None, *, limit: int) -> list[RunRecord]:
    """The next runs in time order; a page costs the same however far along the history it is."""
    query = _nouns(project_id).order_by(col(TestRunRow.at), col(TestRunRow.id)).limit(limit)
    if last is not None:
        place = tuple_(col(TestRunRow.at), col(TestRunRow.id))
        query = query.where(place > (last.run.at, last.run_pk))
    return [_noun(row) for row in tx.execute(query)]


def stored_runs(tx: Tx, project_id: int) -> int:
    """How many runs the project has."""
    query = select(func.count()).where(col(TestRunRow.project_id) == project_id)
    return tx.execute(query).scalar_one()


def newest_at(tx: Tx, project_id: int) -> datetime | None:
    """When the newest run of the project ran."""
    return tx.execute(
        select(func.max(col(TestRunRow.at))).where(col(TestRunRow.project_id) == project_id)
    ).scalar()


def runs_of_commit(tx: Tx, project_id: int, commit: str) -> list[RunRecord]:
    """Every run of one commit, oldest first."""
    query = _nouns(project_id).where(col(TestRunRow.commit) == commit)
    return [_noun(row) for row in tx.execute(query.order_by(col(TestRunRow.at), col(TestRunRow.id)))]


def runs_by_pk(tx: Tx, project_id: int, run_pks: Iterable[int]) -> dict[int, Run]:
    """The runs with these ids; what a process has read once it does not read again."""
    known = knowledge(tx, project_id)
    found = {run_pk: run for run_pk in set(run_pks) if (run := known.run(run_pk)) is not None}
    missing = sorted(set(run_pks) - set(found))
    query = select(col(TestRunRow.id), *(getattr(TestRunRow, name) for name in _RUN_FIELDS))
    for start in range(0, len(missing), BATCH):
        some = col(TestRunRow.id).in_(missing[start : start + BATCH])
        rows = tx.execute(query.where(col(TestRunRow.project_id) == project_id, some))
        read = {run_pk: _run(values) for run_pk, *values in rows}
        known.met(read)
        found |= read
    return found


_RUN_FIELDS = (
    "run_id",
    "commit",
    "branch",
    "at",
    "attempt",
    "job",
    "variant",
    "base",
    "event",
    "pr",
    "trust",
    "url",
    "partial",
)
_TALLY_FIELDS = ("passed", "failed", "errors", "skipped", "flaky", "seconds")
_NEWEST = (col(TestRunRow.at).desc(), col(TestRunRow.id).desc())


def _run(values: Sequence[Any]) -> Run:
    fields = dict(zip(_RUN_FIELDS, values, strict=True))
    return Run(**{**fields, "trust": Trust(fields["trust"])})


def _nouns(project_id: int) -> Query:
    names = (*_RUN_FIELDS, "received_at", "infra", "dialect", "warnings", *_TALLY_FIELDS)
    columns = (getattr(TestRunRow, name) for name in names)
    return select(col(TestRunRow.id), *columns).where(col(TestRunRow.project_id) == project_id)


def _noun(row: Row[*tuple[Any, ...]]) -> RunRecord:
    run_pk, rest, count = row[0], row[1:], len(_RUN_FIELDS)
    received_at, infra, dialect, warnings, *tally = rest[count:]
    return RunRecord(
        run_pk, _run(rest[:count]), received_at, infra, dialect, tuple(warnings or ()), Tally(*tally)
    )
