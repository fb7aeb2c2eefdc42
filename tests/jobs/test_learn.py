"""Decisions teach: shown beside the shipped chances, in force only when somebody says so, taken back at will."""

import pytest

from core.errors import ForbiddenError
from core.evidence import Bucket, EvidenceClass
from core.q_table import SHIPPED
from jobs.decide import approve, deny
from jobs.explain import explain_test
from jobs.learn import schooling, use_earlier, use_learnt, use_shipped
from storage.detection import find_detection
from storage.test_case import get_test

RETRY = EvidenceClass.RETRY_PASS


@pytest.fixture
def taught(shop):
    """Two approvals and one real bug."""
    for name in ("test_login", "test_logout", "test_cart"):
        shop.finds_flaky(name)
    login, logout, cart = (shop.latest(name) for name in ("test_login", "test_logout", "test_cart"))
    for quarantine in (login, logout):
        approve(shop.desk, quarantine.id, by=shop.alice)
    deny(shop.desk, cart.id, by=shop.alice, reason="a real bug", real_bug=True)
    return shop


def learnt(shop):
    with shop.database.read() as tx:
        return schooling(tx, shop.project)


def told_and_stored(shop, name):
    test_id = shop.test_id(name)
    with shop.database.read() as tx:
        told = explain_test(tx, shop.project, get_test(tx, shop.project.id, test_id), shop.clock())
        return told["score"], find_detection(tx, shop.project.id, test_id).score


def test_decisions_are_counted_and_change_nothing_by_themselves(taught):
    found = learnt(taught)
    assert (found.approved, found.real_bugs, found.lessons.decisions) == (2, 1, 3)
    assert found.policy.q_table() == SHIPPED
    assert found.to_dict()["in_force"] == "shipped"
    assert found.lessons.table[RETRY][Bucket.ALONE] < SHIPPED[RETRY][Bucket.ALONE]


def test_what_was_denied_for_other_reasons_teaches_nothing(shop):
    shop.finds_flaky()
    deny(shop.desk, shop.latest("test_login").id, by=shop.alice, reason="too thin")
    assert learnt(shop).lessons.decisions == 0


def test_learnt_chances_are_a_version_of_the_policy_and_audited(taught):
    policy = use_learnt(taught.desk, taught.project.id, by=taught.dana)
    assert policy.version == 2
    assert taught.audited("policy-2") == [("dana", "policy.changed")]
    assert learnt(taught).to_dict()["up_to_date"]


def test_verdicts_are_told_by_them_at_once_and_explained_alike(taught):
    before, _ = told_and_stored(taught, "test_login")
    use_learnt(taught.desk, taught.project.id, by=taught.dana)
    told, stored = told_and_stored(taught, "test_login")
    assert told == stored
    assert told < before


def test_switching_back_leaves_no_trace_in_the_verdicts(taught):
    before = told_and_stored(taught, "test_login")
    use_learnt(taught.desk, taught.project.id, by=taught.dana)
    use_shipped(taught.desk, taught.project.id, by=taught.dana)
    assert told_and_stored(taught, "test_login") == before
    assert learnt(taught).policy.q_table() == SHIPPED


def test_the_last_change_can_be_taken_back_and_again(taught):
    table = use_learnt(taught.desk, taught.project.id, by=taught.dana).learnt
    assert use_earlier(taught.desk, taught.project.id, by=taught.dana).learnt == {}
    assert use_earlier(taught.desk, taught.project.id, by=taught.dana).learnt == table


def test_choosing_what_is_in_force_makes_no_new_version(taught):
    assert use_shipped(taught.desk, taught.project.id, by=taught.dana).version == 1


def test_only_admins_choose(taught):
    with pytest.raises(ForbiddenError):
        use_learnt(taught.desk, taught.project.id, by=taught.alice)
