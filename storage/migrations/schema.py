"""Bring a database's schema up to date: alembic's steps, then what no step can say for both databases."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from core.errors import DatabaseError
from storage.audit import TRIGGERS
from storage.partition import PARTITIONED, ensure_default
from storage.tables import metadata

HERE = Path(__file__).parent
UPGRADE_LOCK = 7_236_001
"""Two nodes that start together must not both create tables."""
EXTERNAL = (("run_part", "outcomes"), ("run_part", "durations"), ("failure_text", "texts"))
"""Columns that are packed already: PostgreSQL must not try to compress them again."""


def upgrade(engine: Engine) -> None:
    """All steps in one transaction; a second node waits and finds nothing to do."""
    with engine.begin() as connection:
        _alone(connection)
        command.upgrade(config(connection), "head")
        _check(connection)
        settle(connection)


def current(engine: Engine) -> bool:
    """True when the database is at the newest step."""
    newest = ScriptDirectory.from_config(config(None)).get_current_head()
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() != newest:
            return False
        _check(connection)
        return True


def _check(connection: Connection) -> None:
    """Until the first release a step may be remade: then a database can claim to be there and lack what is new."""
    found = {name: columns for (_, name), columns in inspect(connection).get_multi_columns().items()}
    for table in metadata().sorted_tables:
        there = {column["name"] for column in found.get(table.name, ())}
        if lacking := [column.name for column in table.columns if column.name not in there]:
            what = f"{table.name}.{lacking[0]}" if there else f"the table {table.name}"
            raise DatabaseError(
                f"An earlier build of FlakeGuard made this database: it lacks {what}. Nothing was changed. Go on with "
                "that build, or with a new database (FLAKEGUARD_DATABASE_URL), into which `flakeguard import` takes "
                "what that build's `flakeguard export` writes."
            )


def config(connection: Connection | None) -> Config:
    """Alembic's settings, without a file."""
    settings = Config()
    settings.set_main_option("script_location", str(HERE).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


def ours(name: str | None, kind: str, parents: object) -> bool:  # noqa: ARG001 - alembic's signature
    """Leave out partitions, Procrastinate's tables and everything else that is not in the metadata."""
    return kind != "table" or name in metadata().tables


def settle(connection: Connection) -> None:
    """Triggers, default partitions, storage of packed columns; may be repeated."""
    for statement in TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
    ensure_default(connection)
    if connection.dialect.name == "postgresql":
        for table, column in EXTERNAL:
            _external(connection, table, column)


def _external(connection: Connection, table: str, column: str) -> None:
    for name in (table, f"{table}_default"):
        connection.execute(text(f"ALTER TABLE {name} ALTER COLUMN {column} SET STORAGE EXTERNAL"))


def _alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '5min'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})


assert {table for table, _ in EXTERNAL} <= set(PARTITIONED)
