"""INSERT ... ON CONFLICT in the words of both databases, chosen by the transaction's dialect."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

_COUNTED: Final = {"preserve_rowcount": True}


def insert_into(tx: Connection, table: type[SQLModel]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can be given ON CONFLICT on this database."""
    return _insert(tx.dialect.name, table)


def insert_ignore(tx: Connection, table: type[SQLModel], values: Mapping[str, Any]) -> bool:
    """Insert unless a unique key of the table is taken; True when it was inserted.

    On PostgreSQL this waits for a concurrent transaction that is inserting the same key, so this is final.
    """
    statement = _ignore(tx.dialect.name, table)
    return tx.execute(statement, dict(values), execution_options=_COUNTED).rowcount == 1


def put(tx: Connection, table: type[SQLModel], values: Mapping[str, Any], *, on: Sequence[str]) -> None:
    """Insert, or overwrite every other column of the row with the same `on` columns."""
    put_all(tx, table, [values], on=on)


def put_all(
    tx: Connection, table: type[SQLModel], rows: Sequence[Mapping[str, Any]], *, on: Sequence[str]
) -> None:
    """`put` for many rows with the same columns."""
    if rows:
        statement = _put(tx.dialect.name, table, tuple(rows[0]), tuple(on))
        tx.execute(statement, [dict(row) for row in rows])


# Statements are built once: building one takes longer than running it.


def _insert(dialect: str, table: type[SQLModel]) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@cache
def _ignore(dialect: str, table: type[SQLModel]) -> postgresql.Insert | sqlite.Insert:
    # inline: without it SQLAlchemy adds RETURNING for the new id, and the count of rows is lost.
    return _insert(dialect, table).on_conflict_do_nothing().inline()


@cache
def _put(
    dialect: str, table: type[SQLModel], names: tuple[str, ...], on: tuple[str, ...]
) -> postgresql.Insert | sqlite.Insert:
    statement = _insert(dialect, table)
    changes = {name: statement.excluded[name] for name in names if name not in on}
    return statement.on_conflict_do_update(index_elements=list(on), set_=changes)
