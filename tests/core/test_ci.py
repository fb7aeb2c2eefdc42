"""What each CI system says about a run."""

import json

import pytest

from core.ci import ci_context, matrix_text

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_JOB": "unit",
    "GITHUB_SHA": "mergecommit",
    "GITHUB_REF": "refs/pull/12/merge",
    "GITHUB_REF_NAME": "12/merge",
    "GITHUB_HEAD_REF": "fix-it",
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "acme/shop",
}


def pull(head=1, base=1):
    return {
        "pull_request": {
            "number": 12,
            "head": {"sha": "headcommit", "repo": {"id": head}},
            "base": {"sha": "basecommit", "repo": {"id": base}},
        }
    }


def test_github_names_the_head_of_a_pull_request_not_its_merge_commit():
    found = ci_context(GITHUB, pull())
    assert found == {
        "run_id": "77",
        "attempt": "2",
        "job": "unit",
        "commit": "headcommit",
        "branch": "fix-it",
        "event": "pull_request",
        "pr": "12",
        "base": "basecommit",
        "url": "https://github.example/acme/shop/actions/runs/77",
    }


def test_github_tells_a_fork_by_the_repositories_ids():
    assert ci_context(GITHUB, pull(head=2))["fork"] == "1"


def test_a_deleted_fork_is_a_fork():
    event = pull()
    event["pull_request"]["head"]["repo"] = None
    assert ci_context(GITHUB, event)["fork"] == "1"


def test_github_on_a_branch():
    env = GITHUB | {"GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main", "GITHUB_HEAD_REF": ""}
    found = ci_context(env | {"GITHUB_EVENT_NAME": "push"})
    assert (found["commit"], found["branch"], "pr" in found) == ("mergecommit", "main", False)


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        (
            {
                "GITLAB_CI": "true",
                "CI_PIPELINE_ID": "5",
                "CI_JOB_ID": "900",
                "CI_JOB_NAME": "test 1/2",
                "CI_COMMIT_SHA": "c",
                "CI_COMMIT_REF_NAME": "main",
                "CI_PIPELINE_SOURCE": "merge_request_event",
                "CI_MERGE_REQUEST_IID": "3",
                "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix",
                "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "8",
                "CI_MERGE_REQUEST_PROJECT_ID": "7",
            },
            {
                "run_id": "5-900",
                "job": "test 1/2",
                "commit": "c",
                "branch": "fix",
                "event": "pull_request",
                "pr": "3",
                "fork": "1",
            },
        ),
        (
            {
                "JENKINS_URL": "http://j",
                "JOB_NAME": "shop/main",
                "BUILD_NUMBER": "4",
                "GIT_COMMIT": "c",
                "GIT_BRANCH": "origin/main",
                "BUILD_URL": "http://j/4",
            },
            {"run_id": "shop/main#4", "commit": "c", "branch": "main", "event": "push", "url": "http://j/4"},
        ),
        (
            {
                "CIRCLECI": "true",
                "CIRCLE_WORKFLOW_ID": "w",
                "CIRCLE_JOB": "unit",
                "CIRCLE_NODE_TOTAL": "4",
                "CIRCLE_NODE_INDEX": "2",
                "CIRCLE_SHA1": "c",
                "CIRCLE_BRANCH": "pull/9",
                "CIRCLE_PULL_REQUEST": "https://github.example/acme/shop/pull/9",
                "CIRCLE_PR_NUMBER": "9",
            },
            {
                "run_id": "w",
                "job": "unit 2",
                "commit": "c",
                "branch": "pull/9",
                "event": "pull_request",
                "pr": "9",
                "fork": "1",
            },
        ),
        (
            {
                "BUILDKITE": "true",
                "BUILDKITE_BUILD_ID": "b",
                "BUILDKITE_RETRY_COUNT": "1",
                "BUILDKITE_LABEL": "unit",
                "BUILDKITE_PARALLEL_JOB": "0",
                "BUILDKITE_COMMIT": "c",
                "BUILDKITE_BRANCH": "fix",
                "BUILDKITE_PULL_REQUEST": "6",
                "BUILDKITE_REPO": "git@github.example:acme/shop.git",
                "BUILDKITE_PULL_REQUEST_REPO": "https://github.example/acme/shop.git",
            },
            {
                "run_id": "b",
                "attempt": "2",
                "job": "unit 0",
                "commit": "c",
                "branch": "fix",
                "event": "pull_request",
                "pr": "6",
            },
        ),
    ],
    ids=["gitlab", "jenkins", "circleci", "buildkite"],
)
def test_other_systems(env, wanted):
    assert ci_context(env) == wanted


def test_our_own_variables_overrule_and_serve_any_other_system():
    assert ci_context(GITHUB | {"FLAKEGUARD_JOB": "unit-2"})["job"] == "unit-2"
    assert ci_context({"FLAKEGUARD_COMMIT": "c", "FLAKEGUARD_BRANCH": "b"}) == {"commit": "c", "branch": "b"}


def test_a_matrix_cell_is_a_short_line():
    assert matrix_text(json.dumps({"os": "linux", "python": 3.12})) == "linux, 3.12"


@pytest.mark.parametrize("text", ["null", "{", "[]", '"x"'])
def test_no_matrix_is_no_variant(text):
    assert matrix_text(text) == ""
