"""Gathers what answers, tabs and dialogs show; every function reads in one snapshot and writes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bot.slack import past
from bot.slack.blocks.findings import Findings
from bot.slack.blocks.proposal import is_user_id
from bot.slack.blocks.words import count, full_id, short_name
from bot.slack.pages import (
    HistoryPage,
    ListPage,
    QuarantineLine,
    RepoHealth,
    SettingsPage,
    TestPage,
    TopPage,
)
from core.quarantine import IN_FORCE, Quarantine, State
from core.saying import DigestTest, TestView
from core.tenancy import Project, Role
from jobs.digest_card import view_of
from jobs.explain import explain_test
from storage import audit
from storage.approver import list_roles
from storage.arrival import arrivals
from storage.database import Tx
from storage.detection import detections, find_detection, transitions
from storage.endpoint import silent_endpoints
from storage.flake import count_runs, newest_result
from storage.history import history
from storage.project import get_policy, get_project, policy_versions
from storage.publication import broken_channels
from storage.quarantine import in_force, latest_quarantine_of, list_quarantines
from storage.slack import subscriptions_of
from storage.test_case import count_tests, get_test, get_tests, search_tests
from storage.test_run import get_runs

FRESH = timedelta(hours=24)
PAST = timedelta(days=84)
SLOW = timedelta(hours=1)
"""What a run's artifacts may take to be collected."""
FORTNIGHT = timedelta(days=14)
ENOUGH = 0.95
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
MAX_CHANGES = 5000
MAX_MATCHES = 100
FLAGGED = frozenset({"flaky"})


def health(tx: Tx, project: Project, now: datetime) -> RepoHealth:
    """One repository at a glance."""
    active = in_force(tx, project.id)
    ends = sorted(item.until for item in active.values() if item.until)
    routes = subscriptions_of(tx, project.id)
    ours = {(route.team, route.channel) for route in routes}
    broken = tuple((channel, code) for team, channel, code in broken_channels(tx) if (team, channel) in ours)
    last, arrived = (
        newest_result(tx, project.id),
        arrivals(tx, project.id, since=now - FRESH, until=now - SLOW),
    )
    flaky = detections(tx, project.id, states=FLAGGED, limit=1)[1]
    ill, problem = illness(last, arrived, len(broken), now)
    return RepoHealth(
        project_id=project.id,
        repo=project.repo,
        branch=project.default_branch,
        tests=count_tests(tx, project.id),
        flaky=flaky,
        flaky_before=_flaky_before(tx, project, flaky, now - FORTNIGHT),
        quarantined=len(active),
        waiting=list_quarantines(tx, project.id, states=[State.PROPOSED], limit=1)[1],
        next_end=ends[0] if ends else None,
        last_result=last,
        runs=get_runs(tx, project.id, limit=1)[1],
        arrived=arrived,
        ill=ill,
        problem=problem,
        routes=len(routes),
        broken_routes=broken,
        silent_webhooks=tuple(one.id for one in silent_endpoints(tx, project.organization_id, project.id)),
    )


def illness(last: datetime | None, arrived: tuple[int, int], broken: int, now: datetime) -> tuple[str, str]:
    """(what, why) of the first thing that is wrong with a repository; two empty texts when it is healthy."""
    came, expected = arrived
    if last is not None and now - last >= FRESH:
        return "is blind", f"no result for {count((now - last).days, 'day')}"
    if expected and came < ENOUGH * expected:
        return "sees too little", f"{count(expected - came, 'run')} of {expected} brought no result in a day"
    if broken:
        return "is not heard", f"{count(broken, 'channel')} cannot be posted to"
    return "", ""


def _flaky_before(tx: Tx, project: Project, flaky: int, at: datetime) -> int | None:
    """How many tests were flaky then: today's, with every change since turned back."""
    if not count_runs(tx, project.id, since=BEGINNING, until=at):
        return None
    changes, _ = transitions(tx, project.id, since=at, limit=MAX_CHANGES)
    came = sum((one.after in FLAGGED) - (one.before in FLAGGED) for one in changes)
    return max(flaky - came, 0) if len(changes) < MAX_CHANGES else None


def top_page(tx: Tx, project: Project, *, days: int, limit: int, now: datetime) -> TopPage:
    """The flaky tests, those that failed most in the period first."""
    found, total = detections(tx, project.id, states=FLAGGED, limit=200)
    tests = get_tests(tx, project.id, [one.test_id for one in found])
    rows = []
    for one in found:
        if one.test_id in tests:
            executions = history(tx, project.id, one.test_id, since=now - timedelta(days=days))
            failed, runs = past.figures(executions, branch=project.default_branch)
            view = view_of(tests[one.test_id], url=past.latest_failed_url(executions))
            rows.append(DigestTest(view, failed, runs, one.score, one.state))
    worst = sorted(rows, key=lambda row: (-row.failed, -row.score))
    return TopPage(
        project_id=project.id,
        repo=project.repo,
        days=days,
        rows=tuple(worst[:limit]),
        total=total,
        tests=count_tests(tx, project.id),
        runs=get_runs(tx, project.id, limit=1)[1],
        last_result=newest_result(tx, project.id),
    )


def page_of_test(tx: Tx, project: Project, test_id: int, now: datetime, *, weeks: bool = True) -> TestPage:
    """What is known about one test now."""
    test = get_test(tx, project.id, test_id)
    executions = history(tx, project.id, test.id, since=now - PAST)
    branch = project.default_branch
    found = past.completed(Findings.read(explain_test(tx, project, test, now)), executions, branch=branch)
    return TestPage(
        test=view_of(test, url=found.last_failed_url),
        project_id=project.id,
        repo=project.repo,
        branch=branch,
        findings=found,
        weekly=past.weekly(executions, branch=branch) if weeks else (),
        quarantine=latest_quarantine_of(tx, project.id, test.id),
        last_result=newest_result(tx, project.id),
        first_seen=test.first_seen,
    )


def evidence_page(tx: Tx, project: Project, quarantine: Quarantine) -> TestPage:
    """What was known when the quarantine was proposed; the runs' links are looked up in what is stored."""
    test = get_test(tx, project.id, quarantine.test_id)
    executions = [
        one
        for one in history(tx, project.id, test.id, since=quarantine.proposed_at - PAST)
        if one.run.at <= quarantine.proposed_at
    ]
    found = Findings.read(quarantine.evidence)
    branch = project.default_branch
    return TestPage(
        test=view_of(test),
        project_id=project.id,
        repo=project.repo,
        branch=branch,
        findings=past.completed(found, executions, branch=branch),
        quarantine=quarantine,
    )


def list_page(tx: Tx, project: Project, *, kind: str, page: int, size: int = 10) -> ListPage:
    """One page of proposals or quarantines."""
    states = [State.PROPOSED] if kind == "pending" else list(IN_FORCE)
    page = max(1, page)
    items, total = list_quarantines(tx, project.id, states=states, limit=size, offset=(page - 1) * size)
    return ListPage(project.id, project.repo, kind, tuple(lines(tx, project, items)), total, page, size)


def lines(tx: Tx, project: Project, items: Sequence[Quarantine]) -> Iterable[QuarantineLine]:
    """Quarantines with their tests and the figures they were proposed with."""
    tests = get_tests(tx, project.id, [item.test_id for item in items])
    for item in items:
        if item.test_id in tests:
            found = Findings.read(item.evidence)
            yield QuarantineLine(
                item, view_of(tests[item.test_id]), project.repo, found.score, found.failed, found.runs
            )


def history_page(tx: Tx, project: Project, test_id: int) -> HistoryPage:
    """Who decided what about a test, newest first."""
    test = get_test(tx, project.id, test_id)
    stories, _ = list_quarantines(tx, project.id, test_id=test.id, limit=50)
    subjects = [*(story.name for story in stories), f"t-{test.id}"]
    found = [
        event
        for subject in subjects
        for event in audit.events(
            tx, project.organization_id, project_id=project.id, subject=subject, limit=50
        )[0]
    ]
    return HistoryPage(view_of(test), project.repo, tuple(sorted(found, key=lambda one: -one.seq)))


Shareable = TypeVar("Shareable", TopPage, TestPage)


def shared(page: Shareable, by: str) -> Shareable:
    """The same page as everybody in the channel sees it, when somebody shares it."""
    return replace(page, shared_by=by) if by else page


def settings_page(tx: Tx, project_id: int, *, team: str, changed: bool = False) -> SettingsPage:
    """The policy, the approvers and the first route in this workspace."""
    project, policy = get_project(tx, project_id), get_policy(tx, project_id)
    route = next((one for one in subscriptions_of(tx, project_id) if one.team == team), None)
    versions = policy_versions(tx, project_id)
    newest = max(versions, key=lambda entry: entry[0].version, default=None)
    roles = list_roles(tx, project_id)
    return SettingsPage(
        project_id=project_id,
        repo=project.repo,
        policy=policy,
        approvers=tuple(user for user, role in roles if role.may_decide),
        deciders=tuple(user for user, role in roles if _stays(user, role)),
        channel=route.channel if route else "",
        kinds=route.kinds if route else "all",
        digest_time=(route.digest_time if route else "") or policy.digest_time,
        timezone=(route.timezone if route else "") or policy.timezone,
        changed_by=newest[1] if changed and newest else "",
    )


def _stays(user: str, role: Role) -> bool:
    return role is Role.ADMIN or (role.may_decide and not is_user_id(user))


def matches(tx: Tx, projects: Iterable[Project], text: str) -> list[tuple[Project, TestView]]:
    """Tests the text may mean; a whole name wins over its parts."""
    wanted = text.strip()
    found = [
        (project, view_of(test))
        for project in projects
        for test in search_tests(tx, project.id, _searchable(wanted), limit=MAX_MATCHES)
    ]
    exact = [pair for pair in found if wanted in _names(pair[1])]
    return exact or found


def _searchable(text: str) -> str:
    """The last segment of a full id: file, class and name lie in columns of their own."""
    return text.rsplit("::", 1)[-1].removesuffix("()") or text


def _names(test: TestView) -> set[str]:
    return {test.name, short_name(test), full_id(test)}


def state_of(tx: Tx, project_id: int, test_id: int) -> str:
    """The stored state of a test; a test that never failed is healthy."""
    found = find_detection(tx, project_id, test_id)
    return found.state if found else "healthy"
