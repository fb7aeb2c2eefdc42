"""An office that sends, and receivers on loopback."""

import pytest
from fakes.receiver import Receiver
from fakes.webhook_office import Office


@pytest.fixture
def office(sqlite_url):
    office = Office(sqlite_url)
    yield office
    office.desk.database.close()


@pytest.fixture
def receivers():
    """Make as many as are needed; all are closed when the test ends."""
    made = []

    def receive(*replies, **more):
        made.append(Receiver(*replies, **more))
        return made[-1]

    yield receive
    for one in made:
        one.close()
