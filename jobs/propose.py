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
from jobs.desk import Desk
from jobs.explain import explain_test
from jobs.settle import record, record_refusal, room, spoken
from storage.cause import LEAD
from storage.database import Tx
from storage.project import get_policy, get_project
from storage.quarantine import (
    add_quarantine,
    cooling_tests,
    lock_decisions,
    open_quarantine_of,
    open_tests,
    swap_quarantine,
)
from storage.snooze import snoozed_tests
from storage.storm import stormy_tests
from storage.test_case import TestCase, get_test

NEVER = frozenset({"broken"})
"""States in which a test is right to fail: quarantine would hide a real defect."""


def propose(
    desk: Desk, *, project_id: int, test_id: int, by: Person, reason: str = "", ttl_days: int | None = None
) -> Quarantine:
    """A person asks for a quarantine. Raises RefusedError, ConflictError, NotFoundError, ValidationError."""
    now = desk.now()
    if ttl_days is not None and not 1 <= ttl_days <= MAX_DAYS:
        raise ValidationError(f"A quarantine lasts 1 to {MAX_DAYS} days.", field="for")
    with desk.database.read() as tx:
        test = get_test(tx, project_id, test_id)
        explanation = explain_test(tx, get_project(tx, project_id), test, now)

    def work(tx: Tx) -> Quarantine | RefusedError:
        lock_decisions(tx, project_id)
        project, policy = get_project(tx, project_id), get_policy(tx, project_id)
        _check_not_open(tx, project_id, test.id)
        draft = _draft(project, test, policy, explanation, by=by, now=now)
        draft = replace(draft, reason=reason.strip(), ttl_days=ttl_days or policy.ttl_days)
        try:
            _check_may_be_asked(draft, by)
        except RefusedError as refusal:
            record_refusal(tx, project, f"t-{test.id}", by=by, wanted="proposed", refusal=refusal, at=now)
            return refusal
        return _open(tx, project, policy, test, draft, by=by, now=now)

    return spoken(desk, desk.database.run(work))


def propose_confirmed(
    tx: Tx,
    project: Project,
    explanations: Mapping[int, dict[str, Any]],
    *,
    cards: Iterable[tuple[int, ...]],
    now: datetime,
) -> list[Quarantine]:
    """The scorer asks, for tests found flaky beyond doubt, as many as the policy's cap has room for.

    Tests of one of the `cards` have one cause: the first of them leads, and a decision about it is one about all.
    """
    lock_decisions(tx, project.id)
    policy = get_policy(tx, project.id)
    blocked, places = blocked_tests(tx, project.id, now), max(0, room(tx, project.id, policy))
    opened: list[Quarantine] = []
    for card in cards:
        lead: Quarantine | None = None
        for test_id in [one for one in card if one not in blocked]:
            test = get_test(tx, project.id, test_id)
            told = explanations[test_id] | ({LEAD: lead.id} if lead else {})
            draft = _draft(project, test, policy, told, by=FLAKEGUARD, now=now)
            if draft.needed and len(opened) < places:
                opened.append(_open(tx, project, policy, test, draft, by=FLAKEGUARD, now=now))
                lead = lead or opened[-1]
    return opened


def blocked_tests(tx: Tx, project_id: int, now: datetime) -> set[int]:
    """Tests the scorer does not ask about: asked already, denied or snoozed until later, in a storm."""
    asked = open_tests(tx, project_id) | cooling_tests(tx, project_id, now)
    return asked | snoozed_tests(tx, project_id, now) | stormy_tests(tx, project_id)


def withdraw_settled(
    tx: Tx, project: Project, reasons: Mapping[int, str], *, now: datetime
) -> list[Quarantine]:
    """Take back open proposals whose reason is gone: `reasons` says per test why."""
    taken = []
    if reasons:
        lock_decisions(tx, project.id)
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


def _check_may_be_asked(draft: Quarantine, by: Person) -> None:
    if by.foreign or by.guest:
        raise RefusedError("Guests and people from other workspaces may look, but not propose.")
    if draft.needed == 0:
        raise RefusedError("This test is protected: the policy never lets it be quarantined.")
    if draft.evidence.get("state") in NEVER:
        raise RefusedError(
            "This test is broken, not flaky: it fails every time. Fix it or the change that broke it."
        )


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
        needed=policy.approvals_for(*_names(test)),
        evidence=explanation,
        fingerprints=tuple(str(one) for one in explanation.get("fingerprints", [])),
        policy_version=policy.version,
    )


def _names(test: TestCase) -> tuple[str, ...]:
    """What a protected path may name."""
    return (test.key.file, test.key.suite, test.key.class_name, full_name(test.key))


def _open(
    tx: Tx,
    project: Project,
    policy: Policy,
    test: TestCase,
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
    protected = policy.protects(*_names(test))
    if by is FLAKEGUARD and rules.auto_approves(proposed, score=score, policy=policy, protected=protected):
        proposed = _auto_approve(tx, project, policy, proposed, now=now)
    announce_proposal(tx, project, policy, proposed, now=now)
    return proposed


def _auto_approve(
    tx: Tx, project: Project, policy: Policy, proposed: Quarantine, *, now: datetime
) -> Quarantine:
    if room(tx, project.id, policy) <= 0:
        return proposed  # it waits for a person, who is told about the cap
    after = rules.auto_approve(proposed, now=now)
    assert swap_quarantine(tx, proposed, after), "nobody else sees a row of this transaction"
    record(tx, project, after, by=FLAKEGUARD, verb="approved", details={"by_policy": True}, at=now)
    return after
