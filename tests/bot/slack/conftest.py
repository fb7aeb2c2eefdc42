"""A FlakeGuard with a workspace: the real server over a real socket, the strict stand-in for Slack, and people."""

import pytest
from fakes.slack import FakeSlack
from fakes.slack_office import Office, Server, furnish, settings_for
from fakes.slack_people import HttpWire, SocketWire


@pytest.fixture
def slack():
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def office(slack, sqlite_url):
    """Over HTTP, on SQLite: the quickest whole."""
    with Server(settings_for(slack, sqlite_url)) as server:
        yield Office(slack, server, furnish(server), HttpWire(server.url, clock=server.clock.stamp))


@pytest.fixture(params=["http", "socket"])
def any_office(request, slack, sqlite_url):
    """SLACK.md §7 point 17: the same story in both modes."""
    socket = request.param == "socket"
    more = {"slack_app_token": slack.app_token} if socket else {}
    with Server(settings_for(slack, sqlite_url, **more)) as server:
        wire = SocketWire(slack) if socket else HttpWire(server.url, clock=server.clock.stamp)
        yield Office(slack, server, furnish(server), wire)
