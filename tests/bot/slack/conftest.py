"""A FlakeGuard with a workspace: the real server over a real socket, the strict stand-in for Slack, and people."""

import shutil

import pytest
from fakes.slack import FakeSlack
from fakes.slack_office import MODES, Office, Server, furnish, settings_for
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


@pytest.fixture(params=MODES)
def any_office(request, slack, sqlite_url):
    """One story, one office."""
    with opened(request.param, slack, sqlite_url) as server:
        yield Office(slack, server, furnish(server), wire_for(request.param, slack, server))


@pytest.fixture(scope="module", params=MODES)
def shared_office(request, sqlite_template, tmp_path_factory):
    """One office for all stories that change nothing: a flaky test waits for a decision."""
    path = tmp_path_factory.mktemp("reading") / "flakeguard.db"
    shutil.copyfile(sqlite_template, path)
    with FakeSlack() as slack, opened(request.param, slack, f"sqlite:///{path}") as server:
        office = Office(slack, server, furnish(server), wire_for(request.param, slack, server))
        office.fails_now_and_then()
        office.card("Quarantine test")
        yield office


@pytest.fixture
def reading_office(shared_office):
    """The shared office with nothing said or opened yet."""
    for seen in (shared_office.slack.answers, shared_office.slack.ephemerals, shared_office.slack.views):
        seen.clear()
    return shared_office


def opened(mode, slack, database_url):
    more = {"slack_app_token": slack.app_token} if mode == "socket" else {}
    return Server(settings_for(slack, database_url, **more))


def wire_for(mode, slack, server):
    return SocketWire(slack) if mode == "socket" else HttpWire(server.url, clock=server.clock.stamp)
