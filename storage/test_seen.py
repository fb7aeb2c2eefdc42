"""When each test was last seen, to the hour: packed blocks instead of an update per test and run."""

import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlmodel import Field, SQLModel, col

from core.ids import Ids
from storage.columns import BigId, Bytes
from storage.database import Tx
from storage.knowledge import Knowledge, knowledge, lock_identities
from storage.upsert import put

BLOCK = 4096
START = datetime(2000, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
Hours = npt.NDArray[np.uint32]


class TestSeenRow(SQLModel, table=True):
    """Hours since 2000 for the ids of one block; 0 for never."""

    __test__ = False
    __tablename__ = "test_seen"
    __table_args__ = ({"sqlite_with_rowid": False},)

    project_id: int = Field(primary_key=True, sa_type=BigId)
    block: int = Field(primary_key=True, sa_type=BigId)
    hours: bytes = Field(sa_type=Bytes)


def note_seen(
    tx: Tx, project_id: int, list_id: int, members: Ids, *, present: npt.NDArray[np.bool_], at: datetime
) -> None:
    """The present tests of a roster ran at this time; an hour is written once per process and test."""
    hour = max(0, (at - START) // HOUR)
    known = knowledge(tx, project_id)
    news = present & ~_noted(known, list_id, hour, len(members))
    if not news.any():
        return
    lock_identities(tx, project_id)
    _write(tx, project_id, members[news], hour)
    known.found.noted[list_id] = (hour, news | _noted(known, list_id, hour, len(members)))


def note_ids(tx: Tx, project_id: int, ids: Ids, at: datetime) -> None:
    """These tests ran at this time."""
    if len(ids):
        lock_identities(tx, project_id)
        _write(tx, project_id, ids, max(0, (at - START) // HOUR))


def last_seen(tx: Tx, project_id: int, test_ids: Sequence[int]) -> dict[int, datetime]:
    """When these tests were last seen."""
    blocks = _read(tx, project_id, {test_id // BLOCK for test_id in test_ids})
    hours = {
        test_id: int(blocks[test_id // BLOCK][test_id % BLOCK])
        for test_id in test_ids
        if test_id // BLOCK in blocks
    }
    return {test_id: START + hour * HOUR for test_id, hour in hours.items() if hour}


def _noted(known: Knowledge, list_id: int, hour: int, count: int) -> npt.NDArray[np.bool_]:
    noted = known.noted(list_id)
    if noted is None or noted[0] < hour:
        return np.zeros(count, np.bool_)
    return noted[1] if noted[0] == hour else np.ones(count, np.bool_)


def _write(tx: Tx, project_id: int, ids: Ids, hour: int) -> None:
    stored = _read(tx, project_id, set((ids // BLOCK).tolist()))
    for block in np.unique(ids // BLOCK).tolist():
        hours = stored.get(block, np.zeros(BLOCK, np.uint32)).copy()
        places = ids[ids // BLOCK == block] % BLOCK
        hours[places] = np.maximum(hours[places], np.uint32(hour))
        packed = zlib.compress(hours.astype("<u4").tobytes(), 1)
        values = {"project_id": project_id, "block": block, "hours": packed}
        put(tx, TestSeenRow, values, on=["project_id", "block"])


def _read(tx: Tx, project_id: int, blocks: Iterable[int]) -> dict[int, Hours]:
    query = select(col(TestSeenRow.block), col(TestSeenRow.hours)).where(
        col(TestSeenRow.project_id) == project_id, col(TestSeenRow.block).in_(sorted(blocks))
    )
    return {block: np.frombuffer(zlib.decompress(hours), "<u4") for block, hours in tx.execute(query)}
