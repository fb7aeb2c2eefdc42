"""Quarantines: one row each, changed only by compare-and-set on its version."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Row, Select, func, select, text, update
from sqlmodel import Field, SQLModel, col

from core.errors import ConflictError, NotFoundError
from core.quarantine import IN_FORCE, Quarantine, State, Vote
from core.tenancy import Via
from storage.columns import BigId, Json, Text, UtcTime
from storage.database import Tx, lock_project
from storage.test_alias import aliases
from storage.upsert import insert_into

DECISIONS = 2
"""The advisory lock of whoever decides in a project: counts (cap, quorum) stay true until commit."""
OPEN = "state IN ('proposed', 'active', 'expiring')"
ASKED_FOR = 500
"""Of more tests than this the quarantines are read with all the others."""


class QuarantineRow(SQLModel, table=True):
    """One proposal and what became of it; at most one open one per test."""

    __tablename__ = "quarantine"
    __table_args__ = (
        Index(
            "uq_quarantine_open",
            "project_id",
            "test_id",
            unique=True,
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        Index("ix_quarantine_project_state", "project_id", "state"),
        Index("ix_quarantine_project_test", "project_id", "test_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    project_id: int = Field(foreign_key="project.id", sa_type=BigId)
    test_id: int = Field(sa_type=BigId)
    state: str = Field(sa_type=Text)
    version: int
    proposed_by: str = Field(sa_type=Text)
    proposed_via: str = Field(sa_type=Text)
    proposed_at: datetime = Field(sa_type=UtcTime)
    lapses_at: datetime = Field(sa_type=UtcTime)
    ttl_days: int
    needed: int
    reason: str = Field(sa_type=Text)
    evidence: dict[str, Any] = Field(sa_type=Json)
    fingerprints: list[str] = Field(sa_type=Json)
    policy_version: int
    votes: list[list[str]] = Field(sa_type=Json)
    decided_by: str = Field(sa_type=Text)
    decided_via: str = Field(sa_type=Text)
    decided_detail: str = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=UtcTime, nullable=True)
    decision_reason: str = Field(sa_type=Text)
    until: datetime | None = Field(sa_type=UtcTime, nullable=True)
    renewals: int
    ended_at: datetime | None = Field(sa_type=UtcTime, nullable=True)


def lock_decisions(tx: Tx, project_id: int) -> None:
    """One decider in a project at a time. Taken after the scoring row and before any quarantine or audit row."""
    lock_project(tx, DECISIONS, project_id)


def add_quarantine(tx: Tx, draft: Quarantine) -> Quarantine:
    """Store a new proposal (its `id` is given here). ConflictError when the test already has an open one."""
    statement = insert_into(tx, QuarantineRow).values(**_values(draft))
    # Two nodes may propose the same test at once: the partial unique index lets one of them through.
    statement = statement.on_conflict_do_nothing(
        index_elements=["project_id", "test_id"], index_where=text(OPEN)
    )
    new_id = tx.execute(statement.returning(col(QuarantineRow.id))).scalar_one_or_none()
    if new_id is None:
        raise ConflictError("This test already has an open proposal or is in quarantine.")
    return get_quarantine(tx, draft.project_id, new_id)


def get_quarantine(tx: Tx, project_id: int | None, quarantine_id: int, *, lock: bool = False) -> Quarantine:
    """One quarantine; NotFoundError when missing or of another project. `project_id` None: any project."""
    query = select(QuarantineRow).where(col(QuarantineRow.id) == quarantine_id)
    if project_id is not None:
        query = query.where(col(QuarantineRow.project_id) == project_id)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no quarantine q-{quarantine_id}.")
    return _noun(row)


def swap_quarantine(tx: Tx, before: Quarantine, after: Quarantine) -> bool:
    """Replace `before` by `after` if nobody else was faster; False when the version has moved on."""
    done = tx.execute(
        update(QuarantineRow)
        .where(col(QuarantineRow.id) == before.id, col(QuarantineRow.version) == before.version)
        .values(**_values(after))
    )
    return bool(done.rowcount == 1)


def open_quarantine_of(tx: Tx, project_id: int, test_id: int) -> Quarantine | None:
    """The test's proposal that waits, or its quarantine in force."""
    query = _of(project_id, test_id).where(text(OPEN))
    row = tx.execute(query).one_or_none()
    return None if row is None else _noun(row)


def latest_quarantine_of(tx: Tx, project_id: int, test_id: int) -> Quarantine | None:
    """The newest story of the test, open or over."""
    row = tx.execute(_of(project_id, test_id).order_by(col(QuarantineRow.id).desc()).limit(1)).one_or_none()
    return None if row is None else _noun(row)


def list_quarantines(
    tx: Tx,
    project_id: int,
    *,
    states: Iterable[State] = (),
    test_id: int | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Quarantine], int]:
    """A page of a project's quarantines, newest first, and how many there are in all."""
    query = select(QuarantineRow).where(col(QuarantineRow.project_id) == project_id)
    if wanted := [state.value for state in states]:
        query = query.where(col(QuarantineRow.state).in_(wanted))
    if test_id is not None:
        query = query.where(col(QuarantineRow.test_id) == test_id)
    total = tx.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = tx.execute(query.order_by(col(QuarantineRow.id).desc()).limit(limit).offset(offset))
    return [_noun(row) for row in rows], total


def in_force(tx: Tx, project_id: int, tests: Collection[int] | None = None) -> dict[int, Quarantine]:
    """Test id -> its quarantine, for every test whose failures cannot block now, or for those among `tests`."""
    query = select(QuarantineRow).where(
        col(QuarantineRow.project_id) == project_id,
        col(QuarantineRow.state).in_([state.value for state in IN_FORCE]),
    )
    today = aliases(tx, project_id)
    if tests is not None and len(tests) <= ASKED_FOR:
        names = {*tests, *(older for older, newer in today.items() if newer in tests)}
        query = query.where(col(QuarantineRow.test_id).in_(sorted(names)))
    found = {today.get(row.test_id, row.test_id): row for row in tx.execute(query)}
    return {test_id: _noun(row) for test_id, row in found.items() if tests is None or test_id in tests}


def tests_in_force(tx: Tx, project_id: int) -> set[int]:
    """Ids of the tests whose failures cannot block now."""
    query = select(col(QuarantineRow.test_id)).where(
        col(QuarantineRow.project_id) == project_id,
        col(QuarantineRow.state).in_([state.value for state in IN_FORCE]),
    )
    return _today(tx, project_id, query)


def standing(tx: Tx, project_id: int) -> list[tuple[int, int]]:
    """Id and version of what is in force, oldest first; one for each test, without reading the evidence."""
    query = select(col(QuarantineRow.test_id), col(QuarantineRow.id), col(QuarantineRow.version)).where(
        col(QuarantineRow.project_id) == project_id,
        col(QuarantineRow.state).in_([state.value for state in IN_FORCE]),
    )
    today = aliases(tx, project_id)
    rows = tx.execute(query.order_by(col(QuarantineRow.id)))
    newest = {today.get(test_id, test_id): (number or 0, version) for test_id, number, version in rows}
    return sorted(newest.values())


def quarantines_by_id(tx: Tx, project_id: int, ids: Iterable[int]) -> list[Quarantine]:
    """These of a project, in the order of their ids."""
    query = select(QuarantineRow).where(
        col(QuarantineRow.project_id) == project_id, col(QuarantineRow.id).in_(sorted(ids))
    )
    return [_noun(row) for row in tx.execute(query.order_by(col(QuarantineRow.id)))]


def count_in_force(tx: Tx, project_id: int) -> int:
    """How many tests are in quarantine."""
    query = select(func.count()).where(
        col(QuarantineRow.project_id) == project_id,
        col(QuarantineRow.state).in_([state.value for state in IN_FORCE]),
    )
    return tx.execute(query).scalar_one()


def open_tests(tx: Tx, project_id: int) -> set[int]:
    """Ids of the tests with an open proposal or a quarantine in force."""
    query = select(col(QuarantineRow.test_id)).where(col(QuarantineRow.project_id) == project_id, text(OPEN))
    return _today(tx, project_id, query)


def cooling_tests(tx: Tx, project_id: int, now: datetime) -> set[int]:
    """Ids of tests denied until later than now."""
    query = select(col(QuarantineRow.test_id)).where(
        col(QuarantineRow.project_id) == project_id,
        col(QuarantineRow.state) == State.DENIED.value,
        col(QuarantineRow.until) > now,
    )
    return _today(tx, project_id, query)


def rested_tests(tx: Tx, project_id: int, since: datetime) -> set[int]:
    """Ids of tests somebody released, or nobody decided about, since then: asking again at once would nag."""
    query = select(col(QuarantineRow.test_id)).where(
        col(QuarantineRow.project_id) == project_id,
        col(QuarantineRow.state).in_([State.RELEASED.value, State.LAPSED.value]),
        col(QuarantineRow.ended_at) > since,
    )
    return _today(tx, project_id, query)


def _today(tx: Tx, project_id: int, query: Select[int]) -> set[int]:
    today = aliases(tx, project_id)
    return {today.get(test_id, test_id) for test_id in tx.execute(query).scalars()}


def due_quarantines(tx: Tx, now: datetime, warn_before: datetime, limit: int = 500) -> Sequence[Quarantine]:
    """Open quarantines the clock may have something to do with."""
    lapsing = (col(QuarantineRow.state) == State.PROPOSED.value) & (col(QuarantineRow.lapses_at) <= now)
    active = (col(QuarantineRow.state) == State.ACTIVE.value) & (col(QuarantineRow.until) <= warn_before)
    ending = (col(QuarantineRow.state) == State.EXPIRING.value) & (col(QuarantineRow.until) <= now)
    query = select(QuarantineRow).where(lapsing | active | ending).order_by(col(QuarantineRow.id))
    rows = tx.execute(query.limit(limit))
    return [_noun(row) for row in rows]


def etag(versions: Iterable[tuple[int, int]]) -> str:
    """Changes exactly when the list CI reads changes."""
    digest = hashlib.blake2b(digest_size=12)
    for number, version in sorted(versions):
        digest.update(f"{number}:{version};".encode())
    return f'"{digest.hexdigest()}"'


def _of(project_id: int, test_id: int) -> Any:
    return select(QuarantineRow).where(
        col(QuarantineRow.project_id) == project_id, col(QuarantineRow.test_id) == test_id
    )


def _values(noun: Quarantine) -> dict[str, Any]:
    return {
        "project_id": noun.project_id,
        "test_id": noun.test_id,
        "state": noun.state.value,
        "version": noun.version,
        "proposed_by": noun.proposed_by,
        "proposed_via": noun.proposed_via.value,
        "proposed_at": noun.proposed_at,
        "lapses_at": noun.lapses_at,
        "ttl_days": noun.ttl_days,
        "needed": noun.needed,
        "reason": noun.reason,
        "evidence": noun.evidence,
        "fingerprints": list(noun.fingerprints),
        "policy_version": noun.policy_version,
        "votes": [[vote.user, vote.at.isoformat()] for vote in noun.votes],
        "decided_by": noun.decided_by,
        "decided_via": noun.decided_via.value if noun.decided_via else "",
        "decided_detail": noun.decided_detail,
        "decided_at": noun.decided_at,
        "decision_reason": noun.decision_reason,
        "until": noun.until,
        "renewals": noun.renewals,
        "ended_at": noun.ended_at,
    }


def _noun(row: Row[Any]) -> Quarantine:
    data = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    data["state"] = State(data["state"])
    data["proposed_via"] = Via(data["proposed_via"])
    data["decided_via"] = Via(data["decided_via"]) if data["decided_via"] else None
    data["fingerprints"] = tuple(data["fingerprints"])
    data["votes"] = tuple(Vote(user, datetime.fromisoformat(at)) for user, at in data["votes"])
    return Quarantine(**data)
