"""What time it is in a project: the time of its newest run, and what has passed since that run came in."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import col

from storage.database import Tx
from storage.test_run import TestRunRow


def project_time(tx: Tx, project_id: int, now: datetime) -> datetime:
    """For a living project this is now; for an imported history it goes on from where that ended.

    By the wall clock every test of last year's history would be stale before anybody has looked at it.
    """
    query = (
        select(col(TestRunRow.at), col(TestRunRow.received_at))
        .where(col(TestRunRow.project_id) == project_id)
        .order_by(col(TestRunRow.at).desc(), col(TestRunRow.id).desc())
        .limit(1)
    )
    newest = tx.execute(query).first()
    if newest is None:
        return now
    at, received_at = newest
    return at + max(now - received_at, timedelta())
