from datetime import timedelta

import pytest
from fakes.github import check_payload
from fakes.github_world import junit

from core.tenancy import Person, Role, Via
from jobs.checks import publish_checks, refresh_checks
from jobs.decide import approve
from jobs.propose import propose
from storage import audit
from storage.approver import set_role
from storage.quarantine import list_quarantines
from storage.test_case import list_tests

ANNA, BERT = Person(user="UANNA", via=Via.CLI), Person(user="UBERT", via=Via.CLI)


@pytest.fixture
def repo(world):
    return world.github.repo("acme/web")


@pytest.fixture
def red(world, repo):
    """A run with one new failure, collected, its check run not yet said."""
    run = world.github.run(repo)
    world.github.upload(run, "junit", {"r.xml": junit(["a"], ["b"], file="tests/x.py")})
    world.github.completed(run)
    return run


def said(world, run):
    (check,) = world.github.checks_of(run["head_sha"])
    return check


def test_a_new_failure_is_said_and_does_not_block(world, red):
    world.works()
    check = said(world, red)
    assert (check["status"], check["conclusion"]) == ("completed", "neutral")
    assert check["output"]["title"] == "1 failure: 1 new"
    assert check["annotations"][0]["path"] == "tests/x.py"
    assert len(world.github.asked("POST .*/check-runs")) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": True, "after": True},
        {"status": 502, "after": True},
        {"drop": True},
        {"status": 500},
        {"status": 403, "headers": {"Retry-After": "60"}},
        {"status": 429},
    ],
    ids=["answer lost", "502 after effect", "never arrived", "500", "limited", "429"],
)
def test_whatever_goes_wrong_there_is_exactly_one_check(world, red, fault):
    world.github.fault("POST .*/check-runs$", **fault)
    world.works()
    assert said(world, red)["conclusion"] == "neutral"


def test_a_crash_between_the_post_and_its_memory_makes_no_second_check(world, red, monkeypatch):
    def crash(*_args, **_how):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("storage.check_run.found_check", crash)
        with pytest.raises(KeyboardInterrupt):
            world.works()
    assert len(world.github.checks) == 1
    world.now.skip(minutes=2)
    world.works()
    assert said(world, red)["conclusion"] == "neutral"
    assert len(world.github.asked("POST .*/check-runs$")) == 1


def test_two_workflows_on_one_commit_have_two_checks(world, repo, red):
    other = world.github.run(repo, sha=red["head_sha"], workflow="Nightly", conclusion="success")
    world.github.upload(other, "junit", {"r.xml": junit(["a"])})
    world.github.completed(other)
    world.works()
    found = {check["name"]: check["conclusion"] for check in world.github.checks_of(red["head_sha"])}
    assert found == {"FlakeGuard / CI": "neutral", "FlakeGuard / Nightly": "success"}


def test_a_push_and_a_pull_request_run_of_one_workflow_share_a_check_and_hide_nothing(world, repo, red):
    other = world.github.run(
        repo, sha=red["head_sha"], event="pull_request", branch="fix", conclusion="success"
    )
    world.github.upload(other, "junit", {"r.xml": junit(["a", "b"])})
    world.github.completed(other)
    world.works()
    assert said(world, red)["output"]["title"].startswith("1 failure")


def test_an_unchanged_check_is_not_sent_again(world, repo, red):
    world.works()
    refresh_checks(world.desk, world.project(repo).id)
    world.works()
    assert len(world.github.asked("(POST|PATCH) .*/check-runs")) == 1


def quarantine(world, repo, name="b"):
    project = world.project(repo)
    tests, _ = world.read(list_tests, project.id, limit=10, offset=0)
    test = next(one for one in tests if one.key.name == name)
    with world.database.begin() as tx:
        set_role(tx, project.id, ANNA.user, Role.APPROVER)
    proposal = propose(world.desk, project_id=project.id, test_id=test.id, by=BERT, reason="flaky")
    approve(world.desk, proposal.id, by=ANNA)


def test_an_approval_turns_the_check_green(world, repo, red):
    world.works()
    quarantine(world, repo)
    world.works_now()
    check = said(world, red)
    assert check["conclusion"] == "success"
    assert check["output"]["title"] == "1 failure: 1 known flaky (quarantined)"


@pytest.mark.parametrize(("failures", "requests"), [(50, 1), (51, 2), (120, 3)])
def test_annotations_go_out_fifty_at_a_time_and_all_arrive(world, repo, failures, requests):
    run = world.github.run(repo)
    names = [f"t{number}" for number in range(failures)]
    world.github.upload(run, "junit", {"r.xml": junit(["ok"], names, file="tests/x.py")})
    world.github.completed(run)
    world.works()
    assert len(said(world, run)["annotations"]) == failures
    assert len(world.github.asked("(POST|PATCH) .*/check-runs")) == requests


def test_annotations_are_not_shown_twice_when_the_check_is_updated(world, repo, red):
    world.works()
    quarantine(world, repo)
    world.works_now()
    assert len(said(world, red)["annotations"]) == 1


def test_a_megabyte_of_message_fits(world, repo):
    run = world.github.run(repo)
    world.github.upload(run, "junit", {"r.xml": junit([], ["b"], message="é" * 500_000, file="t.py")})
    world.github.completed(run)
    world.works()
    output = said(world, run)["output"]
    assert len(output["text"].encode()) <= 65_535


def test_gate_mode_blocks_what_is_not_quarantined(world, repo, red):
    gate(world, repo)
    world.works()
    assert said(world, red)["conclusion"] == "failure"
    quarantine(world, repo)
    world.works_now()
    assert said(world, red)["conclusion"] == "success"


def test_gate_mode_leaves_a_check_without_results_open(world, repo):
    gate(world, repo)
    run = world.github.run(repo)
    world.github.completed(run)
    world.works()
    check = said(world, run)
    assert check["status"] == "in_progress"
    assert "conclusion" not in check


def gate(world, repo):
    from jobs.settings import change_policy  # noqa: PLC0415 - two uses

    world.works_now()
    project = world.project(repo)
    if project is None:
        from core.github.repository import Installation, read_repository  # noqa: PLC0415
        from jobs.enlist import enlist  # noqa: PLC0415

        with world.database.begin() as tx:
            project = enlist(tx, read_repository(repo), Installation(repo["_installation"]), now=world.now())
    with world.database.begin() as tx:
        set_role(tx, project.id, ANNA.user, Role.ADMIN)
    change_policy(world.desk, project.id, {"gate_mode": True}, expected_version=1, by=ANNA)


def test_a_missing_permission_stops_the_check_and_is_kept_in_mind(world, red):
    world.github.fault(
        "POST .*/check-runs$", times=9, status=403, body={"message": "Resource not accessible"}
    )
    world.works()
    assert len(world.github.asked("POST .*/check-runs$")) == 1
    assert publish_checks(world.desk) == 0


# Buttons


@pytest.fixture
def check(world, red):
    world.works()
    world.github.permissions["octocat"] = "write"
    return said(world, red)


def click(world, repo, check, identifier, **how):
    world.github.deliver(
        "check_run",
        check_payload(world.github, repo, check, "requested_action", identifier=identifier, **how),
    )
    world.works()


def reruns(world):
    return len(world.github.asked("POST .*/rerun-failed-jobs"))


def test_re_run_failed_asks_github_once_however_often_it_is_clicked(world, repo, check, red):
    click(world, repo, check, "rerun_failed")
    click(world, repo, {**check, "x": 1}, "rerun_failed")
    assert reruns(world) == 1
    assert world.github.runs[red["id"]][-1]["run_attempt"] == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda world, how: how.update(app_id=1),
        lambda world, how: how.update(login="stranger"),
        lambda world, how: world.github.permissions.update(octocat="read"),
        lambda world, how: world.github.pulls.append(moved_on(world)),
    ],
    ids=["another app", "no collaborator", "read only", "stale commit"],
)
def test_a_click_that_may_not_be_changes_nothing(world, repo, check, spoil):
    how = {}
    spoil(world, how)
    click(world, repo, check, "rerun_failed", **how)
    click(world, repo, check, "quarantine", **how)
    assert reruns(world) == 0
    assert world.read(list_quarantines, world.project(repo).id)[1] == 0


def moved_on(world):
    (check,) = world.github.checks.values()
    head = {"sha": "f" * 40, "repo": {"id": 1}}
    return {
        "number": 3,
        "state": "open",
        "head": head,
        "base": {"sha": "0" * 40},
        "_commits": [check["head_sha"]],
    }


def test_quarantine_opens_a_proposal_that_people_decide_elsewhere(world, repo, check):
    click(world, repo, check, "quarantine")
    (proposal,), _ = world.read(list_quarantines, world.project(repo).id)
    assert (proposal.state.value, proposal.proposed_by, proposal.proposed_via) == (
        "proposed",
        "octocat@github",
        Via.GITHUB,
    )


def test_not_flaky_goes_by_the_same_roles_as_everywhere(world, repo, check):
    click(world, repo, check, "quarantine")
    click(world, repo, check, "not_flaky")
    (proposal,), _ = world.read(list_quarantines, world.project(repo).id)
    assert proposal.state.value == "proposed"


def test_not_flaky_denies_for_somebody_who_may_decide(world, repo, check):
    with world.database.begin() as tx:
        set_role(tx, world.project(repo).id, "octocat@github", Role.APPROVER)
    click(world, repo, check, "quarantine")
    click(world, repo, check, "not_flaky")
    (proposal,), _ = world.read(list_quarantines, world.project(repo).id)
    assert proposal.state.value == "denied"


def test_every_click_is_audited(world, repo, check):
    click(world, repo, check, "rerun_failed")
    project = world.project(repo)
    events, _ = world.read(audit.events, project.organization_id, project_id=project.id)
    assert ("check.rerun_failed", "octocat@github") in {(one.action, one.actor) for one in events}


def test_githubs_own_re_run_sends_the_check_once_more(world, repo, check):
    world.github.deliver("check_run", check_payload(world.github, repo, check, "rerequested"))
    world.works()
    assert len(world.github.asked("PATCH .*/check-runs")) == 1
    assert len(world.github.checks) == 1


def test_our_own_echoes_are_ignored(world, repo, check):
    before = len(world.github.requests)
    for action in ("created", "completed"):
        world.github.deliver("check_run", check_payload(world.github, repo, check, action))
    world.works()
    assert len(world.github.requests) == before


def test_a_re_run_that_github_refuses_is_no_endless_story(world, repo, check, red):
    world.github.fault(
        "POST .*/rerun-failed-jobs", times=9, status=403, body={"message": "Must have admin rights"}
    )
    click(world, repo, check, "rerun_failed")
    world.now.skip(seconds=timedelta(hours=2).total_seconds())
    world.works()
    assert reruns(world) == 1
