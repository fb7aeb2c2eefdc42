"""The demo's own server: the real one, as a process of its own, on embedded SQLite in a temporary folder."""

import secrets
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bot.settings import environment
from core.errors import ProcessingError

READY_WITHIN = 30.0


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def front_door() -> list[str]:
    """How this very FlakeGuard is started, from a checkout or an installed wheel."""
    return [sys.executable, "-c", "import sys, flakeguard; sys.exit(flakeguard.main())"]


@dataclass
class DemoServer:
    """A running `flakeguard serve` and its secrets, all made for this demo."""

    folder: Path
    slack_api: str
    admin: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    signing: str = field(default_factory=lambda: secrets.token_hex(16))
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What server and command line read; nothing of the user's own set-up gets in."""
        ours = ("FLAKEGUARD_", "SLACK_", "GITHUB_", "REDIS_", "PYTEST_", "CI")
        kept = {name: value for name, value in environment().items() if not name.startswith(ours)}
        return kept | {
            "FLAKEGUARD_DATABASE_URL": f"sqlite:///{self.folder / 'demo.db'}",
            "FLAKEGUARD_BASE_URL": self.url,
            "FLAKEGUARD_ADMIN_TOKEN": self.admin,
            "FLAKEGUARD_LOG_LEVEL": "INFO",
            "SLACK_BOT_TOKEN": "xoxb-demo",
            "SLACK_SIGNING_SECRET": self.signing,
            "SLACK_API_URL": self.slack_api,
        }

    def start(self) -> None:
        """Start it and wait until it is ready; ProcessingError with its last words if it is not in time."""
        log = (self.folder / "server.log").open("wb")
        command = [*front_door(), "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=self.folder, env=self.environment, stdout=log, stderr=log
        )
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=2).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        words = (self.folder / "server.log").read_text(errors="replace")[-2000:]
        self.stop()
        raise ProcessingError(f"The server did not start. Its last words:\n{words}")

    def stop(self) -> None:
        """SIGTERM, as an operator would."""
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line, on the server's database."""
        return subprocess.run(  # noqa: S603 - our own program
            [*front_door(), *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
