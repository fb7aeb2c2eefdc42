"""Receive: keep a webhook delivery durably, then work on it; whoever claims it, it has one effect."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from core.errors import FlakeGuardError
from core.github.event import Envelope
from core.github.fields import PayloadError
from jobs import collect, enlist, merge, press
from jobs.desk import Desk
from jobs.forge import MissingError, SuspendedError, WaitError
from jobs.hook import Hook, IgnoredError
from storage import delivery as inbox
from storage.delivery import Delivery, Filed

log = structlog.get_logger(__name__)

AT_ONCE = 4
"""Deliveries worked on at the same time by one node: most of it is waiting for GitHub."""
MAX_TRIES = 12
MAX_MISSING = 4
"""GitHub may not yet know what it has just told us about; after three more looks it is gone."""
_FIRST_BACKOFF = timedelta(seconds=2)
_MAX_BACKOFF = timedelta(minutes=15)

Handler = Callable[[Desk, Hook], None]

HANDLERS: dict[str, Handler] = {
    "workflow_run": collect.on_workflow_run,
    "check_run": press.on_check_run,
    "check_suite": press.on_check_suite,
    "installation": enlist.on_installation,
    "installation_repositories": enlist.on_installation_repositories,
    "installation_target": enlist.on_installation_target,
    "repository": enlist.on_repository,
    "pull_request": merge.on_pull_request,
}


def receive(desk: Desk, envelope: Envelope, *, digest: str, body: bytes) -> Filed:
    """Keep it; when this returns it is on disk. A redelivery of a failed one is armed again."""
    now = desk.now()
    with desk.database.begin() as tx:
        _, filed = inbox.file_delivery(tx, envelope, digest=digest, body=body, now=now)
    log.info(
        "webhook.filed", event_name=envelope.event, action=envelope.action, guid=envelope.guid, filed=filed
    )
    if filed != "duplicate":
        desk.dispatch.wake("inbox")
    return filed


def sweep_inbox(desk: Desk, limit: int = 100) -> int:
    """Work on everything that is due: new, due again, or left by a dead node. Answers how much was done."""
    with desk.database.read() as tx:
        due = inbox.due(tx, desk.now(), limit)
    if len(due) <= 1:
        return sum(process_delivery(desk, one) for one in due)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="flakeguard-inbox") as pool:
        return sum(pool.map(partial(process_delivery, desk), due))


def process_delivery(desk: Desk, delivery_id: int) -> bool:
    """Work on one delivery; False when somebody else does, or nothing is to be done."""
    now = desk.now()
    with desk.database.begin() as tx:
        delivery = inbox.claim_delivery(tx, delivery_id, now=now, lease_until=now + desk.lease)
    if delivery is None:
        return False
    with structlog.contextvars.bound_contextvars(guid=delivery.guid):
        _work(desk, delivery)
    return True


def _work(desk: Desk, delivery: Delivery) -> None:
    """The outermost loop of the inbox: whatever happens, the delivery gets a next state."""
    try:
        HANDLERS[delivery.event](desk, _hook(desk, delivery))
    except IgnoredError as reason:
        log.info("webhook.ignored", event_name=delivery.event, reason=reason.message)
        _finish(desk, delivery, ignored=True)
    except WaitError as error:
        _put_off(desk, delivery, error)
    except FlakeGuardError as error:
        _fail(desk, delivery, error)
    except Exception as error:  # the state machine must move on; the delivery is kept for a redelivery
        log.exception("webhook.crashed", event_name=delivery.event)
        _fail(desk, delivery, error)
    else:
        _finish(desk, delivery)


def _hook(desk: Desk, delivery: Delivery) -> Hook:
    try:
        payload: dict[str, Any] = json.loads(delivery.body)
    except ValueError as error:
        raise PayloadError("The delivery's body is not JSON.") from error
    return Hook(
        event=delivery.event,
        action=delivery.action,
        payload=payload,
        received_at=delivery.received_at,
        renew=partial(_renew, desk, delivery),
    )


def _renew(desk: Desk, delivery: Delivery) -> None:
    with desk.database.begin() as tx:
        if not inbox.renew_lease(tx, delivery, lease_until=desk.now() + desk.lease):
            raise IgnoredError("Another node has taken this delivery over.")


def _finish(desk: Desk, delivery: Delivery, *, ignored: bool = False) -> None:
    with desk.database.begin() as tx:
        inbox.finish_delivery(tx, delivery, "ignored" if ignored else "done", now=desk.now())


def _put_off(desk: Desk, delivery: Delivery, error: WaitError) -> None:
    log.info("webhook.put_off", event_name=delivery.event, seconds=round(error.retry_after, 1))
    with desk.database.begin() as tx:
        next_at = desk.now() + timedelta(seconds=error.retry_after)
        inbox.put_off(tx, delivery, error=error.message, next_at=next_at)


def _fail(desk: Desk, delivery: Delivery, error: Exception) -> None:
    again = _again(delivery, error)
    reason = f"{type(error).__name__}: {error}"
    log.warning("webhook.failed", event_name=delivery.event, attempt=delivery.attempt, final=again is None)
    with desk.database.begin() as tx:
        inbox.fail_delivery(tx, delivery, error=reason, next_at=desk.now() + again if again else None)


def _again(delivery: Delivery, error: Exception) -> timedelta | None:
    """When to try again; None when that is no use, and only a redelivery arms it."""
    tries = MAX_MISSING if isinstance(error, MissingError) else MAX_TRIES
    if isinstance(error, PayloadError | SuspendedError) or delivery.attempt >= tries:
        return None
    return min(_FIRST_BACKOFF * 2.0 ** (delivery.attempt - 1), _MAX_BACKOFF)
