"""What the scoring engine remembers between runs: one context per project and one small row per suspect."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import Update, bindparam, delete, select, update
from sqlmodel import Field, SQLModel, col

from core.errors import ConflictError
from storage.columns import BigId, Bytes, insert_ignore
from storage.database import Query, Tx
from storage.upsert import put_all

BATCH = 500


class ScoringContextRow(SQLModel, table=True):
    """A project's shared scoring state; `version` counts every change of it or of a suspect."""

    __tablename__ = "scoring_context"

    project_id: int = Field(primary_key=True, sa_type=BigId)
    version: int = Field(sa_type=BigId)
    context: bytes | None = Field(default=None, sa_type=Bytes)


class SuspectRow(SQLModel, table=True):
    """The scoring state of one test that ever failed."""

    __tablename__ = "flake_evidence"

    project_id: int = Field(primary_key=True, sa_type=BigId)
    test_id: int = Field(primary_key=True, sa_type=BigId)
    state: bytes = Field(sa_type=Bytes)


@dataclass(frozen=True, slots=True)
class Scoring:
    """Everything stored for one project; version 0 with no context before the first run."""

    version: int
    context: bytes | None = None
    suspects: Mapping[int, bytes] = field(default_factory=dict)


def scoring_version(tx: Tx, project_id: int, *, lock: bool) -> int:
    """The stored version; with `lock` nobody else scores the project until this transaction ends."""
    query, mine = _version(lock=lock), {"project": project_id}
    version = tx.execute(query, mine).scalar()
    if version is None and lock:
        insert_ignore(tx, ScoringContextRow, {"project_id": project_id, "version": 0, "context": None})
        version = tx.execute(query, mine).scalar_one()
    return version or 0


@cache
def _version(*, lock: bool) -> Query:
    mine = col(ScoringContextRow.project_id) == bindparam("project")
    query = select(col(ScoringContextRow.version)).where(mine)
    return query.with_for_update() if lock else query


def load_scoring(tx: Tx, project_id: int, *, lock: bool) -> Scoring:
    """All of it, for a process that has no (or an outdated) copy in memory."""
    version = scoring_version(tx, project_id, lock=lock)
    context = tx.execute(
        select(col(ScoringContextRow.context)).where(col(ScoringContextRow.project_id) == project_id)
    ).scalar()
    rows = tx.execute(
        select(col(SuspectRow.test_id), col(SuspectRow.state)).where(col(SuspectRow.project_id) == project_id)
    )
    return Scoring(version, context, {row[0]: row[1] for row in rows})


def save_scoring(
    tx: Tx,
    project_id: int,
    version: int,
    context: bytes | None,
    suspects: Mapping[int, bytes | None],
) -> None:
    """Store what changed and make `version` the stored one; ConflictError unless it follows the stored one.

    `context` None leaves it as it is; a suspect of None loses its row.
    """
    _advance(tx, project_id, version, context)
    rows = [
        {"project_id": project_id, "test_id": test_id, "state": state}
        for test_id, state in sorted(suspects.items())
        if state is not None
    ]
    put_all(tx, SuspectRow, rows, on=["project_id", "test_id"])
    _forget(tx, project_id, [test_id for test_id, state in suspects.items() if state is None])


def touch_scoring(tx: Tx, project_id: int) -> None:
    """Make every process read the state anew: a suspect was removed behind its back."""
    mine = col(ScoringContextRow.project_id) == project_id
    tx.execute(update(ScoringContextRow).where(mine).values(version=col(ScoringContextRow.version) + 1))


def _advance(tx: Tx, project_id: int, version: int, context: bytes | None) -> None:
    changes: dict[str, object] = {"project": project_id, "before": version - 1, "version": version}
    if context is not None:
        changes["context"] = context
    if tx.execute(_next_version(context=context is not None), changes).rowcount == 1:
        return
    first = {"project_id": project_id, "version": version, "context": context}
    if version != 1 or not insert_ignore(tx, ScoringContextRow, first):
        raise ConflictError("Somebody else has scored this project meanwhile.", project_id=project_id)


@cache
def _next_version(*, context: bool) -> Update:
    mine = col(ScoringContextRow.project_id) == bindparam("project")
    previous = col(ScoringContextRow.version) == bindparam("before")
    names = ("version", "context") if context else ("version",)
    return update(ScoringContextRow).where(mine, previous).values({name: bindparam(name) for name in names})


def _forget(tx: Tx, project_id: int, tests: list[int]) -> None:
    for start in range(0, len(tests), BATCH):
        some = tests[start : start + BATCH]
        tx.execute(
            delete(SuspectRow).where(
                col(SuspectRow.project_id) == project_id, col(SuspectRow.test_id).in_(some)
            )
        )
