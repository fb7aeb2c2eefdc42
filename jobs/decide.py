"""Decide: approve, deny, release, extend and snooze, each by a person whom the policy lets do it."""

from datetime import timedelta

from core import quarantine as rules
from core.errors import ValidationError
from core.policy import Policy
from core.quarantine import Quarantine, RefusedError, SettledError, State
from core.tenancy import Person, Role
from jobs.desk import Desk
from jobs.role import group_role
from jobs.settle import check_cap, record_refusal, settle
from jobs.settle import max_role as max_role  # noqa: PLC0414 - part of this module's interface
from jobs.together import also
from storage import audit
from storage.approver import role_of
from storage.database import Tx
from storage.project import get_project
from storage.quarantine import lock_decisions, open_quarantine_of
from storage.snooze import put_snooze
from storage.test_case import get_test

REAL_BUG = "A real bug"
"""The reason that teaches most: the test was right to fail."""
MAX_COOLDOWN = 365


def approve(desk: Desk, quarantine_id: int, *, by: Person, project_id: int | None = None) -> Quarantine:
    """Count one approval; with the last one needed the test is in quarantine."""
    now = desk.now()

    def step(tx: Tx, before: Quarantine, role: Role, policy: Policy) -> Quarantine:
        after = rules.approve(before, by=by, role=role, policy=policy, now=now)
        if after.state is State.ACTIVE:
            check_cap(tx, before.project_id, policy)
        return after

    decided = settle(desk, quarantine_id, project_id=project_id, by=by, verb="approved", step=step)
    also(desk, decided, lambda one: approve(desk, one.id, by=by, project_id=one.project_id))
    return decided


def deny(
    desk: Desk,
    quarantine_id: int,
    *,
    by: Person,
    reason: str,
    cooldown_days: int | None = None,
    project_id: int | None = None,
    real_bug: bool = False,
) -> Quarantine:
    """The test keeps blocking merges; it is not proposed again for a while."""
    now = desk.now()

    def step(_tx: Tx, before: Quarantine, role: Role, policy: Policy) -> Quarantine:
        days = policy.deny_cooldown_days if cooldown_days is None else cooldown_days
        if not 0 <= days <= MAX_COOLDOWN:
            raise ValidationError(f"Give 0 to {MAX_COOLDOWN} days.", field="cooldown_days")
        return rules.deny(before, by=by, role=role, reason=reason, cooldown_days=days, now=now)

    details = {"real_bug": real_bug}
    decided = settle(
        desk, quarantine_id, project_id=project_id, by=by, verb="denied", step=step, details=details
    )
    also(
        desk,
        decided,
        lambda one: deny(
            desk,
            one.id,
            by=by,
            reason=reason,
            cooldown_days=cooldown_days,
            project_id=one.project_id,
            real_bug=real_bug,
        ),
    )
    return decided


def release(
    desk: Desk, quarantine_id: int, *, by: Person, reason: str = "", project_id: int | None = None
) -> Quarantine:
    """The test blocks merges again, at once."""
    now = desk.now()

    def step(_tx: Tx, before: Quarantine, role: Role, _policy: Policy) -> Quarantine:
        return rules.release(before, by=by, role=role, reason=reason, now=now)

    return settle(desk, quarantine_id, project_id=project_id, by=by, verb="released", step=step)


def extend(
    desk: Desk, quarantine_id: int, *, by: Person, reason: str, days: int, project_id: int | None = None
) -> Quarantine:
    """The quarantine goes on for `days` from now."""
    now = desk.now()

    def step(_tx: Tx, before: Quarantine, role: Role, policy: Policy) -> Quarantine:
        return rules.extend(before, by=by, role=role, reason=reason, days=days, policy=policy, now=now)

    details = {"days": days}
    return settle(
        desk, quarantine_id, project_id=project_id, by=by, verb="extended", step=step, details=details
    )


def snooze(desk: Desk, project_id: int, test_id: int, *, by: Person, days: int) -> None:
    """No proposal for this test for `days`; a proposal that waits is denied with that reason."""
    if not 1 <= days <= MAX_COOLDOWN:
        raise ValidationError(f"Snooze for 1 to {MAX_COOLDOWN} days.", field="days")
    with desk.database.begin() as tx:
        test_id = get_test(tx, project_id, test_id).id
        waiting = open_quarantine_of(tx, project_id, test_id)
    if waiting is not None and waiting.state is State.PROPOSED:
        try:
            deny(
                desk,
                waiting.id,
                by=by,
                reason=f"Snoozed for {days} days",
                cooldown_days=days,
                project_id=project_id,
            )
        except SettledError:
            pass  # decided this very moment; the snooze itself is still wanted
        else:
            return
    refusal = _snooze(desk, project_id, test_id, by=by, days=days)
    if refusal is not None:
        raise refusal


def _snooze(desk: Desk, project_id: int, test_id: int, *, by: Person, days: int) -> RefusedError | None:
    promoted, now = group_role(desk, project_id, by), desk.now()

    def work(tx: Tx) -> RefusedError | None:
        lock_decisions(tx, project_id)
        project, subject = get_project(tx, project_id), f"t-{test_id}"
        try:
            rules.check_may_decide(by, max_role(role_of(tx, project_id, by.user), promoted), "snooze")
        except RefusedError as refusal:
            record_refusal(tx, project, subject, by=by, wanted="snoozed", refusal=refusal, at=now)
            return refusal
        put_snooze(tx, project_id, test_id, until=now + timedelta(days=days))
        audit.record(
            tx, project, by=by, action="test.snoozed", subject=subject, at=now, details={"days": days}
        )
        return None

    return desk.database.run(work)
