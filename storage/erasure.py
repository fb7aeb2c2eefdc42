"""Erasure of a whole project: every row that is its own; the organization's audit log stays."""

from sqlalchemy import delete, select
from sqlmodel import col

from storage.audit import AuditRow
from storage.database import Tx
from storage.project import ProjectRow
from storage.tables import metadata

STAYS = frozenset({AuditRow.__tablename__})


def erase_project(tx: Tx, project_id: int) -> None:
    """Forget it; whoever works on it meanwhile finds that it is gone."""
    mine = col(ProjectRow.id) == project_id
    # Nothing can be added under its name from here on: a row that refers to it would have to wait for this lock.
    tx.execute(select(col(ProjectRow.id)).where(mine).with_for_update())
    for table in reversed(metadata().sorted_tables):
        if "project_id" in table.columns and table.name not in STAYS:
            tx.execute(table.delete().where(table.columns.project_id == project_id))
    tx.execute(delete(ProjectRow).where(mine))
