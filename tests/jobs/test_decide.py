from dataclasses import replace
from datetime import timedelta

import pytest
from fakes.shop import person

from core.errors import NotFoundError, ValidationError
from core.quarantine import RefusedError, SettledError, State
from core.tenancy import Via
from jobs.decide import approve, deny, extend, release, snooze
from jobs.propose import propose

DAY = timedelta(days=1)


def test_alice_approves_and_ci_obeys(shop):
    proposal = shop.finds_flaky()
    approve(shop.desk, proposal.id, by=shop.alice)
    answer = shop.uploads(test_login="failed")
    assert [one.verdict for one in answer.failures] == ["quarantined"]
    assert answer.all_failures_quarantined
    assert shop.audited(proposal.name) == [
        ("flakeguard", "quarantine.proposed"),
        ("alice", "quarantine.approved"),
    ]


def test_whoever_comes_second_is_told_who_was_faster(shop):
    proposal = shop.finds_flaky()
    approve(shop.desk, proposal.id, by=shop.alice)
    with pytest.raises(SettledError, match="already active"):
        deny(shop.desk, proposal.id, by=shop.bob, reason="No")
    assert shop.now(proposal).decided_by == "alice"
    assert len(shop.audited(proposal.name)) == 2


def test_a_viewer_is_refused_and_that_is_audited(shop):
    proposal = shop.finds_flaky()
    with pytest.raises(RefusedError, match="viewer"):
        approve(shop.desk, proposal.id, by=shop.carol)
    assert shop.now(proposal) == proposal
    assert shop.audited(proposal.name)[-1] == ("carol", "quarantine.refused")


@pytest.mark.parametrize("changes", [{"guest": True}, {"foreign": True}])
def test_guests_and_foreigners_are_refused_whatever_their_role(shop, changes):
    proposal = shop.finds_flaky()
    with pytest.raises(RefusedError):
        approve(shop.desk, proposal.id, by=replace(shop.alice, **changes))
    assert shop.now(proposal).state is State.PROPOSED


def test_members_of_the_approver_group_may_decide_from_slack_only(shop):
    shop.policy(approver_group="S1")
    shop.chat.groups["T1", "S1"] = {"erin"}
    proposal = shop.finds_flaky()
    with pytest.raises(RefusedError):
        approve(shop.desk, proposal.id, by=person("erin", Via.API))
    assert approve(shop.desk, proposal.id, by=person("erin")).state is State.ACTIVE


def test_a_quorum_of_two_asks_two_people(shop):
    shop.policy(approvals_required=2)
    proposal = shop.finds_flaky()
    assert approve(shop.desk, proposal.id, by=shop.alice).state is State.PROPOSED
    with pytest.raises(RefusedError, match="already approved"):
        approve(shop.desk, proposal.id, by=shop.alice)
    assert approve(shop.desk, proposal.id, by=shop.bob).state is State.ACTIVE


def test_open_proposals_keep_the_quorum_they_were_made_with(shop):
    proposal = shop.finds_flaky()
    shop.policy(approvals_required=2)
    assert approve(shop.desk, proposal.id, by=shop.alice).state is State.ACTIVE


def test_the_cap_refuses_the_quarantine_too_many(shop):
    shop.uploads(test_login="passed", test_cart="passed")
    for name in ("test_login", "test_cart"):
        propose(shop.desk, project_id=shop.project.id, test_id=shop.test_id(name), by=shop.carol)
    shop.policy(max_quarantined=1)
    approve(shop.desk, shop.latest("test_login").id, by=shop.alice)
    with pytest.raises(RefusedError, match="1 tests are in quarantine"):
        approve(shop.desk, shop.latest("test_cart").id, by=shop.alice)
    release(shop.desk, shop.latest("test_login").id, by=shop.bob)
    assert approve(shop.desk, shop.latest("test_cart").id, by=shop.alice).state is State.ACTIVE


def test_a_denied_test_keeps_blocking_and_is_left_alone_for_a_while(shop):
    proposal = shop.finds_flaky()
    denied = deny(shop.desk, proposal.id, by=shop.bob, reason="It is a bug", cooldown_days=3, real_bug=True)
    assert denied.until == shop.clock() + 3 * DAY
    assert shop.uploads(test_login="failed").failures[0].verdict != "quarantined"
    shop.goes_on(1, test_login="flaky")
    assert shop.latest("test_login").id == proposal.id


@pytest.mark.parametrize("days", [-1, 366])
def test_a_cooldown_has_limits(shop, days):
    proposal = shop.finds_flaky()
    with pytest.raises(ValidationError):
        deny(shop.desk, proposal.id, by=shop.bob, reason="No", cooldown_days=days)
    assert shop.now(proposal) == proposal


def test_a_release_is_obeyed_at_once(shop):
    proposal = shop.finds_flaky()
    approve(shop.desk, proposal.id, by=shop.alice)
    release(shop.desk, proposal.id, by=shop.bob, reason="Fixed in c9")
    assert not shop.uploads(test_login="failed").all_failures_quarantined


def test_a_renewal_is_audited_with_its_reason(shop):
    proposal = shop.finds_flaky()
    approve(shop.desk, proposal.id, by=shop.alice)
    shop.clock.pass_(days=12)
    renewed = extend(shop.desk, proposal.id, by=shop.bob, reason="Fix is in review", days=14)
    assert renewed.until == shop.clock() + 14 * DAY
    assert shop.audited(proposal.name)[-1] == ("bob", "quarantine.extended")


def test_a_snoozed_proposal_is_denied_and_rests(shop):
    proposal = shop.finds_flaky()
    snooze(shop.desk, shop.project.id, proposal.test_id, by=shop.alice, days=7)
    after = shop.now(proposal)
    assert (after.state, after.until, after.decision_reason) == (
        State.DENIED,
        shop.clock() + 7 * DAY,
        "Snoozed for 7 days",
    )


def test_a_snoozed_test_is_not_proposed(shop):
    shop.uploads(test_login="passed")
    snooze(shop.desk, shop.project.id, shop.test_id("test_login"), by=shop.alice, days=7)
    assert shop.finds_flaky() is None


def test_a_viewer_snoozes_nothing(shop):
    shop.uploads(test_login="passed")
    with pytest.raises(RefusedError):
        snooze(shop.desk, shop.project.id, shop.test_id("test_login"), by=shop.carol, days=7)
    assert shop.audited()[-1] == ("carol", "quarantine.refused")
    assert shop.finds_flaky() is not None


def test_another_projects_proposal_is_not_there(shop):
    proposal = shop.finds_flaky()
    with pytest.raises(NotFoundError):
        approve(shop.desk, proposal.id, by=shop.alice, project_id=proposal.project_id + 1)
