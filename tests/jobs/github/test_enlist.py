import pytest
from fakes.github import installation_payload, merged_payload, public
from fakes.github_world import junit

from core.github.repository import Installation, read_repository
from jobs.enlist import enlist
from storage.delivery import inbox_backlog
from storage.github import active_repositories, find_installation
from storage.merge import merges
from storage.organization import create_organization, find_organization
from storage.project import create_project, get_project, list_projects


@pytest.fixture
def installed(world):
    installation = world.github.install("acme")
    repo = world.github.repo("acme/web", installation=installation)
    tell(world, installation, "created", [repo])
    return installation, repo


def tell(world, installation, action, repos=()):
    world.github.deliver("installation", installation_payload(world.github, installation, action, repos))
    world.works_now()


def tell_repository(world, repo, action):
    payload = {"action": action, "repository": public(repo), "installation": {"id": repo["_installation"]}}
    world.github.deliver("repository", payload)
    world.works_now()


def test_an_installation_brings_its_organization_and_projects(world, installed):
    _, repo = installed
    project = world.project(repo)
    assert project.repo == "acme/web"
    assert world.read(find_organization, "acme").id == project.organization_id


def test_a_project_made_by_hand_is_taken_over_by_name(world):
    with world.database.begin() as tx:
        organization = create_organization(tx, "Platform", world.now())
        made = create_project(
            tx, organization_id=organization.id, repo="Acme/Web", default_branch="main", now=world.now()
        )
    repo = world.github.repo("acme/web")
    world.github.completed(world.github.run(repo))
    world.works_now()
    assert world.project(repo).id == made.id
    assert len(world.read(list_projects)) == 1


def test_a_renamed_repository_keeps_its_history(world, installed):
    _, repo = installed
    before = world.project(repo)
    repo.update(full_name="acme/shop", name="shop")
    tell_repository(world, repo, "renamed")
    assert world.project(repo).id == before.id
    assert world.project(repo).repo == "acme/shop"


def test_a_new_repository_under_an_old_name_is_a_new_project(world, installed):
    installation, repo = installed
    old = world.project(repo)
    del world.github.repos[repo["id"]]
    fresh = world.github.repo("acme/web", installation=installation)
    world.github.completed(world.github.run(fresh))
    world.works_now()
    assert world.project(fresh).id != old.id
    assert world.read(get_project, old.id).repo == f"acme/web.was-{repo['id']}"


@pytest.mark.parametrize("action", ["suspend", "deleted"])
def test_a_suspended_or_removed_installation_is_left_alone(world, installed, action):
    installation, repo = installed
    tell(world, installation, action)
    asked = len(world.github.requests)
    world.github.completed(world.github.run(repo))
    world.works()
    assert len(world.github.requests) == asked
    assert world.read(active_repositories) == []


def test_removal_cancels_what_waits(world, installed):
    installation, repo = installed
    world.github.completed(world.github.run(repo))
    world.github.deliver("installation", installation_payload(world.github, installation, "deleted"))
    world.works()
    assert world.read(inbox_backlog, world.now())[0] == 0


def test_a_suspended_installation_comes_back(world, installed):
    installation, repo = installed
    tell(world, installation, "suspend")
    tell(world, installation, "unsuspend")
    run = world.github.run(repo)
    world.github.upload(run, "junit", {"r.xml": junit(["a"])})
    world.github.completed(run)
    world.works()
    assert len(world.github.checks) == 1


def test_permissions_and_account_are_remembered(world, installed):
    installation, _ = installed
    known = world.read(find_installation, installation["id"])
    assert (known.login, known.may("checks"), known.may("administration")) == ("acme", True, False)


def test_a_renamed_account_renames_its_projects(world, installed):
    installation, repo = installed
    payload = {
        "action": "renamed",
        "account": {**installation["account"], "login": "acme-corp"},
        "installation": {"id": installation["id"]},
        "changes": {"login": {"from": "acme"}},
    }
    world.github.deliver("installation_target", payload)
    world.works_now()
    assert world.project(repo).repo == "acme-corp/web"


@pytest.mark.parametrize("action", ["archived", "deleted"])
def test_a_repository_that_is_gone_is_not_asked_about_but_kept(world, installed, action):
    _, repo = installed
    tell_repository(world, repo, action)
    assert world.read(active_repositories) == []
    assert world.project(repo) is not None


def test_two_nodes_meeting_a_repository_at_once_make_one_project(world, installed):
    installation, _ = installed
    repo = read_repository({"id": 77, "full_name": "acme/new"})
    for _ in range(2):
        with world.database.begin() as tx:
            enlist(tx, repo, Installation(installation["id"]), now=world.now())
    assert len([one for one in world.read(list_projects) if one.repo == "acme/new"]) == 1


@pytest.mark.parametrize(("base", "known"), [("main", 1), ("release", 0)])
def test_a_merge_into_the_default_branch_is_remembered_once(world, installed, base, known):
    _, repo = installed
    payload = merged_payload(world.github, repo, branch="fix", head="a" * 40, into="b" * 40, base=base)
    for number in range(2):
        world.github.deliver("pull_request", {**payload, "extra": number})
    world.works_now()
    found = world.read(merges, world.project(repo).id)
    assert len(found) == known
    assert all((one.branch, one.into_commit) == ("fix", "b" * 40) for one in found)
