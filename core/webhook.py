"""Outgoing webhooks: which events there are, who hears them, and what a message looks like."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from core.errors import ValidationError
from core.quarantine import State
from core.verdict import TestState


class EventType(StrEnum):
    """What happened. A type always has the same `data`; new types may come, none changes its meaning."""

    TEST_FLAGGED = "test.flagged"
    TEST_BROKEN = "test.broken"
    TEST_RECOVERED = "test.recovered"
    PROPOSED = "quarantine.proposed"
    APPROVED = "quarantine.approved"
    DENIED = "quarantine.denied"
    WITHDRAWN = "quarantine.withdrawn"
    LAPSED = "quarantine.lapsed"
    EXPIRING = "quarantine.expiring"
    RENEWED = "quarantine.renewed"
    RELEASED = "quarantine.released"
    EXPIRED = "quarantine.expired"
    TRIED = "webhook.test"


MEANINGS: Mapping[EventType, str] = {
    EventType.TEST_FLAGGED: "a test is found flaky",
    EventType.TEST_BROKEN: "a test fails every time now",
    EventType.TEST_RECOVERED: "a flaky or broken test is well again",
    EventType.PROPOSED: "somebody, or FlakeGuard, asks to quarantine a test",
    EventType.APPROVED: "the last approval needed: CI does not count the test's failures from now on",
    EventType.DENIED: "the proposal is denied",
    EventType.WITHDRAWN: "the proposal is taken back, because its reason is gone",
    EventType.LAPSED: "nobody has decided in time",
    EventType.EXPIRING: "a quarantine ends within three days",
    EventType.RENEWED: "a quarantine goes on for longer",
    EventType.RELEASED: "a quarantine is ended early: the test counts again",
    EventType.EXPIRED: "a quarantine has come to its end: the test counts again",
    EventType.TRIED: "somebody has asked for a test event",
}
CHOICES = tuple(one for one in EventType if one is not EventType.TRIED)
"""What an endpoint may choose from; a test event is sent to whom it is meant for, always."""

_TROUBLE = frozenset({TestState.FLAKY, TestState.BROKEN})
_WELL = frozenset({TestState.RECOVERED, TestState.HEALTHY})


def event_of_verdict(before: TestState, after: TestState) -> EventType | None:
    """What a change of verdict is to people outside; None when it is our own business."""
    if after is before:
        return None
    match after:
        case TestState.FLAKY:
            return EventType.TEST_FLAGGED
        case TestState.BROKEN:
            return EventType.TEST_BROKEN
        case _ if after in _WELL and before in _TROUBLE:
            return EventType.TEST_RECOVERED
        case _:
            return None


_STEPS: Mapping[str, EventType] = {
    "proposed": EventType.PROPOSED,
    "approved": EventType.APPROVED,
    "denied": EventType.DENIED,
    "withdrawn": EventType.WITHDRAWN,
    "lapsed": EventType.LAPSED,
    "expiring": EventType.EXPIRING,
    "extended": EventType.RENEWED,
    "released": EventType.RELEASED,
    "expired": EventType.EXPIRED,
}


def event_of_step(verb: str, state: State) -> EventType | None:
    """What a step of a quarantine is, by the word the audit log has for it; a vote that is not the last is none."""
    if verb == "approved" and not state.in_force:
        return None
    return _STEPS.get(verb)


def chosen(wanted: Iterable[str]) -> tuple[str, ...]:
    """A filter in order and without repeats: types, or a whole group as `quarantine.*`; empty means every type."""
    asked = {one.strip() for one in wanted}
    known = {*CHOICES, *(f"{one.partition('.')[0]}.*" for one in CHOICES)}
    if unknown := sorted(asked - known):
        raise ValidationError(
            f"There is no event {unknown[0][:60]!r}; there are {', '.join(sorted(known))}.", field="events"
        )
    return tuple(sorted(asked))


def hears(wanted: Sequence[str], event: EventType) -> bool:
    """True when this filter lets the event through."""
    return not wanted or event in wanted or f"{event.partition('.')[0]}.*" in wanted


def envelope(event: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """The body: what happened, when it happened, to what."""
    stamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    content = {"type": event, "timestamp": stamp, "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
