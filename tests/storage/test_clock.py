from datetime import timedelta

from fakes.shop import Shop

from storage.clock import project_time

DAY = timedelta(days=1)


def clock_of(shop):
    with shop.database.read() as tx:
        return project_time(tx, shop.project.id, shop.clock())


def test_a_living_projects_time_is_the_time(database):
    shop = Shop(database)
    assert clock_of(shop) == shop.clock()
    shop.uploads(test_a="passed")
    shop.clock.pass_(days=3)
    assert clock_of(shop) == shop.clock()


def test_a_history_of_long_ago_goes_on_from_where_it_ended(database):
    shop = Shop(database)
    ended = shop.clock() - 300 * DAY
    shop.uploads(test_a="passed", at=ended)
    shop.uploads(test_a="passed", at=ended - DAY)
    assert clock_of(shop) == ended
    shop.clock.pass_(days=2)
    assert clock_of(shop) == ended + 2 * DAY
