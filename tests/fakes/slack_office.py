"""A FlakeGuard with a workspace: the real server over a real socket, the strict stand-in for Slack, and people."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from fakes.slack import FakeSlack
from fakes.slack_people import SECRET, Member
from results import case, run_of

from bot.app import App, build
from bot.serve import _with_life
from bot.settings import Settings
from core.tenancy import Person, Role, Via
from jobs.enroll import enroll_project, give_role
from jobs.ingest import ingest_report
from jobs.subscribe import subscribe
from storage.slack import Route

MODES = ("http", "socket")
"""SLACK.md §7 point 17: the same stories in both modes."""
ALICE, BOB, CAROL, VERA = "U01ALICE", "U02BOB", "U03CAROL", "U04VERA"
SETUP = Person(user="setup", via=Via.CLI)


def now():
    return datetime.now(UTC)  # noqa: TID251 - signatures are fresh by the real clock


def settings_for(slack, database_url, **more):
    values = {
        "database_url": database_url,
        "slack_api_url": slack.api_url,
        "slack_bot_token": slack.bot_token,
        "slack_signing_secret": SECRET,
        "base_url": "https://flakeguard.example.com",
        "scheduler": False,
        "address_rate": "1000000/minute",
        **more,
    }
    return Settings(_env_file=None, **values)


class Clock:
    """The time of day, which a test may move on."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return now() + self.ahead

    def stamp(self):
        return self().timestamp()


class Server:
    """One node: the whole application behind uvicorn in a thread of its own."""

    def __init__(self, settings):
        self.clock = Clock()
        self.app: App = build(settings, now=self.clock)
        config = uvicorn.Config(
            _with_life(self.app), port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self):
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_):
        self._server.should_exit = True
        self._thread.join(15)

    @property
    def desk(self):
        return self.app.desk


@dataclass
class Office:
    """A workspace with a project in trouble."""

    slack: FakeSlack
    server: Server
    project: Any
    wire: Any

    def member(self, user, **more):
        return Member(self.slack, self.wire, user, **more)

    @property
    def alice(self):
        return self.member(ALICE)

    @property
    def bob(self):
        return self.member(BOB)

    @property
    def vera(self):
        return self.member(VERA)

    @property
    def desk(self):
        return self.server.desk

    def fails_now_and_then(self, name="test_redirect", *, runs=14, every=3, message="TimeoutError: 5000 ms"):
        """Results of two weeks in which the test often fails and passes on retry."""
        make_flaky(self.desk, self.project.id, name, runs=runs, every=every, message=message)

    def card(self, words="Quarantine", *, channel="C01CI"):
        """The message whose header holds these words, once it is there."""

        def look():
            return next(
                (
                    one
                    for one in self.slack.messages(channel)
                    if words in one["blocks"][0].get("text", {}).get("text", "")
                ),
                None,
            )

        return self.slack.until(look)


def make_flaky(desk, project_id, name, *, runs=14, every=3, message="TimeoutError: 5000 ms"):
    for number in range(runs):
        at = now() - timedelta(hours=20 * (runs - number))
        outcomes = ("failed", "passed") if every and number % every == 1 else ("passed",)
        cases = [case(name, *outcomes, message=message), *(case(f"steady_{index}") for index in range(30))]
        run = run_of(number, run_id=f"{name}-{number}", commit=f"{number:07x}", at=at, job=name)
        ingest_report(desk, project_id, run, cases)


def make_flaky_together(desk, project_id, names, *, runs=14, every=3):
    """The tests fail and pass on retry in the same runs, each with a text of its own."""
    for number in range(runs):
        bad = number % every == 1
        cases = [
            case(
                name,
                *(("failed", "passed") if bad else ("passed",)),
                message=f"{name} has a reason of its own",
            )
            for name in names
        ]
        cases += [case(f"steady_{index}") for index in range(200)]
        at = now() - timedelta(hours=20 * (runs - number))
        run = run_of(number, run_id=f"all-{number}", commit=f"{number:07x}", at=at, job="all")
        ingest_report(desk, project_id, run, cases)


def furnish(server, *, repo="acme/web", team="", channel="C01CI", organization="default"):
    """A project with two approvers, one admin and a channel."""
    project = enroll_project(server.desk, repo, by=SETUP, organization=organization)
    for user, role in ((ALICE, Role.ADMIN), (BOB, Role.APPROVER), (CAROL, Role.APPROVER)):
        give_role(server.desk, project.id, user, role, by=SETUP)
    subscribe(server.desk, Route(project.id, team, channel), by=SETUP)
    return project
