"""Socket Mode alone: odd envelopes, cut connections, a Slack that is not there yet."""

import pytest
from fakes.slack_office import Office, Server, furnish, settings_for
from fakes.slack_people import SocketWire, words_of


@pytest.fixture
def office(slack, sqlite_url):
    with Server(
        settings_for(slack, sqlite_url, slack_app_token=slack.app_token, slack_signing_secret="")
    ) as server:
        yield Office(slack, server, furnish(server), SocketWire(slack))


@pytest.mark.parametrize("payload", [{}, {"type": "bogus"}, {"type": "block_actions"}, {"command": 5}])
@pytest.mark.parametrize("kind", ["interactive", "slash_commands", "events_api"])
def test_an_odd_envelope_is_acknowledged_and_has_no_effect(office, kind, payload):
    _, said = office.slack.send(kind, payload)

    assert said is None
    assert office.alice.types("help").said


def test_the_same_envelope_twice_is_answered_once(office):
    payload = {
        "command": "/flakeguard", "text": "status", "team_id": "T01ACME", "user_id": "U01ALICE", "channel_id": "C01CI",
        "response_url": office.slack.response_url(), "trigger_id": "1.2.3",
    }  # fmt: skip
    office.slack.send("slash_commands", payload)
    office.slack.send("slash_commands", payload)

    office.alice.answer("acme/web")
    office.alice.types("whoami")
    office.alice.answer("You are")
    assert len(office.slack.answers) == 2


def test_a_cut_connection_is_opened_again(office):
    office.alice.types("help")
    office.slack.drop_sockets()

    office.slack.until(lambda: len(office.slack.called("apps.connections.open")) > 1, 30)

    assert "status" in words_of(office.alice.types("help").said)


def test_a_slack_that_is_not_there_yet_is_waited_for(slack, sqlite_url):
    slack.fails("apps.connections.open", "500", times=1)
    settings = settings_for(slack, sqlite_url, slack_app_token=slack.app_token)
    with Server(settings) as server:
        office = Office(slack, server, furnish(server), SocketWire(slack))
        slack.until(lambda: slack.sockets, 30)

        assert office.alice.types("help").said
