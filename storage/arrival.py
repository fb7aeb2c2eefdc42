"""How many of the CI runs there were have brought results: known only where CI tells of its runs."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from storage.database import Tx
from storage.workflow_run import ArtifactRow, WorkflowRunRow


def arrivals(tx: Tx, project_id: int, *, since: datetime, until: datetime) -> tuple[int, int]:
    """(brought results, should have) of the finished runs in the period, of workflows that ever brought any."""
    run, artifact = WorkflowRunRow, ArtifactRow
    read = (
        (col(artifact.project_id) == col(run.project_id))
        & (col(artifact.run_id) == col(run.run_id))
        & (col(artifact.state) == "read")
    )
    brought = select(col(artifact.artifact_id)).where(read).exists()
    reporting = select(col(run.workflow)).where(col(run.project_id) == project_id, brought)
    rows = tx.execute(
        select(col(run.run_id), brought.label("brought"))
        .where(
            col(run.project_id) == project_id,
            col(run.at) >= since,
            col(run.at) < until,
            col(run.conclusion).in_(["success", "failure"]),
            col(run.workflow).in_(reporting),
        )
        .distinct()
    ).all()
    return sum(bool(row.brought) for row in rows), len(rows)
