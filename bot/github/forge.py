"""GitHub as the jobs see it: the Forge of jobs.forge, spoken over REST."""

import base64
import binascii
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import quote

from bot.github.artifacts import Downloads, location_of
from bot.github.auth import AppIdentity
from bot.github.checks import check_body
from bot.github.client import GitHubClient
from bot.github.config import GitHubConfig
from bot.github.transport import Transport
from bot.settings import Settings
from core.errors import ForgeError
from core.github import fields
from core.github.artifact import Artifact, read_artifact
from core.github.check import CheckReport
from core.github.repository import (
    Installation,
    Repository,
    RepositoryRef,
    read_installation,
    read_repository,
)
from core.github.workflow import Pull, WorkflowRun, read_pulls, read_workflow_run
from jobs.forge import CheckRef, ForgeDelivery, MissingError

_WRITERS = frozenset({"admin", "maintain", "write"})
_LOOK_BACK = 100
_OK = range(200, 300)


class GitHubForge:
    """Every call is bounded and honours GitHub's limits; see jobs.forge.Forge."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        """`now` is the clock."""
        config = GitHubConfig.of(settings)
        self._now = now
        self._config = config
        self.transport = Transport(config, now=now)
        identity = AppIdentity(config.app_id, settings.private_key_pem(), now=now)
        self.client = GitHubClient(self.transport, identity, now=now)
        self.downloads = Downloads(config, self.transport.http)

    def close(self) -> None:
        """Give back the connections."""
        self.transport.close()

    @property
    def app_id(self) -> int | None:
        """Our App's id, by which our own echoes are known."""
        return int(self._config.app_id) if self._config.app_id.isdecimal() else None

    def run_attempt(self, repo: RepositoryRef, run_id: int, attempt: int | None = None) -> WorkflowRun:
        """One attempt of a run, or the newest."""
        suffix = f"/attempts/{attempt}" if attempt else ""
        path = f"{_path(repo)}/actions/runs/{run_id}{suffix}"
        return read_workflow_run(self.client.get(repo.installation_id, path).data())

    def runs(self, repo: RepositoryRef, since: datetime, until: datetime) -> Iterator[WorkflowRun]:
        """Completed runs created in the window (at most 1,000: keep windows small)."""
        params = {"status": "completed", "created": f"{_iso(since)}..{_iso(until)}"}
        for reply in self.client.pages(repo.installation_id, f"{_path(repo)}/actions/runs", params):
            yield from (read_workflow_run(item) for item in fields.rows(reply.data(), "workflow_runs"))

    def artifacts(self, repo: RepositoryRef, run_id: int) -> list[Artifact]:
        """All artifacts of a run, of every attempt."""
        path = f"{_path(repo)}/actions/runs/{run_id}/artifacts"
        pages = self.client.pages(repo.installation_id, path)
        return [read_artifact(item) for reply in pages for item in fields.rows(reply.data(), "artifacts")]

    def download(self, repo: RepositoryRef, artifact: Artifact) -> AbstractContextManager[BinaryIO]:
        """The artifact's bytes as a temporary file, its digest verified."""
        return self.downloads.open(artifact, lambda: self._blob_address(repo, artifact))

    def _blob_address(self, repo: RepositoryRef, artifact: Artifact) -> str:
        path = f"{_path(repo)}/actions/artifacts/{artifact.id}/zip"
        reply = self.client.as_installation(repo.installation_id, "GET", path)
        location = reply.headers.get("location", "")
        if reply.status != 302 or not location:  # noqa: PLR2004 - Found
            raise ForgeError("GitHub did not say where the artifact is.")
        return location_of(self._config.api_url + path, location)

    def pulls_of(self, repo: RepositoryRef, commit: str) -> tuple[Pull, ...]:
        """Pull requests this commit belongs to."""
        reply = self.client.get(repo.installation_id, f"{_path(repo)}/commits/{commit}/pulls")
        return read_pulls(reply.data())

    def merge_base(self, repo: RepositoryRef, base: str, head: str) -> str:
        """The commit both come from; empty when the forge does not tell."""
        path = f"{_path(repo)}/compare/{quote(base, safe='')}...{head}"
        reply = self.client.get(repo.installation_id, path, {"per_page": 1})
        return fields.text(reply.data(), "merge_base_commit", "sha")

    def create_check(self, repo: RepositoryRef, report: CheckReport) -> CheckRef:
        """Post a new check run. UnknownOutcomeError when the answer got lost."""
        body = {**check_body(report, now=self._now()), "head_sha": report.head_sha}
        reply = self.client.as_installation(
            repo.installation_id, "POST", f"{_path(repo)}/check-runs", body=body, creates=True
        )
        return _check_ref(reply.data())

    def update_check(self, repo: RepositoryRef, check_id: int, report: CheckReport) -> CheckRef:
        """Bring a check run up to date; its annotations are appended."""
        reply = self.client.as_installation(
            repo.installation_id,
            "PATCH",
            f"{_path(repo)}/check-runs/{check_id}",
            body=check_body(report, now=self._now()),
            # Annotations are appended each time, so a second sending would show them twice.
            creates=bool(report.annotations),
        )
        return _check_ref(reply.data())

    def find_check(self, repo: RepositoryRef, commit: str, name: str) -> CheckRef | None:
        """Our own newest check run of this name on the commit."""
        params: dict[str, Any] = {"check_name": name, "filter": "latest"}
        if self.app_id is not None:
            params["app_id"] = self.app_id
        path = f"{_path(repo)}/commits/{commit}/check-runs"
        # Never from the cache: the point is to see what happened a moment ago.
        reply = self.client.as_installation(repo.installation_id, "GET", path, params=params)
        ours = [one for one in fields.rows(reply.data(), "check_runs") if self._is_ours(one, name)]
        return max((_check_ref(one) for one in ours), key=lambda one: one.id, default=None)

    def _is_ours(self, item: dict[str, Any], name: str) -> bool:
        app_id = fields.number(item, "app", "id")
        return item.get("name") == name and (self.app_id is None or app_id in {None, self.app_id})

    def rerun_failed(self, repo: RepositoryRef, run_id: int) -> None:
        """Run the failed jobs of a run again."""
        path = f"{_path(repo)}/actions/runs/{run_id}/rerun-failed-jobs"
        self.client.as_installation(repo.installation_id, "POST", path, creates=True)

    def may_write(self, repo: RepositoryRef, login: str) -> bool:
        """True when the person may push to the repository."""
        path = f"{_path(repo)}/collaborators/{quote(login, safe='')}/permission"
        try:
            reply = self.client.as_installation(repo.installation_id, "GET", path)
        except MissingError:
            return False
        return fields.text(reply.data(), "permission") in _WRITERS

    def comment(
        self, repo: RepositoryRef, pull: int, body: str, *, comment_id: int | None, marker: str
    ) -> int:
        """Post or update our one comment of a pull request (found again by its hidden marker)."""
        there = comment_id or self._find_comment(repo, pull, marker)
        path = f"{_path(repo)}/issues"
        if there is not None:
            how: dict[str, Any] = {"method": "PATCH", "path": f"{path}/comments/{there}"}
        else:
            how = {"method": "POST", "path": f"{path}/{pull}/comments", "creates": True}
        reply = self.client.as_installation(repo.installation_id, body={"body": body}, **how)
        return fields.need_number(reply.data(), "id")

    def _find_comment(self, repo: RepositoryRef, pull: int, marker: str) -> int | None:
        path = f"{_path(repo)}/issues/{pull}/comments"
        for reply in self.client.pages(repo.installation_id, path):
            for item in fields.rows({"items": reply.data()}, "items"):
                by_app = fields.number(item, "performed_via_github_app", "id")
                if marker in str(item.get("body")) and by_app == self.app_id:  # anybody may copy a marker
                    return fields.number(item, "id")
        return None

    def repository(self, repo: RepositoryRef) -> Repository:
        """The repository as it is called now."""
        return read_repository(self.client.get(repo.installation_id, _path(repo)).data())

    def file(self, repo: RepositoryRef, path: str, ref: str = "") -> bytes | None:
        """A small file of the repository, or None when there is none."""
        address = f"{_path(repo)}/contents/{quote(path)}"
        try:
            data = self.client.get(repo.installation_id, address, {"ref": ref} if ref else None).data()
        except MissingError:
            return None
        content = fields.dig(data, "content")
        try:
            return base64.b64decode(content) if isinstance(content, str) else None
        except binascii.Error:
            return None

    def installations(self) -> Iterator[Installation]:
        """Every account our App is installed in."""
        for reply in self.client.app_pages("/app/installations"):
            yield from (read_installation(item) for item in fields.rows({"items": reply.data()}, "items"))

    def repositories(self, installation_id: int) -> Iterator[Repository]:
        """Every repository an installation may see."""
        for reply in self.client.pages(installation_id, "/installation/repositories"):
            yield from (read_repository(item) for item in fields.rows(reply.data(), "repositories"))

    def deliveries(self, since: datetime) -> Iterator[ForgeDelivery]:
        """Webhook deliveries since then, newest first."""
        for reply in self.client.app_pages("/app/hook/deliveries"):
            for item in fields.rows({"items": reply.data()}, "items"):
                delivery = _delivery(item)
                if delivery.delivered_at is not None and delivery.delivered_at < since:
                    return
                yield delivery

    def delivery_payload(self, delivery_id: int) -> tuple[str, dict[str, Any]]:
        """(event, payload) of a delivery, to be replayed here."""
        data = self.client.as_app("GET", f"/app/hook/deliveries/{delivery_id}").data()
        payload = fields.dig(data, "request", "payload")
        if not isinstance(payload, dict):
            raise fields.PayloadError("GitHub no longer has the delivery's payload.")
        return fields.text(data, "event", limit=40), payload

    def ping(self) -> str:
        """The App's name, when key and address are right."""
        return fields.text(self.client.as_app("GET", "/app").data(), "name")


def _path(repo: RepositoryRef) -> str:
    return f"/repos/{repo.full_name}"


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _check_ref(data: object) -> CheckRef:
    return CheckRef(
        id=fields.need_number(data, "id"),
        external_id=fields.text(data, "external_id"),
        annotations=fields.number(data, "output", "annotations_count") or 0,
    )


def _delivery(item: dict[str, Any]) -> ForgeDelivery:
    status = item.get("status_code")
    return ForgeDelivery(
        id=fields.need_number(item, "id"),
        guid=fields.text(item, "guid", limit=80),
        event=fields.text(item, "event", limit=40),
        action=fields.text(item, "action", limit=40),
        delivered_at=fields.moment(item, "delivered_at"),
        arrived=isinstance(status, int) and status in _OK,
    )
