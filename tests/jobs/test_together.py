"""One cause, one card: tests that fail together with one message are asked about and decided together."""

from datetime import timedelta

import pytest
from fakes.shop import LONG

from core.quarantine import State
from jobs.decide import approve, deny

TWINS = {"test_login": "flaky", "test_logout": "flaky"}


@pytest.fixture
def twins(shop):
    """Two tests, one broken fixture: it strikes both at once, day after day."""
    for _ in range(LONG):
        shop.uploads(test_login="passed", test_logout="passed")
    for _ in range(3):
        shop.clock.now += timedelta(days=1)
        shop.uploads(message="TimeoutError: the login page did not open", **TWINS)
    return shop


def states(shop):
    return [one.state for one in shop.proposals()]


def cards(shop):
    shop.publishes()
    return [said for said in shop.chat.messages if said.saying.__class__.__name__ == "ProposalCard"]


def test_both_are_proposed_and_stand_on_one_card(twins):
    assert states(twins) == [State.PROPOSED, State.PROPOSED]
    (card,) = cards(twins)
    assert card.saying.also == ("tests/test_logout.py::test_logout",)


def test_one_approval_quarantines_both(twins):
    lead = min(twins.proposals(), key=lambda one: one.id)
    approve(twins.desk, lead.id, by=twins.alice)
    assert {twins.now(one).state for one in (lead, twins.latest("test_logout"))} == {State.ACTIVE}


def test_one_denial_denies_both_for_the_same_reason(twins):
    lead = min(twins.proposals(), key=lambda one: one.id)
    deny(twins.desk, lead.id, by=twins.alice, reason="a real bug", real_bug=True)
    other = twins.latest("test_logout")
    assert (other.state, other.decision_reason) == (State.DENIED, "a real bug")


def test_the_other_may_be_decided_by_itself(twins):
    lead = min(twins.proposals(), key=lambda one: one.id)
    deny(twins.desk, twins.latest("test_logout").id, by=twins.alice, reason="not that one")
    approve(twins.desk, lead.id, by=twins.alice)
    assert twins.now(lead).state is State.ACTIVE
    assert twins.latest("test_logout").state is State.DENIED


def test_what_the_cap_leaves_out_gets_a_card_of_its_own(twins):
    lead = min(twins.proposals(), key=lambda one: one.id)
    twins.policy(max_quarantined=1)
    approve(twins.desk, lead.id, by=twins.alice)
    assert twins.latest("test_logout").state is State.PROPOSED
    assert len(cards(twins)) == 2


def test_tests_that_only_happen_to_say_the_same_have_cards_of_their_own(shop):
    for name in ("test_login", "test_logout"):
        shop.finds_flaky(name, message="TimeoutError: too slow")
    assert len(cards(shop)) == 2
