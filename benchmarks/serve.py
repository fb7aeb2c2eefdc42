"""How fast a real server answers CI and Slack over HTTP, beside the floor: one durable insert behind bare Starlette.

Run `python benchmarks/serve.py` (about two minutes) or with `--quick`. Both servers run as processes of their own on
loopback, each with one worker and SQLite with synchronous=FULL; every round asks both in turn. `--database URL` puts
FlakeGuard on PostgreSQL. Times are of the client, in milliseconds.
"""

import argparse
import asyncio
import hashlib
import hmac
import os
import secrets
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

HERE = Path(__file__).resolve()
ADMIN, SECRET, REPO = secrets.token_hex(16), secrets.token_hex(16), "acme/bench"
Ask = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]


# The floor, and a Slack that says yes to everything


def floor(file: str) -> Starlette:
    """Keeps every body in one SQLite file before it answers; nobody can promise as much with less."""
    db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE IF NOT EXISTS body (id INTEGER PRIMARY KEY, data BLOB)")

    async def keep(request):
        db.execute("INSERT INTO body (data) VALUES (?)", (await request.body(),))
        return JSONResponse({"ok": True}, status_code=201)

    async def slack(_request):
        return JSONResponse({"ok": True, "team_id": "T1", "user_id": "UBOT", "bot_id": "B1", "ts": "1.2"})

    return Starlette(
        routes=[Route("/keep", keep, methods=["POST"]), Route("/slack/{method}", slack, methods=["POST"])]
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return made.getsockname()[1]


@contextmanager
def running(command: list[str], url: str, **environment: str) -> Iterator[None]:
    """A process, from its first answer to its clean end."""
    child = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)  # noqa: TID251 - the environment goes on to the server
    try:
        for _ in range(300):
            try:
                httpx.get(url, timeout=1)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(20)


# What is asked


@dataclass
class Bench:
    """Both servers and what is needed to speak to them."""

    url: str
    floor_url: str
    token: str
    reader: str
    sent: int = 0

    def upload(self, tests: int) -> Ask:
        async def ask(client: httpx.AsyncClient, number: int) -> httpx.Response:
            query = {"run_id": f"{tests}-{number}", "commit": f"c{number}", "branch": "main"}
            return await client.post(
                f"{self.url}/api/v1/ingestion/junit",
                params=query,
                content=report(tests, number),
                headers=bearer(self.token),
            )

        return ask

    def keep(self, tests: int) -> Ask:
        async def ask(client: httpx.AsyncClient, number: int) -> httpx.Response:
            return await client.post(f"{self.floor_url}/keep", content=report(tests, number))

        return ask

    async def summary(self, client: httpx.AsyncClient, number: int) -> httpx.Response:
        body = {"run_id": f"s{number}", "status": "passed", "duration_ms": 5}
        return await client.post(f"{self.url}/api/v1/ingestion/runs", json=body, headers=bearer(self.token))

    async def quarantine(self, client: httpx.AsyncClient, _number: int) -> httpx.Response:
        return await client.get(f"{self.url}/api/v1/quarantine", headers=bearer(self.reader))

    async def command(self, client: httpx.AsyncClient, number: int) -> httpx.Response:
        body = urlencode(
            {
                "command": "/flakeguard",
                "text": "help",
                "team_id": "T1",
                "user_id": "U1",
                "channel_id": "C1",
                "trigger_id": f"1.{number}",
                "response_url": "https://hooks.slack.com/commands/x",
            }
        )
        stamp = str(int(datetime.now(UTC).timestamp()))  # noqa: TID251 - Slack signs the real time
        mark = hmac.new(SECRET.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={mark}",
        }
        return await client.post(f"{self.url}/slack/events", content=body, headers=headers)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def report(tests: int, number: int) -> bytes:
    """A green report, but for one test that fails in every tenth run."""
    cases = "".join(
        f'<testcase classname="pkg.module_{n // 20}" name="test_{n}" time="0.0{n % 9}"/>'
        for n in range(1, tests)
    )
    failure = '<failure message="TimeoutError: late"/>' if number % 10 == 0 else ""
    first = f'<testcase classname="pkg.module_0" name="test_0" time="0.1">{failure}</testcase>'
    return f'<testsuite name="pytest">{first}{cases}</testsuite>'.encode()


# Measuring


async def closed(ask: Ask, *, count: int, clients: int, first: int) -> tuple[float, list[float]]:
    """So many clients, each asking again as soon as it is answered: requests a second, and times."""
    taken: list[float] = []
    numbers = iter(range(first, first + count))

    async def client() -> None:
        async with httpx.AsyncClient(timeout=30) as http:
            for number in numbers:
                began = time.perf_counter()
                answer = await ask(http, number)
                assert answer.status_code in {200, 201, 304}, answer.text
                taken.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return count / (time.perf_counter() - began), taken


async def steady(ask: Ask, *, rate: float, seconds: float, first: int) -> tuple[list[float], int]:
    """Requests that come at their own pace, whether the last is answered or not: times, and how many were put off."""
    taken: list[float] = []
    put_off = 0
    async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=100)) as http:

        async def one(number: int) -> None:
            nonlocal put_off
            began = time.perf_counter()
            answer = await ask(http, number)
            assert answer.status_code in {200, 201, 503}, answer.text
            put_off += answer.status_code == 503
            taken.append(time.perf_counter() - began)

        began, waiting = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            waiting.append(asyncio.create_task(one(first + number)))
        await asyncio.gather(*waiting)
    return taken, put_off


def told(title: str, taken: list[float], rate: float | None = None) -> None:
    times = sorted(taken)
    p50, p95, p99 = (times[min(len(times) - 1, int(len(times) * part))] * 1000 for part in (0.5, 0.95, 0.99))
    speed = f"{rate:8.0f}/s" if rate else " " * 10
    print(f"  {title:<44}{speed}   p50 {p50:6.1f}   p95 {p95:6.1f}   p99 {p99:6.1f} ms")


async def measure(bench: Bench, *, quick: bool) -> None:
    rounds, count = (2, 150) if quick else (5, 300)
    asked: dict[str, tuple[Ask, int]] = {
        "floor: one insert": (bench.keep(5), 8),
        "upload of 5 tests": (bench.upload(5), 8),
        "upload of 5 tests, one client": (bench.upload(5), 1),
        "upload of 200 tests": (bench.upload(200), 8),
        "run without a report": (bench.summary, 8),
        "quarantine list": (bench.quarantine, 8),
        "Slack command, acknowledged": (bench.command, 4),
    }
    rates: dict[str, list[float]] = {name: [] for name in asked}
    times: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(rounds):
        for name, (ask, clients) in asked.items():
            rate, taken = await closed(ask, count=count, clients=clients, first=bench.sent)
            bench.sent += count
            rates[name].append(rate)
            times[name] += taken
    print(f"\nas fast as they are answered, median rate of {rounds} rounds of {count}")
    for name in asked:
        told(name, times[name], statistics.median(rates[name]))
    seconds = 5 if quick else 20
    taken, put_off = await steady(bench.upload(200), rate=40, seconds=seconds, first=bench.sent)
    print(
        f"\n40 uploads of 200 tests a second for {seconds} s: {put_off} of {len(taken)} asked to come again (503)"
    )
    told("upload of 200 tests", taken)


def prepared(url: str, floor_url: str) -> Bench:
    """A project with tokens, made through the API."""
    with httpx.Client(base_url=f"{url}/api/v1", headers=bearer(ADMIN), timeout=30) as http:
        http.post("/projects", json={"repo": REPO}).raise_for_status()
        tokens = [
            http.post("/tokens", json={"project": REPO, "scope": scope}).raise_for_status().json()["token"]
            for scope in ("ingest:trunk", "read")
        ]
    return Bench(url, floor_url, *tokens)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="fewer rounds")
    options.add_argument("--database", default="", help="FlakeGuard's database; an SQLite file without")
    options.add_argument("--floor", nargs=2, metavar=("FILE", "PORT"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.floor:
        uvicorn.run(floor(chosen.floor[0]), port=int(chosen.floor[1]), log_level="error")
        return
    with tempfile.TemporaryDirectory() as folder:
        port, low = free_port(), free_port()
        url, floor_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{low}"
        environment = {
            "FLAKEGUARD_DATABASE_URL": chosen.database or f"sqlite:///{folder}/flakeguard.db",
            "FLAKEGUARD_ADMIN_TOKEN": ADMIN,
            "FLAKEGUARD_BASE_URL": url,
            "FLAKEGUARD_LOG_LEVEL": "ERROR",
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_BOT_TOKEN": "xoxb-1-1-bench",
            "SLACK_API_URL": f"{floor_url}/slack/",
        }
        flakeguard = [str(Path(sys.executable).with_name("flakeguard")), "serve", "--port", str(port)]
        lowest = [sys.executable, str(HERE), "--floor", f"{folder}/floor.db", str(low)]
        with running(lowest, floor_url), running(flakeguard, f"{url}/health/ready", **environment):
            asyncio.run(measure(prepared(url, floor_url), quick=chosen.quick))


if __name__ == "__main__":
    main()
