"""The quarantine of one test, from proposal to release: states, rules and nothing else.

A quarantine is proposed, then active (its failures cannot block a merge), then over. Each function takes the
present value and answers with the next one or refuses in words; storing it (compare-and-set on `version`) is
the caller's part.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.errors import ConflictError, ForbiddenError, ValidationError
from core.policy import Policy
from core.tenancy import CLOCK, FLAKEGUARD, Person, Role, Via


class State(StrEnum):
    """Where a quarantine stands. `active` and `expiring` are in force; the last five are final."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    EXPIRING = "expiring"
    RELEASED = "released"
    EXPIRED = "expired"
    DENIED = "denied"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"

    @property
    def in_force(self) -> bool:
        """True while CI must not be blocked by the test."""
        return self in IN_FORCE

    @property
    def open(self) -> bool:
        """True until the story of this quarantine is over."""
        return self is State.PROPOSED or self.in_force


IN_FORCE = frozenset({State.ACTIVE, State.EXPIRING})


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's approval."""

    user: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Quarantine:
    """One proposal and what became of it. Its public name is `q-<id>`, in buttons `q-<id>:<version>`."""

    id: int
    project_id: int
    test_id: int
    state: State
    version: int
    proposed_by: str
    proposed_via: Via
    proposed_at: datetime
    lapses_at: datetime
    ttl_days: int
    needed: int
    """Approvals needed, fixed when proposed."""
    reason: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    """The explanation frozen at proposal time (core.explain)."""
    fingerprints: tuple[str, ...] = ()
    """Hex fingerprints of the failures this quarantine was approved for."""
    policy_version: int = 1
    votes: tuple[Vote, ...] = ()
    decided_by: str = ""
    decided_via: Via | None = None
    decided_detail: str = ""
    decided_at: datetime | None = None
    decision_reason: str = ""
    until: datetime | None = None
    """Active: when it ends. Denied: until when the test is not proposed again."""
    renewals: int = 0
    ended_at: datetime | None = None

    @property
    def name(self) -> str:
        return f"q-{self.id}"

    @property
    def handle(self) -> str:
        """What a button carries: id and version, nothing that is trusted."""
        return f"q-{self.id}:{self.version}"


_HANDLE = re.compile(r"(?:q-)?([0-9]{1,18})(?::([0-9]{1,9}))?")
"""Ids fit 64 bits; longer text is not an id."""


class SettledError(ConflictError):
    """Somebody else was faster: this has already been decided."""


class RefusedError(ForbiddenError):
    """The policy does not let this person decide this."""


def parse_handle(text: str) -> tuple[int, int | None]:
    """`q-17:3` -> (17, 3); `q-17` and `17` -> (17, None)."""
    found = _HANDLE.fullmatch(text.strip())
    if found is None:
        raise ValidationError(f"{text[:40]!r} is not the id of a proposal; it looks like q-17.")
    name, version = found.groups()
    return int(name), int(version) if version else None


def check_may_decide(person: Person, role: Role, what: str = "decide") -> None:
    """Refuse guests, foreign workspaces and people without the role, in words `whoami` repeats."""
    if person.foreign:
        raise RefusedError("You are from another workspace; only people of this workspace decide here.")
    if person.guest:
        raise RefusedError("Guests may look, but not decide.")
    if not role.may_decide:
        raise RefusedError(f"You may not {what}: you are a {role}, and approvers and admins decide.")


def approve(quarantine: Quarantine, *, by: Person, role: Role, policy: Policy, now: datetime) -> Quarantine:
    """Count one approval; the last one needed makes it active. Raises SettledError or RefusedError."""
    require_proposed(quarantine)
    if quarantine.needed == 0:
        raise RefusedError("This test is protected: the policy never lets it be quarantined.")
    check_may_decide(by, role, "approve")
    if by.user == quarantine.proposed_by and not policy.allow_self_approval:
        raise RefusedError("You proposed this yourself; somebody else has to approve it.")
    if any(vote.user == by.user for vote in quarantine.votes):
        raise RefusedError("You have already approved; somebody else has to approve too.")
    voted = replace(quarantine, votes=(*quarantine.votes, Vote(by.user, now)), version=quarantine.version + 1)
    return voted if len(voted.votes) < voted.needed else activate(voted, by=by, now=now)


def auto_approves(quarantine: Quarantine, *, score: float, policy: Policy, protected: bool) -> bool:
    """True when the policy itself approves a proposal of this score."""
    return not protected and 0 < policy.auto_approve_score <= score and quarantine.needed == 1


def activate(quarantine: Quarantine, *, by: Person, now: datetime) -> Quarantine:
    """In force from now for the time proposed."""
    return replace(
        quarantine,
        state=State.ACTIVE,
        decided_by=by.user,
        decided_via=by.via,
        decided_detail=by.detail,
        decided_at=now,
        until=now + timedelta(days=quarantine.ttl_days),
    )


def auto_approve(quarantine: Quarantine, *, now: datetime) -> Quarantine:
    """The policy's own approval."""
    require_proposed(quarantine)
    return activate(replace(quarantine, version=quarantine.version + 1), by=FLAKEGUARD, now=now)


def deny(
    quarantine: Quarantine, *, by: Person, role: Role, reason: str, cooldown_days: int, now: datetime
) -> Quarantine:
    """The test keeps blocking merges and is not proposed again for `cooldown_days`."""
    require_proposed(quarantine)
    check_may_decide(by, role, "deny")
    if not reason.strip():
        raise ValidationError("Say in a few words why, so that others understand.", field="reason")
    return end(
        quarantine, State.DENIED, by=by, reason=reason, now=now, until=now + timedelta(days=cooldown_days)
    )


def release(quarantine: Quarantine, *, by: Person, role: Role, reason: str, now: datetime) -> Quarantine:
    """The test blocks merges again."""
    require_in_force(quarantine)
    if by.via not in {Via.CLOCK, Via.POLICY}:
        check_may_decide(by, role, "release")
    return end(quarantine, State.RELEASED, by=by, reason=reason, now=now)


def extend(
    quarantine: Quarantine, *, by: Person, role: Role, reason: str, days: int, policy: Policy, now: datetime
) -> Quarantine:
    """Renew an active quarantine for `days` from now; a reason is needed and the policy limits how often."""
    require_in_force(quarantine)
    check_may_decide(by, role, "renew")
    if not reason.strip():
        raise ValidationError("Say why it still needs time; a renewal needs a reason.", field="reason")
    if not 1 <= days <= MAX_DAYS:
        raise ValidationError(f"Renew for 1 to {MAX_DAYS} days.", field="days")
    if quarantine.renewals >= policy.max_renewals:
        raise RefusedError(f"It has been renewed {quarantine.renewals} times, the most the policy allows.")
    until = now + timedelta(days=days)
    if quarantine.until and until < quarantine.until:
        raise ValidationError(
            "It already lasts longer than that; release it to end it earlier.", field="days"
        )
    return replace(
        quarantine,
        state=State.ACTIVE,
        version=quarantine.version + 1,
        renewals=quarantine.renewals + 1,
        until=until,
        decision_reason=reason.strip(),
    )


MAX_DAYS = 60
WARN_DAYS = 3


def on_clock(quarantine: Quarantine, now: datetime) -> Quarantine | None:
    """What time alone does to it: lapse, begin to expire, expire. None when nothing changes."""
    match quarantine.state:
        case State.PROPOSED if now >= quarantine.lapses_at:
            return end(quarantine, State.LAPSED, by=CLOCK, reason="", now=now)
        case State.ACTIVE | State.EXPIRING if quarantine.until and now >= quarantine.until:
            return end(quarantine, State.EXPIRED, by=CLOCK, reason="", now=now)
        case State.ACTIVE if quarantine.until and now >= quarantine.until - timedelta(days=WARN_DAYS):
            return replace(quarantine, state=State.EXPIRING, version=quarantine.version + 1)
        case _:
            return None


def withdraw(quarantine: Quarantine, *, reason: str, now: datetime) -> Quarantine:
    """The proposal is taken back because its reason is gone (recovered, or broken after all)."""
    require_proposed(quarantine)
    return end(quarantine, State.WITHDRAWN, by=FLAKEGUARD, reason=reason, now=now)


def end(
    quarantine: Quarantine,
    state: State,
    *,
    by: Person,
    reason: str,
    now: datetime,
    until: datetime | None = None,
) -> Quarantine:
    """The final step: who, when, why. Who approved it before stays in the audit log."""
    return replace(
        quarantine,
        state=state,
        version=quarantine.version + 1,
        decided_by=by.user,
        decided_via=by.via,
        decided_detail=by.detail,
        decided_at=now,
        decision_reason=reason.strip(),
        ended_at=now,
        until=until or quarantine.until,
    )


def require_proposed(quarantine: Quarantine) -> None:
    """Raise SettledError unless the question is still open."""
    if quarantine.state is not State.PROPOSED:
        raise SettledError(f"{quarantine.name} is already {quarantine.state}.", state=quarantine.state.value)


def require_in_force(quarantine: Quarantine) -> None:
    """Raise SettledError unless the test is in quarantine now."""
    if not quarantine.state.in_force:
        raise SettledError(
            f"{quarantine.name} is {quarantine.state}, not in force.", state=quarantine.state.value
        )
