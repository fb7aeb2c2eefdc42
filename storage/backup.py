"""A copy of the SQLite database: one consistent moment, taken while others go on."""

import sqlite3
from contextlib import closing
from pathlib import Path

from storage.database import Tx


def copy_to(tx: Tx, file: Path) -> None:
    """Copy what this transaction sees, page by page, with SQLite's own backup interface."""
    source = tx.connection.driver_connection
    assert isinstance(source, sqlite3.Connection), "only the embedded database is a file of ours"
    with closing(sqlite3.connect(file)) as target:
        source.backup(target)
