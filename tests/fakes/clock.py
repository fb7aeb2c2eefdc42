"""A clock the test sets."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Call it for the time; nothing moves it but the test."""

    def __init__(self, now=datetime(2026, 11, 2, 12, tzinfo=UTC)):
        self.now = now

    def __call__(self):
        return self.now

    def pass_(self, **period):
        self.now += timedelta(**period)
        return self.now
