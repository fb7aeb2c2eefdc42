"""Gathers one person's Home."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.settings import Settings
from bot.slack import past
from bot.slack.pages import HomePage, Membership, MyTest, QuarantineLine, RepoHealth, WhoPage
from bot.slack.reads import health, lines
from bot.slack.tenancy import projects_of, sample_for
from bot.slack.visit import Visitor
from core.quarantine import IN_FORCE, State
from core.tenancy import Project, Role
from jobs.decide import max_role
from jobs.desk import Desk
from jobs.digest_card import view_of
from jobs.role import group_role
from storage.approver import role_of
from storage.database import Tx
from storage.detection import detections
from storage.flake import failures_since
from storage.history import history
from storage.project import get_policy
from storage.quarantine import list_quarantines, open_quarantine_of
from storage.slack import login_of
from storage.test_case import TestCase, get_tests

SHOWN = 20
SOON = timedelta(days=7)
CALM_DAYS = 5
WINDOW = timedelta(days=14)
MINE = frozenset({"broken", "flaky", "suspect", "recovered"})


def memberships(desk: Desk, visitor: Visitor) -> list[Membership]:
    """What the visitor may do in each project, and through what."""
    person = visitor.person()
    with desk.database.read() as tx:
        projects = projects_of(tx, visitor)
        listed = {one.id: role_of(tx, one.id, person.user) for one in projects}
        policies = {one.id: get_policy(tx, one.id) for one in projects}
    found = []
    for project in projects:
        through = Role.VIEWER
        if policies[project.id].approver_group and not listed[project.id].may_decide:
            through = group_role(desk, project.id, person)
        role = max_role(listed[project.id], through)
        group = policies[project.id].approver_group if through.may_decide else ""
        found.append(Membership(project.repo, role, group, policies[project.id]))
    return found


def who_page(desk: Desk, visitor: Visitor, *, guest: bool) -> WhoPage:
    """Who the visitor is to FlakeGuard."""
    refusal = ""
    if visitor.foreign:
        refusal = "You are from another workspace; only people of this workspace decide here."
    elif guest:
        refusal = "Guests may look, but not decide."
    with desk.database.read() as tx:
        login = login_of(tx, team=visitor.workspace.team, user=visitor.visit.user)
    return WhoPage(visitor.visit.user, login, tuple(memberships(desk, visitor)), refusal)


def home_page(desk: Desk, settings: Settings, visitor: Visitor) -> HomePage:
    """Everything one person's Home shows."""
    now, roles = desk.now(), memberships(desk, visitor)
    deciding = {item.repo for item in roles if item.role.may_decide}
    with desk.database.read() as tx:
        projects, own = projects_of(tx, visitor), sample_for(tx, visitor)
        login = login_of(tx, team=visitor.workspace.team, user=visitor.visit.user)
        waiting = [item for one in projects if one.repo in deciding for item in _waiting(tx, one)]
        ending = [item for one in projects for item in _ending(tx, one, now)]
        return HomePage(
            waiting=tuple(sorted(waiting, key=lambda item: -item.score)),
            may_decide=bool(deciding) and not visitor.foreign,
            admin=any(item.role is Role.ADMIN for item in roles),
            linked=bool(login),
            tests=_tests_of(tx, projects, login, now),
            ending=tuple(ending),
            suggestion=_calm(tx, ending, now),
            repos=tuple(_health(tx, project, now, own) for project in projects[-SHOWN:]),
            sample=own is not None,
            web=settings.web and not visitor.foreign,
            role=_role_sentence(roles),
            refreshed=now,
            ingest_url=f"{settings.base_url}/api/v1/ingestion/junit",
        )


def _health(tx: Tx, project: Project, now: datetime, own: int | None) -> RepoHealth:
    return replace(health(tx, project, now), sample=project.id == own)


def _waiting(tx: Tx, project: Project) -> Sequence[QuarantineLine]:
    items, _ = list_quarantines(tx, project.id, states=[State.PROPOSED], limit=SHOWN)
    return list(lines(tx, project, items))


def _ending(tx: Tx, project: Project, now: datetime) -> Sequence[QuarantineLine]:
    items, _ = list_quarantines(tx, project.id, states=IN_FORCE, limit=200)
    soon = sorted(
        (item for item in items if item.until and item.until <= now + SOON),
        key=lambda item: item.until or now,
    )
    return list(lines(tx, project, soon[:SHOWN]))


def _calm(tx: Tx, ending: Sequence[QuarantineLine], now: datetime) -> tuple[QuarantineLine, int] | None:
    """A quarantine that ends soon and whose test has been calm: one suggestion at most."""
    for item in ending:
        quarantine = item.quarantine
        begin = quarantine.decided_at or quarantine.proposed_at
        _, last = failures_since(tx, quarantine.project_id, quarantine.test_id, begin)
        days = (now - (last or begin)).days
        if days >= CALM_DAYS:
            return item, days
    return None


def _tests_of(tx: Tx, projects: Sequence[Project], login: str, now: datetime) -> tuple[MyTest, ...]:
    """Tests whose owner is this login, worst first."""
    if not login:
        return ()
    found = [item for project in projects for item in _mine(tx, project, login, now)]
    return tuple(sorted(found, key=lambda item: -item.failed))


def _mine(tx: Tx, project: Project, login: str, now: datetime) -> list[MyTest]:
    verdicts, _ = detections(tx, project.id, states=MINE, limit=500)
    tests = get_tests(tx, project.id, [one.test_id for one in verdicts])
    mine = [one for one in verdicts if one.test_id in tests and owns(login, tests[one.test_id].owner)]
    return [_my_test(tx, project, tests[one.test_id], one.state, now) for one in mine[:SHOWN]]


def _my_test(tx: Tx, project: Project, test: TestCase, state: str, now: datetime) -> MyTest:
    quarantine = open_quarantine_of(tx, project.id, test.id)
    executions = history(tx, project.id, test.id, since=now - WINDOW)
    failed, runs = past.figures(executions, branch=project.default_branch)
    shown = quarantine.state.value if quarantine else state
    view = view_of(test, url=past.latest_failed_url(executions))
    return MyTest(view, shown, failed, runs, quarantine.until if quarantine else None)


def owns(login: str, owner: str) -> bool:
    """CODEOWNERS' words name the login: `@alice @acme/web`."""
    return login in {word.removeprefix("@").lower() for word in owner.replace(",", " ").split()}


def _role_sentence(roles: Sequence[Membership]) -> str:
    strongest = max((item.role for item in roles), key=list(Role).index, default=Role.VIEWER)
    if strongest is Role.VIEWER:
        return "You may look and propose; approvers and admins decide"
    best = [item for item in roles if item.role is strongest]
    article = "an" if strongest.value[0] in "ao" else "a"
    where = best[0].repo if len(best) == 1 else f"{len(best)} repositories"
    through = best[0].through
    group = f", through <!subteam^{through}>" if through.isalnum() else ""
    return f"You are {article} *{strongest}* for {where}{group}"
