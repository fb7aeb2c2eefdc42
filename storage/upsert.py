"""INSERT ... ON CONFLICT in the words of both databases, chosen by the transaction's dialect."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

_COUNTED: Final = {"preserve_rowcount": True}


def insert_into(tx: Connection, table: type[SQLModel]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can be given ON CONFLICT on this database."""
    return postgresql.insert(table) if tx.dialect.name == "postgresql" else sqlite.insert(table)


def insert_ignore(tx: Connection, table: type[SQLModel], values: Mapping[str, Any]) -> bool:
    """Insert unless a unique key of the table is taken; True when it was inserted.

    On PostgreSQL this waits for a concurrent transaction that is inserting the same key, so this is final.
    """
    # inline: without it SQLAlchemy adds RETURNING for the new id, and the count of rows is lost.
    statement = insert_into(tx, table).on_conflict_do_nothing().inline()
    return tx.execute(statement, dict(values), execution_options=_COUNTED).rowcount == 1


def put(tx: Connection, table: type[SQLModel], values: Mapping[str, Any], *, on: Sequence[str]) -> None:
    """Insert, or overwrite every other column of the row with the same `on` columns."""
    put_all(tx, table, [values], on=on)


def put_all(
    tx: Connection, table: type[SQLModel], rows: Sequence[Mapping[str, Any]], *, on: Sequence[str]
) -> None:
    """`put` for many rows with the same columns."""
    if not rows:
        return
    statement = insert_into(tx, table)
    changes = {name: statement.excluded[name] for name in rows[0] if name not in on}
    tx.execute(
        statement.on_conflict_do_update(index_elements=list(on), set_=changes), [dict(row) for row in rows]
    )
