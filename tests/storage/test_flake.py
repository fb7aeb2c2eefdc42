from datetime import timedelta

import pytest
from fakes.shop import Shop

from storage.flake import count_runs, failures_since, flakes, last_green, newest_result
from storage.result import mark_run
from storage.test_alias import add_alias

HOUR = timedelta(hours=1)


@pytest.fixture
def shop(database):
    return Shop(database)


def found(shop, *names, since, until):
    with shop.database.read() as tx:
        return flakes(tx, shop.project.id, [shop.test_id(name) for name in names], since=since, until=until)


def test_flakes_are_the_runs_a_test_failed_in_within_the_period(shop):
    begun = shop.clock()
    shop.uploads(test_a="flaky", test_b="failed", pr="7")
    shop.clock.pass_(hours=1)
    shop.uploads(test_a="failed")
    shop.clock.pass_(hours=1)
    shop.uploads(test_a="failed")
    all_of_them = found(shop, "test_a", "test_b", since=begun, until=begun + 2 * HOUR)
    assert sorted((one.test_id, one.at, one.pr) for one in all_of_them) == sorted(
        [
            (shop.test_id("test_a"), begun, "7"),
            (shop.test_id("test_b"), begun, "7"),
            (shop.test_id("test_a"), begun + HOUR, ""),
        ]
    )
    assert all_of_them[0].run_seconds > 0


def test_outages_and_other_tests_are_left_out(shop):
    begun = shop.clock()
    answer = shop.uploads(test_a="failed", test_b="failed")
    with shop.database.begin() as tx:
        mark_run(tx, shop.project.id, answer.run_pk, infra=True)
        assert failures_since(tx, shop.project.id, shop.test_id("test_a"), begun) == (0, None)
    assert found(shop, "test_a", since=begun, until=begun + HOUR) == []
    assert found(shop, since=begun, until=begun + HOUR) == []


def test_failures_under_an_older_name_count_for_the_test_of_today(shop):
    begun = shop.clock()
    shop.uploads(test_old="failed")
    shop.clock.pass_(hours=1)
    shop.uploads(test_new="failed")
    old, new = shop.test_id("test_old"), shop.test_id("test_new")
    with shop.database.begin() as tx:
        add_alias(tx, shop.project.id, old, new)
    assert {one.test_id for one in found(shop, "test_new", since=begun, until=begun + 2 * HOUR)} == {new}
    with shop.database.read() as tx:
        assert failures_since(tx, shop.project.id, new, begun) == (2, begun + HOUR)


def test_figures_of_the_project(shop):
    begun = shop.clock()
    with shop.database.read() as tx:
        assert newest_result(tx, shop.project.id) is None
        assert last_green(tx, shop.project.id, before=begun) is None
    shop.uploads(test_a="passed")
    shop.clock.pass_(hours=1)
    shop.uploads(test_a="flaky")
    with shop.database.read() as tx:
        assert newest_result(tx, shop.project.id) == begun + HOUR
        assert count_runs(tx, shop.project.id, since=begun, until=begun + HOUR) == 1
        assert last_green(tx, shop.project.id, before=begun + 9 * HOUR) == begun
