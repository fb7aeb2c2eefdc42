"""The set-up examined: one line for each thing that works, is switched off, or is wrong - and what to do."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from bot.settings import Settings
from bot.vault import Vault
from bot.webhooks.reach import OWN
from core.errors import FlakeGuardError
from storage.database import Database
from storage.endpoint import Endpoint, list_endpoints
from storage.project import list_projects

LOW_DISK = 2**30
"""Bytes free below which the disk is reported."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding."""

    name: str
    state: Literal["ok", "off", "warning", "wrong"]
    detail: str

    @property
    def bad(self) -> bool:
        return self.state == "wrong"

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def examine(load: Callable[[], Settings]) -> list[Check]:
    """Every finding; settings that cannot be read end the examination."""
    try:
        settings = load()
    except FlakeGuardError as error:
        complaints = error.message.splitlines()
        return [Check("settings", "wrong", line.strip()) for line in complaints[1:] or complaints]
    return [Check("settings", "ok", "read"), *_database(settings), *_faces(settings)]


def _database(settings: Settings) -> Iterator[Check]:
    try:
        database = Database.open(settings.database_url, read_url=settings.read_database_url)
        database.ping()
    except FlakeGuardError as error:
        yield Check("database", "wrong", " ".join(str(error.details.get("reason") or error).split()))
        return
    yield Check("database", "ok", f"{database.dialect} answers")
    yield from _schema(settings, database)
    yield from _disk(settings, database)
    database.close()


def _schema(settings: Settings, database: Database) -> Iterator[Check]:
    try:
        if not database.migrated():
            yield Check(
                "schema", "warning", "not up to date; `flakeguard migrate` (`serve` does it by itself)"
            )
            return
        with database.read() as tx:
            projects, endpoints = len(list_projects(tx)), list_endpoints(tx)
    except FlakeGuardError as error:
        yield Check("schema", "wrong", error.message)
        return
    yield Check("schema", "ok", "up to date")
    if projects:
        yield Check("projects", "ok", f"{projects} known")
    else:
        yield Check("projects", "warning", "none yet; `flakeguard project create OWNER/NAME`")
    yield _webhooks(settings, endpoints)


def _webhooks(settings: Settings, endpoints: Sequence[Endpoint]) -> Check:
    if not endpoints:
        return Check("webhooks", "off", "no endpoint; `flakeguard webhooks create URL --project OWNER/NAME`")
    vault = Vault(settings)
    if not vault.ready:
        return Check("webhooks", "wrong", "FLAKEGUARD_SECRET_KEY is not set; nothing is sent")
    if sealed := [one.id for one in endpoints if vault.open(one.secret) is None]:
        return Check("webhooks", "wrong", _each(sealed, "has a secret of another key", "rotate ID"))
    if silent := [one.id for one in endpoints if one.off in {"gone", "failing"}]:
        return Check("webhooks", "warning", _each(silent, "was switched off by its failures", "enable ID"))
    if failing := [one.id for one in endpoints if one.failing_since and not one.off]:
        return Check("webhooks", "warning", _each(failing, "does not answer well", "show ID"))
    return Check("webhooks", "ok", f"{len(endpoints)} known")


def _each(numbers: Sequence[int], what: str, remedy: str) -> str:
    return f"number {', '.join(map(str, numbers))} {what}; `flakeguard webhooks {remedy}`"


def _disk(settings: Settings, database: Database) -> Iterator[Check]:
    if database.dialect != "sqlite":
        return
    place = Path(urlsplit(settings.database_url).path.lstrip("/") or ".").resolve().parent
    if place.is_dir():
        free = shutil.disk_usage(place).free
        state: Literal["ok", "warning"] = "ok" if free > LOW_DISK else "warning"
        yield Check("disk", state, f"{free / 2**30:.1f} GiB free")


def _faces(settings: Settings) -> Iterator[Check]:
    yield _slack(settings)
    yield _github(settings)
    local = urlsplit(settings.base_url).hostname in OWN
    told = "is this machine's own; links in Slack work nowhere else" if local else "is used for links"
    yield Check("base url", "warning" if local else "ok", f"{settings.base_url} {told}")
    if settings.admin_token:
        yield Check("admin token", "ok", "organizations, projects and tokens can be made over HTTP")
    else:
        yield Check("admin token", "off", "FLAKEGUARD_ADMIN_TOKEN is not set; the command line makes tokens")


def _slack(settings: Settings) -> Check:
    if not settings.slack_enabled:
        return Check("slack", "off", "SLACK_BOT_TOKEN is not set")
    if settings.slack_app_token:
        return Check("slack", "ok", "Socket Mode")
    if settings.slack_signing_secret:
        return Check("slack", "ok", f"HTTP; request URL {settings.base_url}/slack/events")
    return Check(
        "slack", "wrong", "neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set"
    )


def _github(settings: Settings) -> Check:
    if not settings.github_enabled:
        return Check("github", "off", "GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY are not set")
    try:
        settings.private_key_pem()
    except (FlakeGuardError, OSError) as error:
        return Check("github", "wrong", str(error))
    if not settings.github_webhook_secret:
        return Check("github", "wrong", "GITHUB_WEBHOOK_SECRET is not set; webhooks are refused")
    return Check(
        "github", "ok", f"App {settings.github_app_id}; webhooks at {settings.base_url}/github/webhooks"
    )
