"""Retention and erasure: old results go; verdicts, quarantines and the audit log stay."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, delete, exists, func, select, update
from sqlmodel import SQLModel, col

from storage.budget import forget_once
from storage.database import Tx
from storage.detection import DetectionRow, TransitionRow
from storage.failure import FailureRow
from storage.failure_text import FailureTextRow, blank_texts
from storage.knowledge import lock_identities, move_epoch
from storage.merge import MergeRow
from storage.partition import drop_partitions
from storage.roster import JobRosterRow
from storage.run_part import RunPartRow
from storage.scoring import SuspectRow, touch_scoring
from storage.summary import RunSummaryRow
from storage.test_alias import TestAliasRow, canonical, names_of
from storage.test_case import TestCaseRow
from storage.test_chunk import drop_chunks
from storage.test_list import TestListRow
from storage.test_run import TestRunRow

RESULTS: tuple[Any, ...] = (FailureRow, FailureTextRow, RunPartRow, RunSummaryRow, MergeRow)
GRACE = timedelta(days=1)
"""How long an unused roster is kept after it was found unused: a run being stored may still refer to it."""


def drop_results(tx: Tx, *, before: datetime) -> int:
    """Forget the results of all runs that ran before; answers how many runs."""
    return drop_before(tx, None, before)


def drop_before(tx: Tx, project_id: int | None, before: datetime) -> int:
    """The same for one project, or for all of them by dropping whole months where the database can."""
    if project_id is None:
        drop_partitions(tx, before)
    for table in RESULTS:
        tx.execute(delete(table).where(_old(table, project_id, before)))
    return tx.execute(delete(TestRunRow).where(_old(TestRunRow, project_id, before))).rowcount


def tidy(tx: Tx, now: datetime) -> None:
    """Forget rosters no run refers to any more, in two steps a day apart, and names seen only once."""
    forget_once(tx, now)
    unused = ~exists().where(
        col(RunPartRow.project_id) == col(TestListRow.project_id),
        col(RunPartRow.list_id) == col(TestListRow.id),
    ) & ~exists().where(
        col(JobRosterRow.project_id) == col(TestListRow.project_id),
        col(JobRosterRow.list_id) == col(TestListRow.id),
    )
    tx.execute(
        update(TestListRow).where(~unused, col(TestListRow.unused_at).is_not(None)).values(unused_at=None)
    )
    over = unused & (col(TestListRow.unused_at) <= now - GRACE)
    tx.execute(delete(TestListRow).where(over))
    fresh = unused & col(TestListRow.unused_at).is_(None)
    projects = tx.execute(select(col(TestListRow.project_id)).where(fresh).distinct()).scalars().all()
    tx.execute(update(TestListRow).where(fresh).values(unused_at=now))
    for project_id in projects:
        # From here on no process finds these rosters in its memory; the last ones that did are done in a day.
        move_epoch(tx, project_id)


def erase_test(tx: Tx, project_id: int, test_id: int) -> None:
    """Forget what a test was called and how it failed; its packed past keeps a number that names nothing.

    A test of the same name is a new test from then on.
    """
    lock_identities(tx, project_id)
    names = names_of(tx, project_id, canonical(tx, project_id, test_id))
    blank_texts(tx, project_id, _own_texts(tx, project_id, names))
    for table in (FailureRow, DetectionRow, TransitionRow, SuspectRow):
        tx.execute(delete(table).where(_of(table, project_id, names)))
    aliases = (col(TestAliasRow.project_id) == project_id) & col(TestAliasRow.from_test).in_(names)
    tx.execute(delete(TestAliasRow).where(aliases))
    cases = (col(TestCaseRow.project_id) == project_id) & col(TestCaseRow.id).in_(names)
    tx.execute(delete(TestCaseRow).where(cases))
    drop_chunks(tx, project_id)
    touch_scoring(tx, project_id)
    move_epoch(tx, project_id)


def _old(table: Any, project_id: int | None, before: datetime) -> ColumnElement[bool]:
    old = col(table.at) < before
    return old if project_id is None else (col(table.project_id) == project_id) & old


def _of(table: type[SQLModel], project_id: int, names: list[int]) -> ColumnElement[bool]:
    columns = SQLModel.metadata.tables[str(table.__tablename__)].c
    return (columns.project_id == project_id) & columns.test_id.in_(names)


def _own_texts(tx: Tx, project_id: int, names: list[int]) -> list[tuple[datetime, int, int]]:
    """Messages that only these tests failed with."""
    place = (col(FailureRow.at), col(FailureRow.run_pk), col(FailureRow.text))
    mine = col(FailureRow.test_id).in_(names)
    runs = select(col(FailureRow.run_pk)).where(col(FailureRow.project_id) == project_id, mine)
    query = (
        select(*place)
        .where(
            col(FailureRow.project_id) == project_id,
            col(FailureRow.run_pk).in_(runs),
            col(FailureRow.text).is_not(None),
        )
        .group_by(*place)
        .having(func.count() == func.sum(mine.cast(Integer)))
    )
    return [(at, run_pk, number) for at, run_pk, number in tx.execute(query) if number is not None]
