"""The composition root: the one place where everything is built, for the server, workers, demo and tests alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from fastapi import FastAPI

from bot.github.forge import GitHubForge
from bot.github.router import github_router
from bot.http.app import http_app
from bot.http.metrics import Metrics
from bot.settings import Settings
from bot.slack.chat import SlackChat
from bot.slack.face import SlackFace, slack_face
from bot.vault import Vault
from bot.web import web_pages
from bot.webhooks.courier import WebhookCourier
from jobs.chat import Chat
from jobs.checks import publish_checks
from jobs.crew import Crew
from jobs.desk import Desk
from jobs.dispatch import Loops
from jobs.forge import Forge
from jobs.publish import publish_due
from jobs.receive import sweep_inbox
from jobs.schedule import start_timetable
from jobs.timetable import TASKS
from storage.database import Database

Now = Callable[[], datetime]
GRACE = 3.0
"""Seconds that webhooks on the way get; what they are cut off from is sent again."""


@dataclass
class App:
    """Everything that runs in one process."""

    settings: Settings
    desk: Desk
    asgi: FastAPI
    loops: Loops
    crew: Crew
    slack: SlackFace | None = None
    timetable: BackgroundScheduler | None = None

    def start(self) -> None:
        """Begin sweeping and ticking; the tables must be up to date."""
        self.loops.start()
        if self.settings.scheduler:
            self.timetable = start_timetable(self.desk, TASKS)

    def stop(self) -> None:
        """Finish what is being done, then let go of everything."""
        if self.timetable is not None:
            self.timetable.shutdown(wait=True)
        self.loops.stop()
        self.crew.rest(GRACE)
        self.desk.database.close()


def build(settings: Settings, *, now: Now, chat: Chat | None = None, forge: Forge | None = None) -> App:
    """Wire the whole program; nothing runs yet. `chat` and `forge` replace Slack and GitHub where given."""
    desk, loops = build_desk(settings, now=now, chat=chat, forge=forge)
    metrics = Metrics()
    if Vault(settings).ready:
        courier = WebhookCourier(settings, now, count=lambda how: metrics.webhooks.labels(how).inc())
        desk = replace(desk, courier=courier)
    crew = Crew(desk)
    loops.add("publish", lambda: publish_due(desk))
    loops.add("inbox", lambda: sweep_inbox(desk))
    loops.add("checks", lambda: publish_checks(desk))
    loops.add("webhooks", crew.work)
    face = slack_face(desk, settings) if settings.slack_enabled or settings.slack_signing_secret else None
    asgi = http_app(
        desk,
        settings,
        routers=[github_router(desk, settings)],
        slack=face.asgi if face else None,
        pages=web_pages if settings.web else None,
        checks=deep_checks(desk),
        metrics=metrics,
    )
    return App(settings=settings, desk=desk, asgi=asgi, loops=loops, crew=crew, slack=face)


def build_desk(
    settings: Settings, *, now: Now, chat: Chat | None = None, forge: Forge | None = None
) -> tuple[Desk, Loops]:
    """The desk alone, for the command line, and the loops that would serve it."""
    loops = Loops()
    database = Database.open(settings.database_url, read_url=settings.read_database_url)
    desk = Desk(
        database=database,
        now=now,
        forge=forge or (GitHubForge(settings, now) if settings.github_enabled else None),
        dispatch=loops,
        base_url=settings.base_url,
        keep_results=timedelta(days=settings.retention_days),
        lease=timedelta(seconds=settings.lease_seconds),
    )
    if chat is None and settings.slack_enabled:
        chat = SlackChat(settings, database)
    return replace(desk, chat=chat), loops


def deep_checks(desk: Desk) -> Mapping[str, Callable[[], str]]:
    """What /health/deep asks beside the database."""
    checks: dict[str, Callable[[], str]] = {}
    if desk.forge is not None:
        checks["github"] = desk.forge.ping
    if isinstance(desk.chat, SlackChat):
        checks["slack"] = desk.chat.ping
    return checks
