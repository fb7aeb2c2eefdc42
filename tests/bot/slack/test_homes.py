"""Homes that follow what is decided elsewhere: over the API or the command line, on another node, by time."""

import asyncio
from datetime import timedelta

import pytest
from fakes.slack import TEAM
from fakes.slack_office import ALICE, BOB, SETUP

from bot.slack.kit import Kit
from bot.slack.refresh import AT_ONCE, sweep_homes
from core.quarantine import State
from core.tenancy import Person, Role, Via
from jobs.decide import approve, deny
from jobs.enroll import give_role
from jobs.expire import expire_due
from storage.quarantine import list_quarantines
from storage.slack import home_viewers, opened_home


@pytest.fixture
def waiting(office):
    """A proposal that waits, and Bob who looks at it on his Home."""
    office.fails_now_and_then()
    office.card("Quarantine test")
    office.bob.opens_home()
    office.bob.home("1 decision waits for you")
    with office.desk.database.read() as tx:
        [proposal], _ = list_quarantines(tx, office.project.id)
    return proposal


def drawings(office):
    return [call["user_id"] for name, call in office.slack.calls if name == "views.publish"]


def test_a_decision_from_the_command_line_is_seen_at_home(office, waiting):
    approve(office.desk, waiting.id, by=Person(ALICE, Via.CLI))
    assert office.bob.home("Nothing waits for you")


def test_what_time_decides_is_seen_at_home(office, waiting):
    office.server.clock.ahead = waiting.lapses_at - office.desk.now() + timedelta(minutes=1)
    office.bob.opens_home()
    assert expire_due(office.desk) == 1
    assert office.bob.home("Nothing waits for you")


def test_many_decisions_at_once_are_one_drawing(office, waiting):
    for name in ("test_one", "test_two", "test_three"):
        office.fails_now_and_then(name, message=f"{name} has its own reason")
    before = len(drawings(office))
    with office.desk.database.read() as tx:
        proposals, _ = list_quarantines(tx, office.project.id, states=[State.PROPOSED])
    for one in proposals:
        deny(office.desk, one.id, by=Person(ALICE, Via.API), reason="Not now")
    assert office.bob.home("Nothing waits for you")
    assert set(drawings(office)[before:]) == {BOB}
    assert len(drawings(office)) - before <= 3


def test_nobodys_home_is_left_behind_while_much_is_decided(office, waiting):
    with office.desk.database.begin() as tx:
        for number in range(2 * AT_ONCE):
            opened_home(tx, team=TEAM, user=f"U{number:02}", now=office.desk.now())
    for number in range(3):
        give_role(office.desk, office.project.id, f"U9{number}", Role.APPROVER, by=SETUP)
        asyncio.run(sweep_homes(Kit(office.desk, office.server.app.settings)))
    with office.desk.database.read() as tx:
        assert all(one.mark for one in home_viewers(tx, since=office.desk.now() - timedelta(hours=1)))
