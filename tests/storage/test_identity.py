from dataclasses import replace
from datetime import timedelta

import pytest
from results import NOW, case, make_project, report, run_of, store, store_in_transaction
from sqlalchemy import text

from storage.database import Database
from storage.result import history
from storage.retention import erase_test
from storage.test_case import count_tests


@pytest.fixture
def project(database):
    return make_project(database)


def count(database, table):
    with database.read() as tx:
        return tx.execute(text(f"SELECT count(*) FROM {table}")).scalar()


def ids(stored):
    return stored.passed_ids.tolist()


def test_ids_follow_the_report_s_order(database, project):
    assert ids(store(database, project, run_of(1), report(500))) == list(range(1, 501))


def test_another_process_finds_the_same_ids(database, database_url, project):
    first = [store(database, project, run_of(number), report(300)) for number in range(3)]
    other = Database.open(database_url)
    assert ids(store(other, project, run_of(9), report(300))) == ids(first[0])
    other.close()


def test_shuffled_and_sharded_reports_share_rosters(database, project):
    cases = report(800)
    store(database, project, run_of(0), cases)
    for number in range(1, 9):
        store(database, project, run_of(number), cases[number:] + cases[:number])
        store(database, project, run_of(number, job=f"shard {number}"), cases[number % 4 :: 4])
    assert count(database, "test_list") <= 8


def test_only_blocks_met_twice_are_stored(database, project):
    store(database, project, run_of(0), report(300))
    assert count(database, "test_chunk") == 0
    store(database, project, run_of(1), report(300))
    assert count(database, "test_chunk") > 0


def with_random_names(number, cases=500, fresh=200):
    return [*report(cases), *[case(f"random {number}.{one}", cls="Random") for one in range(fresh)]]


def test_names_that_never_come_again_stop_getting_rows(database, project):
    store(database, project, run_of(0), report(500))
    for number in range(1, 12):
        stored = store(database, project, run_of(number), with_random_names(number))
    assert stored.total == 700
    assert len(stored.passed_ids) == 500
    assert "200 passing tests" in stored.warnings[-1]
    with database.read() as tx:
        assert count_tests(tx, project) <= 500 + 500


def test_a_name_beyond_the_budget_gets_its_row_when_it_comes_again(database, project):
    store(database, project, run_of(0), report(500))
    for number in range(1, 6):
        store(database, project, run_of(number), with_random_names(number))
    new = [*with_random_names(99), case("a real test")]
    before = store(database, project, run_of(99), new)
    after = store(database, project, run_of(100), [*with_random_names(100), case("a real test")])
    assert len(after.passed_ids) == len(before.passed_ids) + 1


def test_a_failing_test_gets_its_row_whatever_the_budget(database, project):
    store(database, project, run_of(0), report(500))
    for number in range(1, 6):
        store(database, project, run_of(number), with_random_names(number))
    failing = store(database, project, run_of(99), [*with_random_names(99), case("fails", "failed")])
    with database.read() as tx:
        assert len(history(tx, project, failing.failures[0].test_id)) == 1


def test_the_budget_is_new_every_day(database, project):
    store(database, project, run_of(0), report(500))
    for number in range(1, 6):
        store(database, project, run_of(number), with_random_names(number))
    tomorrow = replace(run_of(9), at=NOW + timedelta(days=1))
    assert len(store(database, project, tomorrow, with_random_names(9)).passed_ids) == 700


def test_an_erased_id_is_forgotten_by_every_process(database, project):
    """Whoever knew an id before it was erased asks anew."""
    for number in range(3):
        first = store(database, project, run_of(number), report(100))
    with database.begin() as tx:
        erase_test(tx, project, ids(first)[0])
    again = store(database, project, run_of(5), report(100))
    assert ids(again)[-1] == 101
    assert ids(again)[:-1] == ids(first)[1:]


def test_a_savepoint_that_is_rolled_back_leaves_no_wrong_memory(database, project):
    with database.begin() as tx:
        store_in_transaction(tx, project, run_of(0), report(10, prefix="first"))
        savepoint = tx.begin_nested()
        store_in_transaction(tx, project, run_of(1), report(70, prefix="gone"))
        savepoint.rollback()
        kept = store_in_transaction(tx, project, run_of(2), report(70))
    again = store(database, project, run_of(3), report(70))
    gone = store(database, project, run_of(4), report(70, prefix="gone"))
    assert ids(again) == ids(kept)
    assert not set(ids(gone)) & set(ids(kept))
