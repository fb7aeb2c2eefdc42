from datetime import UTC, datetime

import pytest

from core.github.fields import PayloadError
from core.github.repository import Repository
from core.github.workflow import Pull, base_of, branch_of, pull_of, read_workflow_run, to_run, trust_of
from core.run import Trust

SHA = "a" * 40
REPO = Repository(id=10, full_name="acme/web", default_branch="main")


def run(**facts):
    data = {"id": 5, "head_sha": SHA, "event": "push", "head_branch": "main", "head_repository": {"id": 10}}
    return read_workflow_run({**data, **facts})


@pytest.mark.parametrize(
    ("facts", "trust"),
    [
        ({}, Trust.TRUNK),
        ({"event": "schedule"}, Trust.TRUNK),
        ({"event": "workflow_dispatch"}, Trust.TRUNK),
        ({"event": "merge_group", "head_branch": "gh-readonly-queue/main/pr-1-x"}, Trust.TRUNK),
        ({"head_branch": "feature"}, Trust.PR),
        ({"event": "pull_request", "head_branch": "feature"}, Trust.PR),
        ({"event": "pull_request", "head_branch": "main"}, Trust.PR),
        ({"event": "pull_request_target"}, Trust.PR),
        ({"event": "workflow_run"}, Trust.PR),
        ({"event": "something_new"}, Trust.PR),
        ({"head_repository": {"id": 11}}, Trust.FORK),
        ({"head_repository": {"id": 11}, "event": "merge_group"}, Trust.FORK),
        ({"head_repository": None}, Trust.FORK),
        ({"head_repository": None, "head_repository_id": 10}, Trust.TRUNK),
        ({"head_repository": {"id": "10"}}, Trust.FORK),
    ],
)
def test_trust_is_decided_by_ids_and_events(facts, trust):
    assert trust_of(run(**facts), REPO) is trust


def test_a_repository_without_a_known_default_branch_has_no_trunk():
    assert trust_of(run(head_branch=None), Repository(id=10, full_name="acme/web")) is Trust.PR


def test_a_forks_main_is_not_our_main():
    fork = run(head_repository={"id": 11, "full_name": "evil/web", "owner": {"login": "evil"}})
    assert branch_of(fork, Trust.FORK) == "evil:main"


def test_a_merge_group_names_its_pull_request_and_its_base():
    queued = run(event="merge_group", head_branch=f"gh-readonly-queue/main/pr-104-{'b' * 40}")
    assert (queued.queued_pull, base_of(queued, None)) == ("104", "b" * 40)


def test_only_a_merge_group_is_read_as_one():
    assert run(head_branch=f"gh-readonly-queue/main/pr-104-{'b' * 40}").queued_pull == ""


@pytest.mark.parametrize(
    ("candidates", "number"),
    [
        ((Pull(1, head_sha=SHA), Pull(2, head_sha="b" * 40)), 1),
        ((Pull(1, head_sha=SHA, open=False), Pull(2, head_sha=SHA)), 2),
        ((Pull(1, head_sha=SHA, head_repository_id=99), Pull(2, head_sha=SHA, head_repository_id=10)), 2),
        ((Pull(1, head_sha="b" * 40),), None),
        ((), None),
    ],
)
def test_the_pull_request_is_the_one_whose_head_was_tested(candidates, number):
    found = pull_of(run(event="pull_request"), candidates)
    assert (found.number if found else None) == number


def test_facts_of_the_run_come_from_github():
    pull = Pull(7, head_sha=SHA, base_sha="b" * 40)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    made = to_run(
        run(event="pull_request", head_branch="fix"),
        REPO,
        job="unit",
        variant="3.12",
        attempt=2,
        pull=pull,
        base=base_of(run(), pull),
        at=at,
    )
    assert (made.run_id, made.attempt, made.commit, made.branch) == ("5", 2, SHA, "fix")
    assert (made.pr, made.base, made.trust, made.variant) == ("7", "b" * 40, Trust.PR, "3.12")


@pytest.mark.parametrize("sha", ["", None, "HEAD", "a" * 65, "../x"])
def test_a_head_that_is_no_commit_is_refused(sha):
    with pytest.raises(PayloadError):
        run(head_sha=sha)


def test_what_payloads_leave_out_is_filled_in():
    bare = read_workflow_run({"id": 5, "head_sha": SHA, "name": None, "path": "ci.yml", "conclusion": None})
    assert (bare.attempt, bare.name, bare.conclusion, bare.pulls) == (1, "ci.yml", "", ())
