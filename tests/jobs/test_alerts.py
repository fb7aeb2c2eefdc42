import pytest
from fakes.statements import written

from core.quarantine import State
from jobs.alerts import alert
from jobs.decide import approve, extend
from jobs.sweep import sweep_project
from storage.slack import link_login
from storage.test_case import set_owner


@pytest.fixture
def shop(small_shop):
    """The shop with test_login in quarantine and its card in the channel."""
    small_shop.policy(ttl_days=60)
    small_shop.quarantined = small_shop.finds_flaky()
    small_shop.publishes()
    approve(small_shop.desk, small_shop.quarantined.id, by=small_shop.alice)
    small_shop.clock.pass_(hours=1)
    return small_shop


def told(shop):
    """What the thread has been told once the hourly job has run twice."""
    for _ in range(2):
        alert(shop.desk)
    shop.publishes()
    return [one for one in shop.chat.replies() if not one.startswith("First failure")]


def test_a_test_that_fails_every_time_since_approval_is_called_broken(shop):
    shop.goes_on(2, test_login="failed")
    assert told(shop) == []
    shop.goes_on(1, test_login="failed")
    assert told(shop) == ["It failed in all 6 runs since it was approved: broken rather than flaky."]


def test_what_a_thread_has_been_told_is_not_written_again(shop):
    shop.goes_on(3, test_login="failed")
    assert alert(shop.desk) == 1
    with written(shop.database) as seen:
        assert alert(shop.desk) == 0
    assert seen == []
    shop.publishes()
    assert alert(shop.desk) == 0


def test_one_pass_among_the_failures_and_it_is_still_flaky(shop):
    shop.goes_on(3, test_login="failed")
    shop.goes_on(1, test_login="flaky")
    assert told(shop) == []


def test_skipped_runs_say_nothing(shop):
    shop.goes_on(4, test_login="skipped")
    assert told(shop) == []


def test_a_test_no_run_contains_any_more_is_missed(shop):
    shop.goes_on(13)
    assert told(shop) == []
    shop.goes_on(2)
    [fact] = told(shop)
    assert fact.startswith("No run has contained this test for 1")


def test_a_pause_of_all_runs_is_not_the_tests_fault(shop):
    shop.goes_on(1, test_login="flaky")
    shop.clock.pass_(days=10)
    assert told(shop) == []


def test_a_test_that_has_been_well_for_a_week_may_be_released_early(shop):
    shop.goes_on(20, every=2, test_login="passed")
    sweep_project(shop.desk, shop.project.id)
    shop.goes_on(8, every=12, test_login="passed")
    assert told(shop) == ["It has been well for a week. Release it early, and it guards merges again."]
    assert shop.now(shop.quarantined).state.in_force


def test_a_renewed_quarantine_is_told_anew(shop):
    shop.goes_on(3, test_login="failed")
    told(shop)
    extend(shop.desk, shop.quarantined.id, by=shop.bob, reason="In review", days=60)
    assert len(told(shop)) == 2


@pytest.mark.parametrize(
    ("owner", "mentioned"),
    [("@erin", "U1"), ("@Erin", "U1"), ("@erin @frank", ""), ("@acme/web", ""), ("", "")],
)
def test_the_one_owner_is_called_and_nobody_else(shop, owner, mentioned):
    with shop.database.begin() as tx:
        set_owner(tx, shop.project.id, shop.test_id("test_login"), owner)
        link_login(tx, team="T1", user="U1", login="erin")
        link_login(tx, team="T2", user="U2", login="erin")
    shop.goes_on(3, test_login="failed")
    told(shop)
    first, note = [one.saying for one in shop.chat.alive() if one.thread]
    assert (first.mention, note.mention) == ("", mentioned)


def test_a_released_quarantine_is_told_nothing(shop):
    shop.goes_on(3, test_login="failed")
    shop.clock.pass_(days=60)
    from jobs.expire import expire_due  # noqa: PLC0415 - the only test that needs it

    expire_due(shop.desk)
    assert shop.now(shop.quarantined).state is State.EXPIRED
    assert told(shop) == []
