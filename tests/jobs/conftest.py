import pytest
from fakes.shop import Shop


@pytest.fixture
def shop(database):
    """The shop on each database."""
    return Shop(database)


@pytest.fixture
def small_shop(sqlite_url):
    """The shop on SQLite alone: for what does not depend on the database."""
    from storage.database import Database  # noqa: PLC0415 - beside its only use

    database = Database.open(sqlite_url, pool_size=10)
    yield Shop(database)
    database.close()
