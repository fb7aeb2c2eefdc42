"""The audit log: one hash chain per organization, so that a row changed or removed later shows."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
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
        event.at.isoformat(),
        event.actor,
        event.via,
        event.action,
        event.subject,
        event.project_id,
        event.details or {},
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


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
