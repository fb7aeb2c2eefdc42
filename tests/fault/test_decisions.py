"""Many people click at once, on two nodes over one database: one decision, one audit row."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from fakes.shop import Shop, person

from core.audit import verify
from core.quarantine import RefusedError, SettledError, State
from core.tenancy import Role
from jobs.decide import approve, deny, release
from jobs.expire import expire_due
from jobs.propose import propose
from storage import audit
from storage.approver import set_role
from storage.database import Database
from storage.quarantine import count_in_force

PEOPLE = [f"user{number}" for number in range(8)]


@pytest.fixture
def shop(database):
    shop = Shop(database)
    with database.begin() as tx:
        for user in PEOPLE:
            set_role(tx, shop.project.id, user, Role.APPROVER)
    shop.uploads(**{f"test_{number}": "passed" for number in range(8)})
    return shop


@pytest.fixture
def nodes(shop, database_url):
    """Two processes' worth of desks: each with its own connections and memory."""
    other = Database.open(database_url, pool_size=10)
    desk = shop.other_desk()
    object.__setattr__(desk, "database", other)
    yield [shop.desk, desk]
    other.close()


def asked(shop, name="test_0"):
    return propose(shop.desk, project_id=shop.project.id, test_id=shop.test_id(name), by=shop.carol)


def at_once(nodes, acts):
    """All of them in the same moment; gives what became of each."""
    barrier = Barrier(len(acts))

    def run(numbered):
        number, act = numbered
        barrier.wait()
        try:
            return act(nodes[number % 2], person(PEOPLE[number])).state
        except (SettledError, RefusedError) as error:
            return type(error)

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(run, enumerate(acts)))


def decisions(shop, name):
    return [
        action
        for _, action in shop.audited(name)
        if action not in {"quarantine.proposed", "quarantine.refused"}
    ]


def chain_is_whole(shop):
    with shop.database.read() as tx:
        return verify(audit.chain(tx, shop.project.organization_id)) is None


@pytest.mark.parametrize("round_", range(3))
def test_eight_approvals_at_once_are_one_decision(shop, nodes, round_):
    proposal = asked(shop, f"test_{round_}")
    ends = at_once(nodes, [lambda desk, by: approve(desk, proposal.id, by=by)] * 8)
    assert ends == {State.ACTIVE: 1, SettledError: 7}
    assert decisions(shop, proposal.name) == ["quarantine.approved"]
    assert chain_is_whole(shop)


def test_approvals_and_denials_at_once_are_one_decision(shop, nodes):
    proposal = asked(shop)
    ends = at_once(
        nodes,
        [
            lambda desk, by: approve(desk, proposal.id, by=by),
            lambda desk, by: deny(desk, proposal.id, by=by, reason="No"),
        ]
        * 4,
    )
    assert ends[SettledError] == 7
    assert len(decisions(shop, proposal.name)) == 1
    assert shop.now(proposal).version == 2


def test_a_quorum_of_three_counts_every_vote_once(shop, nodes):
    shop.policy(approvals_required=3)
    proposal = asked(shop)
    ends = at_once(nodes, [lambda desk, by: approve(desk, proposal.id, by=by)] * 8)
    assert ends == {State.PROPOSED: 2, State.ACTIVE: 1, SettledError: 5}
    after = shop.now(proposal)
    assert len({vote.user for vote in after.votes}) == 3
    assert decisions(shop, proposal.name) == ["quarantine.approved"] * 3


def test_one_person_clicking_eight_times_has_one_vote(shop, nodes):
    shop.policy(approvals_required=2)
    proposal = asked(shop)
    ends = at_once(nodes, [lambda desk, _by: approve(desk, proposal.id, by=shop.alice)] * 8)
    assert ends == {State.PROPOSED: 1, RefusedError: 7}
    assert [vote.user for vote in shop.now(proposal).votes] == ["alice"]


def test_the_cap_holds_when_all_are_approved_at_once(shop, nodes):
    proposals = [asked(shop, f"test_{number}") for number in range(8)]
    shop.policy(max_quarantined=3)
    acts = [lambda desk, by, one=one: approve(desk, one.id, by=by) for one in proposals]
    assert at_once(nodes, acts) == {State.ACTIVE: 3, RefusedError: 5}
    with shop.database.read() as tx:
        assert count_in_force(tx, shop.project.id) == 3
    assert chain_is_whole(shop)


def test_the_clock_and_people_at_once_end_it_once(shop, nodes):
    proposal = asked(shop)
    approve(shop.desk, proposal.id, by=shop.alice)
    shop.clock.pass_(days=20)

    def expires(desk, _by):
        expire_due(desk)
        return shop.now(proposal)

    at_once(nodes, [lambda desk, by: release(desk, proposal.id, by=by), expires] * 4)
    assert shop.now(proposal).version == 3
    assert len(decisions(shop, proposal.name)) == 2
    assert chain_is_whole(shop)


def test_uploads_decisions_and_the_clock_at_once_never_lock_each_other_out(shop, nodes):
    def uploads(desk, by):
        shop.uploads(desk=desk, **{f"test_{number}": "flaky" for number in range(2)}, test_x="passed")
        return asked_or_latest(shop, by)

    proposal = asked(shop, "test_7")
    acts = [uploads, lambda desk, by: approve(desk, proposal.id, by=by)] * 4
    at_once(nodes, acts)
    assert shop.now(proposal).state is State.ACTIVE
    assert len({one.test_id for one in shop.proposals()}) == len(shop.proposals())
    assert chain_is_whole(shop)


def asked_or_latest(shop, _by):
    return shop.latest("test_7")
