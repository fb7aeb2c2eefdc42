"""The forge (GitHub) a job acts on, as a Protocol; the wire format lives in bot/github."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from core.errors import ForgeError
from core.github.artifact import Artifact
from core.github.check import CheckReport
from core.github.repository import Installation, Repository, RepositoryRef
from core.github.workflow import Pull, WorkflowRun


@dataclass(frozen=True, slots=True)
class ForgeDelivery:
    """A webhook delivery as the forge remembers it; `arrived` when our server answered it with 2xx."""

    id: int
    guid: str
    event: str
    action: str
    delivered_at: datetime | None
    arrived: bool


@dataclass(frozen=True, slots=True)
class CheckRef:
    """A check run that exists at the forge."""

    id: int
    external_id: str = ""
    annotations: int = 0


class Forge(Protocol):
    """Every call is one piece of work; what comes back too early is raised as WaitError and tried later."""

    @property
    def app_id(self) -> int | None:
        """Our App's id, by which our own echoes are known."""

    def run_attempt(self, repo: RepositoryRef, run_id: int, attempt: int | None = None) -> WorkflowRun:
        """One attempt of a run, or the newest."""

    def runs(self, repo: RepositoryRef, since: datetime, until: datetime) -> Iterator[WorkflowRun]:
        """Completed runs created in the window (at most 1,000: keep windows small)."""

    def artifacts(self, repo: RepositoryRef, run_id: int) -> list[Artifact]:
        """All artifacts of a run, of every attempt."""

    def download(self, repo: RepositoryRef, artifact: Artifact) -> AbstractContextManager[BinaryIO]:
        """The artifact's bytes as a temporary file, its digest verified."""

    def pulls_of(self, repo: RepositoryRef, commit: str) -> tuple[Pull, ...]:
        """Pull requests this commit belongs to."""

    def merge_base(self, repo: RepositoryRef, base: str, head: str) -> str:
        """The commit both come from; empty when the forge does not tell."""

    def create_check(self, repo: RepositoryRef, report: CheckReport) -> CheckRef:
        """Post a new check run. UnknownOutcomeError when the answer got lost."""

    def update_check(self, repo: RepositoryRef, check_id: int, report: CheckReport) -> CheckRef:
        """Bring a check run up to date; its annotations are appended."""

    def find_check(self, repo: RepositoryRef, commit: str, name: str) -> CheckRef | None:
        """Our own newest check run of this name on the commit."""

    def rerun_failed(self, repo: RepositoryRef, run_id: int) -> None:
        """Run the failed jobs of a run again."""

    def may_write(self, repo: RepositoryRef, login: str) -> bool:
        """True when the person may push to the repository."""

    def comment(
        self, repo: RepositoryRef, pull: int, body: str, *, comment_id: int | None, marker: str
    ) -> int:
        """Post or update our one comment of a pull request (found again by its hidden marker)."""

    def repository(self, repo: RepositoryRef) -> Repository:
        """The repository as it is called now."""

    def file(self, repo: RepositoryRef, path: str, ref: str = "") -> bytes | None:
        """A small file of the repository, or None when there is none."""

    def installations(self) -> Iterator[Installation]:
        """Every account our App is installed in."""

    def repositories(self, installation_id: int) -> Iterator[Repository]:
        """Every repository an installation may see."""

    def deliveries(self, since: datetime) -> Iterator[ForgeDelivery]:
        """Webhook deliveries since then, newest first."""

    def delivery_payload(self, delivery_id: int) -> tuple[str, dict[str, Any]]:
        """(event, payload) of a delivery, to be replayed here."""

    def ping(self) -> str:
        """The App's name, when key and address are right."""


class WaitError(ForgeError):
    """GitHub asks to wait; the work is done later."""

    def __init__(self, message: str | None = None, *, retry_after: float) -> None:
        """`retry_after` is in seconds."""
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after


class UnknownOutcomeError(ForgeError):
    """GitHub's answer was lost; the call may or may not have had its effect."""


class MissingError(ForgeError):
    """GitHub has no such thing (yet, or any more)."""


class GoneError(ForgeError):
    """GitHub had it once and has deleted it."""


class DeniedError(ForgeError):
    """The App lacks a permission for this."""

    def __init__(self, message: str | None = None, *, permission: str = "") -> None:
        """`permission` is GitHub's name for what is missing, where it is known."""
        super().__init__(message, permission=permission)
        self.permission = permission


class SuspendedError(ForgeError):
    """The App's installation is suspended or removed."""


class UnfitError(ForgeError):
    """The artifact cannot be used: its digest, size or address is wrong."""
