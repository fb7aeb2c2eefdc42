"""Fixtures: browsers, and a server whose repository has a past."""

import shutil

import pytest
from fakes.browser import Browser, lives, opened
from http_server import furnish


@pytest.fixture(scope="session")
def lived_in(sqlite_template, tmp_path_factory):
    """One project with every scope's token, a flaky test, a hostile name and a quarantine of each kind."""
    path = tmp_path_factory.mktemp("lived-in") / "lived-in.db"
    shutil.copyfile(sqlite_template, path)
    tokens = furnish(f"sqlite:///{path}")
    server = opened(f"sqlite:///{path}", tokens)
    server.tests = lives(server)
    server.desk.database.close()
    return path, tokens, server.tests


@pytest.fixture
def server(lived_in, tmp_path):
    """A server whose repository has a past."""
    path, tokens, tests = lived_in
    shutil.copyfile(path, tmp_path / "server.db")
    server = opened(f"sqlite:///{tmp_path / 'server.db'}", tokens)
    server.tests = tests
    yield server
    server.desk.database.close()


@pytest.fixture
def empty_server(sqlite_url):
    """A server on which nothing is yet."""
    server = opened(sqlite_url)
    yield server
    server.desk.database.close()


@pytest.fixture
def stranger(server):
    """A browser nobody is signed in with."""
    return Browser(server)


@pytest.fixture
def reader(server):
    """Somebody of workspace T1, signed in through Slack."""
    browser = Browser(server)
    assert browser.enters(browser.link()).status_code == 303
    return browser


@pytest.fixture
def newcomer(empty_server):
    """Signed in where nothing is yet."""
    browser = Browser(empty_server)
    assert browser.enters(browser.link()).status_code == 303
    return browser
