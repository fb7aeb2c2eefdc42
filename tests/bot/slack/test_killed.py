"""SLACK.md §7 point 7: killed ten times while posting, before and after the effect; each message appears once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes.slack import Channel
from fakes.slack_office import SETUP, make_flaky, now, settings_for
from fakes.slack_people import SECRET

from bot.app import build_desk
from jobs.enroll import enroll_project
from jobs.subscribe import subscribe
from storage.slack import Route

ROOT = Path(__file__).parents[3]
KILLS = 10


class Process:
    """The real server in a process of its own."""

    def __init__(self, slack, database_url):
        environment = {
            "PATH": os.defpath,
            "FLAKEGUARD_DATABASE_URL": database_url,
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": SECRET,
            "FLAKEGUARD_SCHEDULER": "false",
        }
        command = [sys.executable, "-m", "bot", "serve", "--port", "0"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def desk(slack, sqlite_url):
    """Jobs without a server: what they ask to be said waits for one."""
    desk, _ = build_desk(settings_for(slack, sqlite_url), now=now)
    yield desk
    desk.database.close()


@pytest.mark.slow
def test_point_07_killed_ten_times_while_posting_each_message_appears_exactly_once(slack, sqlite_url, desk):
    for number in range(KILLS):
        slack.channels[f"C0{number}"] = Channel(f"C0{number}")
        project = enroll_project(desk, f"acme/service-{number}", by=SETUP)
        subscribe(desk, Route(project.id, "", f"C0{number}"), by=SETUP)

    for number in range(KILLS):
        slack.heal()
        slack.fails("chat.postMessage", "hang_after" if number % 2 else "hang", times=1, seconds=60)
        before = len(slack.called("chat.postMessage"))
        make_flaky(desk, number + 1, "test_redirect", runs=6)
        server = Process(slack, sqlite_url)
        slack.until(lambda before=before: len(slack.called("chat.postMessage")) > before, 40)
        server.kill()

    slack.heal()
    last = Process(slack, sqlite_url)
    slack.until(lambda: all(slack.messages(f"C0{number}") for number in range(KILLS)), 90)
    time.sleep(3)
    last.stop()

    assert [len(slack.messages(f"C0{number}")) for number in range(KILLS)] == [1] * KILLS
