"""Watches what a database is told by transactions that write, and dies in the middle of one when asked."""

from contextlib import contextmanager

from sqlalchemy import event


class CrashError(Exception):
    """The process died here."""


@contextmanager
def written(database, *, crash_at=None):
    """The statements of all transactions that write, in order; dies after the one told."""
    seen = []

    def after(_connection, _cursor, statement, *_rest):
        seen.append(statement)
        if len(seen) == crash_at:
            raise CrashError

    event.listen(database._write, "after_cursor_execute", after)
    try:
        yield seen
    finally:
        event.remove(database._write, "after_cursor_execute", after)
