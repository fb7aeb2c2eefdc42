"""A trial: send a test event and wait for its first attempt, whether a running server makes it or we do."""

from collections.abc import Callable
from datetime import datetime
from time import monotonic, sleep

from bot.settings import Settings
from bot.vault import Vault
from bot.webhooks.courier import WebhookCourier
from core.tenancy import Person
from jobs.connect import send_test
from jobs.deliver import take_turn
from jobs.desk import Desk
from storage.endpoint import Endpoint, get_endpoint
from storage.webhook import Message, get_message

PATIENCE = 20.0
"""Seconds to wait for it: longer than one attempt may take."""


def try_endpoint(
    desk: Desk,
    settings: Settings,
    endpoint_id: int,
    *,
    by: Person,
    now: Callable[[], datetime],
    patience: float = PATIENCE,
) -> tuple[Message, str]:
    """The test message, and what went wrong in words; empty when it has arrived."""
    before, over = _endpoint(desk, endpoint_id), monotonic() + patience
    key = send_test(desk, endpoint_id, by=by)
    courier = WebhookCourier(settings, now) if Vault(settings).ready else None
    while not (_message(desk, before, key).tries or _fails(desk, before)) and monotonic() < over:
        if courier is None or not take_turn(desk, courier, endpoint_id):
            sleep(0.1)
    message = _message(desk, before, key)
    return message, _told(desk, before, message)


def _told(desk: Desk, before: Endpoint, message: Message) -> str:
    if message.state == "delivered" or message.tries:
        return message.error
    # What has waited longer fails there: this one would, too.
    why = _endpoint(desk, before.id).error if _fails(desk, before) else "It is sent as soon as a server runs."
    return f"{message.key} waits. {why}"


def _fails(desk: Desk, before: Endpoint) -> bool:
    return _endpoint(desk, before.id).failures > before.failures


def _message(desk: Desk, endpoint: Endpoint, key: str) -> Message:
    with desk.database.begin() as tx:  # not `read`: a replica may not know it yet
        return get_message(tx, endpoint.id, key)


def _endpoint(desk: Desk, endpoint_id: int) -> Endpoint:
    with desk.database.begin() as tx:
        return get_endpoint(tx, endpoint_id)
