import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.github.artifact import (
    Artifact,
    contradiction,
    names_of,
    origin_of,
    other_attempts_matter,
    read_metadata,
)
from core.github.workflow import WorkflowRun

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIRST = WorkflowRun(
    id=123456,
    attempt=1,
    event="push",
    status="completed",
    head_sha="a" * 40,
    name="CI",
    started_at=NOON,
    updated_at=NOON + timedelta(minutes=10),
)
SECOND = replace(FIRST, attempt=2, started_at=NOON + timedelta(hours=1), updated_at=NOON + timedelta(hours=2))


def artifact(name="junit", *, minutes=5):
    return Artifact(id=1, name=name, size=10, expired=False, created_at=NOON + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("junit", ""),
        ("test-results", ""),
        ("Test Reports", ""),
        ("junit.xml", ""),
        ("junit-ubuntu-3.11", "ubuntu-3.11"),
        ("test-results (windows, 3.12)", "windows-3.12"),
        ("junit-py3.11-attempt-2", "py3.11"),
        ("junit-attempt-2", ""),
        ("junit-shard-3", ""),
        ("junit-2-of-5", ""),
        ("junit-123456", ""),
        ("junit-123456-2", ""),
        (f"junit-{'a' * 40}", ""),
    ],
)
def test_the_matrix_cell_is_what_is_left_of_the_name(name, variant):
    assert names_of(name, SECOND)[1] == variant


def test_attempts_of_one_job_have_one_name():
    names = {names_of(name, SECOND) for name in ("junit-py3-attempt-1", "junit-py3-attempt-2")}
    assert names == {("CI / junit-py3", "py3")}


def test_shards_are_jobs_of_one_variant():
    (one, left), (two, right) = names_of("junit-shard-1", FIRST), names_of("junit-shard-2", FIRST)
    assert one != two
    assert left == right == ""


@pytest.mark.parametrize(
    ("made", "attempts", "attempt"),
    [
        (artifact(), (FIRST,), 1),
        (artifact(minutes=5), (FIRST, SECOND), 1),
        (artifact(minutes=70), (FIRST, SECOND), 2),
        (artifact(minutes=11), (FIRST, SECOND), 1),
        (artifact("junit-attempt-1", minutes=70), (FIRST, SECOND), 1),
        (artifact("junit-attempt-9", minutes=70), (FIRST, SECOND), 2),
        (artifact(minutes=-5), (FIRST, SECOND), 1),
    ],
)
def test_the_attempt_is_told_by_the_name_and_else_by_the_time(made, attempts, attempt):
    assert origin_of(made, None, attempts[-1], attempts).attempt == attempt


def test_metadata_tells_more_than_the_name():
    told = read_metadata(
        json.dumps({"run_attempt": "1", "job": "unit", "matrix": {"py": 3.11, "os": "x"}}).encode()
    )
    origin = origin_of(artifact("junit-attempt-2"), told, SECOND, (FIRST, SECOND))
    assert (origin.attempt, origin.job, origin.variant) == (1, "unit", "os=x, py=3.11")


@pytest.mark.parametrize(
    "claims",
    [{"run_id": 9}, {"repository_id": 9}, {"head_sha": "b" * 40}, {"run_attempt": 3}, {"run_id": "9"}],
)
def test_metadata_that_contradicts_github_is_named(claims):
    assert contradiction(read_metadata(json.dumps(claims).encode()), SECOND, 10, newest=2)


def test_metadata_that_agrees_is_accepted():
    claims = {"run_id": 123456, "repository_id": "10", "head_sha": "A" * 40, "run_attempt": 2}
    assert contradiction(read_metadata(json.dumps(claims).encode()), SECOND, 10, newest=2) == ""


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"null", b"\xff", b"[" * 10_000, b"{}" + b" " * 70_000]
)
def test_what_is_no_metadata_is_none(content):
    assert read_metadata(content) is None


@pytest.mark.parametrize(("minutes", "matter"), [(5, False), (-1, True), (11, True)])
def test_other_attempts_matter_for_artifacts_from_outside_of_the_run(minutes, matter):
    assert bool(other_attempts_matter([artifact(minutes=minutes)], FIRST)) is matter
