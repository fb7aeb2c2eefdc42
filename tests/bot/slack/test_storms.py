"""A storm in Slack: one message, its tests, and what people may say it was."""

import copy

import pytest
from fakes.slack_office import make_flaky_together
from fakes.slack_people import has_action, words_of

from core.tenancy import Person, Via
from jobs.settings import change_policy

NAMES = ("test_one", "test_two", "test_three")


@pytest.fixture
def stormy(office):
    """Three tests turn flaky together where two are already a storm; answers (office, message)."""
    change_policy(office.desk, office.project.id, {"storm_proposals": 1}, by=Person("setup", Via.CLI))
    make_flaky_together(office.desk, office.project.id, NAMES)
    return office, office.card("started failing together")


def test_a_storm_is_one_message_with_its_tests_behind_a_button(stormy):
    office, message = stormy

    office.vera.clicks(message, "fg.storm.list")

    assert "test_two" in words_of(office.vera.dialog("test_two"))


def test_treating_them_one_by_one_ends_the_storm_and_asks(stormy):
    office, message = stormy

    office.bob.clicks(message, "fg.storm.more", option="split")

    assert office.bob.answer("one by one")
    over = office.card("Over:")
    assert not has_action(over, "fg.storm.more")
    assert office.slack.until(
        lambda: len([one for one in office.slack.messages() if "Quarantine test" in words_of(one)]) >= 2, 20
    )


def test_infrastructure_is_said_by_those_who_decide_only(stormy):
    office, message = stormy

    office.vera.clicks(message, "fg.storm.more", option="infra")
    assert office.vera.answer("you are a viewer")

    office.bob.clicks(message, "fg.storm.more", option="infra")
    assert office.bob.answer("count for nothing")
    assert office.card("Over:")


def test_muting_is_confirmed(stormy):
    office, message = stormy

    office.bob.clicks(message, "fg.storm.more", option="mute4")

    assert office.bob.answer("Nothing new is said here for 4 hours")


def test_saying_it_twice_changes_nothing_more(stormy):
    office, message = stormy
    stale = copy.deepcopy(message)
    office.bob.clicks(message, "fg.storm.more", option="split")
    office.card("Over:")

    office.alice.clicks(stale, "fg.storm.more", option="infra")

    assert office.alice.answer("is already over")
