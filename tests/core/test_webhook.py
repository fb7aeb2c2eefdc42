import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from core.errors import ValidationError
from core.quarantine import State
from core.verdict import TestState as Verdict
from core.webhook import (
    CHOICES,
    JITTER,
    LONGEST_PAUSE,
    LONGEST_WAIT,
    MEANINGS,
    RETRIES,
    Answer,
    EventType,
    chosen,
    envelope,
    event_of_step,
    event_of_verdict,
    headers,
    hears,
    make_secret,
    next_try,
    pause,
)

NOW = datetime.now(UTC)  # noqa: TID251 - the reference verifier looks at the real clock
HOUR = timedelta(hours=1)


@given(key=st.binary(min_size=24, max_size=64), body=st.text(max_size=200))
def test_the_reference_library_accepts_what_is_signed(key, body):
    secret, sent = make_secret(key), body.encode("utf-8", "replace")
    signed = headers([secret], key="msg_1", at=NOW, body=sent)
    Webhook(secret).verify(sent, signed, json_parse=False)


def test_the_signature_is_the_reference_librarys_own():
    secret, body = make_secret(b"k" * 32), b'{"type":"test.flagged"}'
    signed = headers([secret], key="msg_1", at=NOW, body=body)
    assert signed["webhook-signature"] == Webhook(secret).sign("msg_1", NOW, body.decode())


def test_while_a_secret_rotates_both_are_good():
    new, old, other = (make_secret(letter * 32) for letter in (b"n", b"o", b"x"))
    signed = headers([new, old], key="msg_1", at=NOW, body=b"{}")
    assert signed["webhook-signature"].count("v1,") == 2
    for secret in (new, old):
        Webhook(secret).verify(b"{}", signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(b"{}", signed)


@pytest.mark.parametrize("size", [0, 16, 23, 65])
def test_a_secret_is_neither_too_short_nor_too_long(size):
    with pytest.raises(ValueError, match="24 to 64"):
        make_secret(b"k" * size)


def test_the_body_is_small_json_with_the_time_in_utc():
    at = datetime(2026, 3, 2, 14, 30, tzinfo=UTC).astimezone()
    body = json.loads(envelope("test.flagged", at, {"name": "naïve\ud800"}))
    assert body == {"type": "test.flagged", "timestamp": "2026-03-02T14:30:00Z", "data": {"name": "naïve?"}}


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        ("suspect", "flaky", "test.flagged"),
        ("healthy", "flaky", "test.flagged"),
        ("flaky", "flaky", None),
        ("flaky", "broken", "test.broken"),
        ("insufficient_data", "broken", "test.broken"),
        ("broken", "flaky", "test.flagged"),
        ("flaky", "recovered", "test.recovered"),
        ("broken", "healthy", "test.recovered"),
        ("recovered", "healthy", None),
        ("suspect", "healthy", None),
        ("flaky", "suspect", None),
        ("flaky", "retired", None),
    ],
)
def test_a_change_of_verdict_is_an_event_or_our_own_business(before, after, event):
    assert event_of_verdict(Verdict(before), Verdict(after)) == event


@pytest.mark.parametrize(
    ("verb", "state", "event"),
    [
        ("proposed", "proposed", "quarantine.proposed"),
        ("approved", "proposed", None),
        ("approved", "active", "quarantine.approved"),
        ("denied", "denied", "quarantine.denied"),
        ("extended", "active", "quarantine.renewed"),
        ("released", "released", "quarantine.released"),
        ("expired", "expired", "quarantine.expired"),
        ("expiring", "expiring", "quarantine.expiring"),
        ("lapsed", "lapsed", "quarantine.lapsed"),
        ("withdrawn", "withdrawn", "quarantine.withdrawn"),
        ("refused", "proposed", None),
    ],
)
def test_a_step_of_a_quarantine_is_an_event(verb, state, event):
    assert event_of_step(verb, State(state)) == event


def test_every_event_has_a_meaning():
    assert set(MEANINGS) == set(EventType)


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        ([], set(CHOICES)),
        (["test.flagged"], {EventType.TEST_FLAGGED}),
        (["test.*", "test.broken "], {one for one in CHOICES if one.startswith("test.")}),
        (["quarantine.*"], {one for one in CHOICES if one.startswith("quarantine.")}),
    ],
)
def test_an_endpoint_hears_what_it_has_chosen(wanted, heard):
    assert {one for one in CHOICES if hears(chosen(wanted), one)} == heard


@pytest.mark.parametrize("wanted", ["test", "*", "test.unknown", "webhook.test", "", "TEST.FLAGGED"])
def test_an_event_nobody_knows_is_refused(wanted):
    with pytest.raises(ValidationError, match="There is no event"):
        chosen([wanted])


@given(tries=st.integers(1, len(RETRIES)), chance=st.floats(0, 1))
def test_tries_follow_the_schedule_and_come_a_little_later(tries, chance):
    wait = next_try(tries, Answer(500), chance=chance)
    assert RETRIES[tries - 1] <= wait <= RETRIES[tries - 1] * (1 + JITTER)


def test_after_ten_attempts_there_is_no_other():
    assert next_try(len(RETRIES) + 1, Answer(500), chance=0) is None
    assert timedelta(days=3) < sum(RETRIES, timedelta()) < timedelta(days=4)


@pytest.mark.parametrize(
    ("asked", "waits"), [(HOUR, HOUR), (timedelta(seconds=1), RETRIES[0]), (90 * HOUR, LONGEST_WAIT)]
)
def test_a_receiver_may_ask_for_more_time_but_not_for_ever(asked, waits):
    assert next_try(1, Answer(503, retry_after=asked), chance=0) == waits


@pytest.mark.parametrize(
    ("failures", "answer", "rests"),
    [
        (1, Answer(500), timedelta(seconds=1)),
        (4, Answer(404), timedelta(seconds=8)),
        (1000, Answer(), LONGEST_PAUSE),
        (1, Answer(429, retry_after=HOUR), HOUR),
        (1, Answer(500, retry_after=HOUR), timedelta(seconds=1)),
    ],
)
def test_an_endpoint_rests_the_longer_the_more_often_it_fails(failures, answer, rests):
    assert pause(failures, answer) == rests


@pytest.mark.parametrize(
    ("status", "ok"), [(200, True), (204, True), (299, True), (301, False), (None, False)]
)
def test_two_hundreds_alone_are_success(status, ok):
    assert Answer(status).ok is ok


def test_the_documentation_tells_every_event_in_the_same_words():
    text = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    assert all(f"| `{one.value}` | {MEANINGS[one]} |" in text for one in EventType)
