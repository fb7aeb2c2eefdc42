"""Deliver: send what waits for an endpoint, one message after the other, until nothing is left or it fails.

One sender an endpoint over all nodes, held by a lease. A message that arrived and whose answer was lost is sent
again under the same id: at least once, never zero times.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from core.patience import FAILING_FOR, Answer, next_try, pause
from core.tenancy import CLOCK
from jobs.courier import Courier
from jobs.desk import Desk
from storage import audit
from storage import endpoint as endpoints
from storage import webhook as outbox
from storage.database import Tx
from storage.endpoint import Endpoint, Off
from storage.webhook import Message

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
"""Longer than one attempt may take; renewed after each."""
TURN = 25
"""Messages sent in one turn; then others have theirs."""
WHY = {
    "gone": "It answered 410 Gone.",
    "failing": f"It has not answered well for {FAILING_FOR.days} days.",
}


def deliver_due(desk: Desk, limit: int = 100) -> int:
    """A turn for every endpoint with something due, one after the other; answers how many messages arrived."""
    if desk.courier is None:
        return 0
    with desk.database.read() as tx:
        due = outbox.due_endpoints(tx, desk.now(), limit)
    return sum(take_turn(desk, desk.courier, endpoint_id) for endpoint_id in due)


def take_turn(
    desk: Desk, courier: Courier, endpoint_id: int, *, over: Callable[[], bool] = lambda: False
) -> int:
    """Claim the endpoint, send what waits until it is `over`, give it back; answers how many messages arrived."""
    now = desk.now()
    with desk.database.begin() as tx:
        endpoint = endpoints.claim_endpoint(tx, endpoint_id, now=now, lease_until=now + LEASE)
        message = _next(tx, endpoint, now) if endpoint else None
    arrived = 0
    for left in reversed(range(TURN)):
        if endpoint is None or message is None:
            break
        answer = _carried(courier, endpoint, message)
        arrived += answer.ok
        endpoint, message = _Settling(desk, endpoint, message, answer).settle(more=left > 0 and not over())
    return arrived


def _next(tx: Tx, endpoint: Endpoint, now: datetime) -> Message | None:
    """The endpoint is given back when nothing waits for it."""
    message = outbox.next_message(tx, endpoint.id, now)
    if message is None:
        endpoints.release_endpoint(tx, endpoint, next_at=now)
    return message


def _carried(courier: Courier, endpoint: Endpoint, message: Message) -> Answer:
    try:
        return courier.carry(endpoint, message)
    except Exception as error:  # the outermost loop of one message: the others must not wait for it
        log.exception("webhook.crashed", endpoint=endpoint.id, message=message.key)
        return Answer(error=f"It could not be sent ({type(error).__name__}).")


@dataclass(slots=True)
class _Settling:
    """What one answer leads to, in one transaction."""

    desk: Desk
    endpoint: Endpoint
    message: Message
    answer: Answer

    def settle(self, *, more: bool) -> tuple[Endpoint | None, Message | None]:
        """The endpoint, if it goes on there, and its next message."""
        now = self.desk.now()
        with self.desk.database.begin() as tx:
            # First the endpoint, then its messages: so do those who change it, and nobody waits in a circle.
            held = endpoints.hold_endpoint(tx, self.endpoint, lease_until=now + LEASE)
            if self.answer.ok:  # a fact, even when another sender has taken over meanwhile
                outbox.delivered(tx, self.message, status=self.answer.status or 0, now=now)
            following = self._after(tx, held, now, more=more) if held else None
        self._log()
        return (held, following) if following else (None, None)

    def _after(self, tx: Tx, held: Endpoint, now: datetime, *, more: bool) -> Message | None:
        """What is sent there next; None when the endpoint was given back."""
        if not self.answer.ok:
            self._failed(tx, held, now)
            return None
        endpoints.answered_well(tx, held, now)
        if more and not held.off:
            return _next(tx, held, now)
        endpoints.release_endpoint(tx, held, next_at=now)
        return None

    def _failed(self, tx: Tx, held: Endpoint, now: datetime) -> None:
        if held.url != self.endpoint.url:  # it says nothing of the new address: that gets the message at once
            endpoints.release_endpoint(tx, held, next_at=now)
            return
        wait = None if self.answer.gone else next_try(self.message.tries + 1, self.answer, chance=_chance())
        outbox.not_delivered(
            tx,
            self.message,
            status=self.answer.status,
            error=self.answer.error,
            due_at=now + wait if wait else None,
            now=now,
        )
        endpoints.answered_badly(tx, held, error=self.answer.error, now=now)
        if (why := self._hopeless(held, now)) and not held.off:
            self._switch_off(tx, why, now)
        resting = pause(held.failures + 1, self.answer)
        endpoints.release_endpoint(tx, held, next_at=now + resting)

    def _hopeless(self, held: Endpoint, now: datetime) -> Off:
        if self.answer.gone:
            return "gone"
        since = held.failing_since
        return "failing" if since is not None and now - since >= FAILING_FOR else ""

    def _switch_off(self, tx: Tx, why: Off, now: datetime) -> None:
        endpoints.change_endpoint(tx, self.endpoint.id, off=why)
        audit.append(
            tx,
            organization_id=self.endpoint.organization_id,
            project_id=self.endpoint.project_id,
            at=now,
            actor=CLOCK.user,
            via=CLOCK.via.value,
            action="webhook.disabled",
            subject=self.endpoint.name,
            details={"why": WHY[why], "last_error": self.answer.error},
        )
        log.warning("webhook.disabled", endpoint=self.endpoint.id, why=why)

    def _log(self) -> None:
        heard = log.bind(endpoint=self.endpoint.id, message=self.message.key, type=self.message.type)
        if self.answer.ok:
            heard.info("webhook.delivered", status=self.answer.status)
        else:
            heard.info("webhook.failed", status=self.answer.status, error=self.answer.error)


def _chance() -> float:
    return random.random()  # noqa: S311 - jitter, not a secret
