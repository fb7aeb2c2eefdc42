"""Merge: learn which commit of the default branch a pull request's branch became."""

from core.execution import Merge
from core.github import fields
from core.github.repository import Installation
from jobs.desk import Desk
from jobs.enlist import enlist
from jobs.hook import Hook, IgnoredError
from jobs.score import close_scoring, open_scoring
from jobs.tell import tell_verdicts
from storage.result import merged


def on_pull_request(desk: Desk, hook: Hook) -> None:
    """A pull request was closed; when it was merged into the default branch, that is a fact to score with."""
    pull = fields.dig(hook.payload, "pull_request")
    if not fields.flag(pull, "merged"):
        raise IgnoredError("It was closed without being merged.")
    now = desk.now()
    with desk.database.begin() as tx:
        project = enlist(tx, hook.repository, Installation(hook.installation_id), now=now)
        if fields.text(pull, "base", "ref") != project.default_branch:
            raise IgnoredError("It was merged into another branch than the default one.")
        merge = Merge(
            branch=_branch(pull, hook.repository.id),
            commit=fields.need_text(pull, "head", "sha"),
            into_commit=fields.need_text(pull, "merge_commit_sha"),
            at=fields.moment(pull, "merged_at") or now,
        )
        told = {"branch": merge.branch, "commit": merge.commit, "into_commit": merge.into_commit}
        if merged(tx, project.id, **told, at=merge.at):
            scoring = open_scoring(tx, desk.scores, project)
            scoring.merge(merge)
            close_scoring(tx, desk.scores, scoring, now=merge.at)
            tell_verdicts(tx, project, scoring.transitions, now=now)


def _branch(pull: object, repository_id: int) -> str:
    """Named as in the runs: a fork's branch is led by its owner."""
    name = fields.text(pull, "head", "ref")
    if fields.number(pull, "head", "repo", "id") == repository_id:
        return name
    owner = fields.text(pull, "head", "user", "login") or "fork"
    return f"{owner}:{name}"
