"""SlackChat against the strict stand-in: what is posted, what each failure means, how a lost post is found."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fakes import slack_samples as samples
from fakes.slack import TEAM
from fakes.slack_office import now, settings_for

from bot.slack.chat import SlackChat
from bot.slack.workspaces import Workspaces
from core.saying import Note
from jobs.chat import BrokenRouteError, GoneError, Place, SlowDownError, UnknownOutcomeError
from storage.database import Database

PLACE = Place("", "C01CI")
HELLO = Note("Hello.")


@pytest.fixture
def chat(slack, sqlite_url, monkeypatch):
    monkeypatch.setattr("bot.slack.web.TIMEOUT", 1)
    return SlackChat(settings_for(slack, sqlite_url), Database.open(sqlite_url))


@pytest.mark.parametrize("name", samples.SAYINGS)
def test_everything_that_can_be_said_is_accepted_and_can_be_updated(chat, slack, name):
    ts = chat.say(PLACE, samples.SAYINGS[name], key="k")

    assert chat.say(PLACE, samples.SAYINGS[name], key="k", ts=ts) == ts
    assert [message["edits"] for message in slack.messages()] == [1]


def test_a_post_has_no_previews_and_carries_its_key(chat, slack):
    chat.say(PLACE, HELLO, key="note:1")

    (payload,) = slack.called("chat.postMessage")
    assert (payload["unfurl_links"], payload["unfurl_media"]) == (False, False)
    assert payload["metadata"]["event_payload"] == {"publication": "note:1"}


def test_a_reply_goes_into_the_thread(chat, slack):
    root = chat.say(PLACE, HELLO, key="a")

    chat.say(PLACE, HELLO, key="b", thread=root)

    assert len(slack.messages(thread=root)) == 1


@pytest.mark.parametrize(
    ("fault", "meaning", "posted"),
    [
        ({"kind": "500"}, UnknownOutcomeError, 0),
        ({"kind": "reset_before"}, UnknownOutcomeError, 0),
        ({"kind": "reset_after"}, UnknownOutcomeError, 1),
        ({"kind": "truncated"}, UnknownOutcomeError, 1),
        ({"kind": "hang", "seconds": 3}, UnknownOutcomeError, 0),
        ({"kind": "429", "retry_after": 5}, SlowDownError, 0),
        ({"kind": "error", "code": "ratelimited"}, SlowDownError, 0),
        ({"kind": "error", "code": "internal_error"}, UnknownOutcomeError, 0),
        ({"kind": "error", "code": "fatal_error"}, UnknownOutcomeError, 0),
        ({"kind": "error", "code": "service_unavailable"}, UnknownOutcomeError, 0),
        ({"kind": "error", "code": "not_in_channel"}, BrokenRouteError, 0),
        ({"kind": "error", "code": "channel_not_found"}, BrokenRouteError, 0),
        ({"kind": "error", "code": "is_archived"}, BrokenRouteError, 0),
        ({"kind": "error", "code": "token_revoked"}, BrokenRouteError, 0),
        ({"kind": "error", "code": "account_inactive"}, BrokenRouteError, 0),
        ({"kind": "error", "code": "invalid_auth"}, BrokenRouteError, 0),
        ({"kind": "error", "code": "missing_scope"}, BrokenRouteError, 0),
        ({"kind": "error", "code": "restricted_action"}, BrokenRouteError, 0),
        ({"kind": "error", "code": "msg_too_long"}, BrokenRouteError, 0),
    ],
)
def test_each_failure_has_its_meaning_and_is_one_attempt(chat, slack, fault, meaning, posted):
    slack.fails("chat.postMessage", **fault)

    with pytest.raises(meaning) as caught:
        chat.say(PLACE, HELLO, key="k")

    assert len(slack.called("chat.postMessage")) == 1
    assert len(slack.messages()) == posted
    if meaning is BrokenRouteError:
        assert caught.value.code == fault["code"]


def test_retry_after_is_never_undercut(chat, slack):
    slack.fails("chat.postMessage", "429", retry_after=7)

    with pytest.raises(SlowDownError) as caught:
        chat.say(PLACE, HELLO, key="k")

    assert caught.value.retry_after == 7


@pytest.mark.parametrize("state", ["archived", "member"])
def test_the_real_state_of_a_channel_breaks_the_route(chat, slack, state):
    setattr(slack.channels["C01CI"], state, state == "archived")

    with pytest.raises(BrokenRouteError):
        chat.say(PLACE, HELLO, key="k")


def test_a_deleted_message_is_gone(chat, slack):
    ts = chat.say(PLACE, HELLO, key="k")
    slack.messages()[0]["deleted"] = True

    with pytest.raises(GoneError):
        chat.say(PLACE, HELLO, key="k", ts=ts)


@pytest.mark.parametrize(
    ("refuses", "left"),
    [
        ({"data_visualization"}, {"header", "section", "rich_text", "table", "actions", "context"}),
        ({"data_visualization", "table"}, {"header", "section", "rich_text", "actions", "context"}),
        ({"data_visualization", "table", "rich_text"}, set()),
    ],
)
def test_a_workspace_that_refuses_charts_or_tables_gets_a_simpler_form(chat, slack, refuses, left):
    slack.refuses = refuses

    chat.say(PLACE, samples.digest(), key="k")

    (shown,) = slack.messages()
    assert {block["type"] for block in shown["blocks"]} == left
    assert "38 % fewer flaky failures" in shown["text"]


def test_a_lost_post_is_found_by_its_key(chat, slack):
    slack.fails("chat.postMessage", "reset_after")
    with pytest.raises(UnknownOutcomeError):
        chat.say(PLACE, HELLO, key="lost")

    found = chat.find(PLACE, "lost", since=now() - timedelta(minutes=1))

    assert found == slack.messages()[0]["ts"]
    assert chat.find(PLACE, "other", since=now() - timedelta(minutes=1)) is None


def test_a_lost_reply_is_found_in_its_thread(chat, slack):
    root = chat.say(PLACE, HELLO, key="root")
    ts = chat.say(PLACE, HELLO, key="reply", thread=root)

    assert chat.find(PLACE, "reply", since=now() - timedelta(minutes=1), thread=root) == ts


def test_without_the_scope_nothing_is_found_and_nothing_raised(chat, slack):
    slack.scopes.discard("channels:history")

    assert chat.find(PLACE, "k", since=now()) is None


def test_when_reading_fails_the_answer_is_unknown_not_none(chat, slack):
    slack.fails("conversations.history", "500")

    with pytest.raises(UnknownOutcomeError):
        chat.find(PLACE, "k", since=now())


def test_group_members_are_remembered_and_unknown_means_no(chat, slack):
    slack.groups["S0APPROV"] = ["U01ALICE"]

    assert chat.may_decide_in_group("", "S0APPROV", "U01ALICE")
    assert not chat.may_decide_in_group("", "S0APPROV", "U02BOB")
    assert len(slack.called("usergroups.users.list")) == 1
    assert not chat.may_decide_in_group("", "S0OTHER", "U01ALICE")


def test_an_uninstalled_workspace_is_a_broken_route(slack, sqlite_url):
    several = settings_for(
        slack, sqlite_url, slack_bot_token=None, slack_client_id="1", slack_client_secret="2"
    )

    with pytest.raises(BrokenRouteError, match="not installed"):
        SlackChat(several, Database.open(sqlite_url)).say(replace(PLACE, team=TEAM), HELLO, key="k")


def test_a_token_that_cannot_be_opened_is_no_token(slack, sqlite_url):
    several = settings_for(slack, sqlite_url, slack_bot_token=None)

    assert Workspaces(several, Database.open(sqlite_url)).token(TEAM) is None
