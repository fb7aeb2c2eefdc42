"""Fixtures: a server with nothing on it, and one with a project and a token of each scope."""

import shutil

import pytest
from http_server import furnish, serving, settings_for


@pytest.fixture
def empty_server(sqlite_url):
    server = serving(settings_for(sqlite_url))
    yield server
    server.desk.database.close()


@pytest.fixture(scope="session")
def furnished(sqlite_template, tmp_path_factory):
    """A database with one project and a token of each scope, copied for every test."""
    path = tmp_path_factory.mktemp("furnished") / "furnished.db"
    shutil.copyfile(sqlite_template, path)
    return path, furnish(f"sqlite:///{path}")


@pytest.fixture
def furnished_url(furnished, tmp_path):
    path = tmp_path / "server.db"
    shutil.copyfile(furnished[0], path)
    return f"sqlite:///{path}"


@pytest.fixture
def server(furnished, furnished_url):
    """A server with one project and a token of each scope."""
    server = serving(settings_for(furnished_url), furnished[1])
    yield server
    server.desk.database.close()
