"""Chunks: the ids of a block of names, by the hash of the names; they spare a known report ten thousand look-ups."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete
from sqlmodel import Field, SQLModel, col

from core.ids import Ids, pack_signed, unpack_signed
from storage.bulk import select_among
from storage.columns import BigId, Bytes
from storage.database import Tx
from storage.upsert import insert_into


class TestChunkRow(SQLModel, table=True):
    """Some sixty neighbours of a report. Only blocks met twice are stored, or random names would fill the disk."""

    __test__ = False
    __tablename__ = "test_chunk"
    __table_args__ = ({"sqlite_with_rowid": False},)

    project_id: int = Field(primary_key=True, sa_type=BigId)
    key: bytes = Field(primary_key=True, sa_type=Bytes)
    ids: bytes = Field(sa_type=Bytes)


def read_chunks(tx: Tx, project_id: int, keys: Sequence[bytes]) -> dict[bytes, Ids]:
    """Those of the chunks that are known."""
    rows = select_among(tx, TestChunkRow, ("key", "ids"), project_id, keys)
    return {key: unpack_signed(ids) for key, ids in rows}


def add_chunks(tx: Tx, project_id: int, chunks: Mapping[bytes, Ids]) -> None:
    """Remember these; the caller holds the identity lock."""
    rows = [{"project_id": project_id, "key": key, "ids": pack_signed(ids)} for key, ids in chunks.items()]
    if rows:
        tx.execute(insert_into(tx, TestChunkRow).on_conflict_do_nothing(), rows)


def drop_chunks(tx: Tx, project_id: int) -> None:
    """Forget all of a project's chunks: they are only a shortcut and come back by themselves."""
    tx.execute(delete(TestChunkRow).where(col(TestChunkRow.project_id) == project_id))
