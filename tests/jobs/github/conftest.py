import pytest
from fakes.github_world import World

from storage.database import Database


@pytest.fixture
def world(sqlite_url):
    database = Database.open(sqlite_url, pool_size=10)
    world = World(database)
    yield world
    world.close()
    database.close()
    assert not world.github.violations
