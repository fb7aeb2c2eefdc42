"""Which webhook deliveries matter, and the few fields every one of them is filed under."""

from dataclasses import dataclass

from core.github import fields

WANTED: dict[str, frozenset[str]] = {
    "workflow_run": frozenset({"completed"}),
    "check_run": frozenset({"requested_action", "rerequested"}),
    "check_suite": frozenset({"rerequested"}),
    "installation": frozenset({"created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"}),
    "installation_repositories": frozenset({"added", "removed"}),
    "installation_target": frozenset({"renamed"}),
    "repository": frozenset(
        {"renamed", "transferred", "archived", "unarchived", "deleted", "privatized", "publicized", "edited"}
    ),
    "pull_request": frozenset({"closed"}),
}
"""Event -> actions with an effect; everything else is acknowledged and forgotten."""

_SUBJECT = {
    "workflow_run": "workflow_run",
    "check_run": "check_run",
    "check_suite": "check_suite",
    "installation": "installation",
    "installation_repositories": "installation",
    "installation_target": "account",
    "repository": "repository",
    "pull_request": "pull_request",
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a delivery is filed under. `guid` and `event` come from headers, which GitHub does not sign."""

    guid: str
    event: str
    action: str
    installation_id: int | None
    repository_id: int | None


def read_envelope(event: str, guid: str, payload: object) -> Envelope:
    """File a delivery by its headers and body."""
    return Envelope(
        guid=fields.clean(guid)[:80],
        event=fields.clean(event)[:40],
        action=fields.text(payload, "action", limit=40),
        installation_id=fields.number(payload, "installation", "id"),
        repository_id=fields.number(payload, "repository", "id"),
    )


def wanted(envelope: Envelope, payload: object) -> bool:
    """True when the event has an effect here and the signed body is really one of that event."""
    return envelope.action in WANTED.get(envelope.event, frozenset()) and isinstance(
        fields.dig(payload, _SUBJECT[envelope.event]), dict
    )


def relevant(event: str, action: str) -> bool:
    """The same by name alone, for a list of deliveries without bodies."""
    return action in WANTED.get(event, frozenset())
