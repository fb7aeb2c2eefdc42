"""Decide: approve, deny, release, extend: one transaction checks, swaps the state and writes the audit."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from core import quarantine as rules
from core.errors import ValidationError
from core.policy import Policy
from core.quarantine import Quarantine, RefusedError, SettledError, State
from core.tenancy import Person, Project, Role
from jobs.desk import Desk
from jobs.role import group_role
from storage import audit, publication
from storage.approver import role_of
from storage.database import Tx
from storage.project import get_policy, get_project
from storage.quarantine import get_quarantine, in_force, open_quarantine_of, swap_quarantine
from storage.snooze import put_snooze
from storage.test_case import count_tests, get_test

Step = Callable[[Tx, Quarantine, Role, Policy], Quarantine]

REAL_BUG = "A real bug"
"""The reason that teaches most: the test was right to fail."""


def approve(desk: Desk, quarantine_id: int, *, by: Person, project_id: int | None = None) -> Quarantine:
    """Count one approval; with the last one needed the test is in quarantine."""
    now = desk.now()

    def step(tx: Tx, before: Quarantine, role: Role, policy: Policy) -> Quarantine:
        after = rules.approve(before, by=by, role=role, policy=policy, now=now)
        if after.state is State.ACTIVE:
            check_cap(tx, before.project_id, policy)
        return after

    return _settle(desk, quarantine_id, project_id=project_id, by=by, verb="approved", step=step)


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
    return _settle(
        desk, quarantine_id, project_id=project_id, by=by, verb="denied", step=step, details=details
    )


def release(
    desk: Desk, quarantine_id: int, *, by: Person, reason: str = "", project_id: int | None = None
) -> Quarantine:
    """The test blocks merges again, at once."""
    now = desk.now()

    def step(_tx: Tx, before: Quarantine, role: Role, _policy: Policy) -> Quarantine:
        return rules.release(before, by=by, role=role, reason=reason, now=now)

    return _settle(desk, quarantine_id, project_id=project_id, by=by, verb="released", step=step)


def extend(
    desk: Desk, quarantine_id: int, *, by: Person, reason: str, days: int, project_id: int | None = None
) -> Quarantine:
    """The quarantine goes on for `days` from now."""
    now = desk.now()

    def step(_tx: Tx, before: Quarantine, role: Role, policy: Policy) -> Quarantine:
        return rules.extend(before, by=by, role=role, reason=reason, days=days, policy=policy, now=now)

    details = {"days": days}
    return _settle(
        desk, quarantine_id, project_id=project_id, by=by, verb="extended", step=step, details=details
    )


MAX_COOLDOWN = 365


def check_cap(tx: Tx, project_id: int, policy: Policy) -> None:
    """Refuse one more quarantine when the policy's cap is reached."""
    cap = policy.cap(count_tests(tx, project_id))
    if len(in_force(tx, project_id)) >= cap:
        raise RefusedError(
            f"{cap} tests are in quarantine, the most the policy allows; release one first.", cap=cap
        )


def record(
    tx: Tx,
    project: Project,
    after: Quarantine,
    *,
    by: Person,
    verb: str,
    details: Mapping[str, Any],
    at: datetime,
) -> None:
    """Write the audit event of a change and ask for every message about it to be said anew."""
    audit.append(
        tx,
        organization_id=project.organization_id,
        project_id=project.id,
        at=at,
        actor=by.user,
        via=by.via.value,
        action=f"quarantine.{verb}",
        subject=after.name,
        details={"test_id": after.test_id, "state": after.state.value, "through": by.detail, **details},
    )
    publication.touch(tx, project_id=project.id, kind="proposal", subject=after.id, now=at)


def _settle(
    desk: Desk,
    quarantine_id: int,
    *,
    project_id: int | None,
    by: Person,
    verb: str,
    step: Step,
    details: Mapping[str, Any] | None = None,
) -> Quarantine:
    with desk.database.read() as tx:
        project_id = get_quarantine(tx, project_id, quarantine_id).project_id
    promoted, now = group_role(desk, project_id, by), desk.now()
    with desk.database.begin() as tx:
        before = get_quarantine(tx, project_id, quarantine_id, lock=True)
        project = get_project(tx, before.project_id)
        role = max_role(role_of(tx, project.id, by.user), promoted)
        try:
            after = step(tx, before, role, get_policy(tx, project.id))
            if not swap_quarantine(tx, before, after):
                raise SettledError(f"{before.name} has just been changed by somebody else.")
            said = {"reason": after.decision_reason} if after.decision_reason else {}
            record(tx, project, after, by=by, verb=verb, details={**said, **(details or {})}, at=now)
            refusal = None
        except RefusedError as error:
            refusal = error
            _record_refusal(tx, project, before, by=by, verb=verb, refusal=error, at=now)
    if refusal is not None:
        raise refusal
    desk.dispatch.wake("publish")
    return after


def max_role(one: Role, other: Role) -> Role:
    """The stronger of two roles."""
    order = list(Role)
    return max(one, other, key=order.index)


def _record_refusal(
    tx: Tx,
    project: Project,
    before: Quarantine,
    *,
    by: Person,
    verb: str,
    refusal: RefusedError,
    at: datetime,
) -> None:
    audit.append(
        tx,
        organization_id=project.organization_id,
        project_id=project.id,
        at=at,
        actor=by.user,
        via=by.via.value,
        action="quarantine.refused",
        subject=before.name,
        details={"wanted": verb, "why": refusal.message, "through": by.detail},
    )


def snooze(desk: Desk, project_id: int, test_id: int, *, by: Person, days: int) -> None:
    """No proposal for this test for `days`; a proposal that waits is denied with that reason."""
    if not 1 <= days <= MAX_COOLDOWN:
        raise ValidationError(f"Snooze for 1 to {MAX_COOLDOWN} days.", field="days")
    with desk.database.read() as tx:
        waiting = open_quarantine_of(tx, project_id, test_id)
    if waiting is not None and waiting.state is State.PROPOSED:
        reason = f"Snoozed for {days} days"
        deny(desk, waiting.id, by=by, reason=reason, cooldown_days=days, project_id=project_id)
        return
    promoted, now = group_role(desk, project_id, by), desk.now()
    with desk.database.begin() as tx:
        project = get_project(tx, project_id)
        rules.check_may_decide(by, max_role(role_of(tx, project_id, by.user), promoted), "snooze")
        test = get_test(tx, project_id, test_id)
        put_snooze(tx, project_id, test.id, until=now + timedelta(days=days))
        audit.append(
            tx,
            organization_id=project.organization_id,
            project_id=project_id,
            at=now,
            actor=by.user,
            via=by.via.value,
            action="test.snoozed",
            subject=f"t-{test.id}",
            details={"days": days},
        )
