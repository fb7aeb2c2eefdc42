from datetime import UTC, datetime, timedelta

import pytest
from results import NOW, case, make_project, report, run_of, store
from sqlalchemy import text

from storage.partition import ensure_partitions
from storage.result import get_runs, history
from storage.retention import drop_before, drop_results, erase_test, tidy
from storage.test_case import count_tests, list_tests

DAY = timedelta(days=1)


@pytest.fixture
def project(database):
    return make_project(database)


def run_on(day, **changes):
    return run_of(day, at=NOW + day * DAY, **changes)


def test_results_of_runs_before_a_time_are_dropped(database, project):
    stored = [store(database, project, run_on(day), report(5, failing={1})) for day in range(0, 100, 10)]
    with database.begin() as tx:
        assert drop_results(tx, before=NOW + 50 * DAY) == 5
    with database.read() as tx:
        assert get_runs(tx, project)[1] == 5
        assert len(history(tx, project, stored[0].failures[0].test_id)) == 5


def test_one_project_is_cleared_without_another(database, project):
    other = make_project(database, "acme/other")
    for owner in (project, other):
        store(database, owner, run_on(1), report(5))
    with database.begin() as tx:
        assert drop_before(tx, project, NOW + 9 * DAY) == 1
    with database.read() as tx:
        assert (get_runs(tx, project)[1], get_runs(tx, other)[1]) == (0, 1)


def test_partitions_made_late_take_the_rows_that_are_there(database, project):
    stored = [store(database, project, run_on(day), report(5, failing={1})) for day in (0, 40, 80)]
    for _ in range(2):
        with database.begin() as tx:
            ensure_partitions(tx, NOW)
    store(database, project, run_on(41), report(5))
    with database.begin() as tx:
        drop_results(tx, before=datetime(2026, 5, 1, tzinfo=UTC))
    with database.read() as tx:
        assert [one.run.run_id for one in history(tx, project, stored[0].failures[0].test_id)] == ["80"]


def test_a_month_is_dropped_as_a_table(database, project):
    if database.dialect == "sqlite":
        pytest.skip("SQLite has no partitions")
    with database.begin() as tx:
        ensure_partitions(tx, NOW)
        drop_results(tx, before=NOW + 40 * DAY)
        names = tx.execute(text(MONTHS)).scalars().all()
    assert names == ["run_part_2026_04", "run_part_2026_05"]


MONTHS = "SELECT relname FROM pg_class WHERE relname LIKE 'run_part_2%' AND relkind = 'r' ORDER BY relname"


def test_an_erased_test_leaves_no_name_and_no_message(database, project):
    cases = [case("secret name", "failed", message="secret message"), *report(70, failing={1})]
    erased = store(database, project, run_of(1), cases).failures[0].test_id
    store(database, project, run_of(2), cases)
    with database.begin() as tx:
        erase_test(tx, project, erased)
    with database.read() as tx:
        assert "secret name" not in {test.key.name for test in list_tests(tx, project, limit=99)[0]}
        others = [history(tx, project, test.id)[0] for test in list_tests(tx, project, limit=99)[0]]
        assert [one.message for one in others if one.message] == ["boom 1"]


def test_the_name_of_an_erased_test_is_a_new_test(database, project):
    cases = [case("again"), *report(70)]
    first = store(database, project, run_of(1), cases)
    store(database, project, run_of(2), cases)
    with database.begin() as tx:
        erase_test(tx, project, int(first.passed_ids[0]))
    again = store(database, project, run_of(3), cases)
    with database.read() as tx:
        assert len(history(tx, project, int(again.passed_ids[-1]))) == 1
        assert count_tests(tx, project) == 71


def test_unused_rosters_go_in_two_steps(database, project):
    store(database, project, run_on(0), report(50))
    store(database, project, run_on(30), report(80))
    with database.begin() as tx:
        drop_results(tx, before=NOW + 10 * DAY)
    counts = []
    for day in (40, 42):
        with database.begin() as tx:
            tidy(tx, NOW + day * DAY)
            counts.append(tx.execute(text("SELECT count(*) FROM test_list")).scalar())
    assert counts == [2, 1]
    stored = store(database, project, run_on(43), report(80))
    with database.read() as tx:
        assert len(history(tx, project, int(stored.passed_ids[0]))) == 2
