"""Monthly partitions on PostgreSQL: made ahead, dropped whole by retention. SQLite has none, and needs none."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection, text

PARTITIONED = ("run_part", "failure", "failure_text")
MONTHS_AHEAD = 2
MOST_MONTHS = 120
"""Months of imported history that get partitions of their own at once."""
_NAME = re.compile(r"_(\d{4})_(\d\d)$")


def ensure_default(connection: Connection) -> None:
    """The partition that takes what no month takes, so that a late or early run is never refused."""
    if connection.dialect.name == "postgresql":
        for table in PARTITIONED:
            connection.exec_driver_sql(
                f"CREATE TABLE IF NOT EXISTS {table}_default PARTITION OF {table} DEFAULT"
            )


def ensure_partitions(tx: Connection, now: datetime) -> None:
    """Partitions for this month, the next two, and every month whose rows lie in the default partition."""
    if tx.dialect.name != "postgresql":
        return
    ahead = [_month(now, step) for step in range(MONTHS_AHEAD + 1)]
    for table in PARTITIONED:
        wanted = {*ahead, *_months_in_default(tx, table)}
        for start in sorted(wanted - set(_months(tx, table))):
            _create(tx, table, start)


def drop_partitions(tx: Connection, before: datetime) -> None:
    """Whole months that ended before; what is left of a month is the caller's part."""
    if tx.dialect.name != "postgresql":
        return
    for table in PARTITIONED:
        for start in _months(tx, table):
            if _month(start, 1) <= before:
                tx.exec_driver_sql(f"DROP TABLE {_name(table, start)}")


def _month(moment: datetime, later: int) -> datetime:
    months = moment.year * 12 + moment.month - 1 + later
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def _name(table: str, start: datetime) -> str:
    return f"{table}_{start:%Y_%m}"


def _months(tx: Connection, table: str) -> Iterator[datetime]:
    names = text(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)"
    )
    for name in tx.execute(names, {"table": table}).scalars().all():
        if found := _NAME.search(name):
            yield datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)


def _months_in_default(tx: Connection, table: str) -> list[datetime]:
    months = (
        f"SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'UTC') AS month FROM {table}_default "  # noqa: S608 - our own names
        f"ORDER BY month DESC LIMIT {MOST_MONTHS}"
    )
    return [month.replace(tzinfo=UTC) for month in tx.exec_driver_sql(months).scalars()]


def _create(tx: Connection, table: str, start: datetime) -> None:
    """A month that has rows in the default partition takes them along: PostgreSQL refuses it otherwise."""
    name, stop = _name(table, start), _month(start, 1)
    low, high = f"'{start.isoformat()}'", f"'{stop.isoformat()}'"
    tx.exec_driver_sql(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING STORAGE)")
    tx.exec_driver_sql(
        f"WITH moved AS (DELETE FROM {table}_default WHERE at >= {low} AND at < {high} RETURNING *) "  # noqa: S608
        f"INSERT INTO {name} SELECT * FROM moved"
    )
    tx.exec_driver_sql(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({low}) TO ({high})")
