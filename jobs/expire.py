"""Expire: what time alone does to quarantines - they lapse, warn and end - each step audited and said."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog

from core.quarantine import WARN_DAYS, Quarantine, State, on_clock
from core.tenancy import CLOCK
from jobs.announce import note_in_thread
from jobs.desk import Desk
from jobs.settle import record, swap
from storage.database import Tx
from storage.project import get_project
from storage.quarantine import due_quarantines, get_quarantine, lock_decisions

log = structlog.get_logger(__name__)

VERBS = {State.LAPSED: "lapsed", State.EXPIRED: "expired", State.EXPIRING: "expiring"}
WARNINGS = (timedelta(days=WARN_DAYS), timedelta(days=1))
"""How long before the end the thread is told, each once."""
STILL_TRUE = timedelta(hours=6)
"""A warning that comes later than this (the server was down) would tell a wrong number of days."""


def expire_due(desk: Desk) -> int:
    """Do what is due now; answers how many quarantines changed. Safe on several nodes at once."""
    now = desk.now()
    with desk.database.read() as tx:
        due = due_quarantines(tx, now, now + timedelta(days=WARN_DAYS))
    changed = sum(_step(desk, one) for one in due)
    if changed:
        desk.dispatch.wake("publish")
    return changed


def _step(desk: Desk, seen: Quarantine) -> bool:
    now = desk.now()

    def work(tx: Tx) -> Quarantine | None:
        lock_decisions(tx, seen.project_id)
        before = get_quarantine(tx, seen.project_id, seen.id, lock=True)
        after = on_clock(before, now)
        if after is not None:
            swap(tx, before, after)
            project = get_project(tx, before.project_id)
            record(tx, project, after, by=CLOCK, verb=VERBS[after.state], details={}, at=now)
            _warn(tx, after, now)
        return after

    after = desk.database.run(work)
    if after is not None:
        log.info("quarantine.clock", quarantine=after.name, state=after.state.value)
    return after is not None


def _warn(tx: Tx, after: Quarantine, now: datetime) -> None:
    if after.state is not State.EXPIRING or after.until is None:
        return
    for days, text, due in warnings(after.until, now):
        payload = {"text": text, "ends": after.until.isoformat(), "tell_owner": True}
        fact = f"left-{days}-{after.renewals}"
        note_in_thread(tx, after, fact=fact, payload=payload, now=now, due_at=due)


def warnings(until: datetime, now: datetime) -> Iterator[tuple[int, str, datetime]]:
    """(days, what to say, when) of the warnings still to come; at least one, however late it is."""
    coming = [left for left in WARNINGS if until - left >= now - STILL_TRUE]
    for left in coming:
        plural = "s" if left.days > 1 else ""
        yield left.days, f"{left.days} day{plural} left in quarantine.", until - left
    if not coming:
        yield 0, "Less than a day left in quarantine.", now
