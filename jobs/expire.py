"""Expire: what time alone does to quarantines - they lapse, warn and end - each step audited and said."""

from datetime import timedelta

import structlog

from core.quarantine import WARN_DAYS, Quarantine, State, on_clock
from core.tenancy import CLOCK
from jobs.announce import note_in_thread
from jobs.decide import record
from jobs.desk import Desk
from storage.database import Tx
from storage.project import get_project
from storage.quarantine import due_quarantines, get_quarantine, swap_quarantine

log = structlog.get_logger(__name__)

VERBS = {State.LAPSED: "lapsed", State.EXPIRED: "expired", State.EXPIRING: "expiring"}


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
    with desk.database.begin() as tx:
        before = get_quarantine(tx, seen.project_id, seen.id, lock=True)
        after = on_clock(before, now)
        if after is None or not swap_quarantine(tx, before, after):
            return False
        project = get_project(tx, before.project_id)
        record(tx, project, after, by=CLOCK, verb=VERBS[after.state], details={}, at=now)
        _warn(tx, after)
    log.info("quarantine.clock", quarantine=after.name, state=after.state.value)
    return True


def _warn(tx: Tx, after: Quarantine) -> None:
    """Three days and one day before the end the thread is told, each once."""
    if after.state is not State.EXPIRING or after.until is None:
        return
    for days in (WARN_DAYS, 1):
        due = after.until - timedelta(days=days)
        payload = {"text": f"{days} day{'s' if days > 1 else ''} left in quarantine.", "until_days": days}
        note_in_thread(tx, after, fact=f"left-{days}-{after.renewals}", payload=payload, now=due)
