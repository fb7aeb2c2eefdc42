"""Propose: ask people whether a test may be quarantined. The scorer asks for confirmed flaky tests only."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from core import quarantine as rules
from core.errors import ConflictError, ValidationError
from core.naming import full_name
from core.policy import Policy
from core.quarantine import MAX_DAYS, Quarantine, RefusedError, State
from core.tenancy import FLAKEGUARD, Person, Project
from jobs.announce import announce_proposal
from jobs.decide import check_cap, record
from jobs.desk import Desk
from jobs.explain import explain_test
from storage.database import Tx
from storage.project import get_policy, get_project
from storage.quarantine import (
    add_quarantine,
    cooling_tests,
    in_force,
    open_quarantine_of,
    open_tests,
    swap_quarantine,
)
from storage.snooze import snoozed_tests
from storage.test_case import TestCase, count_tests, get_test

NEVER = frozenset({"broken"})
"""States in which a test is right to fail: quarantine would hide a real defect."""


def propose(
    desk: Desk, *, project_id: int, test_id: int, by: Person, reason: str = "", ttl_days: int | None = None
) -> Quarantine:
    """A person asks for a quarantine. Raises RefusedError, ConflictError, NotFoundError, ValidationError."""
    now = desk.now()
    if by.foreign or by.guest:
        raise RefusedError("Guests and people from other workspaces may look, but not propose.")
    if ttl_days is not None and not 1 <= ttl_days <= MAX_DAYS:
        raise ValidationError(f"A quarantine lasts 1 to {MAX_DAYS} days.", field="for")
    with desk.database.begin() as tx:
        project, policy = get_project(tx, project_id), get_policy(tx, project_id)
        test = get_test(tx, project_id, test_id)
        _check_not_open(tx, project_id, test_id)
        explanation = explain_test(tx, project, test, now)
        if explanation.get("state") in NEVER:
            raise RefusedError(
                "This test is broken, not flaky: it fails every time. Fix it or the change that broke it."
            )
        draft = _draft(project, test, policy, explanation, by=by, now=now)
        draft = replace(draft, reason=reason.strip(), ttl_days=ttl_days or policy.ttl_days)
        proposed = _open(tx, project, policy, draft, by=by, now=now)
    desk.dispatch.wake("publish")
    return proposed


def propose_confirmed(
    tx: Tx, project: Project, explanations: Mapping[int, dict[str, Any]], *, now: datetime
) -> list[Quarantine]:
    """The scorer asks, for tests just confirmed flaky; open, denied and snoozed ones are left alone."""
    policy = get_policy(tx, project.id)
    blocked = open_tests(tx, project.id) | cooling_tests(tx, project.id, now)
    blocked |= snoozed_tests(tx, project.id, now)
    room = policy.cap(count_tests(tx, project.id)) - len(in_force(tx, project.id))
    wanted = [test_id for test_id in explanations if test_id not in blocked]
    opened = []
    for test_id in wanted[: max(0, room)]:
        test = get_test(tx, project.id, test_id)
        draft = _draft(project, test, policy, explanations[test_id], by=FLAKEGUARD, now=now)
        if draft.needed:
            opened.append(_open(tx, project, policy, draft, by=FLAKEGUARD, now=now))
    return opened


def withdraw_settled(
    tx: Tx, project: Project, reasons: Mapping[int, str], *, now: datetime
) -> list[Quarantine]:
    """Take back open proposals whose reason is gone: `reasons` says per test why."""
    taken = []
    for test_id, reason in reasons.items():
        before = open_quarantine_of(tx, project.id, test_id)
        if before is None or before.state is not State.PROPOSED:
            continue
        after = rules.withdraw(before, reason=reason, now=now)
        if swap_quarantine(tx, before, after):
            record(tx, project, after, by=FLAKEGUARD, verb="withdrawn", details={"reason": reason}, at=now)
            taken.append(after)
    return taken


def _check_not_open(tx: Tx, project_id: int, test_id: int) -> None:
    there = open_quarantine_of(tx, project_id, test_id)
    if there is not None:
        what = "waits for a decision" if there.state is State.PROPOSED else "is in quarantine"
        raise ConflictError(f"This test already {what} ({there.name}).", proposal_id=there.name)


def _draft(
    project: Project,
    test: TestCase,
    policy: Policy,
    explanation: dict[str, Any],
    *,
    by: Person,
    now: datetime,
) -> Quarantine:
    return Quarantine(
        id=0,
        project_id=project.id,
        test_id=test.id,
        state=State.PROPOSED,
        version=1,
        proposed_by=by.user,
        proposed_via=by.via,
        proposed_at=now,
        lapses_at=now + timedelta(days=policy.lapse_days),
        ttl_days=policy.ttl_days,
        needed=policy.approvals_for(test.key.file, test.key.suite, test.key.class_name, full_name(test.key)),
        evidence=explanation,
        fingerprints=tuple(_fingerprints(explanation)),
        policy_version=policy.version,
    )


def _fingerprints(explanation: dict[str, Any]) -> Iterable[str]:
    return [str(one) for one in explanation.get("fingerprints", [])]


def _open(
    tx: Tx,
    project: Project,
    policy: Policy,
    draft: Quarantine,
    *,
    by: Person,
    now: datetime,
) -> Quarantine:
    proposed = add_quarantine(tx, draft)
    score = float(draft.evidence.get("score") or 0)
    record(
        tx,
        project,
        proposed,
        by=by,
        verb="proposed",
        details={"score": score, "reason": draft.reason, "policy_version": policy.version},
        at=now,
    )
    protected = draft.needed != policy.approvals_required
    if by is FLAKEGUARD and rules.auto_approves(proposed, score=score, policy=policy, protected=protected):
        proposed = _auto_approve(tx, project, policy, proposed, now=now)
    announce_proposal(tx, project, policy, proposed, now=now)
    return proposed


def _auto_approve(
    tx: Tx, project: Project, policy: Policy, proposed: Quarantine, *, now: datetime
) -> Quarantine:
    check_cap(tx, project.id, policy)
    after = rules.auto_approve(proposed, now=now)
    assert swap_quarantine(tx, proposed, after), "nobody else sees a row of this transaction"
    record(tx, project, after, by=FLAKEGUARD, verb="approved", details={"by_policy": True}, at=now)
    return after
