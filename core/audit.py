"""The audit log: one hash chain per organization, so that a row changed or removed later shows."""

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One change of state: who, through which door, what, to which subject, with which details."""

    organization_id: int
    seq: int
    at: datetime
    actor: str
    via: str
    action: str
    """noun.verb: quarantine.approved, token.revoked, policy.changed ..."""
    subject: str
    project_id: int | None = None
    details: dict[str, Any] | None = None
    previous: str = GENESIS
    hash: str = ""


def chain_hash(event: AuditEvent) -> str:
    """SHA-256 over the previous hash and the event's content as canonical JSON."""
    content = [
        event.previous,
        event.organization_id,
        event.seq,
        event.at.astimezone(UTC).isoformat(),
        event.actor,
        event.via,
        event.action,
        event.subject,
        event.project_id,
        event.details or {},
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def stable(value: Any) -> Any:
    """The details as every database gives them back: jsonb knows no 1e20, no -0.0 and no NaN, so neither do we."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {str(key): stable(item) for key, item in value.items()}
        case list() | tuple():
            return [stable(item) for item in value]
        case _:
            return value


def verify(events: Iterable[AuditEvent]) -> str | None:
    """Walk one organization's events in order; None when whole, else a sentence naming the first break."""
    previous, expected = GENESIS, 1
    for event in events:
        if event.seq != expected:
            return f"Event {expected} is missing (found {event.seq})."
        if event.previous != previous or chain_hash(event) != event.hash:
            return f"Event {event.seq} ({event.action}) was changed after it was written."
        previous, expected = event.hash, expected + 1
    return None
