"""SQLite's write-ahead log, with which readers and the writer do not wait for one another."""

import sqlite3
import time

from sqlalchemy.engine.interfaces import DBAPICursor

PAUSE = 0.02


def switch_on(cursor: DBAPICursor, *, patience: float) -> None:
    """Give the file its log, unless it has one; wait up to `patience` seconds for others who are at it.

    The switch reads first and writes then. SQLite asks no busy handler for that second step, lest two readers
    who both want to write wait for each other: beside another writer it fails at once, whatever the timeout.
    https://www.sqlite.org/c3ref/busy_handler.html
    """
    until = time.monotonic() + patience
    while not _is_on(cursor):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not _busy(error) or time.monotonic() > until:
                raise
            time.sleep(PAUSE)
        else:
            return  # a database in memory keeps its own mode


def _is_on(cursor: DBAPICursor) -> bool:
    """The file remembers: after the very first connection, asking is all it takes."""
    cursor.execute("PRAGMA journal_mode")
    return cursor.fetchone() == ("wal",)


def _busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
