from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.audit import GENESIS, AuditEvent, chain_hash, stable, verify

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def chain(length):
    events, previous = [], GENESIS
    for seq in range(1, length + 1):
        event = AuditEvent(
            1,
            seq,
            NOW + timedelta(seconds=seq),
            "alice",
            "slack",
            "quarantine.approved",
            f"q-{seq}",
            7,
            {"n": seq},
            previous,
        )
        events.append(replace(event, hash=chain_hash(event)))
        previous = events[-1].hash
    return events


def test_a_chain_nobody_touched_is_whole():
    events = chain(5)
    assert verify(events) is None
    assert all(after.previous == before.hash for before, after in pairwise(events))


def test_no_events_are_a_whole_chain():
    assert verify([]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "mallory"},
        {"via": "api"},
        {"action": "quarantine.denied"},
        {"subject": "q-9"},
        {"project_id": 8},
        {"organization_id": 2},
        {"at": NOW},
        {"details": {"n": 99}},
        {"previous": "f" * 64},
        {"hash": "f" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_event_is_found(change):
    events = chain(5)
    events[2] = replace(events[2], **change)
    assert "Event 3" in verify(events)


def test_a_removed_event_is_found():
    events = chain(5)
    del events[2]
    assert verify(events) == "Event 3 is missing (found 4)."


def test_a_rewritten_event_with_a_fresh_hash_breaks_the_next_one():
    events = chain(5)
    forged = replace(events[2], actor="mallory")
    events[2] = replace(forged, hash=chain_hash(forged))
    assert "Event 4" in verify(events)


def test_the_same_moment_in_another_zone_has_the_same_hash():
    [event] = chain(1)
    elsewhere = replace(event, at=event.at.astimezone(timezone(timedelta(hours=2))))
    assert chain_hash(elsewhere) == event.hash


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, 1),
        (-0.0, 0),
        (1e20, 10**20),
        (0.25, 0.25),
        (float("nan"), "nan"),
        ((1, 2.0), [1, 2]),
        ({3: 1.0}, {"3": 1}),
    ],
)
def test_details_are_kept_as_every_database_gives_them_back(value, expected):
    kept = stable(value)
    assert kept == expected
    assert type(kept) is type(expected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_what_is_stable_stays_as_it_is(value):
    assert stable(stable(value)) == stable(value)
