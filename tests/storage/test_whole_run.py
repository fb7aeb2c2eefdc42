import gc
from datetime import timedelta
from itertools import islice

import pytest
from results import NOW, case, make_project, report, run_of, store, store_in_transaction

from storage.database import Database
from storage.test_run import RunRecord, stored_runs
from storage.whole_run import runs_in_order


@pytest.fixture
def project(database):
    return make_project(database)


def has_runs(database, project, count, *, at=lambda number: NOW + timedelta(minutes=number)):
    for number in range(count):
        store(database, project, run_of(number, at=at(number)), [case("only")])


def run_ids(found):
    return [one.run.run_id for one in found]


@pytest.mark.parametrize("page", [1, 2, 3, 7, 100])
def test_every_run_comes_once_in_the_order_of_time(database, project, page):
    has_runs(database, project, 7, at=lambda number: NOW - timedelta(hours=number // 3))
    has_runs(database, make_project(database, "acme/other"), 2)
    with database.read() as tx:
        assert run_ids(runs_in_order(tx, project, page=page)) == ["6", "3", "4", "5", "0", "1", "2"]
        assert stored_runs(tx, project) == 7


def test_a_project_without_runs_has_none(database, project):
    with database.read() as tx:
        assert list(runs_in_order(tx, project)) == []


def test_no_more_than_a_page_of_runs_is_held(database, project):
    has_runs(database, project, 30)
    most = 0
    with database.read() as tx:
        for _ in runs_in_order(tx, project, page=5):
            gc.collect()
            most = max(most, sum(isinstance(one, RunRecord) for one in gc.get_objects()))
    assert most <= 2 * 5


def test_runs_stored_meanwhile_neither_repeat_nor_hide_any(database, project):
    has_runs(database, project, 6)
    with database.read() as tx:
        seen = runs_in_order(tx, project, page=2)
        first = run_ids([next(seen)])
        for number in (-1, 100):  # before and after all of them
            store(database, project, run_of(number), report(2))
        assert first + run_ids(seen) == [str(number) for number in range(6)]


def test_a_page_costs_the_same_however_far_along_it_is(sqlite_url):
    database = Database.open(sqlite_url)
    project = make_project(database)
    with database.begin() as tx:
        for number in range(400):
            store_in_transaction(tx, project, run_of(number), [case("only")])
    with database.read() as tx:
        costs = list(page_costs(tx, project, 20))
    database.close()
    assert len(costs) == 400 / 20
    assert costs[-1] < 1.5 * costs[1]


def page_costs(tx, project, page):
    """Steps of SQLite's machine for each page of runs."""
    steps = []
    tx.connection.driver_connection.set_progress_handler(lambda: steps.append(1), 10)
    runs = runs_in_order(tx, project, page=page)
    while list(islice(runs, page)):
        yield len(steps)
        steps.clear()
