import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import ValidationError
from core.quarantine import State
from core.verdict import TestState as Verdict
from core.webhook import (
    CHOICES,
    MEANINGS,
    EventType,
    chosen,
    envelope,
    event_of_step,
    event_of_verdict,
    hears,
)


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


def test_the_documentation_tells_every_event_in_the_same_words():
    text = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    assert all(f"| `{one.value}` | {MEANINGS[one]} |" in text for one in EventType)
