"""How CI systems name a run: their environment variables read into the fields of an upload.

This file is also served to CI machines as part of `/gate.py`: only the standard library, only Python 3.9.
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Mapping  # noqa: UP035 - this file also runs on Python 3.9

FIELDS = (
    "run_id",
    "attempt",
    "job",
    "variant",
    "commit",
    "branch",
    "event",
    "pr",
    "base",
    "url",
    "fork",
)
Environ = Mapping[str, str]
Payload = Mapping[str, Any]


def ci_context(environ: Environ, event: Payload | None = None) -> dict[str, str]:
    """What is known about this run; `event` is GitHub's payload file when there is one.

    FLAKEGUARD_COMMIT, FLAKEGUARD_BRANCH ... overrule what the CI system says and serve any other system.
    """
    found: dict[str, str] = {}
    for variable, read in _SYSTEMS:
        if environ.get(variable):
            found = read(environ, event or {})
            break
    own = {name: environ.get(f"FLAKEGUARD_{name.upper()}", "") for name in FIELDS}
    merged = {**found, **{name: value for name, value in own.items() if value}}
    if matrix := environ.get("FLAKEGUARD_MATRIX"):
        merged.setdefault("variant", matrix_text(matrix))
    return {name: value for name, value in merged.items() if value}


def matrix_text(matrix: str) -> str:
    """GitHub's matrix as JSON in one short line: `{"os": "linux", "python": "3.11"}` -> `linux, 3.11`."""
    try:
        cells = json.loads(matrix)
    except ValueError:
        return ""
    if not isinstance(cells, dict):
        return ""
    return ", ".join(str(value) for value in cells.values() if isinstance(value, (str, int, float)))


def _github(env: Environ, event: Payload) -> dict[str, str]:
    pull = event.get("pull_request") or {}
    head, base = pull.get("head") or {}, pull.get("base") or {}
    number = re.fullmatch(r"refs/pull/(\d+)/\w+", env.get("GITHUB_REF", ""))
    repository = f"{env.get('GITHUB_SERVER_URL', '')}/{env.get('GITHUB_REPOSITORY', '')}"
    return {
        "run_id": env.get("GITHUB_RUN_ID", ""),
        "attempt": env.get("GITHUB_RUN_ATTEMPT", ""),
        "job": env.get("GITHUB_JOB", ""),
        # A pull request is tested as a merge commit that nobody else names: its head is what checks refer to.
        "commit": str(head.get("sha") or env.get("GITHUB_SHA", "")),
        "branch": env.get("GITHUB_HEAD_REF") or env.get("GITHUB_REF_NAME", ""),
        "event": env.get("GITHUB_EVENT_NAME", ""),
        "pr": number[1] if number else str(pull.get("number") or ""),
        "base": str(base.get("sha") or ""),
        "url": f"{repository}/actions/runs/{env.get('GITHUB_RUN_ID', '')}",
        "fork": "1" if pull and _repo_id(head) != _repo_id(base) else "",
    }


def _repo_id(side: Payload) -> Any:
    return (side.get("repo") or {}).get("id")


def _gitlab(env: Environ, _event: Payload) -> dict[str, str]:
    source = env.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "")
    return {
        # A retried job keeps its pipeline and its name; only the job id tells the two apart.
        "run_id": f"{env.get('CI_PIPELINE_ID', '')}-{env.get('CI_JOB_ID', '')}",
        "job": env.get("CI_JOB_NAME", ""),
        "commit": env.get("CI_COMMIT_SHA", ""),
        "branch": env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or env.get("CI_COMMIT_REF_NAME", ""),
        "event": _GITLAB_EVENTS.get(env.get("CI_PIPELINE_SOURCE", ""), env.get("CI_PIPELINE_SOURCE", "")),
        "pr": env.get("CI_MERGE_REQUEST_IID", ""),
        "base": env.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
        "url": env.get("CI_JOB_URL", ""),
        "fork": "1" if source and source != env.get("CI_MERGE_REQUEST_PROJECT_ID") else "",
    }


_GITLAB_EVENTS = {"merge_request_event": "pull_request"}


def _jenkins(env: Environ, _event: Payload) -> dict[str, str]:
    branch = env.get("CHANGE_BRANCH") or env.get("BRANCH_NAME") or env.get("GIT_BRANCH", "")
    return {
        "run_id": f"{env.get('JOB_NAME', '')}#{env.get('BUILD_NUMBER', '')}",
        "job": env.get("STAGE_NAME", ""),
        "commit": env.get("GIT_COMMIT", ""),
        "branch": branch.removeprefix("origin/"),
        "event": "pull_request" if env.get("CHANGE_ID") else "push",
        "pr": env.get("CHANGE_ID", ""),
        "url": env.get("BUILD_URL", ""),
        "fork": "1" if env.get("CHANGE_FORK") else "",
    }


def _circleci(env: Environ, _event: Payload) -> dict[str, str]:
    number = re.search(r"/(\d+)/?$", env.get("CIRCLE_PULL_REQUEST", ""))
    shard = f" {env.get('CIRCLE_NODE_INDEX')}" if env.get("CIRCLE_NODE_TOTAL", "1") != "1" else ""
    return {
        "run_id": env.get("CIRCLE_WORKFLOW_ID", ""),
        "job": f"{env.get('CIRCLE_JOB', '')}{shard}",
        "commit": env.get("CIRCLE_SHA1", ""),
        "branch": env.get("CIRCLE_BRANCH", ""),
        "event": "pull_request" if number else "push",
        "pr": number[1] if number else "",
        "url": env.get("CIRCLE_BUILD_URL", ""),
        # CircleCI sets this one for pull requests from forks only.
        "fork": "1" if env.get("CIRCLE_PR_NUMBER") else "",
    }


def _buildkite(env: Environ, _event: Payload) -> dict[str, str]:
    pull = env.get("BUILDKITE_PULL_REQUEST", "false")
    number = "" if pull == "false" else pull
    retries = env.get("BUILDKITE_RETRY_COUNT", "0")
    shard = f" {env['BUILDKITE_PARALLEL_JOB']}" if env.get("BUILDKITE_PARALLEL_JOB") else ""
    theirs = env.get("BUILDKITE_PULL_REQUEST_REPO", "")
    return {
        "run_id": env.get("BUILDKITE_BUILD_ID", ""),
        "attempt": str(int(retries) + 1) if retries.isdecimal() else "",
        "job": f"{env.get('BUILDKITE_STEP_KEY') or env.get('BUILDKITE_LABEL', '')}{shard}",
        "commit": env.get("BUILDKITE_COMMIT", ""),
        "branch": env.get("BUILDKITE_BRANCH", ""),
        "event": "pull_request" if number else "push",
        "pr": number,
        "url": env.get("BUILDKITE_BUILD_URL", ""),
        "fork": "1"
        if number and theirs and not _same_repository(theirs, env.get("BUILDKITE_REPO", ""))
        else "",
    }


def _same_repository(one: str, other: str) -> bool:
    """`git@host:o/r.git`, `git://host/o/r.git` and `https://host/o/r` are the same place."""
    return _place(one) == _place(other)


def _place(address: str) -> str:
    bare = re.sub(r"^\w+://|^[\w.-]+@|\.git$", "", address.strip().lower())
    return re.sub(r"^[\w.-]+@", "", bare).replace(":", "/")


_SYSTEMS: tuple[tuple[str, Callable[[Environ, Payload], dict[str, str]]], ...] = (
    ("GITHUB_ACTIONS", _github),
    ("GITLAB_CI", _gitlab),
    ("JENKINS_URL", _jenkins),
    ("CIRCLECI", _circleci),
    ("BUILDKITE", _buildkite),
)
