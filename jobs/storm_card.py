"""The storm's message: what its tests have in common, from what is stored."""

from datetime import datetime, timedelta

from core.fingerprint import first_line
from core.naming import full_name
from core.saying import StormCard
from core.storm import Storm, StormFailure, Weather, commit_url, weather
from storage.database import Tx
from storage.failure import FailureRecord, failures_of_tests
from storage.flake import last_green
from storage.project import get_project
from storage.storm import get_storm, tests_of_storm
from storage.test_case import count_tests, get_tests
from storage.test_run import runs_by_id

BEFORE = timedelta(hours=12)
"""A test is confirmed after it has failed; failures this long before may belong to the storm."""
EXAMPLES = 100


def compose_storm(tx: Tx, project_id: int, storm_id: int) -> StormCard:
    """The storm as it is now."""
    project, storm = get_project(tx, project_id), get_storm(tx, project_id, storm_id)
    ids = tests_of_storm(tx, storm)
    found = weather(storm_failures(tx, storm, ids))
    began = found.began
    return StormCard(
        storm_id=storm.id,
        repo=project.repo,
        tests=len(ids),
        tests_known=count_tests(tx, project_id),
        same_error=found.same_error,
        error=found.message,
        since=began.at if began else storm.since,
        commit=began.commit if began else "",
        branch=began.branch if began else "",
        pull_requests=found.pull_requests,
        last_green=_green_before(tx, project_id, storm, found),
        over_at=storm.over_at,
        examples=storm_names(tx, storm),
        url=commit_url(began) if began else "",
    )


def storm_names(tx: Tx, storm: Storm) -> tuple[str, ...]:
    """Full names of the first tests of a storm."""
    ids = tests_of_storm(tx, storm)[:EXAMPLES]
    tests = get_tests(tx, storm.project_id, ids)
    return tuple(full_name(tests[test_id].key) for test_id in ids if test_id in tests)


def storm_failures(tx: Tx, storm: Storm, ids: list[int]) -> list[StormFailure]:
    """How its tests failed, from a while before it was seen until it was over."""
    since, until = storm.since - BEFORE, storm.over_at or storm.joined_at
    until = max(until, storm.since) + timedelta(minutes=1)
    records = failures_of_tests(tx, storm.project_id, ids, since=since, until=until)
    runs = runs_by_id(tx, storm.project_id, {run_pk for run_pk, _ in records})
    return [
        StormFailure(test_id, runs[run_pk].run, run_pk, *_first_bad(record))
        for (run_pk, test_id), record in records.items()
        if run_pk in runs
    ]


def _first_bad(record: FailureRecord) -> tuple[str, str]:
    """Fingerprint and first line of its first failing attempt."""
    pairs = zip(record.attempts, record.fingerprints, strict=True)
    bad = [pair for pair in pairs if pair[0].outcome.bad]
    if not bad:
        return "", ""
    attempt, mark = bad[0]
    return (mark.hex() if mark else ""), first_line(attempt.message or "")


def _green_before(tx: Tx, project_id: int, storm: Storm, found: Weather) -> datetime | None:
    return last_green(tx, project_id, before=found.began.at if found.began else storm.since)
