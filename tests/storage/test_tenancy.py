from datetime import UTC, datetime, timedelta

import pytest

from core.errors import ConflictError, NotFoundError
from core.policy import Policy
from core.tenancy import Role, Scope
from storage.approver import list_roles, remove_role, role_of, set_role
from storage.detection import (
    Detection,
    StoredTransition,
    add_transition,
    detections,
    find_detection,
    put_detection,
    transitions,
)
from storage.organization import create_organization, find_organization, list_organizations
from storage.project import (
    create_project,
    find_project,
    find_project_by_github_id,
    get_policy,
    get_project,
    list_projects,
    put_policy,
    rename_project,
)
from storage.scoring import Scoring, load_scoring, save_scoring, scoring_version
from storage.token import find_token, list_tokens, revoke_token, save_token, touch_token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def tx(database):
    with database.begin() as tx:
        yield tx


@pytest.fixture
def organization(tx):
    return create_organization(tx, "Acme", NOW)


@pytest.fixture
def project(tx, organization):
    return make(tx, organization, "Acme/Shop", github_id=7)


def make(tx, organization, repo, github_id=None):
    return create_project(
        tx,
        organization_id=organization.id,
        repo=repo,
        default_branch="main",
        github_id=github_id,
        now=NOW,
    )


def test_an_organization_is_made_once(tx, organization):
    assert create_organization(tx, "acme", NOW) == organization
    assert (find_organization(tx, "ACME"), find_organization(tx, "other")) == (organization, None)
    assert list_organizations(tx) == [organization]


def test_a_project_is_found_by_each_of_its_names(tx, organization, project):
    found = [
        get_project(tx, project.id),
        find_project(tx, "acme/shop"),
        find_project(tx, "ACME/SHOP", organization.id),
        find_project_by_github_id(tx, 7),
    ]
    assert found == [project] * 4
    assert list_projects(tx, organization.id) == [project]


def test_a_repository_is_one_project_of_an_organization(tx, organization, project):
    with pytest.raises(ConflictError):
        make(tx, organization, "acme/SHOP")
    other = create_organization(tx, "Other", NOW)
    assert make(tx, other, "acme/shop").id != project.id


def test_a_missing_project_is_not_found(tx):
    with pytest.raises(NotFoundError):
        get_project(tx, 99)


def test_a_project_can_be_renamed_but_not_onto_another(tx, organization, project):
    make(tx, organization, "acme/other")
    with pytest.raises(ConflictError):
        rename_project(tx, project.id, repo="Acme/Other")
    assert rename_project(tx, project.id, repo="acme/store", default_branch="trunk").repo == "acme/store"
    assert find_project(tx, "acme/shop") is None


def test_policy_versions_follow_one_another(tx, project):
    assert get_policy(tx, project.id) == Policy()
    changed = Policy().next(ttl_days=7, protected_paths=("payments/*",))
    put_policy(tx, project.id, changed, "U1", NOW)
    assert get_policy(tx, project.id) == changed
    with pytest.raises(ConflictError):
        put_policy(tx, project.id, changed, "U2", NOW)


def test_roles(tx, project):
    set_role(tx, project.id, "U1", Role.APPROVER)
    set_role(tx, project.id, "U1", Role.ADMIN)
    assert (role_of(tx, project.id, "U1"), role_of(tx, project.id, "U2")) == (Role.ADMIN, Role.VIEWER)
    assert list_roles(tx, project.id) == [("U1", Role.ADMIN)]
    assert (remove_role(tx, project.id, "U1"), remove_role(tx, project.id, "U1")) == (True, False)


def token_of(tx, project, name="ci"):
    return save_token(
        tx,
        organization_id=project.organization_id,
        project_id=project.id,
        scope=Scope.READ,
        name=name,
        hash=name.encode() * 8,
        now=NOW,
        expires_at=NOW + MINUTE,
    )


def test_a_token_is_found_by_its_hash_until_it_is_revoked(tx, project):
    token = token_of(tx, project)
    assert find_token(tx, b"ci" * 8) == token
    assert find_token(tx, b"no" * 8) is None
    assert (token.live(NOW), token.live(NOW + MINUTE)) == (True, False)
    assert revoke_token(tx, token.id, project.organization_id, NOW).revoked_at == NOW
    assert not list_tokens(tx, project.id)[0].live(NOW)


def test_another_organization_s_token_is_missing(tx, project):
    token = token_of(tx, project)
    with pytest.raises(NotFoundError):
        revoke_token(tx, token.id, project.organization_id + 1, NOW)
    assert find_token(tx, b"ci" * 8).revoked_at is None


def test_use_is_noted_at_most_once_a_minute(tx, project):
    token, seen = token_of(tx, project), []
    for seconds in (0, 30, 61):
        touch_token(tx, token.id, NOW + timedelta(seconds=seconds))
        seen.append(find_token(tx, b"ci" * 8).last_used_at - NOW)
    assert [one.seconds for one in seen] == [0, 0, 61]


def test_scoring_state_comes_back(tx, project):
    assert load_scoring(tx, project.id, lock=True) == Scoring(0)
    save_scoring(tx, project.id, 1, b"context", {1: b"one", 2: b"two"})
    save_scoring(tx, project.id, 2, None, {1: None, 3: b"three"})
    assert load_scoring(tx, project.id, lock=False) == Scoring(2, b"context", {2: b"two", 3: b"three"})
    assert scoring_version(tx, project.id, lock=True) == 2


@pytest.mark.parametrize("version", [1, 3, 9])
def test_scoring_on_top_of_an_older_state_is_refused(tx, project, version):
    save_scoring(tx, project.id, 1, b"context", {})
    if version != 2:
        with pytest.raises(ConflictError):
            save_scoring(tx, project.id, version, b"other", {})


def detection(test_id, state="flaky", score=0.9):
    return Detection(test_id, state, score, 0.1, 0.05, 0.2, confirmed=True, updated_at=NOW)


def test_verdicts_are_replaced_and_listed_surest_first(tx, project):
    for one in (
        detection(1, score=0.5),
        detection(2),
        detection(3, "healthy", 0.0),
        detection(1, score=0.95),
    ):
        put_detection(tx, project.id, one)
    assert detections(tx, project.id, states=["flaky"]) == ([detection(1, score=0.95), detection(2)], 2)
    assert detections(tx, project.id, limit=1, offset=2) == ([detection(3, "healthy", 0.0)], 3)
    assert (find_detection(tx, project.id, 2), find_detection(tx, project.id, 9)) == (detection(2), None)


def test_transitions_are_kept_newest_first(tx, project):
    moves = [
        StoredTransition(test, NOW + test * MINUTE, "healthy", "flaky", 0.9, confirmed=True, policy_version=1)
        for test in (1, 2, 3)
    ]
    for one in moves:
        add_transition(tx, project.id, one)
    assert transitions(tx, project.id) == (moves[::-1], 3)
    assert transitions(tx, project.id, since=NOW + 2 * MINUTE) == (moves[:0:-1], 2)
    assert transitions(tx, project.id, test_id=1) == (moves[:1], 1)
    assert transitions(tx, project.id + 1) == ([], 0)
