"""What a command works on: the settings, the database and a desk without Slack or GitHub."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.errors import DatabaseError
from core.tenancy import Person, Via

if TYPE_CHECKING:
    from bot.settings import Settings
    from jobs.desk import Desk
    from storage.database import Database


def wall_clock() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)  # noqa: TID251 - here the time enters a command


def settings() -> "Settings":
    """From the environment or `.env`."""
    from bot.settings import load_settings

    return load_settings()


def log_level() -> str:
    """The configured level, even when other settings are wrong."""
    from bot.settings import environment

    return environment().get("FLAKEGUARD_LOG_LEVEL", "INFO")


def quiet_logs(level: str) -> None:
    """A command says what it did by itself; its log tells of trouble only, unless more is asked for."""
    from bot.log import configure_logs

    configure_logs("WARNING" if level.upper() == "INFO" else level)


@contextmanager
def opened(*, migrated: bool = True) -> Iterator["Desk"]:
    """A desk on the configured database. What must be said in Slack the server's sweep says."""
    from jobs.desk import Desk
    from storage.database import Database

    configured = settings()
    quiet_logs(configured.log_level)
    database = Database.open(configured.database_url, read_url=configured.read_database_url)
    try:
        if migrated:
            _check_schema(database)
        yield Desk(database=database, now=wall_clock, base_url=configured.base_url)
    finally:
        database.close()


def _check_schema(database: "Database") -> None:
    if database.migrated():
        return
    if database.dialect != "sqlite":
        raise DatabaseError("The database's schema is not up to date; run `flakeguard migrate`.")
    # The embedded database needs no set-up.
    database.migrate()


def operator() -> Person:
    """Whoever runs the command, for what needs no particular person."""
    import getpass

    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    return Person(user=user, via=Via.CLI, detail="command line")


def person(user: str) -> Person:
    """The person named by --by; the policy looks at the person, the audit names the door."""
    return Person(user=user, via=Via.CLI, detail=f"command line ({operator().user})")
