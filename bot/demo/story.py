"""The demo's story, told step by step; each step is checked, and the exit code is 0 only if every one held."""

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bot.demo import draw
from bot.demo.history import BROKEN, FLAKY, DemoRun, again, check_out, planned, run_tests
from bot.demo.room import CHANNEL, TEAM, Room
from bot.demo.server import DemoServer
from bot.demo.slack_person import SlackPerson
from core.errors import ProcessingError

REPO = "demo/shop"
ALICE = "U0ALICE"
POSTED_WITHIN = 20.0
PROPOSAL_OF = "Quarantine "
DONE = "[bold green]✓[/]"


@dataclass
class Story:
    """Everything the steps share."""

    console: Console
    folder: Path
    room: Room
    server: DemoServer
    now: datetime
    ask: bool
    """Let the person at the terminal decide; otherwise the demo approves by itself."""
    tokens: dict[str, str] = field(default_factory=dict)
    reports: dict[str, tuple[Path, int]] = field(default_factory=dict)

    @property
    def alice(self) -> SlackPerson:
        return SlackPerson(ALICE, "alice", self.server.url, self.server.signing)

    def step(self, number: int, title: str) -> None:
        """Say what comes next."""
        self.console.print(f"\n[bold cyan]{number}/7[/] [bold]{title}[/]")

    def done(self, text: str) -> None:
        """Say what held."""
        self.console.print(f"    {DONE} {text}")

    def get(self, path: str, **query: str | int) -> Any:
        """Read from the API with the demo's read token."""
        headers = {"Authorization": f"Bearer {self.tokens['read']}"}
        answer = httpx.get(f"{self.server.url}/api/v1{path}", params=query, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()


def check(holds: object, otherwise: str) -> None:
    """The demo fails, loudly, when a step did not hold."""
    if not holds:
        raise ProcessingError(otherwise)


def run_demo(*, now: datetime, console: Console | None = None, ask: bool | None = None) -> None:
    """Tell the whole story. ProcessingError names the first step that did not hold."""
    console = console or Console(width=100 if not sys.stdout.isatty() else None)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="flakeguard-demo-") as name, _room() as (room, address):
        server = DemoServer(Path(name), slack_api=address)
        interactive = sys.stdin.isatty() and sys.stdout.isatty() if ask is None else ask
        story = Story(console, Path(name), room, server, now, interactive)
        story.step(1, "A FlakeGuard server on embedded SQLite, and a Slack room to talk in")
        server.start()
        try:
            for tell in (_set_up, _past, _findings, _gate_before, _decide, _gate_after, _end):
                tell(story)
            console.print(f"\n[bold green]Every step held[/] in {time.monotonic() - began:.0f} s.")
            _farewell(story)
        finally:
            server.stop()


@contextlib.contextmanager
def _room() -> Iterator[tuple[Room, str]]:
    room = Room()
    address = room.open()
    try:
        yield room, address
    finally:
        room.close()


def _set_up(story: Story) -> None:
    server = story.server
    story.done(f"serving {server.url} (database, log and reports in a temporary folder)")
    _cli(story, "project", "create", REPO, "--channel", f"{TEAM}/{CHANNEL}")
    _cli(story, "approver", "add", REPO, ALICE, "--role", "approver")
    for kind, scope in (("ingest", "ingest:trunk"), ("read", "read")):
        story.tokens[kind] = _cli(story, "token", "create", REPO, "--scope", scope)["token"]
    story.done(f"project {REPO}, an upload token, and alice, who may approve")


def _cli(story: Story, *arguments: str) -> dict[str, Any]:
    done = story.server.run(*arguments, "--json")
    check(done.returncode == 0, f"flakeguard {' '.join(arguments)} failed: {done.stderr}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _past(story: Story) -> None:
    story.step(2, "Fourteen commits are tested with pytest; red runs are run once more, as CI would")
    checkout = check_out(story.folder)
    red = uploads = 0
    runs = planned(story.now)
    for run in track(runs, description="    testing", console=story.console, transient=True):
        _, code = _test(story, checkout, run)
        uploads += 1
        if code:
            red += 1
            _test(story, checkout, again(run))
            uploads += 1
    story.done(f"{uploads} runs of 25 tests uploaded over HTTP; {red} of {len(runs)} commits were red")


def _test(story: Story, checkout: Path, run: DemoRun) -> tuple[dict[str, Any], int]:
    report, code = run_tests(checkout, run, story.server.environment)
    query: dict[str, str | int] = {
        "run_id": run.run_id,
        "attempt": run.attempt,
        "job": "tests",
        "commit": run.commit,
        "branch": run.branch,
        "started_at": run.at.isoformat(),
    }
    answer = httpx.post(
        f"{story.server.url}/api/v1/ingestion/junit",
        params=query,
        content=report.read_bytes(),
        headers={"Authorization": f"Bearer {story.tokens['ingest']}", "Content-Type": "application/xml"},
        timeout=30,
    )
    check(
        answer.status_code == httpx.codes.CREATED,
        f"The upload was answered {answer.status_code}: {answer.text[:300]}",
    )
    return answer.json(), code


def _findings(story: Story) -> None:
    story.step(3, "What FlakeGuard makes of it")
    flaky = story.get("/tests", state="flaky", limit=100)["items"]
    broken = story.get("/tests", state="broken", limit=100)["items"]
    table = Table("test", "verdict", "score", "why", box=None, padding=(0, 2))
    for item in [*flaky, *broken]:
        why = story.get(f"/tests/{item['test_id']}/explain")
        table.add_row(item["name"], item["state"], f"{item['score']:.2f}", str(why["headline"]))
    story.console.print(table)
    names = {item["name"] for item in flaky}
    check(names == FLAKY, f"Flagged {sorted(names)}, but exactly {sorted(FLAKY)} are flaky.")
    check({item["name"] for item in broken} == BROKEN, "The broken test was not recognised.")
    infra = [run for run in story.get("/runs", limit=200)["items"] if run["infra"]]
    check(len(infra) == 1, "The outage was not recognised.")
    story.done("exactly the two flaky tests; the broken one is broken, and nobody is blamed for the outage")


def _gate_before(story: Story) -> None:
    story.step(4, "A pull request that mends the refund meets a flaky test: the gate, before any decision")
    code = _gate(story, attempt=1)
    check(code == 1, f"Before the approval the gate must stay red, but it exited {code}.")
    story.done("the gate keeps the step red (exit code 1)")


def _gate(story: Story, *, attempt: int) -> int:
    """The step of the pull request's CI: pytest has run and failed, the gate decides the exit code."""
    run = DemoRun(PULL_REQUEST_RUN, 1, story.now, branch="fix-refund", pr="7")
    report, code = run_tests(story.folder / "shop", run, story.server.environment)
    check(code == 1, f"The pull request's tests should have met the flaky one, but pytest exited {code}.")
    options = {
        "--junit": report,
        "--exit-code": code,
        "--runner": "pytest",
        "--commit": run.commit,
        "--branch": run.branch,
        "--pr": run.pr,
        "--run-id": run.run_id,
        "--attempt": attempt,
        "--url": story.server.url,
        "--token": story.tokens["ingest"],
    }
    done = story.server.run("gate", *(str(word) for option in options.items() for word in option))
    story.console.print(_indented(done.stdout + done.stderr), style="dim", highlight=False, soft_wrap=True)
    return done.returncode


PULL_REQUEST_RUN = 5
"""In this run's luck the payment is slow and the search is fast."""


def _decide(story: Story) -> None:
    story.step(5, "In Slack, FlakeGuard asks")
    cards = _wait(story, lambda: _waiting(story), wanted=len(FLAKY))
    for card in cards:
        story.console.print(draw.message(card, channel="#ci"))
    if story.ask:
        _let_decide(story)
    for card in cards:
        answer = story.alice.clicks(card, "fg.proposal.approve")
        check(answer.is_success, f"Slack's click was answered {answer.status_code}: {answer.text[:300]}")
    decided = _wait(story, lambda: _titled(story, "Quarantined: "), wanted=len(FLAKY))
    story.console.print(draw.message(decided[0], channel="#ci"))
    story.done("alice clicked (signed as Slack signs); both messages now say so and can no longer be clicked")


def _let_decide(story: Story) -> None:
    story.console.print("\n    You are alice, an approver. [bold]Approve both?[/] \\[Y/n] ", end="")
    if input().strip().lower().startswith("n"):
        raise ProcessingError(
            "You denied; in a workspace the tests would go on blocking merges. End of the demo."
        )


def _waiting(story: Story) -> list[dict[str, Any]]:
    return _titled(story, PROPOSAL_OF)


def _titled(story: Story, start: str) -> list[dict[str, Any]]:
    return [
        card
        for card in story.room.cards()
        if card.get("blocks") and card["blocks"][0].get("text", {}).get("text", "").startswith(start)
    ]


def _wait(story: Story, ask: Callable[[], list[dict[str, Any]]], *, wanted: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + POSTED_WITHIN
    with story.room.changed:
        story.room.changed.wait_for(lambda: len(ask()) >= wanted, timeout=deadline - time.monotonic())
    found = ask()
    check(len(found) == wanted, f"Expected {wanted} messages in the channel, found {len(found)}.")
    return found


def _gate_after(story: Story) -> None:
    story.step(6, "The same pull request again: CI honours the decision")
    code = _gate(story, attempt=2)
    check(code == 0, f"After the approval the gate must be green, but it exited {code}.")
    story.done("the gate turns this step green, for exactly that test and nothing else")


def _end(story: Story) -> None:
    story.step(7, "Every step is in the audit log")
    events = story.get("/audit", limit=50)["items"]
    table = Table("when", "who", "through", "what", "on", box=None, padding=(0, 2))
    for event in reversed(events):
        table.add_row(str(event["at"])[:19], event["actor"], event["via"], event["action"], event["subject"])
    story.console.print(table)
    approved = [event for event in events if event["action"] == "quarantine.approved"]
    check(len(approved) == len(FLAKY), f"{len(approved)} approvals are in the audit log.")
    verified = story.server.run("audit", "verify")
    check(verified.returncode == 0, f"The audit chain is broken: {verified.stdout}{verified.stderr}")
    story.done("the hash chain is whole (`flakeguard audit verify`)")


def _farewell(story: Story) -> None:
    story.console.print(
        f"\n[bold]Next[/]\n"
        f"    API documentation: {story.server.url}/docs while this runs, then at any server's /docs\n"
        "    Your own reports, without a server:  flakeguard parse report.xml\n"
        "    Slack in ten minutes: docs/slack.md · GitHub App: docs/github.md · CI gate: docs/gate.md\n"
        "    A server of your own:  make serve\n"
    )
    if story.ask:
        story.console.print("    The server is still up. Press Enter to end the demo. ", end="")
        input()


def _indented(text: str) -> str:
    return "\n".join(f"    | {line}" for line in text.strip().splitlines())
