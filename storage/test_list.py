"""Rosters: the sorted ids a run's packed columns refer to, stored once for all runs of the same tests."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import UniqueConstraint, select
from sqlmodel import Field, SQLModel, col

from core.ids import Ids, pack_ids, unpack_ids
from storage.columns import BigId, Bytes, UtcTime
from storage.database import Tx
from storage.upsert import insert_ignore


class TestListRow(SQLModel, table=True):
    """One list of sorted ids, found by the hash of its content."""

    __test__ = False
    __tablename__ = "test_list"
    __table_args__ = (UniqueConstraint("project_id", "key"), {"sqlite_autoincrement": True})

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    project_id: int = Field(sa_type=BigId)
    key: bytes = Field(sa_type=Bytes)
    n: int
    ids: bytes = Field(sa_type=Bytes)
    unused_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When no run was found to refer to it any more."""


def list_key(ids: Ids) -> bytes:
    """16 bytes for a sorted list."""
    return hashlib.blake2b(ids.astype("<i8").tobytes(), digest_size=16, person=b"fg list 1").digest()


def find_list(tx: Tx, project_id: int, key: bytes) -> int | None:
    """The id of the list with this content."""
    query = select(col(TestListRow.id)).where(
        col(TestListRow.project_id) == project_id, col(TestListRow.key) == key
    )
    return tx.execute(query).scalar()


def put_list(tx: Tx, project_id: int, ids: Ids) -> int:
    """The id of the list with exactly these ids, made when missing."""
    key = list_key(ids)
    values = {"project_id": project_id, "key": key, "n": len(ids), "ids": pack_ids(ids)}
    known = find_list(tx, project_id, key)
    if known is None:
        insert_ignore(tx, TestListRow, values)
        known = find_list(tx, project_id, key)
    assert known is not None
    return known


def list_ids(tx: Tx, project_id: int) -> list[int]:
    """The ids of every list of a project."""
    return list(
        tx.execute(select(col(TestListRow.id)).where(col(TestListRow.project_id) == project_id)).scalars()
    )


def read_lists(tx: Tx, project_id: int, list_ids: Iterable[int]) -> dict[int, Ids]:
    """These lists."""
    query = select(col(TestListRow.id), col(TestListRow.ids)).where(
        col(TestListRow.project_id) == project_id, col(TestListRow.id).in_(sorted(set(list_ids)))
    )
    return {list_id: unpack_ids(data) for list_id, data in tx.execute(query)}
