"""View: what the check run of a commit and workflow says, out of what is stored now."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from core.github.check import CheckView, Failure, Verdict, check_name
from core.github.markdown import code
from core.quarantine import Quarantine
from core.run import Trust
from core.tenancy import Project
from core.verdict import FailureVerdict
from jobs.ingest import thought_now
from storage import workflow_run as seen
from storage.check_run import checks_of_commit
from storage.database import Tx
from storage.detection import find_detection
from storage.failure import FailureRecord
from storage.github import KnownRepository, find_installation
from storage.project import get_policy
from storage.quarantine import in_force
from storage.result import failures_of_run
from storage.test_case import get_tests
from storage.workflow_run import SeenArtifact, SeenRun

MAX_LISTED = 500
_MESSAGE_CHARS = 4000


def views_of_commit(
    tx: Tx, project: Project, known: KnownRepository, head_sha: str, *, base_url: str
) -> list[CheckView]:
    """Every workflow's view of a commit, by name."""
    names = sorted(check.workflow for check in checks_of_commit(tx, project.id, head_sha))
    found = (view_of(tx, project, known, head_sha, name, base_url=base_url) for name in names)
    return [view for view in found if view is not None]


def view_of(
    tx: Tx, project: Project, known: KnownRepository, head_sha: str, workflow: str, *, base_url: str
) -> CheckView | None:
    """Judged as of now; None when nothing is known about the commit any more."""
    runs = seen.newest_attempts(tx, project.id, head_sha, workflow)
    if not runs:
        return None
    newest = max(runs, key=lambda run: (run.at, run.run_id))
    standing = [artifact for run in runs for artifact in _standing(tx, project, run)]
    reports = [one.report for one in standing if one.state == "read" and one.report]
    failures = _failures(tx, project, reports)
    installation = find_installation(tx, known.ref.installation_id)
    return CheckView(
        name=check_name(workflow),
        head_sha=head_sha,
        repository_id=known.ref.repository_id,
        run_id=newest.run_id,
        attempt=newest.attempt,
        run_conclusion=_worst(run.conclusion for run in runs),
        run_url=newest.url,
        details_url=base_url,
        passed=_sum(reports, "passed"),
        failed=sum(_sum(reports, key) for key in ("failed", "error")),
        skipped=_sum(reports, "skipped"),
        flaky=_sum(reports, "flaky"),
        reports=len(reports),
        partial=any(report.get("partial") for report in reports) or any(_unread(one) for one in standing),
        failures=failures[:MAX_LISTED],
        more_failures=_sum(reports, "more_failures") + max(0, len(failures) - MAX_LISTED),
        notes=_notes(runs, standing, reports),
        fork=any(run.trust is Trust.FORK for run in runs),
        gate=get_policy(tx, project.id).gate_mode,
        may_rerun=installation is None or installation.may("actions"),
    )


def failing_tests(tx: Tx, project: Project, head_sha: str, workflow: str) -> tuple[Failure, ...]:
    """The failures a check run shows now."""
    runs = seen.newest_attempts(tx, project.id, head_sha, workflow)
    standing = [artifact for run in runs for artifact in _standing(tx, project, run)]
    return _failures(tx, project, [one.report for one in standing if one.report])


def _standing(tx: Tx, project: Project, run: SeenRun) -> list[SeenArtifact]:
    """The newest artifact of each job: a re-run of the failed jobs leaves the others' results standing."""
    newest: dict[tuple[str, str], SeenArtifact] = {}
    for artifact in seen.artifacts_of(tx, project.id, run.run_id):
        if artifact.state == "other" or artifact.attempt > run.attempt:
            continue
        job = (_job(artifact), "")
        if job not in newest or newest[job].attempt <= artifact.attempt:
            newest[job] = artifact
    return [one for one in newest.values() if not _resolved(one, run)]


def _job(artifact: SeenArtifact) -> str:
    report = artifact.report or {}
    return f"{report['job']}\n{report['variant']}" if report else artifact.name


def _resolved(artifact: SeenArtifact, run: SeenRun) -> bool:
    """A failure of an earlier attempt, when this one succeeded without reporting on it."""
    failed = bool((artifact.report or {}).get("failures")) or artifact.state == "refused"
    return artifact.attempt < run.attempt and run.conclusion == "success" and failed


def _unread(artifact: SeenArtifact) -> bool:
    return artifact.state == "refused"


def _worst(conclusions: Iterable[str]) -> str:
    return next((one for one in conclusions if one not in {"success", "neutral", "skipped", ""}), "success")


def _sum(reports: Iterable[dict[str, Any]], key: str) -> int:
    return sum(int(report.get(key, 0)) for report in reports)


def _notes(
    runs: Sequence[SeenRun], standing: Sequence[SeenArtifact], reports: Sequence[dict[str, Any]]
) -> tuple[str, ...]:
    notes = [run.note for run in runs if run.note and not reports]
    # A reason may quote an entry's name, which is foreign text.
    notes += [f"An artifact could not be read: {code(one.reason)}" for one in standing if one.reason]
    if any(report.get("suite_errors") for report in reports):
        notes.append("A suite could not be set up or collected; its tests have no result.")
    return tuple(dict.fromkeys(notes))


def _failures(tx: Tx, project: Project, reports: Sequence[dict[str, Any]]) -> tuple[Failure, ...]:
    told = [item for report in reports for item in report.get("failures", ())]
    covered = in_force(tx, project.id, {int(item["test_id"]) for item in told})
    messages = _messages(tx, project, reports)
    tests = get_tests(tx, project.id, (int(item["test_id"]) for item in told))
    found: list[Failure] = []
    for item in told:
        test = tests.get(int(item["test_id"]))
        quarantine = covered.get(int(item["test_id"]))
        owner = test.owner if test else ""
        found.append(_failure(tx, project, item, quarantine=quarantine, messages=messages, owner=owner or ""))
    return tuple(found)


def _failure(
    tx: Tx,
    project: Project,
    item: dict[str, Any],
    *,
    quarantine: Quarantine | None,
    messages: dict[int, str],
    owner: str,
) -> Failure:
    test_id = int(item["test_id"])
    found = find_detection(tx, project.id, test_id)
    return Failure(
        test_id=test_id,
        name=str(item["name"]),
        class_name=str(item["class"]),
        suite=str(item["suite"]),
        file=str(item["file"]),
        variant=str(item["variant"]),
        verdict=_verdict(tx, project, test_id, str(item["verdict"]), quarantine),
        message=messages.get(test_id) or str(item["message"] or ""),
        score=found.score if found else None,
        owner=owner,
        until=quarantine.until if quarantine else None,
    )


def _verdict(tx: Tx, project: Project, test_id: int, told: str, quarantine: Quarantine | None) -> Verdict:
    """As of now; what the run itself showed (an outage) stays, a quarantine that ended is one no more."""
    if quarantine is not None:
        return "quarantined"
    if told == FailureVerdict.INFRA.value:
        return "infra"
    match thought_now(tx, project, test_id):
        case FailureVerdict.KNOWN_FLAKY:
            return "known_flaky"
        case FailureVerdict.BROKEN:
            return "broken"
        case _:
            return "new" if told == FailureVerdict.NEW.value else "known_flaky"


def _messages(tx: Tx, project: Project, reports: Sequence[dict[str, Any]]) -> dict[int, str]:
    """The whole messages, which lie with the results."""
    found: dict[int, str] = {}
    for report in reports:
        at = datetime.fromisoformat(report["at"])
        records = failures_of_run(tx, project.id, int(report["run_pk"]), at)
        found |= {test_id: _last(record) for test_id, record in records.items()}
    return found


def _last(record: FailureRecord) -> str:
    return next((one.message for one in reversed(record.attempts) if one.message), "")[:_MESSAGE_CHARS]
