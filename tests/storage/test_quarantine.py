from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from fakes.tenant import NOW, a_draft, a_project
from sqlalchemy import text

from core.errors import ConflictError, NotFoundError
from core.quarantine import State, Vote
from core.tenancy import Via
from storage.quarantine import (
    add_quarantine,
    cooling_tests,
    count_in_force,
    due_quarantines,
    etag,
    get_quarantine,
    in_force,
    latest_quarantine_of,
    list_quarantines,
    open_quarantine_of,
    open_tests,
    quarantines_by_id,
    rested_tests,
    standing,
    swap_quarantine,
)
from storage.quarantine import tests_in_force as known_in_force
from storage.test_alias import TestAliasRow
from storage.upsert import insert_ignore

DAY = timedelta(days=1)


@pytest.fixture
def project(database):
    return a_project(database)


@pytest.fixture
def stored(database, project):
    """Store a quarantine of a test in the state asked for."""

    def store(test_id=5, **changes):
        with database.begin() as tx:
            return add_quarantine(tx, a_draft(project, test_id, **changes))

    return store


def active(test_id, **changes):
    return {"test_id": test_id, "state": State.ACTIVE, "until": NOW + 14 * DAY, **changes}


def test_what_is_stored_comes_back_whole(database, stored):
    one = stored(votes=(Vote("alice", NOW),), decided_via=Via.SLACK, decided_at=NOW, until=NOW + DAY)
    with database.read() as tx:
        assert get_quarantine(tx, one.project_id, one.id) == one
        assert get_quarantine(tx, None, one.id) == one
    assert one.id > 0
    assert one.votes == (Vote("alice", NOW),)


def test_a_test_has_one_open_quarantine(database, stored):
    stored()
    with pytest.raises(ConflictError, match="already has"):
        stored()


def test_once_it_is_over_the_next_may_begin(database, project, stored):
    first = stored(state=State.DENIED)
    second = stored()
    with database.read() as tx:
        assert open_quarantine_of(tx, project.id, 5) == second
        assert latest_quarantine_of(tx, project.id, 5) == second
        assert list_quarantines(tx, project.id, test_id=5) == ([second, first], 2)


def test_many_proposing_the_same_test_at_once_get_one_quarantine(database, project):
    def propose(_):
        try:
            with database.begin() as tx:
                return add_quarantine(tx, a_draft(project)).id
        except ConflictError:
            return None

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(propose, range(8)))
    assert sum(one is not None for one in ids) == 1


def test_foreign_is_missing(database, stored):
    one = stored()
    with database.read() as tx, pytest.raises(NotFoundError, match=f"q-{one.id}"):
        get_quarantine(tx, one.project_id + 1, one.id)


def test_only_the_first_swap_of_a_version_succeeds(database, stored):
    before = stored()
    with database.begin() as tx:
        assert swap_quarantine(tx, before, replace(before, state=State.ACTIVE, version=2))
        assert not swap_quarantine(tx, before, replace(before, state=State.DENIED, version=2))
        assert get_quarantine(tx, None, before.id).state is State.ACTIVE


def test_in_force_are_the_active_and_the_expiring(database, project, stored):
    stored(1)
    two, three = stored(**active(2)), stored(**active(3, state=State.EXPIRING))
    stored(**active(4, state=State.RELEASED))
    with database.read() as tx:
        assert in_force(tx, project.id) == {2: two, 3: three}
        assert count_in_force(tx, project.id) == 2
        assert open_tests(tx, project.id) == {1, 2, 3}
        assert in_force(tx, project.id + 1) == {}


def test_a_renamed_test_keeps_its_quarantine(database, project, stored):
    one = stored(**active(2))
    with database.begin() as tx:
        insert_ignore(tx, TestAliasRow, {"project_id": project.id, "from_test": 2, "to_test": 9})
    with database.read() as tx:
        assert in_force(tx, project.id) == {9: one}
        assert open_tests(tx, project.id) == {9}


def test_a_denied_test_rests_until_its_time(database, project, stored):
    stored(1, state=State.DENIED, until=NOW + DAY)
    stored(2, state=State.DENIED, until=NOW)
    with database.read() as tx:
        assert cooling_tests(tx, project.id, NOW) == {1}


def test_a_released_or_lapsed_test_rests_too(database, project, stored):
    stored(1, state=State.RELEASED, ended_at=NOW)
    stored(2, state=State.LAPSED, ended_at=NOW)
    stored(3, state=State.EXPIRED, ended_at=NOW)
    stored(4, state=State.RELEASED, ended_at=NOW - 20 * DAY)
    with database.read() as tx:
        assert rested_tests(tx, project.id, NOW - DAY) == {1, 2}


def test_due_is_what_the_clock_may_change(database, project, stored):
    lapsing = stored(1, lapses_at=NOW)
    stored(2)
    warning = stored(**active(3, until=NOW + 3 * DAY))
    stored(**active(4, until=NOW + 4 * DAY))
    ending = stored(**active(5, state=State.EXPIRING, until=NOW))
    stored(**active(6, state=State.EXPIRING, until=NOW + DAY))
    stored(**active(7, state=State.RELEASED, until=NOW))
    with database.read() as tx:
        assert list(due_quarantines(tx, NOW, NOW + 3 * DAY)) == [lapsing, warning, ending]


def test_pages_are_newest_first_and_know_the_whole(database, project, stored):
    ids = [stored(number).id for number in range(1, 6)]
    with database.read() as tx:
        page, total = list_quarantines(tx, project.id, states=[State.PROPOSED], limit=2, offset=1)
    assert [one.id for one in page] == ids[3:1:-1]
    assert total == 5


def test_the_etag_changes_with_the_list_and_not_with_its_order(stored):
    one, two = stored(1), stored(2)
    first, second = (one.id, one.version), (two.id, two.version)
    assert etag([first, second]) == etag([second, first])
    assert len({etag([]), etag([first]), etag([first, second]), etag([(one.id, 2), second])}) == 4


def test_what_stands_is_told_by_id_and_version_alone(database, project, stored):
    stored(1)
    two, three = stored(**active(2, version=3)), stored(**active(3, state=State.EXPIRING))
    with database.read() as tx:
        assert standing(tx, project.id) == [(two.id, 3), (three.id, 1)]
        assert quarantines_by_id(tx, project.id, [three.id, two.id, 99]) == [two, three]
        assert quarantines_by_id(tx, project.id + 1, [two.id]) == []


def test_of_two_names_of_one_test_one_stands(database, project, stored):
    stored(**active(2))
    newer = stored(**active(3))
    with database.begin() as tx:
        insert_ignore(tx, TestAliasRow, {"project_id": project.id, "from_test": 2, "to_test": 3})
    with database.read() as tx:
        assert standing(tx, project.id) == [(newer.id, newer.version)]


def test_of_some_tests_only_their_quarantines_are_read(database, project, stored):
    two, three = stored(**active(2)), stored(**active(3))
    with database.begin() as tx:
        insert_ignore(tx, TestAliasRow, {"project_id": project.id, "from_test": 3, "to_test": 9})
    with database.read() as tx:
        assert in_force(tx, project.id, {2, 5}) == {2: two}
        assert in_force(tx, project.id, {9}) == {9: three}
        assert in_force(tx, project.id, {3}) == {}
        assert in_force(tx, project.id, set()) == {}
        assert in_force(tx, project.id, range(1000)) == in_force(tx, project.id) == {2: two, 9: three}
        assert known_in_force(tx, project.id) == {2, 9}


def test_a_quarantine_of_another_test_is_not_read(database, project, stored):
    one = stored(**active(2))
    stored(**active(3))
    if database.dialect != "sqlite":
        pytest.skip("PostgreSQL keeps no text that cannot be read as JSON")
    with database.begin() as tx:
        tx.execute(text("UPDATE quarantine SET evidence = 'unreadable' WHERE test_id = 3"))
    with database.read() as tx:
        assert in_force(tx, project.id, {2, 4}) == {2: one}


def test_what_stands_is_told_without_reading_any_evidence(database, project, stored):
    one = stored(**active(2))
    if database.dialect != "sqlite":
        pytest.skip("PostgreSQL keeps no text that cannot be read as JSON")
    with database.begin() as tx:
        tx.execute(text("UPDATE quarantine SET evidence = 'unreadable'"))
    with database.read() as tx:
        assert standing(tx, project.id) == [(one.id, one.version)]
