from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.errors import FlakeGuardError, ValidationError
from core.policy import Policy
from core.quarantine import (
    MAX_DAYS,
    Quarantine,
    RefusedError,
    SettledError,
    State,
    approve,
    auto_approve,
    auto_approves,
    deny,
    extend,
    on_clock,
    parse_handle,
    release,
    withdraw,
)
from core.tenancy import CLOCK, Person, Role, Via

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = Policy()
ALICE, BOB, CAROL = (Person(name, Via.SLACK) for name in ("alice", "bob", "carol"))


def proposal(**changes):
    draft = Quarantine(
        id=17,
        project_id=1,
        test_id=5,
        state=State.PROPOSED,
        version=1,
        proposed_by="flakeguard",
        proposed_via=Via.POLICY,
        proposed_at=NOW,
        lapses_at=NOW + 7 * DAY,
        ttl_days=14,
        needed=1,
    )
    return replace(draft, **changes)


def said_yes(quarantine, by=ALICE, role=Role.APPROVER, policy=POLICY, now=NOW):
    return approve(quarantine, by=by, role=role, policy=policy, now=now)


def said_no(quarantine, by=ALICE, role=Role.APPROVER, reason="It is a bug", days=14):
    return deny(quarantine, by=by, role=role, reason=reason, cooldown_days=days, now=NOW)


def renewed(
    quarantine, *, role=Role.APPROVER, days=14, reason="Still waiting", policy=POLICY, now=NOW + 13 * DAY
):
    return extend(quarantine, by=BOB, role=role, reason=reason, days=days, policy=policy, now=now)


def test_one_approval_puts_it_in_force_for_the_time_proposed():
    active = said_yes(proposal(ttl_days=10))
    assert (active.state, active.until, active.decided_by) == (State.ACTIVE, NOW + 10 * DAY, "alice")
    assert active.version == 2


def test_a_quorum_of_two_needs_two_people():
    once = said_yes(proposal(needed=2))
    assert (once.state, once.version, once.until) == (State.PROPOSED, 2, None)
    with pytest.raises(RefusedError, match="already approved"):
        said_yes(once)
    assert said_yes(once, by=BOB).state is State.ACTIVE


@pytest.mark.parametrize(
    ("person", "role", "why"),
    [
        (ALICE, Role.VIEWER, "you are a viewer"),
        (replace(ALICE, guest=True), Role.ADMIN, "Guests"),
        (replace(ALICE, foreign=True), Role.ADMIN, "another workspace"),
    ],
)
@pytest.mark.parametrize("act", [said_yes, said_no])
def test_who_may_not_decide_is_told_why(act, person, role, why):
    with pytest.raises(RefusedError, match=why):
        act(proposal(), by=person, role=role)


def test_nobody_approves_their_own_proposal_unless_the_policy_says_so():
    own = proposal(proposed_by="alice", proposed_via=Via.SLACK)
    with pytest.raises(RefusedError, match="yourself"):
        said_yes(own, role=Role.ADMIN)
    assert said_yes(own, policy=Policy(allow_self_approval=True)).state is State.ACTIVE
    assert said_no(own).state is State.DENIED


def test_what_the_policy_never_quarantines_nobody_approves():
    with pytest.raises(RefusedError, match="protected"):
        said_yes(proposal(needed=0), role=Role.ADMIN)


@pytest.mark.parametrize(
    ("score", "line", "needed", "protected", "expected"),
    [
        (0.99, 0.95, 1, False, True),
        (0.95, 0.95, 1, False, True),
        (0.94, 0.95, 1, False, False),
        (0.99, 0.0, 1, False, False),
        (0.99, 0.95, 1, True, False),
        (0.99, 0.95, 2, False, False),
        (0.99, 0.95, 0, False, False),
    ],
)
def test_the_policy_approves_by_itself_only_what_is_sure_and_unprotected(
    score, line, needed, protected, expected
):
    policy = Policy(auto_approve_score=line)
    assert auto_approves(proposal(needed=needed), score=score, policy=policy, protected=protected) is expected


def test_approved_by_policy_names_no_person():
    active = auto_approve(proposal(), now=NOW)
    assert (active.state, active.decided_by, active.decided_via) == (State.ACTIVE, "flakeguard", Via.POLICY)


def test_a_denial_needs_a_reason_and_rests_for_a_while():
    with pytest.raises(ValidationError, match="why"):
        said_no(proposal(), reason="  ")
    denied = said_no(proposal(), days=3)
    assert (denied.state, denied.until, denied.decision_reason) == (
        State.DENIED,
        NOW + 3 * DAY,
        "It is a bug",
    )


SETTLED = [said_yes(proposal()), said_no(proposal()), withdraw(proposal(), reason="gone", now=NOW)]


@pytest.mark.parametrize("settled", SETTLED, ids=lambda one: one.state.value)
@pytest.mark.parametrize("act", [said_yes, said_no, lambda one: withdraw(one, reason="", now=NOW)])
def test_a_settled_question_stays_settled(settled, act):
    with pytest.raises(SettledError, match=f"q-17 is already {settled.state}"):
        act(settled)


def test_a_release_is_at_once_and_final():
    over = release(said_yes(proposal()), by=BOB, role=Role.APPROVER, reason="Fixed", now=NOW + DAY)
    assert (over.state, over.ended_at, over.decided_by, over.decision_reason) == (
        State.RELEASED, NOW + DAY, "bob", "Fixed",
    )  # fmt: skip
    with pytest.raises(SettledError, match="not in force"):
        release(over, by=BOB, role=Role.ADMIN, reason="", now=NOW)


def test_the_clock_may_release_without_a_role_but_a_viewer_may_not():
    active = said_yes(proposal())
    assert release(active, by=CLOCK, role=Role.VIEWER, reason="", now=NOW).state is State.RELEASED
    with pytest.raises(RefusedError):
        release(active, by=BOB, role=Role.VIEWER, reason="", now=NOW)


def test_a_renewal_counts_from_now():
    again = renewed(said_yes(proposal()))
    assert (again.until, again.renewals, again.state) == (NOW + 27 * DAY, 1, State.ACTIVE)
    assert again.decided_by == "alice"


@pytest.mark.parametrize(
    ("wanted", "error", "why"),
    [
        ({"reason": " "}, ValidationError, "reason"),
        ({"days": 0}, ValidationError, "1 to 60"),
        ({"days": MAX_DAYS + 1}, ValidationError, "1 to 60"),
        ({"days": 5, "now": NOW}, ValidationError, "already lasts longer"),
        ({"role": Role.VIEWER}, RefusedError, "viewer"),
        ({"policy": Policy(max_renewals=0)}, RefusedError, "the most the policy allows"),
    ],
)
def test_a_renewal_has_limits(wanted, error, why):
    with pytest.raises(error, match=why):
        renewed(said_yes(proposal()), **wanted)


@pytest.mark.parametrize(
    ("after", "expected"),
    [(10.9, None), (11, State.EXPIRING), (13.9, State.EXPIRING), (14, State.EXPIRED), (400, State.EXPIRED)],
)
def test_time_warns_and_ends_an_active_quarantine(after, expected):
    changed = on_clock(said_yes(proposal()), NOW + after * DAY)
    assert (changed and changed.state) == expected


def test_a_warned_quarantine_only_ends_and_is_not_warned_again():
    expiring = on_clock(said_yes(proposal()), NOW + 11 * DAY)
    assert on_clock(expiring, NOW + 12 * DAY) is None
    assert on_clock(expiring, NOW + 14 * DAY).state is State.EXPIRED


@pytest.mark.parametrize(("after", "expected"), [(6.9, None), (7, State.LAPSED), (99, State.LAPSED)])
def test_a_proposal_nobody_decides_lapses(after, expected):
    changed = on_clock(proposal(), NOW + after * DAY)
    assert (changed and changed.state) == expected


@pytest.mark.parametrize(
    "settled", [one for one in SETTLED if not one.state.open], ids=lambda one: one.state.value
)
def test_time_does_nothing_to_what_is_over(settled):
    assert on_clock(settled, NOW + 999 * DAY) is None


@pytest.mark.parametrize(
    ("text", "found"), [("q-17:3", (17, 3)), ("q-17", (17, None)), (" 17 ", (17, None)), ("17:1", (17, 1))]
)
def test_a_handle_is_id_and_version(text, found):
    assert parse_handle(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "q-",
        "q-x",
        "x17",
        "q-17:",
        "q-17:x",
        "q--1",
        "-1",
        "1" * 19,
        "1:" + "9" * 5000,
        "\u0661\u0667",
        "q-17:\u0663",
        "1 7",
    ],
)
def test_other_text_is_no_handle(text):
    with pytest.raises(ValidationError, match="looks like q-17"):
        parse_handle(text)


PEOPLE = st.sampled_from([ALICE, BOB, CAROL, replace(ALICE, guest=True), replace(BOB, foreign=True)])
ROLES = st.sampled_from(list(Role))
POLICIES = st.builds(Policy, allow_self_approval=st.booleans(), max_renewals=st.integers(0, 2))


class Story(RuleBasedStateMachine):
    """Whatever is asked in whatever order: either the next state or a refusal, never half of one."""

    @initialize(needed=st.integers(0, 3), by=st.sampled_from(["flakeguard", "alice"]), ttl=st.integers(1, 60))
    def begin(self, needed, by, ttl):
        self.now = NOW
        self.one = proposal(needed=needed, proposed_by=by, ttl_days=ttl)
        self.past = [self.one]

    def attempt(self, act, **wanted):
        try:
            after = act(self.one, now=self.now, **wanted)
        except FlakeGuardError:
            return
        if after is not None:
            self.past.append(after)
            self.one = after

    @rule(by=PEOPLE, role=ROLES, policy=POLICIES)
    def approves(self, by, role, policy):
        self.attempt(approve, by=by, role=role, policy=policy)

    @rule(by=PEOPLE, role=ROLES, days=st.integers(0, 30))
    def denies(self, by, role, days):
        self.attempt(deny, by=by, role=role, reason="no", cooldown_days=days)

    @rule(by=PEOPLE, role=ROLES)
    def releases(self, by, role):
        self.attempt(release, by=by, role=role, reason="")

    @rule(by=PEOPLE, role=ROLES, policy=POLICIES, days=st.integers(-1, 61))
    def extends(self, by, role, policy, days):
        self.attempt(extend, by=by, role=role, policy=policy, reason="more", days=days)

    @rule()
    def withdraws(self):
        self.attempt(withdraw, reason="gone")

    @rule()
    def policy_approves(self):
        if self.one.needed == 1:
            self.attempt(auto_approve)

    @precondition(lambda self: self.now < NOW + 400 * DAY)
    @rule(hours=st.integers(1, 24 * 20))
    def time_passes(self, hours):
        self.now += timedelta(hours=hours)
        self.attempt(on_clock)

    @invariant()
    def every_step_counts_once(self):
        assert [one.version for one in self.past] == list(range(1, len(self.past) + 1))

    @invariant()
    def nothing_follows_an_end(self):
        assert all(one.state.open for one in self.past[:-1])
        assert self.one.state.open == (self.one.ended_at is None)

    @invariant()
    def in_force_means_asked_for_and_limited(self):
        if self.one.state.in_force:
            assert self.one.until is not None
            assert self.one.until - self.now <= MAX_DAYS * DAY
            assert self.one.needed > 0
            assert len(self.one.votes) == self.one.needed or self.one.decided_via is Via.POLICY

    @invariant()
    def nobody_counts_twice(self):
        voters = [vote.user for vote in self.one.votes]
        assert len(voters) == len(set(voters)) <= max(self.one.needed, 0)

    @invariant()
    def the_question_itself_never_changes(self):
        first = self.past[0]
        assert (self.one.test_id, self.one.needed, self.one.ttl_days) == (
            first.test_id,
            first.needed,
            first.ttl_days,
        )


TestStory = Story.TestCase
