"""Collect: the artifacts of a finished run attempt become stored, scored results; each artifact once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from core.errors import ForgeError
from core.github import fields
from core.github.artifact import Artifact
from core.github.repository import Installation, Repository, RepositoryRef
from core.github.workflow import (
    Pull,
    WorkflowRun,
    base_of,
    pull_of,
    read_workflow_run,
    trust_of,
    wants_pull,
)
from core.run import Trust
from core.tenancy import Project
from jobs.desk import Desk
from jobs.enlist import enlist
from jobs.forge import DeniedError, Forge, MissingError, WaitError
from jobs.harvest import Harvest, deal_with
from jobs.hook import Hook, IgnoredError
from storage import check_run
from storage import github as memory
from storage import workflow_run as seen
from storage.database import Tx
from storage.workflow_run import SeenArtifact, SeenRun

log = structlog.get_logger(__name__)

MAX_ARTIFACTS = 200
"""Artifacts of one run that are looked into."""
Renew = Callable[[], None]
_POINTLESS = frozenset({"skipped", "cancelled"})


def on_workflow_run(desk: Desk, hook: Hook) -> None:
    """A workflow run attempt has ended."""
    run = read_workflow_run(fields.dig(hook.payload, "workflow_run"))
    collect_run(desk, hook.installation_id, hook.repository, run, renew=hook.renew)


def collect_run(
    desk: Desk, installation_id: int, repository: Repository, run: WorkflowRun, *, renew: Renew = lambda: None
) -> None:
    """Bring one attempt's results in. Done again it changes nothing; done in any order it ends the same."""
    if desk.forge is None:
        raise IgnoredError("GitHub is switched off: no App is configured.")
    project, repository = _enrol(desk, installation_id, repository, run)
    ref = RepositoryRef(installation_id, repository.id, repository.full_name)
    harvest = _look_around(desk, desk.forge, project, repository, ref=ref, run=run)
    if harvest.pull:
        with desk.database.begin() as tx:
            seen.note_pull(tx, project.id, run.id, run.attempt, harvest.pull.number)
    listed = desk.forge.artifacts(harvest.ref, run.id)
    for artifact in _unseen(desk, project, run, listed)[:MAX_ARTIFACTS]:
        renew()
        _keep(desk, project, deal_with(harvest, artifact))
    _close(desk, project, run, listed)


def _enrol(
    desk: Desk, installation_id: int, repository: Repository, run: WorkflowRun
) -> tuple[Project, Repository]:
    now = desk.now()
    with desk.database.begin() as tx:
        known = memory.find_installation(tx, installation_id)
        if known is not None and not known.live:
            raise IgnoredError("The installation is suspended or removed.")
        project = enlist(tx, repository, Installation(installation_id, account=repository.owner), now=now)
        # Short payloads leave the default branch out.
        repository = replace(repository, default_branch=repository.default_branch or project.default_branch)
        seen.put_workflow_run(tx, project.id, _seen(run, repository, at=run.window[0] or now))
    return project, repository


def _seen(run: WorkflowRun, repository: Repository, *, at: datetime) -> SeenRun:
    return SeenRun(
        run_id=run.id,
        attempt=run.attempt,
        workflow=run.name,
        head_sha=run.head_sha,
        event=run.event,
        conclusion=run.conclusion,
        trust=trust_of(run, repository),
        pr=run.queued_pull,
        url=run.url,
        at=at,
    )


def _look_around(
    desk: Desk,
    forge: Forge,
    project: Project,
    repository: Repository,
    *,
    ref: RepositoryRef,
    run: WorkflowRun,
) -> Harvest:
    trust = trust_of(run, repository)
    pull = _pull(forge, ref, run) if trust is not Trust.TRUNK else None
    base = base_of(run, pull)
    if not base and trust is Trust.PR:
        base = _merge_base(forge, ref, repository.default_branch, run.head_sha)
    return Harvest(
        desk=desk, forge=forge, project=project, repository=repository, ref=ref, run=run, pull=pull, base=base
    )


def _pull(forge: Forge, ref: RepositoryRef, run: WorkflowRun) -> Pull | None:
    pull = pull_of(run, run.pulls)
    if pull is not None or not wants_pull(run):
        return pull
    try:
        return pull_of(run, forge.pulls_of(ref, run.head_sha))
    except (MissingError, DeniedError):
        return None


def _merge_base(forge: Forge, ref: RepositoryRef, base: str, head: str) -> str:
    try:
        return forge.merge_base(ref, base, head)
    except WaitError:
        raise
    except ForgeError:
        return ""


def _unseen(desk: Desk, project: Project, run: WorkflowRun, listed: Sequence[Artifact]) -> list[Artifact]:
    with desk.database.read() as tx:
        known = {one.artifact_id for one in seen.artifacts_of(tx, project.id, run.id)}
    return sorted((one for one in listed if one.id not in known), key=lambda one: one.id)


def _keep(desk: Desk, project: Project, artifact: SeenArtifact | None) -> None:
    if artifact is None:
        return
    log.info("artifact.seen", project=project.repo, artifact=artifact.artifact_id, state=artifact.state)
    with desk.database.begin() as tx:
        seen.put_artifact(tx, project.id, artifact, now=desk.now())


def _close(desk: Desk, project: Project, run: WorkflowRun, listed: Sequence[Artifact]) -> None:
    now = desk.now()
    with desk.database.begin() as tx:
        note = _note(tx, project, run, listed)
        seen.collected(tx, project.id, run.id, run.attempt, note=note, now=now)
        if _deserves_check(tx, project, run):
            check_run.want_check(tx, project_id=project.id, head_sha=run.head_sha, workflow=run.name, now=now)
    desk.dispatch.wake("checks")


def _note(tx: Tx, project: Project, run: WorkflowRun, listed: Sequence[Artifact]) -> str:
    if any(one.state != "other" for one in seen.artifacts_of(tx, project.id, run.id)):
        return ""
    if not listed:
        return "The run has no artifacts: upload the test reports with actions/upload-artifact."
    return f"None of the run's artifacts ({len(listed)}) holds a test report."


def _deserves_check(tx: Tx, project: Project, run: WorkflowRun) -> bool:
    """Workflows without tests get none, but missing results are said, and so is a set-up without any."""
    if any(one.state != "other" for one in seen.artifacts_of(tx, project.id, run.id)):
        return True
    if run.conclusion in _POINTLESS:
        return False
    return seen.has_reported(tx, project.id, run.name) or not seen.has_reported(tx, project.id)
