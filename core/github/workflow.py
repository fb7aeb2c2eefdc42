"""A workflow run of GitHub Actions: read from a webhook or the API, trusted by facts, mapped to our Run."""

import re
from dataclasses import dataclass
from datetime import datetime

from core.github import fields
from core.github.repository import Repository
from core.run import Run, Trust

COMPLETED = "completed"
_QUEUE = re.compile(r"gh-readonly-queue/(?P<base>.+)/pr-(?P<pr>\d{1,10})-(?P<sha>[0-9a-f]{40})")
_SHA = re.compile(r"[0-9a-fA-F]{7,64}")
_TRUNK_EVENTS = frozenset({"push", "schedule", "workflow_dispatch", "repository_dispatch", "merge_group"})
_BORROWED_SHA_EVENTS = frozenset({"pull_request_target", "workflow_run"})
"""Their head_sha is the default branch's although the code under test may be a pull request's."""


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request a commit belongs to."""

    number: int
    head_sha: str = ""
    head_repository_id: int | None = None
    base_sha: str = ""
    base_branch: str = ""
    open: bool = True


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One attempt of one workflow run."""

    id: int
    attempt: int
    event: str
    status: str
    head_sha: str
    name: str = ""
    workflow_id: int | None = None
    conclusion: str = ""
    head_branch: str = ""
    head_repository_id: int | None = None
    head_owner: str = ""
    pulls: tuple[Pull, ...] = ()
    created_at: datetime | None = None
    started_at: datetime | None = None
    updated_at: datetime | None = None
    url: str = ""

    @property
    def window(self) -> tuple[datetime | None, datetime | None]:
        """When this attempt ran: artifacts it made were created in between."""
        return self.started_at or self.created_at, self.updated_at

    @property
    def queued_pull(self) -> str:
        """The pull request a merge group's branch names; empty elsewhere."""
        found = self._queue()
        return found["pr"] if found else ""

    @property
    def queue_base(self) -> str:
        """The default-branch commit a merge group was built on; empty elsewhere."""
        found = self._queue()
        return found["sha"] if found else ""

    def _queue(self) -> re.Match[str] | None:
        return _QUEUE.fullmatch(self.head_branch) if self.event == "merge_group" else None


def read_workflow_run(data: object) -> WorkflowRun:
    """A workflow run from `workflow_run` of a webhook or from the REST API (they share their shape)."""
    sha = fields.need_text(data, "head_sha")
    if not _SHA.fullmatch(sha):
        raise fields.PayloadError("GitHub's payload has a head_sha that is not a commit.")
    return WorkflowRun(
        id=fields.need_number(data, "id"),
        attempt=fields.number(data, "run_attempt") or 1,
        event=fields.text(data, "event"),
        status=fields.text(data, "status"),
        head_sha=sha.lower(),
        name=fields.text(data, "name") or fields.text(data, "path"),
        workflow_id=fields.number(data, "workflow_id"),
        conclusion=fields.text(data, "conclusion"),
        head_branch=fields.text(data, "head_branch"),
        head_repository_id=fields.number(data, "head_repository", "id")
        or fields.number(data, "head_repository_id"),
        head_owner=fields.text(data, "head_repository", "owner", "login")
        or fields.text(data, "head_repository", "full_name").partition("/")[0],
        pulls=read_pulls(fields.dig(data, "pull_requests")),
        created_at=fields.moment(data, "created_at"),
        started_at=fields.moment(data, "run_started_at"),
        updated_at=fields.moment(data, "updated_at"),
        url=fields.text(data, "html_url", limit=1000),
    )


def read_pulls(data: object) -> tuple[Pull, ...]:
    """Pull requests in the short form of a run or the long form of the API."""
    return tuple(pull for item in fields.rows({"pulls": data}, "pulls") if (pull := _pull(item)))


def _pull(item: dict[str, object]) -> Pull | None:
    number = fields.number(item, "number")
    if number is None:
        return None
    return Pull(
        number=number,
        head_sha=fields.text(item, "head", "sha"),
        head_repository_id=fields.number(item, "head", "repo", "id"),
        base_sha=fields.text(item, "base", "sha"),
        base_branch=fields.text(item, "base", "ref"),
        open=fields.text(item, "state") != "closed",
    )


def trust_of(run: WorkflowRun, repository: Repository) -> Trust:
    """By the head repository's id, never by a branch name: a fork may call its branch `main`."""
    if run.head_repository_id != repository.id:
        return Trust.FORK
    if run.event == "merge_group":
        return Trust.TRUNK
    on_default = bool(repository.default_branch) and run.head_branch == repository.default_branch
    return Trust.TRUNK if run.event in _TRUNK_EVENTS and on_default else Trust.PR


def pull_of(run: WorkflowRun, candidates: tuple[Pull, ...]) -> Pull | None:
    """The pull request this run tested: open before closed, the head's own repository before others."""
    matching = [pull for pull in candidates if pull.head_sha in {"", run.head_sha}]
    own = [pull for pull in matching if pull.head_repository_id in {None, run.head_repository_id}]
    return min(own, key=lambda pull: (not pull.open, pull.number), default=None)


def wants_pull(run: WorkflowRun) -> bool:
    """True when the run belongs to a pull request that its payload may leave out (forks' lists are empty)."""
    return run.event.startswith("pull_request") and run.event not in _BORROWED_SHA_EVENTS


def base_of(run: WorkflowRun, pull: Pull | None) -> str:
    """The commit the change started from, where the payload tells it."""
    return run.queue_base or (pull.base_sha if pull else "")


def branch_of(run: WorkflowRun, trust: Trust) -> str:
    """The branch as people know it; a fork's is led by its owner, so that it is never taken for ours."""
    if trust is not Trust.FORK:
        return run.head_branch
    return f"{run.head_owner or 'fork'}:{run.head_branch}"


def to_run(
    run: WorkflowRun,
    repository: Repository,
    *,
    job: str,
    variant: str,
    attempt: int,
    pull: Pull | None,
    base: str,
    at: datetime,
) -> Run:
    """The context in which reports were made; facts come from GitHub, names from the artifact."""
    trust = trust_of(run, repository)
    return Run(
        run_id=str(run.id),
        commit=run.head_sha,
        branch=branch_of(run, trust),
        at=at,
        attempt=attempt,
        job=job,
        variant=variant,
        base=base,
        event=run.event,
        pr=run.queued_pull or (str(pull.number) if pull else ""),
        trust=trust,
        url=run.url,
    )
