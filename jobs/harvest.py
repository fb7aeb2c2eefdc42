"""Harvest: one artifact of a run, downloaded, read, attributed to its attempt and ingested."""

from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import ConflictError, TooLargeError, UnsupportedMediaError, ValidationError
from core.github.artifact import Artifact, Origin, contradiction, origin_of, other_attempts_matter
from core.github.reading import Reading, peek_metadata, read_artifact, worth_looking
from core.github.repository import Repository, RepositoryRef
from core.github.workflow import COMPLETED, Pull, WorkflowRun, to_run
from core.report import Report
from core.run import Run
from core.tenancy import Project, Via
from jobs.desk import Desk
from jobs.forge import DeniedError, Forge, GoneError, MissingError, UnfitError
from jobs.ingest import IngestAnswer, ingest_report
from storage import audit
from storage.workflow_run import ArtifactState, SeenArtifact

MAX_LISTED = 500
"""Failures kept for the check run; the results keep them all."""
MAX_ATTEMPTS = 50
"""GitHub's own cap on re-runs."""


@dataclass
class Harvest:
    """One attempt being collected, and all that is known around it."""

    desk: Desk
    forge: Forge
    project: Project
    repository: Repository
    ref: RepositoryRef
    run: WorkflowRun
    pull: Pull | None
    base: str
    attempts: dict[int, WorkflowRun] = field(default_factory=dict)
    """Attempts of the run that have been asked for, by number."""

    def __post_init__(self) -> None:
        """The attempt being collected is known."""
        self.attempts[self.run.attempt] = self.run

    def attempt(self, number: int) -> WorkflowRun:
        """One attempt's facts; the collected one's where GitHub no longer tells."""
        if number not in self.attempts:
            self.attempts[number] = self._ask(number) or replace(self.run, attempt=number)
        return self.attempts[number]

    def all_attempts(self) -> None:
        """Learn of every attempt before this one, and after it."""
        newest = self._ask(None) or self.run
        if newest.attempt not in self.attempts:
            self.attempts[newest.attempt] = newest
        for number in range(1, min(newest.attempt, MAX_ATTEMPTS)):
            self.attempt(number)

    def _ask(self, number: int | None) -> WorkflowRun | None:
        try:
            return self.forge.run_attempt(self.ref, self.run.id, number)
        except (MissingError, DeniedError):
            return None


def deal_with(harvest: Harvest, artifact: Artifact) -> SeenArtifact | None:
    """What became of the artifact; None when a later attempt's own delivery will bring it."""
    if artifact.expired:
        return _settled(harvest, artifact, "refused", "The artifact has expired.")
    if not worth_looking(artifact):
        return _settled(harvest, artifact, "other")
    if other_attempts_matter([artifact], harvest.run):
        harvest.all_attempts()
    try:
        return _read(harvest, artifact)
    except (GoneError, MissingError):
        return _settled(harvest, artifact, "refused", "GitHub has deleted the artifact.")
    except (UnfitError, DeniedError, TooLargeError, UnsupportedMediaError, ValidationError) as error:
        return _settled(harvest, artifact, "refused", error.message)


def _read(harvest: Harvest, artifact: Artifact) -> SeenArtifact | None:
    with harvest.forge.download(harvest.ref, artifact) as content:
        metadata = peek_metadata(content)
        newest = max(harvest.attempts)
        if metadata and (
            reason := contradiction(metadata, harvest.run, harvest.repository.id, newest=newest)
        ):
            _audit_forgery(harvest, artifact, reason)
            return _settled(harvest, artifact, "refused", reason)
        origin = origin_of(artifact, metadata, harvest.run, harvest.attempts.values())
        facts = harvest.attempt(origin.attempt)
        if facts.attempt > harvest.run.attempt and facts.status != COMPLETED:
            return None
        reading = read_artifact(content, name=artifact.name, variant=origin.variant)
    if reading.report is None:
        state: ArtifactState = "refused" if reading.problems else "other"
        return _settled(harvest, artifact, state, "; ".join(reading.problems), origin=origin)
    answer = _ingest(harvest, artifact, facts, origin, _whole(reading, reading.report))
    return replace(
        _settled(harvest, artifact, "read", "; ".join(reading.problems), origin=origin), report=_told(answer)
    )


def _whole(reading: Reading, report: Report) -> Report:
    """What could not be read is missing, and a missing test is not a passed one."""
    if not reading.problems:
        return report
    return replace(report, partial=True, warnings=(*report.warnings, *reading.problems))


def _ingest(
    harvest: Harvest, artifact: Artifact, facts: WorkflowRun, origin: Origin, report: Report
) -> IngestAnswer:
    run = to_run(
        facts,
        harvest.repository,
        job=origin.job,
        variant=origin.variant,
        attempt=origin.attempt,
        pull=harvest.pull,
        base=harvest.base,
        at=facts.window[0] or artifact.created_at or harvest.desk.now(),
    )
    run = replace(run, partial=report.partial)
    try:
        return _store(harvest, run, report)
    except ConflictError:
        # Two artifacts call themselves the same job: both count, under names of their own.
        return _store(harvest, replace(run, job=f"{run.job} / {artifact.name}"), report)


def _store(harvest: Harvest, run: Run, report: Report) -> IngestAnswer:
    return ingest_report(
        harvest.desk,
        harvest.project.id,
        run,
        report.cases,
        dialect=report.dialect,
        warnings=report.warnings,
        suite_errors=report.suite_errors,
    )


def _told(answer: IngestAnswer) -> dict[str, Any]:
    """What the check run will say, as plain data."""
    return {
        **answer.counts,
        "job": answer.run.job,
        "variant": answer.run.variant,
        "run_pk": answer.run_pk,
        "at": answer.run.at.isoformat(),
        "partial": answer.run.partial,
        "suite_errors": len(answer.suite_errors),
        "failures": [one.to_dict() for one in answer.failures[:MAX_LISTED]],
        "more_failures": max(0, len(answer.failures) - MAX_LISTED),
    }


def _settled(
    harvest: Harvest,
    artifact: Artifact,
    state: ArtifactState,
    reason: str = "",
    *,
    origin: Origin | None = None,
) -> SeenArtifact:
    return SeenArtifact(
        artifact_id=artifact.id,
        run_id=harvest.run.id,
        attempt=origin.attempt if origin else harvest.run.attempt,
        name=artifact.name,
        state=state,
        digest=artifact.digest,
        reason=reason,
        inferred=origin.inferred if origin else False,
    )


def _audit_forgery(harvest: Harvest, artifact: Artifact, reason: str) -> None:
    now = harvest.desk.now()
    with harvest.desk.database.begin() as tx:
        audit.append(
            tx,
            organization_id=harvest.project.organization_id,
            project_id=harvest.project.id,
            at=now,
            actor="github",
            via=Via.GITHUB.value,
            action="artifact.refused",
            subject=f"artifact-{artifact.id}",
            details={"reason": reason, "run_id": harvest.run.id},
        )
