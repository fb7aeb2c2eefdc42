"""Digest: tell each channel, at its own hour, what changed; and say nothing when nothing did."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import structlog
from storage.slack import Route, channels_for

from core.hours import clock_time, last_occurrence, next_occurrence, zone_of
from core.naming import short_name
from core.policy import Policy
from core.quarantine import IN_FORCE, State
from core.saying import DigestCard, DigestTest, TestView
from core.tenancy import Project
from core.verdict import TestState
from jobs.desk import Desk
from storage import audit, job_run, publication
from storage.database import Tx
from storage.detection import Detection, StoredTransition, detections, transitions
from storage.flake import Flake, count_runs, flakes, newest_result
from storage.project import get_policy, get_project, list_projects
from storage.quarantine import list_quarantines
from storage.test_case import TestCase, count_tests, get_tests

log = structlog.get_logger(__name__)

SHOWN = 5
LATE = timedelta(hours=6)
"""A digest that could not be posted within this is left to the next day."""
ENDING = timedelta(days=7)
ONCE_FLAKY = (TestState.FLAKY.value, TestState.RECOVERED.value)


def post_due_digests(desk: Desk) -> int:
    """Ask for every digest whose hour has come; each once, on whatever node. Answers how many."""
    with desk.database.read() as tx:
        due = [
            (project, route)
            for project in list_projects(tx)
            for route in channels_for(tx, project.id, "digest")
        ]
    posted = sum(_post_if_due(desk, project, route) for project, route in due)
    if posted:
        desk.dispatch.wake("publish")
    return posted


def post_digest(desk: Desk, project_id: int, *, until: datetime) -> int:
    """Post the digest of a project to its channels now; answers to how many."""
    with desk.database.begin() as tx:
        project = get_project(tx, project_id)
        routes = channels_for(tx, project_id, "digest")
        asked = sum(_want(tx, project, route, until, desk.now()) for route in routes)
    desk.dispatch.wake("publish")
    return asked


def _post_if_due(desk: Desk, project: Project, route: Route) -> bool:
    now = desk.now()
    with desk.database.begin() as tx:
        policy = get_policy(tx, project.id)
        at = clock_time(route.digest_time or policy.digest_time)
        due = last_occurrence(at, zone_of(route.timezone or policy.timezone), now)
        if now - due > LATE:
            return False
        period = f"{project.id}:{route.team}:{route.channel}:{due.date().isoformat()}"
        if not job_run.claim(tx, "digest-post", period, now=now, lease_until=now):
            return False
        job_run.finish(tx, "digest-post", period, now=now)
        if compose_digest(tx, project, until=due, route=route).quiet and route.silent_when_quiet:
            return False
        return _want(tx, project, route, due, now)


def _want(tx: Tx, project: Project, route: Route, until: datetime, now: datetime) -> bool:
    return publication.want(
        tx,
        project_id=project.id,
        key=f"digest:{project.id}:{route.team}:{route.channel}:{until.isoformat()}",
        kind="digest",
        subject=project.id,
        team=route.team,
        channel=route.channel,
        payload={"until": until.isoformat()},
        now=now,
    )


def compose_digest(
    tx: Tx, project: Project, *, until: datetime, route: Route | None = None, base_url: str = ""
) -> DigestCard:
    """What changed in the days before `until`, from what is stored; the same answer whenever it is asked."""
    policy = get_policy(tx, project.id)
    days = policy.digest_days
    since = until - timedelta(days=days)
    known, _ = detections(tx, project.id, states=ONCE_FLAKY, limit=1000)
    ids = [one.test_id for one in known]
    now = flakes(tx, project.id, ids, since=since, until=until)
    before = flakes(tx, project.id, ids, since=since - timedelta(days=days), until=since)
    changes, _ = transitions(tx, project.id, since=since, limit=1000)
    changes = [one for one in changes if one.at < until]
    tests = get_tests(tx, project.id, [*ids, *(one.test_id for one in changes)])
    zone = zone_of((route.timezone if route else "") or policy.timezone)
    return DigestCard(
        repo=project.repo,
        branch=project.default_branch,
        days=days,
        since=since,
        until=until,
        failures=len(now),
        failures_before=len(before),
        tests=len({one.test_id for one in now}),
        pull_requests=len({one.pr for one in now if one.pr}),
        ci_seconds=_cost(now),
        daily=_daily(now, since=since, until=until, zone_name=zone.key),
        worst=_worst(tx, project, known, now, tests, since=since, until=until, base_url=base_url),
        new=_names(tests, _ids(changes, TestState.FLAKY)),
        recovered=_names(tests, _ids(changes, TestState.RECOVERED)),
        ending=_ending(tx, project, until),
        waiting=list_quarantines(tx, project.id, states=[State.PROPOSED], limit=1)[1],
        last_result=newest_result(tx, project.id),
        next_digest=_next(policy, route, until),
        audit_head=audit.head(tx, project.organization_id)[1][:16],
        url=f"{base_url}/docs" if base_url else "",
        runs=count_runs(tx, project.id, since=since, until=until),
        tests_known=count_tests(tx, project.id),
    )


def _next(policy: Policy, route: Route | None, until: datetime) -> datetime:
    at = clock_time((route.digest_time if route else "") or policy.digest_time)
    return next_occurrence(at, zone_of((route.timezone if route else "") or policy.timezone), until)


def _cost(found: Sequence[Flake]) -> float:
    """Test time of the runs a flaky test made red, each run once, in seconds."""
    return sum({one.run_pk: one.run_seconds for one in found}.values())


def _daily(
    found: Sequence[Flake], *, since: datetime, until: datetime, zone_name: str
) -> tuple[tuple[str, int], ...]:
    zone = zone_of(zone_name)
    counts = Counter(one.at.astimezone(zone).date() for one in found)
    last = until.astimezone(zone).date()
    days = (last - since.astimezone(zone).date()).days
    every = [date.fromordinal(last.toordinal() - back) for back in range(days - 1, -1, -1)]
    return tuple((day.isoformat(), counts[day]) for day in every)


def _ids(changes: Iterable[StoredTransition], state: TestState) -> list[int]:
    """Tests whose newest change in the period led to this state."""
    newest: dict[int, str] = {}
    for one in changes:
        newest.setdefault(one.test_id, one.after)
    return [test_id for test_id, after in newest.items() if after == state.value]


def _names(tests: dict[int, TestCase], ids: Iterable[int]) -> tuple[str, ...]:
    return tuple(short_name(tests[test_id].key) for test_id in ids if test_id in tests)


def _ending(tx: Tx, project: Project, until: datetime) -> tuple[tuple[str, datetime], ...]:
    active, _ = list_quarantines(tx, project.id, states=IN_FORCE, limit=500)
    soon = [one for one in active if one.until and one.until <= until + ENDING]
    tests = get_tests(tx, project.id, [one.test_id for one in soon])
    pairs = [
        (short_name(tests[one.test_id].key), one.until) for one in soon if one.test_id in tests and one.until
    ]
    return tuple(sorted(pairs, key=lambda pair: pair[1]))


def _worst(
    tx: Tx,
    project: Project,
    known: Sequence[Detection],
    found: Sequence[Flake],
    tests: dict[int, TestCase],
    *,
    since: datetime,
    until: datetime,
    base_url: str,
) -> tuple[DigestTest, ...]:
    failed = Counter(one.test_id for one in found)
    flaky = [one for one in known if failed[one.test_id] and one.test_id in tests]
    flaky.sort(key=lambda one: (-failed[one.test_id], one.test_id))
    runs = count_runs(tx, project.id, since=since, until=until)
    return tuple(
        DigestTest(
            view_of(tests[one.test_id], base_url=base_url),
            failed[one.test_id],
            runs,
            one.score,
            one.state,
        )
        for one in flaky[:SHOWN]
    )


def view_of(test: TestCase, *, base_url: str = "") -> TestView:
    """A test as sayings show it."""
    key = test.key
    url = f"{base_url}/api/v1/tests/{test.id}/explain" if base_url else ""
    return TestView(
        id=test.id,
        suite=key.suite,
        class_name=key.class_name,
        name=key.name,
        file=key.file,
        variant=key.variant,
        owner=test.owner,
        url=url,
    )
