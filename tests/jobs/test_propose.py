from dataclasses import replace

import pytest

from core.errors import ConflictError, NotFoundError, ValidationError
from core.quarantine import RefusedError, State
from jobs.propose import propose


def asks(shop, name="test_login", by=None, **changes):
    return propose(
        shop.desk, project_id=shop.project.id, test_id=shop.test_id(name), by=by or shop.carol, **changes
    )


def test_a_test_confirmed_flaky_is_proposed_once(shop):
    proposal = shop.finds_flaky()
    shop.goes_on(1, test_login="flaky")
    assert shop.proposals() == [proposal]
    assert (proposal.state, proposal.proposed_by, proposal.needed) == (State.PROPOSED, "flakeguard", 1)
    assert proposal.evidence["state"] == "flaky"
    assert proposal.fingerprints


def test_a_test_that_only_fails_is_not_proposed(shop):
    shop.goes_on(3, test_login="failed")
    assert shop.proposals() == []


def test_anyone_may_ask_and_the_reason_is_kept(shop):
    shop.uploads(test_login="passed")
    proposal = asks(shop, reason=" Waits for a fix ", ttl_days=3)
    assert (proposal.proposed_by, proposal.reason, proposal.ttl_days) == ("carol", "Waits for a fix", 3)


@pytest.mark.parametrize("changes", [{"guest": True}, {"foreign": True}])
def test_guests_and_foreigners_may_not_ask(shop, changes):
    shop.uploads(test_login="passed")
    with pytest.raises(RefusedError):
        asks(shop, by=replace(shop.carol, **changes))
    assert shop.proposals() == []
    assert shop.audited()[-1] == ("carol", "quarantine.refused")


@pytest.mark.parametrize("days", [0, 61, -1])
def test_a_quarantine_lasts_one_to_sixty_days(shop, days):
    shop.uploads(test_login="passed")
    with pytest.raises(ValidationError, match="1 to 60"):
        asks(shop, ttl_days=days)


def test_what_is_asked_already_is_not_asked_again(shop):
    shop.uploads(test_login="passed")
    first = asks(shop)
    with pytest.raises(ConflictError, match=first.name):
        asks(shop, by=shop.bob)


def test_a_broken_test_is_not_proposed_even_by_a_person(shop):
    shop.uploads(test_login="passed")
    shop.goes_on(2, test_login="failed")
    with pytest.raises(RefusedError, match="broken, not flaky"):
        asks(shop)
    assert shop.proposals() == []


def test_an_unknown_test_cannot_be_proposed(shop):
    with pytest.raises(NotFoundError):
        propose(shop.desk, project_id=shop.project.id, test_id=999, by=shop.carol)


def test_a_protected_test_needs_more_approvals_or_is_never_asked_about(shop):
    shop.policy(protected_paths=("tests/test_pay*",))
    assert shop.finds_flaky("test_pay").needed == 2
    shop.policy(protected_approvals=0)
    assert shop.finds_flaky("test_pay_later") is None
    with pytest.raises(RefusedError, match="protected"):
        asks(shop, "test_pay_later")


def test_the_policy_approves_what_is_sure_enough_by_itself(shop):
    shop.policy(auto_approve_score=0.9)
    proposal = shop.finds_flaky()
    assert (proposal.state, proposal.decided_by) == (State.ACTIVE, "flakeguard")
    assert [action for _, action in shop.audited(proposal.name)] == [
        "quarantine.proposed",
        "quarantine.approved",
    ]


def test_a_protected_test_is_not_approved_by_policy_even_when_one_approval_is_enough(shop):
    shop.policy(auto_approve_score=0.9, protected_paths=("tests/test_login*",), protected_approvals=1)
    assert shop.finds_flaky().state is State.PROPOSED


def test_the_scorer_asks_no_further_than_the_cap(shop):
    shop.policy(max_quarantined=1, auto_approve_score=0.5)
    assert shop.finds_flaky("test_login").state is State.ACTIVE
    assert shop.finds_flaky("test_cart") is None


def test_a_proposal_is_taken_back_when_the_test_recovers(shop):
    proposal = shop.finds_flaky()
    shop.policy(lapse_days=60)
    shop.goes_on(30, every=4, test_login="passed")
    assert shop.now(proposal).state in {State.WITHDRAWN, State.LAPSED}
    assert shop.now(proposal).decision_reason


def test_a_proposal_is_taken_back_when_the_test_breaks(shop):
    proposal = shop.finds_flaky()
    shop.goes_on(2, every=6, test_login="failed")
    assert (shop.now(proposal).state, shop.now(proposal).decision_reason) == (
        State.WITHDRAWN,
        "It fails every time now: broken, not flaky.",
    )
