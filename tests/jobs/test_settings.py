from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes.shop import person

from core.errors import ConflictError, ForbiddenError, ValidationError
from core.tenancy import Via
from jobs.settings import change_policy
from storage.project import get_policy, policy_versions


def changes(shop, by=None, version=None, **wanted):
    return change_policy(shop.desk, shop.project.id, wanted, by=by or shop.dana, expected_version=version)


def test_an_admin_changes_the_next_version_and_that_is_audited(shop):
    after = changes(shop, ttl_days=7)
    with shop.database.read() as tx:
        assert get_policy(tx, shop.project.id) == after
    assert (after.version, after.ttl_days) == (2, 7)
    assert shop.audited() == [("dana", "policy.changed")]


def test_an_approver_may_not(shop):
    with pytest.raises(ForbiddenError):
        changes(shop, by=shop.alice, ttl_days=7)
    assert shop.audited() == []


def test_doors_with_the_servers_own_credentials_are_trusted(shop):
    assert changes(shop, by=person("ops", Via.CLI), ttl_days=7).ttl_days == 7


def test_settings_changed_while_the_dialog_was_open_are_refused(shop):
    changes(shop, version=1, ttl_days=7)
    with pytest.raises(ConflictError, match="while this was open"):
        changes(shop, version=1, ttl_days=9)


def test_a_quorum_nobody_can_reach_is_refused(shop):
    with pytest.raises(ValidationError, match="You have 3 approvers, so 4 approvals can never be reached"):
        changes(shop, approvals_required=4)
    assert changes(shop, approvals_required=4, approver_group="S1").approvals_required == 4


@pytest.mark.parametrize(
    "wanted", [{"ttl_days": 0}, {"ttl_days": "7"}, {"nonsense": 1}, {"timezone": "Mars"}]
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(shop, wanted):
    with pytest.raises(ValidationError):
        changes(shop, **wanted)
    with shop.database.read() as tx:
        assert policy_versions(tx, shop.project.id) == []


def test_two_admins_at_once_have_one_winner_each_version(shop):
    def change(days):
        try:
            return changes(shop, version=1, ttl_days=days).version
        except ConflictError:
            return None

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(change, range(5, 9)), key=str) == [2, None, None, None]
