from datetime import timedelta

from core.quarantine import State
from jobs.decide import approve, deny, release
from jobs.expire import expire_due
from jobs.sweep import sweep_project, sweep_projects
from storage.detection import detections, find_detection

DAY = timedelta(days=1)


def swept(shop):
    return sweep_project(shop.desk, shop.project.id)


def test_time_alone_retires_what_is_not_seen_any_more(shop):
    proposal = shop.finds_flaky()
    shop.goes_on(20, every=24)
    swept(shop)
    with shop.database.read() as tx:
        assert find_detection(tx, shop.project.id, proposal.test_id).state == "retired"
    assert shop.now(proposal).state is State.WITHDRAWN


def test_silence_lowers_the_stored_score(small_shop):
    shop = small_shop
    proposal = shop.finds_flaky()
    with shop.database.read() as tx:
        before = find_detection(tx, shop.project.id, proposal.test_id).score
    shop.goes_on(2, every=6, test_login="passed")
    swept(shop)
    with shop.database.read() as tx:
        assert find_detection(tx, shop.project.id, proposal.test_id).score < before


def test_a_denied_test_is_asked_about_again_only_when_its_rest_is_over_and_it_fails_again(small_shop):
    shop = small_shop
    first = shop.finds_flaky()
    deny(shop.desk, first.id, by=shop.alice, reason="No", cooldown_days=2)
    shop.goes_on(1, every=6, test_login="flaky")
    swept(shop)
    assert shop.latest("test_login").id == first.id
    shop.clock.pass_(days=2)
    swept(shop)
    assert shop.latest("test_login").id > first.id


def test_a_released_test_is_left_to_whoever_released_it(small_shop):
    shop = small_shop
    first = shop.finds_flaky()
    approve(shop.desk, first.id, by=shop.alice)
    release(shop.desk, first.id, by=shop.bob)
    shop.goes_on(1, every=6, test_login="flaky")
    swept(shop)
    assert shop.latest("test_login").id == first.id


def test_an_expired_quarantine_is_asked_about_again_when_the_test_still_flakes(small_shop):
    shop = small_shop
    first = shop.finds_flaky()
    approve(shop.desk, first.id, by=shop.alice)
    shop.goes_on(14, test_login="flaky")
    shop.clock.pass_(hours=2)
    expire_due(shop.desk)
    shop.goes_on(1, test_login="flaky")
    swept(shop)
    assert shop.latest("test_login").id > first.id


def test_a_channel_that_joins_later_gets_the_cards_that_wait(small_shop):
    shop = small_shop
    shop.finds_flaky()
    shop.publishes()
    shop.hears("C2")
    for _ in range(2):
        swept(shop)
    shop.publishes()
    assert [len(shop.chat.shows(channel)) for channel in ("C1", "C2")] == [1, 1]


def test_every_project_is_swept(shop):
    shop.finds_flaky()
    shop.goes_on(20, every=24)
    assert sweep_projects(shop.desk) >= 0
    with shop.database.read() as tx:
        assert detections(tx, shop.project.id, states=["flaky"])[1] == 0
