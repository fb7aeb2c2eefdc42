"""Odd bodies are refused whole, before anything acts on them."""

import json
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.incoming import read_http
from core.errors import FlakeGuardError, UnsupportedMediaError, ValidationError

FORM, JSON = "application/x-www-form-urlencoded", "application/json; charset=utf-8"
CLICK = {
    "type": "block_actions",
    "team": {"id": "T1"},
    "user": {"id": "U1", "team_id": "T1"},
    "trigger_id": "1.2.a",
    "actions": [{"action_id": "fg.proposal.approve", "type": "button", "value": "q-17:3"}],
}
COMMAND = {"command": "/flakeguard", "text": "help", "team_id": "T1", "user_id": "U1", "trigger_id": "1.2.b"}
EVENT = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {"type": "app_home_opened"}}


def form(payload):
    return urlencode({"payload": json.dumps(payload)}).encode()


def test_commands_clicks_and_events_are_told_apart():
    assert read_http(urlencode(COMMAND).encode(), FORM).kind == "command"
    assert read_http(form(CLICK), FORM).kind == "block_actions"
    assert read_http(json.dumps(EVENT).encode(), JSON).kind == "event"


def test_the_same_delivery_has_the_same_key_and_another_click_another():
    again = read_http(form(CLICK), FORM).key
    other = read_http(form({**CLICK, "trigger_id": "1.2.c"}), FORM).key

    assert read_http(form(CLICK), FORM).key == again
    assert other != again


def test_an_event_is_known_by_its_id():
    assert read_http(json.dumps(EVENT).encode(), JSON).key == "event:Ev1"


@pytest.mark.parametrize(
    "body",
    [
        b"payload=[]", b"payload={", b"payload=", b"payload=null", b"payload=1", b"payload=%ff", b"\xff\xfe",
        b"", b"a", b"&&&", b"text=hi", b"payload={}&payload={}", b"command=/x", b"command=x&team_id=T&user_id=U",
        b"payload=" + b"[" * 2000, b"payload=%7B%22a%22%3ANaN%7D",
        form({}), form({"type": 5}), form({"type": "bogus"}), form({**CLICK, "user": None}),
        form({**CLICK, "user": "U1"}), form({**CLICK, "team": None}), form({**CLICK, "team": []}),
        form({**CLICK, "actions": []}), form({**CLICK, "actions": "x"}), form({**CLICK, "actions": [None]}),
        form({**CLICK, "actions": [{"action_id": 7, "type": "button"}]}), form({**CLICK, "view": "x"}),
        form({**CLICK, "type": "view_submission"}), form({**CLICK, "trigger_id": {}}),
    ],
)  # fmt: skip
def test_odd_forms_are_refused(body):
    with pytest.raises(ValidationError):
        read_http(body, FORM)


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"{}", b'{"type":"event_callback"}', b"\xff"])
def test_odd_json_is_refused(body):
    with pytest.raises(ValidationError):
        read_http(body, JSON)


@pytest.mark.parametrize("media", ["", "text/plain", "multipart/form-data", "application/xml"])
def test_other_media_are_refused(media):
    with pytest.raises(UnsupportedMediaError):
        read_http(urlencode(COMMAND).encode(), media)


@given(st.binary(max_size=400), st.sampled_from([FORM, JSON]))
def test_any_bytes_are_read_or_refused(body, media):
    with suppress(FlakeGuardError):
        assert read_http(body, media).payload


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(CLICK)), values)
def test_a_click_with_any_one_field_replaced_is_read_or_refused(name, value):
    with suppress(FlakeGuardError):
        assert read_http(form({**CLICK, name: value}), FORM).key
