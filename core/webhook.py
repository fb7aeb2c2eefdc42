"""Outgoing webhooks, after Standard Webhooks: what is told, how it is signed, when it is tried again."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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


# -- which events an endpoint hears


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


# -- secrets and signatures

PREFIX = "whsec_"
SECRET_BYTES = (24, 64)
"""The shortest and the longest key the specification allows."""


def make_secret(randomness: bytes) -> str:
    """A signing secret as its receiver keeps it."""
    least, most = SECRET_BYTES
    if not least <= len(randomness) <= most:
        raise ValueError(f"A secret has {least} to {most} bytes.")
    return PREFIX + base64.b64encode(randomness).decode()


def key_of(secret: str) -> bytes:
    """The key behind a secret of ours."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValidationError("This is not a webhook's secret.") from error


def sign(secrets: Iterable[str], *, key: str, at: datetime, body: bytes) -> str:
    """The signature header: one signature for each secret, so that a receiver may change secrets without a gap."""
    content = f"{key}.{unix(at)}.".encode() + body
    made = (hmac.digest(key_of(secret), content, hashlib.sha256) for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made)


def headers(secrets: Iterable[str], *, key: str, at: datetime, body: bytes) -> dict[str, str]:
    """What travels beside the body; `at` is the moment of this very attempt, `key` is the same in every attempt."""
    return {
        "webhook-id": key,
        "webhook-timestamp": str(unix(at)),
        "webhook-signature": sign(secrets, key=key, at=at, body=body),
    }


def envelope(event: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """The body: what happened, when it happened, to what."""
    stamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    content = {"type": event, "timestamp": stamp, "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def unix(at: datetime) -> int:
    """Whole seconds since 1970."""
    return int(at.timestamp())


# -- what an answer leads to

RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The specification's own example: the last of ten attempts comes three days after the first."""
JITTER = 0.1
"""Up to a tenth later, so that what failed together does not come back together."""
FAILING_FOR = timedelta(days=5)
"""An endpoint that has answered nothing well for so long is switched off."""
LONGEST_PAUSE = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=24)
"""However long a receiver asks us to wait."""
GONE = 410
_BUSY = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Answer:
    """How one attempt ended."""

    status: int | None = None
    """None when there was no HTTP answer."""
    error: str = ""
    """In our own words, empty when all went well."""
    retry_after: timedelta | None = None

    @property
    def ok(self) -> bool:
        """2xx and nothing else."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own borders

    @property
    def gone(self) -> bool:
        """The receiver wants nothing any more."""
        return self.status == GONE

    @property
    def busy(self) -> bool:
        """Everything for this receiver had better wait, not only this message."""
        return self.status is None or self.status in _BUSY


def next_try(tries: int, answer: Answer, *, chance: float) -> timedelta | None:
    """How long to wait after so many attempts; None when that was the last. `chance` is a random 0 to 1."""
    if tries > len(RETRIES):
        return None
    planned = RETRIES[tries - 1] * (1 + JITTER * chance)
    return max(planned, _asked_for(answer))


def pause(failures: int, answer: Answer) -> timedelta:
    """How long the whole endpoint rests after so many failures in a row, so that a dead one costs little."""
    resting = min(timedelta(seconds=2.0 ** min(failures - 1, 20)), LONGEST_PAUSE)
    return max(resting, _asked_for(answer)) if answer.busy else resting


def _asked_for(answer: Answer) -> timedelta:
    return min(answer.retry_after or timedelta(), LONGEST_WAIT)
