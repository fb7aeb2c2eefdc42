"""Attempts of workflow runs that were seen, and what became of their artifacts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Index, Row, and_, delete, func, select, update
from sqlmodel import Field, SQLModel, col

from core.run import Trust
from storage.columns import BigId, Json, Text, UtcTime, insert_ignore
from storage.database import Tx

ArtifactState = Literal["read", "other", "refused"]
"""read: its reports are stored; other: not test reports; refused: it could not be read, and why."""


class WorkflowRunRow(SQLModel, table=True):
    """One attempt; `collected_at` is set once its artifacts have been dealt with."""

    __tablename__ = "workflow_run"
    __table_args__ = (
        Index("ix_workflow_run_commit", "project_id", "head_sha"),
        Index("ix_workflow_run_workflow", "project_id", "workflow", "collected_at"),
        Index("ix_workflow_run_pull", "project_id", "pr", "run_id"),
    )

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=BigId)
    run_id: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    attempt: int = Field(primary_key=True)
    workflow: str = Field(sa_type=Text)
    head_sha: str = Field(sa_type=Text)
    event: str = Field(sa_type=Text)
    conclusion: str = Field(sa_type=Text)
    trust: str = Field(sa_type=Text)
    pr: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcTime)
    collected_at: datetime | None = Field(sa_type=UtcTime)
    note: str = Field(sa_type=Text)
    """Why there are no results, in our own words."""


class ArtifactRow(SQLModel, table=True):
    """One artifact and what was read from it; `report` is what the check run shows."""

    __tablename__ = "github_artifact"
    __table_args__ = (Index("ix_github_artifact_run", "project_id", "run_id", "attempt"),)

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=BigId)
    artifact_id: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    run_id: int = Field(sa_type=BigId)
    attempt: int
    name: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    inferred: bool
    """Only its creation time told the attempt."""
    report: dict[str, Any] = Field(sa_type=Json)
    at: datetime = Field(sa_type=UtcTime)


@dataclass(frozen=True, slots=True)
class SeenRun:
    """One attempt of a workflow run."""

    run_id: int
    attempt: int
    workflow: str
    head_sha: str
    event: str
    conclusion: str
    trust: Trust
    pr: str
    url: str
    at: datetime
    collected_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SeenArtifact:
    """One artifact that has been dealt with."""

    artifact_id: int
    run_id: int
    attempt: int
    name: str
    state: ArtifactState
    digest: str = ""
    reason: str = ""
    inferred: bool = False
    report: dict[str, Any] | None = None


def put_workflow_run(tx: Tx, project_id: int, run: SeenRun) -> None:
    """Remember an attempt; seen again, only what may have become known later is changed."""
    values = {name: getattr(run, name) for name in SeenRun.__slots__}
    if insert_ignore(tx, WorkflowRunRow, {"project_id": project_id, **values, "trust": run.trust.value}):
        return
    tx.execute(
        update(WorkflowRunRow)
        .where(_attempt(project_id, run.run_id, run.attempt))
        .values(conclusion=run.conclusion)
    )


def note_pull(tx: Tx, project_id: int, run_id: int, attempt: int, pull: int) -> None:
    """The attempt's commit is the head of this pull request."""
    tx.execute(update(WorkflowRunRow).where(_attempt(project_id, run_id, attempt)).values(pr=str(pull)))


def collected(tx: Tx, project_id: int, run_id: int, attempt: int, *, note: str, now: datetime) -> None:
    """The attempt's artifacts have been dealt with."""
    tx.execute(
        update(WorkflowRunRow)
        .where(_attempt(project_id, run_id, attempt))
        .values(collected_at=now, note=note[:500])
    )


def find_workflow_run(tx: Tx, project_id: int, run_id: int, attempt: int) -> SeenRun | None:
    """One attempt, or None when it was never seen."""
    row = tx.execute(select(WorkflowRunRow).where(_attempt(project_id, run_id, attempt))).one_or_none()
    return None if row is None else _run(row)


def newest_attempts(tx: Tx, project_id: int, head_sha: str, workflow: str) -> Sequence[SeenRun]:
    """The newest collected attempt of each run of a workflow on a commit (there may be several runs)."""
    rows = tx.execute(
        select(WorkflowRunRow)
        .where(
            col(WorkflowRunRow.project_id) == project_id,
            col(WorkflowRunRow.head_sha) == head_sha,
            col(WorkflowRunRow.workflow) == workflow,
            col(WorkflowRunRow.collected_at).is_not(None),
        )
        .order_by(col(WorkflowRunRow.run_id), col(WorkflowRunRow.attempt))
    )
    return list({row.run_id: _run(row) for row in rows}.values())


def pull_of_commit(tx: Tx, project_id: int, head_sha: str) -> int | None:
    """The pull request whose head this commit is or was."""
    mine = and_(col(WorkflowRunRow.project_id) == project_id, col(WorkflowRunRow.head_sha) == head_sha)
    query = select(col(WorkflowRunRow.pr)).where(mine, col(WorkflowRunRow.pr) != "")
    number = tx.execute(query.order_by(col(WorkflowRunRow.run_id).desc()).limit(1)).scalar()
    return int(number) if number and number.isdecimal() else None


def newest_commit_of_pull(tx: Tx, project_id: int, pull: int) -> str:
    """The commit a pull request was last seen at."""
    mine = and_(col(WorkflowRunRow.project_id) == project_id, col(WorkflowRunRow.pr) == str(pull))
    newest = (col(WorkflowRunRow.run_id).desc(), col(WorkflowRunRow.attempt).desc())
    query = select(col(WorkflowRunRow.head_sha)).where(mine).order_by(*newest)
    return str(tx.execute(query.limit(1)).scalar() or "")


def has_reported(tx: Tx, project_id: int, workflow: str | None = None) -> bool:
    """True when this workflow (or any of the project) has ever brought a readable report."""
    query = (
        select(col(ArtifactRow.artifact_id))
        .join(
            WorkflowRunRow,
            (col(WorkflowRunRow.project_id) == col(ArtifactRow.project_id))
            & (col(WorkflowRunRow.run_id) == col(ArtifactRow.run_id))
            & (col(WorkflowRunRow.attempt) == col(ArtifactRow.attempt)),
        )
        .where(col(ArtifactRow.project_id) == project_id, col(ArtifactRow.state) == "read")
    )
    if workflow is not None:
        query = query.where(col(WorkflowRunRow.workflow) == workflow)
    return tx.execute(query.limit(1)).first() is not None


def put_artifact(tx: Tx, project_id: int, artifact: SeenArtifact, *, now: datetime) -> bool:
    """An artifact has been dealt with; False when it had been before."""
    values = {name: getattr(artifact, name) for name in SeenArtifact.__slots__}
    values |= {"report": artifact.report or {}, "reason": artifact.reason[:500], "at": now}
    return insert_ignore(tx, ArtifactRow, {"project_id": project_id, **values})


def artifacts_of(tx: Tx, project_id: int, run_id: int) -> Sequence[SeenArtifact]:
    """Every artifact of a run that has been dealt with, of all attempts."""
    query = select(ArtifactRow).where(
        col(ArtifactRow.project_id) == project_id, col(ArtifactRow.run_id) == run_id
    )
    rows = tx.execute(query.order_by(col(ArtifactRow.artifact_id)))
    return [_artifact(row) for row in rows]


def uncollected(tx: Tx, project_id: int, before: datetime) -> int:
    """How many attempts wait for their artifacts since before."""
    query = select(func.count()).where(
        col(WorkflowRunRow.project_id) == project_id,
        col(WorkflowRunRow.collected_at).is_(None),
        col(WorkflowRunRow.at) < before,
    )
    return int(tx.execute(query).scalar_one())


def forget_workflow_runs(tx: Tx, before: datetime) -> int:
    """Drop attempts and artifacts older than `before`; the results they brought are kept elsewhere."""
    tx.execute(delete(ArtifactRow).where(col(ArtifactRow.at) < before))
    return int(tx.execute(delete(WorkflowRunRow).where(col(WorkflowRunRow.at) < before)).rowcount)


def _attempt(project_id: int, run_id: int, attempt: int) -> Any:
    return (
        (col(WorkflowRunRow.project_id) == project_id)
        & (col(WorkflowRunRow.run_id) == run_id)
        & (col(WorkflowRunRow.attempt) == attempt)
    )


def _run(row: Row[Any]) -> SeenRun:
    data = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    values = {name: data[name] for name in SeenRun.__slots__}
    return SeenRun(**{**values, "trust": Trust(values["trust"])})


def _artifact(row: Row[Any]) -> SeenArtifact:
    data = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return SeenArtifact(**{name: data[name] for name in SeenArtifact.__slots__})
