"""Summarize: remember how a run ended when its CI uploads no report."""

from datetime import datetime
from typing import Any

from core.errors import ConflictError
from jobs.desk import Desk
from storage.project import get_project
from storage.summary import find_summary, store_summary


def ingest_summary(
    desk: Desk,
    project_id: int,
    *,
    run_id: str,
    status: str,
    duration_ms: int | None,
    at: datetime | None = None,
) -> dict[str, Any]:
    """Store it once. ConflictError: the run is stored with another ending.

    Without `at` it is now, and telling it again is the same whatever the clock says.
    """
    with desk.database.begin() as tx:
        project = get_project(tx, project_id)
        there = find_summary(tx, project.id, run_id)
        at = at or (there[2] if there else desk.now())
        stored = store_summary(tx, project.id, run_id=run_id, status=status, duration_ms=duration_ms, at=at)
        if stored == "conflict":
            raise ConflictError(f"The run {run_id} is stored with another ending.", run_id=run_id)
    return {
        "run_id": run_id,
        "status": status,
        "duration_ms": duration_ms,
        "timestamp": at.isoformat(),
        "duplicate": stored == "duplicate",
    }
