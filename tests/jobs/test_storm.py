from datetime import timedelta

import pytest

from core.quarantine import RefusedError, SettledError, State
from core.saying import ProposalCard, StormCard
from jobs.calm import blame_infrastructure, end_calm_storms, mute_storm, split_storm
from jobs.storm_card import compose_storm
from storage.result import get_runs
from storage.storm import get_storm, join_storm, open_storm, running_storm
from storage.storm import tests_of_storm as members_of

NAMES = [f"test_s{letter}" for letter in "abcdef"]


def breaks_out(shop, names=NAMES, message="ConnectionRefusedError: redis"):
    """One after another each test passes only on retry, all within the hour."""
    shop.flaked_before(*names)
    for name in names:
        shop.clock.pass_(minutes=5)
        shop.uploads(**{name: "flaky"}, message=f"{message} in {name}")


def storm_of(shop):
    with shop.database.read() as tx:
        return running_storm(tx, shop.project.id)


def open_states(shop):
    return [one.state for one in shop.proposals()]


def passes(shop, **period):
    shop.clock.pass_(**period)
    end_calm_storms(shop.desk)
    shop.publishes()


def test_many_tests_confirmed_within_an_hour_are_one_message(shop):
    breaks_out(shop)
    shop.publishes()
    storms = [one for one in shop.chat.shows() if isinstance(one, StormCard)]
    assert [one.tests for one in storms] == [6]
    assert set(open_states(shop)) == {State.WITHDRAWN}
    assert storm_of(shop).name in shop.proposals()[0].decision_reason


def test_five_are_not_yet_a_storm(shop):
    breaks_out(shop, NAMES[:5])
    assert storm_of(shop) is None
    assert open_states(shop) == [State.PROPOSED] * 5


def test_tests_confirmed_hours_apart_are_no_storm(small_shop):
    shop = small_shop
    for name in NAMES:
        shop.finds_flaky(name)
        shop.clock.pass_(hours=2)
    assert storm_of(shop) is None
    assert open_states(shop) == [State.PROPOSED] * 6


def test_whoever_fails_later_joins_and_the_message_is_updated(small_shop):
    shop = small_shop
    shop.flaked_before("test_late")
    breaks_out(shop)
    shop.publishes()
    shop.clock.pass_(minutes=30)
    shop.uploads(test_late="flaky")
    shop.publishes()
    [card] = [one for one in shop.chat.shows() if isinstance(one, StormCard)]
    assert card.tests == 7
    assert shop.latest("test_late") is None


def test_a_test_in_a_storm_that_flakes_again_is_not_asked_about(small_shop):
    shop = small_shop
    breaks_out(shop)
    shop.clock.pass_(minutes=5)
    shop.uploads(test_sa="flaky")
    assert State.PROPOSED not in open_states(shop)


def test_the_card_says_what_they_share(small_shop):
    shop = small_shop
    shop.uploads(**dict.fromkeys(NAMES, "passed"))
    green = shop.clock()
    for number, name in enumerate(NAMES):
        shop.clock.pass_(minutes=5)
        error = {"message": f"ConnectionRefusedError: port {number}"} if number else {}
        shop.uploads(**{name: "failed"}, **error, pr=str(number % 2 + 1), branch=f"b{number}")
    with shop.database.begin() as tx:
        storm = open_storm(tx, shop.project.id, since=shop.clock(), now=shop.clock())
        join_storm(tx, storm, [shop.test_id(name) for name in NAMES], now=shop.clock())
        card = compose_storm(tx, shop.project.id, storm.id)
    assert (card.tests, card.same_error, card.error) == (6, 5, "ConnectionRefusedError: port <n>")
    assert (card.commit, card.pull_requests, card.last_green) == ("c3", 2, green)
    assert "tests/test_sa.py::test_sa" in card.examples


def test_after_an_hour_of_calm_it_is_over_and_the_questions_come_one_by_one(shop):
    breaks_out(shop)
    shop.publishes()
    passes(shop, minutes=59)
    assert storm_of(shop)
    passes(shop, minutes=2)
    assert storm_of(shop) is None
    assert open_states(shop).count(State.PROPOSED) == 6
    [card] = [one for one in shop.chat.shows() if isinstance(one, StormCard)]
    assert card.over_at is not None
    assert shop.chat.replies() == ["No test has joined for an hour: it is over."]
    assert shop.audited("s-1") == [("flakeguard", "storm.calm")]


def test_what_has_recovered_meanwhile_is_not_asked_about(small_shop):
    shop = small_shop
    breaks_out(shop)
    for _ in range(4):
        shop.clock.pass_(minutes=10)
        shop.uploads(**dict.fromkeys(NAMES[1:], "passed"), test_sa="failed")
    passes(shop, minutes=61)
    assert shop.latest("test_sa").state is not State.PROPOSED


def test_the_cap_holds_when_a_storm_is_over(small_shop):
    shop = small_shop
    shop.policy(max_quarantined=2)
    breaks_out(shop)
    passes(shop, minutes=70)
    assert open_states(shop).count(State.PROPOSED) <= 2


def test_treated_one_by_one_each_is_asked_about_and_no_new_storm_begins(shop):
    shop.flaked_before("test_late")
    breaks_out(shop)
    proposed = split_storm(shop.desk, storm_of(shop).id, by=shop.alice)
    assert len(proposed) == 6
    shop.uploads(test_late="flaky")
    assert storm_of(shop) is None
    assert shop.latest("test_late").state is State.PROPOSED
    assert ("alice", "storm.split") in shop.audited()


def test_blamed_on_the_machines_the_runs_count_for_nothing(shop):
    breaks_out(shop)
    storm = storm_of(shop)
    proposed = blame_infrastructure(shop.desk, storm.id, by=shop.alice)
    assert proposed == []
    with shop.database.read() as tx:
        runs, _ = get_runs(tx, shop.project.id, limit=100)
        assert get_storm(tx, None, storm.id).ended == "infra"
    assert sum(one.infra for one in runs) == 6
    shop.clock.pass_(hours=1)
    again = shop.uploads(test_sa="failed", message="ConnectionRefusedError: redis in test_sa")
    assert [one.verdict for one in again.failures] == ["infra"]


OWN = "AssertionError: 10 != 9 in the cart"


def test_what_its_tests_failed_of_besides_still_counts(shop):
    shop.flaked_before(*NAMES)
    shop.uploads(run_id="before", test_sa="failed", message=OWN)
    shop.clock.pass_(hours=2)
    for name in NAMES:
        shop.clock.pass_(minutes=5)
        shop.uploads(run_id=name, **{name: "flaky"}, message=f"ConnectionRefusedError: redis in {name}")
    blame_infrastructure(shop.desk, storm_of(shop).id, by=shop.alice)
    assert infra_runs(shop, 7) == {"before": False, **dict.fromkeys(NAMES, True)}
    [again] = shop.uploads(test_sa="failed", message=OWN).failures
    assert again.verdict != "infra"


def test_a_run_in_which_more_failed_besides_is_not_left_out(shop):
    breaks_out(shop)
    storm = storm_of(shop)
    shop.uploads(run_id="half", test_sb="flaky", test_ta="failed", message=OWN)
    shop.uploads(
        run_id="less", test_sa="flaky", test_ta="failed", test_tb="failed", message="AssertionError: 3"
    )
    blame_infrastructure(shop.desk, storm.id, by=shop.alice)
    assert infra_runs(shop, 2) == {"half": True, "less": False}


def infra_runs(shop, newest):
    with shop.database.read() as tx:
        return {one.run.run_id: one.infra for one in get_runs(tx, shop.project.id, limit=newest)[0]}


@pytest.mark.parametrize("act", [split_storm, blame_infrastructure])
def test_only_who_may_decide_decides_about_a_storm_and_only_once(shop, act):
    breaks_out(shop)
    storm = storm_of(shop)
    with pytest.raises(RefusedError):
        act(shop.desk, storm.id, by=shop.carol)
    assert shop.audited(storm.name) == [("carol", "quarantine.refused")]
    act(shop.desk, storm.id, by=shop.alice)
    with pytest.raises(SettledError, match="already over"):
        act(shop.desk, storm.id, by=shop.bob)


def test_a_muted_channel_hears_nothing_new_for_four_hours(small_shop):
    shop = small_shop
    breaks_out(shop)
    shop.publishes()
    mute_storm(shop.desk, storm_of(shop).id, by=shop.alice, team="T1", channel="C1")
    passes(shop, hours=2)
    assert not [
        one
        for one in shop.chat.shows()
        if isinstance(one, ProposalCard) and one.quarantine.state is State.PROPOSED
    ]
    shop.clock.pass_(seconds=timedelta(hours=2).total_seconds())
    shop.publishes()
    assert [
        one
        for one in shop.chat.shows()
        if isinstance(one, ProposalCard) and one.quarantine.state is State.PROPOSED
    ]


def test_two_nodes_end_it_once(shop):
    breaks_out(shop)
    shop.clock.pass_(minutes=61)
    assert [end_calm_storms(desk) for desk in (shop.desk, shop.other_desk())] == [1, 0]


def test_every_test_of_a_storm_is_known(small_shop):
    breaks_out(small_shop)
    with small_shop.database.read() as tx:
        assert len(members_of(tx, storm_of(small_shop))) == 6
