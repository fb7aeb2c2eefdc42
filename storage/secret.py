"""Secrets the server makes for itself, so that several nodes agree on them without being told."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Field, SQLModel, col

from storage.columns import Bytes, Text, UtcTime
from storage.database import Tx
from storage.upsert import insert_ignore


class ServerSecretRow(SQLModel, table=True):
    """One random value by its purpose."""

    __tablename__ = "server_secret"

    name: str = Field(primary_key=True, sa_type=Text)
    value: bytes = Field(sa_type=Bytes)
    created_at: datetime = Field(sa_type=UtcTime)


def find_secret(tx: Tx, name: str) -> bytes | None:
    """None when no node has made it yet."""
    value = tx.execute(select(col(ServerSecretRow.value)).where(col(ServerSecretRow.name) == name)).scalar()
    return None if value is None else bytes(value)


def keep_secret(tx: Tx, name: str, value: bytes, now: datetime) -> bytes:
    """Keep this value unless another node was faster; answers with the one that counts."""
    insert_ignore(tx, ServerSecretRow, {"name": name, "value": value, "created_at": now})
    kept = find_secret(tx, name)
    assert kept is not None
    return kept
