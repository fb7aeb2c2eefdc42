"""Digest: tell each channel, at its own hour, what changed; and say nothing when nothing did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from core.hours import clock_time, last_occurrence, zone_of
from core.tenancy import Project
from jobs.announce import quiet_until
from jobs.desk import Desk
from jobs.digest_card import compose_digest as compose_digest  # noqa: PLC0414 - part of this module's interface
from jobs.digest_card import view_of as view_of  # noqa: PLC0414
from jobs.digest_owners import OwnerNews, owner_news
from storage import job_run, publication
from storage.database import Tx
from storage.project import get_policy, get_project, list_projects
from storage.slack import Route, channels_for

log = structlog.get_logger(__name__)

JOB = "digest-post"
LATE = timedelta(hours=6)
"""A digest that could not be posted within this is left to the next day."""


def post_due_digests(desk: Desk) -> int:
    """Ask for every digest whose hour has come; each once, on whatever node. Answers how many."""
    now = desk.now()
    with desk.database.read() as tx:
        due = [
            one for project in list_projects(tx) for one in _due_in(tx, project, now) if not _asked(tx, one)
        ]
    posted = sum(_ask(desk, one) for one in due)
    if posted:
        desk.dispatch.wake("publish")
    return posted


def post_digest(desk: Desk, project_id: int, *, until: datetime) -> int:
    """Post the digest of a project to its channels now; answers to how many."""
    with desk.database.begin() as tx:
        project = get_project(tx, project_id)
        news, now = owner_news(tx, project, until=until), desk.now()
        routes = channels_for(tx, project_id, "digest")
        asked = sum(_want(tx, DueDigest(project, route, until, ""), news, now=now) for route in routes)
    desk.dispatch.wake("publish")
    return asked


@dataclass(frozen=True, slots=True)
class DueDigest:
    """One digest whose hour has come; `day` is the date it is the digest of, by the channel's own clocks."""

    project: Project
    route: Route
    until: datetime
    day: str

    @property
    def period(self) -> str:
        return f"{self.project.id}:{self.route.team}:{self.route.channel}:{self.day}"


def _due_in(tx: Tx, project: Project, now: datetime) -> Iterator[DueDigest]:
    policy = get_policy(tx, project.id)
    for route in channels_for(tx, project.id, "digest", now=now):
        zone = zone_of(route.timezone or policy.timezone)
        until = last_occurrence(clock_time(route.digest_time or policy.digest_time), zone, now)
        if now - until <= LATE:
            yield DueDigest(project, route, until, until.astimezone(zone).date().isoformat())


def _asked(tx: Tx, due: DueDigest) -> bool:
    return job_run.finished(tx, JOB, due.period)


def _ask(desk: Desk, due: DueDigest) -> bool:
    """Claim the day and ask for the message in one transaction; whoever is second finds it done."""
    now = desk.now()
    with desk.database.read() as tx:
        wanted = not (due.route.silent_when_quiet and _quiet(tx, due))
        policy = get_policy(tx, due.project.id)
        news = owner_news(tx, due.project, until=due.until) if wanted else []
    with desk.database.begin() as tx:
        if not job_run.claim(tx, JOB, due.period, now=now, lease_until=now):
            return False
        job_run.finish(tx, JOB, due.period, now=now)
        return wanted and _want(tx, due, news, now=now, due_at=quiet_until(policy, now))


def _quiet(tx: Tx, due: DueDigest) -> bool:
    return compose_digest(tx, due.project, until=due.until, route=due.route).quiet


def _want(
    tx: Tx, due: DueDigest, news: Sequence[OwnerNews], *, now: datetime, due_at: datetime | None = None
) -> bool:
    """Ask for the message and, in its thread, for each owner's slice of it."""
    project, route = due.project, due.route
    key = f"digest:{project.id}:{route.team}:{route.channel}:{due.until.isoformat()}"
    want = partial(
        publication.want,
        tx,
        project_id=project.id,
        subject=project.id,
        team=route.team,
        channel=route.channel,
        now=now,
        due_at=due_at,
    )
    new = want(key=key, kind="digest", payload={"until": due.until.isoformat()})
    for one in news if new else ():
        want(key=f"note:{key}:{one.owner}", kind="note", parent=key, payload=one.payload())
    return new
