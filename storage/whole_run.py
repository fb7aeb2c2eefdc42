"""One run read back whole: what replaying and exporting a history start from."""

from collections.abc import Iterator

import numpy as np
from sqlalchemy import select
from sqlmodel import col

from core.codes import ABSENT, seconds_of, unpack_durations, unpack_outcomes
from core.ids import unpack_ids
from storage.database import Tx
from storage.run_part import Columns, RunPartRow
from storage.test_list import read_lists
from storage.test_run import RunRecord, runs_after

PAGE = 500


def whole_run(tx: Tx, project_id: int, record: RunRecord) -> Iterator[Columns]:
    """The ids, codes and durations of a run, part by part, under the ids its names had when it was stored."""
    query = (
        select(
            col(RunPartRow.list_id),
            col(RunPartRow.extra_ids),
            col(RunPartRow.outcomes),
            col(RunPartRow.durations),
        )
        .where(
            col(RunPartRow.project_id) == project_id,
            col(RunPartRow.at) == record.run.at,
            col(RunPartRow.run_pk) == record.run_pk,
        )
        .order_by(col(RunPartRow.part))
    )
    for list_id, extra, outcomes, durations in tx.execute(query).all():
        members = read_lists(tx, project_id, [list_id])[list_id]
        ids = np.concatenate([members, unpack_ids(extra)]) if extra else members
        codes = unpack_outcomes(outcomes)
        present = codes != ABSENT
        known = (seconds_of(int(bucket)) for bucket in unpack_durations(durations))
        seconds = np.fromiter((np.nan if one is None else one for one in known), np.float64)
        yield Columns(ids[present], codes[present], seconds)


def runs_in_order(tx: Tx, project_id: int, *, page: int = PAGE) -> Iterator[RunRecord]:
    """Every stored run of a project, oldest first; a page of them is held at a time."""
    last: RunRecord | None = None
    while found := runs_after(tx, project_id, last, limit=page):
        yield from found
        last = found[-1]
