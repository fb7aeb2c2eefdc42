"""A whole FlakeGuard beside a fake GitHub: a server that takes webhooks, and the sweeps run by hand."""

import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import uvicorn
from fakes.github import FakeGitHub
from fastapi import FastAPI

from bot.github.forge import GitHubForge
from bot.github.router import github_router
from bot.settings import Settings
from core.github.repository import RepositoryRef
from jobs.checks import publish_checks
from jobs.desk import Desk
from jobs.reconcile import heal_deliveries, reconcile_runs, sweep_inbox
from storage.project import find_project_by_github_id

PASS = "<testcase classname='t.Suite' name='{name}' time='0.01'/>"
FAIL = "<testcase classname='t.Suite' name='{name}' time='0.01'><failure message='{message}'/></testcase>"


def junit(passed=(), failed=(), message="boom", file=""):
    """A small JUnit report."""
    where = f" file='{file}'" if file else ""
    cases = [PASS.format(name=name) for name in passed]
    cases += [FAIL.format(name=name, message=message) for name in failed]
    body = "".join(cases).replace("<testcase ", f"<testcase{where} ")
    return f"<testsuites><testsuite name='t' tests='{len(cases)}'>{body}</testsuite></testsuites>"


class Clock:
    """Real time, moved by hand where a test wants it."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead  # noqa: TID251 - the clock itself

    def skip(self, **how):
        self.ahead += timedelta(**how)


class Served:
    """An ASGI application on loopback."""

    def __init__(self, asgi):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(asgi, log_level="error", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.005)

    def close(self):
        self.server.should_exit = True
        self.thread.join(5)
        self.socket.close()


class World:
    """`world.github` tells, `world.works()` lets FlakeGuard work until nothing is due."""

    def __init__(self, database, **settings):
        self.now = Clock()
        self.github = FakeGitHub(now=self.now)
        self.settings = Settings(_env_file=None, **self.github.settings(**settings))
        self.database = database
        self.forge = GitHubForge(self.settings, self.now)
        self.naps = []
        self.forge.transport._sleep = self.naps.append
        self.desk = Desk(database=database, now=self.now, forge=self.forge, base_url="http://fg.test")
        app = FastAPI()
        app.include_router(github_router(self.desk, self.settings))
        self.served = Served(app)
        self.github.target = self.served.url

    def close(self):
        self.served.close()
        self.forge.close()
        self.github.close()

    def works(self, *, patience=6):
        """Sweep, skipping short waits, until nothing is due."""
        for _ in range(patience):
            while sweep_inbox(self.desk) + publish_checks(self.desk):
                pass
            self.now.skip(seconds=61)

    def works_now(self):
        """Sweep what is due at this moment."""
        while sweep_inbox(self.desk) + publish_checks(self.desk):
            pass

    def heals(self):
        healed = heal_deliveries(self.desk)
        self.works()
        return healed

    def reconciles(self):
        found = reconcile_runs(self.desk)
        self.works()
        return found

    def ref(self, repo):
        return RepositoryRef(repo["_installation"], repo["id"], repo["full_name"])

    def project(self, repo):
        with self.database.read() as tx:
            return find_project_by_github_id(tx, repo["id"])

    def read(self, question, *args, **how):
        with self.database.read() as tx:
            return question(tx, *args, **how)
