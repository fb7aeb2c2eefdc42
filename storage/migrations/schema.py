"""Bring a database's schema up to date."""

from sqlalchemy import Engine, inspect

from storage.partition import ensure_default
from storage.tables import metadata


def upgrade(engine: Engine) -> None:
    """Create what is missing."""
    with engine.begin() as connection:
        metadata().create_all(connection)
        ensure_default(connection)


def current(engine: Engine) -> bool:
    """True when every table exists."""
    with engine.connect() as connection:
        return set(metadata().tables) <= set(inspect(connection).get_table_names())
