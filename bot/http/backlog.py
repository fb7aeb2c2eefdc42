"""Work that waits: how much of each kind, and for how long the oldest of it."""

from dataclasses import dataclass
from datetime import datetime

from core.errors import ProcessingError
from jobs.desk import Desk
from storage.check_run import check_backlog
from storage.delivery import inbox_backlog
from storage.publication import backlog
from storage.webhook import message_backlog

PATIENCE = 15 * 60
"""Seconds after which work that still waits shows that nobody does it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kind of work."""

    count: int
    seconds: float


def waiting(desk: Desk) -> dict[str, Waiting]:
    """By kind; what no configured face would ever do is not counted as waiting."""
    now = desk.now()
    with desk.database.read() as tx:
        found = {"inbox": inbox_backlog(tx, now)}
        if desk.chat is not None:
            found["publications"] = backlog(tx, now)
        if desk.forge is not None:
            found["checks"] = check_backlog(tx, now)
        if desk.courier is not None:
            found["webhooks"] = message_backlog(tx, now)
    return {kind: Waiting(count, _age(oldest, now)) for kind, (count, oldest) in found.items()}


def check_waiting(desk: Desk) -> str:
    """A sentence; ProcessingError when something waits too long."""
    found = waiting(desk)
    for kind, one in found.items():
        if one.seconds > PATIENCE:
            raise ProcessingError(f"{one.count} {kind} wait, the oldest for {one.seconds:.0f} seconds.")
    return ", ".join(f"{one.count} {kind} wait" for kind, one in found.items())


def _age(oldest: datetime | None, now: datetime) -> float:
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
