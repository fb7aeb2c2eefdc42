"""Many rows at once: COPY on PostgreSQL, one prepared statement on SQLite."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Dialect
from sqlmodel import SQLModel

from storage.columns import Bytes, Text, storable
from storage.database import Tx

Column = Sequence[Any]
AMONG = 5_000
"""Keys in one question to SQLite, whose smallest limit is 32,766."""


def insert_columns(tx: Tx, table: type[SQLModel], columns: dict[str, Column]) -> None:
    """Insert rows given column by column; the caller knows that no unique key is taken."""
    prepared = [_prepared(table, name, values, tx.dialect) for name, values in columns.items()]
    rows = zip(*prepared, strict=True)
    names = ", ".join(f'"{name}"' for name in columns)
    if tx.dialect.name == "postgresql":
        _copy(tx, f'COPY "{table.__tablename__}" ({names}) FROM STDIN', rows)
    else:
        marks = ", ".join("?" * len(columns))
        tx.exec_driver_sql(
            f'INSERT INTO "{table.__tablename__}" ({names}) VALUES ({marks})',  # noqa: S608 - our own names
            list(rows),
        )


def select_among(
    tx: Tx, table: type[SQLModel], wanted: tuple[str, str], project_id: int, keys: Sequence[bytes]
) -> Iterator[tuple[bytes, Any]]:
    """(key, value) of a project's rows whose key is among these; `wanted` names the two columns.

    Written by hand because SQLAlchemy takes longer to expand a long IN than the databases to answer it.
    """
    key, value = wanted
    head = f'SELECT "{key}", "{value}" FROM "{table.__tablename__}" WHERE project_id = '  # noqa: S608 - our own names
    if tx.dialect.name == "postgresql":
        rows = tx.exec_driver_sql(f'{head}%s AND "{key}" = ANY(%s)', (project_id, list(keys)))
        yield from ((bytes(found), told) for found, told in rows)
        return
    for start in range(0, len(keys), AMONG):
        some = keys[start : start + AMONG]
        marks = ",".join("?" * len(some))
        yield from tx.exec_driver_sql(f'{head}? AND "{key}" IN ({marks})', (project_id, *some))


def _copy(tx: Tx, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    driver: Any = tx.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _prepared(table: type[SQLModel], name: str, values: Column, dialect: Dialect) -> Column:
    kind = table.metadata.tables[str(table.__tablename__)].c[name].type
    if isinstance(kind, Text):
        return _texts(values)
    bind: Callable[[Any], Any] | None = kind.dialect_impl(dialect).bind_processor(dialect)
    if bind is None or isinstance(kind, Bytes):
        return values
    if values.count(values[0]) == len(values):
        return [bind(values[0])] * len(values)
    return [bind(value) for value in values]


def _texts(values: Column) -> Column:
    whole = "".join(values) if None not in values else "\x00"
    if whole.isascii() and "\x00" not in whole:
        return values
    return [value if value is None else storable(value) for value in values]
