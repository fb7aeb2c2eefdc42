"""Comments: one for each pull request, only when there is something to say, rewritten only when that changes."""

import hashlib
from dataclasses import dataclass

import structlog

from core.github.comment import marker_of, render_comment, worth_saying
from core.tenancy import Project
from jobs.desk import Desk
from jobs.forge import DeniedError, Forge, MissingError, WaitError
from jobs.view import views_of_commit
from storage import pull_comment as notes
from storage import workflow_run as seen
from storage.check_run import CheckRun
from storage.github import KnownRepository
from storage.project import get_policy
from storage.pull_comment import PullComment

log = structlog.get_logger(__name__)

BUSY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the comment of a pull request ought to say."""

    pull: int
    body: str

    @property
    def content(self) -> str:
        return hashlib.sha256(self.body.encode("utf-8", "replace")).hexdigest()


def say_comment(desk: Desk, forge: Forge, project: Project, known: KnownRepository, check: CheckRun) -> None:
    """Bring the comment of the commit's pull request up to date. WaitError while another node writes it."""
    wanted = _wanted(desk, project, known, check)
    if wanted is None:
        return
    now = desk.now()
    with desk.database.begin() as tx:
        comment = notes.claim_comment(tx, project.id, wanted.pull, now=now, lease_until=now + desk.lease)
    if comment is None:
        raise WaitError("Another node is writing this comment.", retry_after=BUSY_SECONDS)
    try:
        said = _write(forge, known, comment, wanted)
    except BaseException:
        with desk.database.begin() as tx:
            notes.leave_comment(tx, comment)
        raise
    with desk.database.begin() as tx:
        notes.said_comment(tx, comment, comment_id=said, content=wanted.content, now=desk.now())


def _wanted(desk: Desk, project: Project, known: KnownRepository, check: CheckRun) -> _Wanted | None:
    """None when there is no pull request, nothing to say, nothing new, or a newer commit that speaks for it."""
    with desk.database.read() as tx:
        if not get_policy(tx, project.id).pull_comments:
            return None
        pull = seen.pull_of_commit(tx, project.id, check.head_sha)
        if pull is None or seen.newest_commit_of_pull(tx, project.id, pull) != check.head_sha:
            return None
        views = views_of_commit(tx, project, known, check.head_sha, base_url=desk.base_url)
        there = notes.find_comment(tx, project.id, pull)
    existing = there is not None and there.comment_id is not None
    if not views or not (existing or worth_saying(views)):
        return None
    body = render_comment(views, repository_id=known.ref.repository_id, pull=pull)
    wanted = _Wanted(pull, body)
    return None if there is not None and there.content == wanted.content else wanted


def _write(forge: Forge, known: KnownRepository, comment: PullComment, wanted: _Wanted) -> int | None:
    """GitHub's id of it; None where we may not comment: not tried again until it would say something else."""
    marker = marker_of(known.ref.repository_id, wanted.pull)

    def write(comment_id: int | None) -> int:
        return forge.comment(known.ref, wanted.pull, wanted.body, comment_id=comment_id, marker=marker)

    try:
        try:
            return write(comment.comment_id)
        except MissingError:  # somebody has deleted it, or the pull request is gone
            return write(None) if comment.comment_id else None
    except (DeniedError, MissingError) as error:  # the check run says it all; a comment is a courtesy
        log.warning("comment.not_said", pull=wanted.pull, reason=error.message)
        return None
