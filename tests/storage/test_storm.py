from datetime import timedelta

import pytest
from fakes.tenant import NOW, a_project
from sqlalchemy.exc import IntegrityError

from core.errors import NotFoundError
from storage.storm import (
    calm_storms,
    end_storm,
    forget_storms,
    get_storm,
    join_storm,
    open_storm,
    running_storm,
    split_since,
    stormy_tests,
)
from storage.storm import (
    tests_of_storm as members_of,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def project(database):
    return a_project(database)


@pytest.fixture
def storm(database, project):
    with database.begin() as tx:
        storm = open_storm(tx, project.id, since=NOW - HOUR, now=NOW)
        join_storm(tx, storm, [7, 5], now=NOW)
        return storm


def test_a_project_has_one_running_storm(database, project, storm):
    with pytest.raises(IntegrityError), database.begin() as tx:
        open_storm(tx, project.id, since=NOW, now=NOW)
    with database.read() as tx:
        assert running_storm(tx, project.id) == storm
        assert running_storm(tx, project.id + 1) is None


def test_a_test_joins_once(database, project, storm):
    with database.begin() as tx:
        assert join_storm(tx, storm, [5, 9], now=NOW + HOUR) == 1
        assert join_storm(tx, storm, [5, 9], now=NOW + 2 * HOUR) == 0
        assert members_of(tx, storm) == [5, 7, 9]
        assert stormy_tests(tx, project.id) == {5, 7, 9}
        assert get_storm(tx, None, storm.id).joined_at == NOW + HOUR


def test_a_storm_nobody_joins_is_calm(database, storm):
    with database.read() as tx:
        assert calm_storms(tx, NOW) == [storm]
        assert calm_storms(tx, NOW - timedelta(seconds=1)) == []


def test_a_storm_ends_once_and_its_tests_are_free(database, project, storm):
    with database.begin() as tx:
        assert end_storm(tx, storm, ended="split", now=NOW)
        assert not end_storm(tx, storm, ended="calm", now=NOW)
        assert get_storm(tx, project.id, storm.id).ended == "split"
        assert stormy_tests(tx, project.id) == set()
        assert split_since(tx, project.id, NOW - HOUR)
        assert not split_since(tx, project.id, NOW)


def test_a_storm_long_over_is_forgotten_with_its_tests(database, project, storm):
    with database.begin() as tx:
        end_storm(tx, storm, ended="calm", now=NOW)
        running = open_storm(tx, project.id, since=NOW, now=NOW)
        join_storm(tx, running, [7], now=NOW)
        assert forget_storms(tx, NOW) == 0
        assert forget_storms(tx, NOW + HOUR) == 1
        assert running_storm(tx, project.id) == running
        assert (members_of(tx, storm), members_of(tx, running)) == ([], [7])
        with pytest.raises(NotFoundError):
            get_storm(tx, project.id, storm.id)


def test_foreign_is_missing(database, project, storm):
    with database.read() as tx, pytest.raises(NotFoundError, match=storm.name):
        get_storm(tx, project.id + 1, storm.id)
