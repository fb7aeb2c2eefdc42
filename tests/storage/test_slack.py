"""What is remembered about Slack, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from results import NOW, make_project

from storage import slack
from storage.slack import Route, SlackInstallation

INSTALLED = SlackInstallation(
    team="T1", enterprise="", name="Acme", organization_id=None, token=b"sealed", bot_user="U0", bot_id="B0",
    scopes="commands", installed_at=NOW,
)  # fmt: skip


def test_an_installation_comes_back_as_it_was(database):
    with database.begin() as tx:
        slack.put_installation(tx, INSTALLED)
        slack.put_installation(tx, replace(INSTALLED, name="Acme 2"))

    with database.read() as tx:
        assert slack.find_installation(tx, "T1") == replace(INSTALLED, name="Acme 2")
        assert slack.find_installation(tx, "T2") is None


def test_revoking_forgets_the_token_once(database):
    with database.begin() as tx:
        slack.put_installation(tx, INSTALLED)
        assert slack.revoke_installation(tx, "T1", NOW)
        assert not slack.revoke_installation(tx, "T1", NOW)
        assert slack.find_installation(tx, "T1") == replace(INSTALLED, token=b"", revoked_at=NOW)


@pytest.mark.parametrize(
    ("kinds", "hears"),
    [
        ("all", {"proposals", "digest", "storm"}),
        ("proposals", {"proposals", "storm"}),
        ("digest", {"digest"}),
    ],
)
def test_a_channel_hears_what_it_subscribed_to(database, kinds, hears):
    project = make_project(database)
    with database.begin() as tx:
        slack.subscribe(tx, Route(project, "", "C1", kinds=kinds), NOW)

    with database.read() as tx:
        heard = {kind for kind in ("proposals", "digest", "storm") if slack.channels_for(tx, project, kind)}
    assert heard == hears


def test_subscribing_again_replaces_and_unsubscribing_ends_it(database):
    project = make_project(database)
    with database.begin() as tx:
        slack.subscribe(tx, Route(project, "", "C1"), NOW)
        slack.subscribe(tx, Route(project, "", "C1", digest_time="08:00"), NOW)
        assert [route.digest_time for route in slack.subscriptions_of(tx, project)] == ["08:00"]
        assert slack.unsubscribe(tx, project, team="", channel="C1")
        assert not slack.unsubscribe(tx, project, team="", channel="C1")


def test_a_muted_channel_hears_nothing_until_then(database):
    project = make_project(database)
    with database.begin() as tx:
        slack.subscribe(tx, Route(project, "", "C1"), NOW)
        slack.mute(tx, project, team="", channel="C1", until=NOW + timedelta(hours=4))

        assert not slack.channels_for(tx, project, "proposals", now=NOW)
        assert slack.channels_for(tx, project, "proposals", now=NOW + timedelta(hours=4))


def test_people_are_remembered_with_home_and_login(database):
    with database.begin() as tx:
        slack.opened_home(tx, team="T1", user="U1", now=NOW)
        slack.link_login(tx, team="T1", user="U1", login="Alice")
        slack.link_login(tx, team="T1", user="U2", login="bob")

        assert slack.login_of(tx, team="T1", user="U1") == "alice"
        assert slack.users_of_login(tx, "ALICE") == [("T1", "U1")]
        assert slack.home_viewers(tx, team="T1", since=NOW) == [slack.HomeViewer("T1", "U1", 0)]


def test_a_home_is_drawn_once_for_each_mark(database):
    with database.begin() as tx:
        for team, user, hours in (("T1", "U1", 1), ("T2", "U2", 2), ("T1", "U3", 30)):
            slack.opened_home(tx, team=team, user=user, now=NOW - timedelta(hours=hours))
        assert slack.draw_home(tx, team="T1", user="U1", mark=7)
        assert not slack.draw_home(tx, team="T1", user="U1", mark=7)
        assert not slack.draw_home(tx, team="T1", user="U1", mark=6)
        assert not slack.draw_home(tx, team="T1", user="stranger", mark=9)

        lately = slack.home_viewers(tx, since=NOW - timedelta(hours=24))
        assert [(one.team, one.user, one.mark) for one in lately] == [("T1", "U1", 7), ("T2", "U2", 0)]


def test_a_delivery_takes_effect_once_whoever_asks(database):
    def claim(_):
        with database.begin() as tx:
            return slack.first_time(tx, "event:Ev1", NOW)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(claim, range(8))) == 1

    with database.begin() as tx:
        assert slack.forget_seen(tx, NOW + timedelta(hours=1)) == 1
        assert slack.first_time(tx, "event:Ev1", NOW)
