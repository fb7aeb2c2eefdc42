from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fakes.shop import LONG

from core.saying import DigestCard
from jobs.decide import approve
from jobs.digest import compose_digest, post_digest, post_due_digests
from jobs.publish import publish_due
from storage.publication import messages_of
from storage.test_case import set_owner

PARIS = ZoneInfo("Europe/Paris")


def wanted(shop):
    """Local time of every digest asked for."""
    with shop.database.read() as tx:
        found = messages_of(tx, project_id=shop.project.id, kind="digest", subject=shop.project.id)
    return [datetime.fromisoformat(one.payload["until"]) for one in found]


def ticks(shop, *, hours, every=20):
    for _ in range(hours * 60 // every):
        post_due_digests(shop.desk)
        shop.clock.pass_(minutes=every)


@pytest.mark.parametrize(
    "begin",
    [datetime(2026, 3, 27, 20, tzinfo=UTC), datetime(2026, 10, 23, 20, tzinfo=UTC)],
    ids=["spring", "autumn"],
)
@pytest.mark.parametrize("at", ["09:00", "01:30", "02:30", "23:30"])
def test_each_day_has_one_digest_at_its_local_hour_across_summer_time(small_shop, begin, at):
    small_shop.clock.now = begin
    small_shop.hears("C1", digest_time=at, timezone="Europe/Paris")
    ticks(small_shop, hours=24 * 4)
    local = [one.astimezone(PARIS) for one in wanted(small_shop)]
    assert [one.date() for one in local] == [begin.date() + timedelta(days=day) for day in _days(at)]
    assert {f"{one:%H:%M}" for one in local} <= {at, "03:30"}  # 02:30 does not exist in spring


def _days(at):
    return range(4) if at == "23:30" else range(1, 5)


def test_three_nodes_in_the_same_tick_ask_for_one_digest(shop):
    shop.clock.now = shop.clock.now.replace(hour=9)
    desks = [shop.desk, shop.other_desk(), shop.other_desk()]
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(post_due_digests, desks)) == 1
    assert len(wanted(shop)) == 1


def test_each_channel_hears_at_its_own_hour(small_shop):
    small_shop.hears("C2", digest_time="18:00", timezone="America/New_York")
    small_shop.clock.now = small_shop.clock.now.replace(hour=8)
    ticks(small_shop, hours=24)
    assert sorted(one.hour for one in wanted(small_shop)) == [9, 23]


def test_a_digest_the_server_slept_through_is_left_to_the_next_day(small_shop):
    small_shop.clock.now = small_shop.clock.now.replace(hour=15, minute=1)
    post_due_digests(small_shop.desk)
    assert wanted(small_shop) == []


def test_a_changed_hour_does_not_bring_a_second_digest_that_day(small_shop):
    small_shop.clock.now = small_shop.clock.now.replace(hour=9)
    post_due_digests(small_shop.desk)
    small_shop.hears("C1", digest_time="11:00")
    ticks(small_shop, hours=4)
    assert len(wanted(small_shop)) == 1


@pytest.mark.parametrize(("silent", "expected"), [(True, 0), (False, 1)])
def test_no_news_is_silence_or_one_line_as_the_channel_wants(small_shop, silent, expected):
    small_shop.hears("C1", silent_when_quiet=silent)
    small_shop.clock.now = small_shop.clock.now.replace(hour=9)
    ticks(small_shop, hours=2)
    small_shop.publishes()
    assert len(small_shop.chat.shows()) == expected
    assert all(card.quiet for card in small_shop.chat.shows())


def test_a_muted_channel_hears_no_digest(small_shop):
    small_shop.clock.now = small_shop.clock.now.replace(hour=9)
    small_shop.hears("C1", muted_until=small_shop.clock() + timedelta(hours=4))
    post_due_digests(small_shop.desk)
    assert wanted(small_shop) == []


def test_the_digest_tells_what_changed(small_shop):
    shop = small_shop
    first = shop.finds_flaky("test_login", pr="7", branch="feature")
    shop.finds_flaky("test_cart")
    shop.goes_on(1, test_login="flaky", test_cart="passed")
    approve(shop.desk, first.id, by=shop.alice)
    with shop.database.read() as tx:
        card = compose_digest(tx, shop.project, until=shop.clock() + timedelta(minutes=1))
    assert isinstance(card, DigestCard)
    assert (card.failures, card.failures_before, card.tests) == (6, 0, 2)
    assert card.pull_requests == 1
    assert set(card.new) == {"test_login", "test_cart"}
    assert [(row.test.name, row.failed) for row in card.worst] == [("test_login", 4), ("test_cart", 2)]
    assert card.worst[0].runs == LONG + 4
    assert sum(number for _, number in card.daily) == 6
    assert len(card.daily) == card.days
    assert not card.quiet


def test_a_digest_can_be_asked_for_at_once(small_shop):
    small_shop.finds_flaky()
    assert post_digest(small_shop.desk, small_shop.project.id, until=small_shop.clock()) == 1
    publish_due(small_shop.desk)
    assert small_shop.desk.dispatch.woken[-1] == "publish"


def test_the_posted_digest_uses_the_channels_own_zone(small_shop):
    small_shop.hears("C1", digest_time="09:00", timezone="Asia/Tokyo")
    small_shop.clock.now = datetime(2026, 11, 3, 0, 5, tzinfo=UTC)
    post_due_digests(small_shop.desk)
    small_shop.publishes()
    [card] = small_shop.chat.shows()
    assert card.next_digest == datetime(2026, 11, 4, 0, tzinfo=UTC)
    assert card.daily[-1][0] == "2026-11-03"


def test_each_owner_with_news_has_one_reply_in_the_thread(small_shop):
    shop, owners = (
        small_shop,
        {"test_login": "@acme/web", "test_cart": "@acme/web @carol", "test_calm_1": "@idle"},
    )
    shop.flaked_before("test_login", "test_cart")
    shop.uploads(test_login="flaky", test_cart="flaky")
    with shop.database.begin() as tx:
        for name, owner in owners.items():
            set_owner(tx, shop.project.id, shop.test_id(name), owner)
    post_digest(shop.desk, shop.project.id, until=shop.clock() + timedelta(minutes=1))
    shop.publishes()
    replies = [one for one in shop.chat.messages if one.thread and "days" in one.saying.text]
    assert sorted((one.saying.text, one.saying.test_name) for one in replies) == [
        ("acme/web: 4 failures from 2 tests in 14 days; the worst is", "test_login"),
        ("carol: 2 failures from 1 test in 14 days; it is", "test_cart"),
    ]
    assert {one.thread for one in replies} == {
        one.ts for one in shop.chat.messages if "digest" in one.key[:6]
    }
