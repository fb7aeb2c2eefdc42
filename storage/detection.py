"""What is believed of each test now, and every change of that belief."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Index, func, insert, select
from sqlmodel import Field, SQLModel, col

from storage.columns import BigId, Text, UtcTime
from storage.database import Query, Tx
from storage.upsert import put

BATCH = 500
"""Ids in one statement."""


class DetectionRow(SQLModel, table=True):
    """The current verdict on one test."""

    __tablename__ = "detection"
    __table_args__ = (Index("ix_detection_state", "project_id", "state", "score"),)

    project_id: int = Field(primary_key=True, sa_type=BigId)
    test_id: int = Field(primary_key=True, sa_type=BigId)
    state: str = Field(sa_type=Text)
    score: float
    rate: float
    rate_low: float
    rate_high: float
    confirmed: bool
    updated_at: datetime = Field(sa_type=UtcTime)
    last_failure: datetime | None = Field(default=None, sa_type=UtcTime)


class TransitionRow(SQLModel, table=True):
    """One change of a verdict, with the policy version that was in force."""

    __tablename__ = "detection_transition"
    __table_args__ = (
        Index("ix_transition_at", "project_id", "at"),
        Index("ix_transition_test", "project_id", "test_id", "at"),
    )

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    project_id: int = Field(sa_type=BigId)
    test_id: int = Field(sa_type=BigId)
    at: datetime = Field(sa_type=UtcTime)
    before: str = Field(sa_type=Text)
    after: str = Field(sa_type=Text)
    score: float
    confirmed: bool
    policy_version: int


@dataclass(frozen=True, slots=True)
class Detection:
    """The current verdict on one test, as far as lists show it."""

    test_id: int
    state: str
    score: float
    rate: float
    rate_low: float
    rate_high: float
    confirmed: bool
    updated_at: datetime
    last_failure: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredTransition:
    """One change of verdict."""

    test_id: int
    at: datetime
    before: str
    after: str
    score: float
    confirmed: bool
    policy_version: int


def put_detection(tx: Tx, project_id: int, detection: Detection) -> None:
    """Replace the verdict on a test."""
    put(tx, DetectionRow, {"project_id": project_id, **asdict(detection)}, on=["project_id", "test_id"])


def find_detection(tx: Tx, project_id: int, test_id: int) -> Detection | None:
    """None for a test that never failed."""
    mine = (col(DetectionRow.project_id) == project_id) & (col(DetectionRow.test_id) == test_id)
    row = tx.execute(_detections().where(mine)).first()
    return Detection(*row) if row else None


def detections_of(tx: Tx, project_id: int, test_ids: Iterable[int]) -> dict[int, Detection]:
    """What is believed of these tests, by id; those that never failed are missing."""
    wanted = sorted(set(test_ids))
    found: dict[int, Detection] = {}
    for start in range(0, len(wanted), BATCH):
        some = col(DetectionRow.test_id).in_(wanted[start : start + BATCH])
        rows = tx.execute(_detections().where(col(DetectionRow.project_id) == project_id, some))
        found |= {row.test_id: Detection(*row) for row in rows}
    return found


def detections(
    tx: Tx, project_id: int, *, states: Collection[str] | None = None, limit: int = 50, offset: int = 0
) -> tuple[list[Detection], int]:
    """A page of verdicts, surest first, and how many there are."""
    mine = col(DetectionRow.project_id) == project_id
    if states is not None:
        mine &= col(DetectionRow.state).in_(sorted(states))
    total = tx.execute(select(func.count()).select_from(DetectionRow).where(mine)).scalar_one()
    order = (col(DetectionRow.score).desc(), col(DetectionRow.test_id))
    rows = tx.execute(_detections().where(mine).order_by(*order).limit(limit).offset(offset))
    return [Detection(*row) for row in rows], total


def add_transition(tx: Tx, project_id: int, transition: StoredTransition) -> None:
    """Append one change of verdict."""
    tx.execute(insert(TransitionRow), {"project_id": project_id, **asdict(transition)})


def transitions(
    tx: Tx,
    project_id: int,
    *,
    since: datetime | None = None,
    test_id: int | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[StoredTransition], int]:
    """A page of changes, newest first, and how many there are."""
    mine = col(TransitionRow.project_id) == project_id
    if since is not None:
        mine &= col(TransitionRow.at) >= since
    if test_id is not None:
        mine &= col(TransitionRow.test_id) == test_id
    total = tx.execute(select(func.count()).select_from(TransitionRow).where(mine)).scalar_one()
    query = _transitions().where(mine).order_by(col(TransitionRow.at).desc(), col(TransitionRow.id).desc())
    return [StoredTransition(*row) for row in tx.execute(query.limit(limit).offset(offset))], total


def _detections() -> Query:
    return select(
        col(DetectionRow.test_id),
        col(DetectionRow.state),
        col(DetectionRow.score),
        col(DetectionRow.rate),
        col(DetectionRow.rate_low),
        col(DetectionRow.rate_high),
        col(DetectionRow.confirmed),
        col(DetectionRow.updated_at),
        col(DetectionRow.last_failure),
    )


def _transitions() -> Query:
    return select(
        col(TransitionRow.test_id),
        col(TransitionRow.at),
        col(TransitionRow.before),
        col(TransitionRow.after),
        col(TransitionRow.score),
        col(TransitionRow.confirmed),
        col(TransitionRow.policy_version),
    )
