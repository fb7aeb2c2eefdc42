"""Settle: one transaction checks who asks, swaps the quarantine's state, writes the audit and marks the messages."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from core.policy import Policy
from core.quarantine import Quarantine, RefusedError, SettledError
from core.tenancy import Person, Project, Role
from jobs.desk import Desk
from jobs.role import group_role
from jobs.tell import tell_step
from storage import audit, publication
from storage.approver import role_of
from storage.check_run import touch_checks
from storage.database import Tx
from storage.project import get_policy, get_project
from storage.quarantine import count_in_force, get_quarantine, lock_decisions, swap_quarantine
from storage.test_case import count_tests

Step = Callable[[Tx, Quarantine, Role, Policy], Quarantine]


def settle(
    desk: Desk,
    quarantine_id: int,
    *,
    project_id: int | None,
    by: Person,
    verb: str,
    step: Step,
    details: Mapping[str, Any] | None = None,
) -> Quarantine:
    """The next state, stored; or the refusal, audited and raised."""
    with desk.database.begin() as tx:  # not `read`: a replica may not know the proposal yet
        project_id = get_quarantine(tx, project_id, quarantine_id).project_id
    promoted, now = group_role(desk, project_id, by), desk.now()

    def work(tx: Tx) -> Quarantine | RefusedError:
        lock_decisions(tx, project_id)
        before = get_quarantine(tx, project_id, quarantine_id, lock=True)
        project = get_project(tx, project_id)
        role = max_role(role_of(tx, project_id, by.user), promoted)
        try:
            after = step(tx, before, role, get_policy(tx, project_id))
        except RefusedError as refusal:
            record_refusal(tx, project, before.name, by=by, wanted=verb, refusal=refusal, at=now)
            return refusal
        swap(tx, before, after)
        said = {"reason": after.decision_reason} if after.decision_reason else {}
        record(tx, project, after, by=by, verb=verb, details={**said, **(details or {})}, at=now)
        return after

    return spoken(desk, desk.database.run(work))


def spoken(desk: Desk, outcome: Quarantine | RefusedError) -> Quarantine:
    """After the commit: tell the world, or the one who was refused."""
    if isinstance(outcome, RefusedError):
        raise outcome
    desk.dispatch.wake("publish")
    return outcome


def swap(tx: Tx, before: Quarantine, after: Quarantine) -> None:
    """Store the next state; SettledError when somebody was faster."""
    if not swap_quarantine(tx, before, after):
        raise SettledError(f"{before.name} has just been changed by somebody else.")


def max_role(one: Role, other: Role) -> Role:
    """The stronger of two roles."""
    order = list(Role)
    return max(one, other, key=order.index)


def room(tx: Tx, project_id: int, policy: Policy) -> int:
    """How many more tests may be in quarantine. True until commit only for whoever holds the decision lock."""
    return policy.cap(count_tests(tx, project_id)) - count_in_force(tx, project_id)


def check_cap(tx: Tx, project_id: int, policy: Policy) -> None:
    """Refuse one more quarantine when the policy's cap is reached."""
    if room(tx, project_id, policy) <= 0:
        cap = policy.cap(count_tests(tx, project_id))
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
    """Write the audit event of a change and its webhooks, and ask for every message about it to be said anew."""
    audit.record(
        tx,
        project,
        by=by,
        action=f"quarantine.{verb}",
        subject=after.name,
        at=at,
        details={"test_id": after.test_id, "state": after.state.value, **details},
    )
    publication.touch(tx, project_id=project.id, kind="proposal", subject=after.id, now=at)
    touch_checks(tx, project_id=project.id, now=at)
    tell_step(tx, project, after, by=by, verb=verb, now=at)


def record_refusal(
    tx: Tx, project: Project, subject: str, *, by: Person, wanted: str, refusal: RefusedError, at: datetime
) -> None:
    """Who wanted what and why not is worth remembering too."""
    why = {"wanted": wanted, "why": refusal.message}
    audit.record(tx, project, by=by, action="quarantine.refused", subject=subject, at=at, details=why)
