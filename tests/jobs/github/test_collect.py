import json
from datetime import timedelta

import pytest
from fakes.github import zipped
from fakes.github_world import junit

from core.run import Trust
from storage import audit
from storage.detection import find_detection
from storage.quarantine import in_force
from storage.result import get_runs
from storage.test_case import list_tests
from storage.workflow_run import artifacts_of, find_workflow_run


@pytest.fixture
def repo(world):
    return world.github.repo("acme/web")


def runs_of(world, repo):
    return world.read(get_runs, world.project(repo).id, limit=100, offset=0)[0]


def artifact_states(world, repo, run):
    found = world.read(artifacts_of, world.project(repo).id, run["id"])
    return {one.name: (one.state, one.reason) for one in found}


def ends(world, run):
    world.github.completed(run)
    world.works()


def test_a_finished_run_brings_its_results_in(world, repo):
    run = world.github.run(repo)
    world.github.upload(run, "junit", {"unit.xml": junit(["a", "b"], ["c"]), "it.xml": junit(["d"])})
    ends(world, run)
    (stored,) = runs_of(world, repo)
    assert (stored.run.run_id, stored.run.commit, stored.run.attempt) == (str(run["id"]), run["head_sha"], 1)
    assert (stored.run.trust, stored.run.branch, stored.run.event) == (Trust.TRUNK, "main", "push")
    assert world.read(list_tests, world.project(repo).id, limit=10, offset=0)[1] == 4


def test_each_matrix_cell_is_a_run_of_its_own_and_a_test_of_its_own(world, repo):
    run = world.github.run(repo)
    world.github.upload(run, "junit-3.11", {"r.xml": junit(["a"])})
    world.github.upload(run, "junit-3.12", {"r.xml": junit([], ["a"])})
    ends(world, run)
    assert {one.run.variant for one in runs_of(world, repo)} == {"3.11", "3.12"}
    tests, _ = world.read(list_tests, world.project(repo).id, limit=10, offset=0)
    assert {test.key.variant for test in tests} == {"3.11", "3.12"}


def test_our_actions_note_names_job_and_matrix(world, repo):
    run = world.github.run(repo)
    note = {"run_id": run["id"], "run_attempt": 1, "job": "unit", "matrix": {"python": "3.12"}}
    world.github.upload(run, "x", {"flakeguard.json": json.dumps(note), "r.xml": junit(["a"])})
    ends(world, run)
    assert [(one.run.job, one.run.variant) for one in runs_of(world, repo)] == [("unit", "python=3.12")]


def test_two_artifacts_that_call_themselves_the_same_job_both_count(world, repo):
    run = world.github.run(repo)
    for number in (1, 2):
        note = json.dumps({"job": "unit"})
        files = {"flakeguard.json": note, "r.xml": junit([f"t{number}"])}
        world.github.upload(run, f"tests-part-{number}", files)
    ends(world, run)
    assert world.read(list_tests, world.project(repo).id, limit=10, offset=0)[1] == 2


def test_a_single_file_uploaded_unzipped_is_read(world, repo):
    run = world.github.run(repo)
    world.github.upload(run, "junit.xml", junit(["a"]).encode())
    ends(world, run)
    assert len(runs_of(world, repo)) == 1


def test_reports_are_found_by_content_among_other_files(world, repo):
    run = world.github.run(repo)
    files = {"coverage.xml": "<coverage/>", "package.json": "{}", "r.xml": junit(["a"]), "b.bin": b"\0" * 99}
    world.github.upload(run, "everything", files)
    world.github.upload(
        run, "coverage-report", {"coverage.xml": "<?xml version='1.0'?><!-- x --><coverage/>"}
    )
    ends(world, run)
    assert artifact_states(world, repo, run) == {"everything": ("read", ""), "coverage-report": ("other", "")}


def test_a_retry_that_passes_is_flake_evidence_even_when_the_first_artifact_vanishes(world, repo):
    first = world.github.run(repo, conclusion="failure")
    world.github.upload(first, "junit", {"r.xml": junit(["a"], ["flaky"])})
    ends(world, first)
    second = world.github.run(
        repo, id=first["id"], conclusion="success", sha=first["head_sha"], started=world.now()
    )
    world.github.artifacts[first["id"]].clear()
    world.github.upload(second, "junit", {"r.xml": junit(["a", "flaky"])})
    ends(world, second)
    assert {one.run.attempt for one in runs_of(world, repo)} == {1, 2}
    tests, _ = world.read(list_tests, world.project(repo).id, limit=10, offset=0)
    flaky = next(test for test in tests if test.key.name == "flaky")
    assert world.read(find_detection, world.project(repo).id, flaky.id).score > 0.5


def two_attempts(world, repo):
    first = world.github.run(
        repo, started=world.now() - timedelta(hours=2), ended=world.now() - timedelta(hours=1)
    )
    world.github.upload(first, "junit", {"r.xml": junit(["a"], ["flaky"])})
    second = world.github.run(
        repo,
        id=first["id"],
        conclusion="success",
        sha=first["head_sha"],
        started=world.now() - timedelta(minutes=9),
    )
    world.github.upload(second, "junit", {"r.xml": junit(["a", "flaky"])})
    return first, second


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 0, 1, 0)])
def test_attempts_come_out_the_same_in_whatever_order_they_are_told(world, repo, order):
    attempts = two_attempts(world, repo)
    for which in order:
        world.github.completed(attempts[which])
    world.works()
    found = {one.run.attempt: one.tally.failed for one in runs_of(world, repo)}
    assert found == {1: 1, 2: 0}
    (check,) = world.github.checks_of(attempts[0]["head_sha"])
    assert check["conclusion"] == "success"
    assert check["external_id"].endswith(f"{attempts[0]['id']}:2")


def test_an_artifact_of_an_attempt_still_running_waits_for_its_own_delivery(world, repo):
    first = world.github.run(
        repo, started=world.now() - timedelta(hours=2), ended=world.now() - timedelta(hours=1)
    )
    second = world.github.run(
        repo, id=first["id"], sha=first["head_sha"], started=world.now(), status="in_progress"
    )
    world.github.upload(second, "junit", {"r.xml": junit(["a"])})
    ends(world, first)
    assert runs_of(world, repo) == []


def test_the_same_delivery_again_changes_nothing(world, repo):
    run = world.github.run(repo)
    world.github.upload(run, "junit", {"r.xml": junit(["a"], ["b"])})
    ends(world, run)
    writes = len(world.github.asked("POST|PATCH"))
    world.github.deliver("workflow_run", {**json.loads(json.dumps({})), **_payload(world, run), "extra": 1})
    world.works()
    assert len(runs_of(world, repo)) == 1
    assert len(world.github.asked("POST|PATCH")) == writes


def _payload(world, run):
    from fakes.github import workflow_run_payload  # noqa: PLC0415 - one use

    return workflow_run_payload(world.github, run)


BOMB = zipped({"a.xml": b"<testsuites>" + b" " * 60_000_000 + b"</testsuites>"})


@pytest.mark.parametrize(
    ("content", "how", "reason"),
    [
        ({"r.xml": junit(["a"])}, {"expired": True}, "expired"),
        ({"r.xml": junit(["a"])}, {"lies": True}, "digest"),
        (BOMB, {}, ""),
        (b"PK\x03\x04 not a zip at all", {}, "damaged"),
        ({"r.xml": "<!DOCTYPE x [<!ENTITY y 'z'>]><testsuites/>"}, {}, "DOCTYPE"),
        ({"r.xml": "<testsuites><testsuite><testcase"}, {}, ""),
    ],
    ids=["expired", "digest", "bomb", "damaged", "doctype", "truncated"],
)
def test_an_artifact_that_cannot_be_used_is_recorded_and_said(world, repo, content, how, reason):
    run = world.github.run(repo)
    world.github.upload(run, "junit", content, **how)
    ends(world, run)
    _, told = artifact_states(world, repo, run)["junit"]
    assert reason.lower() in told.lower()
    (check,) = world.github.checks_of(run["head_sha"])
    assert check["conclusion"] == "neutral"


def test_an_artifact_on_a_foreign_host_is_recorded(world, repo):
    world.github.blob_host = "http://169.254.169.254"
    run = world.github.run(repo)
    world.github.upload(run, "junit", {"r.xml": junit(["a"])})
    ends(world, run)
    assert "169.254.169.254" in artifact_states(world, repo, run)["junit"][1]


def test_a_run_without_artifacts_is_noted_neutrally(world, repo):
    run = world.github.run(repo)
    ends(world, run)
    (check,) = world.github.checks_of(run["head_sha"])
    assert (check["conclusion"], check["output"]["title"]) == ("neutral", "No test results")
    assert "upload-artifact" in check["output"]["summary"]


def test_a_workflow_without_tests_gets_no_check_beside_one_that_has_them(world, repo):
    tested, linted = (
        world.github.run(repo, sha="a" * 40),
        world.github.run(repo, sha="a" * 40, workflow="Lint"),
    )
    world.github.upload(tested, "junit", {"r.xml": junit(["a"])})
    ends(world, tested)
    ends(world, linted)
    assert {check["name"] for check in world.github.checks.values()} == {"FlakeGuard / CI"}


@pytest.fixture
def fork(world):
    return world.github.repo("evil/web", fork=True)


def fork_run(world, repo, fork, **facts):
    return world.github.run(repo, head_repo=fork, event="pull_request", branch="main", **facts)


def test_a_fork_that_calls_its_branch_main_is_still_a_fork(world, repo, fork):
    run = fork_run(world, repo, fork)
    world.github.upload(run, "junit", {"r.xml": junit(["a"], ["@everyone `<script>`".replace("<", "&lt;")])})
    pull = {"number": 9, "state": "open", "head": {"sha": run["head_sha"], "repo": {"id": fork["id"]}}}
    world.github.pulls.append({**pull, "base": {"sha": "b" * 40, "ref": "main"}})
    ends(world, run)
    (stored,) = runs_of(world, repo)
    assert (stored.run.trust, stored.run.branch, stored.run.pr) == (Trust.FORK, "evil:main", "9")
    assert stored.run.base == "b" * 40
    (check,) = world.github.checks_of(run["head_sha"])
    assert "`` t.Suite.@everyone `<script>` ``" in check["output"]["summary"]
    assert {action["identifier"] for action in check["actions"]} == {"rerun_failed"}


def test_a_forks_fail_then_pass_raises_nobodys_score(world, repo, fork):
    first = fork_run(world, repo, fork)
    world.github.upload(first, "junit", {"r.xml": junit(["a"], ["victim"])})
    ends(world, first)
    second = fork_run(world, repo, fork, id=first["id"], sha=first["head_sha"], started=world.now())
    world.github.upload(second, "junit", {"r.xml": junit(["a", "victim"])})
    ends(world, second)
    project = world.project(repo).id
    tests, _ = world.read(list_tests, project, limit=10, offset=0)
    scores = [world.read(find_detection, project, test.id) for test in tests]
    assert all(one is None or one.score < 0.5 for one in scores)
    assert world.read(in_force, project) == {}


@pytest.mark.parametrize(
    "claim", [{"run_id": 1}, {"repository_id": 1}, {"head_sha": "c" * 40}, {"run_attempt": 9}]
)
def test_forged_metadata_is_dropped_and_audited(world, repo, claim):
    run = world.github.run(repo)
    world.github.upload(run, "junit", {"flakeguard.json": json.dumps(claim), "r.xml": junit(["a"])})
    ends(world, run)
    project = world.project(repo)
    assert runs_of(world, repo) == []
    events, _ = world.read(audit.events, project.organization_id, project_id=project.id)
    assert "artifact.refused" in {event.action for event in events}


def test_a_pull_requests_base_comes_from_the_payload(world, repo):
    pull = {
        "id": 1,
        "number": 4,
        "head": {"sha": "a" * 40, "repo": {"id": repo["id"]}},
        "base": {"sha": "b" * 40},
    }
    run = world.github.run(repo, event="pull_request", branch="fix", sha="a" * 40, pulls=[pull])
    world.github.upload(run, "junit", {"r.xml": junit(["a"])})
    ends(world, run)
    (stored,) = runs_of(world, repo)
    assert (stored.run.base, stored.run.pr, stored.run.trust) == ("b" * 40, "4", Trust.PR)


@pytest.mark.parametrize("known", [True, False])
def test_a_branchs_base_is_where_it_left_the_default_branch(world, repo, known):
    run = world.github.run(repo, branch="fix")
    if known:
        world.github.merge_bases[run["head_sha"]] = "c" * 40
    world.github.upload(run, "junit", {"r.xml": junit(["a"])})
    ends(world, run)
    assert runs_of(world, repo)[0].run.base == ("c" * 40 if known else "")


def test_what_github_does_not_know_yet_is_asked_for_again(world, repo):
    run = world.github.run(repo)
    world.github.upload(run, "junit", {"r.xml": junit(["a"])})
    world.github.fault("GET .*/artifacts", times=2, status=404, body={"message": "Not Found"})
    ends(world, run)
    assert len(runs_of(world, repo)) == 1


def test_what_github_never_knows_is_given_up_after_three_more_looks(world, repo):
    run = world.github.run(repo)
    world.github.fault("GET .*/artifacts", times=99, status=404, body={"message": "Not Found"})
    ends(world, run)
    assert len(world.github.asked("GET .*/artifacts")) == 4
    assert world.read(find_workflow_run, world.project(repo).id, run["id"], 1).collected_at is None


def test_a_rate_limit_in_the_middle_puts_the_work_off_and_loses_nothing(world, repo):
    run = world.github.run(repo)
    for number in range(3):
        world.github.upload(run, f"junit-{number}", {"r.xml": junit([f"t{number}"])})
    world.github.fault("GET .*/zip", status=403, headers={"Retry-After": "30"})
    world.github.completed(run)
    world.works_now()
    asked = len(world.github.requests)
    world.works_now()
    assert len(world.github.requests) == asked
    world.now.skip(seconds=31)
    world.works()
    assert len(runs_of(world, repo)) == 3


def test_a_missing_permission_is_said_and_not_asked_for_again(world, repo):
    run = world.github.run(repo)
    world.github.upload(run, "junit", {"r.xml": junit(["a"])})
    headers = {"x-accepted-github-permissions": "actions=read"}
    world.github.fault(
        "GET .*/zip", times=99, status=403, headers=headers, body={"message": "Resource not accessible"}
    )
    ends(world, run)
    assert "actions=read" in artifact_states(world, repo, run)["junit"][1]
    assert len(world.github.asked("GET .*/zip")) == 1
