"""The one comment of a pull request, against a GitHub that forgets nothing."""

import pytest
from fakes.github_world import junit

from core.tenancy import Person, Via
from jobs.checks import refresh_checks
from jobs.settings import change_policy

ANNA = Person(user="UANNA", via=Via.CLI)
POST = "POST .*/issues/7/comments$"


@pytest.fixture
def repo(world):
    return world.github.repo("acme/web")


@pytest.fixture
def pushes(world, repo):
    """A push to pull request 7 whose tests end like this."""

    def push(passed=(), failed=(), *, sha="a" * 40, workflow="CI", **more):
        pull = {
            "id": 1,
            "number": 7,
            "head": {"sha": sha, "ref": "fix", "repo": {"id": repo["id"]}},
            "base": {"sha": "b" * 40, "ref": "main", "repo": {"id": repo["id"]}},
        }
        conclusion = "failure" if failed else "success"
        facts = {"event": "pull_request", "branch": "fix", "pulls": [pull], "conclusion": conclusion}
        run = world.github.run(repo, sha=sha, workflow=workflow, **facts, **more)
        world.github.upload(run, "junit", {"r.xml": junit(passed, failed)})
        world.github.completed(run)
        return run

    return push


def comments(world):
    return [comment["body"] for comment in world.github.comments.values()]


def test_a_pull_request_whose_tests_pass_hears_nothing(world, pushes):
    pushes(["a"])
    world.works()
    assert comments(world) == []


def test_failures_are_told_in_one_comment_that_follows_the_pull_request(world, pushes):
    pushes(["a"], ["b"])
    world.works()
    [first] = comments(world)
    assert "1 failure, 1 new with this change" in first
    assert "`t.Suite.b`" in first

    pushes(["a", "b"], sha="c" * 40)
    world.works()
    [then] = comments(world)
    assert "The failures are gone: 2 tests passed" in then
    assert "cccccccccccc" in then


def test_two_workflows_of_one_commit_share_the_comment(world, pushes):
    pushes(["a"], ["b"])
    pushes(["c"], ["d"], workflow="Nightly")
    world.works()
    [comment] = comments(world)
    assert "2 failures, 2 new with this change" in comment
    assert comment.index("`t.Suite.b`") < comment.index("`t.Suite.d`")


def test_what_has_not_changed_is_not_written_again(world, repo, pushes):
    pushes(["a"], ["b"])
    world.works()
    refresh_checks(world.desk, world.project(repo).id)
    world.works()
    assert len(world.github.asked(".*/comments")) == 2  # looked for, then posted


def test_results_of_an_older_commit_do_not_overwrite_the_newer(world, pushes):
    pushes(["a"], ["b"], sha="c" * 40, id=1)
    late = pushes(["a"], ["old"], sha="d" * 40, id=2)
    world.works()
    assert late["head_sha"][:12] in comments(world)[0]
    pushes(["a"], ["older"], sha="c" * 40, id=1)
    world.works()
    assert "older" not in comments(world)[0]


@pytest.mark.parametrize(
    "fault",
    [{"drop": True, "after": True}, {"status": 502, "after": True}, {"drop": True}, {"status": 500}],
    ids=["answer lost", "502 after effect", "never arrived", "500"],
)
def test_whatever_goes_wrong_there_is_exactly_one_comment(world, pushes, fault):
    world.github.fault(POST, **fault)
    pushes(["a"], ["b"])
    world.works()
    assert len(comments(world)) == 1
    assert len(world.github.checks) == 1


@pytest.mark.parametrize(
    "refusal", [{"status": 403, "body": {"message": "Resource not accessible by integration"}}]
)
def test_without_the_permission_the_check_run_stands_alone(world, pushes, refusal):
    world.github.fault(".*/comments", times=99, **refusal)
    pushes(["a"], ["b"])
    world.works()
    [check] = world.github.checks.values()
    assert (check["conclusion"], comments(world)) == ("neutral", [])
    assert len(world.github.asked(".*/comments")) == 1


def test_who_deletes_it_is_left_alone_until_it_would_say_something_else(world, repo, pushes):
    pushes(["a"], ["b"])
    world.works()
    world.github.comments.clear()
    refresh_checks(world.desk, world.project(repo).id)
    world.works()
    assert comments(world) == []
    pushes(["a"], ["b", "c"], sha="c" * 40)
    world.works()
    assert len(comments(world)) == 1


def test_somebody_elses_comment_with_our_mark_is_not_touched(world, repo, pushes):
    mark = f"<!-- flakeguard:v1 {repo['id']} 7 -->"
    world.github.comments[5] = {"id": 5, "body": mark, "performed_via_github_app": None, "_pull": 7}
    pushes(["a"], ["b"])
    world.works()
    assert world.github.comments[5]["body"] == mark
    assert len(comments(world)) == 2


def test_a_project_may_do_without(world, repo, pushes):
    pushes(["a"])
    world.works()
    change_policy(world.desk, world.project(repo).id, {"pull_comments": False}, expected_version=1, by=ANNA)
    pushes(["a"], ["b"], sha="c" * 40)
    world.works()
    assert comments(world) == []


def test_a_tests_name_cannot_act_in_the_comment(world, pushes):
    pushes(["a"], ["@everyone | #1 &lt;img src=x&gt; `tick`"])
    world.works()
    [comment] = comments(world)
    row = next(line for line in comment.splitlines() if "everyone" in line)
    assert row.startswith("| `` ")
    assert "\\|" in row
