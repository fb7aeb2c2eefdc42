"""Connect: endpoints are made, changed, switched off and on, and removed; each change with its audit event."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from core.errors import ConflictError, ValidationError
from core.reach import Reach
from core.tenancy import Person
from core.webhook import EventType, chosen
from jobs.desk import Desk
from jobs.tell import tell_one
from storage import audit
from storage import endpoint as endpoints
from storage.database import Tx
from storage.endpoint import Endpoint
from storage.webhook import forget_messages_of, hasten, rearm

MOST = 50
"""Endpoints of one organization: every event is written once for each of them."""
LONGEST_OVERLAP = timedelta(days=30)
_DESCRIPTION = re.compile(r"[^\x00-\x1f\x7f]{0,200}")


@dataclass(frozen=True, slots=True)
class Listener:
    """On whose behalf an endpoint hears: one project, or (None) every project of the organization."""

    organization_id: int
    project_id: int | None = None


def add_endpoint(
    desk: Desk,
    listener: Listener,
    url: str,
    *,
    reach: Reach,
    secret: bytes,
    by: Person,
    events: Iterable[str] = (),
    description: str = "",
) -> Endpoint:
    """A new endpoint; `secret` is encrypted already."""
    url, wanted, described = reach.check_url(url), chosen(events), _described(description)
    now = desk.now()
    with desk.database.begin() as tx:
        if len(endpoints.list_endpoints(tx, organization_id=listener.organization_id)) >= MOST:
            raise ConflictError(f"An organization has at most {MOST} webhooks; delete one first.")
        made = endpoints.add_endpoint(
            tx,
            organization_id=listener.organization_id,
            project_id=listener.project_id,
            url=url,
            description=described,
            events=wanted,
            secret=secret,
            now=now,
        )
        _record(tx, made, "created", by=by, at=now, details={"url": _place(url), "events": list(wanted)})
    return made


def change_endpoint(
    desk: Desk,
    endpoint_id: int,
    *,
    reach: Reach,
    by: Person,
    url: str | None = None,
    events: Iterable[str] | None = None,
    description: str | None = None,
    project_id: int | None = None,
) -> Endpoint:
    """Another address, another choice of events, another description; what is not given stays."""
    changes: dict[str, Any] = {}
    if url is not None:
        changes["url"] = reach.check_url(url)
    if events is not None:
        changes["events"] = chosen(events)
    if description is not None:
        changes["description"] = _described(description)
    with _opened(desk, endpoint_id, project_id) as (tx, endpoint, now):
        if changes:
            endpoints.change_endpoint(tx, endpoint.id, **changes, **_awake(now))
            told = {name: _place(value) if name == "url" else value for name, value in changes.items()}
            _record(tx, endpoint, "changed", by=by, at=now, details=told)
        return endpoints.get_endpoint(tx, endpoint.id)


def rotate_secret(
    desk: Desk,
    endpoint_id: int,
    secret: bytes,
    *,
    by: Person,
    overlap: timedelta,
    project_id: int | None = None,
) -> Endpoint:
    """A new secret; the one before signs beside it for `overlap`, so that receivers can change without a gap."""
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise ValidationError(
            f"The old secret may go on for up to {LONGEST_OVERLAP.days} days.", field="overlap"
        )
    with _opened(desk, endpoint_id, project_id) as (tx, endpoint, now):
        old = endpoint.secret if overlap else None
        values = {"secret": secret, "old_secret": old, "old_until": now + overlap if old else None}
        endpoints.change_endpoint(tx, endpoint.id, **values, **_awake(now))
        _record(tx, endpoint, "rotated", by=by, at=now, details={"overlap_seconds": overlap.total_seconds()})
        return endpoints.get_endpoint(tx, endpoint.id)


def switch_off(desk: Desk, endpoint_id: int, *, by: Person, project_id: int | None = None) -> Endpoint:
    """Nothing is sent or written for it from now on; what waits is sent when it is switched on again."""
    with _opened(desk, endpoint_id, project_id) as (tx, endpoint, now):
        if not endpoint.off:
            endpoints.change_endpoint(tx, endpoint.id, off="person")
            _record(tx, endpoint, "disabled", by=by, at=now)
        return endpoints.get_endpoint(tx, endpoint.id)


def switch_on(desk: Desk, endpoint_id: int, *, by: Person, project_id: int | None = None) -> Endpoint:
    """It is sent to again, what waits at once, with the patience that a new one finds."""
    with _opened(desk, endpoint_id, project_id) as (tx, endpoint, now):
        if endpoint.off:
            fresh = {"off": "", "failures": 0, "failing_since": None, "error": ""}
            endpoints.change_endpoint(tx, endpoint.id, **fresh, **_awake(now))
            hasten(tx, endpoint, now)
            _record(tx, endpoint, "enabled", by=by, at=now)
        woken = endpoints.get_endpoint(tx, endpoint.id)
    desk.dispatch.wake("webhooks")
    return woken


def remove_endpoint(desk: Desk, endpoint_id: int, *, by: Person, project_id: int | None = None) -> None:
    """It is forgotten with its secret and everything that waits for it."""
    with _opened(desk, endpoint_id, project_id) as (tx, endpoint, now):
        forget_messages_of(tx, endpoint.id)
        endpoints.remove_endpoint(tx, endpoint.id)
        _record(tx, endpoint, "deleted", by=by, at=now, details={"url": _place(endpoint.url)})


def send_test(desk: Desk, endpoint_id: int, *, by: Person, project_id: int | None = None) -> str:
    """One event that means nothing; answers its message's id."""
    with _opened(desk, endpoint_id, project_id) as (tx, endpoint, now):
        _need_on(endpoint)
        data = {"text": "This is a test: nothing has happened.", "by": {"user": by.user, "via": by.via.value}}
        key = tell_one(tx, endpoint, EventType.TRIED, data, now=now)
        endpoints.change_endpoint(tx, endpoint.id, **_awake(now))
        _record(tx, endpoint, "tested", by=by, at=now, details={"message": key})
    desk.dispatch.wake("webhooks")
    return key


def send_again(desk: Desk, endpoint_id: int, *, by: Person, project_id: int | None = None) -> int:
    """Whatever has not arrived is due at once, under the ids it had; answers how many messages."""
    with _opened(desk, endpoint_id, project_id) as (tx, endpoint, now):
        _need_on(endpoint)
        count = rearm(tx, endpoint, now)
        endpoints.change_endpoint(tx, endpoint.id, **_awake(now))
        _record(tx, endpoint, "retried", by=by, at=now, details={"messages": count})
    desk.dispatch.wake("webhooks")
    return count


@contextmanager
def _opened(desk: Desk, endpoint_id: int, project_id: int | None) -> Iterator[tuple[Tx, Endpoint, datetime]]:
    """One transaction about one endpoint, which nobody else changes meanwhile."""
    now = desk.now()
    with desk.database.begin() as tx:
        yield tx, endpoints.get_endpoint(tx, endpoint_id, project_id=project_id, lock=True), now


def _need_on(endpoint: Endpoint) -> None:
    if endpoint.off:
        raise ConflictError(f"Webhook {endpoint.id} is disabled; enable it first.")


def _awake(now: datetime) -> dict[str, datetime]:
    """Somebody is there and has done something about it: it does not rest any longer."""
    return {"next_at": now}


def _described(text: str) -> str:
    if not _DESCRIPTION.fullmatch(text.strip()):
        raise ValidationError("A description is one line of at most 200 characters.", field="description")
    return text.strip()


def _place(url: str) -> str:
    """The receiver without its path: that is often the secret, and the audit log is for ever and for many readers."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _record(
    tx: Tx,
    endpoint: Endpoint,
    what: str,
    *,
    by: Person,
    at: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    audit.record_in(
        tx,
        endpoint.organization_id,
        project_id=endpoint.project_id,
        by=by,
        action=f"webhook.{what}",
        subject=endpoint.name,
        at=at,
        details=details,
    )
