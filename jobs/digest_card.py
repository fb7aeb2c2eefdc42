"""The digest's content: what changed in the days before a moment, from what is stored."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from core.hours import clock_time, next_occurrence, zone_of
from core.naming import short_name
from core.policy import Policy
from core.quarantine import IN_FORCE, State
from core.saying import DigestCard, DigestTest, TestView
from core.tenancy import Project
from core.verdict import TestState
from storage import audit
from storage.database import Tx
from storage.detection import Detection, StoredTransition, detections, transitions
from storage.flake import Flake, count_runs, flakes, newest_result
from storage.project import get_policy
from storage.quarantine import list_quarantines
from storage.result import history
from storage.slack import Route
from storage.test_case import TestCase, count_tests, get_tests
from storage.test_run import RunRecord, runs_by_id

SHOWN = 5
ENDING = timedelta(days=7)
ONCE_FLAKY = (TestState.FLAKY.value, TestState.RECOVERED.value)


def compose_digest(tx: Tx, project: Project, *, until: datetime, route: Route | None = None) -> DigestCard:
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
        project_id=project.id,
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
        worst=_worst(tx, project, known, now, tests, since=since, until=until),
        new=_names(tests, _ids(changes, TestState.FLAKY)),
        recovered=_names(tests, _ids(changes, TestState.RECOVERED)),
        ending=_ending(tx, project, until),
        waiting=list_quarantines(tx, project.id, states=[State.PROPOSED], limit=1)[1],
        last_result=newest_result(tx, project.id),
        next_digest=_next(policy, route, until),
        audit_head=audit.head(tx, project.organization_id)[1][:16],
        by_owner=any(tests[one.test_id].owner for one in now if one.test_id in tests),
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
) -> tuple[DigestTest, ...]:
    failed = Counter(one.test_id for one in found)
    flaky = [one for one in known if failed[one.test_id] and one.test_id in tests]
    flaky.sort(key=lambda one: (-failed[one.test_id], one.test_id))
    newest = {one.test_id: one.run_pk for one in found}
    runs = runs_by_id(tx, project.id, {newest[one.test_id] for one in flaky[:SHOWN]})
    return tuple(
        DigestTest(
            view_of(tests[one.test_id], url=_url(runs, newest[one.test_id])),
            failed[one.test_id],
            _runs(tx, project, one.test_id, since=since, until=until),
            one.score,
            one.state,
        )
        for one in flaky[:SHOWN]
    )


def _url(runs: Mapping[int, RunRecord], run_pk: int) -> str:
    return runs[run_pk].run.url if run_pk in runs else ""


def _runs(tx: Tx, project: Project, test_id: int, *, since: datetime, until: datetime) -> int:
    """In how many runs of the period the test took part."""
    return sum(one.run.at < until for one in history(tx, project.id, test_id, since=since))


def view_of(test: TestCase, *, url: str = "") -> TestView:
    """A test as sayings show it; its link is its latest failed run, the API's addresses need a token."""
    key = test.key
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
