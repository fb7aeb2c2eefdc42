import pytest
from fakes.github_world import World

from storage.database import Database


@pytest.fixture
def world_url(sqlite_url):
    """The database a world uses; a module that proves races asks for both."""
    return sqlite_url


@pytest.fixture
def world_with(world_url):
    """A world with settings of its own."""
    made = []

    def make(**settings):
        database = Database.open(world_url, pool_size=10)
        made.append((World(database, **settings), database))
        return made[-1][0]

    yield make
    for world, database in made:
        world.close()
        database.close()
        assert not world.github.violations


@pytest.fixture
def world(world_with):
    return world_with()
